"""S3 objects through boto3: bytes, metadata, ranges, conditions, copies, tags, pre-signed URLs."""

from __future__ import annotations

import urllib.request

import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore

ODD_KEYS = ["a", "a/b", "a//b", "/lead", "trail/", "..", "../../etc/passwd", "sp ace", "plus+plus", "per%20cent"]
ODD_KEYS += ["quote'\"<&>", "é/ü", "日本", "\U0001f600", "?q=1&uploads", "#frag", "~tilde", "x" * 1000]
DATA = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    store = ObjectStore(tmp_path_factory.mktemp("s3") / "objects")
    store.create_bucket("books", wire.REGION)
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def s3(endpoint):
    client = wire.make_client("s3", endpoint)
    yield client
    client.close()


@pytest.fixture
def data_key(s3):
    s3.put_object(Bucket="books", Key="data", Body=DATA)
    return {"Bucket": "books", "Key": "data"}


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_is_a_key(s3, key):
    s3.put_object(Bucket="books", Key=key, Body=key.encode())
    assert s3.get_object(Bucket="books", Key=key)["Body"].read() == key.encode()
    listed = s3.list_objects_v2(Bucket="books", Prefix=key)["Contents"]
    assert listed[0]["Key"] == key
    s3.delete_object(Bucket="books", Key=key)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="books", Key=key)


def test_a_key_has_at_most_1024_bytes(s3):
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="books", Key="é" * 513, Body=b"")
    assert wire.code_of(error) == "KeyTooLongError"


def test_what_was_said_of_an_object_comes_back(s3):
    said = {
        "ContentType": "text/csv",
        "CacheControl": "no-cache",
        "ContentDisposition": "attachment",
        "ContentEncoding": "gzip",
        "ContentLanguage": "en",
        "Metadata": {"author": "Austen"},
    }
    s3.put_object(Bucket="books", Key="said", Body=b"x", Tagging="a=1&b=2", **said)
    head = s3.head_object(Bucket="books", Key="said")
    assert {name: head[name] for name in said} == said
    assert head["ETag"] == '"9dd4e461268c8034f5c8564e155c67a6"'
    assert s3.get_object(Bucket="books", Key="said")["TagCount"] == 2
    other = s3.get_object(Bucket="books", Key="said", ResponseContentType="text/plain")
    assert other["ContentType"] == "text/plain"


def test_an_empty_object(s3):
    s3.put_object(Bucket="books", Key="empty")
    answer = s3.get_object(Bucket="books", Key="empty")
    assert answer["Body"].read() == b"" and answer["ContentLength"] == 0
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="books", Key="empty", Range="bytes=0-")
    assert wire.code_of(error) == "InvalidRange"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", DATA[:1]),
        ("bytes=5-9", DATA[5:10]),
        ("bytes=10000-", DATA[10000:]),
        ("bytes=-7", DATA[-7:]),
        ("bytes=-99999999", DATA),
        ("bytes=0-99999999", DATA),
    ],
)
def test_ranges(s3, data_key, header, expected):
    answer = s3.get_object(Range=header, **data_key)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["Body"].read() == expected
    assert answer["ContentRange"].endswith(f"/{len(DATA)}")
    assert answer["ContentLength"] == len(expected)


@pytest.mark.parametrize("header", ["bytes=9-5", "lines=1-2", "bytes=0-1,4-5", "bytes=-"])
def test_what_is_not_one_range_gives_everything(s3, data_key, header):
    answer = s3.get_object(Range=header, **data_key)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["Body"].read() == DATA


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=-0"])
def test_a_range_behind_the_end(s3, data_key, header):
    with pytest.raises(ClientError) as error:
        s3.get_object(Range=header, **data_key)
    assert wire.code_of(error) == "InvalidRange"


def test_conditional_reads(s3, data_key):
    head = s3.head_object(**data_key)
    etag, modified = head["ETag"], head["LastModified"]
    assert s3.get_object(IfMatch=etag, IfUnmodifiedSince=modified, **data_key)["Body"].read() == DATA
    for condition, status in (
        ({"IfMatch": '"other"'}, 412),
        ({"IfNoneMatch": etag}, 304),
        ({"IfModifiedSince": modified}, 304),
        ({"IfUnmodifiedSince": modified.replace(year=2020)}, 412),
    ):
        with pytest.raises(ClientError) as error:
            s3.get_object(**condition, **data_key)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_conditional_writes(s3):
    key = {"Bucket": "books", "Key": "once"}
    with pytest.raises(ClientError) as error:
        s3.put_object(Body=b"x", IfMatch='"e"', **key)
    assert wire.code_of(error) == "NoSuchKey"
    etag = s3.put_object(Body=b"first", IfNoneMatch="*", **key)["ETag"]
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
        with pytest.raises(ClientError) as error:
            s3.put_object(Body=b"second", **condition, **key)
        assert wire.code_of(error) == "PreconditionFailed"
    s3.put_object(Body=b"third", IfMatch=etag, **key)
    assert s3.get_object(**key)["Body"].read() == b"third"


