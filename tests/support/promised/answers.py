"""What every answer says: ETags, checksums, encryption, request ids."""

from __future__ import annotations

import re

from promises import ETAG, JOINED, LAST, PART, call, digest, md5, row


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
