"""Packed files as what they hold, told by their first bytes: compressed ones, and archives of one file."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib

from personalize_nb.errors import InputError
from personalize_nb.session import compression

SUFFIXES = (*compression.SUFFIXES, ".zip", ".tar", ".tgz")
_MOST_LAYERS = 3  # a .tar.gz has two
_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # an archive with a password
    NotImplementedError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
)


def unpacked(content: bytes, name: str) -> bytes:
    """Return the content of a file without its compression; of an archive, that of its only file.

    Raises
    ------
    InputError
        It is cut off or damaged, or an archive of several files.
    """
    for _ in range(_MOST_LAYERS):
        if compression.is_compressed(content):
            content = compression.opened(io.BytesIO(content), name).read()
        elif content.startswith((b"PK\x03\x04", b"PK\x05\x06")) or content[257:262] == b"ustar":
            content = _taken_out(content, name)
        else:
            break
    return content


def _taken_out(content: bytes, name: str) -> bytes:
    """Return what the only file of an archive holds."""
    try:
        return _zipped(content, name) if content.startswith(b"PK") else _archived(content, name)
    except _DAMAGED as error:
        raise InputError(
            f"{name} is an archive and cannot be unpacked: {error}. It may be cut off; copy it again."
        ) from error


def _zipped(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        return archive.read(_only(names, name))


def _archived(content: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        _only([member.name for member in members], name)
        file = archive.extractfile(members[0])
        return file.read() if file is not None else b""


def _only(names: list[str], name: str) -> str:
    if "xl/workbook.xml" in names:
        raise InputError(f"{name} is an Excel file. Read it with pandas.read_excel(..., dtype=str) and pass the frame.")
    if len(names) != 1:
        raise InputError(
            f"{name} is an archive of {len(names)} files, {names[:3]} and so on. Unpack it and name the files."
        )
    return names[0]
