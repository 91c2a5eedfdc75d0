"""The AWS CLI as the second client: whole chains with nothing but environment variables set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import small_world as world

AWS = Path(sys.executable).with_name("aws")

pytestmark = pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed beside this Python")


@pytest.fixture(scope="module")
def aws(local_service, tmp_path_factory):
    """Run the AWS CLI and return what it prints, parsed where it is JSON."""
    home = tmp_path_factory.mktemp("home")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **local_service.environment()}

    def run(*arguments, stdin=None, fails=False):
        done = subprocess.run([AWS, *arguments], input=stdin, capture_output=True, env=environment)
        if fails:
            assert done.returncode != 0
            return done.stderr.decode()
        assert done.returncode == 0, done.stderr.decode()
        text = done.stdout.decode()
        return json.loads(text) if arguments[0].startswith("personalize") and text else text

    return run


@pytest.fixture(scope="module")
def active(personalize, until):
    """Wait until a resource is ACTIVE, with boto3: its looks start no process."""

    def wait(kind, arn):
        first, *rest = kind.split("_")
        name = "".join([first, *map(str.title, rest), "Arn"])

        def look():
            (found,) = (
                value
                for key, value in getattr(personalize, f"describe_{kind}")(**{name: arn}).items()
                if key != "ResponseMetadata"
            )
            assert found["status"] != "CREATE FAILED", found["failureReason"]
            return found["status"] == "ACTIVE"

        until(look, kind)

    return wait


@pytest.fixture(scope="module")
def create(aws):
    """Run a create command and return the ARN it prints."""

    def make(command, *arguments):
        answer = aws("personalize", command, *arguments)
        return next(value for key, value in answer.items() if key.lower().endswith("arn"))

    return make


@pytest.fixture(scope="module")
def data(aws, create, active, local_service):
    """Return the ARNs of a dataset group and of its dataset, with data."""
    bucket = f"s3://{local_service.bucket}/cli"
    aws("s3", "cp", "-", f"{bucket}/data.csv", stdin=world.csv("INTERACTIONS"))
    group = create("create-dataset-group", "--name", "cli", "--tags", "tagKey=team,tagValue=books")
    schema = create("create-schema", "--name", "cli", "--schema", world.avro("INTERACTIONS"))
    active("dataset_group", group)
    dataset = create(
        *("create-dataset", "--name", "cli", "--schema-arn", schema),
        *("--dataset-group-arn", group, "--dataset-type", "interactions"),
    )
    active("dataset", dataset)
    imported = create(
        *("create-dataset-import-job", "--job-name", "cli", "--dataset-arn", dataset),
        *("--data-source", f"dataLocation={bucket}/data.csv", "--role-arn", local_service.role_arn),
    )
    active("dataset_import_job", imported)
    return group, dataset


@pytest.fixture(scope="module")
def version(create, active, data):
    """Train a recipe; return the solution version's ARN."""

    def train(recipe):
        solution = create(
            *("create-solution", "--name", f"cli-{recipe}", "--dataset-group-arn", data[0]),
            *("--no-perform-auto-training", "--recipe-arn", f"arn:aws:personalize:::recipe/{recipe}"),
        )
        active("solution", solution)
        arn = create("create-solution-version", "--solution-arn", solution)
        active("solution_version", arn)
        return arn

    return train


@pytest.fixture(scope="module")
def popular(version):
    return version("aws-popularity-count")


def test_from_a_csv_file_to_recommendations_on_the_command_line(aws, create, active, popular, local_service):
    bucket, role = f"s3://{local_service.bucket}/cli", local_service.role_arn
    aws("s3", "cp", "-", f"{bucket}/in/readers.json", stdin=b'{"userId": "u1"}\n{"userId": "u2"}\n')
    job = create(
        *("create-batch-inference-job", "--job-name", "cli", "--solution-version-arn", popular),
        *("--job-input", f"s3DataSource={{path={bucket}/in/readers.json}}"),
        *("--job-output", f"s3DataDestination={{path={bucket}/out/}}"),
        *("--role-arn", role, "--num-results", "3"),
    )
    active("batch_inference_job", job)
    [described] = aws("personalize", "describe-batch-inference-job", "--batch-inference-job-arn", job).values()
    assert (described["status"], described["numResults"]) == ("ACTIVE", 3)

    assert "readers.json.out" in aws("s3", "ls", f"{bucket}/out/")
    rows = [json.loads(line) for line in aws("s3", "cp", f"{bucket}/out/readers.json.out", "-").splitlines()]
    assert [row["input"]["userId"] for row in rows] == ["u1", "u2"]
    assert all(len(row["output"]["recommendedItems"]) == 3 for row in rows)


