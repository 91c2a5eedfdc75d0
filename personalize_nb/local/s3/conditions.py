"""Conditional requests and byte ranges: what `If-Match` and its kin ask of an object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import numbers
from personalize_nb.local.s3.records import ObjectInfo, no_such_key
from personalize_nb.local.s3.store import Condition


def check_read(params: Mapping[str, Any], info: ObjectInfo) -> None:
    """Refuse a read whose conditions do not hold: 412, or 304 when the caller has the object already."""
    if not _wanted(params, info, "If"):
        # An answer without content: the client keeps what it has.
        raise ApiError("NotModified", "Not Modified", 304)


def check_copy(params: Mapping[str, Any], info: ObjectInfo) -> None:
    """Refuse a copy whose conditions on the source do not hold: always 412."""
    if not _wanted(params, info, "CopySourceIf"):
        raise _failed("the source was not modified")


def write_condition(params: Mapping[str, Any], key: str) -> Condition | None:
    """Return the condition that a write puts on the object it would replace, or None."""
    if_match, if_none_match = params.get("IfMatch"), params.get("IfNoneMatch")
    if if_none_match not in (None, "*"):
        raise ApiError("NotImplemented", f"A write can have If-None-Match: * only, got {if_none_match!r}.", 501)
    if if_match is None and if_none_match is None:
        return None

    def check(old: ObjectInfo | None) -> None:
        if if_none_match and old:
            raise _failed("an object of that key exists")
        if not if_match:
            return
        if old is None:
            raise no_such_key(key)
        if not _matches(if_match, old.etag):
            raise _failed(f"the ETag is {old.etag}")

    return check


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Offset and length that a Range header asks of `size` bytes; None for all of it.

    A header that is not one range of bytes is ignored, as HTTP wants it.
    """
    match = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", (header or "").strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first:
        start, end = numbers.capped(first), min(numbers.capped(last), size - 1) if last else size - 1
        if last and numbers.capped(last) < numbers.capped(first):
            return None
    else:
        start, end = max(size - numbers.capped(last), 0), size - 1
        if not numbers.capped(last):
            start = size
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
