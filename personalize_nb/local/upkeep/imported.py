"""The files with imported rows, of a copy that is mended: without damaged ones, named again where that is lost."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from personalize_nb.local.errors import Damage, DamagedError
from personalize_nb.local.state import layout, versions

# as `versions` names what is finished: the type, the job, the checksum
_FINISHED = re.compile(r"([A-Z_]+)\.[0-9a-f]{12}\.[0-9a-f]{64}\.parquet")
KEPT = "What is left of it is in lost+found of the copy"


def without_damaged(root: Path, db: sqlite3.Connection) -> Iterator[Damage]:
    """Take out files that are missing or not what was imported; say which rows of their dataset are still there."""
    from personalize_nb.local.data import datasets

    broken: dict[Path, tuple[Damage, str]] = {}
    named = versions.named(root, db)
    for path, (group, kind) in named.items():
        try:
            datasets.verify(path)
            continue
        except DamagedError as error:
            broken[path] = error.damage, f". {KEPT}"
            layout.set_aside(root, path)
        except FileNotFoundError:
            broken[path] = Damage(path, "it is missing, of imported rows", versions.IMPORT_AGAIN), ""
        db.execute(
            "UPDATE data_files SET newest = nullif(CASE newest WHEN ?1 THEN full ELSE newest END, ?1),"
            " full = nullif(full, ?1) WHERE dataset_group = ?2 AND type = ?3",
            (path.name, group, kind),
        )
    # a file of which something is lost may have been the stead of another one
    for path, (damage, kept) in broken.items():
        group, kind = named[path]
        left = _left(db, group, kind, {other.name for other in broken if named[other] == (group, kind)})
        what = f"{damage.cause}, the {kind} dataset of {group}"
        yield replace(damage, cause=what, repair=f"{left}{damage.repair}{kept}")


def _left(db: sqlite3.Connection, group: str, kind: str, broken: set[str]) -> str:
    sql = "SELECT full, newest FROM data_files WHERE dataset_group = ? AND type = ?"
    full, newest = db.execute(sql, (group, kind)).fetchone() or (None, None)
    if newest is None or newest in broken:
        return "The copy has none of its rows. "
    return "The rows of its newest FULL import are there. " if newest == full else "All of its rows are there. "


def named_again(root: Path, db: sqlite3.Connection) -> Iterator[Damage]:
    """Give datasets for which nothing says where their rows are the newest files that are called like theirs."""
    from personalize_nb.local.data import datasets

    found: dict[tuple[str, str], list[tuple[Path, int]]] = {}
    wanted = _without_files(db)
    for path in versions.unnamed(root, db):
        matched = _FINISHED.fullmatch(path.name)
        if matched is None or (path.parent.name, matched[1]) not in wanted:
            continue
        try:
            found.setdefault((path.parent.name, matched[1]), []).append((path, datasets.verify(path)))
        except DamagedError as error:
            layout.set_aside(root, path)
            yield replace(error.damage, repair=f"{error.damage.repair}. {KEPT}")
    for (group, kind), files in found.items():
        # there are those of the newest FULL import and of all rows, beside what a killed process had yet to remove
        latest = sorted(files, key=lambda one: one[0].stat().st_mtime_ns)[-2:]
        full, newest = (min(latest, key=_rows), max(latest, key=_rows))
        db.execute(
            "INSERT OR REPLACE INTO data_files VALUES (?, ?, ?, ?, ?)",
            (group, kind, full[0].name, newest[0].name, "[]"),
        )
        yield Damage(
            newest[0],
            f"{layout.STATE} does not say any more which files hold the rows of the {kind} dataset of {group}",
            f"The copy takes the {newest[1]} rows of this one, the newest that is there. Where they are not the right "
            "ones, import the dataset again, in mode FULL",
        )


def _rows(file: tuple[Path, int]) -> int:
    return file[1]


def _without_files(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return group and type of the datasets for which no file is named."""
    named = set(db.execute("SELECT dataset_group, type FROM data_files WHERE newest IS NOT NULL").fetchall())
    wanted = set()
    for (text,) in db.execute("SELECT body FROM resources WHERE kind = 'dataset'"):
        with suppress(ValueError, KeyError):
            body = json.loads(text)
            wanted.add((body["datasetGroupArn"].rsplit("/", 1)[-1], body["datasetType"]))
    return wanted - {tuple(row) for row in named}
