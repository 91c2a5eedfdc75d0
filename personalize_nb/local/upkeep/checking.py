"""Everything that is damaged in a service's folder: databases, bodies, imported rows, models, settings.

Nothing is changed by looking, and a service may run meanwhile: what is only there for a moment is not found twice.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.errors import Damage, DamagedError
from personalize_nb.local.process.discovery import read_record
from personalize_nb.local.state import layout, model_folders, versions, wholeness
from personalize_nb.local.state.kinds import KINDS
from personalize_nb.local.state.wholeness import Identity
from personalize_nb.local.tasks import cluster_address, theme_settings
from personalize_nb.local.upkeep import folders

# where JSON stands, by database: table, key and column
_TEXTS = {
    layout.STATE: (
        ("resources", "arn", "body"),
        ("iam_roles", "name", "body"),
        ("iam_policies", "arn", "body"),
        ("kms_keys", "id", "body"),
        ("kms_grants", "id", "body"),
    ),
    layout.STREAMED: (("streamed", "id", "body"),),
}
_FOLDERS = (
    layout.OBJECTS,
    *(f"{layout.OBJECTS}/{name}" for name in ("bodies", "incoming", layout.LOST)),
    *("datasets", "models", "cache", "scratch", layout.LOST),
)
_FILES = (
    *(*layout.DATABASES, layout.RECORD, theme_settings.FILE, cluster_address.FILE, layout.LOG),
    *(layout.LOCK, layout.START_LOCK, layout.SNAPSHOT_LOCK),
)
_MEND = "Mend a copy: personalize-nb state repair"
_ASIDE = "Nothing is lost; the next start of the service keeps it in lost+found, where it may be removed"


def check(path: str | os.PathLike[str]) -> list[Damage]:
    """Look through everything that a service keeps in a folder.

    Databases are read page by page, with their indexes, and compared with each other; bodies with the sizes and
    checksums in their rows; imported rows and models with the checksums they were written with. The service may run.

    Parameters
    ----------
    path
        The folder of the service.

    Returns
    -------
    list of Damage
        What is damaged, each with file, cause and repair; empty when all is well.

    Raises
    ------
    LocalServiceError
        There is no such folder, nothing of a service in it, or it was moved or replaced meanwhile.
    """
    root = folders.existing(path)
    before = layout.folder_identity(root)
    with folders.telling(root):
        found = list(_damage(root))
        if found:
            # a running service removes what is replaced after it has said so
            again = set(_damage(root))
            found = [damage for damage in found if damage in again]
    # in an empty place nothing is damaged
    if layout.folder_identity(folders.existing(root)) != before:
        raise LocalServiceError(
            f"the folder {str(root)!r} was moved or replaced while it was looked through; try again where it is now"
        )
    return found


def _damage(root: Path) -> Iterator[Damage]:
    misfits = [error.damage for error in wholeness.misfits(root)]
    yield from misfits
    yield from (damage for damage in misplaced(root) if damage.path not in {misfit.path for misfit in misfits})
    yield from settings(root)
    yield from rows(root)
    yield from models(root)
    wrong = {damage.path for damage in misfits}
    state, objects, _ = (root / name for name in layout.DATABASES)
    for name in layout.DATABASES:
        if root / name not in wrong and (root / name).exists():
            with wholeness.reading(root / name) as db:
                yield from (damage for _, _, damage in texts(root / name, db))
    if not misfits and state.exists():
        with wholeness.reading(state) as db:
            yield from _lost(root, db)
    if not misfits and objects.exists():
        with ExitStack() as stack:
            yield from _bodies(root, stack)


def misplaced(root: Path) -> Iterator[Damage]:
    """Yield files that lie where a service has folders, and folders where it has files."""
    repair = "Move it away; a start of the service makes its own where it needs one"
    for names, wrong, what in ((_FOLDERS, Path.is_file, "a file"), (_FILES, Path.is_dir, "a folder")):
        yield from (Damage(root / name, f"{what} lies in its place", repair) for name in names if wrong(root / name))


def settings(root: Path) -> Iterator[Damage]:
    """Yield what is wrong with the small files at the top."""
    if (root / layout.RECORD).is_file() and read_record(root) is None:
        yield Damage(root / layout.RECORD, "it cannot be read", "Remove it; the next start writes it with new keys")
    try:
        if not (root / theme_settings.FILE).is_dir():
            theme_settings.kept(root)
    except (ValueError, KeyError, TypeError):
        repair = "Remove it, and choose what writes themes again"
        yield Damage(root / theme_settings.FILE, "it holds no settings of themes", repair)


def texts(path: Path, db: sqlite3.Connection) -> Iterator[tuple[str, str, Damage]]:
    """Yield the rows whose JSON cannot be read, with the statement that removes each and its key."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table, key, column in _TEXTS.get(path.name, ()):
        if table not in tables:
            continue
        for name, text in db.execute(f"SELECT {key}, {column} FROM {table}"):
            try:
                whole = isinstance(json.loads(text), dict)
            except (ValueError, TypeError):
                whole = False
            if not whole:
                cause = f"the row {name!r} of {table} cannot be read"
                yield f"DELETE FROM {table} WHERE {key} = ?", name, Damage(path, cause, _MEND)


