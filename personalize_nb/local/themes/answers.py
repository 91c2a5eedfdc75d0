"""Answers of language models kept on disk by what was asked, so that a re-run costs nothing and says the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from personalize_nb.local.state.database import Database

FILE = "theme-answers.sqlite"
MOST = 200_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_at ON answers (at);
"""


class Answers:
    """The answers in one folder; several processes may use it.

    Parameters
    ----------
    folder
        Where the file lies; made when needed.
    most
        Answers to keep; the oldest go.
    """

    def __init__(self, folder: Path, most: int = MOST, clock: Callable[[], float] = time.time):
        folder.mkdir(parents=True, exist_ok=True)
        self._database = Database(folder / FILE, _SCHEMA)
        self._most, self._clock = most, clock

    def find(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the answers that are known, by key."""
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for key in keys:
                row = connection.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    found[key] = row["answer"]
        return found

    def keep(self, key: str, answer: str) -> None:
        """Keep an answer."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, answer, self._clock()))
            connection.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY at DESC LIMIT -1 OFFSET ?)",
                (self._most,),
            )

    def close(self) -> None:
        """Close the file."""
        self._database.close()
