"""The AWS CLI as the second client: a whole chain with nothing but environment variables set."""

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

    def run(*arguments, stdin=None):
        done = subprocess.run([AWS, *arguments], input=stdin, capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr.decode()
        text = done.stdout.decode()
        return json.loads(text) if arguments[0] == "personalize" else text

    return run


@pytest.fixture(scope="module")
def active(aws, until):
    """Poll a describe command until its resource is ACTIVE."""

    def wait(command, *arguments):
        def look():
            (found,) = aws("personalize", command, *arguments).values()
            assert found["status"] != "CREATE FAILED", found["failureReason"]
            return found["status"] == "ACTIVE"

        until(look, command)

    return wait


def test_from_a_csv_file_to_recommendations_on_the_command_line(aws, active, local_service):
    bucket, role = f"s3://{local_service.bucket}/cli", local_service.role_arn
    aws("s3", "cp", "-", f"{bucket}/data.csv", stdin=world.csv("INTERACTIONS"))
    aws("s3", "cp", "-", f"{bucket}/in/readers.json", stdin=b'{"userId": "u1"}\n{"userId": "u2"}\n')

    def create(command, *arguments):
        (arn,) = (
            value for key, value in aws("personalize", command, *arguments).items() if key.lower().endswith("arn")
        )
        return arn

    group = create("create-dataset-group", "--name", "cli")
    schema = create("create-schema", "--name", "cli", "--schema", world.avro("INTERACTIONS"))
    active("describe-dataset-group", "--dataset-group-arn", group)
    dataset = create(
        *("create-dataset", "--name", "cli", "--schema-arn", schema),
        *("--dataset-group-arn", group, "--dataset-type", "interactions"),
    )
    active("describe-dataset", "--dataset-arn", dataset)
    imported = create(
        *("create-dataset-import-job", "--job-name", "cli", "--dataset-arn", dataset),
        *("--data-source", f"dataLocation={bucket}/data.csv", "--role-arn", role),
    )
    active("describe-dataset-import-job", "--dataset-import-job-arn", imported)
    solution = create(
        *("create-solution", "--name", "cli", "--dataset-group-arn", group, "--no-perform-auto-training"),
        *("--recipe-arn", "arn:aws:personalize:::recipe/aws-popularity-count"),
    )
    active("describe-solution", "--solution-arn", solution)
    version = create("create-solution-version", "--solution-arn", solution)
    active("describe-solution-version", "--solution-version-arn", version)
    job = create(
        *("create-batch-inference-job", "--job-name", "cli", "--solution-version-arn", version),
        *("--job-input", f"s3DataSource={{path={bucket}/in/readers.json}}"),
        *("--job-output", f"s3DataDestination={{path={bucket}/out/}}"),
        *("--role-arn", role, "--num-results", "3"),
    )
    active("describe-batch-inference-job", "--batch-inference-job-arn", job)

    assert "readers.json.out" in aws("s3", "ls", f"{bucket}/out/")
    rows = [json.loads(line) for line in aws("s3", "cp", f"{bucket}/out/readers.json.out", "-").splitlines()]
    assert [row["input"]["userId"] for row in rows] == ["u1", "u2"]
    assert all(len(row["output"]["recommendedItems"]) == 3 for row in rows)