def rows(root: Path) -> Iterator[Damage]:
    """Yield the files whose rows are not those that were imported."""
    files = sorted((root / "datasets").glob("*/*.parquet"))
    if not files:
        return
    from personalize_nb.local.data import datasets  # Parquet costs half a second

    for path in files:
        try:
            datasets.verify(path)
        except DamagedError as error:
            yield error.damage
        except FileNotFoundError:
            continue  # replaced meanwhile


def models(root: Path) -> Iterator[Damage]:
    """Yield the models that are not what was trained."""
    kept = [path for path in sorted((root / "models").glob("*")) if path.is_dir() and path.suffix != ".part"]
    if not kept:
        return
    from personalize_nb.local.recipes import disk

    for folder in kept:
        try:
            disk.read_arrays(folder)
        except DamagedError as error:
            yield error.damage


def _lost(root: Path, db: sqlite3.Connection) -> Iterator[Damage]:
    """Yield files that the state names and that are not there, and those that it does not name."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"resources", "data_files"} <= tables:
        return
    for path in versions.named(root, db):
        if not path.exists():
            yield Damage(path, "it is missing, of imported rows", versions.IMPORT_AGAIN)
    for path in versions.unnamed(root, db):
        if path.suffix != layout.DRAFT:
            yield Damage(path, "no dataset names it", _ASIDE, harmless=True)
    for model, arn in model_folders.served(db).items():
        folder = layout.model_path(root, model)
        if not folder.exists():
            yield Damage(folder, f"it is missing, the trained model of {arn}", "Train it again")
    for folder in model_folders.unnamed(root, db):
        yield Damage(folder, "no solution version or recommender names it", _ASIDE, harmless=True)
    for arn, kind in db.execute("SELECT arn, kind FROM resources"):
        if kind not in KINDS:
            yield Damage(root / layout.STATE, f"{arn} is of the unknown kind {kind!r}", _MEND)


def _bodies(root: Path, stack: ExitStack) -> Iterator[Damage]:
    from personalize_nb.local.iam.keys import Keys
    from personalize_nb.local.s3 import verifying
    from personalize_nb.local.s3.sweeping import LEFT_BY_KILLS, require_few

    folder, identity = root / layout.OBJECTS, wholeness.identity_of(root) or Identity("", "")
    db = stack.enter_context(wholeness.reading(root / layout.DATABASES[1]))
    keys = None
    if (root / layout.STATE).exists():
        # open before the keys and after them: what closes last would write the log into the database
        state = stack.enter_context(wholeness.reading(root / layout.STATE))
        if state.execute("SELECT 1 FROM sqlite_master WHERE name = 'kms_keys'").fetchone():
            keys = Keys(root / layout.STATE, identity.account, identity.region)
            stack.callback(keys.close)
    yield from (fault.damage for fault in verifying.faults(folder, db, keys))
    nameless = verifying.nameless(folder, db)
    try:
        require_few(folder, nameless, LEFT_BY_KILLS if _was_killed(root) else len(nameless))
    except DamagedError as error:
        yield error.damage
    else:
        yield from (Damage(path, "no object names this body", _ASIDE, harmless=True) for path in nameless)


def _was_killed(root: Path) -> bool:
    return (root / layout.STATE).exists() and wholeness.was_killed(root)
