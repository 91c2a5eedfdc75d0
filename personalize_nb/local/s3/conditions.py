"""Conditional requests and byte ranges: what `If-Match` and its kin ask of an object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import numbers
from personalize_nb.local.s3.records import ObjectInfo, no_such_key
from personalize_nb.local.s3.store import Condition


def check_read(params: Mapping[str, Any], info: ObjectInfo) -> bool:
    """Refuse a read whose conditions do not hold; return whether it is wanted: the caller may have the object."""
    return _wanted(params, info, "If")


def check_copy(params: Mapping[str, Any], info: ObjectInfo) -> None:
    """Refuse a copy whose conditions on the source do not hold: always 412."""
    if not _wanted(params, info, "CopySourceIf"):
        raise _failed("the source was not modified")


def write_condition(params: Mapping[str, Any], key: str) -> Condition | None:
    """Return the condition that a write or deletion puts on the object that is there, or None."""
    names = ("IfMatch", "IfNoneMatch", "IfMatchLastModifiedTime", "IfMatchSize")
    if_match, if_none_match, modified, size = wishes = [params.get(name) for name in names]
    if all(wish is None for wish in wishes):
        return None

    def check(old: ObjectInfo | None) -> None:
        if old is None:
            if any(wish is not None for wish in (if_match, modified, size)):
                raise no_such_key(key)
            return
        if if_none_match is not None and _matches(if_none_match, old.etag):
            raise _failed(f"an object of that key exists, with the ETag {old.etag}")
        if if_match is not None and not _matches(if_match, old.etag):
            raise _failed(f"the ETag is {old.etag}")
        if modified is not None and int(modified) != int(old.last_modified):
            raise _failed("the object was modified at another time")
        if size is not None and size != old.size:
            raise _failed(f"the object has {old.size} bytes")

    return check


def copy_range(header: str | None, size: int) -> tuple[int, int]:
    """Offset and length that `x-amz-copy-source-range` asks of a source: both ends named, inside it."""
    if header is None:
        return 0, size
    match = re.fullmatch(r"bytes=([0-9]+)-([0-9]+)", header)
    first, last = (numbers.capped(text) for text in match.groups()) if match else (1, 0)
    if first > last:
        raise ApiError(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            f"zero-based offsets of the first and last bytes to copy, got {header!r}.",
        )
    if last >= size:
        raise ApiError("InvalidRange", f"Range specified is not valid for source object of size {size}: {header}.", 416)
    return first, last - first + 1


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Offset and length that a Range header asks of `size` bytes; None for all of it.

    A header that is not one range of bytes is ignored, as HTTP wants it.
    """
    match = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", (header or "").strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = (numbers.capped(text) if text else None for text in match.groups())
    if first is not None:
        start, end = first, size - 1 if last is None else min(last, size - 1)
        if last is not None and last < first:
            return None
    else:
        # the last bytes; of none there is nothing to give
        start, end = max(size - last, 0) if last else size, size - 1
    if start >= size:
        raise ApiError(
            "InvalidRange", f"The requested range is not satisfiable: {header} of an object of {size} bytes.", 416
        )
    return start, end - start + 1


def _wanted(params: Mapping[str, Any], info: ObjectInfo, stem: str) -> bool:
    match, none_match = params.get(f"{stem}Match"), params.get(f"{stem}NoneMatch")
    modified = int(info.last_modified)
    if match is not None:
        if not _matches(match, info.etag):
            raise _failed(f"the ETag is {info.etag}")
    elif (since := params.get(f"{stem}UnmodifiedSince")) is not None and modified > since:
        raise _failed("the object was modified since")
    if none_match is not None:
        return not _matches(none_match, info.etag)
    since = params.get(f"{stem}ModifiedSince")
    return since is None or modified > since


def _matches(header: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")}
    return "*" in tags or etag in tags


def _failed(detail: str) -> ApiError:
    return ApiError(
        "PreconditionFailed", f"At least one of the pre-conditions you specified did not hold: {detail}.", 412
    )
