"""S3 as its clients know it: one list of what is promised, by operation and condition, run row by row.

The list grows; it falls only on purpose, since its length stands in the service's README.
"""

from __future__ import annotations

import base64
import hmac
import http.client
import io
import json
import re
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from pathlib import Path
from urllib.parse import quote

import promises
import pytest
import wire
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ConnectionClosedError
from promises import ALGORITHMS, LAST, PART, Row, World, call, digest, md5

import personalize_nb.local
from personalize_nb.local.s3.handler import OPERATIONS, s3_handler
from personalize_nb.local.s3.store import ObjectStore

ROWS: list[Row] = [*promises.of_every_operation(), *promises.of_every_configuration()]
CRCS = ("CRC32", "CRC32C", "CRC64NVME")
ETAG = f'"{md5(b"body").hexdigest()}"'
JOINED = f'"{md5(md5(PART).digest() + md5(LAST).digest()).hexdigest()}-2"'


def row(operation, condition, *values):
    """Enter a check in the list, with values once for each; `{}` in operation or condition stands for the value."""

    def enter(check):
        for value in values:
            bound = lambda world, value=value: check(world, value)  # noqa: E731 - a closure over each value
            ROWS.append(Row(operation.format(value), condition.format(value), bound))
        if not values:
            ROWS.append(Row(operation, condition, check))
        return check

    return enter


# what every answer says


@row("PutObject", "ETag, checksum and encryption are told")
def _(world):
    answer = world.put()
    assert (answer["ETag"], answer["ServerSideEncryption"]) == (ETAG, "AES256")
    assert (answer["ChecksumCRC32"], answer["ChecksumType"]) == (digest("CRC32", b"body"), "FULL_OBJECT")


@row("{}", "ETag, checksum and encryption are told", "GetObject", "HeadObject")
def _(world, operation):
    world.put()
    answer = call(world.s3, operation, **world.at, ChecksumMode="ENABLED")
    assert (answer["ETag"], answer["ServerSideEncryption"], answer["AcceptRanges"]) == (ETAG, "AES256", "bytes")
    assert (answer["ChecksumCRC32"], answer["ChecksumType"]) == (digest("CRC32", b"body"), "FULL_OBJECT")


@row("CopyObject", "ETag, checksum and encryption are told")
def _(world):
    world.put()
    answer = world.s3.copy_object(Bucket=world.bucket, Key="copy", CopySource=f"{world.bucket}/k")
    assert answer["ServerSideEncryption"] == "AES256" and answer["CopyObjectResult"]["ETag"] == ETAG
    assert answer["CopyObjectResult"]["ChecksumCRC32"] == digest("CRC32", b"body")


@row("CopyObject", "an object that was joined from parts becomes one whole")
def _(world):
    world.joined(PART, LAST, ChecksumAlgorithm="SHA256")
    answer = world.s3.copy_object(Bucket=world.bucket, Key="copy", CopySource=f"{world.bucket}/k")["CopyObjectResult"]
    assert answer["ETag"] == f'"{md5(PART + LAST).hexdigest()}"'
    assert (answer["ChecksumSHA256"], answer["ChecksumType"]) == (digest("SHA256", PART, LAST), "FULL_OBJECT")
    assert "PartsCount" not in world.s3.head_object(Bucket=world.bucket, Key="copy", PartNumber=1)


@row("CopyObject", "{} is the copy's own, not the source's", "StorageClass", "WebsiteRedirectLocation")
def _(world, header):
    values = {"StorageClass": ("STANDARD_IA", "GLACIER_IR"), "WebsiteRedirectLocation": ("/old", "/new")}[header]
    world.put(CacheControl="no-store", **{header: values[0]})
    source = f"{world.bucket}/k"
    for key, asked, kept in (("plain", {}, None), ("named", {header: values[1]}, values[1])):
        world.s3.copy_object(Bucket=world.bucket, Key=key, CopySource=source, **asked)
        head = world.s3.head_object(Bucket=world.bucket, Key=key)
        assert (head.get(header), head["CacheControl"]) == (kept, "no-store")


@row("CopyObject", "onto itself, another {} is a change", "StorageClass", "WebsiteRedirectLocation")
def _(world, header):
    world.put(Metadata={"a": "b"})
    value = {"StorageClass": "STANDARD_IA", "WebsiteRedirectLocation": "/new"}[header]
    world.s3.copy_object(**world.at, CopySource=f"{world.bucket}/k", **{header: value})
    head = world.s3.head_object(**world.at)
    assert (head[header], head["Metadata"]) == (value, {"a": "b"})


@row("CreateMultipartUpload", "encryption is told")
def _(world):
    assert world.s3.create_multipart_upload(**world.at)["ServerSideEncryption"] == "AES256"


@row("UploadPart", "ETag is the MD5, encryption is told")
def _(world):
    answer = world.s3.upload_part(**world.begin(), PartNumber=1, Body=b"body")
    assert (answer["ETag"], answer["ServerSideEncryption"]) == (ETAG, "AES256")


@row("UploadPartCopy", "ETag is the MD5 of the stretch, encryption is told")
def _(world):
    world.put(b"a body")
    source = {"CopySource": f"{world.bucket}/k", "CopySourceRange": "bytes=2-5"}
    answer = world.s3.upload_part_copy(**world.begin(), PartNumber=1, **source)
    assert (answer["CopyPartResult"]["ETag"], answer["ServerSideEncryption"]) == (ETAG, "AES256")


@row("CompleteMultipartUpload", "ETag is the MD5 of the parts' MD5s with their number, encryption is told")
def _(world):
    answer = world.joined(PART, LAST)
    assert (answer["ETag"], answer["ServerSideEncryption"]) == (JOINED, "AES256")
    assert world.s3.head_object(**world.at)["ETag"] == JOINED


