"""Bodies that are compared with what was kept of them while they are read: for work inside the service.

Whoever reads an object over the endpoint compares its checksum himself. Work that reads one from its beginning to its
end learns there, before anything it made of it is committed, when the bytes are not those that were put.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from personalize_nb.local.errors import DamagedError
from personalize_nb.local.s3.digests import new_digest
from personalize_nb.local.s3.files import BLOCK
from personalize_nb.local.s3.incoming import Digest
from personalize_nb.local.s3.records import ObjectInfo

ALTERED = "the bytes of its body are not those that were put"
_MD5 = re.compile("[0-9a-f]{32}")

# so many bytes, what they are fed to, and what it says then
Stretch = tuple[int, Callable[[], Digest], str]


def stretches(info: ObjectInfo) -> list[Stretch]:
    """Return what is known of an object's bytes, from their beginning on; nothing where only its size is known."""
    checksum, details = info.details.checksum, info.details
    if checksum is None:
        if details.seal is None and not details.part_sizes and _MD5.fullmatch(info.etag):
            return [(info.size, lambda: hashlib.md5(usedforsecurity=False), info.etag)]
        return []
    known: Iterable[tuple[int, str]] = [(info.size, checksum.value)]
    if checksum.type == "COMPOSITE":
        known = zip(details.part_sizes, details.part_checksums, strict=False)
    return [(size, lambda: new_digest(checksum.algorithm), base64.b64decode(value).hex()) for size, value in known]


def verified(file: BinaryIO, known: list[Stretch], damaged: Callable[[str], DamagedError]) -> BinaryIO:
    """Return the same file, whose reading fails where it is not what is known of it; closing it closes the file.

    Parameters
    ----------
    file
        The bytes of an object.
    known
        What is compared as far as it is read from the beginning on without a gap.
    damaged
        Makes the error of a cause.
    """
    return io.BufferedReader(_Verified(file, known, damaged), BLOCK)


class _Verified(io.RawIOBase):
    """The bytes of a file, fed to digests as long as they come one after the other."""

    def __init__(self, file: BinaryIO, known: list[Stretch], damaged: Callable[[str], DamagedError]):
        super().__init__()
        self._file, self._known, self._damaged = file, known, damaged
        self._position = 0
        self._begin()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = self._file.seek(offset, whence)
        if not self._position:
            self._begin()
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        try:
            block = self._file.read(len(view))
        except OSError as error:
            raise self._damaged(f"its body cannot be read: {error.strerror or error}") from error
        view[: len(block)] = block
        if self._position == self._fed:
            self._feed(view[: len(block)])
        self._position += len(block)
        return len(block)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _begin(self) -> None:
        """Compare from the beginning on."""
        self._fed = 0
        self._ahead = iter(self._known)
        self._next()

    def _next(self) -> None:
        self._left, make, self._wanted = next(self._ahead, (0, None, ""))
        self._digest = None if make is None else make()

    def _feed(self, view: memoryview) -> None:
        self._fed += len(view)
        while view and self._digest is not None:
            part = view[: self._left]
            self._digest.update(part)
            view, self._left = view[len(part) :], self._left - len(part)
            if not self._left:
                if self._digest.digest().hex() != self._wanted:
                    raise self._damaged(ALTERED)
                self._next()
