"""A batch job of the local service on clusters of Dask: two workers beside one, and beside the machine alone.

Users have tastes, as in the bench of learning, and are answered without the items that they have met. Clusters are up
and have answered a small job before: libraries are loaded, loops compiled. What is timed is a whole job, from its start
to its last status, with the input in S3 already. Output is the same in all; the bench ends where it is not.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from contextlib import ExitStack
from functools import partial

import distributed
import numpy as np
import pandas as pd

import personalize_nb as pnb
from benchmarks.harness import OURS, Figures, Row, interleave, rows
from benchmarks.learning import make
from personalize_nb.session import s3

TITLE = "A batch job on clusters of Dask"
USERS, KNOWN, EVENTS = 5_000_000, 20_000, 1_000_000
ONE, ALONE = "one worker", "no cluster"
_FILTER = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")'


def mode() -> str:
    """What the contenders are."""
    return f"{OURS} is two workers of one thread each, {ONE} one of these, {ALONE} the service's own process"


def run(rounds: int, scale: float) -> list[Row]:
    asked = max(50_000, int(USERS * scale))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        session = pnb.Session.local(folder, scheduler="")
        stack.callback(session.stop)
        model = _model(session, max(100_000, int(EVENTS * scale)))
        seen = pnb.create_filter("seen", _FILTER, model.dataset_group_arn, session=session)
        made = partial(distributed.LocalCluster, threads_per_worker=1, dashboard_address=":0", memory_limit=0)
        two, one = (stack.enter_context(made(n_workers=count)) for count in (2, 1))
        addresses = {OURS: two.scheduler_address, ONE: one.scheduler_address, ALONE: ""}
        inputs = {}
        for users in (20_000 * 4, asked):
            batch = pnb.users([str(number) for number in range(users)])
            inputs[users] = batch.upload(session, session.location("clusters", f"{users}.jsonl"))
        outputs: set[str] = set()

        def job(address: str, users: int) -> Figures:
            there = pnb.Session.local(folder, scheduler=address)
            begun = pnb.recommend(inputs[users], model, filter=seen, exploration_weight=0.0, session=there)
            start = time.perf_counter()
            begun.wait(progress=False)
            seconds = time.perf_counter() - start
            outputs.add(f"{users} {_digest(session, begun.request.output_path)}")
            return {"users/s": users / seconds}

        for address in addresses.values():
            job(address, 80_000)
        contenders = {name: partial(job, address, asked) for name, address in addresses.items()}
        found = rows(f"{asked:,} users answered", interleave(contenders, rounds), more_is_better=["users/s"])
        if len(outputs) != len({80_000, asked}):
            raise AssertionError(f"outputs differ: {sorted(outputs)}")
        return found


def _model(session: pnb.Session, events: int) -> pnb.SolutionVersion:
    learnt = make(KNOWN, events)
    frame = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(KNOWN), np.diff(learnt.starts)).astype(str),
            "item_id": learnt.items.astype(str),
            "timestamp": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(len(learnt.items)), "s"),
            "event_type": "watch",
        }
    )
    return pnb.train(frame, name="clusters", progress=False, session=session)


def _digest(session: pnb.Session, folder: str) -> str:
    digest = hashlib.sha256()
    for file in s3.stored(session, folder):
        for block in s3.line_blocks(session, file.address):
            digest.update(block)
    return digest.hexdigest()
