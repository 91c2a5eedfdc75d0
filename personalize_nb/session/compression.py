"""Compressed files read as what they hold: gzip, bzip2, xz, Zstandard and LZ4, told by their first bytes.

Names say little: a downloaded file loses its suffix, a renamed one gets a wrong one.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, Protocol

from personalize_nb.errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Buffer

SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd", ".lz4")
_LONGEST_MAGIC = 10
_ARCHIVES = (b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")


class ByteSource(Protocol):
    """Anything that gives bytes: a file, a buffer, the body of an S3 object."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...


def is_compressed(head: bytes) -> bool:
    """Tell by its first bytes whether a file is compressed in a way that `opened` reads."""
    return any(matches(head) for matches, _, _ in _KINDS)


def is_plain(head: bytes) -> bool:
    """Tell by its first bytes whether a file is certainly what it holds: neither compressed nor an archive."""
    return len(head) >= _LONGEST_MAGIC and not is_compressed(head) and not head.startswith(_ARCHIVES)


def opened(file: ByteSource, called: str = "The file") -> IO[bytes]:
    """Return a file that reads what a file holds, decompressed where it is compressed.

    Parameters
    ----------
    file
        Read from where it stands; it need not be able to seek.
    called
        What messages call it.

    Raises
    ------
    InputError
        It is an archive of several files; or, while it is read, the compressed file is damaged or cut off.
    """
    head = b""
    while len(head) < _LONGEST_MAGIC and (more := file.read(_LONGEST_MAGIC - len(head))):
        head += more
    whole = io.BufferedReader(_Source(head, file))
    if head.startswith(_ARCHIVES):
        raise InputError(
            f"{called} is an archive of files (zip, 7z or rar); legal is plain text, or one file compressed with gzip, "
            "bzip2, xz, zstd or lz4. Unpack it, and name the file that was in it."
        )
    for matches, name, reader in _KINDS:
        if matches(head):
            return io.BufferedReader(_Decompressed(called, name, reader(whole)))
    return whole


class _Source(io.RawIOBase):
    """The bytes read ahead, then those of the file."""

    def __init__(self, head: bytes, file: ByteSource):
        self._rest, self._file = head, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        block = self._rest or self._file.read(len(view))
        count = min(len(block), len(view))
        view[:count] = block[:count]
        self._rest = block[count:]
        return count


class _Decompressed(io.RawIOBase):
    """What a decompressor gives; whatever it says of a damaged file becomes our own error."""

    def __init__(self, called: str, codec: str, reader: Any):
        self._called, self._codec, self._reader = called, codec, reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        try:
            block = self._reader.read(len(view))
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise self._damaged(error) from error
        except OSError as error:
            # the decompressors' own; a disk's or a connection's has a number or a class of its own
            if type(error) is not OSError or error.errno is not None:
                raise
            raise self._damaged(error) from error
        view[: len(block)] = block
        return len(block)

    def _damaged(self, error: Exception) -> InputError:
        return InputError(
            f"{self._called} is compressed with {self._codec} and damaged or cut off: {error}. Copy it again from "
            "where it came from, or make it again."
        )


def _arrow(codec: str) -> Callable[[IO[bytes]], Any]:
    def reader(file: IO[bytes]) -> Any:
        import pyarrow as pa

        return pa.CompressedInputStream(pa.PythonFile(file, "r"), codec)

    return reader


def _is_bzip2(head: bytes) -> bool:
    # an id may begin with BZh, so what must follow counts as well: a block, or the end of an empty file
    return head[:3] == b"BZh" and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")


_KINDS: tuple[tuple[Callable[[bytes], bool], str, Callable[[IO[bytes]], Any]], ...] = (
    (lambda head: head.startswith(b"\x1f\x8b\x08"), "gzip", lambda file: gzip.GzipFile(fileobj=file)),
    (_is_bzip2, "bzip2", bz2.BZ2File),
    (lambda head: head.startswith(b"\xfd7zXZ\x00"), "xz", lzma.LZMAFile),
    (lambda head: head.startswith(b"\x28\xb5\x2f\xfd"), "zstd", _arrow("zstd")),
    (lambda head: head.startswith(b"\x04\x22\x4d\x18"), "lz4", _arrow("lz4")),
)
