"""One SQLite file used by many threads and several processes.

A small pool of connections: readers see the last commit, one writer at a time in this process queues on a lock
(fairer than SQLite's own retry loop), and other processes wait on the file's lock.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from personalize_nb.local.state import durability
from personalize_nb.local.state.diskspace import reserve_of, stand_by
from personalize_nb.local.state.wholeness import damaged

_BUSY_SECONDS = 60.0
_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Database:
    """A pool of connections to one SQLite file in WAL mode.

    Parameters
    ----------
    path
        The file; created with `schema` when it is new.
    schema
        Statements that may be run again at every start (`CREATE ... IF NOT EXISTS`).
    reserve
        Whether to keep room for transactions that free space.
    """

    def __init__(self, path: Path, schema: str, *, reserve: bool = False):
        self.path = Path(path)
        self._reserve = reserve_of(self.path) if reserve else None
        self._idle: list[sqlite3.Connection] = []
        self._pool_lock = threading.Lock()
        self._write_lock = threading.Lock()
        # An owner that is dropped without close() must not leave open files behind.
        self._finalizer = weakref.finalize(self, _close_all, self._idle)
        with self._borrowed() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(schema)
        if self._reserve is not None:
            stand_by(self._reserve)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose reads see one moment of the data, however long they take."""
        with self._borrowed() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, *, frees: bool = False) -> Iterator[sqlite3.Connection]:
        """Give a transaction that holds the write lock from its start: commit on a clean exit, nothing otherwise.

        One that `frees` space has room on a full disk too, where a reserve is kept.
        """
        if frees and self._reserve is not None and stand_by(self._reserve):
            with self._borrowed() as connection, suppress(sqlite3.OperationalError):
                # what the log holds goes to the file, and the log can be written from its beginning
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        with self._write_lock, self._borrowed() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                # SQLite has rolled back by itself when the disk is full
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close the pooled connections; a later use opens new ones."""
        with self._pool_lock:
            _close_all(self._idle)

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        with self._pool_lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        try:
            yield connection
        except BaseException as error:
            # In whatever state it is, nobody else should meet it.
            if connection.in_transaction:
                connection.close()
            else:
                self._give_back(connection)
            if isinstance(error, sqlite3.DatabaseError) and _primary(error) in _UNREADABLE:
                raise damaged(self.path, str(error)) from error
            raise
        self._give_back(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        # NORMAL keeps the file whole; commits since the last checkpoint may be missing after a power cut
        connection.execute(f"PRAGMA synchronous = {'FULL' if durability.is_durable() else 'NORMAL'}")
        # where an ordinary fsync ends in the memory of the disk; nothing elsewhere
        connection.execute(f"PRAGMA fullfsync = {'ON' if durability.is_durable() else 'OFF'}")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pool_lock:
            self._idle.append(connection)


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _primary(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
