"""Work on a file that was altered on the disk fails with file, cause and repair, and nothing is made of it."""

from __future__ import annotations

import pytest
import small_world as world
from inline_service import BUCKET, ROLE, InlineService


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("damaged"))
    service.prepared = service.group()
    service.trained = service.version(service.prepared[0], "aws-similar-items")
    yield service
    service.close()


def altered(service, key, text, place):
    service.put(key, text)
    path = service.objects.bodies.path(service.objects.head(BUCKET, key).body)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    return path


def failed(service, operation, **params):
    answer = getattr(service.control, operation)(**params, roleArn=ROLE)
    service.work()
    found = service.store[next(value for key, value in answer.items() if key.endswith("Arn"))]
    assert found.status == "CREATE FAILED"
    return found.failure_reason


CSV = world.csv("INTERACTIONS")


# within an id; a quotation mark in place of a line's end is no CSV; the header
@pytest.mark.parametrize("place", [len(CSV) // 2, CSV.index(b"\n"), 0])
@pytest.mark.parametrize("mode", ["FULL", "INCREMENTAL"])
def test_no_rows_are_imported(service, place, mode):
    path = altered(service, "altered.csv", CSV, place)
    before = sorted((service.folder / "datasets").rglob("*"))
    reason = failed(
        service,
        "create_dataset_import_job",
        jobName=f"altered-{place}-{mode}",
        datasetArn=service.prepared[1]["INTERACTIONS"],
        dataSource={"dataLocation": f"s3://{BUCKET}/altered.csv"},
        importMode=mode,
    )
    assert reason.startswith("DamagedState") and str(path) in reason and "upload s3://data/altered.csv again" in reason
    assert sorted((service.folder / "datasets").rglob("*")) == before


def test_no_users_are_deleted(service):
    path = altered(service, "users.csv", b"USER_ID\nu1\nu2\n", 9)
    reason = failed(
        service,
        "create_data_deletion_job",
        jobName="altered",
        datasetGroupArn=service.prepared[0],
        dataSource={"dataLocation": f"s3://{BUCKET}/users.csv"},
    )
    assert reason.startswith("DamagedState") and str(path) in reason


def test_no_line_is_answered(service):
    path = altered(service, "in.jsonl", b'{"itemId": "b1"}\n' * 20, 40)
    reason = failed(
        service,
        "create_batch_inference_job",
        jobName="altered",
        solutionVersionArn=service.trained,
        jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/in.jsonl"}},
        jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/out/"}},
    )
    assert reason.startswith("DamagedState") and str(path) in reason
    assert list(service.objects.list(BUCKET, "out/")) == []
