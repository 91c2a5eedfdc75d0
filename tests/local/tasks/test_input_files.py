"""What tools leave beside their data is no data, for imports, deletions, and batch jobs of both kinds alike."""

from __future__ import annotations

import json

import pytest
from inline_service import BUCKET, ROLE, InlineService

SIDE = {
    "_SUCCESS": b"",
    "_committed_123": b"{}",
    ".part-0.crc": b"crc\x00",
    "_temporary/0/part-9": b"half a part",
    ".spark-staging/part-9": b"half a part",
    "query.csv.metadata": b"\n\x0e3",
    "": b"",
    "empty-part": b"",
}
HEAD = "USER_ID,ITEM_ID,TIMESTAMP\n"
LINES = [f"u{n % 50},i{n * n % 37},{1_700_000_000 + n}\n" for n in range(1200)]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("side-files"))
    yield service
    service.close()


@pytest.fixture(scope="module")
def made(service):
    """ARNs of a group with events imported from a folder with all side files, and of its dataset."""
    folder(service, "events", {"part-0": HEAD + "".join(LINES[:700]), "part-1": HEAD + "".join(LINES[700:])})
    service.put("events/part-2", HEAD.encode())
    group = service.made("create_dataset_group", name="g")
    fields = [{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}]
    fields += [{"name": "TIMESTAMP", "type": "long"}]
    schema = service.made(
        "create_schema",
        name="s",
        schema=json.dumps({"type": "record", "name": "Interactions", "fields": fields, "version": "1.0"}),
    )
    dataset = service.made(
        "create_dataset", name="d", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )
    service.made("create_dataset_import_job", jobName="all", datasetArn=dataset, roleArn=ROLE, dataSource=at("events/"))
    return {"group": group, "dataset": dataset}


def at(key):
    return {"dataLocation": f"s3://{BUCKET}/{key}"}


def folder(service, name, texts):
    for key, body in {**{key: text.encode() for key, text in texts.items()}, **SIDE}.items():
        service.put(f"{name}/{key}", body)


def exported(service, dataset, name):
    out = {"s3DataDestination": {"path": f"s3://{BUCKET}/{name}/"}}
    service.made(
        "create_dataset_export_job", jobName=name, datasetArn=dataset, ingestionMode="ALL", roleArn=ROLE, jobOutput=out
    )
    return service.read(f"{name}/{name}.csv").splitlines(keepends=True)


@pytest.mark.parametrize("name", ["events", "events/"])
def test_imports_take_the_parts_and_nothing_else(service, made, name):
    job = f"import{len(name)}"
    service.made(
        "create_dataset_import_job", jobName=job, datasetArn=made["dataset"], roleArn=ROLE, dataSource=at(name)
    )
    assert sorted(exported(service, made["dataset"], f"export{len(name)}")) == sorted([HEAD, *LINES])


def refusal(service, made, name, key):
    job = service.control.create_dataset_import_job(
        jobName=name, datasetArn=made["dataset"], roleArn=ROLE, dataSource=at(key)
    )["datasetImportJobArn"]
    service.work()
    found = service.control.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    assert found["status"] == "CREATE FAILED"
    return found["failureReason"]


def test_a_folder_of_side_files_names_them(service, made):
    for key in ("_SUCCESS", ".a.crc"):
        service.put(f"nothing/{key}", b"")
    said = refusal(service, made, "nothing", "nothing/")
    assert "none in that folder but 'nothing/.a.crc', 'nothing/_SUCCESS'" in said
    service.put("empty/part-0", b"")
    assert "Input CSV empty/part-0 has no records" in refusal(service, made, "empty", "empty/")


def test_a_side_file_that_is_named_is_read(service, made):
    service.put("named/_odd.csv", (HEAD + "".join(LINES)).encode())
    service.put("_odd/part", (HEAD + "".join(LINES)).encode())
    for name, key in (("odd", "named/_odd.csv"), ("in-odd", "_odd/")):
        service.made(
            "create_dataset_import_job", jobName=name, datasetArn=made["dataset"], roleArn=ROLE, dataSource=at(key)
        )


def test_deletions_of_users_read_folders_alike(service, made):
    folder(service, "users", {"part-0": "USER_ID\nnobody\n"})
    job = service.control.create_data_deletion_job(
        jobName="users", datasetGroupArn=made["group"], roleArn=ROLE, dataSource=at("users/")
    )["dataDeletionJobArn"]
    service.work()
    found = service.control.describe_data_deletion_job(dataDeletionJobArn=job)["dataDeletionJob"]
    assert (found["status"], found["numDeleted"]) == ("COMPLETED", 0)


@pytest.mark.parametrize(
    ("operation", "recipe"),
    [("create_batch_inference_job", "aws-sims"), ("create_batch_segment_job", "aws-item-affinity")],
)
def test_batch_jobs_answer_the_parts_and_nothing_else(service, made, operation, recipe):
    version = service.version(made["group"], recipe)
    folder(service, "asked", {"part-0": '{"itemId": "i1"}\n', "part-1": '{"itemId": "i4"}\n'})
    service.made(
        operation,
        jobName=recipe,
        solutionVersionArn=version,
        roleArn=ROLE,
        jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/asked/"}},
        jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/{recipe}/"}},
    )
    written = {info.key.removeprefix(f"{recipe}/") for info in service.objects.list(BUCKET, f"{recipe}/")}
    assert written == {"_CHECK", "part-0.out", "part-1.out", "empty-part.out"}
    assert json.loads(service.read(f"{recipe}/part-1.out"))["input"] == {"itemId": "i4"}