def test_copies(s3):
    s3.put_object(Bucket="books", Key="src é+", Body=b"x", ContentType="text/csv", Metadata={"a": "1"}, Tagging="t=1")
    source = {"Bucket": "books", "Key": "src é+"}
    s3.copy_object(Bucket="books", Key="dst", CopySource=source)
    copied = s3.get_object(Bucket="books", Key="dst")
    assert (copied["Body"].read(), copied["ContentType"], copied["Metadata"]) == (b"x", "text/csv", {"a": "1"})
    assert copied["TagCount"] == 1
    replacing = {"MetadataDirective": "REPLACE", "Metadata": {"b": "2"}, "ContentType": "text/plain"}
    s3.copy_object(**source, CopySource=source, **replacing)
    head = s3.head_object(**source)
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"b": "2"})
    s3.delete_object(**source)
    assert s3.get_object(Bucket="books", Key="dst")["Body"].read() == b"x"
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket="books", Key="dst", CopySource="books/dst")
    assert wire.code_of(error) == "InvalidRequest"
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket="books", Key="dst", CopySource="books/absent")
    assert wire.code_of(error) == "NoSuchKey"


def test_bulk_delete(s3):
    keys = ["bulk/1", "bulk/2 é", "bulk/absent"]
    for key in keys[:2]:
        s3.put_object(Bucket="books", Key=key, Body=b"")
    answer = s3.delete_objects(Bucket="books", Delete={"Objects": [{"Key": key} for key in keys]})
    assert [each["Key"] for each in answer["Deleted"]] == keys
    assert s3.list_objects_v2(Bucket="books", Prefix="bulk/")["KeyCount"] == 0
    answer = s3.delete_objects(Bucket="books", Delete={"Objects": [{"Key": "x"}], "Quiet": True})
    assert "Deleted" not in answer


def test_tags_of_an_object(s3, data_key):
    tags = [{"Key": "team", "Value": "books"}]
    s3.put_object_tagging(Tagging={"TagSet": tags}, **data_key)
    assert s3.get_object_tagging(**data_key)["TagSet"] == tags
    assert s3.get_object(**data_key)["Body"].read() == DATA
    s3.delete_object_tagging(**data_key)
    assert s3.get_object_tagging(**data_key)["TagSet"] == []
    with pytest.raises(ClientError) as error:
        s3.put_object_tagging(Tagging={"TagSet": [{"Key": "aws:x", "Value": ""}]}, **data_key)
    assert wire.code_of(error) == "InvalidTag"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls(endpoint, version):
    s3 = wire.make_client("s3", endpoint, signature_version=version)
    key = {"Bucket": "books", "Key": "pre signed/é"}
    put = s3.generate_presigned_url("put_object", Params=key)
    request = urllib.request.Request(put, data=b"via url", method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", Params={**key, "ResponseContentType": "text/x"})
    with urllib.request.urlopen(get) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (b"via url", "text/x")
    for bad in (get.replace("signed", "designed"), get.replace("text%2Fx", "text%2Fy")):
        with pytest.raises(urllib.error.HTTPError, match="403") as error:
            urllib.request.urlopen(bad)
        error.value.close()
    endpoint.clock, clock = (lambda: clock() + 3700), endpoint.clock
    try:
        with pytest.raises(urllib.error.HTTPError, match="403") as error:
            urllib.request.urlopen(get)
        assert b"expired" in error.value.read()
    finally:
        endpoint.clock = clock


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("get_object", {"Key": "k", "VersionId": "v2"}, "NoSuchVersion"),
        ("get_object", {"Key": "k", "ExpectedBucketOwner": "000000000000"}, "AccessDenied"),
        ("put_object", {"Key": "k", "SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}, "NotImplemented"),
        ("restore_object", {"Key": "k"}, "NotImplemented"),
    ],
)
def test_what_cannot_be_done_is_said(s3, operation, params, code):
    with pytest.raises(ClientError) as error:
        getattr(s3, operation)(Bucket="books", **params)
    assert wire.code_of(error) == code
    if operation == "restore_object":
        assert "RestoreObject" in str(error.value)
