"""Where a local service keeps what, below the one folder that is its own.

    service.json service.lock service.log     who serves here, how to reach it
    themes.json                               what writes themes, when told
    state.sqlite objects/                     resources and queue; S3's buckets
    datasets/<group>/<TYPE>.parquet           rows of the newest FULL import
    datasets/<group>/<TYPE>.merged.parquet    the same with later INCREMENTAL ones, if any
    streamed.sqlite                           rows put one by one
    models/<8 hex>/                           trained models, by solution version
    cache/ scratch/                           may be deleted at any time the service is down

Cheap to import.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.state import diskspace, platform

RECORD, LOCK, START_LOCK, LOG = "service.json", "service.lock", "start.lock", "service.log"
STATE, OBJECTS = "state.sqlite", "objects"
DRAFT = ".draft"
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
    shutil.rmtree(root / "scratch")
    (root / "scratch").mkdir()
    for draft in (root / "datasets").glob(f"*/*{DRAFT}"):
        draft.unlink(missing_ok=True)


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


def check_kept(root: Path) -> None:
    """Refuse a folder that has served before and has lost what it kept: a new start would pass for the old one.

    Raises
    ------
    LocalServiceError
        The file that is gone or empty, and what to do.
    """
    for name in (STATE, f"{OBJECTS}/objects.sqlite"):
        file = root / name
        if not file.exists() or file.stat().st_size == 0:
            what = "is empty" if file.exists() else "is gone"
            raise LocalServiceError(
                f"{str(file)!r} {what}, and this folder has kept resources or objects before. Restore the folder from "
                f"a backup; or, to begin anew without them, move {str(root)!r} away or choose another folder"
            )


def turn_log(root: Path) -> None:
    """Put a long log aside, so that logs never take more than two times a few megabytes."""
    log = root / LOG
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        os.replace(log, root / f"{LOG}.1")


def dataset_path(root: Path, group: str, dataset_type: str) -> Path:
    """Return where the rows of a dataset's newest FULL import are kept."""
    return root / "datasets" / group / f"{dataset_type}.parquet"


def merged_path(root: Path, group: str, dataset_type: str) -> Path:
    """Return where the rows of a dataset are kept once an INCREMENTAL import has added to the FULL one."""
    return root / "datasets" / group / f"{dataset_type}.merged.parquet"


def model_path(root: Path, solution_version_arn: str) -> Path:
    """Return the folder of a trained model; recommenders give the name of their model for the ARN."""
    return root / "models" / solution_version_arn.rsplit("/", 1)[-1]


def discard_dataset(root: Path, group: str, dataset_type: str) -> None:
    """Remove the rows of a deleted dataset; nothing happens when there are none."""
    merged_path(root, group, dataset_type).unlink(missing_ok=True)
    dataset_path(root, group, dataset_type).unlink(missing_ok=True)


def discard_model(root: Path, solution_version_arn: str) -> None:
    """Remove a model that is wanted no more."""
    shutil.rmtree(model_path(root, solution_version_arn), ignore_errors=True)