@row("{}", "both request ids, spelled as S3 spells them", "ListBuckets", "HeadBucket", "GetBucketCors")
def _(world, operation):
    params = {} if operation == "ListBuckets" else {"Bucket": world.bucket}
    if operation == "GetBucketCors":
        metadata = world.refused("NoSuchCORSConfiguration", operation, **params)["ResponseMetadata"]
    else:
        metadata = call(world.s3, operation, **params)["ResponseMetadata"]
    assert metadata["HTTPHeaders"]["x-amz-request-id"] == metadata["RequestId"]
    assert re.fullmatch("[0-9A-Z]{16}", metadata["RequestId"]) and re.fullmatch(
        "[0-9A-Za-z+/=]{76}", metadata["HostId"]
    )


@row("PutBucketEncryption", "{} as the default holds for every way of writing", "aws:kms", "aws:kms:dsse")
def _(world, algorithm):
    # this store has no KMS: whoever writes learns that the bucket's default was asked for
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
    world.s3.put_bucket_encryption(Bucket=world.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    for operation in ("PutObject", "CreateMultipartUpload"):
        world.refused("KMS.NotFoundException", operation, 400, **world.at)
    assert world.put(ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"


@row("PutBucketEncryption", "{} is refused", "DES", "two rules", "a key for AES256")
def _(world, wish):
    default = {"SSEAlgorithm": "DES" if wish == "DES" else "AES256"}
    default |= {"KMSMasterKeyID": "key"} if wish == "a key for AES256" else {}
    rules = [{"ApplyServerSideEncryptionByDefault": default}] * (2 if wish == "two rules" else 1)
    code = "InvalidArgument" if wish == "a key for AES256" else "MalformedXML"
    params = {"Bucket": world.bucket, "ServerSideEncryptionConfiguration": {"Rules": rules}}
    world.refused(code, "PutBucketEncryption", 400, **params)


@row("{}", "encryption declared of a read is refused", "GetObject", "HeadObject")
def _(world, operation):
    world.put()

    def declare(params, **_):
        params["headers"]["x-amz-server-side-encryption"] = "AES256"

    world.quiet()
    world.s3.meta.events.register("before-call.s3", declare)
    world.refused("InvalidArgument" if operation == "GetObject" else "400", operation, 400, **world.at)


# uploads in parts


@row("CompleteMultipartUpload", "again after success: the same answer")
def _(world):
    upload = world.begin()
    parts = world.send(upload, PART, LAST)
    first, second = world.complete(upload, parts), world.complete(upload, parts)
    for answer in (first, second):
        del answer["ResponseMetadata"]
    assert first == second


@row("CompleteMultipartUpload", "again where it must not replace: the same answer")
def _(world):
    upload = world.begin()
    parts = world.send(upload, LAST)
    assert (
        world.complete(upload, parts, IfNoneMatch="*")["ETag"] == world.complete(upload, parts, IfNoneMatch="*")["ETag"]
    )


@row("CompleteMultipartUpload", "again with other parts: no such upload")
def _(world):
    upload = world.begin()
    parts = world.send(upload, PART, LAST)
    world.complete(upload, parts)
    other = {"MultipartUpload": {"Parts": parts[:1]}}
    world.refused("NoSuchUpload", "CompleteMultipartUpload", 404, **upload, **other)


@row("{}", "after the completion: no such upload", "AbortMultipartUpload", "ListParts", "UploadPart")
def _(world, operation):
    upload = world.begin()
    world.complete(upload, world.send(upload, LAST))
    more = {"PartNumber": 1} if operation == "UploadPart" else {}
    world.refused("NoSuchUpload", operation, 404, **upload, **more)
    assert world.s3.get_object(**world.at)["Body"].read() == LAST


@row("CompleteMultipartUpload", "a lost answer does not fail upload_file")
def _(world):
    client = wire.make_client("s3", world.endpoint, tries=2)
    send, lost = client._endpoint.http_session.send, []

    def drop_first(request):
        answer = send(request)
        if request.method == "POST" and "uploadId" in request.url and not lost:
            lost.append(answer)
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    client._endpoint.http_session.send = drop_first
    config = TransferConfig(multipart_threshold=len(PART), multipart_chunksize=len(PART), use_threads=False)
    client.upload_fileobj(io.BytesIO(PART * 2), **world.at, Config=config)
    client.close()
    assert lost and world.s3.get_object(**world.at)["Body"].read() == PART * 2


@row("CompleteMultipartUpload", "the size that is promised: {}", "right", "wrong")
def _(world, wish):
    upload = world.begin()
    parts = world.send(upload, LAST)
    if wish == "right":
        assert world.complete(upload, parts, MpuObjectSize=len(LAST))
    else:
        params = {"MultipartUpload": {"Parts": parts}, "MpuObjectSize": 1}
        world.refused("InvalidRequest", "CompleteMultipartUpload", 400, **upload, **params)


@row(
    "UploadPartCopy",
    "the range {} is none",
    "0-2",
    "bytes=0",
    "bytes=a-b",
    "bytes=0-",
    "bytes=-1",
    "bytes=0-1,2-3",
    "bytes=3-2",
)
def _(world, wish):
    world.put()
    params = {"CopySource": f"{world.bucket}/k", "CopySourceRange": wish, "PartNumber": 1}
    world.refused("InvalidArgument", "UploadPartCopy", 400, **world.begin(), **params)


@row(
    "UploadPartCopy",
    "the range {} is beyond the source",
    "bytes=0-4",
    "bytes=4-4",
    "bytes=9-12",
    f"bytes=0-{'9' * 5000}",
)
def _(world, wish):
    world.put()
    params = {"CopySource": f"{world.bucket}/k", "CopySourceRange": wish, "PartNumber": 1}
    upload = world.begin()
    world.refused("InvalidRange", "UploadPartCopy", 416, **upload, **params)
    assert "Parts" not in world.s3.list_parts(**upload)


@row("{}", "a part by its number, with its checksum and type", "GetObject", "HeadObject")
def _(world, operation):
    for algorithm, kind in (("SHA256", "COMPOSITE"), ("CRC32", "FULL_OBJECT"), ("CRC64NVME", "FULL_OBJECT")):
        world.joined(PART, LAST, ChecksumAlgorithm=algorithm, ChecksumType=kind)
        answer = call(world.s3, operation, **world.at, PartNumber=2, ChecksumMode="ENABLED")
        assert (answer["PartsCount"], answer["ContentLength"]) == (2, len(LAST))
        assert answer["ContentRange"] == f"bytes {len(PART)}-{len(PART + LAST) - 1}/{len(PART + LAST)}"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert (answer[f"Checksum{algorithm}"], answer["ChecksumType"]) == (digest(algorithm, LAST), kind)


@row("GetObject", "part 1 of an object that was put at once is all of it")
def _(world):
    world.put()
    answer = world.s3.get_object(**world.at, PartNumber=1, ChecksumMode="ENABLED")
    assert answer["Body"].read() == b"body" and answer["ChecksumCRC32"] == digest("CRC32", b"body")
    assert "PartsCount" not in answer


@row("GetObject", "part {} of two is no part", 0, 3)
def _(world, number):
    world.joined(PART, LAST)
    world.refused("InvalidPartNumber", "GetObject", 416, **world.at, PartNumber=number)


@row("GetObject", "a part and a range at once are refused")
def _(world):
    world.put()
    world.refused("InvalidRequest", "GetObject", 400, **world.at, PartNumber=1, Range="bytes=0-1")


@row("GetObjectAttributes", "the parts of an upload {}, page by page", *ALGORITHMS, "without an algorithm")
def _(world, wish):
    algorithm = wish if wish in ALGORITHMS else "CRC64NVME"
    world.quiet()
    world.joined(PART, LAST, **({"ChecksumAlgorithm": wish} if algorithm == wish else {}))
    found, marker = [], 0
    while True:
        wishes = {"ObjectAttributes": ["ObjectParts", "ETag", "ObjectSize"], "MaxParts": 1, "PartNumberMarker": marker}
        answer = world.s3.get_object_attributes(**world.at, **wishes)
        assert (f'"{answer["ETag"]}"', answer["ObjectSize"]) == (JOINED, len(PART + LAST))
        page = answer["ObjectParts"]
        assert (page["TotalPartsCount"], page["MaxParts"], page["PartNumberMarker"]) == (2, 1, marker)
        found += page["Parts"]
        marker = page["NextPartNumberMarker"]
        if not page["IsTruncated"]:
            break
    name = f"Checksum{algorithm}"
    assert found == [
        {"PartNumber": number, "Size": len(body), name: digest(algorithm, body)}
        for number, body in enumerate((PART, LAST), start=1)
    ]


# checksums


@row("PutObject", "{} is verified, kept and shown", *ALGORITHMS)
def _(world, algorithm):
    name, right = f"Checksum{algorithm}", digest(algorithm, b"body")
    assert world.put(**{name: right})[name] == right
    assert name not in world.s3.head_object(**world.at)
    assert world.s3.head_object(**world.at, ChecksumMode="ENABLED")[name] == right
    shown = world.s3.get_object_attributes(**world.at, ObjectAttributes=["Checksum"])["Checksum"]
    assert shown == {name: right, "ChecksumType": "FULL_OBJECT"}


@row("PutObject", "{} of other bytes is refused", *ALGORITHMS)
def _(world, algorithm):
    wrong = {f"Checksum{algorithm}": digest(algorithm, b"other")}
    world.refused("BadDigest", "PutObject", 400, **world.at, Body=b"body", **wrong)
    world.refused("404", "HeadObject", 404, **world.at)


@row("PutObject", "{} that is none is refused", *ALGORITHMS)
def _(world, algorithm):
    world.refused("InvalidRequest", "PutObject", 400, **world.at, Body=b"body", **{f"Checksum{algorithm}": "bad"})


@row("PutObject", "without a checksum, S3 computes its own")
def _(world):
    world.quiet()
    assert world.put()["ChecksumCRC64NVME"] == digest("CRC64NVME", b"body")


@row("UploadPart", "{} is verified and kept", *ALGORITHMS)
def _(world, algorithm):
    name, upload = f"Checksum{algorithm}", world.begin(ChecksumAlgorithm=algorithm)
    wrong = {name: digest(algorithm, b"other")}
    world.refused("BadDigest", "UploadPart", 400, **upload, PartNumber=1, Body=b"body", **wrong)
    answer = world.s3.upload_part(**upload, PartNumber=1, Body=b"body", **{name: digest(algorithm, b"body")})
    assert answer[name] == digest(algorithm, b"body")
    listed = world.s3.list_parts(**upload)
    assert listed["Parts"][0][name] == answer[name] and listed["ChecksumAlgorithm"] == algorithm


@row("UploadPartCopy", "{} of the stretch is told", *ALGORITHMS)
def _(world, algorithm):
    world.put()
    params = {"CopySource": f"{world.bucket}/k", "CopySourceRange": "bytes=1-2", "PartNumber": 1}
    answer = world.s3.upload_part_copy(**world.begin(ChecksumAlgorithm=algorithm), **params)
    assert answer["CopyPartResult"][f"Checksum{algorithm}"] == digest(algorithm, b"od")


@row("CompleteMultipartUpload", "a checksum of another algorithm than the upload's: {}", *CRCS[:2])
def _(world, algorithm):
    upload = world.begin(ChecksumAlgorithm="SHA1")
    named = {"MultipartUpload": {"Parts": world.send(upload, PART, LAST, algorithm="SHA1")}}
    right = {f"Checksum{algorithm}": digest(algorithm, PART, LAST)}
    world.refused("InvalidRequest", "CompleteMultipartUpload", 400, **upload, **named, **right)


@row("CompleteMultipartUpload", "{} of all the bytes", *CRCS)
def _(world, algorithm):
    name, right = f"Checksum{algorithm}", digest(algorithm, PART, LAST)
    upload = world.begin(ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    parts = world.send(upload, PART, LAST, algorithm=algorithm)
    named = {"MultipartUpload": {"Parts": parts}}
    world.refused("BadDigest", "CompleteMultipartUpload", 400, **upload, **named, **{name: digest(algorithm, b"")})
    answer = world.complete(upload, parts, ChecksumType="FULL_OBJECT", **{name: right})
    assert (answer[name], answer["ChecksumType"]) == (right, "FULL_OBJECT")
    assert world.s3.get_object(**world.at, ChecksumMode="ENABLED")[name] == right


@row("CompleteMultipartUpload", "{} of the parts' checksums", *[each for each in ALGORITHMS if each != "CRC64NVME"])
def _(world, algorithm):
    name, upload = f"Checksum{algorithm}", world.begin(ChecksumAlgorithm=algorithm, ChecksumType="COMPOSITE")
    parts = world.send(upload, PART, LAST, algorithm=algorithm)
    bare = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
    wrong = [parts[0], parts[1] | {name: parts[0][name]}]
    for code, named, promised in (
        ("InvalidRequest", bare, {}),
        ("InvalidPart", wrong, {}),
        ("InvalidRequest", parts, {name: "bad"}),
        ("BadDigest", parts, {name: digest(algorithm, b"other")}),
    ):
        params = {"MultipartUpload": {"Parts": named}, **promised}
        world.refused(code, "CompleteMultipartUpload", 400, **upload, **params)
    values = [base64.b64decode(part[name]) for part in parts]
    answer = world.complete(upload, parts)
    assert (answer[name], answer["ChecksumType"]) == (f"{digest(algorithm, *values)}-2", "COMPOSITE")


# conditions


@row("{}", "304 has ETag and date, and no body", "GetObject", "HeadObject")
def _(world, operation):
    world.put(CacheControl="max-age=9")
    error = world.refused("304", operation, 304, **world.at, IfNoneMatch=ETAG)
    headers = error["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["etag"], headers["cache-control"]) == (ETAG, "max-age=9") and "last-modified" in headers
    assert "content-length" not in headers


@row("{}", "If-Match with another ETag", "GetObject", "HeadObject")
def _(world, operation):
    world.put()
    world.refused(
        "412" if operation == "HeadObject" else "PreconditionFailed", operation, 412, **world.at, IfMatch='"x"'
    )


# what a write asks of the object that is there: right, wrong, and none there
_ASKED = {
    "IfMatch=etag": ({"IfMatch": ETAG}, None, "NoSuchKey"),
    "IfMatch=*": ({"IfMatch": "*"}, None, "NoSuchKey"),
    "IfMatch=other": ({"IfMatch": '"other"'}, "PreconditionFailed", "NoSuchKey"),
    "IfNoneMatch=*": ({"IfNoneMatch": "*"}, "PreconditionFailed", None),
    "IfNoneMatch=etag": ({"IfNoneMatch": ETAG}, "PreconditionFailed", None),
    "IfNoneMatch=other": ({"IfNoneMatch": '"other"'}, None, None),
}


def _writes(world, operation):
    """The parameters of a write to the key, whatever way."""
    if operation == "CopyObject":
        world.put(b"source", Key="source")
        return {**world.at, "CopySource": f"{world.bucket}/source"}
    if operation == "CompleteMultipartUpload":
        upload = world.begin()
        return {**upload, "MultipartUpload": {"Parts": world.send(upload, LAST)}}
    return world.at


def _conditional(world, operation, wish, present):
    condition, *codes = _ASKED[wish]
    if present:
        world.put()
    code = codes[0 if present else 1]
    params = {**_writes(world, operation), **condition}
    if code:
        world.refused(code, operation, 404 if code == "NoSuchKey" else 412, **params)
        assert present == bool(world.s3.list_objects_v2(Bucket=world.bucket, Prefix="k").get("Contents"))
    else:
        call(world.s3, operation, **params)


for _operation in ("PutObject", "CopyObject", "CompleteMultipartUpload"):
    for _present in (True, False):
        row(_operation, f"{{}}, the key {'exists' if _present else 'is missing'}", *_ASKED)(
            lambda world, wish, operation=_operation, present=_present: _conditional(world, operation, wish, present)
        )
for _present in (True, False):
    row("DeleteObject", f"{{}}, the key {'exists' if _present else 'is missing'}", *list(_ASKED)[:3])(
        lambda world, wish, present=_present: _conditional(world, "DeleteObject", wish, present)
    )


@row("DeleteObject", "{} that does not hold leaves it", "IfMatchSize", "IfMatchLastModifiedTime")
def _(world, name):
    world.put()
    world.refused("PreconditionFailed", "DeleteObject", 412, **world.at, **{name: 1})
    right = {"IfMatchSize": 4, "IfMatchLastModifiedTime": world.s3.head_object(**world.at)["LastModified"]}[name]
    world.s3.delete_object(**world.at, **{name: right})
    world.refused("404", "HeadObject", 404, **world.at)


@row("DeleteObjects", "an entry with {} that does not hold leaves it", "ETag", "Size", "LastModifiedTime", "VersionId")
def _(world, name):
    world.put()
    wrong = {"ETag": '"x"', "Size": 1, "LastModifiedTime": 1, "VersionId": "x"}[name]
    answer = world.s3.delete_objects(Bucket=world.bucket, Delete={"Objects": [{"Key": "k", name: wrong}]})
    code = "NoSuchVersion" if name == "VersionId" else "PreconditionFailed"
    assert "Deleted" not in answer and answer["Errors"][0]["Code"] == code
    assert world.s3.head_object(**world.at)


@row("DeleteObjects", "without a checksum of the request nothing is deleted")
def _(world):
    world.put()
    path, body = f"/{world.bucket}?delete", b"<Delete><Object><Key>k</Key></Object></Delete>"
    headers = wire.signed_headers(world.endpoint, "POST", path, body)
    status, _, answer = wire.send(world.endpoint, "POST", path, body, headers)
    assert (status, _code(answer)) == (400, "InvalidRequest") and world.s3.head_object(**world.at)
    promised = {"Content-MD5": base64.b64encode(md5(body).digest()).decode()}
    headers = wire.signed_headers(world.endpoint, "POST", path, body, promised)
    assert wire.send(world.endpoint, "POST", path, body, headers)[0] == 200
    world.refused("404", "HeadObject", 404, **world.at)


@row("CopyObject", "the source's {}", "IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
def _(world, name):
    world.put()
    modified = world.s3.head_object(**world.at)["LastModified"]
    right, wrong = {
        "IfMatch": (ETAG, '"x"'),
        "IfNoneMatch": ('"x"', ETAG),
        "IfModifiedSince": (modified - timedelta(1), modified + timedelta(1)),
        "IfUnmodifiedSince": (modified + timedelta(1), modified - timedelta(1)),
    }[name]
    to = {"Bucket": world.bucket, "Key": "copy", "CopySource": f"{world.bucket}/k"}
    world.refused("PreconditionFailed", "CopyObject", 412, **to, **{f"CopySource{name}": wrong})
    assert world.s3.copy_object(**to, **{f"CopySource{name}": right})


# what is kept with an object


@row(
    "PutObject", "Content-Encoding {}", "gzip", "deflate, gzip", "gzip, aws-chunked", "aws-chunked", "AWS-Chunked,gzip"
)
def _(world, coding):
    world.put(ContentEncoding=coding)
    left = {"gzip, aws-chunked": "gzip", "aws-chunked": None, "AWS-Chunked,gzip": "gzip"}.get(coding, coding)
    assert world.s3.head_object(**world.at).get("ContentEncoding") == left


_SPELLED = {
    "grüße ☃": "grüße ☃",
    "=?UTF-8?B?w6k=?=": "é",
    "=?UTF-8?Q?caf=C3=A9?= au lait": "café au lait",
    "=?iso-8859-1?Q?=E9?=": "é",
    "=?UTF-8?B?YQpi?=": "a\nb",
}


@row("PutObject", "metadata beyond ASCII, sent as {}", *_SPELLED)
def _(world, sent):
    path = f"/{world.bucket}/k"
    headers = wire.signed_headers(world.endpoint, "PUT", path, b"", {"x-amz-meta-m": sent})
    status, _, _ = wire.send(world.endpoint, "PUT", path, b"", headers | {"x-amz-meta-m": sent.encode()})
    assert status == 200
    told = world.s3.head_object(**world.at)["Metadata"]["m"]
    assert told.isascii() and str(make_header(decode_header(told))) == _SPELLED[sent]


@row("PutObject", "metadata in ASCII stay as they are: {}", "plain", "a=?b", "=?x?B?!?=", "")
def _(world, value):
    world.put(Metadata={"m": value})
    assert world.s3.head_object(**world.at)["Metadata"] == {"m": value}


@row("{}", "tags in a header: a name may stand alone", "PutObject", "CreateMultipartUpload", "CopyObject")
def _(world, operation):
    if operation == "CreateMultipartUpload":
        world.joined(LAST, Tagging="a=b&c")
    else:
        world.put(Tagging="a=b&c")
    if operation == "CopyObject":
        to = {"TaggingDirective": "REPLACE", "Tagging": "c&a=b", "MetadataDirective": "REPLACE"}
        world.s3.copy_object(**world.at, CopySource=f"{world.bucket}/k", **to)
    tags = world.s3.get_object_tagging(**world.at)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"a": "b", "c": ""}


@row("PutObject", "the storage class {}", "STANDARD_IA", "COLD")
def _(world, name):
    if name == "COLD":
        world.refused("InvalidStorageClass", "PutObject", 400, **world.at, StorageClass=name)
    else:
        world.put(StorageClass=name)
        assert world.s3.head_object(**world.at)["StorageClass"] == name


# what is not kept is refused
_UNKEPT = {
    "ACL": ("public-read", "AccessControlListNotSupported"),
    "GrantRead": ("id=x", "AccessControlListNotSupported"),
    "GrantFullControl": ("id=x", "AccessControlListNotSupported"),
    "GrantReadACP": ("id=x", "AccessControlListNotSupported"),
    "GrantWriteACP": ("id=x", "AccessControlListNotSupported"),
    "ObjectLockMode": ("GOVERNANCE", "InvalidRequest"),
    "ObjectLockRetainUntilDate": (0, "InvalidRequest"),
    "ObjectLockLegalHoldStatus": ("ON", "InvalidRequest"),
    "SSECustomerAlgorithm": ("AES256", "NotImplemented"),
    "WriteOffsetBytes": (4, "NotImplemented"),
}
for _operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):

    @row(_operation, "{} is refused", *_UNKEPT.keys() & promises.MODEL.operation_model(_operation).input_shape.members)
    def _(world, name, operation=_operation):
        value, code = _UNKEPT[name]
        more = {"SSECustomerKey": "k" * 32} if name == "SSECustomerAlgorithm" else {}
        world.refused(code, operation, **_writes(world, operation), **{name: value}, **more)
        assert not world.s3.list_objects_v2(Bucket=world.bucket, Prefix="k").get("Contents")


@row("PutObject", "a customer's key beside {} is refused", "AES256", "aws:kms")
def _(world, algorithm):
    params = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32, "ServerSideEncryption": algorithm}
    world.refused("InvalidArgument", "PutObject", 400, **world.at, **params)


@row("{}", "a canned list of access that S3 has not", "PutBucketAcl", "PutObjectAcl")
def _(world, operation):
    world.put()
    params = world.at if operation == "PutObjectAcl" else {"Bucket": world.bucket}
    world.refused("InvalidArgument", operation, 400, **params, ACL="public-ready")


@row("PutObject", "ACL={} says what holds anyway", "private", "bucket-owner-full-control")
def _(world, acl):
    world.put(ACL=acl)
    world.s3.put_object_acl(**world.at, ACL=acl)
    told = world.s3.get_object_acl(**world.at)
    world.s3.put_object_acl(**world.at, AccessControlPolicy={name: told[name] for name in ("Grants", "Owner")})


@row("{}", "a list of access for everybody is refused", "PutBucketAcl", "PutObjectAcl")
def _(world, operation):
    world.put()
    params = promises.minimal(operation, **world.at if operation == "PutObjectAcl" else {"Bucket": world.bucket})
    grant = {
        "Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
        "Permission": "READ",
    }
    everybody = {"Grants": [grant], "Owner": {"ID": "x"}}
    for wish in ({"ACL": "public-read"}, {"AccessControlPolicy": everybody}, {"GrantRead": "id=x"}):
        world.refused("AccessControlListNotSupported", operation, 400, **params, **wish)


@row("CreateBucket", "with {} is refused", "ACL", "ObjectLockEnabledForBucket")
def _(world, name):
    value, code = {
        "ACL": ("public-read", "InvalidBucketAclWithObjectOwnership"),
        "ObjectLockEnabledForBucket": (True, "NotImplemented"),
    }[name]
    world.refused(code, "CreateBucket", Bucket="refused-bucket", **{name: value})
    world.refused("404", "HeadBucket", Bucket="refused-bucket")


@row("CreateBucket", "the ownership of its objects is kept")
def _(world):
    world.s3.create_bucket(Bucket=f"{world.bucket}-2", ObjectOwnership="ObjectWriter")
    rules = world.s3.get_bucket_ownership_controls(Bucket=f"{world.bucket}-2")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "ObjectWriter"}]


