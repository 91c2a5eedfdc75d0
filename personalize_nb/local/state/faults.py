"""What is said of errors that no request is to blame for: the disk, the rights to it, open files.

None of them is a reason to believe that something does not exist.
"""

from __future__ import annotations

import errno
import os
import sqlite3

from personalize_nb.local.errors import ApiError
from personalize_nb.local.state import diskspace

_NO_FILES = frozenset({errno.EMFILE, errno.ENFILE})
_SQLITE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }
)


def refusal(error: Exception) -> ApiError:
    """Return how a request is refused that met an unexpected error."""
    if diskspace.is_full(error):
        return diskspace.refusal()
    if _without_files(error):
        return ApiError(
            "ServiceUnavailable",
            "The local service has no file descriptors left. Close some connections to it, or allow its process more "
            "open files (`ulimit -n`), then try again.",
            503,
        )
    if _of_the_folder(error):
        # not tried again by clients by themselves
        return ApiError(
            "StorageUnavailable",
            f"The local service cannot read or write its folder: {error}. See that the disk is "
            "mounted for writing and the folder still belongs to this user, then try again.",
            507,
        )
    return ApiError("InternalFailure", "The local service met an unexpected error; service.log has the traceback.", 500)


def _without_files(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error) and _primary_code(error) == sqlite3.SQLITE_CANTOPEN:
        # SQLite does not say why
        try:
            open(os.devnull, "rb").close()
        except OSError as failed:
            return failed.errno in _NO_FILES
    return isinstance(error, OSError) and error.errno in _NO_FILES


def _of_the_folder(error: Exception) -> bool:
    """Tell whether an error came from the disk: connections have errors of their own, which never come here."""
    return _primary_code(error) in _SQLITE if isinstance(error, sqlite3.Error) else isinstance(error, OSError)


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
