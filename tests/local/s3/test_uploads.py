"""Uploads in parts, checksums and the encodings of bodies, through boto3 and on the raw wire."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import os
import zlib

import pytest
import wire
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from personalize_nb.local.s3.digests import etag_of, kept, running
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.multipart import REMEMBERED_SECONDS, NamedPart, Uploads
from personalize_nb.local.s3.records import NO_DETAILS
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.s3.sweeping import sweep

MIB = 1 << 20
FIVE = os.urandom(5 * MIB)
KEY = {"Bucket": "books", "Key": "big"}


@pytest.fixture
def store(tmp_path):
    store = ObjectStore(tmp_path / "objects")
    store.create_bucket("books", wire.REGION)
    return store


@pytest.fixture
def endpoint(store):
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        yield endpoint


@pytest.fixture
def s3(endpoint):
    client = wire.make_client("s3", endpoint)
    yield client
    client.close()


def begin(s3, **options):
    return {**KEY, "UploadId": s3.create_multipart_upload(**KEY, **options)["UploadId"]}


def send_parts(s3, upload, parts):
    return [
        {"PartNumber": number, "ETag": s3.upload_part(PartNumber=number, Body=body, **upload)["ETag"]}
        for number, body in parts
    ]


def complete(s3, upload, parts, **options):
    return s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **upload, **options)


def bodies(store):
    return [path for path in store.root.rglob("*") if path.is_file() and "sqlite" not in path.name]


def test_out_of_order_sparse_and_replaced_parts(s3, store):
    upload = begin(s3, ContentType="text/csv", Metadata={"a": "1"})
    parts = send_parts(s3, upload, [(7, b"end"), (3, FIVE), (5, b"wrong"), (5, FIVE)])
    listed = s3.list_parts(**upload)["Parts"]
    assert [(each["PartNumber"], each["Size"]) for each in listed] == [(3, 5 * MIB), (5, 5 * MIB), (7, 3)]
    page = s3.list_parts(MaxParts=1, PartNumberMarker=3, **upload)
    assert page["IsTruncated"] and [each["PartNumber"] for each in page["Parts"]] == [5]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(**KEY)
    answer = complete(s3, upload, [parts[1], parts[3], parts[0]])
    assert answer["ETag"].endswith('-3"')
    whole = s3.get_object(**KEY)
    assert whole["Body"].read() == FIVE + FIVE + b"end"
    assert (whole["ContentType"], whole["Metadata"]) == ("text/csv", {"a": "1"})
    second = s3.get_object(PartNumber=2, **KEY)
    assert second["Body"].read() == FIVE and second["PartsCount"] == 3
    assert s3.head_object(PartNumber=3, **KEY)["ContentLength"] == 3
    assert len(bodies(store)) == 1
    with pytest.raises(ClientError) as error:
        complete(s3, upload, parts)
    assert wire.code_of(error) == "NoSuchUpload"


def test_an_upload_that_an_earlier_version_began_is_completed(s3, store):
    upload = begin(s3)
    parts = send_parts(s3, upload, [(1, FIVE), (2, b"end")])
    with store.database.writing() as db:  # as it was: no algorithm unless asked for, ETags of parts at random
        db.execute("UPDATE uploads SET checksum_algorithm = NULL, checksum_type = NULL")
        db.execute("UPDATE parts SET checksum = NULL, etag = ? WHERE number = 1", ("0123456789abcdef" * 2,))
        db.execute("DROP TABLE completions")
    store.close()
    ObjectStore(store.root).close()
    parts[0]["ETag"] = '"' + "0123456789abcdef" * 2 + '"'
    send_parts(s3, upload, [(2, b"end")])
    assert complete(s3, upload, parts)["ETag"] == complete(s3, upload, parts)["ETag"]
    assert s3.get_object(**KEY)["Body"].read() == FIVE + b"end"


def test_completions_are_forgotten_after_a_week_and_with_their_bucket(tmp_path):
    now = [0.0]
    store = ObjectStore(tmp_path / "clocked", clock=lambda: now[0])
    store.create_bucket("books", wire.REGION)
    uploads = Uploads(store)

    def completed(key):
        upload = uploads.begin("books", key, "text/plain", NO_DETAILS)
        with store.incoming(**running("CRC64NVME")) as incoming:
            incoming.write(b"x")
            part = uploads.add_part(upload, 1, incoming, etag_of(incoming), kept("CRC64NVME", incoming))
        named = [NamedPart(1, part.etag)]
        uploads.complete(upload, named)
        return lambda: uploads.completed("books", key, upload.id, named)

    first = completed("a")
    now[0] += REMEMBERED_SECONDS
    second = completed("b")
    assert first() and second()
    now[0] += 1
    third = completed("c")
    assert first() is None and second() and third()
    for key in "abc":
        store.delete("books", key)
    store.delete_bucket("books")
    assert third() is None
    store.close()


def test_a_completion_that_names_wrong_parts(s3):
    upload = begin(s3)
    first, second, small = send_parts(s3, upload, [(1, FIVE), (2, FIVE), (3, b"small")])
    for parts, code in (
        ([second, first], "InvalidPartOrder"),
        ([first, {**second, "ETag": '"other"'}], "InvalidPart"),
        ([first, {**second, "PartNumber": 9}], "InvalidPart"),
        ([first, small, {**second, "PartNumber": 4}], "InvalidPart"),
        ([], "MalformedXML"),
    ):
        with pytest.raises(ClientError) as error:
            complete(s3, upload, parts)
        assert wire.code_of(error) == code
    last = send_parts(s3, upload, [(4, FIVE)])
    with pytest.raises(ClientError) as error:
        complete(s3, upload, [first, small, *last])
    assert wire.code_of(error) == "EntityTooSmall"
    assert complete(s3, upload, [first, second, small])


def test_aborted_and_open_uploads(s3, store):
    first, second = begin(s3), begin(s3)
    send_parts(s3, first, [(1, b"x")])
    send_parts(s3, second, [(1, b"y")])
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket="books", Prefix="b", PaginationConfig={"PageSize": 1}
    )
    found = {each["UploadId"] for page in pages for each in page.get("Uploads", [])}
    assert found == {first["UploadId"], second["UploadId"]}
    s3.abort_multipart_upload(**first)
    assert len(bodies(store)) == 1
    for call in (lambda: s3.abort_multipart_upload(**first), lambda: send_parts(s3, first, [(1, b"x")])):
        with pytest.raises(ClientError) as error:
            call()
        assert wire.code_of(error) == "NoSuchUpload"
    s3.delete_bucket(Bucket="books")
    assert bodies(store) == []


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_open_uploads_listed_with_a_delimiter(s3, size):
    for key in ("a/1", "a/2", "b", "b", "c/x/1", "c/y", "d é"):
        s3.create_multipart_upload(Bucket="books", Key=key)

    def found(**options):
        pages = s3.get_paginator("list_multipart_uploads").paginate(
            Bucket="books", PaginationConfig={"PageSize": size}, **options
        )
        entries = []
        for page in pages:
            entries += [each["Key"] for each in page.get("Uploads", [])]
            entries += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
        return sorted(entries)

    assert found(Delimiter="/") == ["a/", "b", "b", "c/", "d é"]
    assert found(Delimiter="/", Prefix="c/") == ["c/x/", "c/y"]
    assert found(Prefix="a/") == ["a/1", "a/2"]


def test_parts_copied_from_objects(s3):
    s3.put_object(Bucket="books", Key="source", Body=FIVE + b"tail")
    upload = begin(s3)
    source = {"CopySource": "books/source"}
    first = s3.upload_part_copy(PartNumber=1, CopySourceRange=f"bytes=0-{5 * MIB - 1}", **source, **upload)
    second = s3.upload_part_copy(PartNumber=2, **source, **upload)
    parts = [
        {"PartNumber": number, "ETag": each["CopyPartResult"]["ETag"]} for number, each in enumerate((first, second), 1)
    ]
    complete(s3, upload, parts)
    assert s3.get_object(**KEY)["Body"].read() == FIVE + FIVE + b"tail"


def test_an_upload_survives_a_restart(s3, store):
    upload = begin(s3)
    parts = send_parts(s3, upload, [(1, FIVE)])
    again = ObjectStore(store.root)
    assert sweep(again) == 0
    with wire.serving({"s3": s3_handler(again, wire.REGION, wire.ACCOUNT)}) as endpoint:
        client = wire.make_client("s3", endpoint)
        parts += send_parts(client, upload, [(2, b"rest")])
        complete(client, upload, parts)
        assert client.get_object(**KEY)["Body"].read() == FIVE + b"rest"


def test_the_transfer_manager_both_ways(s3):
    data = FIVE * 3 + b"odd"
    s3.upload_fileobj(io.BytesIO(data), "books", "big", Config=TransferConfig(multipart_chunksize=5 * MIB))
    target = io.BytesIO()
    config = TransferConfig(multipart_threshold=MIB, multipart_chunksize=MIB)
    s3.download_fileobj("books", "big", target, Config=config)
    assert target.getvalue() == data
    head = s3.head_object(ChecksumMode="ENABLED", **KEY)
    assert head["ChecksumType"] == "COMPOSITE" and head["ChecksumCRC32"].endswith("-4")


@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_checksums_of_an_upload(s3, kind):
    upload = begin(s3, ChecksumAlgorithm="CRC32", ChecksumType=kind)
    parts = send_parts(s3, upload, [(1, FIVE), (2, b"rest")])
    crcs = [zlib.crc32(body).to_bytes(4, "big") for body in (FIVE, b"rest")]
    for part, crc in zip(parts, crcs, strict=True):
        part["ChecksumCRC32"] = base64.b64encode(crc).decode()
    if kind == "COMPOSITE":
        expected = base64.b64encode(zlib.crc32(b"".join(crcs)).to_bytes(4, "big")).decode() + "-2"
    else:
        expected = base64.b64encode(zlib.crc32(FIVE + b"rest").to_bytes(4, "big")).decode()
        with pytest.raises(ClientError) as error:
            complete(s3, upload, parts, ChecksumCRC32="AAAAAA==", ChecksumType=kind)
        assert wire.code_of(error) == "BadDigest"
    answer = complete(s3, upload, parts, ChecksumCRC32=expected)
    assert (answer["ChecksumCRC32"], answer["ChecksumType"]) == (expected, kind)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_of_an_object(s3, algorithm):
    name = f"Checksum{algorithm}"
    answer = s3.put_object(Body=b"hello", ChecksumAlgorithm=algorithm, **KEY)
    if algorithm == "CRC32":
        expected = zlib.crc32(b"hello").to_bytes(4, "big")
    else:
        expected = hashlib.new(algorithm.lower(), b"hello").digest()
    assert answer[name] == base64.b64encode(expected).decode()
    assert s3.get_object(ChecksumMode="ENABLED", **KEY)[name] == answer[name]
    assert name not in s3.get_object(ChecksumMode="ENABLED", Range="bytes=0-1", **KEY)
    listed = s3.list_objects_v2(Bucket="books")["Contents"][0]
    assert listed["ChecksumAlgorithm"] == [algorithm]
    wrong = base64.b64encode(bytes(len(expected))).decode()
    with pytest.raises(ClientError) as error:
        s3.put_object(Body=b"changed", **{name: wrong}, **KEY)
    assert wire.code_of(error) == "BadDigest"
    assert s3.get_object(**KEY)["Body"].read() == b"hello"


def test_content_md5(s3):
    right = base64.b64encode(hashlib.md5(b"x").digest()).decode()
    s3.put_object(Body=b"x", ContentMD5=right, **KEY)
    for md5, code in ((base64.b64encode(bytes(16)).decode(), "BadDigest"), ("AAAA", "InvalidDigest")):
        with pytest.raises(ClientError) as error:
            s3.put_object(Body=b"x", ContentMD5=md5, **KEY)
        assert wire.code_of(error) == code


class Stream:
    """A body without a length, which http.client sends in HTTP chunks."""

    def __init__(self, data, size=70_000):
        self._blocks = iter([data[start : start + size] for start in range(0, len(data), size)])

    def __iter__(self):
        return self._blocks


def aws_chunks(data, trailer=b"", size=100_000):
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(block), block) for block in blocks)
    return framed + b"0\r\n" + trailer + b"\r\n"


@pytest.mark.parametrize("transfer", ["length", "chunked"])
def test_unsigned_trailers(endpoint, store, transfer):
    data = os.urandom(350_001)
    crc = base64.b64encode(zlib.crc32(data).to_bytes(4, "big"))
    extra = {"x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": str(len(data))}
    wrap = Stream if transfer == "chunked" else bytes

    def put(trailer, **changes):
        frame = wrap(aws_chunks(data, trailer))
        return wire.put_chunked(endpoint, "/books/big", frame, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", extra | changes)

    status, headers, answer = put(b"x-amz-checksum-crc32:" + crc + b"\r\n")
    assert status == 200, answer
    assert headers["x-amz-checksum-crc32"] == crc.decode()
    with store.open("books", "big") as file:
        assert file.read() == data
    assert store.head("books", "big").details.headers == {}
    status, _, answer = put(b"x-amz-checksum-crc32:AAAAAA==\r\n")
    assert status == 400 and b"BadDigest" in answer
    status, _, answer = put(b"", **{"x-amz-decoded-content-length": "5"})
    assert status == 400 and b"IncompleteBody" in answer


def test_signed_chunks(endpoint, store):
    data = os.urandom(150_000)

    def frame(headers, tamper=False):
        scope = headers["Authorization"].split("Credential=")[1].split(",")[0].partition("/")[2]
        date, region, service, _ = scope.split("/")
        key = b"AWS4" + wire.SECRET_KEY.encode()
        for part in (date, region, service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        previous = headers["Authorization"].split("Signature=")[1]
        framed = b""
        for block in (data[:100_000], data[100_000:], b""):
            text = "\n".join(
                (
                    "AWS4-HMAC-SHA256-PAYLOAD",
                    headers["X-Amz-Date"],
                    scope,
                    previous,
                    hashlib.sha256(b"").hexdigest(),
                    hashlib.sha256(block).hexdigest(),
                )
            )
            previous = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
            sent = bytes(len(block)) if tamper else block
            framed += b"%x;chunk-signature=%b\r\n%b\r\n" % (len(block), previous.encode(), sent)
        return framed

    extra = {"x-amz-decoded-content-length": str(len(data))}
    status, _, answer = wire.put_chunked(endpoint, "/books/big", frame, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", extra)
    assert status == 200, answer
    with store.open("books", "big") as file:
        assert file.read() == data
    status, _, answer = wire.put_chunked(
        endpoint, "/books/big", lambda headers: frame(headers, tamper=True), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", extra
    )
    assert status == 403 and b"SignatureDoesNotMatch" in answer


@pytest.mark.parametrize("frame", [b"zz\r\n", b"5\r\nabc", b"3\r\nabcdef\r\n0\r\n\r\n", b"-1\r\n", b""])
def test_broken_chunks(endpoint, store, frame):
    status, _, _ = wire.put_chunked(endpoint, "/books/big", frame, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", {})
    assert status == 400
    assert bodies(store) == []
