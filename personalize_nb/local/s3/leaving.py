"""Bodies that no row names any more and whose files are about to go: known by name until they are gone.

A process that is killed between the commit and the removal leaves files that nothing names. Written down in the commit
that takes their rows away, they are told from the bodies of rows that are lost. What is gone is crossed out by a later
commit, which so costs nothing of its own.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable

from personalize_nb.local.s3.files import Bodies

TABLE = "CREATE TABLE IF NOT EXISTS leaving (body TEXT PRIMARY KEY) WITHOUT ROWID;"


class Leaving:
    """The bodies of one store that are on their way out."""

    def __init__(self, bodies: Bodies):
        self._bodies = bodies
        self._gone: list[str] = []
        self._lock = threading.Lock()

    def note(self, db: sqlite3.Connection, bodies: Iterable[str]) -> None:
        """Write bodies down, in the transaction that takes their rows away."""
        with self._lock:
            gone, self._gone = self._gone, []
        db.executemany("DELETE FROM leaving WHERE body = ?", [(body,) for body in gone])
        db.executemany("INSERT OR IGNORE INTO leaving VALUES (?)", [(body,) for body in bodies])

    def drop(self, bodies: Iterable[str]) -> None:
        """Remove the files of bodies whose rows are gone for good."""
        for body in bodies:
            self._bodies.drop(body)
            with self._lock:
                self._gone.append(body)
