"""Resources and the work queue of one local service, in one SQLite file.

Several processes share it (the server and its workers) and any of them may be killed at any moment: write-ahead
log, short transactions, nothing cached. The store knows rows and statuses; what they mean is in `operations` and
`tasks`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personalize_nb.contract.limits import FAILED
from personalize_nb.local.errors import ApiError
from personalize_nb.local.state.database import Database
from personalize_nb.local.state.facts import Changes, facts_of, from_row, to_row
from personalize_nb.local.state.kinds import KINDS, Body, Own, ResourceKind
from personalize_nb.local.state.lifecycle import check_move
from personalize_nb.local.state.resources import AnyResource, Resource
from personalize_nb.local.state.versions import TABLE

TABLES = f"""
{TABLE}
CREATE TABLE IF NOT EXISTS resources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    arn TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    group_arn TEXT,
    parent_arn TEXT,
    status TEXT,
    failure_reason TEXT,
    body TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    done INTEGER,
    total INTEGER
);
CREATE INDEX IF NOT EXISTS resources_by_kind ON resources (kind, id);
CREATE INDEX IF NOT EXISTS resources_by_parent ON resources (parent_arn, kind, id);
CREATE TABLE IF NOT EXISTS tags (
    arn TEXT NOT NULL REFERENCES resources (arn) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
);
CREATE TABLE IF NOT EXISTS work (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    arn TEXT NOT NULL REFERENCES resources (arn) ON DELETE CASCADE,
    worker INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0
);
"""


@dataclass(frozen=True)
class Work:
    """One piece of background work; `attempts` counts this one too once it is claimed."""

    id: int
    kind: str
    arn: str
    attempts: int


# named here because inside the class `list` is a method
Rows = list[tuple[Any, ...]]
Resources = list[Resource[Body, Own]]
Works = list[Work]


class Store:
    """The state of one local service.

    Parameters
    ----------
    path
        The SQLite file; made when it does not exist.
    clock
        Seconds since the epoch; tests pass their own.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time):
        self.clock = clock
        self._database = Database(path, TABLES, reserve=True)
        self._mine = threading.local()

    def close(self) -> None:
        """Close the connections that no thread is using."""
        self._database.close()

    @contextmanager
    def transaction(self, *, frees: bool = False) -> Iterator[None]:
        """Make every call of this thread inside the block one change: all of it happens, or nothing.

        A change that `frees` space may use what is kept for it on a full disk.
        """
        if self._current() is not None:
            yield
            return
        self._mine.afterwards = []
        with self._database.writing(frees=frees) as connection:
            self._mine.connection = connection
            try:
                yield
            finally:
                self._mine.connection = None
        for call in self._mine.afterwards:
            call()

    def together(self, change: Callable[[sqlite3.Connection], None]) -> None:
        """Let another module change tables of its own in this file, in the transaction that this thread is in."""
        with self.transaction():
            connection = self._current()
            assert connection is not None, "inside a transaction there is one"
            change(connection)

    def afterwards(self, call: Callable[[], None]) -> None:
        """Call something, such as the removal of files, once the transaction that this thread is in is committed."""
        with self.transaction():
            self._mine.afterwards.append(call)

    def _current(self) -> sqlite3.Connection | None:
        """Return the connection of the transaction that this thread is in."""
        return getattr(self._mine, "connection", None)

    def _now(self) -> float:
        return round(self.clock(), 3)

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        current = self._current()
        if current is not None:
            return current.execute(sql, values).fetchall()
        with self._database.reading() as connection:
            return connection.execute(sql, values).fetchall()

    def _change(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        current = self._current()
        if current is not None:
            return current.execute(sql, values)
        with self._database.writing() as connection:
            return connection.execute(sql, values)

    # resources --------------------------------------------------------------------------------------------------

    def create(
        self,
        kind: ResourceKind[Body, Own],
        arn: str,
        name: str,
        body: Mapping[str, Any],
        facts: Own | None = None,
        *,
        group_arn: str | None = None,
        parent_arn: str | None = None,
        status: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> AnyResource:
        """Add a resource; its name is taken when its ARN is.

        Raises
        ------
        ApiError
            `ResourceAlreadyExistsException`.
        """
        now, text = self._now(), _dump(to_row(body, {} if facts is None else facts_of(facts)))
        with self.transaction():
            if self.get(arn) is not None:
                raise ApiError("ResourceAlreadyExistsException", f"Another resource with Arn {arn} already exists.")
            self._change(
                "INSERT INTO resources (arn, kind, name, group_arn, parent_arn, status, body, created, updated)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (arn, kind, name, group_arn, parent_arn, status, text, now, now),
            )
            self.tag(arn, tags or {})
            return self[arn]

    def get(self, arn: str) -> AnyResource | None:
        """Return the resource, or None."""
        rows = self._rows(f"SELECT {_COLUMNS} FROM resources WHERE arn = ?", (arn,))
        return _resource(rows[0]) if rows else None

    def __getitem__(self, arn: str) -> AnyResource:
        """Return the resource; KeyError when there is none."""
        resource = self.get(arn)
        if resource is None:
            raise KeyError(arn)
        return resource

    def find(self, kind: ResourceKind[Body, Own], name: str) -> Resource[Body, Own] | None:
        """Return the oldest resource of that kind and name, or None."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM resources WHERE kind = ? AND name = ? ORDER BY id LIMIT 1", (kind, name)
        )
        return _resource(rows[0]) if rows else None

    def list(
        self,
        kind: ResourceKind[Body, Own],
        *,
        group_arn: str | None = None,
        parent_arn: str | None = None,
        statuses: Collection[str] | None = None,
        after: int = 0,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Resources[Body, Own]:
        """Return resources of one kind, oldest first; `after` is the `id` of the last one already seen."""
        where, values = _where(kind, group_arn, parent_arn, statuses)
        order = "DESC" if newest_first else "ASC"
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM resources WHERE {where} AND id > ? ORDER BY id {order} LIMIT ?",
            (*values, after, -1 if limit is None else limit),
        )
        return [_resource(row) for row in rows]

    def count(
        self,
        kind: str,
        *,
        group_arn: str | None = None,
        parent_arn: str | None = None,
        statuses: Collection[str] | None = None,
    ) -> int:
        """Count resources of one kind, for quotas and for deletion order."""
        where, values = _where(kind, group_arn, parent_arn, statuses)
        return int(self._rows(f"SELECT count(*) FROM resources WHERE {where}", values)[0][0])

    def update(self, arn: str, changes: Changes) -> AnyResource:
        """Merge `changes` into body and facts; a value of None removes its key."""
        with self.transaction():
            resource = self[arn]
            row = {**resource.body, **resource.hidden, **to_row(changes.body, changes.facts)}
            self._change("UPDATE resources SET body = ?, updated = ? WHERE arn = ?", (_dump(row), self._now(), arn))
            return self[arn]

    def set_status(
        self, arn: str, status: str, failure_reason: str | None = None, changes: Changes | None = None
    ) -> AnyResource:
        """Move a resource to its next status, with its reason and with changes of its body and facts.

        Raises
        ------
        IllegalMoveError
            No resource goes from its present status to this one.
        """
        with self.transaction():
            check_move(self[arn].status, status)
            if status == FAILED and not failure_reason:
                raise ValueError(f"{arn} cannot become {FAILED!r} without a reason")
            self._change(
                "UPDATE resources SET status = ?, failure_reason = ?, updated = ? WHERE arn = ?",
                (status, failure_reason, self._now(), arn),
            )
            return self.update(arn, changes) if changes else self[arn]

    def delete(self, arn: str) -> bool:
        """Remove a resource with its tags and its waiting work; tell whether it was there."""
        return self._change("DELETE FROM resources WHERE arn = ?", (arn,)).rowcount > 0

    def progress(self, arn: str, done: int, total: int) -> None:
        """Note how far the work on a resource is; no answer of AWS shows it."""
        self._change("UPDATE resources SET done = ?, total = ? WHERE arn = ?", (done, total, arn))

    # tags -------------------------------------------------------------------------------------------------------

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource, by key."""
        return dict(self._rows("SELECT key, value FROM tags WHERE arn = ? ORDER BY rowid", (arn,)))

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags or replace their values."""
        with self.transaction():
            for key, value in tags.items():
                self._change(
                    "INSERT INTO tags (arn, key, value) VALUES (?, ?, ?)"
                    " ON CONFLICT (arn, key) DO UPDATE SET value = excluded.value",
                    (arn, key, value),
                )

    def untag(self, arn: str, keys: Collection[str]) -> None:
        """Remove tags; keys that are not there are no error."""
        with self.transaction():
            for key in keys:
                self._change("DELETE FROM tags WHERE arn = ? AND key = ?", (arn, key))

    # work -------------------------------------------------------------------------------------------------------

    def enqueue(self, kind: str, arn: str) -> Work:
        """Put work on a resource at the end of the queue."""
        inserted = self._change("INSERT INTO work (kind, arn) VALUES (?, ?)", (kind, arn))
        assert inserted.lastrowid is not None, "an INSERT has a row number"
        return Work(inserted.lastrowid, kind, arn, 0)

    def claim(self, worker: int, kinds: Collection[str] | None = None) -> Work | None:
        """Take the oldest waiting work for the process `worker`, or None when nothing waits.

        Parameters
        ----------
        worker
            The process id that `requeue` will look for.
        kinds
            Only work of these kinds; None means any.
        """
        chosen = "" if kinds is None else f" AND kind IN ({_marks(kinds)})"
        # a look without the write lock first: idle workers must not hinder the server
        waiting = f"SELECT id, kind, arn, attempts FROM work WHERE worker IS NULL{chosen} ORDER BY id LIMIT 1"
        if not self._rows(waiting, tuple(kinds or ())):
            return None
        with self.transaction():
            rows = self._rows(waiting, tuple(kinds or ()))
            if not rows:
                return None
            work_id, kind, arn, attempts = rows[0]
            self._change("UPDATE work SET worker = ?, attempts = ? WHERE id = ?", (worker, attempts + 1, work_id))
        return Work(work_id, kind, arn, attempts + 1)

    def finish(self, work_id: int) -> None:
        """Take work off the queue, however it ended."""
        self._change("DELETE FROM work WHERE id = ?", (work_id,))

    def drop_work(self, arn: str) -> None:
        """Take all work on a resource off the queue; what a worker already does, it goes on doing."""
        self._change("DELETE FROM work WHERE arn = ?", (arn,))

    def requeue(self, alive: Collection[int]) -> Works:
        """Release the work of every process that is not in `alive`; return what was released."""
        gone = f"worker IS NOT NULL AND worker NOT IN ({_marks(alive)})"
        with self.transaction():
            rows = self._rows(f"SELECT id, kind, arn, attempts FROM work WHERE {gone} ORDER BY id", tuple(alive))
            self._change(f"UPDATE work SET worker = NULL WHERE {gone}", tuple(alive))
        return [Work(*row) for row in rows]

    def waiting(self, kinds: Collection[str] | None = None) -> int:
        """Count the work that no process has claimed."""
        chosen = "" if kinds is None else f" AND kind IN ({_marks(kinds)})"
        return int(self._rows(f"SELECT count(*) FROM work WHERE worker IS NULL{chosen}", tuple(kinds or ()))[0][0])

    def running(self) -> dict[int, Work]:
        """Return the claimed work by the process that holds it."""
        rows = self._rows("SELECT worker, id, kind, arn, attempts FROM work WHERE worker IS NOT NULL ORDER BY id")
        return {worker: Work(*work) for worker, *work in rows}


_COLUMNS = "id, arn, kind, name, group_arn, parent_arn, status, failure_reason, body, created, updated, done, total"


def _resource(row: tuple[Any, ...]) -> Resource[Any, Any]:
    number, arn, kind, name, group_arn, parent_arn, status, reason, text, created, updated, done, total = row
    body, hidden = from_row(json.loads(text))
    progress = None if total is None else (done, total)
    return Resource(
        number,
        arn,
        KINDS[kind],
        name,
        group_arn,
        parent_arn,
        status,
        reason,
        body,
        hidden,
        created,
        updated,
        progress,
    )


def _dump(row: Mapping[str, Any]) -> str:
    present = {key: value for key, value in row.items() if value is not None}
    return json.dumps(present, separators=(",", ":"), ensure_ascii=False)


def _marks(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))


def _where(
    kind: str, group_arn: str | None, parent_arn: str | None, statuses: Collection[str] | None
) -> tuple[str, list[Any]]:
    clauses, values = ["kind = ?"], [kind]
    for column, wanted in (("group_arn", group_arn), ("parent_arn", parent_arn)):
        if wanted is not None:
            clauses.append(f"{column} = ?")
            values.append(wanted)
    if statuses is not None:
        clauses.append(f"status IN ({_marks(statuses)})")
        values.extend(statuses)
    return " AND ".join(clauses), values
