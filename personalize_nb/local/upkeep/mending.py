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
from personalize_nb.local.state import layout, model_folders, platform, versions, wholeness
from personalize_nb.local.state.database import Database
from personalize_nb.local.state.store import Store
from personalize_nb.local.state.wholeness import Identity
from personalize_nb.local.upkeep import checking, folders, imported
from personalize_nb.local.upkeep.salvage import salvage

if TYPE_CHECKING:
    from personalize_nb.local.iam.keys import Keys

# made anew at each start, or of the processes that served the original; by folder, since groups are called anything
_LEFT = {
    "": ("cache", "scratch", "*.reserve", "*.lock", f"{layout.LOG}*"),
    layout.OBJECTS: ("incoming", "*.reserve"),
    "datasets/*": (f"*{layout.DRAFT}",),
}


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
        with folders.telling(copy), folders.at_rest(root):
            layout.claim_folder(copy)
            shutil.copytree(root, copy, ignore=partial(_ignored, root), dirs_exist_ok=True, symlinks=True)
        with folders.telling(copy):
            lost = [replace(damage, path=root / damage.path.relative_to(copy)) for damage in _mend(copy)]
            platform.sync_tree(copy)
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


def _mend(root: Path) -> list[Damage]:
    """Make of a copy what opens; return what is lost."""
    lost = [*_out_of_place(root)]
    record = read_record(root)
    for damage in checking.settings(root):
        damage.path.unlink()
        lost.append(damage)
    for misfit in wholeness.misfits(root):
        lost += _rebuilt(misfit)
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
        stack.enter_context(closing(versions.DatasetVersions(root))).drop_former()
        for name in (layout.STATE, layout.STREAMED):
            with _changing(root / name) as db:
                lost += _without_texts(root / name, db)
        # what is not named is left over, or what lost rows have named
        rows_lost = {damage.path for damage in lost} & {root / name for name in layout.DATABASES}
        aside = list(_nameless(objects.root))
        lost += _without_bodies(objects.root, keys, keys_lost=bool(rows_lost))
        with _changing(root / layout.STATE) as db:
            lost += imported.without_damaged(root, db)
            if rows_lost:
                lost += imported.named_again(root, db)
            lost += _without_models(root, db)
            aside += _set_aside(root, db)
        sweep(objects)
    wholeness.mark(root, identity)
    return lost + (aside if rows_lost else [])


def _out_of_place(root: Path) -> Iterator[Damage]:
    for damage in list(checking.misplaced(root)):
        renamed = damage.path.with_name(f"{damage.path.name}.misplaced")
        os.replace(damage.path, renamed)
        yield replace(damage, repair=f"It is called {renamed.name} in the copy")


def _set_aside(root: Path, db: sqlite3.Connection) -> Iterator[Damage]:
    """Move what no row of the state names to `lost+found`."""
    for path in versions.unnamed(root, db):
        layout.set_aside(root, path)
        yield Damage(path, "no dataset of the copy names it", f"Import its rows again. {imported.KEPT}")
    for path in model_folders.unnamed(root, db):
        layout.set_aside(root, path)
        yield Damage(
            path, "no solution version or recommender of the copy names it", f"Train it again. {imported.KEPT}"
        )


def _nameless(folder: Path) -> Iterator[Damage]:
    from personalize_nb.local.s3 import verifying

    with wholeness.reading(folder / "objects.sqlite") as db:
        bodies = verifying.nameless(folder, db)
    if bodies:
        size = sum(body.stat().st_size for body in bodies)
        what = f"no object of the copy names {len(bodies)} of the bodies ({size:,} bytes)"
        yield Damage(folder / "bodies", what, f"Put those objects again. {imported.KEPT}")


@contextmanager
def _changing(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(Database(path, "")) as database, database.writing() as db:
        yield db


def _rebuilt(misfit: DamagedError) -> Iterator[Damage]:
    """Make a database again from what can be read of it."""
    damage = misfit.damage
    if isinstance(misfit, wholeness.OtherTimeError):
        yield replace(
            damage, repair="The copy has it as it was then: what came later is lost, and what shows it is told"
        )
        return
    if not damage.path.exists() or not damage.path.stat().st_size:
        yield replace(damage, repair="All that it held is gone from the copy")
        return
    fresh = damage.path.with_name(f"{damage.path.name}.fresh")
    cannot = salvage(damage.path, fresh)
    for path in damage.path.parent.glob(f"{damage.path.name}-*"):
        path.unlink()
    os.replace(fresh, damage.path)
    for loss in cannot:
        yield replace(damage, cause=f"{loss.cause}; {damage.cause}", repair=loss.left)
    if not cannot:
        yield replace(damage, repair="The copy has all of its rows, in a new database")


def _without_texts(path: Path, db: sqlite3.Connection) -> Iterator[Damage]:
    for statement, key, damage in list(checking.texts(path, db)):
        db.execute(statement, (key,))
        yield replace(damage, repair="The copy does not have it")


def _without_bodies(folder: Path, keys: Keys, *, keys_lost: bool) -> Iterator[Damage]:
    """Take out rows whose body is lost, or opened by no key any more but for one that was deleted on purpose."""
    from personalize_nb.local.s3 import verifying

    with _changing(folder / "objects.sqlite") as db:
        for fault in list(verifying.faults(folder, db, keys)):
            if fault.keyless and not keys_lost:
                continue
            if fault.upload is None:
                db.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (fault.bucket, fault.key))
            else:
                db.execute("DELETE FROM parts WHERE upload = ? AND number = ?", (fault.upload, fault.number))
            kept = f". {imported.KEPT}" if fault.damage.path.exists() else ""
            repair = f"Put s3://{fault.bucket}/{fault.key} again{kept}"
            yield replace(fault.damage, repair=repair, harmless=False)


def _without_models(root: Path, db: sqlite3.Connection) -> Iterator[Damage]:
    """End what answers from a model that is not what was trained, so that nobody waits for its answers."""
    broken = {damage.path if damage.path.is_dir() else damage.path.parent: damage for damage in checking.models(root)}
    served = model_folders.served(db)
    for model in served:
        folder = layout.model_path(root, model)
        if not folder.exists():
            broken[folder] = Damage(folder, "it is missing, a trained model", "Train it again")
    for folder in model_folders.unnamed(root, db):
        broken.pop(folder, None)
    for folder, damage in broken.items():
        kept = f". {imported.KEPT}" if folder.exists() else ""
        if folder.exists():
            layout.set_aside(root, folder)
        arn = served.get(folder.name)
        if arn is not None:
            why = "Its trained model was lost from the folder of the local service."
            sql = "UPDATE resources SET status = ?, failure_reason = ? WHERE arn = ?"
            db.execute(sql, (FAILED, why, arn))
            damage = replace(damage, cause=f"{damage.cause}, of {arn}")
        yield replace(damage, repair=f"{damage.repair}{kept}")
