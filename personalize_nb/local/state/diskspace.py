"""A full disk: how it shows, what is said of it, and the room that objects leave so that it can be said.

Objects are the only thing here that grows without bounds. They stop a few megabytes before the end, so that a
status can still be written down and an object deleted to make room.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.errors import ApiError

RESERVE = 8 << 20
_CODES = (errno.ENOSPC, errno.EDQUOT)
_SAID = "No space is left for the local service's folder"
_DO = "Delete objects or free some space, then try again"


def is_full(error: BaseException) -> bool:
    """Tell whether an error came from a full disk, or from the user's share of it."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in _CODES


@contextmanager
def telling() -> Iterator[None]:
    """Say in words that a service cannot start because the disk is full."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if not is_full(error):
            raise
        raise LocalServiceError(reason(error)) from error


def require_room(folder: str | os.PathLike[str], size: int) -> None:
    """Raise what a full disk raises when `size` more bytes of objects would take from the reserve."""
    if shutil.disk_usage(folder).free < size + RESERVE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(folder))


def refusal() -> ApiError:
    """Refuse a request for which there is no room, with a status that clients do not try again by themselves."""
    return ApiError("InsufficientStorage", f"{_SAID}. {_DO}.", 507)


def reason(error: BaseException) -> str:
    """Say why background work failed on a full disk."""
    return f"{_SAID}: {error}. {_DO}."
