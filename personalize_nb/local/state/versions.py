"""Which files hold the rows of each dataset: named in the database, so that they and a job's end are one commit.

A job writes its files beside the present ones, under names of their own, and says with a `Replacement` what they
take the place of. Killed before the commit it leaves the dataset as it was and begins anew from the same rows; after
it there is nothing left to do. Folders of earlier versions have no rows here: their files are known by fixed names.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from personalize_nb.local.errors import DamagedError
from personalize_nb.local.state import layout, platform
from personalize_nb.local.state.database import Database

TABLE = """
CREATE TABLE IF NOT EXISTS data_files (
    dataset_group TEXT NOT NULL,
    type TEXT NOT NULL,
    full TEXT,
    newest TEXT,
    former TEXT NOT NULL,
    PRIMARY KEY (dataset_group, type)
) WITHOUT ROWID;
"""
# what followed the type in the names of earlier versions: of a FULL import, and of all rows
_FIXED = ("parquet", "merged.parquet")
_CHECKSUM = 64
IMPORT_AGAIN = "Import the dataset again, in mode FULL"


class OvertakenError(Exception):
    """The rows that a job began with are no longer the present ones; it begins anew with those."""


@dataclass(frozen=True)
class DataFiles:
    """The names of a dataset's files; None where there is none.

    Parameters
    ----------
    full
        Rows of the newest FULL import.
    newest
        All imported rows; the same file until an INCREMENTAL import has added some.
    """

    full: str | None = None
    newest: str | None = None

    def names(self) -> set[str]:
        """Return the files there are."""
        return {name for name in (self.full, self.newest) if name is not None}


@dataclass(frozen=True)
class Replacement:
    """Files that are written whole and wait to take the place of a dataset's present ones.

    Parameters
    ----------
    group, type
        The dataset.
    after
        Its files from then on.
    before
        The files that the new ones were made of, which must still be the present ones; None where they do not matter.
    """

    group: str
    type: str
    after: DataFiles
    before: DataFiles | None = None


def new_name(dataset_type: str, job: str, former: str = "") -> str:
    """Return the name under which a job writes a draft, the same in each of its attempts, by what it replaces."""
    return f"{dataset_type}.{hashlib.sha256(f'{job} {former}'.encode()).hexdigest()[:12]}"


def finish_draft(root: Path, group: str, name: str) -> str:
    """Return the name of a draft that is written to its end: with the checksum of its bytes, which are on the disk."""
    draft = draft_path(root, group, name)
    platform.sync_file(draft)
    finished = f"{name}.{_checksum(draft)}.parquet"
    os.replace(draft, draft_path(root, group, finished))
    return finished


def require_whole(path: Path) -> None:
    """Raise `DamagedError` when a file has other bytes than its name promises; names of earlier versions do not."""
    *_, promised, suffix = path.name.split(".")
    if suffix == "parquet" and len(promised) == _CHECKSUM and _checksum(path) != promised:
        raise DamagedError(path, "its bytes are not the rows that were imported", IMPORT_AGAIN)


@contextmanager
def told_when_lost(root: Path, group: str, dataset_type: str, present: DataFiles) -> Iterator[None]:
    """Say of a file that is missing while it is read whether it was replaced, or is lost.

    Parameters
    ----------
    root, group, dataset_type
        The dataset.
    present
        Its files as they were looked up before the reading.

    Raises
    ------
    OvertakenError
        It has other files now.
    DamagedError
        It still has these.
    """
    try:
        yield
    except FileNotFoundError as error:
        with DatasetVersions(root) as versions:
            if versions.files(group, dataset_type) != present:
                raise OvertakenError(f"the {dataset_type} dataset of {group} has other files now") from error
        named = sorted(layout.data_path(root, group, name) for name in present.names())
        lost = next((path for path in named if not path.exists()), None)
        if lost is None:
            raise
        raise DamagedError(lost, "it is missing, of imported rows", IMPORT_AGAIN) from error


def _checksum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def draft_path(root: Path, group: str, name: str) -> Path:
    """Return where a file is written until it is committed; what is left there by a killed process is swept."""
    return layout.data_path(root, group, name + layout.DRAFT)


class DatasetVersions:
    """The present files of the datasets of one service folder.

    Parameters
    ----------
    root
        The service's folder.
    """

    def __init__(self, root: Path):
        self._root = root
        self._database = Database(root / layout.STATE, TABLE)

    def close(self) -> None:
        """Release the open files."""
        self._database.close()

    def __enter__(self) -> DatasetVersions:
        """Let `with` close it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the open files."""
        self.close()

    def files(self, group: str, dataset_type: str) -> DataFiles:
        """Return the files of a dataset."""
        with self._database.reading() as db:
            return _present(db, self._root, group, dataset_type)[0]

    def replace(self, replacement: Replacement) -> None:
        """Commit files that no job waits with."""
        try:
            with self._database.writing() as db:
                commit(self._root, [replacement], db)
        finally:
            abandon(self._root, [replacement])
        self.drop_former()

    def drop_former(self) -> None:
        """Remove the files that committed ones took the place of; it may be cut off and done again."""
        with self._database.reading() as db:
            rows = db.execute("SELECT dataset_group, former FROM data_files WHERE former <> '[]'").fetchall()
        for row in rows:
            for name in json.loads(row["former"]):
                layout.data_path(self._root, row["dataset_group"], name).unlink(missing_ok=True)

    def set_aside(self) -> None:
        """Move files that no dataset names to `lost+found`, for the start of a service."""
        with self._database.reading() as db:
            nameless = unnamed(self._root, db)
        for path in nameless:
            layout.set_aside(self._root, path)
        layout.tell_aside(self._root, len(nameless))


def named(root: Path, db: sqlite3.Connection) -> dict[Path, tuple[str, str]]:
    """Return the files that hold rows, by what a database says and earlier versions' names, with group and type."""
    sql = "SELECT dataset_group, type, full, newest FROM data_files"
    rows = [tuple(row) for row in db.execute(sql)]
    known = {(group, kind) for group, kind, *_ in rows}
    found = {
        layout.data_path(root, group, name): (group, kind) for group, kind, *names in rows for name in names if name
    }
    for rest in _FIXED:
        for path in (root / "datasets").glob(f"*/*.{rest}"):
            kind = path.name.removesuffix(f".{rest}")
            if "." not in kind and (path.parent.name, kind) not in known:
                found[path] = (path.parent.name, kind)
    return found


