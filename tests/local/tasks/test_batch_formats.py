"""Batch and segment jobs of the running service over files as users leave them in S3, through boto3 alone."""

from __future__ import annotations

import gzip
import json
import re

import pytest
import small_world as world

PREFIX = "formats"


@pytest.fixture(scope="module")
def ended(until):
    """Wait for the end of a job and return what Describe says of it."""

    def wait(describe, **arn):
        def look():
            (found,) = (value for key, value in describe(**arn).items() if key != "ResponseMetadata")
            return found if found["status"] in ("ACTIVE", "CREATE FAILED") else None

        return until(look, f"the end of {arn}")

    return wait


@pytest.fixture(scope="module")
def group(personalize, s3, local_service, ended):
    """Return a dataset group with interactions, and the job that imported them."""
    group = personalize.create_dataset_group(name=PREFIX)["datasetGroupArn"]
    ended(personalize.describe_dataset_group, datasetGroupArn=group)
    schema = personalize.create_schema(name=PREFIX, schema=world.avro("INTERACTIONS"))["schemaArn"]
    dataset = personalize.create_dataset(
        name=PREFIX, schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )["datasetArn"]
    ended(personalize.describe_dataset, datasetArn=dataset)
    s3.put_object(Bucket=local_service.bucket, Key=f"{PREFIX}/data.csv", Body=world.csv("INTERACTIONS"))
    job = personalize.create_dataset_import_job(
        jobName=PREFIX,
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{local_service.bucket}/{PREFIX}/data.csv"},
        roleArn=local_service.role_arn,
    )["datasetImportJobArn"]
    assert ended(personalize.describe_dataset_import_job, datasetImportJobArn=job)["status"] == "ACTIVE"
    return group


@pytest.fixture(scope="module")
def version(personalize, group, ended):
    """Train a recipe on the group once; return the solution version's ARN."""
    made = {}

    def train(recipe):
        if recipe not in made:
            solution = personalize.create_solution(
                name=f"{PREFIX}-{recipe}",
                datasetGroupArn=group,
                recipeArn=f"arn:aws:personalize:::recipe/{recipe}",
                performAutoTraining=False,
            )["solutionArn"]
            ended(personalize.describe_solution, solutionArn=solution)
            made[recipe] = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
            ended(personalize.describe_solution_version, solutionVersionArn=made[recipe])
        return made[recipe]

    return train


@pytest.fixture
def answered(personalize, s3, local_service, version, ended, request):
    """Put files under `<folder>/`, run a job on a path there, and return it with its output objects by name.

    Their texts are read with them, unless `read` is false.
    """
    folder = f"{PREFIX}/{re.sub('[^a-z0-9]', '-', request.node.name)[:50]}"
    bucket = local_service.bucket

    def run(files, path="in/", recipe="aws-popularity-count", output="out/", read=True):
        for name, text in files.items():
            s3.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=text)
        request_ = {
            "jobName": f"{folder}-{output}".strip("/").replace("/", "-"),
            "solutionVersionArn": version(recipe),
            "jobInput": {"s3DataSource": {"path": f"s3://{bucket}/{folder}/{path}"}},
            "jobOutput": {"s3DataDestination": {"path": f"s3://{bucket}/{folder}/{output}"}},
            "roleArn": local_service.role_arn,
            "numResults": 2,
        }
        if recipe == "aws-item-affinity":
            arn = personalize.create_batch_segment_job(**request_)["batchSegmentJobArn"]
            job = ended(personalize.describe_batch_segment_job, batchSegmentJobArn=arn)
        else:
            arn = personalize.create_batch_inference_job(**request_)["batchInferenceJobArn"]
            job = ended(personalize.describe_batch_inference_job, batchInferenceJobArn=arn)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/{output}")
        found = {each["Key"].partition(f"/{output}")[2]: each for page in pages for each in page.get("Contents", [])}
        for each in found.values() if read else ():
            each["text"] = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode()
        return job, found

    return run


def inputs(found):
    return [json.loads(line)["input"] for line in found["text"].splitlines()]


LINE = b'{"userId": "u1"}\n'


