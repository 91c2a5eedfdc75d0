"""A full disk: how it shows, what is said of it, and the room that objects leave so that it can be said.

Objects are the only thing here that grows without bounds. They stop a few megabytes before the end, so that a
status can still be written down and an object deleted to make room.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.errors import ApiError

RESERVE = 8 << 20
# what a database needs to note that something is deleted, before that has freed anything
_KEPT, _STEP = 1 << 20, 1 << 17
# for the logs and indexes of three databases
_START = 1 << 20
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


def make_room(root: Path, databases: Iterable[str]) -> None:
    """Give away all that is kept for deletions where a start needs it; refuse one for which there is no room at all."""
    if shutil.disk_usage(root).free >= _START:
        return
    for name in databases:
        if (reserve := reserve_of(root / name)).exists():
            os.truncate(reserve, 0)
    if shutil.disk_usage(root).free < _START // 2:
        raise LocalServiceError(reason(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(root))))


def reserve_of(database: Path) -> Path:
    """Return the file that keeps room for a database."""
    return database.with_name(f"{database.name}.reserve")


def stand_by(reserve: Path) -> bool:
    """Keep a file of no use while there is room, and give some of its room away when there is none; tell which it was.

    For what frees space: even a deletion is written down first.
    """
    free, kept = shutil.disk_usage(reserve.parent).free, reserve.stat().st_size if reserve.exists() else 0
    if free < _STEP:
        if kept:
            # not all at once: others fill the disk too
            os.truncate(reserve, max(0, kept - _STEP))
        return True
    if free > RESERVE and kept < _KEPT:
        reserve.write_bytes(bytes(_KEPT))
    return False


def refusal() -> ApiError:
    """Refuse a request for which there is no room, with a status that clients do not try again by themselves."""
    return ApiError("InsufficientStorage", f"{_SAID}. {_DO}.", 507)


def reason(error: BaseException) -> str:
    """Say why background work failed on a full disk."""
    return f"{_SAID}: {error}. {_DO}."
