"""The logger `personalize_nb` says what a session does, and nothing that is nobody's business."""

import io
import logging
import subprocess
import sys
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.hooks import HierarchicalEmitter

import personalize_nb as pnb
from personalize_nb.errors import QuotaError
from personalize_nb.session import call_log, connection, s3, waiting
from personalize_nb.session.progress import NullProgress
from personalize_nb.session.session import Session


@pytest.fixture
def records(caplog):
    caplog.set_level(logging.DEBUG, "personalize_nb")
    return lambda level=logging.DEBUG: [r.getMessage() for r in caplog.records if r.levelno >= level]


def test_it_is_quiet_until_it_is_asked():
    code = (
        "import logging, personalize_nb; from personalize_nb.session import session\n"
        "logging.getLogger('personalize_nb.session.s3').error('lost')\n"
        "print([type(handler).__name__ for handler in logging.getLogger('personalize_nb').handlers])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (answer.stdout.strip(), answer.stderr) == ("['NullHandler']", "")


def test_it_says_what_is_connected(records, monkeypatch, local_service):
    monkeypatch.setattr(connection, "_current", None)
    pnb.connect(Session.local(local_service.path))
    pnb.connect(boto3.Session("AKIAEXAMPLE", "secret", region_name="eu-west-1"))
    assert records(logging.INFO) == [
        f"connected to {local_service.url}, region us-east-1",
        "connected to AWS, region eu-west-1",
    ]


def test_every_call_is_told_with_its_duration_and_request_id(records, session):
    with pytest.raises(pnb.errors.NotFoundError) as caught:
        session.call("describe_filter", filterArn=session.arn("filter", "of-nobody"))
    with pytest.raises(ClientError) as refused:
        session.s3.get_object(Bucket="a-bucket-that-is-not-there", Key="users/alice")
    of_filter, of_object = (text for text in records() if text.startswith(("personalize.", "s3.")))
    assert of_filter.startswith("personalize.DescribeFilter: 400 ResourceNotFoundException in 0.")
    assert of_filter.endswith(f" s (request id {caught.value.request_id})")
    answer = refused.value.response["ResponseMetadata"]
    assert of_object.startswith("s3.GetObject: 404 NoSuchBucket in 0.")
    assert of_object.endswith(f" s (request id {answer['RequestId']}, host id {answer['HostId']})")
    assert not any(name in text for text in records() for name in ("of-nobody", "alice", "there"))


def test_a_call_without_an_answer_and_tries_again_are_told(records):
    model = boto3.client("sts", "eu-west-1").meta.service_model
    client = SimpleNamespace(meta=SimpleNamespace(events=HierarchicalEmitter(), service_model=model))
    moments = iter([0.0, 1.5, 2.0, 4.25])
    call_log.record(client, clock=lambda: next(moments))
    answer = {"ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 2, "RequestId": "r", "HostId": "h="}}
    ended = {"parsed": answer, "model": model.operation_model("GetCallerIdentity")}
    lost = {"exception": EndpointConnectionError(endpoint_url="u")}
    for event, more in (("after-call-error", lost), ("after-call", ended)):
        context = {}
        client.meta.events.emit("before-call.sts.GetCallerIdentity", context=context)
        client.meta.events.emit(f"{event}.sts.GetCallerIdentity", context=context, **more)
    assert records() == [
        "sts.GetCallerIdentity: EndpointConnectionError in 1.500 s",
        "sts.GetCallerIdentity: 200 in 2.250 s after 2 more tries (request id r, host id h=)",
    ]


def test_what_is_made_uploaded_and_deleted_is_told(records, session):
    address = session.location("logging", "x.csv")
    s3.upload(session, io.BytesIO(b"12345"), address)
    s3.delete(session, [address])
    session.call("create_dataset_group", name="logged")
    session.call("delete_dataset_group", datasetGroupArn=session.arn("dataset-group", "logged"))
    assert records(logging.INFO) == [
        f"uploaded 5 bytes to {address}",
        f"deleted {address}",
        "CreateDatasetGroup: dataset-group/logged",
        "DeleteDatasetGroup: dataset-group/logged",
    ]


def test_waiting_tells_each_new_status_once_and_what_passes(records):
    answers = iter(["CREATE PENDING", "CREATE PENDING", QuotaError("slow down"), "CREATE IN_PROGRESS", "ACTIVE"])
    now = 0.0

    def describe():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return {"status": answer}

    def sleep(seconds):
        nonlocal now
        now += 10

    waiting.until_active(
        describe, "job 'x'", "arn", again="", timeout=None, progress=NullProgress(), sleep=sleep, clock=lambda: now
    )
    assert records(logging.INFO) == [
        "job 'x' is CREATE PENDING after 0 s",
        "job 'x' could not be looked at, 1 of 10 times: slow down",
        "job 'x' is CREATE IN_PROGRESS after 30 s",
        "job 'x' is ACTIVE after 40 s",
    ]