def test_a_folder_with_subfolders_and_markers(answered):
    job, found = answered({"in/": b"", "in/a.json": LINE, "in/2026/b.json": LINE * 2, "in_test/c.json": LINE})
    assert job["status"] == "ACTIVE"
    assert sorted(found) == ["_CHECK", "a.json.out", "b.json.out"]
    assert len(inputs(found["b.json.out"])) == 2


def test_a_prefix_without_a_slash_takes_its_sibling_too(answered):
    job, found = answered({"in/a.json": LINE, "in_test/c.json": LINE}, path="in")
    assert job["status"] == "ACTIVE"
    assert sorted(found) == ["_CHECK", "a.json.out", "c.json.out"]


def test_lines_as_windows_and_editors_leave_them(answered):
    text = (
        b'\xef\xbb\xbf{"userId": "u1"}\r\n\r\n{"userId": "u1"}\r\n   \r\n{"userId": 2}\r\n{"userId": "strange\xc3\xa9"}'
    )
    job, found = answered({"in/a.json": text}, path="in/a.json")
    assert job["status"] == "ACTIVE"
    rows = [json.loads(line) for line in found["a.json.out"]["text"].splitlines()]
    assert [row["input"]["userId"] for row in rows] == ["u1", "u1", 2, "strangeé"]
    assert rows[0] == rows[1]
    assert rows[2]["output"] == {"recommendedItems": []}
    assert rows[2]["error"] == "User error: userId must be a string, got 2; write it in quotes"
    assert [row["error"] for row in rows if row is not rows[2]] == [None, None, None]


def test_a_compressed_file_fails_the_job_by_its_name(answered):
    job, found = answered({"in/a.json": LINE, "in/b.json.gz": gzip.compress(LINE)})
    assert job["status"] == "CREATE FAILED"
    assert "b.json.gz' is compressed with gzip" in job["failureReason"]
    assert found == {}


def test_a_thousand_files_and_no_more(answered):
    job, found = answered({f"in/{number:04}.json": LINE for number in range(1000)}, read=False)
    assert (job["status"], len(found)) == ("ACTIVE", 1001)
    job, found = answered({"in/more.json": LINE}, output="none/")
    assert job["failureReason"] == "The input has 1001 files; a batch inference job can have 1000."
    assert found == {}


def later(job, *moments):
    """Tell whether a job and what it wrote are later than the whole second in which it was created."""
    second = job["creationDateTime"].replace(microsecond=0)
    return all(moment.replace(microsecond=0) > second for moment in (job["lastUpdatedDateTime"], *moments))


@pytest.mark.parametrize(
    ("recipe", "line"), [("aws-popularity-count", {"userId": "u1"}), ("aws-item-affinity", {"itemId": "i1"})]
)
def test_no_batch_job_ends_or_writes_in_the_second_of_its_creation(answered, recipe, line):
    job, found = answered({"in/a.json": json.dumps(line).encode()}, recipe=recipe)
    assert sorted(found) == ["_CHECK", "a.json.out"]
    assert later(job, *(each["LastModified"] for each in found.values()))


def test_no_other_job_ends_in_the_second_of_its_creation(personalize, s3, local_service, group, ended):
    place, role = f"s3://{local_service.bucket}/{PREFIX}", local_service.role_arn
    [dataset] = [each["datasetArn"] for each in personalize.list_datasets(datasetGroupArn=group)["datasets"]]
    [imported] = personalize.list_dataset_import_jobs(datasetArn=dataset)["datasetImportJobs"]
    assert later(imported)
    arn = personalize.create_dataset_export_job(
        jobName=PREFIX,
        datasetArn=dataset,
        ingestionMode="BULK",
        roleArn=role,
        jobOutput={"s3DataDestination": {"path": f"{place}/exports/"}},
    )["datasetExportJobArn"]
    job = ended(personalize.describe_dataset_export_job, datasetExportJobArn=arn)
    [written] = [
        each
        for each in s3.list_objects_v2(Bucket=local_service.bucket, Prefix=f"{PREFIX}/exports/")["Contents"]
        if each["Key"].endswith(".csv")
    ]
    assert job["status"] == "ACTIVE" and later(job, written["LastModified"])
