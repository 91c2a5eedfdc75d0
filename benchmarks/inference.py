"""A whole batch job of the local service, beside implicit's ALS and what this machine can do at all.

Ours reads JSON lines of users, leaves out what each has met by a filter, ranks the best 25 of 50,000 items and writes
the output that AWS writes, in a process of its own whose peak memory counts. ALS (64 factors, as `learning` has it) and
numpy only rank, on a sample, and write nothing. Two limits stand beside: the bare product of factors, and passing once
over a score for each item, which no method that scores everything can avoid. The users asked repeat those of the
model. Accuracy is asked of both for the newest event of some users, which neither has learnt.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy import sparse
from threadpoolctl import threadpool_limits

from benchmarks.harness import OURS, Row, interleave, rows
from benchmarks.learning import ALS, FACTORS, ITEMS, als, make
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.local.data.schema import Field, Schema, TrainingData
from personalize_nb.local.filters import binding
from personalize_nb.local.recipes import families
from personalize_nb.local.recipes.base import Queries
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.tasks import batch

TITLE = "A whole local job beside implicit, and the machine's limits"
RECIPE, RESULTS, RATE, PEAK = "aws-user-personalization-v2", 25, "users/s", "peak MB"
USERS = (100_000, 1_000_000, 10_000_000)
# of the model; `make` gives each about fifty events
_KNOWN, _PER_USER, _SAMPLE, _JUDGED, _ROWS = 40_000, 50, 4_000, 5_000, 256
_BUCKET, _DAY = "bench", 86_400
_SEEN = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")'
_FIELDS = ("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string")
_NUMPY, _PRODUCT, _PASS = "numpy, factors and argpartition", "limit: bare product", "limit: one pass over scores"


def run(rounds: int, scale: float) -> list[Row]:
    known = max(2_000, int(_KNOWN * scale))
    learnt = make(known, known * _PER_USER)
    newest = learnt.starts[1:] - 1
    older = np.ones(len(learnt.items), bool)
    older[newest] = False
    counts = _counts(learnt.owner[older], learnt.items[older], known)
    model = als()
    with threadpool_limits(1, "blas"):
        model.fit(counts, show_progress=False)
    with tempfile.TemporaryDirectory(prefix="bench-inference-") as made:
        folder = Path(made)
        data = _data(learnt.owner[older], learnt.items[older])
        trained = families.train(RECIPE, data)
        trained.save(folder / "model")
        found = _accuracy(trained, model, counts, learnt.items[newest], rounds)
        _write(folder, data)
        for users in USERS:
            asked = max(2_000, int(users * scale))
            contenders: dict[str, Callable[[], dict[str, float]]] = {OURS: partial(_apart, folder, asked, known)}
            contenders |= {
                name: partial(_rated, rank, min(known, _SAMPLE)) for name, rank in _peers(model, counts).items()
            }
            samples = interleave(contenders, rounds)
            task = f"{asked:,} users, best {RESULTS} of {ITEMS:,} items not met"
            peak = {OURS: {PEAK: samples[OURS].pop(PEAK)}}
            found += rows(task, samples, [RATE]) + rows(task, peak)
    return found


def _counts(owner: np.ndarray, items: np.ndarray, users: int) -> sparse.csr_matrix:
    counts = sparse.csr_matrix((np.ones(len(items), np.float32), (owner, items)), shape=(users, ITEMS))
    counts.sum_duplicates()
    return counts


def _data(owner: np.ndarray, items: np.ndarray) -> TrainingData:
    """Return the events as an import leaves them, in the order of time."""
    step = np.arange(len(owner)) - np.searchsorted(owner, owner)
    order = np.argsort(step, kind="stable")
    kinds = pa.array(["view"]).dictionary_encode().take(pa.array(np.zeros(len(owner), np.int32)))
    columns = [_names("u", owner[order]), _names("i", items[order]), pa.array(step[order] * _DAY), kinds.cast("string")]
    schema = Schema("INTERACTIONS", tuple(Field(name, kind) for name, kind in _FIELDS))
    table = pa.table(dict(zip(schema.names, columns, strict=True)))
    return TrainingData(table, None, None, {"INTERACTIONS": schema})


def _names(letter: str, numbers: np.ndarray) -> pa.StringArray:
    known = pa.array([f"{letter}{number}" for number in range(int(numbers.max()) + 1)])
    return known.take(pa.array(numbers))


def _write(folder: Path, data: TrainingData) -> None:
    assert data.interactions is not None
    with pa.OSFile(str(folder / "events"), "wb") as sink, pa.ipc.new_file(sink, data.interactions.schema) as writer:
        writer.write_table(data.interactions)


def _apart(folder: Path, asked: int, known: int) -> dict[str, float]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_job, folder, asked, known).result()


def _job(folder: Path, asked: int, known: int) -> dict[str, float]:
    """Do a job as the service's worker does it: load, bind the filter, read, rank, write."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        objects = ObjectStore(Path(made))
        try:
            objects.create_bucket(_BUCKET, "us-east-1")
            with objects.writer(_BUCKET, "in.json", "application/json") as out:
                for start in range(0, asked, 100_000):
                    users = (number % known for number in range(start, min(asked, start + 100_000)))
                    out.write("".join(f'{{"userId": "u{user}"}}\n' for user in users).encode())
            begun = time.perf_counter()
            model = families.load(folder / "model")
            with pa.memory_map(str(folder / "events")) as source:
                events = pa.ipc.open_file(source).read_all()
                schema = Schema("INTERACTIONS", tuple(Field(name, kind) for name, kind in _FIELDS))
                data = TrainingData(events, None, None, {"INTERACTIONS": schema})
                bound = binding.bind(binding.parse(_SEEN), data, model.item_ids, None)
                spec = batch.BatchSpec("bench", f"s3://{_BUCKET}/in.json", f"s3://{_BUCKET}/out/", RESULTS)
                batch.run(spec, objects=objects, model=model, facts=RECIPES[RECIPE], bound_filter=bound)
            seconds = time.perf_counter() - begun
            with objects.open(_BUCKET, "out/in.json.out") as source:
                first = json.loads(source.readline())
            assert len(first["output"]["recommendedItems"]) == RESULTS, first
        finally:
            objects.close()
    kilo = 1_000_000 if sys.platform == "darwin" else 1_000
    return {RATE: asked / seconds, PEAK: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / kilo}


