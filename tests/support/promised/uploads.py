"""Uploads in parts, and their lost answers."""

from __future__ import annotations

import io

import wire
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ConnectionClosedError
from promises import ALGORITHMS, JOINED, LAST, PART, call, digest, row


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
