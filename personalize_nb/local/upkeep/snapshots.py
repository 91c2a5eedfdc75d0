"""The state of a service at one moment in one file, and a folder made of it again.

While it is taken, all databases are held against writing, which takes as long as giving every file that they name a
second name: bodies, rows and models never change. What is written to the file is looked through first. The file is a
zip archive without compression whose manifest has the checksum of everything; keys of clients are not in it, those of
KMS are, since encrypted objects are.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import sqlite3
import struct
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

import filelock

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.errors import DamagedError
from personalize_nb.local.process.discovery import read_record
from personalize_nb.local.state import layout, model_folders, platform, versions, wholeness
from personalize_nb.local.state.wholeness import Identity
from personalize_nb.local.tasks import theme_settings
from personalize_nb.local.upkeep import checking, folders

_MANIFEST, _FORMAT = "manifest.json", 1
_BLOCK = 1 << 20
_BUSY_SECONDS = 60.0
_HOLDS = {*layout.DATABASES, theme_settings.FILE}
_BELOW = ("objects/bodies/", "datasets/", "models/")
# an OSError too: of a place before the beginning of the file
_ILLEGIBLE = (
    *(zipfile.BadZipFile, EOFError, RuntimeError, ValueError, LookupError, OverflowError, OSError),
    *(struct.error, zlib.error, lzma.LZMAError),
)
_ANOTHER = "Take another copy of the snapshot"


def snapshot(path: str | os.PathLike[str], file: str | os.PathLike[str]) -> Path:
    """Keep the state of a service, as it is at one moment, in a file; the service may run.

    Parameters
    ----------
    path
        The folder of the service.
    file
        The file to make, outside that folder; it is there when it is whole, readable by its owner only.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    LocalServiceError
        There is no service's folder, or the file is there already.
    DamagedError
        Something in the folder is damaged: a snapshot of it would not open, or would answer wrongly.
    """
    root, target = folders.existing(path), Path(file).expanduser().absolute()
    if target.exists():
        raise LocalServiceError(f"{str(target)!r} is there already; nothing is written over: give another name")
    if not target.parent.is_dir():
        raise LocalServiceError(f"there is no folder {str(target.parent)!r} for the snapshot; make it first")
    if target.resolve().is_relative_to(root.resolve()):
        raise LocalServiceError(f"{str(target)!r} lies in the service's own folder; give a file elsewhere")
    with folders.telling(root), _gathered(root) as (gathered, names):
        try:
            found = checking.check(gathered)
        except LocalServiceError as error:
            if gathered.is_dir():
                raise
            raise _emptied(root) from error
        for damage in found:
            if damage.harmless:
                continue
            inside = root / damage.path.relative_to(gathered)
            repair = f"{damage.repair}; `personalize-nb state check {root}` names all that is damaged"
            raise DamagedError(inside, damage.cause, repair)
        draft = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            with folders.telling(target):
                _write(root, gathered, names, draft)
                os.replace(draft, target)
                platform.sync_folder(target.parent)
        finally:
            draft.unlink(missing_ok=True)
    return target


def _emptied(root: Path) -> LocalServiceError:
    return LocalServiceError(
        f"the folder {str(root)!r} was emptied or moved while its snapshot was taken; no snapshot is made: see that "
        "the folder is there, then try again"
    )


def restore(file: str | os.PathLike[str], path: str | os.PathLike[str]) -> Path:
    """Make a service's folder of a snapshot.

    Parameters
    ----------
    file
        What `snapshot` made.
    path
        The folder to make; it may be there when it is empty. It has the same account, region and state, and gets
        keys of its own.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    LocalServiceError
        There is no such file, or the folder is not empty.
    DamagedError
        The file is no snapshot, or not as it was made; nothing is left of the folder.
    """
    source, target = Path(file).expanduser().absolute(), folders.vacant(path)
    if not source.is_file():
        raise LocalServiceError(f"there is no file {str(source)!r}; give a file that `snapshot` made")
    # one that is there may be another disk, or a link to it: it is filled, and never put in the place of
    present = target.exists()
    draft = (target if present else target.parent) / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        with folders.telling(target):
            layout.claim_folder(target if present else draft)
            draft.mkdir(exist_ok=True)
            _unpack(source, draft)
            platform.sync_tree(draft)
            if present:
                # the one without which nothing starts comes last
                for path in sorted(draft.iterdir(), key=lambda path: path.name == layout.STATE):
                    os.replace(path, target / path.name)
                platform.sync_folder(target)
            else:
                os.replace(draft, target)
                platform.sync_folder(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _unpack(source: Path, draft: Path) -> None:
    with open(source, "rb") as stream:
        with _legible(source):
            archive = zipfile.ZipFile(stream)
        with archive:
            _read(archive, source, draft)


@contextmanager
def _legible(source: Path) -> Iterator[None]:
    """Say of whatever Python's zip archives raise at bytes that are not as they were written that they are damaged."""
    try:
        yield
    except _ILLEGIBLE as error:
        raise DamagedError(source, f"it is no snapshot, or not whole: {error}", _ANOTHER) from error


