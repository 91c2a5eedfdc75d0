"""Streams go up whole, in one request or in parts, and a failed upload leaves nothing behind."""

import io

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from personalize_nb import errors
from personalize_nb.session import object_writing, s3


@pytest.fixture
def address(session):
    return session.location("writing", "stream")


@pytest.fixture
def small_parts(monkeypatch):
    """Make parts as small as S3 allows."""
    monkeypatch.setattr(object_writing, "PART", 5 << 20)


@pytest.mark.parametrize("size", [0, 1, 5 << 20, (5 << 20) + 1, (15 << 20) + 7])
@pytest.mark.parametrize("checksums", [False, True])
def test_what_goes_up_comes_back(session, local_service, address, small_parts, size, checksums):
    """With checksums as a client on AWS sends them, and without."""
    client = session.s3
    if checksums:
        client = boto3.client(
            "s3",
            endpoint_url=local_service.url,
            region_name=local_service.region,
            aws_access_key_id=local_service.access_key,
            aws_secret_access_key=local_service.secret_key,
            config=Config(proxies={}),
        )
    text = np.random.default_rng(size).bytes(size)
    bucket, key = s3.split(address)
    source = io.BytesIO(b"before" + text)
    source.seek(6)
    object_writing.store(client, source, size, bucket, key, {"ContentType": "text/x-tried"})
    assert not source.closed
    back = session.s3.get_object(Bucket=bucket, Key=key)
    assert back["Body"].read() == text
    assert back["ContentType"] == "text/x-tried"


def test_parts_of_a_failed_upload_are_taken_back(session, address, small_parts):
    bucket, key = s3.split(address)

    def refused(params, **_):
        if params["PartNumber"] == 2:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "UploadPart")

    events = session.s3.meta.events
    events.register("provide-client-params.s3.UploadPart", refused, "refused")
    try:
        with pytest.raises(errors.AccessError, match="not you"):
            s3.upload(session, io.BytesIO(b"x" * (12 << 20)), address)
    finally:
        events.unregister("provide-client-params.s3.UploadPart", unique_id="refused")
    assert not session.s3.list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads")
