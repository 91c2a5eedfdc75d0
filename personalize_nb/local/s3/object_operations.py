"""S3's operations on objects, with the parameters and answers of AWS's API reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.messages import FileBody
from personalize_nb.local.s3 import checksums
from personalize_nb.local.s3.conditions import byte_range, check_copy, check_read, write_condition
from personalize_nb.local.s3.context import (
    MAX_OBJECT_TAGS,
    MAX_PAGE,
    S3,
    Operation,
    checked_tags,
    copy_source,
    details_of,
    page_size,
    quoted,
    tags_in_header,
)
from personalize_nb.local.s3.protocol import Call, Reply
from personalize_nb.local.s3.records import ObjectInfo
from personalize_nb.local.s3.store import DEFAULT_CONTENT_TYPE

_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}


def put_object(s3: S3, call: Call) -> Mapping[str, Any]:
    bucket, key = call.params["Bucket"], call.params["Key"]
    s3.store.bucket(bucket)
    details, condition = s3.encrypted(details_of(call.params), call.params), write_condition(call.params, key)
    with checksums.receive(s3.store, call.request, md5_etag=True, seal=details.seal) as received:
        info = s3.store.publish(
            bucket,
            key,
            received.incoming,
            etag=received.etag,
            content_type=call.params.get("ContentType") or DEFAULT_CONTENT_TYPE,
            details=replace(details, checksum=received.checksum),
            condition=condition,
        )
    return {"ETag": quoted(info.etag), **checksums.members(received.checksum), **_encryption(info)}


def get_object(s3: S3, call: Call) -> Reply:
    info, file = s3.store.open_object(call.params["Bucket"], call.params["Key"])
    try:
        status, members, offset, length = _read_answer(call.params, info)
    except ApiError:
        file.close()
        raise
    return Reply(members | {"Body": FileBody(file, offset, length)}, status)


def head_object(s3: S3, call: Call) -> Reply:
    info = s3.store.head(call.params["Bucket"], call.params["Key"])
    status, members, _, _ = _read_answer(call.params, info)
    return Reply(members, status)


def get_object_attributes(s3: S3, call: Call) -> Mapping[str, Any]:
    info = s3.store.head(call.params["Bucket"], call.params["Key"])
    checksum = info.details.checksum
    shown = None if checksum is None else checksums.members(replace(checksum, value=checksum.bare))
    answers: dict[str, Any] = {
        "ETag": info.etag,
        "ObjectSize": info.size,
        "StorageClass": info.details.headers.get("StorageClass", "STANDARD"),
        "Checksum": shown,
        "ObjectParts": _parts(call.params, info) if info.details.part_sizes else None,
    }
    wanted = call.params.get("ObjectAttributes", [])
    return {name: answers.get(name) for name in wanted} | {"LastModified": info.last_modified}


def _parts(params: Mapping[str, Any], info: ObjectInfo) -> dict[str, Any]:
    """Return the parts of an object; one by one only where their checksums are known, as on AWS."""
    details, after = info.details, int(params.get("PartNumberMarker") or 0)
    answer: dict[str, Any] = {"TotalPartsCount": len(details.part_sizes)}
    if details.checksum is None or not details.part_checksums:
        return answer
    limit = page_size(params.get("MaxParts"), "MaxParts")
    name = checksums.member(details.checksum.algorithm)
    known = list(enumerate(zip(details.part_sizes, details.part_checksums, strict=True), start=1))
    page = known[after : after + limit]
    return answer | {
        "PartNumberMarker": after,
        "NextPartNumberMarker": page[-1][0] if page else after,
        "MaxParts": limit,
        "IsTruncated": after + limit < len(known),
        "Parts": [{"PartNumber": number, "Size": size, name: value} for number, (size, value) in page],
    }


def delete_object(s3: S3, call: Call) -> Reply:
    s3.store.delete(call.params["Bucket"], call.params["Key"], write_condition(call.params, call.params["Key"]))
    return Reply(status=204)


def delete_objects(s3: S3, call: Call) -> Mapping[str, Any]:
    bucket, wanted = call.params["Bucket"], call.params.get("Delete") or {}
    s3.store.bucket(bucket)
    objects = wanted.get("Objects", [])
    if not 0 < len(objects) <= MAX_PAGE:
        raise ApiError("MalformedXML", f"DeleteObjects takes 1 to {MAX_PAGE} keys, got {len(objects)}.")
    deleted, errors = [], []
    for entry in objects:
        key = entry.get("Key", "")
        condition = write_condition({"IfMatch": entry["ETag"]}, key) if "ETag" in entry else None
        try:
            s3.store.delete(bucket, key, condition)
            deleted.append({"Key": key})
        except ApiError as error:
            errors.append({"Key": key, "Code": error.code, "Message": error.message})
    return {"Deleted": [] if wanted.get("Quiet") else deleted, "Errors": errors}


def copy_object(s3: S3, call: Call) -> Mapping[str, Any]:
    params = call.params
    bucket, key = params["Bucket"], params["Key"]
    source_bucket, source_key = copy_source(params["CopySource"])
    replacing = _directive(params, "MetadataDirective")
    s3.store.bucket(bucket)
    source, file = s3.store.open_object(source_bucket, source_key)
    with file:
        check_copy(params, source)
        if (source_bucket, source_key) == (bucket, key) and not replacing and not params.get("ServerSideEncryption"):
            raise ApiError(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing its "
                "metadata or encryption. Use MetadataDirective='REPLACE' to change the metadata.",
            )
        details = s3.encrypted(details_of(params) if replacing else source.details, params)
        tags = tags_in_header(params.get("Tagging")) if _directive(params, "TaggingDirective") else source.details.tags
        algorithm = checksums.requested(params.get("ChecksumAlgorithm"))
        digest = checksums.new_digest(algorithm) if algorithm else None
        with s3.store.incoming(details.seal, **({"checksum": digest} if digest else {})) as incoming:
            if source.details.seal or details.seal or digest:
                incoming.write_range(file, 0, source.size)
            else:
                incoming.become(s3.store.bodies, source.body, file, source.size)
            checksum = checksums.of_digest(algorithm, digest) if algorithm and digest else source.details.checksum
            info = s3.store.publish(
                bucket,
                key,
                incoming,
                etag=source.etag,
                content_type=(params.get("ContentType") or DEFAULT_CONTENT_TYPE) if replacing else source.content_type,
                details=replace(
                    details,
                    tags=tags,
                    checksum=checksum,
                    part_sizes=source.details.part_sizes,
                    part_checksums=() if digest else source.details.part_checksums,
                ),
                condition=write_condition(params, key),
            )
    result = {"ETag": quoted(info.etag), "LastModified": info.last_modified}
    return {"CopyObjectResult": result | checksums.members(info.details.checksum), **_encryption(info)}


def get_object_tagging(s3: S3, call: Call) -> Mapping[str, Any]:
    tags = s3.store.head(call.params["Bucket"], call.params["Key"]).details.tags
    return {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}


def put_object_tagging(s3: S3, call: Call) -> Mapping[str, Any]:
    pairs = [(tag.get("Key", ""), tag.get("Value", "")) for tag in (call.params["Tagging"] or {}).get("TagSet", [])]
    tags = checked_tags(pairs, MAX_OBJECT_TAGS)
    s3.store.describe(call.params["Bucket"], call.params["Key"], lambda info: replace(info.details, tags=tags))
    return {}


def delete_object_tagging(s3: S3, call: Call) -> Reply:
    s3.store.describe(call.params["Bucket"], call.params["Key"], lambda info: replace(info.details, tags={}))
    return Reply(status=204)


def _read_answer(params: Mapping[str, Any], info: ObjectInfo) -> tuple[int, dict[str, Any], int, int]:
    """Status, members, offset and length of the answer to a GET or HEAD."""
    check_read(params, info)
    details = info.details
    members: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "ContentType": info.content_type,
        "ETag": quoted(info.etag),
        "LastModified": info.last_modified,
        "Metadata": details.metadata,
        "TagCount": len(details.tags) or None,
        **details.headers,
    }
    for wish, name in _OVERRIDES.items():
        if params.get(wish) is not None:
            members[name] = params[wish]
    number = params.get("PartNumber")
    stretch = _part_range(number, info) if number is not None else byte_range(params.get("Range"), info.size)
    if number is not None and details.part_sizes:
        members["PartsCount"] = len(details.part_sizes)
    if stretch is None:
        if params.get("ChecksumMode") == "ENABLED":
            members |= checksums.members(details.checksum)
        return 200, members | {"ContentLength": info.size}, 0, info.size
    offset, length = stretch
    members["ContentLength"] = length
    if info.size:
        members["ContentRange"] = f"bytes {offset}-{offset + length - 1}/{info.size}"
    return 206, members, offset, length


def _part_range(number: int, info: ObjectInfo) -> tuple[int, int]:
    sizes = info.details.part_sizes or (info.size,)
    if not 1 <= number <= len(sizes):
        raise ApiError(
            "InvalidPartNumber", f"The requested part number is not satisfiable: {number} of {len(sizes)}.", 416
        )
    return sum(sizes[: number - 1]), sizes[number - 1]


def _directive(params: Mapping[str, Any], name: str) -> bool:
    value = params.get(name, "COPY")
    if value not in ("COPY", "REPLACE"):
        raise ApiError("InvalidArgument", f"{name} must be COPY or REPLACE, got {value!r}.")
    return bool(value == "REPLACE")


def _encryption(info: ObjectInfo) -> dict[str, str]:
    names = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
    return {name: info.details.headers[name] for name in names if name in info.details.headers}


OBJECT_OPERATIONS: dict[str, Operation] = {
    "PutObject": put_object,
    "GetObject": get_object,
    "HeadObject": head_object,
    "GetObjectAttributes": get_object_attributes,
    "DeleteObject": delete_object,
    "DeleteObjects": delete_objects,
    "CopyObject": copy_object,
    "GetObjectTagging": get_object_tagging,
    "PutObjectTagging": put_object_tagging,
    "DeleteObjectTagging": delete_object_tagging,
}
