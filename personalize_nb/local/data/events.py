"""Rows that came one by one (PutEvents, PutItems and the like), kept beside the imported ones in one SQLite file.

An import with mode FULL replaces imported rows and leaves these. An event without a user belongs to the user of its
session, once one of the session's events names him; until then no training sees it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalize_nb.local.data.schema import ACTION_INTERACTIONS, INTERACTIONS, Schema
from personalize_nb.local.state.database import Database
from personalize_nb.local.state.layout import STREAMED

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = """
CREATE TABLE IF NOT EXISTS streamed (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset_group TEXT NOT NULL,
    type TEXT NOT NULL,
    user TEXT,
    session TEXT,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS streamed_by_dataset ON streamed (dataset_group, type, id);
CREATE TABLE IF NOT EXISTS forgotten (job TEXT PRIMARY KEY, rows INTEGER NOT NULL) WITHOUT ROWID;
"""
_USER = "USER_ID"
# what events are about; without it, or without user, an event is none
_SUBJECT = {INTERACTIONS: "ITEM_ID", ACTION_INTERACTIONS: "ACTION_ID"}


class EventStore:
    """The streamed rows of all dataset groups of one service folder."""

    def __init__(self, root: Path):
        self._database = Database(root / STREAMED, TABLES)

    def close(self) -> None:
        """Close the connections that no thread is using."""
        self._database.close()

    def put(self, group: str, dataset_type: str, rows: Iterable[dict[str, Any]], session: str | None = None) -> None:
        """Add rows to a dataset: values by column name, as the dataset's schema types them."""
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT INTO streamed (dataset_group, type, user, session, body) VALUES (?, ?, ?, ?, ?)",
                [(group, dataset_type, row.get(_USER), session, json.dumps(row, ensure_ascii=False)) for row in rows],
            )

    def newest(self, group: str) -> tuple[int, int]:
        """Return the number of the newest row and of rows, which change whenever the group's rows do."""
        with self._database.reading() as connection:
            sql = "SELECT coalesce(max(id), 0), count(*) FROM streamed WHERE dataset_group = ?"
            return tuple(connection.execute(sql, (group,)).fetchone())

    def rows(self, group: str, dataset_type: str, after: int = 0) -> list[dict[str, Any]]:
        """Return the rows of a dataset, oldest first; events that nobody can be named for are left out.

        Parameters
        ----------
        group, dataset_type
            The dataset.
        after
            Only rows with a higher number, as `newest` gives it.
        """
        where = "FROM streamed WHERE dataset_group = ? AND type = ?"
        with self._database.reading() as connection:
            sql = f"SELECT user, session, body {where} AND id > ? ORDER BY id"
            found = connection.execute(sql, (group, dataset_type, after)).fetchall()
            owners: dict[str, str] = {}
            if any(row["user"] is None for row in found):
                sql = f"SELECT session, user {where} AND user IS NOT NULL AND session IS NOT NULL ORDER BY id"
                owners = dict(connection.execute(sql, (group, dataset_type)).fetchall())
        rows = [json.loads(row["body"]) for row in found]
        if dataset_type not in _SUBJECT:
            return rows
        for row, stored in zip(rows, found, strict=True):
            row[_USER] = stored["user"] or owners.get(stored["session"])
        return [row for row in rows if row[_USER] is not None and row.get(_SUBJECT[dataset_type]) is not None]

    def recent(self, group: str, after: int) -> dict[str, list[str]]:
        """Return the items of each user's events that came after row `after`, oldest first."""
        found: dict[str, list[str]] = {}
        for row in self.rows(group, INTERACTIONS, after):
            found.setdefault(row[_USER], []).append(row["ITEM_ID"])
        return found

    def forget(self, group: str, dataset_type: str | None = None) -> None:
        """Remove the rows of a deleted dataset, or of a whole group."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM streamed WHERE dataset_group = ? AND type = coalesce(?, type)", (group, dataset_type)
            )

    def forget_users(self, group: str, users: Collection[str], job: str) -> int:
        """Remove every row of some users and of their sessions.

        Returns
        -------
        int
            How many rows the same job has removed, those of an earlier attempt that was cut off among them.
        """
        deleted = 0
        with self._database.writing() as connection:
            for user in users:
                # first the rows that only a session ties to the user: his own name that session
                for owned in (
                    "user IS NULL AND session IN (SELECT session FROM streamed WHERE dataset_group = ?1 AND user = ?2)",
                    "user = ?2",
                ):
                    sql = f"DELETE FROM streamed WHERE dataset_group = ?1 AND {owned}"
                    deleted += connection.execute(sql, (group, user)).rowcount
            connection.execute(
                "INSERT INTO forgotten VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET rows = rows + excluded.rows",
                (job, deleted),
            )
            return int(connection.execute("SELECT rows FROM forgotten WHERE job = ?", (job,)).fetchone()[0])


@contextmanager
def opened(root: Path) -> Iterator[EventStore]:
    """Open the streamed rows for a moment; a worker has no need of them for longer."""
    event_store = EventStore(root)
    try:
        yield event_store
    finally:
        event_store.close()


def table(root: Path, group: str, schema: Schema) -> pa.Table:
    """Return the streamed rows of a dataset with the columns of its schema."""
    import pyarrow as pa

    from personalize_nb.local.data.csv_files import arrow_schema

    with opened(root) as event_store:
        rows = event_store.rows(group, schema.type)
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in arrow_schema(schema)]
    return pa.table(columns, schema=arrow_schema(schema))
