"""What belongs to a service in a folder, that nobody serves it meanwhile, and taking all of it away.

Only names of the service's own are ever touched: a folder may hold other things, and be given by mistake.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.errors import DamagedError
from personalize_nb.local.process.discovery import read_record
from personalize_nb.local.state import diskspace, layout, wholeness
from personalize_nb.local.tasks import cluster_address, theme_settings

# a service that is just ending still holds the folder for a moment
_LOCK_SECONDS = 15.0
# a table of each database that no other program has there
_TABLES = {layout.STATE: "resources", layout.DATABASES[1]: "buckets", layout.STREAMED: "streamed"}
_MARKS = f"{', '.join(layout.DATABASES)}, {layout.RECORD}"
# by what is below them: files and folders with the names that a service gives; what is called otherwise is not its own
_NUMBER, _HEX = "[0-9]*", "[0-9a-f]"
_BESIDE = ("", "-wal", "-shm", "-journal", ".reserve")
_KEPT_BELOW = ("datasets/*/[A-Z]*.parquet", f"objects/bodies/{_HEX * 2}/{_HEX * 32}")
_FILES = (
    # databases first: what is left of a removal that was cut off is refused, not taken for a service
    *(f"{name}{end}" for name in layout.DATABASES for end in _BESIDE),
    *_KEPT_BELOW,
    *(f"{layout.LOST}/{pattern}" for pattern in _KEPT_BELOW if pattern.startswith("datasets")),
    f"objects/{layout.LOST}/bodies/{_HEX * 2}/{_HEX * 32}",
    f"datasets/*/[A-Z]*{layout.DRAFT}",
    f"objects/incoming/{_NUMBER}.{_HEX * 32}",
    *(
        f"{name}{end}"
        for name in (layout.RECORD, theme_settings.FILE, cluster_address.FILE)
        for end in ("", f".{_NUMBER}")
    ),
    *(f"{layout.LOG}{end}" for end in ("", f".{_NUMBER}")),
    layout.START_LOCK,
    layout.SNAPSHOT_LOCK,
)
_MODEL = f"models/{_HEX * 8}"
_TREES = (_MODEL, f"{_MODEL}.part", f"{layout.LOST}/{_MODEL}", f"{layout.LOST}/{_MODEL}.part", "cache", "scratch")
# the deepest first, and only when nothing else is in them
_SHELLS = (
    *(f"{name}datasets/*" for name in ("", f"{layout.LOST}/")),
    *(f"{name}{inner}" for name in (f"{layout.LOST}/", "") for inner in ("datasets", "models")),
    *(f"objects/{name}bodies/{_HEX * 2}" for name in (f"{layout.LOST}/", "")),
    *(f"objects/{name}" for name in (f"{layout.LOST}/bodies", layout.LOST, "bodies", "incoming")),
    "objects",
    layout.LOST,
)
_PLACES = frozenset({"datasets", "models", "objects", layout.LOST})


def existing(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a folder that holds a service's state.

    Raises
    ------
    LocalServiceError
        There is no such folder, or nothing of a service in it.
    """
    root = Path(path).expanduser().absolute()
    if not root.is_dir():
        raise LocalServiceError(f"there is no folder {str(root)!r}; give the folder of a local service")
    if not _is_served(root):
        raise LocalServiceError(
            f"the folder {str(root)!r} holds nothing of a local service ({_MARKS}); give the folder that "
            "the service was started with"
        )
    return root


def _is_served(root: Path) -> bool:
    """Tell whether a service has kept something in a folder; names that anybody gives a folder do not say so."""
    with contextlib.suppress(LocalServiceError):
        if read_record(root) is not None:
            return True
    damaged = []
    for name, table in _TABLES.items():
        path = root / name
        if not path.is_file() or not path.stat().st_size:
            continue
        try:
            with wholeness.reading(path) as db:
                tables = {found for (found,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except DamagedError:
            damaged.append(name)
            continue
        if tables & {table, wholeness.ABOUT}:
            return True
    # of one that cannot be read its name must do, where no other program would have one of that name
    return layout.DATABASES[1] in damaged or {layout.STATE, layout.STREAMED} <= set(damaged)


def vacant(path: str | os.PathLike[str], beside: Path | None = None) -> Path:
    """Return the absolute path of a folder that is empty or not there yet.

    Raises
    ------
    LocalServiceError
        Something is there, or it lies inside the folder `beside`, or holds that.
    """
    target = Path(path).expanduser().absolute()
    if target.is_symlink() and not target.exists():
        raise LocalServiceError(f"{str(target)!r} is a link to nothing; make the folder that it names, or give another")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise LocalServiceError(f"{str(target)!r} is there and not empty; nothing is written over: give a new folder")
    if beside is not None:
        ours, theirs = target.resolve(), beside.resolve()
        if ours.is_relative_to(theirs) or theirs.is_relative_to(ours):
            raise LocalServiceError(
                f"the folder {str(target)!r} and {str(beside)!r} lie in each other; give a folder elsewhere"
            )
    return target


@contextmanager
def telling(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say in words what the system or SQLite refuses while something is done to a folder."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, OSError):
            raise layout.unusable(Path(path), error) from error
        if diskspace.is_full(error):
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))
            raise layout.unusable(Path(path), full) from error
        raise LocalServiceError(
            f"SQLite cannot do its work for {os.fspath(path)!r}: {error}; see that the folder and its disk are there "
            "and writable, then try again"
        ) from error


@contextmanager
def at_rest(root: Path) -> Iterator[None]:
    """Keep a service from starting in a folder meanwhile.

    Raises
    ------
    LocalServiceError
        One runs there.
    """
    lock = filelock.FileLock(root / layout.LOCK, mode=0o600)
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except filelock.Timeout as error:
        raise LocalServiceError(
            f"a local service runs in {str(root)!r}; stop it first: python -m personalize_nb.local --path {root} --stop"
        ) from error
    except OSError as error:
        if error.errno == errno.EROFS:
            # no service can serve there either
            yield
            return
        raise layout.unusable(root, error) from error
    try:
        yield
    finally:
        lock.release()


def empty(root: Path) -> list[Path]:
    """Remove everything of a service from its folder; return what was there besides, which stays."""
    with at_rest(root):
        for pattern in _FILES:
            for path in root.glob(pattern):
                if path.is_symlink() or not path.is_dir():
                    path.unlink(missing_ok=True)
        for pattern in _TREES:
            for path in root.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
        for pattern in _SHELLS:
            for path in root.glob(pattern):
                if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
                    path.rmdir()
    lock = root / layout.LOCK
    if not lock.is_dir():
        lock.unlink(missing_ok=True)
    return sorted(_others(root))


def _others(root: Path) -> Iterator[Path]:
    """Yield what lies in a folder that was emptied; of the service's own places, what lies in them."""
    for path in root.iterdir():
        if path.name in _PLACES and path.is_dir() and not path.is_symlink():
            yield from (inner for inner in path.rglob("*") if not inner.is_dir() or inner.is_symlink())
        else:
            yield path
