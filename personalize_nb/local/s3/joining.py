"""Objects that are joined from parts which other processes have written: nobody reads them again to digest them.

As after an upload in parts: the ETag is made of the parts' MD5s and their number, the checksum of the parts' checksums.
An object of a single part is as if it had been put at once.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from personalize_nb.local.s3.digests import DEFAULT_ALGORITHM, joined, joined_etag, running
from personalize_nb.local.s3.incoming import Incoming
from personalize_nb.local.s3.records import ObjectDetails
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import platform


@dataclass(frozen=True)
class WrittenPart:
    """What is known of the bytes of a part: how many, their MD5 and their checksum."""

    size: int
    etag: str
    checksum: str


def digested(blocks: Iterable[bytes | memoryview]) -> WrittenPart:
    """Return what is to be known of bytes.

    Examples
    --------
    >>> digested([b"some ", b"bytes"]).size
    10
    """
    digests, size = running(DEFAULT_ALGORITHM), 0
    for block in blocks:
        view = memoryview(block).cast("B")
        size += len(view)
        for digest in digests.values():
            digest.update(view)
    etag, checksum = digests["etag"].digest(), digests[DEFAULT_ALGORITHM].digest()
    return WrittenPart(size, etag.hex(), base64.b64encode(checksum).decode())


def write_part(path: Path, blocks: Iterable[bytes | memoryview]) -> WrittenPart:
    """Write a part, readable by its owner only: it is there as a whole or not at all."""
    blocks = list(blocks)
    draft = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    with platform.open_private(draft, "wb") as file:
        file.writelines(blocks)
    os.replace(draft, path)
    return digested(blocks)


class Joining:
    """An object that is made of parts, one after the other."""

    def __init__(self, incoming: Incoming):
        self._incoming = incoming
        self.parts: list[WrittenPart] = []

    def add(self, file: BinaryIO, part: WrittenPart) -> None:
        """Append a part that was written elsewhere."""
        self._incoming.append(file, 0, part.size)
        self.parts.append(part)

    def write(self, text: bytes | memoryview) -> None:
        """Append a part that is here."""
        self._incoming.write(text)
        self.parts.append(digested([text]))


@contextmanager
def joining(store: ObjectStore, bucket: str, key: str) -> Iterator[Joining]:
    """Give what takes parts, in a bucket that does not encrypt; they become the object on a clean exit."""
    with store.incoming() as incoming:
        made = Joining(incoming)
        yield made
        parts = [part for part in made.parts if part.size] or [digested([])]
        checksum = joined(DEFAULT_ALGORITHM, [(part.checksum, part.size) for part in parts])
        details, etag = ObjectDetails(checksum=checksum), parts[0].etag
        if len(parts) > 1:
            sizes, checksums = tuple(part.size for part in parts), tuple(part.checksum for part in parts)
            details = replace(details, part_sizes=sizes, part_checksums=checksums)
            etag = joined_etag([part.etag for part in parts])
        store.publish(bucket, key, incoming, etag=etag, details=details)