@row("CreateBucket", "an owner of objects that S3 has not")
def _(world):
    params = {"Bucket": f"{world.bucket}-2", "ObjectOwnership": "Nobody"}
    world.refused("InvalidArgument", "CreateBucket", 400, **params)
    world.refused("404", "HeadBucket", Bucket=params["Bucket"])


@row("PutBucketOwnershipControls", "{} is refused", "no rule", "two rules", "another name")
def _(world, wish):
    rules = {"no rule": [], "two rules": ["ObjectWriter"] * 2, "another name": ["Nobody"]}[wish]
    controls = {"Rules": [{"ObjectOwnership": name} for name in rules]}
    params = {"Bucket": world.bucket, "OwnershipControls": controls}
    world.refused("MalformedXML", "PutBucketOwnershipControls", 400, **params)


@row("DeleteBucketOwnershipControls", "then there are none, until others are put")
def _(world):
    world.s3.delete_bucket_ownership_controls(Bucket=world.bucket)
    world.refused("OwnershipControlsNotFoundError", "GetBucketOwnershipControls", 404, Bucket=world.bucket)
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    world.s3.put_bucket_ownership_controls(Bucket=world.bucket, OwnershipControls=controls)
    assert world.s3.get_bucket_ownership_controls(Bucket=world.bucket)["OwnershipControls"] == controls


