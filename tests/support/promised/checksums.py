"""Checksums: verified, kept, told."""

from __future__ import annotations

import base64

from promises import ALGORITHMS, CRCS, LAST, PART, digest, row


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
