"""Objects in S3, and files beside them, as streams: list, read in whole-line blocks, upload, delete.

Every reader works in bounded memory and goes on where it was when a connection breaks.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from personalize_nb import errors
from personalize_nb.session import compression, object_reading
from personalize_nb.session.client_errors import translated
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted

log = logging.getLogger(__name__)

BLOCK = 16 << 20


@dataclass(frozen=True)
class Stored:
    """One object or file: its address, its size in bytes, and when an object was last written."""

    address: str
    size: int
    modified: datetime | None = None

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.address.rsplit("/", 1)[-1]


def is_s3(address: str) -> bool:
    """Tell an `s3://` address from a local path."""
    return address.startswith("s3://")


def split(address: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` address."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not is_s3(address) or not bucket:
        raise errors.NotFoundError(f"An S3 address looks like 's3://bucket/folder/file', got {address!r}.")
    return bucket, key


def stored(session: Session | None, address: str) -> list[Stored]:
    """List what an address names, ordered by key: all objects that begin with it, or a file, or a folder's files."""
    if is_s3(address):
        bucket, key = split(address)
        try:
            with translated("ListObjectsV2"):
                pages = current(session).s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
                return [
                    Stored(f"s3://{bucket}/{entry['Key']}", entry["Size"], entry["LastModified"])
                    for page in pages
                    for entry in page.get("Contents", ())
                ]
        except errors.AccessError:
            if address.endswith("/") or not (found := _alone(current(session), bucket, key)):
                raise
            return found
    path = Path(address).expanduser()
    if path.is_dir():
        return [Stored(str(file), file.stat().st_size) for file in sorted(path.iterdir()) if file.is_file()]
    return [Stored(str(path), path.stat().st_size)] if path.is_file() else []


def _alone(session: Session, bucket: str, key: str) -> list[Stored]:
    """Return the object of a name where nothing may be listed; S3 does not say there whether it is absent."""
    try:
        with translated("HeadObject"):
            head = session.s3.head_object(Bucket=bucket, Key=key)
    except (errors.AccessError, errors.NotFoundError):
        return []
    return [Stored(f"s3://{bucket}/{key}", head["ContentLength"], head["LastModified"])]


def line_blocks(
    session: Session | None, address: str, size: int | None = None, *, whole: int | None = None
) -> Iterator[bytes]:
    """Yield what an object or file holds in blocks of about `size` (`BLOCK`) that end with a line's end.

    Parameters
    ----------
    session
        Reads `s3://` addresses.
    address
        The object or file.
    size
        Bytes of a block.
    whole
        Bytes of the object, where they are known: large ones are read in several ranges at a time.

    Raises
    ------
    InputError
        It is compressed and damaged, or an archive.
    """
    size = size or BLOCK
    pending: list[bytes] = []
    try:
        file = compression.opened(_Stream(_blocks(session, address, size, whole)))
        while block := file.read(size):
            end = block.rfind(b"\n") + 1
            if not end:  # a line longer than a block is joined once, at its end
                pending.append(block)
                continue
            yield b"".join([*pending, block[:end]])
            pending = [block[end:]]
    except errors.InputError as error:
        error.add(f"It is {address!r}.")
        raise
    if rest := b"".join(pending):
        yield rest


def upload(session: Session, source: IO[bytes], address: str, kms_key_arn: str | None = None) -> None:
    """Store a stream; large ones go up in parts and in parallel.

    Parameters
    ----------
    session
        Where to store it.
    source
        What to store, from where it stands.
    address
        Its `s3://` address.
    kms_key_arn
        The key that encrypts it; without one nothing is said of encryption, so that the bucket's default holds.
    """
    bucket, key = split(address)
    begin = source.tell()
    size = source.seek(0, os.SEEK_END) - begin  # boto3 may close what it has sent
    source.seek(begin)
    with translated("PutObject"):
        session.s3.upload_fileobj(source, bucket, key, ExtraArgs=_encrypted(kms_key_arn))
    log.info("uploaded %s to %s", counted(size, "byte"), address)


def _encrypted(kms_key_arn: str | None) -> dict[str, Any]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_arn} if kms_key_arn else {}


def delete(session: Session, addresses: Iterable[str]) -> None:
    """Delete objects; one that does not exist is no error."""
    for address in addresses:
        bucket, key = split(address)
        with translated("DeleteObject"):
            session.s3.delete_object(Bucket=bucket, Key=key)
        log.info("deleted %s", address)


def _blocks(session: Session | None, address: str, size: int, whole: int | None) -> Iterator[bytes]:
    if not is_s3(address):
        with Path(address).expanduser().open("rb") as file:
            while block := file.read(size):
                yield block
        return
    yield from object_reading.blocks(current(session), *split(address), size, whole)


class _Stream:
    """Blocks as a file that gives as many bytes as are asked for."""

    def __init__(self, blocks: Iterator[bytes]):
        self._blocks = blocks
        self._block = memoryview(b"")

    def read(self, size: int) -> bytes:
        if not self._block:
            self._block = memoryview(next(self._blocks, b""))
        found, self._block = bytes(self._block[:size]), self._block[size:]
        return found