@contextmanager
def _gathered(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Give a folder with copies of the databases of one moment and second names of all files that they name.

    And with it the names of all that must be in it. The lock keeps starting services from removing it, and falls with
    this process, so that they remove what it leaves when it is killed.
    """
    wholeness.look(root)
    layout.drop_gathered(root)
    folder = root / "scratch" / f"{layout.GATHERED}{uuid.uuid4().hex}"
    names = list(layout.DATABASES)
    with ExitStack() as whole:
        whole.enter_context(filelock.FileLock(root / layout.SNAPSHOT_LOCK, mode=0o600))
        whole.callback(shutil.rmtree, folder, ignore_errors=True)
        for name in ("objects/bodies", "datasets", "models"):
            (folder / name).mkdir(parents=True)
        with ExitStack() as stack:
            present = [name for name in layout.DATABASES if (root / name).exists()]
            for name in present:
                stack.enter_context(_held(root / name))
            for name in present:
                _copy_database(root / name, folder / name)
            for original, path in _named(root, folder):
                _second_name(original, folder / path)
                names.append(path.as_posix())
        _say_whose(root, folder)
        yield folder, sorted(names)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keep everybody from writing to a database."""
    with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


def _named(root: Path, copied: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files that copied databases name, and their places below the folder."""
    from personalize_nb.local.s3 import verifying

    state, objects, _ = (copied / name for name in layout.DATABASES)
    if objects.exists():
        with wholeness.reading(objects) as db:
            for (name,) in db.execute("SELECT body FROM objects UNION SELECT body FROM parts"):
                yield verifying.place_of(root / layout.OBJECTS, name), Path(layout.OBJECTS, "bodies", name[:2], name)
    if state.exists():
        with wholeness.reading(state) as db:
            for path in versions.named(root, db):
                yield path, path.relative_to(root)
            for model in model_folders.served(db):
                for path in layout.model_path(root, model).glob("*"):
                    yield path, path.relative_to(root)
    if (root / theme_settings.FILE).exists():
        yield root / theme_settings.FILE, Path(theme_settings.FILE)


def _second_name(original: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        platform.link(original, path)
    except FileNotFoundError:
        # damaged: the look at what is gathered says which file it is
        return
    except OSError:
        shutil.copyfile(original, path)


def _say_whose(root: Path, copied: Path) -> None:
    """Note account and region in copied databases, which folders of earlier versions do not have there."""
    identity = wholeness.identity_of(copied)
    if identity is None and (record := read_record(root)) is not None:
        identity = Identity(record.account, record.region)
    if identity is None:
        raise LocalServiceError(f"nothing in {str(root)!r} says whose it is; start its service once, then try again")
    for name in layout.DATABASES:
        (copied / name).touch()
    wholeness.mark(copied, identity)


def _write(root: Path, folder: Path, names: list[str], draft: Path) -> None:
    files = {}
    with (
        platform.open_private(draft, "xb") as out,
        zipfile.ZipFile(out, "w", allowZip64=True) as archive,
    ):
        for name in names:
            try:
                source = open(folder / name, "rb")  # noqa: SIM115
            except FileNotFoundError as error:
                # all were there when they were looked through
                raise _emptied(root) from error
            with source, archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as into:
                files[name] = _copied(source, into)
        archive.writestr(zipfile.ZipInfo(_MANIFEST), json.dumps({"format": _FORMAT, "files": files}))
    platform.sync_file(draft)


def _read(archive: zipfile.ZipFile, source: Path, draft: Path) -> None:
    files = _manifest(archive, source)
    for name, checksum in files.items():
        target = draft / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with _legible(source):
            packed = archive.open(name)
        with packed, platform.open_private(target, "xb") as into:
            if _copied(packed, into, partial(_legible, source)) != checksum:
                raise DamagedError(source, f"{name} in it is not what was kept", _ANOTHER)


def _manifest(archive: zipfile.ZipFile, source: Path) -> dict[str, str]:
    try:
        with _legible(source):
            text = archive.read(_MANIFEST) if _MANIFEST in archive.namelist() else b""
        manifest: dict[str, Any] = json.loads(text)
        written, files = manifest["format"], dict(manifest["files"].items())
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(source, "it is a zip archive without the manifest of a snapshot", _ANOTHER) from error
    if written != _FORMAT:
        raise DamagedError(source, f"it has format {written}, legal is {_FORMAT}", "Restore it with a later version")
    if sorted(archive.namelist()) != sorted([*files, _MANIFEST]):
        raise DamagedError(source, "it does not hold the files that its manifest names", _ANOTHER)
    for name in files:
        # whoever wrote it: nothing leaves the folder, and nothing else than a service's own comes into it
        if ".." in PurePosixPath(name).parts or "\\" in name or not (name in _HOLDS or name.startswith(_BELOW)):
            raise DamagedError(source, f"it holds {name!r}, which no snapshot does", _ANOTHER)
    if missing := [name for name in layout.DATABASES if name not in files]:
        raise DamagedError(source, f"it holds no {missing[0]}, which every snapshot does", _ANOTHER)
    return files


def _copied(
    source: IO[bytes], target: IO[bytes], while_read: Callable[[], AbstractContextManager[None]] = nullcontext
) -> str:
    digest = hashlib.sha256()
    while True:
        with while_read():
            block = source.read(_BLOCK)
        if not block:
            break
        digest.update(block)
        target.write(block)
    return digest.hexdigest()
