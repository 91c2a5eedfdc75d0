"""SIGKILL at bad moments: the next start ends what was under way, and every stored object is still there."""

from __future__ import annotations

import json
import os
import signal

import psutil
import pytest
import small_world as world

from personalize_nb import local

ENDED = {"ACTIVE", "CREATE FAILED"}
LINES = 20_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("crash") / "service"
    yield path
    local.stop(path)


@pytest.fixture(scope="module")
def info(folder):
    return local.start(folder, idle_seconds=600)


@pytest.fixture(scope="module")
def api(client, info):
    return client("personalize", info)


@pytest.fixture(scope="module")
def store(client, info):
    return client("s3", info)


@pytest.fixture(scope="module")
def status(until):
    """Give the described resource when it has reached one of some statuses."""

    def wait(describe, statuses, **arn):
        def look():
            (found,) = (value for key, value in describe(**arn).items() if key != "ResponseMetadata")
            return found if found["status"] in statuses else None

        return until(look, f"{sorted(statuses)} of {arn}")

    return wait


@pytest.fixture(scope="module")
def kill(folder, until):
    """SIGKILL the service, wait for the end of its workers, start it again on the same address."""

    def run():
        before = local.attach(folder)
        family = psutil.Process(before.pid).children()
        os.kill(before.pid, signal.SIGKILL)
        until(lambda: not any(alive(process) for process in family), "the end of the workers")
        after = local.start(folder, idle_seconds=600)
        assert (after.url, after.secret_key) == (before.url, before.secret_key)
        assert after.pid != before.pid
        return len(family)

    return run


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def solution(api, store, info, status):
    """Import the small world and make a solution, through calls that are each waited for."""
    group = api.create_dataset_group(name="crash")["datasetGroupArn"]
    status(api.describe_dataset_group, {"ACTIVE"}, datasetGroupArn=group)
    schema = api.create_schema(name="crash", schema=world.avro("INTERACTIONS"))["schemaArn"]
    dataset = api.create_dataset(name="crash", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")[
        "datasetArn"
    ]
    status(api.describe_dataset, {"ACTIVE"}, datasetArn=dataset)
    store.put_object(Bucket=info.bucket, Key="crash/data.csv", Body=world.csv("INTERACTIONS"))
    job = api.create_dataset_import_job(
        jobName="crash",
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{info.bucket}/crash/data.csv"},
        roleArn=info.role_arn,
    )["datasetImportJobArn"]
    status(api.describe_dataset_import_job, {"ACTIVE"}, datasetImportJobArn=job)
    arn = api.create_solution(
        name="crash",
        recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
        datasetGroupArn=group,
        performAutoTraining=False,
    )["solutionArn"]
    status(api.describe_solution, {"ACTIVE"}, solutionArn=arn)
    return arn


@pytest.fixture(scope="module")
def objects(store, info):
    """Store objects of several sizes; return a function that reads them all back and compares."""
    bodies = {f"kept/{size}": os.urandom(size) for size in (0, 1, 10_000, 3_000_000)}
    for key, body in bodies.items():
        store.put_object(Bucket=info.bucket, Key=key, Body=body)

    def check():
        for key, body in bodies.items():
            assert store.get_object(Bucket=info.bucket, Key=key)["Body"].read() == body

    return check


@pytest.fixture(scope="module")
def version(api, solution, objects, kill, status):
    """Train, with a SIGKILL as soon as the training is under way."""
    arn = api.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    status(api.describe_solution_version, {"CREATE IN_PROGRESS"}, solutionVersionArn=arn)
    assert kill() >= 1
    return arn


def test_a_training_is_taken_up_after_a_kill(api, objects, version, status):
    objects()
    described = status(api.describe_solution_version, ENDED, solutionVersionArn=version)
    assert described["status"] == "ACTIVE"
    assert api.get_solution_metrics(solutionVersionArn=version)["metrics"]


def test_a_job_is_taken_up_after_a_kill_and_writes_its_output_once(api, store, info, objects, version, kill, status):
    status(api.describe_solution_version, {"ACTIVE"}, solutionVersionArn=version)
    body = "\n".join(json.dumps({"userId": f"u{line}"}) for line in range(LINES))
    store.put_object(Bucket=info.bucket, Key="crash/in.json", Body=body.encode())
    arn = api.create_batch_inference_job(
        jobName="crash",
        solutionVersionArn=version,
        jobInput={"s3DataSource": {"path": f"s3://{info.bucket}/crash/in.json"}},
        jobOutput={"s3DataDestination": {"path": f"s3://{info.bucket}/crash/out/"}},
        roleArn=info.role_arn,
    )["batchInferenceJobArn"]
    status(api.describe_batch_inference_job, {"CREATE IN_PROGRESS"}, batchInferenceJobArn=arn)
    assert kill() >= 1
    objects()
    described = status(api.describe_batch_inference_job, ENDED, batchInferenceJobArn=arn)
    assert described["status"] == "ACTIVE"
    rows = store.get_object(Bucket=info.bucket, Key="crash/out/in.json.out")["Body"].read().splitlines()
    assert len(rows) == LINES
    assert {json.loads(row)["input"]["userId"] for row in rows} == {f"u{line}" for line in range(LINES)}


def test_a_killed_worker_is_replaced_without_the_service_ending(api, info, folder, solution, status):
    arn = api.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    status(api.describe_solution_version, {"CREATE IN_PROGRESS"}, solutionVersionArn=arn)
    for worker in psutil.Process(local.attach(folder).pid).children():
        worker.kill()
    assert status(api.describe_solution_version, ENDED, solutionVersionArn=arn)["status"] == "ACTIVE"


def test_a_training_that_is_stopped_ends_stopped_and_others_go_on(api, folder, solution, status):
    # new workers import their libraries while the training is IN_PROGRESS, which gives the time to stop it
    for worker in psutil.Process(local.attach(folder).pid).children():
        worker.kill()
    stopped, kept = (api.create_solution_version(solutionArn=solution)["solutionVersionArn"] for _ in range(2))
    status(api.describe_solution_version, {"CREATE IN_PROGRESS"}, solutionVersionArn=stopped)
    api.stop_solution_version_creation(solutionVersionArn=stopped)
    described = status(api.describe_solution_version, ENDED | {"CREATE STOPPED"}, solutionVersionArn=stopped)
    assert described["status"] == "CREATE STOPPED"
    with pytest.raises(api.exceptions.InvalidInputException, match="can be stopped"):
        api.stop_solution_version_creation(solutionVersionArn=stopped)
    assert status(api.describe_solution_version, ENDED, solutionVersionArn=kept)["status"] == "ACTIVE"