@row(
    "{}",
    "Object Lock that no bucket has",
    "PutObjectRetention",
    "PutObjectLegalHold",
    "GetObjectRetention",
    "GetObjectLegalHold",
)
def _(world, operation):
    world.put()
    wish = {"PutObjectRetention": {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": 0}}}
    wish["PutObjectLegalHold"] = {"LegalHold": {"Status": "ON"}}
    world.refused("InvalidRequest", operation, 400, **world.at, **wish.get(operation, {}))


@row("GetBucketPolicyStatus", "{}", "everybody", "everybody on a condition", "a service")
def _(world, whom):
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{world.bucket}/*"}
    statement["Principal"] = {"Service": "personalize.amazonaws.com"} if whom == "a service" else {"AWS": "*"}
    if "condition" in whom:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": wire.ACCOUNT}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.s3.delete_public_access_block(Bucket=world.bucket)
    world.s3.put_bucket_policy(Bucket=world.bucket, Policy=policy)
    status = world.s3.get_bucket_policy_status(Bucket=world.bucket)["PolicyStatus"]
    assert status["IsPublic"] == (whom == "everybody")


_BLOCKS = {"nobody said so": None, "policies are": {"BlockPublicPolicy": True}, "lists are": {"BlockPublicAcls": True}}


@row("PutBucketPolicy", "for everybody where public access is blocked: {}", *_BLOCKS, "nothing is")
def _(world, wish):
    if wish == "nothing is":
        world.s3.delete_public_access_block(Bucket=world.bucket)
    elif block := _BLOCKS[wish]:
        world.s3.put_public_access_block(Bucket=world.bucket, PublicAccessBlockConfiguration=block)
    resource = f"arn:aws:s3:::{world.bucket}/*"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    params = {"Bucket": world.bucket, "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    if wish in ("nobody said so", "policies are"):
        world.refused("AccessDenied", "PutBucketPolicy", 403, **params)
        world.refused("NoSuchBucketPolicy", "GetBucketPolicy", 404, Bucket=world.bucket)
    else:
        world.s3.put_bucket_policy(**params)


@row("GetObjectTagging", "tags come by their names")
def _(world):
    world.put(Tagging="b=1&c=2&a=3")
    assert [tag["Key"] for tag in world.s3.get_object_tagging(**world.at)["TagSet"]] == ["a", "b", "c"]


# who asks

_CLAIMS = {
    "": (403, "AccessDenied"),
    "AWS HAHAHA": (400, "InvalidArgument"),
    "AWS4 HAHAHA": (400, "InvalidArgument"),
    "AWS key:signature": (400, "InvalidRequest"),
    "AWS4-HMAC-SHA256 Credential=HAHAHA": (400, "AuthorizationHeaderMalformed"),
}


@row("GetObject", "an authorization header that is none: {}", *_CLAIMS)
def _(world, claim):
    status, _, body = wire.send(world.endpoint, "GET", f"/{world.bucket}/k", b"", {"Authorization": claim})
    assert (status, _code(body)) == _CLAIMS[claim]


@row("GetObject", "a pre-signed URL that is valid for {} seconds", "1", "604800", "0", "-7", "604801", "x", "no")
def _(world, seconds):
    world.put()
    wish = int(seconds) if seconds not in ("x", "no") else 77
    url = wire.make_client("s3", world.endpoint, signature_version="s3v4").generate_presigned_url(
        "get_object", Params=world.at, ExpiresIn=wish
    )
    path = url.removeprefix(world.endpoint.url)
    if wish == 77:
        path = path.replace("&X-Amz-Expires=77", "&X-Amz-Expires=x" if seconds == "x" else "")
    status, _, body = wire.send(world.endpoint, "GET", path)
    if seconds in ("1", "604800"):
        assert (status, body) == (200, b"body")
    else:
        wanted = (403, "AccessDenied") if seconds == "0" else (400, "AuthorizationQueryParametersError")
        assert (status, _code(body)) == wanted


@row("GetBucketCors", "a browser asks before its request, with {}", "nothing", "an origin", "origin and method")
def _(world, wish):
    headers = {} if wish == "nothing" else {"Origin": "http://example.com"}
    headers |= {"Access-Control-Request-Method": "GET"} if "method" in wish else {}
    status, told, body = wire.send(world.endpoint, "OPTIONS", f"/{world.bucket}/k", b"", headers)
    wanted = (403, "AccessForbidden") if "method" in wish else (400, "BadRequest")
    assert (status, _code(body)) == wanted and "Access-Control-Allow-Origin" not in told


def _code(body):
    return re.search(b"<Code>(.*)</Code>", body)[1].decode()


# lists


@row("ListBuckets", "page by page: {}", 1, 2, 10_000)
def _(world, size):
    for number in range(4):
        world.s3.create_bucket(Bucket=f"{world.bucket}-{number}")
    pages = world.s3.get_paginator("list_buckets").paginate(Prefix=world.bucket, PaginationConfig={"PageSize": size})
    found = [[bucket["Name"] for bucket in page["Buckets"]] for page in pages]
    assert sum(found, []) == [world.bucket, *(f"{world.bucket}-{number}" for number in range(4))]
    assert all(len(page) == size for page in found[:-1])
    elsewhere = world.s3.list_buckets(Prefix=world.bucket, BucketRegion="eu-west-1")
    assert elsewhere["Buckets"] == [] and elsewhere["Prefix"] == world.bucket


@row("ListBuckets", "{} is refused", "MaxBuckets=0", "MaxBuckets=10001", "ContinuationToken=!")
def _(world, wish):
    name, _, value = wish.partition("=")
    query = {"MaxBuckets": "max-buckets", "ContinuationToken": "continuation-token"}[name]
    path = f"/?{query}={quote(value)}"
    status, _, body = wire.send(world.endpoint, "GET", path, b"", wire.signed_headers(world.endpoint, "GET", path))
    assert status == 400 and b"<Code>InvalidArgument</Code>" in body


@row("{}", "the prefix comes back as clients read it", "ListObjects", "ListObjectsV2", "ListObjectVersions")
def _(world, operation):
    for prefix in ("a b+c/", "ü/", "\n", "%41"):
        world.put(Key=f"{prefix}x")
        answer = call(world.s3, operation, Bucket=world.bucket, Prefix=prefix, Delimiter="/")
        assert answer["Prefix"] == prefix and (answer.get("Contents") or answer["Versions"])[0]["Key"] == f"{prefix}x"


@row("{}", "a sub-resource without what it needs is no plain request", "PUT", "DELETE")
def _(world, method):
    path = f"/{world.bucket}?inventory"
    status, _, body = wire.send(world.endpoint, method, path, b"", wire.signed_headers(world.endpoint, method, path))
    assert status == 400 and b"InvalidRequest" in body
    assert world.s3.head_bucket(Bucket=world.bucket)


@row("PutObject", "without a length")
def _(world):
    path = f"/{world.bucket}/k"
    connection = http.client.HTTPConnection("127.0.0.1", world.endpoint.port)
    connection.putrequest("PUT", path, skip_host=True)
    for name, value in wire.signed_headers(world.endpoint, "PUT", path).items():
        connection.putheader(name, value)
    connection.putheader("Host", f"127.0.0.1:{world.endpoint.port}")
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, b"MissingContentLength" in answer.read()) == (411, True)
    connection.close()


# forms of browsers


def _post(
    world, fields, file=b"body", conditions=None, seconds=60, secret=wire.SECRET_KEY, change=None, write=json.dumps
):
    """Post a form as a browser does, with a policy of the second version of signatures; status, headers, body."""
    until = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = [["starts-with", f"${name}", ""] for name in fields] if conditions is None else conditions
    policy = {"expiration": until, "conditions": [{"bucket": world.bucket}, *asked]}
    text = base64.b64encode(write(policy if change is None else change(policy)).encode())
    signature = base64.b64encode(hmac.new(secret.encode(), text, "sha1").digest())
    own = {"AWSAccessKeyId": wire.ACCESS_KEY, "policy": text.decode(), "signature": signature.decode()}
    return _send_form(world, {**own, **fields}, file)


def _send_form(world, fields, file):
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()
    ]
    if file is not None:
        named = b'form-data; name="file"; filename="C:\\\\up\\\\a b.txt"'
        head = b"Content-Type: text/plain\r\nContent-Disposition: " + named + b"\r\n\r\n"
        parts.append(head + file + b"\r\n")
        parts.append(b'Content-Disposition: form-data; name="submit"\r\n\r\nUpload\r\n')
    body = b"".join(b"--the boundary\r\n" + part for part in parts) + b"--the boundary--\r\n"
    headers = {"Content-Type": 'multipart/form-data; boundary="the boundary"'}
    return wire.send(world.endpoint, "POST", f"/{world.bucket}", body, headers)


@row("PostObject", "a presigned post of boto3, {} bytes", 0, 4, 3_000_000)
def _(world, size):
    file = (b"\r\n--the boundary" * 200_000)[:size] if size < 5 else b"\r\n--the bound\r\n-" * (size // 16)
    post = world.s3.generate_presigned_post(
        world.bucket, "k", {"x-amz-meta-a": "ü"}, [{"x-amz-meta-a": "ü"}, ["content-length-range", 0, 1 << 30]]
    )
    status, headers, _ = _send_form(world, post["fields"], file)
    answer = world.s3.get_object(**world.at)
    assert status == 204 and headers["ETag"] == answer["ETag"] and answer["Body"].read() == file


@row("PostObject", "the file's own name, its type and its tags")
def _(world):
    tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b&amp;c</Value></Tag></TagSet></Tagging>"
    fields = {
        "key": "up/${filename}",
        "Content-Type": "text/csv",
        "acl": "private",
        "tagging": tags,
        "x-ignore-me": "1",
    }
    assert _post(world, fields)[0] == 204
    at = {"Bucket": world.bucket, "Key": "up/a b.txt"}
    assert world.s3.head_object(**at)["ContentType"] == "text/csv"
    assert world.s3.get_object_tagging(**at)["TagSet"] == [{"Key": "a", "Value": "b&c"}]


@row("PostObject", "success is told by {}", "status 200", "status 201", "status 404", "redirect")
def _(world, way):
    kind, _, number = way.partition(" ")
    told = (
        {"success_action_redirect": "http://127.0.0.1/done"}
        if kind == "redirect"
        else {"success_action_status": number}
    )
    status, headers, body = _post(world, {"key": "k", **told})
    assert status == {"status 200": 200, "status 201": 201, "status 404": 204, "redirect": 303}[way]
    if status == 201:
        assert b"<PostResponse>" in body and b"<Key>k</Key>" in body
    if status == 303:
        assert headers["Location"] == f"http://127.0.0.1/done?bucket={world.bucket}&key=k&etag=%22{ETAG[1:-1]}%22"


_REFUSED_FORMS = {
    "no key": (400, "InvalidArgument", {"fields": {}}),
    "no file": (400, "InvalidArgument", {"file": None}),
    "another secret": (403, "SignatureDoesNotMatch", {"secret": "other"}),
    "another access key": (403, "InvalidAccessKeyId", {"fields": {"key": "k", "AWSAccessKeyId": "other"}}),
    "an expired policy": (403, "AccessDenied", {"seconds": -60}),
    "a field of no condition": (
        403,
        "AccessDenied",
        {"fields": {"key": "k", "x-amz-meta-a": "1"}, "conditions": [{"key": "k"}]},
    ),
    "a condition that fails": (403, "AccessDenied", {"conditions": [["eq", "$key", "other"]]}),
    "a condition on a field that is missing": (403, "AccessDenied", {"conditions": [{"key": "k"}, {"acl": "private"}]}),
    "a file that is too large": (400, "EntityTooLarge", {"conditions": [{"key": "k"}, ["content-length-range", 0, 3]]}),
    "a file that is too small": (400, "EntityTooSmall", {"conditions": [{"key": "k"}, ["content-length-range", 5, 9]]}),
    "a range without an end": (400, "InvalidPolicyDocument", {"conditions": [["content-length-range", 5]]}),
    "a range below nothing": (400, "InvalidPolicyDocument", {"conditions": [["content-length-range", -1, 0]]}),
    "an empty condition": (400, "InvalidPolicyDocument", {"conditions": [{}]}),
    "a policy for no bucket": (
        403,
        "AccessDenied",
        {"change": lambda policy: {**policy, "conditions": [{"key": "k"}]}},
    ),
    "a policy without expiration": (400, "InvalidPolicyDocument", {"change": lambda policy: {"conditions": []}}),
    "a policy of CONDITIONS": (400, "InvalidPolicyDocument", {"change": lambda policy: {**policy, "conditions": None}}),
    "a policy of no date": (400, "InvalidPolicyDocument", {"change": lambda policy: {**policy, "expiration": "soon"}}),
    "a policy of a date as Python writes it": (
        400,
        "InvalidPolicyDocument",
        {"change": lambda policy: {**policy, "expiration": "2100-01-01 00:00:00+00:00"}},
    ),
    "a policy that is a list": (400, "InvalidPolicyDocument", {"change": lambda policy: [policy]}),
    "access for everybody": (400, "AccessControlListNotSupported", {"fields": {"key": "k", "acl": "public-read"}}),
    "fields beyond the limit": (
        400,
        "MaxPostPreDataLengthExceeded",
        {"fields": {"key": "k", "x-ignore-a": "a" * 90_000}},
    ),
}


@row("PostObject", "{}: nothing is kept", *_REFUSED_FORMS)
def _(world, wish):
    status, code, options = _REFUSED_FORMS[wish]
    answer = _post(world, **{"fields": {"key": "k"}} | options)
    assert (answer[0], re.search(b"<Code>(.*)</Code>", answer[2])[1].decode()) == (status, code), answer[2]
    assert "Contents" not in world.s3.list_objects_v2(Bucket=world.bucket)


@row("PostObject", "without {}", "policy", "signature")
def _(world, name):
    fields = {"policy": {"key": "k"}, "signature": {"key": "k", "policy": "e30="}}[name]
    assert _send_form(world, fields, b"body")[0] == {"policy": 403, "signature": 400}[name]


@row("PostObject", "names in any case")
def _(world):
    conditions = [["StArTs-WiTh", "$KeY", "for"], {"ACL": "private"}]
    assert _post(world, {"kEy": "form", "aCl": "private"}, conditions=conditions)[0] == 204
    assert world.s3.head_object(Bucket=world.bucket, Key="form")


@row("PostObject", "a dollar sign in a condition written {}", "$k", "\\$k", "\\\\$k")
def _(world, text):
    key = {"$k": "$k", "\\$k": "$k", "\\\\$k": "\\$k"}[text]
    written = _post(world, {"key": key}, conditions=[["eq", "$key", "HERE"]], write=lambda policy: _with(policy, text))
    assert written[0] == 204 and world.s3.head_object(Bucket=world.bucket, Key=key)


def _with(policy, text):
    return json.dumps(policy).replace("HERE", text)


@row("PostObject", "conditions are about the key with the file's own name")
def _(world):
    assert _post(world, {"key": "${filename}"}, conditions=[["starts-with", "$key", "a b"]])[0] == 204
    refused = _post(world, {"key": "${filename}"}, conditions=[["starts-with", "$key", "$"]])
    assert refused[0] == 403 and b"Policy Condition failed" in refused[2]


# the list itself


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    store = ObjectStore(tmp_path_factory.mktemp("conformance") / "objects")
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        yield endpoint
    store.close()


@pytest.fixture(scope="module")
def client(endpoint):
    client = wire.make_client("s3", endpoint)
    yield client
    client.close()


@pytest.fixture
def world(endpoint, client):
    world = World(endpoint, client)
    yield world
    if world.s3 is not client:
        world.s3.close()


@pytest.mark.parametrize("promise", ROWS, ids=lambda row: f"{row.operation}: {row.condition}")
def test_promise(world, promise):
    promise.check(world)


def test_the_readme_has_the_length_of_the_list():
    readme = (Path(personalize_nb.local.__file__).parent / "README.md").read_text()
    (told,) = re.findall(r"(\d+) conditions of (\d+) operations", readme)
    assert told == (str(len(ROWS)), str(len({row.operation for row in ROWS})))


def test_every_operation_of_the_service_has_a_row():
    assert not OPERATIONS.keys() - {row.operation for row in ROWS}