def _peers(model, counts: sparse.csr_matrix) -> dict[str, Callable[[np.ndarray], object]]:
    """Return who ranks some users: implicit, numpy with the same factors, and two limits."""
    factors, items = np.asarray(model.user_factors), np.asarray(model.item_factors)
    scores = np.zeros((_ROWS, ITEMS), np.float32)

    def product(users: np.ndarray) -> None:
        for start in range(0, len(users), _ROWS):
            block = users[start : start + _ROWS]
            np.matmul(factors[block], items.T, out=scores[: len(block)])

    def plain(users: np.ndarray) -> None:
        for start in range(0, len(users), _ROWS):
            block = users[start : start + _ROWS]
            found = np.matmul(factors[block], items.T, out=scores[: len(block)])
            found[counts[block].nonzero()] = -np.inf
            best = np.argpartition(-found, RESULTS, axis=1)[:, :RESULTS]
            np.take_along_axis(best, np.argsort(-np.take_along_axis(found, best, axis=1), axis=1), axis=1)

    def once(users: np.ndarray) -> None:
        for start in range(0, len(users), _ROWS):
            scores[: len(users[start : start + _ROWS])].max()

    def implicit(users: np.ndarray) -> None:
        with threadpool_limits(1, "blas"):
            model.recommend(users, counts[users], N=RESULTS, filter_already_liked_items=True)

    assert factors.shape[1] == FACTORS
    return {ALS: implicit, _NUMPY: plain, _PRODUCT: product, _PASS: once}


def _rated(rank: Callable[[np.ndarray], object], asked: int) -> dict[str, float]:
    begun = time.perf_counter()
    rank(np.arange(asked))
    return {RATE: asked / (time.perf_counter() - begun)}


def _accuracy(trained, model, counts: sparse.csr_matrix, newest: np.ndarray, rounds: int) -> list[Row]:
    """Ask for the newest item of the users to whom it is new."""
    judged = np.arange(min(_JUDGED, counts.shape[0]))
    judged = judged[np.asarray(counts[judged, newest[judged]]).ravel() == 0]
    names = [f"u{user}" for user in judged]
    given = [f"i{item}" for item in newest[judged]]
    met = sparse.csr_matrix(counts[judged])
    theirs, _ = model.recommend(judged, met, N=RESULTS, filter_already_liked_items=True)
    ranked = trained.rank(Queries(users=names, num_results=RESULTS)).items.to_pylist()
    lists = {OURS: ranked, ALS: [[f"i{item}" for item in found] for found in theirs]}
    gains = {name: [_gain(found, item) for found, item in zip(of, given, strict=True)] for name, of in lists.items()}
    values = {name: {f"NDCG@{RESULTS}": [float(np.mean(each))] * rounds} for name, each in gains.items()}
    return rows("the newest item of each user, not learnt", values, [f"NDCG@{RESULTS}"])


def _gain(found: list[str], wanted: str) -> float:
    return 1.0 / float(np.log2(found.index(wanted) + 2)) if wanted in found else 0.0
