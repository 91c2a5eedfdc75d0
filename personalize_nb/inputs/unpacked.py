"""Packed files as what they hold, told by their first bytes: compressed ones, and archives of one file."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath

from personalize_nb.errors import InputError
from personalize_nb.session import compression

SUFFIXES = (*compression.SUFFIXES, ".zip", ".tar", ".tgz")
_MOST_LAYERS = 3  # a .tar.gz has two
_SHOWN_NAMES = 3
_OF_SYSTEM = re.compile(r"\._.*|\.DS_Store|Thumbs\.db|desktop\.ini")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SPREADSHEET = (
    "{} is an Excel file or another spreadsheet. Read it with pandas.read_excel(..., dtype=str) and pass the frame."
)
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
        It is cut off or damaged, a spreadsheet, or an archive of no file or several.
    """
    for _ in range(_MOST_LAYERS):
        if compression.is_compressed(content):
            content = compression.opened(io.BytesIO(content), name).read()
        elif content.startswith((b"PK\x03\x04", b"PK\x05\x06")) or content[257:262] == b"ustar":
            content = _taken_out(content, name)
        elif content.startswith(_OLD_OFFICE):
            raise InputError(_SPREADSHEET.format(name))
        else:
            break
    return content


def _taken_out(content: bytes, name: str) -> bytes:
    """Return what the only file of an archive holds."""
    try:
        return _zipped(content, name) if content.startswith(b"PK") else _archived(content, name)
    except InputError:  # is a ValueError, too
        raise
    except _DAMAGED as error:
        raise InputError(
            f"{name} is an archive and cannot be unpacked: {error}. It may be cut off; copy it again."
        ) from error


def _zipped(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(_only([entry.filename for entry in archive.infolist() if not entry.is_dir()], name))


def _archived(content: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        file = archive.extractfile(_only([member.name for member in archive.getmembers() if member.isfile()], name))
        return file.read() if file is not None else b""


def _only(names: list[str], name: str) -> str:
    if {"xl/workbook.xml", "xl/workbook.bin"} & set(names) or {"content.xml", "mimetype"} <= set(names):
        raise InputError(_SPREADSHEET.format(name))
    # what macOS puts beside each file, and desktops into each folder
    kept = [one for one in names if not one.startswith("__MACOSX/") and not _OF_SYSTEM.match(PurePosixPath(one).name)]
    if not kept:
        raise InputError(f"{name} is an archive without a file of data. Name the file itself, or pack it again.")
    if len(kept) > 1:
        more = " and so on" if len(kept) > _SHOWN_NAMES else ""
        raise InputError(
            f"{name} is an archive of {len(kept)} files, {kept[:_SHOWN_NAMES]}{more}. Unpack it and name the files."
        )
    return kept[0]