def test_segments_exports_and_deletions_on_the_command_line(
    aws, create, active, version, data, local_service, personalize, s3, until
):
    bucket, role = f"s3://{local_service.bucket}/cli", local_service.role_arn

    def put(name, body):
        s3.put_object(Bucket=local_service.bucket, Key=f"cli/{name}", Body=body)

    def read(name):
        return s3.get_object(Bucket=local_service.bucket, Key=f"cli/{name}")["Body"].read().decode()

    put("items.json", b'{"itemId": "i1"}\n')
    job = create(
        *("create-batch-segment-job", "--job-name", "cli", "--solution-version-arn", version("aws-item-affinity")),
        *("--job-input", f"s3DataSource={{path={bucket}/items.json}}"),
        *("--job-output", f"s3DataDestination={{path={bucket}/segments/}}"),
        *("--role-arn", role, "--num-results", "4"),
    )
    active("batch_segment_job", job)
    assert len(json.loads(read("segments/items.json.out"))["output"]["usersList"]) == 4

    exported = create(
        *("create-dataset-export-job", "--job-name", "cli", "--dataset-arn", data[1], "--ingestion-mode", "ALL"),
        *("--job-output", f"s3DataDestination={{path={bucket}/exports/}}", "--role-arn", role),
    )
    active("dataset_export_job", exported)
    assert read("exports/cli.csv").startswith("USER_ID,ITEM_ID,TIMESTAMP")

    put("gone.csv", b"USER_ID\nu3\n")
    deletion = create(
        *("create-data-deletion-job", "--job-name", "cli", "--dataset-group-arn", data[0]),
        *("--data-source", f"dataLocation={bucket}/gone.csv", "--role-arn", role),
    )

    def ended():
        return personalize.describe_data_deletion_job(dataDeletionJobArn=deletion)["dataDeletionJob"]["status"]

    until(lambda: ended() in ("COMPLETED", "FAILED"))
    [done] = aws("personalize", "describe-data-deletion-job", "--data-deletion-job-arn", deletion).values()
    assert done["status"] == "COMPLETED" and done["numDeleted"] > 0


def test_campaigns_events_and_tags_on_the_command_line(aws, create, active, popular, data):
    campaign = create("create-campaign", "--name", "cli", "--solution-version-arn", popular)
    active("campaign", campaign)
    found = aws("personalize-runtime", "get-recommendations", "--campaign-arn", campaign, "--num-results", "2")
    assert len(found["itemList"]) == 2
    made = aws("personalize", "create-event-tracker", "--name", "cli", "--dataset-group-arn", data[0])
    active("event_tracker", made["eventTrackerArn"])
    event = {"eventType": "view", "sentAt": world.START, "itemId": "i1"}
    aws(
        *("personalize-events", "put-events", "--tracking-id", made["trackingId"], "--user-id", "u1"),
        *("--session-id", "s", "--event-list", json.dumps([event])),
    )
    aws("personalize", "tag-resource", "--resource-arn", campaign, "--tags", "tagKey=stage,tagValue=test")
    tags = [aws("personalize", "list-tags-for-resource", "--resource-arn", arn)["tags"] for arn in (data[0], campaign)]
    assert tags == [[{"tagKey": "team", "tagValue": "books"}], [{"tagKey": "stage", "tagValue": "test"}]]
    names = aws("personalize", "list-recipes", "--query", "recipes[?domain==null].name")
    assert "aws-user-personalization" in names


def test_a_refusal_on_the_command_line(aws, data):
    text = aws("personalize", "create-dataset-group", "--name", "cli", fails=True)
    assert "(ResourceAlreadyExistsException) when calling the CreateDatasetGroup operation" in text
    text = aws("personalize", "delete-dataset-group", "--dataset-group-arn", data[0], fails=True)
    assert "(ResourceInUseException)" in text
