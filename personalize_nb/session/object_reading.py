"""The bytes of an object in S3, in order: one stream, or several ranges under way at a time where it is large.

A connection that breaks goes on where it was. What is read is one version of the object: every request after the first
names its ETag, so that an object that is written over meanwhile is told and never mixed with what it was.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from personalize_nb import errors
from personalize_nb.session import explanations
from personalize_nb.session.client_errors import translated
from personalize_nb.session.session import Session

log = logging.getLogger(__name__)

RANGE = 16 << 20
AT_ONCE = 4  # the connections of a boto3 client are ten; others of this kernel read and send as well
LARGE = AT_ONCE * RANGE
_ATTEMPTS = 4
_CHECKSUMS = ("FlexibleChecksumError", "ChecksumError")


def blocks(session: Session, bucket: str, key: str, size: int, whole: int | None = None) -> Iterator[bytes]:
    """Yield an object's bytes in blocks, in bounded memory.

    Parameters
    ----------
    session
        Who reads.
    bucket, key
        The object.
    size
        Most bytes of a block, where one stream is read.
    whole
        How large the object is, where that is known; a large one is read in ranges.

    Raises
    ------
    ServiceError
        The connection broke again and again, what came is damaged, or the object was written over while it was read.
    """
    if whole is not None and whole >= LARGE:
        yield from _in_ranges(session, bucket, key)
    else:
        yield from _in_one(session, bucket, key, size)


def _in_one(session: Session, bucket: str, key: str, size: int) -> Iterator[bytes]:
    """Yield an object's bytes; each block when the read behind it went well, because only the end proves a checksum."""
    body: _Body | None = None
    held, offset, given, attempts, etag = b"", 0, 0, 0, None
    whole = -1  # nothing is known of the size
    try:
        while True:
            try:
                if body is None:
                    body = _Body(session, bucket, key, offset, None, etag)
                    etag, whole = body.etag, body.whole
                block = body.read(size)
            except errors.ServiceError as error:
                attempts += 1
                _close(body)
                body = None
                _check_passing(error, bucket, key, offset, attempts)
                if error.code in _CHECKSUMS:
                    if given:  # what was given away may be wrong, and cannot be taken back
                        error.add(f"What was read of s3://{bucket}/{key} is damaged. Read it again.")
                        raise
                    held, offset = b"", 0
                elif offset == whole:
                    yield held  # only the end of the answer was lost
                    return
                _log_break(bucket, key, offset, error)
                continue
            if held:
                yield held
                given += len(held)
            if not block:
                return
            held, offset, attempts = block, offset + len(block), 0
    finally:  # also when nobody reads on
        _close(body)


def _in_ranges(session: Session, bucket: str, key: str) -> Iterator[bytes]:
    first = _Body(session, bucket, key, 0, RANGE)
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="personalize_nb-range")
    under_way: deque[Future[bytes]] = deque([pool.submit(_range, session, first, first, 0)])
    try:
        begin = RANGE
        while under_way:
            while begin < first.whole and len(under_way) < AT_ONCE:
                under_way.append(pool.submit(_range, session, first, None, begin))
                begin += RANGE
            yield under_way.popleft().result()
    finally:  # also when nobody reads on
        pool.shutdown(wait=True, cancel_futures=True)


def _range(session: Session, of: _Body, body: _Body | None, begin: int) -> bytes:
    """Return the bytes of a range of an object, with new requests where a connection breaks."""
    end = min(begin + RANGE, of.whole)
    read: list[bytes] = []
    offset, attempts = begin, 0
    try:
        while offset < end:
            try:
                body = body or _Body(session, of.bucket, of.key, offset, end, of.etag)
                block = body.read(end - offset)
            except errors.ServiceError as error:
                attempts += 1
                _close(body)
                body = None
                _check_passing(error, of.bucket, of.key, offset, attempts)
                _log_break(of.bucket, of.key, offset, error)
                continue
            if not block:
                break
            read.append(block)
            offset, attempts = offset + len(block), 0
    finally:
        _close(body)
    return read[0] if len(read) == 1 else b"".join(read)


def _close(body: _Body | None) -> None:
    if body is not None:
        body.close()


def _check_passing(error: errors.ServiceError, bucket: str, key: str, offset: int, attempts: int) -> None:
    """Raise an error that a new request would not help."""
    if not explanations.passes(error):
        raise error
    if attempts >= _ATTEMPTS:
        error.add(f"s3://{bucket}/{key} was read up to byte {offset:,}, in {attempts} tries. Read it again.")
        raise error


def _log_break(bucket: str, key: str, offset: int, error: errors.ServiceError) -> None:
    log.warning("s3://%s/%s is read on at byte %d: %s", bucket, key, offset, error)


class _Body:
    """An object's bytes from an offset on, or between two; what breaks shows as `ServiceError`."""

    def __init__(
        self,
        session: Session,
        bucket: str,
        key: str,
        begin: int = 0,
        end: int | None = None,
        etag: str | None = None,
    ):
        more: dict[str, Any] = {"IfMatch": etag} if etag else {}
        if begin or end is not None:
            more["Range"] = f"bytes={begin}-{'' if end is None else end - 1}"
        try:
            answer = session.answer("GetObject", lambda: session.s3.get_object(Bucket=bucket, Key=key, **more))
        except errors.ServiceError as error:
            if error.code != "PreconditionFailed":
                raise
            raise errors.ServiceError(
                f"s3://{bucket}/{key} was written over while it was read, so that what was read of it is of no use. "
                "Read it again once nobody writes there.",
                error.code,
            ) from error
        self.bucket, self.key = bucket, key
        self.etag: str = answer["ETag"]
        told = answer.get("ContentRange", "").rpartition("/")[2]
        self.whole = int(told) if told.isdecimal() else int(answer["ContentLength"])
        self._body = answer["Body"]

    def close(self) -> None:
        """Let the connection go."""
        self._body.close()

    def read(self, size: int) -> bytes:
        with translated("GetObject"):
            return bytes(self._body.read(size))
