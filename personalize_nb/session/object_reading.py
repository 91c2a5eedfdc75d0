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
from personalize_nb.session.client_errors import translated
from personalize_nb.session.session import Session

log = logging.getLogger(__name__)

RANGE = 16 << 20
AT_ONCE = 4  # the connections of a boto3 client are ten; others of this kernel read and send as well
LARGE = AT_ONCE * RANGE
_ATTEMPTS = 4


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
        The object was written over while it was read.
    """
    if whole is not None and whole >= LARGE:
        yield from _in_ranges(session, bucket, key)
    else:
        yield from _in_one(session, bucket, key, size)


def _in_one(session: Session, bucket: str, key: str, size: int) -> Iterator[bytes]:
    body, offset, attempts = _Body(session, bucket, key), 0, 0
    try:
        while True:
            try:
                block = body.read(size)
            except OSError as error:
                attempts += 1
                body.close()
                if attempts >= _ATTEMPTS:
                    raise
                _log_break(body, offset, error)
                body = _Body(session, bucket, key, offset, None, body.etag)
                continue
            if not block:
                return
            offset, attempts = offset + len(block), 0
            yield block
    finally:  # also when nobody reads on
        body.close()


def _in_ranges(session: Session, bucket: str, key: str) -> Iterator[bytes]:
    first = _Body(session, bucket, key, 0, RANGE)
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="personalize_nb-range")
    under_way: deque[Future[bytes]] = deque([pool.submit(_range, first, session, 0, RANGE)])
    try:
        begin = RANGE
        while under_way:
            while begin < first.whole and len(under_way) < AT_ONCE:
                end = begin + RANGE
                body = (session, bucket, key, begin, end, first.etag)
                under_way.append(pool.submit(lambda body: _range(_Body(*body), session, body[3], body[4]), body))
                begin = end
            yield under_way.popleft().result()
    finally:  # also when nobody reads on
        pool.shutdown(wait=True, cancel_futures=True)


def _range(body: _Body, session: Session, begin: int, end: int) -> bytes:
    """Return the bytes of a range whose body is open, with new ones where its connection breaks."""
    read: list[bytes] = []
    offset, attempts = begin, 0
    while offset < min(end, body.whole):
        try:
            block = body.read(min(end, body.whole) - offset)
        except OSError as error:
            attempts += 1
            body.close()
            if attempts >= _ATTEMPTS:
                raise
            _log_break(body, offset, error)
            body = _Body(session, body.bucket, body.key, offset, end, body.etag)
            continue
        if not block:
            break
        read.append(block)
        offset, attempts = offset + len(block), 0
    body.close()
    return read[0] if len(read) == 1 else b"".join(read)


def _log_break(body: _Body, offset: int, error: OSError) -> None:
    log.warning("s3://%s/%s is read on at byte %d: %s", body.bucket, body.key, offset, error)


class _Body:
    """An object's bytes from an offset on, or between two; every broken connection shows as `OSError`."""

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
            with translated("GetObject"):
                answer = session.s3.get_object(Bucket=bucket, Key=key, **more)
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
        import botocore.exceptions

        broken = (
            botocore.exceptions.IncompleteReadError,
            botocore.exceptions.ReadTimeoutError,
            botocore.exceptions.ResponseStreamingError,
        )
        try:
            return self._body.read(size)
        except broken as error:
            raise ConnectionError(f"the connection broke while an object was read: {error}") from error
