"""A body on its way to the disk: counted, digested, and encrypted where it must be."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from personalize_nb.local.s3.encryption import Sealer
from personalize_nb.local.s3.files import BLOCK, Bodies, append_range
from personalize_nb.local.state.diskspace import require_room
from personalize_nb.local.state.durability import settle_file


class Digest(Protocol):
    """What a body is fed to while it is written."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


class Incoming(io.RawIOBase):
    """A body being written: counts its bytes, feeds digests and encrypts on the way. Not visible until published."""

    def __init__(self, path: Path, digests: Mapping[str, Digest], data_key: bytes | None = None):
        super().__init__()
        self.path = path
        self.size = 0
        self.digests = digests
        self.file = io.FileIO(path, "xb")
        self._sealer = None if data_key is None else Sealer(self.file, data_key)

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        view = memoryview(block).cast("B")
        require_room(self.path.parent, len(view))
        for digest in self.digests.values():
            digest.update(view)
        if self._sealer is not None:
            self._sealer.write(view)
        else:
            written = 0
            while written < len(view):
                written += self.file.write(view[written:])
        self.size += len(view)
        return len(view)

    def write_from(self, reader: Any) -> None:
        """Copy everything a binary reader gives, in blocks of constant size."""
        buffer = bytearray(BLOCK)
        view = memoryview(buffer)
        if hasattr(reader, "readinto"):
            while count := reader.readinto(view):
                self.write(view[:count])
        else:
            while block := reader.read(BLOCK):
                self.write(block)

    def append(self, source: BinaryIO, offset: int, length: int) -> None:
        """Append a stretch of another file without reading it here; digests do not see it."""
        require_room(self.path.parent, length)
        append_range(self.file, source, offset, length)
        self.size += length

    def write_range(self, source: BinaryIO, offset: int, length: int) -> None:
        """Write a stretch of another file, read here: its bytes are decrypted or encrypted on the way."""
        source.seek(offset)
        while length > 0 and (block := source.read(min(BLOCK, length))):
            self.write(block)
            length -= len(block)

    def become(self, bodies: Bodies, body: str, source: BinaryIO, size: int) -> None:
        """Become a second name of a published body (opened as `source`), in place of anything written."""
        self.close()
        self.path.unlink()
        bodies.link_to(body, source, size, self.path)
        self.size = size

    def settle(self) -> None:
        """Close a body that is complete; in the mode `durable` it is on the disk then."""
        self.close()
        settle_file(self.path)

    def close(self) -> None:
        if not self.closed:
            if self._sealer is not None and not self.file.closed:
                self._sealer.finish()
            self.file.close()
        super().close()
