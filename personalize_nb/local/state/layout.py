"""Where a local service keeps what, below the one folder that is its own.

    service.json service.lock service.log     who serves here, how to reach it
    themes.json cluster.json                  what writes themes, which cluster answers jobs, when told
    state.sqlite objects/                     resources and queue; S3's buckets
    datasets/<group>/<TYPE>.*.parquet         imported rows; `versions` knows which are the present ones
    streamed.sqlite                           rows put one by one
    models/<8 hex>/                           trained models, by solution version
    lost+found/                               what a start found and nothing names: kept, and never read
    snapshot.lock                             held while a snapshot gathers second names in scratch/
    cache/ scratch/                           may be deleted at any time the service is down

Cheap to import.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
from pathlib import Path

import filelock

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.state import diskspace, platform

log = logging.getLogger(__name__)

RECORD, LOCK, START_LOCK, LOG = "service.json", "service.lock", "start.lock", "service.log"
SNAPSHOT_LOCK, GATHERED = "snapshot.lock", "snapshot."
STATE, OBJECTS = "state.sqlite", "objects"
STREAMED = "streamed.sqlite"
# the one that says whose the folder is comes first
DATABASES = (STATE, f"{OBJECTS}/objects.sqlite", STREAMED)
DRAFT = ".draft"
LOST = "lost+found"
_FOLDERS = ("datasets", "models", "cache", "scratch")
_LOG_BYTES = 5 << 20


def claim_folder(root: Path) -> Path:
    """Make the folder of a service, readable by its owner only, and return its absolute path.

    Raises
    ------
    LocalServiceError
        It cannot be made, or it belongs to another user of this machine.
    """
    root = Path(root).expanduser().absolute()
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not platform.is_ours(root.stat()):
            raise LocalServiceError(
                f"the folder {str(root)!r} belongs to another user (id {root.stat().st_uid}); "
                "give the local service a folder of your own"
            )
        platform.make_private(root)
    except OSError as error:
        raise LocalServiceError(
            f"the local service cannot use the folder {str(root)!r}: {error}; give it another path"
        ) from error
    return root


def prepare(root: Path) -> None:
    """Make the folders inside, and remove what killed processes left half done."""
    for name in _FOLDERS:
        (root / name).mkdir(exist_ok=True)
    for path in (root / "scratch").iterdir():
        if path.is_dir() and not path.name.startswith(GATHERED):
            shutil.rmtree(path)
        elif not path.is_dir():
            path.unlink()
    drop_gathered(root)
    platform.sync_folder(root)
    for draft in (root / "datasets").glob(f"*/*{DRAFT}"):
        draft.unlink(missing_ok=True)


def drop_gathered(root: Path) -> None:
    """Remove what killed snapshots gathered: their second names keep the space of deleted objects."""
    left = list((root / "scratch").glob(f"{GATHERED}*"))
    if left:
        # whoever takes one now is not disturbed, and removes the others itself
        with contextlib.suppress(filelock.Timeout), filelock.FileLock(root / SNAPSHOT_LOCK, timeout=0, mode=0o600):
            for path in left:
                shutil.rmtree(path, ignore_errors=True)


def folder_identity(root: Path) -> str:
    """Return which folder lies at a path now, whatever it is called: a copy is another one, an alias the same.

    Empty where there is none.
    """
    try:
        status = os.stat(root)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return f"{status.st_dev}.{status.st_ino}"


def unusable(root: Path, error: OSError) -> LocalServiceError:
    """Return what to tell of a file of the folder that the system refuses: which, why, and what to do."""
    name = os.fspath(error.filename or root)
    reason = error.strerror or str(error)
    return LocalServiceError(f"the local service cannot use {name!r}: {reason}; {_repair(error)}")


def _repair(error: OSError) -> str:
    if diskspace.is_full(error):
        return "make room on that disk, or give the service another path"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "make it readable and writable for this user, or give the service another path"
    if error.errno in (errno.EEXIST, errno.EISDIR, errno.ENOTDIR):
        return (
            "something else lies there: move it away and restore what was there from a backup, or give the service "
            "another path"
        )
    return "give the service another path"


def set_aside(root: Path, path: Path) -> None:
    """Move a file that nothing names to the same place below `lost+found`."""
    target = lost_path(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        # a folder takes the place of an empty one only: this one was here again after it had been set aside before
        shutil.rmtree(target, ignore_errors=True)
    os.replace(path, target)


def lost_path(root: Path, path: Path) -> Path:
    """Return where a file is kept once it is set aside."""
    return root / LOST / path.relative_to(root)


def tell_aside(root: Path, moved: int) -> None:
    """Say in the log that files were set aside."""
    if moved:
        log.warning("nothing names %d files; they are kept in %s until you remove them", moved, root / LOST)


def turn_log(root: Path) -> None:
    """Put a long log aside, so that logs never take more than two times a few megabytes."""
    log = root / LOG
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        os.replace(log, root / f"{LOG}.1")


def data_path(root: Path, group: str, name: str) -> Path:
    """Return where a file with rows of a dataset is kept."""
    return root / "datasets" / group / name


def model_path(root: Path, solution_version_arn: str) -> Path:
    """Return the folder of a trained model; recommenders give the name of their model for the ARN."""
    return root / "models" / solution_version_arn.rsplit("/", 1)[-1]


def discard_model(root: Path, solution_version_arn: str) -> None:
    """Remove a model that is wanted no more."""
    shutil.rmtree(model_path(root, solution_version_arn), ignore_errors=True)
