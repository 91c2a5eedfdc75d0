"""Uploads obey the request: its key encrypts what goes up, and without one the bucket's default is left alone."""

from __future__ import annotations

import os

import pytest

import personalize_nb as pnb
from personalize_nb.session import s3
from personalize_nb.session.session import Session

ROLE = "PnbUploads"
HEADERS = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")


@pytest.fixture(scope="module")
def keys(session):
    """Make two keys: of the input, and of a bucket by default."""
    kms = session.client("kms")
    return [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]


@pytest.fixture(scope="module", params=["of-nothing", "of-aws", "of-its-own"])
def there(session, keys, request):
    """Give a session whose bucket encrypts as S3 does by itself, under the key of S3, or under one of the account's."""
    bucket = f"pnb-uploads-{request.param}"
    session.s3.create_bucket(Bucket=bucket)
    rule = {"of-aws": {"SSEAlgorithm": "aws:kms"}, "of-its-own": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": keys[1]}}
    if default := rule.get(request.param):
        session.s3.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
        )
    session.s3.put_object(Bucket=bucket, Key="plain", Body=b"x")  # the first use makes the key of S3
    pnb.allow_personalize(bucket, session=session)
    # what IAM has settled stays in use until it has settled again, so the role of each bucket is its own
    pnb.create_role(f"{ROLE}-{request.param}", [bucket, session.bucket], kms_keys=keys, session=session)
    found = Session.local(session._service.path)
    found.bucket, found.role_arn = bucket, f"arn:aws:iam::{session.account}:role/{ROLE}-{request.param}"
    return found


def encryption(session, address):
    bucket, key = s3.split(address)
    head = session.s3.head_object(Bucket=bucket, Key=key)
    return head["ServerSideEncryption"], head.get("SSEKMSKeyId")


def by_default(session):
    """Say how an object is encrypted that is stored with no word about it."""
    return encryption(session, f"s3://{session.bucket}/plain")


def test_the_key_of_the_input_encrypts_the_upload(there, readers_model, keys):
    job = pnb.recommend(["r1"], readers_model, num_results=2, input_kms_key_arn=keys[0], session=there)
    assert encryption(there, job.request.input_path) == ("aws:kms", keys[0])
    assert len(job.wait(progress=False).recommendations()) == 2


def test_every_part_of_a_run_and_its_manifest_lie_under_the_key(there, books_model, keys):
    ids = [f"b{number}" for number in range(101)]
    run = pnb.themes(ids, books_model, num_results=5, input_kms_key_arn=keys[0], session=there)
    stored = s3.stored(there, there.location("runs", run.name) + "/")
    assert [one.name for one in stored] == ["001.jsonl", "002.jsonl", "manifest.json"]
    assert {encryption(there, one.address) for one in stored} == {("aws:kms", keys[0])}
    assert pnb.attach(run.name, there).request.input_kms_key_arn == keys[0]


def test_without_a_key_the_default_of_the_bucket_holds(there, readers_model):
    sent = []
    there.s3.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(request), "spy")
    job = pnb.recommend(["r1"], readers_model, num_results=2, session=there)
    there.s3.meta.events.unregister("before-send.s3.PutObject", unique_id="spy")
    assert sent and not {name.lower() for request in sent for name in request.headers}.intersection(HEADERS)
    assert encryption(there, job.request.input_path) == by_default(there)
    assert len(job.wait(progress=False).recommendations()) == 2


def test_what_goes_up_in_parts_lies_under_the_key_too(session, keys, tmp_path):
    address = session.location("large.jsonl")
    with (tmp_path / "large").open("w+b") as file:
        file.write(os.urandom(20 << 20))
        file.seek(0)
        s3.upload(session, file, address, keys[0])
    assert encryption(session, address) == ("aws:kms", keys[0])
    head = session.s3.head_object(Bucket=session.bucket, Key=s3.split(address)[1])
    assert head["ETag"].endswith('-2"')
