"""One SQLite file used by many threads and several processes.

A small pool of connections: readers see the last commit, one writer at a time in this process queues on a lock
(fairer than SQLite's own retry loop), and other processes wait on the file's lock.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from personalize_nb.errors import LocalServiceError

_BUSY_SECONDS = 60.0
_RESTORE = (
    "restore the folder's files from a backup, or move the whole folder away to begin anew without what it kept, or "
    "choose another folder"
)


class Database:
    """A pool of connections to one SQLite file in WAL mode.

    Parameters
    ----------
    path
        The file; created with `schema` when it is new.
    schema
        Statements that may be run again at every start (`CREATE ... IF NOT EXISTS`).

    Raises
    ------
    LocalServiceError
        The file cannot be used; it is left as it is.
    """

    def __init__(self, path: Path, schema: str):
        self.path = Path(path)
        self._idle: list[sqlite3.Connection] = []
        self._pool_lock = threading.Lock()
        self._write_lock = threading.Lock()
        # An owner that is dropped without close() must not leave open files behind.
        self._finalizer = weakref.finalize(self, _close_all, self._idle)
        try:
            with self._borrowed() as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(schema)
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error

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
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a transaction that holds the write lock from its start: commit on a clean exit, nothing otherwise."""
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
        except BaseException:
            # In whatever state it is, nobody else should meet it.
            if connection.in_transaction:
                connection.close()
                raise
            self._give_back(connection)
            raise
        self._give_back(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pool_lock:
            self._idle.append(connection)


def _unusable(path: Path, error: sqlite3.Error) -> LocalServiceError:
    """Tell which file it is, what is wrong with it, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if path.is_dir():
        cause, repair = "a folder lies in its place", _RESTORE
    elif code == sqlite3.SQLITE_FULL:
        cause, repair = "the disk is full", "make room on that disk, then start again"
    elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        cause, repair = "another process keeps it locked", "end that process, then start again"
    elif code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH):
        cause = str(error)
        repair = "make it and its folder readable and writable for this user, or choose another folder"
    else:
        cause, repair = f"{error} (it is damaged, or of something else)", _RESTORE
    return LocalServiceError(f"the state file {str(path)!r} cannot be used: {cause}. It is left as it is; {repair}")


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()
