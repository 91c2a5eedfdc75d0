"""A copy of a damaged folder that a service can open, and what is lost in it.

Databases are made again from what can be read of them, and of one time. Rows whose body, and datasets whose file, is
lost or altered are taken out; what no row names, and what is not what was written, goes to `lost+found` of the copy.
The original is only read.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from personalize_nb.contract.limits import FAILED
from personalize_nb.errors import LocalServiceError
from personalize_nb.local.errors import Damage, DamagedError
from personalize_nb.local.process.discovery import read_record
from personalize_nb.local.state import layout, versions, wholeness
from personalize_nb.local.state.database import Database
from personalize_nb.local.state.store import Store
from personalize_nb.local.state.wholeness import Identity
from personalize_nb.local.upkeep import checking, folders
from personalize_nb.local.upkeep.salvage import salvage

if TYPE_CHECKING:
    from personalize_nb.local.iam.keys import Keys

# made anew at each start, or of the processes that served the original; by folder, since groups are called anything
_LEFT = {
    "": ("cache", "scratch", "*.reserve", "*.lock", f"{layout.LOG}*"),
    layout.OBJECTS: ("incoming", "*.reserve"),
    "datasets/*": (f"*{layout.DRAFT}",),
}
_KEPT = "What is left of it is in lost+found of the copy"


@dataclass(frozen=True)
class Mended:
    """A copy that opens.

    Parameters
    ----------
    path
        The copy.
    lost
        What is not in it any more, or not as it was, each with the file of the original, the cause, and what to do.
    """

    path: Path
    lost: tuple[Damage, ...]


def repair(path: str | os.PathLike[str], into: str | os.PathLike[str] | None = None) -> Mended:
    """Copy the folder of a service that is stopped, and make of the copy what a service can open.

    Parameters
    ----------
    path
        The folder; nothing in it is changed.
    into
        The copy's folder, empty or new; by default beside it, with `.repaired` after its name.

    Returns
    -------
    Mended
        The copy, and what is lost in it.

    Raises
    ------
    LocalServiceError
        There is no service's folder, one runs there, or the copy's folder is not empty.
    """
    root = folders.existing(path)
    copy = folders.vacant(into if into is not None else root.with_name(f"{root.name}.repaired"), beside=root)
    present = copy.exists()
    try:
        with folders.at_rest(root):
            layout.claim_folder(copy)
            shutil.copytree(root, copy, ignore=partial(_ignored, root), dirs_exist_ok=True, symlinks=True)
        lost = [replace(damage, path=root / damage.path.relative_to(copy)) for damage in _mend(copy)]
    except BaseException:
        shutil.rmtree(copy, ignore_errors=True)
        if present:
            copy.mkdir()
        raise
    return Mended(copy, tuple(lost))


def _ignored(root: Path, folder: str, names: list[str]) -> set[str]:
    """Return what is not copied of a folder below the root."""
    place = Path(folder).relative_to(root).parts
    where = "datasets/*" if len(place) == 2 and place[0] == "datasets" else "/".join(place)
    return {name for pattern in _LEFT.get(where, ()) for name in fnmatch.filter(names, pattern)}


def _mend(root: Path) -> Iterator[Damage]:
    record = read_record(root)
    for damage in checking.settings(root):
        damage.path.unlink()
        yield damage
    for misfit in wholeness.misfits(root):
        yield from _rebuilt(misfit.damage)
    identity = wholeness.identity_of(root)
    if identity is None and record is not None:
        identity = Identity(record.account, record.region)
    if identity is None:
        raise LocalServiceError(
            f"nothing that can be read says whose the folder is; put a copy of {layout.STATE} or {layout.RECORD} back"
        )
    layout.prepare(root)
    from personalize_nb.local.data.events import EventStore
    from personalize_nb.local.iam.keys import Keys
    from personalize_nb.local.s3.store import ObjectStore
    from personalize_nb.local.s3.sweeping import sweep

    with ExitStack() as stack:
        stack.enter_context(closing(Store(root / layout.STATE)))
        stack.enter_context(closing(EventStore(root)))
        keys = stack.enter_context(closing(Keys(root / layout.STATE, identity.account, identity.region)))
        objects = stack.enter_context(closing(ObjectStore(root / layout.OBJECTS, keyring=keys)))
        for name in (layout.STATE, layout.STREAMED):
            with _changing(root / name) as db:
                yield from _without_texts(root / name, db)
        yield from _without_bodies(objects.root, keys)
        with _changing(root / layout.STATE) as db:
            yield from _without_rows(root, db)
            yield from _without_models(root, db)
        with versions.DatasetVersions(root) as data:
            data.drop_former()
            data.set_aside()
        sweep(objects)
    wholeness.mark(root, identity)


@contextmanager
def _changing(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(Database(path, "")) as database, database.writing() as db:
        yield db


def _rebuilt(damage: Damage) -> Iterator[Damage]:
    """Make a database again from what can be read of it."""
    if not damage.path.exists() or not damage.path.stat().st_size:
        yield replace(damage, repair="All that it held is gone from the copy")
        return
    fresh = damage.path.with_name(f"{damage.path.name}.fresh")
    cannot = salvage(damage.path, fresh)
    for path in damage.path.parent.glob(f"{damage.path.name}-*"):
        path.unlink()
    os.replace(fresh, damage.path)
    for what in cannot:
        yield replace(damage, cause=f"{what}, {damage.cause}", repair="The copy has all the others")
    if not cannot:
        yield replace(damage, repair="The copy has all of its rows, in new databases of one time")


def _without_texts(path: Path, db: sqlite3.Connection) -> Iterator[Damage]:
    for statement, key, damage in list(checking.texts(path, db)):
        db.execute(statement, (key,))
        yield replace(damage, repair="The copy does not have it")


def _without_bodies(folder: Path, keys: Keys) -> Iterator[Damage]:
    from personalize_nb.local.s3 import verifying

    with _changing(folder / "objects.sqlite") as db:
        for fault in list(verifying.faults(folder, db, keys)):
            if fault.upload is None:
                db.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (fault.bucket, fault.key))
            else:
                db.execute("DELETE FROM parts WHERE upload = ? AND number = ?", (fault.upload, fault.number))
            yield replace(fault.damage, repair=f"Put s3://{fault.bucket}/{fault.key} again. {_KEPT}")


def _without_rows(root: Path, db: sqlite3.Connection) -> Iterator[Damage]:
    """Take out files that are not what was imported; rows of a FULL import stay where later ones are lost."""
    from personalize_nb.local.data import datasets

    for path, (group, kind) in versions.named(root, db).items():
        try:
            datasets.verify(path)
            continue
        except DamagedError as error:
            damage = error.damage
            layout.set_aside(root, path)
        except FileNotFoundError:
            damage = Damage(path, "it is missing, of imported rows", versions.IMPORT_AGAIN)
        held = db.execute(
            "UPDATE data_files SET newest = nullif(CASE newest WHEN ?1 THEN full ELSE newest END, ?1),"
            " full = nullif(full, ?1)"
            " WHERE dataset_group = ?2 AND type = ?3 RETURNING newest",
            (path.name, group, kind),
        ).fetchone()
        what = f"{damage.cause}, the {kind} dataset of {group}"
        left = "The rows of its newest FULL import are there. " if held and held[0] else ""
        yield replace(damage, cause=what, repair=f"{left}{damage.repair}. {_KEPT}")


def _without_models(root: Path, db: sqlite3.Connection) -> Iterator[Damage]:
    """End what answers from a model that is not what was trained, so that nobody waits for its answers."""
    broken = {damage.path if damage.path.is_dir() else damage.path.parent: damage for damage in checking.models(root)}
    served = checking.served_models(db)
    for model in served:
        folder = layout.model_path(root, model)
        if not folder.exists():
            broken[folder] = Damage(folder, "it is missing, a trained model", "Train it again")
    for folder in checking.unnamed_models(root, db):
        broken.pop(folder, None)
        layout.set_aside(root, folder)
    for folder, damage in broken.items():
        if folder.exists():
            layout.set_aside(root, folder)
        arn = served.get(folder.name)
        if arn is not None:
            why = "Its trained model was lost from the folder of the local service."
            sql = "UPDATE resources SET status = ?, failure_reason = ? WHERE arn = ?"
            db.execute(sql, (FAILED, why, arn))
            damage = replace(damage, cause=f"{damage.cause}, of {arn}")
        yield replace(damage, repair=f"{damage.repair}. {_KEPT}")
