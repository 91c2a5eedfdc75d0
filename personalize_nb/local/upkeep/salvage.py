"""What can still be read of a database that SQLite refuses: each table from its beginning and from its end.

A page that is lost cuts a walk off; walking from both ends leaves out no more than the rows that lie there. Nothing is
read of a database whose first page, with the list of tables, is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

_TABLES = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_INDEXES = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"


@dataclass(frozen=True)
class Loss:
    """What of a database cannot be read, and what can, in words."""

    cause: str
    left: str


def salvage(source: Path, target: Path) -> list[Loss]:
    """Write what can be read of a database into a new one; return what could not."""
    lost: list[Loss] = []
    with closing(_opened(source)) as damaged, closing(sqlite3.connect(target, isolation_level=None)) as fresh:
        try:
            tables = dict(damaged.execute(_TABLES).fetchall())
        except sqlite3.Error:
            return [Loss("nothing of it can be read", "The copy has none of its rows")]
        for name, sql in tables.items():
            try:
                fresh.execute(sql)
                whole = _copied(damaged, fresh, name, sql)
            except sqlite3.Error:
                whole = False
            if not whole:
                lost.append(_missed(damaged, fresh, name))
    return lost


def _missed(damaged: sqlite3.Connection, fresh: sqlite3.Connection, name: str) -> Loss:
    """Count what is lost of a table by its indexes, which lie on pages of their own."""
    held = 0
    by_kind = ""
    with suppress(sqlite3.Error):
        for (index,) in damaged.execute(_INDEXES, (name,)).fetchall():
            with suppress(sqlite3.Error, ValueError):
                held = max(held, damaged.execute(f'SELECT count(*) FROM {name} INDEXED BY "{index}"').fetchone()[0])
                if index == f"{name}_by_kind":
                    by_kind = _by_kind(damaged, fresh, name, index)
    read = 0
    with suppress(sqlite3.Error):
        read = fresh.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    how_many = f"{held - read} of {held} rows" if held > read else "rows, nobody knows how many,"
    left = f"The copy has the {read} that can be read" if read else "The copy has none of them"
    return Loss(f"{how_many} of {name} cannot be read{by_kind}", left)


def _by_kind(damaged: sqlite3.Connection, fresh: sqlite3.Connection, name: str, index: str) -> str:
    held = dict(damaged.execute(f'SELECT kind, count(*) FROM {name} INDEXED BY "{index}" GROUP BY kind').fetchall())
    read = dict(fresh.execute(f"SELECT kind, count(*) FROM {name} GROUP BY kind").fetchall())
    lost = {kind: count - read.get(kind, 0) for kind, count in held.items() if count > read.get(kind, 0)}
    return f" ({', '.join(f'{kind}: {count}' for kind, count in sorted(lost.items()))})" if lost else ""


def _copied(damaged: sqlite3.Connection, fresh: sqlite3.Connection, name: str, sql: str) -> bool:
    order = "rowid"
    if "WITHOUT ROWID" in sql.upper():
        columns = sorted((place, column) for _, column, _, _, _, place in damaged.execute(f"PRAGMA table_info({name})"))
        order = ", ".join(column for place, column in columns if place)
    if _walked(damaged, fresh, name, order):
        return True
    _walked(damaged, fresh, name, ", ".join(f"{column} DESC" for column in order.split(", ")))
    return False


def _walked(damaged: sqlite3.Connection, fresh: sqlite3.Connection, name: str, order: str) -> bool:
    """Copy rows in one direction; tell whether the end was reached."""
    read = _Rows(damaged, f"SELECT * FROM {name} ORDER BY {order}")
    fresh.execute("BEGIN")
    for row in read:
        # one that breaks a rule was made up by the damage
        with suppress(sqlite3.Error):
            fresh.execute(f"INSERT OR IGNORE INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    fresh.execute("COMMIT")
    return read.finished


class _Rows:
    """The rows of a query until one cannot be read."""

    def __init__(self, db: sqlite3.Connection, sql: str):
        self._db, self._sql = db, sql
        self.finished = False

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        try:
            yield from self._db.execute(self._sql)
        except (sqlite3.Error, ValueError):
            return
        self.finished = True


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.text_factory = lambda text: text.decode(errors="replace")
    return db
