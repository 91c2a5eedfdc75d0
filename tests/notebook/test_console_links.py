"""Links to the AWS console name the right region and partition, and tell nothing once they are masked."""

import json

import boto3
import nbformat
import pytest

from personalize_nb import errors
from personalize_nb.jobs.job import BatchInferenceJob
from personalize_nb.jobs.request import JobRequest
from personalize_nb.jobs.segment_job import BatchSegmentJob
from personalize_nb.notebook import console_links, receipts
from personalize_nb.notebook.output_facts import OutputFacts
from personalize_nb.session.session import Session
from personalize_nb.text.redact import redact_notebook

ACCOUNT, BUCKET = "123456789012", "films-raw"


def job(region, partition="aws", kind=BatchInferenceJob, folder="out/of it/", local=False, gone=False):
    def arn(resource):
        return f"arn:{partition}:personalize:{region}:{ACCOUNT}:{resource}"

    def call(operation, **parameters):
        if gone:
            raise errors.AccessError("not allowed")
        version = {"datasetGroupArn": arn("dataset-group/films"), "recipeArn": "arn:aws:personalize:::recipe/aws-sims"}
        return {"solutionVersion": {**version, "solutionVersionArn": parameters["solutionVersionArn"]}}

    keys = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x")
    session = Session.aws(region, boto3_session=keys) if not local else Session(None, region=region, restart=dict)
    session.call = call
    resource = "batch-inference-job" if kind is BatchInferenceJob else "batch-segment-job"
    made = kind(arn(f"{resource}/weekly"), session)
    request = JobRequest(
        job_name="weekly",
        solution_version_arn=arn("solution/films/1a2b3c4d"),
        input_path=f"s3://{BUCKET}/in.json",
        output_path=f"s3://{BUCKET}/{folder}",
        role_arn=f"arn:{partition}:iam::{ACCOUNT}:role/R",
    )
    made._request = request
    return made


@pytest.fixture(autouse=True)
def requests_that_are_known(monkeypatch):
    for kind in (BatchInferenceJob, BatchSegmentJob):
        monkeypatch.setattr(kind, "request", property(lambda self: self._request))


@pytest.mark.parametrize(
    ("region", "partition", "host"),
    [
        ("eu-west-1", "aws", "eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "aws-cn", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "aws-us-gov", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
@pytest.mark.parametrize("kind", [BatchInferenceJob, BatchSegmentJob])
def test_pages_of_the_job_and_its_folder(region, partition, host, kind):
    page, folder = console_links.links(job(region, partition, kind)).values()
    assert page.startswith(f"https://{host}/personalize/home?region={region}#arn:{partition}:personalize:{region}:")
    assert ":dataset-group$films/batch" in page and page.endswith("$weekly")
    assert folder == f"https://{host}/s3/buckets/{BUCKET}?region={region}&prefix=out/of%20it/"


def test_the_local_service_and_closed_partitions_have_no_console():
    assert console_links.links(job("eu-west-1", local=True)) == {}
    assert console_links.links(job("us-iso-east-1", "aws-iso")) == {}


def test_without_rights_there_is_still_the_folder():
    assert list(console_links.links(job("eu-west-1", gone=True))) == ["Output in S3"]


@pytest.mark.parametrize("folder", ["", 'a&b=c"><script>/', "ü/", "x'y/"])
def test_hostile_folders_stay_addresses(folder):
    view = receipts._told({"Job": "weekly"}, OutputFacts(), console_links.links(job("eu-west-1", folder=folder)))
    assert "<script" not in view.html and view.html.count("<a ") == 2 and "://" not in view.text


def test_a_link_to_elsewhere_is_none():
    view = receipts._told({"Job": "weekly"}, OutputFacts(), {"x": "javascript:alert(1)"})
    assert "<a " not in view.html


def test_a_shared_notebook_tells_neither_account_nor_bucket(tmp_path):
    links = console_links.links(job("eu-west-1"))
    view = receipts._told({"Job": "weekly"}, OutputFacts(), links)
    copied = nbformat.v4.new_markdown_cell(links["Job in the AWS console"].replace(":", "%3A").replace("$", "%24"))
    output = nbformat.v4.new_output("display_data", {"text/html": str(view.html)})
    path = tmp_path / "shared.ipynb"
    cells = [nbformat.v4.new_code_cell("1", outputs=[output]), copied]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert ACCOUNT in path.read_text() and BUCKET in path.read_text()
    redact_notebook(path)
    text = json.dumps(nbformat.read(path, as_version=4))
    assert ACCOUNT not in text and BUCKET not in text and "console.aws.amazon.com/s3/buckets/" in text
