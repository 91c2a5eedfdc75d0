"""What belongs to a service in a folder, that nobody serves it meanwhile, and taking all of it away.

Only names of the service's own are ever touched: a folder may hold other things, and be given by mistake.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.state import layout
from personalize_nb.local.tasks import theme_settings

# a service that is just ending still holds the folder for a moment
_LOCK_SECONDS = 15.0
# without these there is no state
_STATE = (layout.STATE, layout.OBJECTS, layout.STREAMED, "datasets", "models", layout.RECORD)
_OWN = (
    *_STATE,
    layout.LOG,
    theme_settings.FILE,
    layout.LOST,
    "cache",
    "scratch",
    layout.START_LOCK,
    layout.SNAPSHOT_LOCK,
    layout.LOCK,
)
# what SQLite has beside its files, what is kept for full disks, the log before the present one, drafts by process
_BESIDE = ("-wal", "-shm", "-journal", ".reserve", ".[0-9]*")


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
    if not any((root / name).exists() for name in _STATE):
        raise LocalServiceError(
            f"the folder {str(root)!r} holds nothing of a local service ({', '.join(_STATE)}); give the folder that "
            "the service was started with"
        )
    return root


def vacant(path: str | os.PathLike[str], beside: Path | None = None) -> Path:
    """Return the absolute path of a folder that is empty or not there yet.

    Raises
    ------
    LocalServiceError
        Something is there, or it lies inside the folder `beside`, or holds that.
    """
    target = Path(path).expanduser().absolute()
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
def at_rest(root: Path) -> Iterator[None]:
    """Keep a service from starting in a folder meanwhile.

    Raises
    ------
    LocalServiceError
        One runs there.
    """
    path = root / layout.LOCK
    if not path.exists():
        # nobody has served here, and a folder that is only looked at gets no file
        yield
        return
    lock = filelock.FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except filelock.Timeout as error:
        raise LocalServiceError(
            f"a local service runs in {str(root)!r}; stop it first: python -m personalize_nb.local --path {root} --stop"
        ) from error
    try:
        yield
    finally:
        lock.release()


def empty(root: Path) -> list[Path]:
    """Remove everything of a service from its folder; return what was there besides, which stays."""
    with at_rest(root):
        # databases first: what is left of a removal that was cut off is refused, not taken for a service
        for name in _OWN:
            if (root / name).is_dir() and not (root / name).is_symlink():
                shutil.rmtree(root / name)
            elif name != layout.LOCK:
                for path in [root / name, *(path for end in _BESIDE for path in root.glob(name + end))]:
                    path.unlink(missing_ok=True)
    (root / layout.LOCK).unlink(missing_ok=True)
    return sorted(root.iterdir())
