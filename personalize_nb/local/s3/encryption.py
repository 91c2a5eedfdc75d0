"""Bodies encrypted at rest: AES-256-GCM in frames, so that any stretch can be read and memory stays constant.

A sealed body is a row of segments, one for each part it was joined from; a segment is a salt and its frames. Each
segment has a key of its own, derived from the object's data key, and each frame's number is its nonce, so frames can
be neither moved nor cut off unseen. The data key is kept with the object, encrypted by KMS.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME = 256 << 10
_SALT, _TAG, _NONCE = 16, 16, 12
_MORE, _LAST = b"\x00", b"\x01"


class Keyring(Protocol):
    """Where data keys come from: KMS."""

    def for_s3(self, name: str | None) -> str:
        """Return the ARN of a usable key; without a name, of the one that is managed for S3."""

    def new_data_key(self, name: str) -> tuple[str, bytes, bytes]:
        """Return a key's ARN, a new data key, and that encrypted by the key."""

    def data_key(self, wrapped: bytes) -> bytes:
        """Return a data key that was encrypted so."""


@dataclass(frozen=True)
class Seal:
    """How a body is encrypted: under which key, its encrypted data key in hex, and the plain sizes of its segments."""

    key: str
    wrapped: str
    sizes: tuple[int, ...] = ()


def sealed_size(size: int) -> int:
    """Return the size on disk of a segment of so many plain bytes."""
    return _SALT + size + _TAG * max(1, -(-size // FRAME))


def size_on_disk(size: int, seal: Seal | None) -> int:
    """Return the size of a body of so many plain bytes."""
    return size if seal is None else sum(map(sealed_size, seal.sizes or (size,)))


class Sealer:
    """Encrypts one segment into a file; `finish` writes what is left."""

    def __init__(self, file: io.RawIOBase, data_key: bytes):
        salt = os.urandom(_SALT)
        self._file = file
        self._cipher = AESGCM(_segment_key(data_key, salt))
        self._pending = bytearray()
        self._number = 0
        _write_all(file, salt)

    def write(self, view: memoryview) -> None:
        """Take bytes in; the last full frame is held back, since it may be the last one."""
        start = 0
        if self._pending:
            start = min(FRAME - len(self._pending), len(view))
            self._pending += view[:start]
            if start == len(view):
                return
            self._emit(self._pending, _MORE)
            self._pending = bytearray()
        while len(view) - start > FRAME:
            self._emit(view[start : start + FRAME], _MORE)
            start += FRAME
        self._pending += view[start:]

    def finish(self) -> None:
        """Write the last frame."""
        self._emit(self._pending, _LAST)

    def _emit(self, plain: Any, mark: bytes) -> None:
        _write_all(self._file, self._cipher.encrypt(_nonce(self._number), bytes(plain), mark))
        self._number += 1


class _Unsealed(io.RawIOBase):
    """The plain bytes of a sealed body, seekable; one frame is held in memory."""

    def __init__(self, file: BinaryIO, data_key: bytes, sizes: Sequence[int]):
        super().__init__()
        self._file, self._data_key, self._sizes = file, data_key, sizes
        self._starts = [0, *accumulate(sizes)]
        self._places = [0, *accumulate(map(sealed_size, sizes))]
        self._position = 0
        self._held: tuple[int, int] | None = None
        self._frame = b""
        self._segment = -1
        self._cipher: AESGCM

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position >= self._starts[-1]:
            return 0
        segment = bisect_right(self._starts, self._position) - 1
        number, offset = divmod(self._position - self._starts[segment], FRAME)
        plain = self._plain(segment, number)[offset : offset + len(buffer)]
        buffer[: len(plain)] = plain
        self._position += len(plain)
        return len(plain)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _plain(self, segment: int, number: int) -> memoryview:
        if self._held != (segment, number):
            place, size = self._places[segment], self._sizes[segment]
            if self._segment != segment:
                self._file.seek(place)
                self._cipher = AESGCM(_segment_key(self._data_key, self._file.read(_SALT)))
                self._segment = segment
            start = number * FRAME
            length = min(FRAME, size - start)
            self._file.seek(place + _SALT + number * (FRAME + _TAG))
            sealed = self._file.read(length + _TAG)
            mark = _LAST if start + length == size else _MORE
            try:
                self._frame = self._cipher.decrypt(_nonce(number), sealed, mark)
            except InvalidTag:
                raise OSError(errno.EIO, "An encrypted object was changed on disk, or its end is missing") from None
            self._held = (segment, number)
        return memoryview(self._frame)


def unsealed(file: BinaryIO, data_key: bytes, sizes: Sequence[int]) -> BinaryIO:
    """Return a sealed body as a file of its plain bytes; closing it closes the body."""
    return io.BufferedReader(_Unsealed(file, data_key, sizes), FRAME)


def _segment_key(data_key: bytes, salt: bytes) -> bytes:
    return hmac.digest(data_key, salt, hashlib.sha256)


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE, "big")


def _write_all(file: io.RawIOBase, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
