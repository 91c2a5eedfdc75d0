"""Compressed files as what they hold, told by their first bytes: a name may say otherwise, or nothing at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import pyarrow as pa

from personalize_nb.errors import InputError

SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd", ".lz4", ".zip", ".tar", ".tgz")
_MOST_LAYERS = 3  # a .tar.gz has two


def unpacked(content: bytes, name: str) -> bytes:
    """Return the content of a file without its compression; of an archive, that of its only file.

    Raises
    ------
    InputError
        It is cut off or damaged, or an archive of several files.
    """
    for _ in range(_MOST_LAYERS):
        way = next((way for known, way in _WAYS if known(content)), None)
        if way is None:
            return content
        try:
            content = way(content)
        except InputError as error:
            raise InputError(f"{name} {error}") from None
        except _DAMAGED as error:
            raise InputError(
                f"{name} is compressed and cannot be unpacked: {error}. It may be cut off; copy it again."
            ) from error
    return content


_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # an archive with a password
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    pa.ArrowException,
)


def _begins(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(magics)


def _streamed(codec: str) -> Callable[[bytes], bytes]:
    return lambda content: bytes(pa.CompressedInputStream(pa.BufferReader(content), codec).read())


def _zipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        return archive.read(_only(names))


def _archived(content: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        _only([member.name for member in members])
        file = archive.extractfile(members[0])
        return file.read() if file is not None else b""


def _only(names: list[str]) -> str:
    if "xl/workbook.xml" in names:
        raise InputError("is an Excel file. Read it with pandas.read_excel(..., dtype=str) and pass the frame.")
    if len(names) != 1:
        raise InputError(f"is an archive of {len(names)} files, {names[:3]} and so on. Unpack it and name the files.")
    return names[0]


_WAYS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], bytes]], ...] = (
    (_begins(b"\x1f\x8b"), gzip.decompress),
    # all ten bytes: the first three alone may begin an id
    (lambda content: content[:3] == b"BZh" and content[4:10] in (b"1AY&SY", b"\x17rE8P\x90"), bz2.decompress),
    (_begins(b"\xfd7zXZ\x00"), lzma.decompress),
    (_begins(b"\x28\xb5\x2f\xfd"), _streamed("zstd")),
    (_begins(b"\x04\x22\x4d\x18"), _streamed("lz4")),
    (_begins(b"PK\x03\x04", b"PK\x05\x06"), _zipped),
    (lambda content: content[257:262] == b"ustar", _archived),
)
