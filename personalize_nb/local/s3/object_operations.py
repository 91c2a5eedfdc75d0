"""S3's operations on objects, with the parameters and answers of AWS's API reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.messages import FileBody
from personalize_nb.local.s3 import checksums, digests, sealing
from personalize_nb.local.s3.conditions import byte_range, check_copy, check_read, write_condition
from personalize_nb.local.s3.context import (
    MAX_OBJECT_TAGS,
    MAX_PAGE,
    NOT_COPIED,
    S3,
    Operation,
    check_version,
    checked_tags,
    copied,
    copy_source,
    details_of,
    page_size,
    part_marker,
    quoted,
    tags_in_header,
)
from personalize_nb.local.s3.protocol import Call, Reply
from personalize_nb.local.s3.records import Checksum, ObjectInfo
from personalize_nb.local.s3.store import DEFAULT_CONTENT_TYPE

_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}


def put_object(s3: S3, call: Call, least: int = 0) -> Mapping[str, Any]:
    """Put an object; a form's policy may ask for so many bytes at least."""
    bucket, key = call.params["Bucket"], call.params["Key"]
    s3.store.bucket(bucket)
    details, condition = s3.encrypted(details_of(call.params), call.params), write_condition(call.params, key)
    with checksums.receive(s3.store, call.request, seal=details.seal) as received:
        if received.incoming.size < least:
            raise ApiError("EntityTooSmall", f"Your proposed upload is smaller than the minimum of {least} bytes.")
        info = s3.store.publish(
            bucket,
            key,
            received.incoming,
            etag=received.etag,
            content_type=call.params.get("ContentType") or DEFAULT_CONTENT_TYPE,
            details=replace(details, checksum=received.checksum),
            condition=condition,
        )
    return {"ETag": quoted(info.etag), **digests.members(received.checksum), **sealing.shown(info.details)}


def get_object(s3: S3, call: Call) -> Reply:
    info, file = s3.store.open_object(call.params["Bucket"], call.params["Key"])
    try:
        status, members, offset, length = _read_answer(call.params, info)
    except ApiError:
        file.close()
        raise
    if status == 304:
        file.close()
        return Reply(members, status)
    return Reply(members | {"Body": FileBody(file, offset, length)}, status)


def head_object(s3: S3, call: Call) -> Reply:
    info = s3.store.head_whole(call.params["Bucket"], call.params["Key"])
    status, members, _, _ = _read_answer(call.params, info)
    return Reply(members, status)


def get_object_attributes(s3: S3, call: Call) -> Mapping[str, Any]:
    info = s3.store.head(call.params["Bucket"], call.params["Key"])
    checksum = info.details.checksum
    shown = None if checksum is None else digests.members(replace(checksum, value=checksum.bare))
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
    details, after = info.details, part_marker(params)
    answer: dict[str, Any] = {"TotalPartsCount": len(details.part_sizes)}
    if details.checksum is None or not details.part_checksums:
        return answer
    limit = page_size(params.get("MaxParts"), "MaxParts")
    name = digests.member(details.checksum.algorithm)
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
        wishes = {
            "IfMatch": entry.get("ETag"),
            "IfMatchLastModifiedTime": entry.get("LastModifiedTime"),
            "IfMatchSize": entry.get("Size"),
        }
        try:
            check_version(entry)
            s3.store.delete(bucket, key, write_condition(wishes, key))
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
        changing = replacing or any(map(params.get, ("ServerSideEncryption", *NOT_COPIED)))
        if (source_bucket, source_key) == (bucket, key) and not changing:
            raise ApiError(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing its "
                "metadata, storage class, website redirect location or encryption. Use MetadataDirective='REPLACE' to "
                "change the metadata.",
            )
        given = details_of(params)
        details = s3.encrypted(given if replacing else copied(source.details, given), params)
        tags = tags_in_header(params.get("Tagging")) if _directive(params, "TaggingDirective") else source.details.tags
        algorithm, etag = digests.requested(params.get("ChecksumAlgorithm")), source.etag
        checksum = source.details.checksum
        # a copy is one whole, whatever its source was joined from: its ETag is the MD5, its checksum that of all bytes
        whole = not source.details.part_sizes and checksum and checksum.algorithm == (algorithm or checksum.algorithm)
        wanted = algorithm or (checksum.algorithm if checksum else digests.DEFAULT_ALGORITHM)
        with s3.store.incoming(details.seal, **({} if whole else digests.running(wanted))) as incoming:
            if source.details.seal or details.seal or not whole:
                incoming.write_range(s3.store.verified(source_bucket, source, file), 0, source.size)
            else:
                incoming.become(s3.store.bodies, source.body, file, source.size)
            if not whole:
                etag, checksum = digests.etag_of(incoming), digests.kept(wanted, incoming)
            info = s3.store.publish(
                bucket,
                key,
                incoming,
                etag=etag,
                content_type=(params.get("ContentType") or DEFAULT_CONTENT_TYPE) if replacing else source.content_type,
                details=replace(details, tags=tags, checksum=checksum, part_sizes=(), part_checksums=()),
                condition=write_condition(params, key),
            )
    result = {"ETag": quoted(info.etag), "LastModified": info.last_modified}
    return {"CopyObjectResult": result | digests.members(info.details.checksum), **sealing.shown(info.details)}


def get_object_tagging(s3: S3, call: Call) -> Mapping[str, Any]:
    tags = s3.store.head(call.params["Bucket"], call.params["Key"]).details.tags
    return {"TagSet": [{"Key": name, "Value": value} for name, value in sorted(tags.items())]}


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
    details = info.details
    members: dict[str, Any] = {
        "ETag": quoted(info.etag),
        "LastModified": info.last_modified,
        **{name: details.headers[name] for name in ("CacheControl", "Expires") if name in details.headers},
    }
    if not check_read(params, info):
        # An answer without content: the client keeps what it has, and learns how fresh that is.
        return 304, members, 0, 0
    members |= {
        "AcceptRanges": "bytes",
        "ContentType": info.content_type,
        "Metadata": details.metadata,
        "TagCount": len(details.tags) or None,
        **details.headers,
        **sealing.shown(details),
    }
    for wish, name in _OVERRIDES.items():
        if params.get(wish) is not None:
            members[name] = params[wish]
    number, shown = params.get("PartNumber"), details.checksum
    if number is None:
        stretch = byte_range(params.get("Range"), info.size)
        if stretch not in (None, (0, info.size)):
            shown = None  # nobody knows the checksum of a stretch
    else:
        if params.get("Range") is not None:
            raise ApiError("InvalidRequest", "Cannot specify both Range header and partNumber query parameter.")
        stretch = _part_range(number, info)
        if details.part_sizes:
            members["PartsCount"] = len(details.part_sizes)
            shown = _part_checksum(number, info)
    if params.get("ChecksumMode") == "ENABLED":
        members |= digests.members(shown)
    if stretch is None:
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


def _part_checksum(number: int, info: ObjectInfo) -> Checksum | None:
    """Return what is known of a part, with the type of the whole; parts of old uploads may have no checksum."""
    whole, parts = info.details.checksum, info.details.part_checksums
    return Checksum(whole.algorithm, parts[number - 1], whole.type) if whole and parts else None


def _directive(params: Mapping[str, Any], name: str) -> bool:
    value = params.get(name, "COPY")
    if value not in ("COPY", "REPLACE"):
        raise ApiError("InvalidArgument", f"{name} must be COPY or REPLACE, got {value!r}.")
    return bool(value == "REPLACE")


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