def unnamed(root: Path, db: sqlite3.Connection) -> list[Path]:
    """Return the files beside those with rows that no dataset names, and no replacement has yet to remove."""
    sql = "SELECT dataset_group, former FROM data_files"
    former = {layout.data_path(root, group, name) for group, names in db.execute(sql) for name in json.loads(names)}
    return sorted(set((root / "datasets").glob("*/*")) - named(root, db).keys() - former)


def commit(root: Path, replacements: Iterable[Replacement], db: sqlite3.Connection) -> None:
    """Make new files the present ones, in a transaction of the caller's.

    Raises
    ------
    OvertakenError
        The files that they were made of are not the present ones.
    """
    for made in replacements:
        present, former = _present(db, root, made.group, made.type)
        if made.before is not None and made.before != present:
            raise OvertakenError(f"the {made.type} dataset of {made.group} has other files now")
        moved = made.after.names() - present.names()
        for name in moved:
            os.replace(draft_path(root, made.group, name), layout.data_path(root, made.group, name))
        if moved:
            # a group that nothing was imported into has no folder
            for folder in (layout.data_path(root, made.group, "."), root / "datasets"):
                platform.sync_folder(folder)
        left = {name for name in former if layout.data_path(root, made.group, name).exists()}
        former = sorted((left | present.names()) - made.after.names())
        db.execute(
            "INSERT OR REPLACE INTO data_files VALUES (?, ?, ?, ?, ?)",
            (made.group, made.type, made.after.full, made.after.newest, json.dumps(former)),
        )


def abandon(root: Path, replacements: Iterable[Replacement]) -> None:
    """Remove drafts that were not committed, and files whose commit failed after they were moved into place."""
    for made in replacements:
        # nobody else makes files of these names
        own = made.after.names() - (made.before or DataFiles()).names()
        for name in own:
            draft_path(root, made.group, name).unlink(missing_ok=True)
        moved = {name for name in own if layout.data_path(root, made.group, name).exists()}
        if not moved:
            continue
        with DatasetVersions(root) as versions:
            moved -= versions.files(made.group, made.type).names()
        for name in moved:
            layout.data_path(root, made.group, name).unlink(missing_ok=True)


def _present(db: sqlite3.Connection, root: Path, group: str, dataset_type: str) -> tuple[DataFiles, list[str]]:
    """Return a dataset's files and the names of those before them that may still be there."""
    sql = "SELECT full, newest, former FROM data_files WHERE dataset_group = ? AND type = ?"
    row = db.execute(sql, (group, dataset_type)).fetchone()
    if row is not None:
        return DataFiles(row["full"], row["newest"]), json.loads(row["former"])
    full, merged = (f"{dataset_type}.{rest}" for rest in _FIXED)
    there = [name for name in (full, merged) if layout.data_path(root, group, name).exists()]
    return (DataFiles(full if full in there else None, there[-1]) if there else DataFiles()), []
