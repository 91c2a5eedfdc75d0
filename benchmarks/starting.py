"""What a user waits for before anything is computed: the import, the service, a call, and a small job there and back.

Every import runs in a process of its own, with boto3 alone as the floor. The services are asked through the same boto3
client. The small job is on the same service and model for both: ours from a frame of 1,000 users to a frame of their
recommendations, and the loop that people write with boto3, which looks every 0.2 seconds.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
from botocore.config import Config

import personalize_nb as pnb
from benchmarks.harness import OURS, Row, interleave, rows
from benchmarks.objects import moto_server
from personalize_nb import local, samples

TITLE = "Starting: import, service, one call, a small job"
USERS, RESULTS, CALLS, LOOK_SECONDS, SECONDS = 1_000, 25, 200, 0.2, "s"
BOTO3, LOOP, MOTO = "boto3", "boto3 loop", "moto server"
_IMPORTS = {OURS: "import personalize_nb, boto3", BOTO3: "import boto3", "awswrangler": "import awswrangler"}


def run(rounds: int, scale: float) -> list[Row]:
    present = {name: code for name, code in _IMPORTS.items() if importlib.util.find_spec(code.split()[1].rstrip(","))}
    found = rows("import", interleave({name: partial(_imported, code) for name, code in present.items()}, rounds))
    found += rows("a new service is ready", interleave({OURS: _ours_ready, MOTO: _moto_ready}, rounds))
    with tempfile.TemporaryDirectory(prefix="bench-starting-") as made, ExitStack() as closing:
        folder = Path(made)
        url, _ = closing.enter_context(moto_server(folder))
        session = pnb.connect(path=folder / "service")
        closing.callback(local.stop, folder / "service")
        info = local.start(folder / "service")
        clients = {
            OURS: _client("personalize", info.url, info.access_key, info.secret_key),
            MOTO: _client("personalize", url, "testing", "testing"),
        }
        calls = max(20, int(CALLS * scale))
        timed = {name: partial(_called, client, calls) for name, client in clients.items()}
        found += rows("one control call", interleave(timed, rounds))
        found += _there_and_back(session, info, rounds)
    return found


def _imported(code: str) -> dict[str, float]:
    program = f"import time; begun = time.perf_counter(); {code}; print(time.perf_counter() - begun)"
    return {SECONDS: float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)}


def _ours_ready() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-starting-") as folder:
        begun = time.perf_counter()
        info = local.start(Path(folder) / "service")
        seconds = time.perf_counter() - begun
        local.stop(info.path)
    return {SECONDS: seconds}


def _moto_ready() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-starting-") as folder:
        begun = time.perf_counter()
        with moto_server(Path(folder)):
            return {SECONDS: time.perf_counter() - begun}


def _client(name: str, url: str, access_key: str, secret_key: str) -> Any:
    return boto3.client(
        name,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(proxies={}),
    )


def _called(client: Any, calls: int) -> dict[str, float]:
    client.list_schemas()
    begun = time.perf_counter()
    for _ in range(calls):
        client.list_schemas()
    return {"ms": 1_000 * (time.perf_counter() - begun) / calls}


def _there_and_back(session: pnb.Session, info: Any, rounds: int) -> list[Row]:
    sample = samples.books()
    model = pnb.train(sample.interactions, sample.items, name="books", session=session)
    users = pd.DataFrame({"USER_ID": sample.interactions.iloc[:, 0].unique()[:USERS]})
    personalize, s3 = (_client(name, info.url, info.access_key, info.secret_key) for name in ("personalize", "s3"))
    numbers = count()

    def ours() -> dict[str, float]:
        begun = time.perf_counter()
        job = pnb.recommend(users, model, num_results=RESULTS, session=session)
        frame = job.wait().recommendations()
        seconds = time.perf_counter() - begun
        assert len(frame) == RESULTS * len(users), len(frame)
        return {SECONDS: seconds}

    def loop() -> dict[str, float]:
        begun = time.perf_counter()
        name = f"loop-{next(numbers)}"
        lines = "\n".join(json.dumps({"userId": user}) for user in users["USER_ID"])
        s3.put_object(Bucket=session.bucket, Key=f"{name}/in.json", Body=lines.encode())
        arn = personalize.create_batch_inference_job(
            jobName=name,
            solutionVersionArn=model.arn,
            numResults=RESULTS,
            jobInput={"s3DataSource": {"path": f"s3://{session.bucket}/{name}/in.json"}},
            jobOutput={"s3DataDestination": {"path": f"s3://{session.bucket}/{name}/out/"}},
            roleArn=session.role_arn,
        )["batchInferenceJobArn"]
        while personalize.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]["status"] != (
            "ACTIVE"
        ):
            time.sleep(LOOK_SECONDS)
        body = s3.get_object(Bucket=session.bucket, Key=f"{name}/out/in.json.out")["Body"].read()
        found = []
        for line in body.splitlines():
            row = json.loads(line)
            pairs = zip(row["output"]["recommendedItems"], row["output"]["scores"], strict=True)
            found += [(row["input"]["userId"], item, score) for item, score in pairs]
        frame = pd.DataFrame(found, columns=["user", "item", "score"])
        seconds = time.perf_counter() - begun
        assert len(frame) == RESULTS * len(users), len(frame)
        return {SECONDS: seconds}

    ours()
    task = f"{len(users):,} users, from a frame to a frame of recommendations"
    return rows(task, interleave({OURS: ours, LOOP: loop}, rounds))
