"""Objects in S3, and files beside them, as streams: list, read in whole-line blocks, upload, delete.

Every reader works in bounded memory and goes on where it was when a connection breaks.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from personalize_nb import errors
from personalize_nb.session import compression, explanations, object_reading, object_writing
from personalize_nb.session.client_errors import garbled
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session
from personalize_nb.session.transfers import Transfer
from personalize_nb.text.counts import counted

log = logging.getLogger(__name__)

BLOCK = 16 << 20


@dataclass(frozen=True)
class Stored:
    """One object or file: its address, its size in bytes; of an object, when it was written and its storage class."""

    address: str
    size: int
    modified: datetime | None = None
    storage: str = "STANDARD"

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
    """List what an address names, ordered by key: all objects that begin with it, or a file, or a folder's files.

    Who may not list gets the object of that very name, where there is one to be looked at.
    """
    if is_s3(address):
        session = current(session)
        bucket, key = split(address)
        try:
            return listed(session, bucket, key)[0]
        except errors.AccessError:
            if found := looked_at(session, address):
                return [found]
            raise
    path = Path(address).expanduser()
    if path.is_dir():
        return [Stored(str(file), file.stat().st_size) for file in sorted(path.iterdir()) if file.is_file()]
    return [Stored(str(path), path.stat().st_size)] if path.is_file() else []


def listed(session: Session, bucket: str, prefix: str, most: int | None = None) -> tuple[list[Stored], bool]:
    """List the objects of a bucket whose keys begin so, ordered by key; tell whether these are all.

    Parameters
    ----------
    session
        Lists them.
    bucket, prefix
        Where they are.
    most
        How many are enough; by default all are listed.
    """
    return session.answer("ListObjectsV2", lambda: _listed(session, bucket, prefix, most))


def looked_at(session: Session, address: str) -> Stored | None:
    """Return the object of an address, or None where there is none or it may not be looked at either."""
    bucket, key = split(address)
    if not key or key.endswith("/"):
        return None
    try:
        head = session.answer("HeadObject", lambda: session.s3.head_object(Bucket=bucket, Key=key))
    except errors.PersonalizeError as error:
        if explanations.passes(error):
            raise
        return None  # S3 says of what is not there that it may not be looked at, to those who may not list
    return Stored(address, head["ContentLength"], head["LastModified"], head.get("StorageClass", "STANDARD"))


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
    pending: list[bytes | memoryview] = []
    try:
        for block in _plain_blocks(_blocks(session, address, size, whole), size):
            start, view = 0, memoryview(block)
            while end := block.rfind(b"\n", start, start + size) + 1 or block.find(b"\n", start) + 1:
                yield b"".join([*pending, view[start:end]])
                pending, start = [], end
            if start < len(block):  # a line longer than a block is joined once, at its end
                pending.append(view[start:])
    except errors.InputError as error:
        error.add(f"It is {address!r}.")
        raise
    if pending:
        yield b"".join(pending)


def _plain_blocks(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield what blocks hold, decompressed where they are compressed."""
    first = next(blocks, b"")
    whole = itertools.chain([first], blocks)
    if compression.is_plain(first):
        yield from whole
        return
    file = compression.opened(_Stream(whole))
    while block := file.read(size):
        yield block


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
    size = source.seek(0, os.SEEK_END) - begin
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_arn} if kms_key_arn else {}

    def put() -> None:
        source.seek(begin)  # a second time, with new credentials
        with Transfer(f"upload of {key.rpartition('/')[2]!r}", size) as transfer:
            object_writing.store(session.s3, source, size, bucket, key, encrypted, transfer.add)

    session.answer("PutObject", put)
    log.info("uploaded %s to %s", counted(size, "byte"), address)


def beginning(session: Session, address: str, size: int) -> bytes:
    """Return the first bytes of an object, at most `size` of them."""
    bucket, key = split(address)

    def get() -> bytes:
        answer = session.s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{size - 1}")
        with answer["Body"] as body:
            return body.read(size)

    return session.answer("GetObject", get)


def delete(session: Session, addresses: Iterable[str]) -> None:
    """Delete objects that are of no more use, as far as the caller may; one that stays is logged, never raised.

    Why it is cleared away is what the user has to learn, and the right to delete is none that the toolkit needs.
    """
    for address in addresses:
        bucket, key = split(address)
        try:
            session.answer("DeleteObject", partial(_deleted, session, bucket, key))
        except errors.PersonalizeError as error:
            log.warning("%s is of no more use and stays, because it could not be deleted: %s", address, error)
        else:
            log.info("deleted %s", address)


def _deleted(session: Session, bucket: str, key: str) -> None:
    session.s3.delete_object(Bucket=bucket, Key=key)


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


def _listed(session: Session, bucket: str, prefix: str, most: int | None) -> tuple[list[Stored], bool]:
    found: list[Stored] = []
    page: Mapping[str, Any] = {}
    for page in session.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        if "Name" not in page:  # S3 names the bucket in every list: this one was cut
            raise garbled("ListObjectsV2", "it names no bucket.")
        found += [
            Stored(f"s3://{bucket}/{one['Key']}", one["Size"], one["LastModified"], one.get("StorageClass", "STANDARD"))
            for one in page.get("Contents", ())
        ]
        if most is not None and len(found) >= most:
            break
    return found[:most], not page.get("IsTruncated") and (most is None or len(found) <= most)
