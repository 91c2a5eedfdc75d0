"""What killed processes left of bodies, for the start of a service.

A process that is killed between the commit and the removal of a replaced body leaves a body that is `leaving`; between
the move of a new one and its commit, a body that no row names. That is moved aside and never removed: should the rows
be the ones that are wrong, the right ones find it again. So few are left by a kill that many of them mean just this.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from personalize_nb.local.errors import DamagedError
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state.layout import tell_aside

# one for each process that was killed since the last start, which are a few workers at most
LEFT_BY_KILLS = 4


def sweep(store: ObjectStore, most: int | None = None) -> int:
    """Remove what was never finished or already leaving, set aside bodies without a row, and count all of them.

    Parameters
    ----------
    store
        Whose bodies.
    most
        How many bodies without a row there can be; None means any number.

    Raises
    ------
    DamagedError
        There are more; nothing was touched.
    """
    nameless, leaving = _unnamed(store)
    if most is not None:
        require_few(store.root, nameless, most)
    dropped = store.bodies.drop_abandoned() + len(leaving)
    store.leaving.drop(path.name for path in leaving)
    for path in nameless:
        store.bodies.set_aside(path)
    with store.database.writing(frees=True) as db:
        db.execute("DELETE FROM leaving")
    tell_aside(store.root, len(nameless))
    return len(nameless) + dropped


def require_few(root: Path, nameless: Sequence[Path], most: int = LEFT_BY_KILLS) -> None:
    """Raise `DamagedError` when the database of a store in `root` does not name more bodies than can be."""
    if len(nameless) > most:
        raise DamagedError(
            root / "objects.sqlite",
            f"it is older than {len(nameless)} bodies of objects, which it does not name (for example "
            f"{str(nameless[0])!r}), and a service that was killed leaves {most} of them at most",
            "Put back the copy of it that belongs to this folder, from a backup, or mend a copy of the folder, without "
            f"these objects: personalize-nb state repair {root.parent}",
        )


def _unnamed(store: ObjectStore) -> tuple[list[Path], list[Path]]:
    """Return the bodies without a row, and those that are written down to be removed."""
    nameless: list[Path] = []
    leaving: list[Path] = []
    for shard in store.bodies.shards():
        # publishing takes the same lock, so no body is seen without its row while it gets one
        with store.database.writing() as db:
            there = set(os.listdir(shard))
            unnamed = there - _names(db, "objects", shard.name) - _names(db, "parts", shard.name)
            going = unnamed & _names(db, "leaving", shard.name)
        nameless += [shard / name for name in sorted(unnamed - going)]
        leaving += [shard / name for name in going]
    return nameless, leaving


def _names(db: sqlite3.Connection, table: str, shard: str) -> set[str]:
    # names are in hexadecimal, so g comes after all that begin so
    return {
        name for (name,) in db.execute(f"SELECT body FROM {table} WHERE body >= ? AND body < ?", (shard, f"{shard}g"))
    }
