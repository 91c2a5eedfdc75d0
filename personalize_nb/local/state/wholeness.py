"""Whether a folder's databases are there, sound, and of one time; looked at before a service opens any of them.

At each start, and again at each orderly end, the three databases are given the same new generation, so that one which
was put back from elsewhere or from earlier in the same run, emptied or lost is told from a new folder. Account and
region are kept beside it: every ARN holds them. Nothing is changed by looking, and what does not fit is refused with
what can be done.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.errors import DamagedError
from personalize_nb.local.state import layout, platform

ABOUT = "about"
TABLE = f"CREATE TABLE IF NOT EXISTS {ABOUT} (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
_GENERATION, _NEXT = "generation", "next generation"
# in the state: the run of the machine that the service began in, until it has ended in order
_RUNNING = "running since boot"
_RIGHTS = "make it and its folder readable and writable for this user, or choose another folder"
_END_IT = "end the process that keeps it locked, then start again"
# what the system is to blame for, and what to do then; a full disk is told by `diskspace`
_OF_THE_SYSTEM = {
    sqlite3.SQLITE_BUSY: _END_IT,
    sqlite3.SQLITE_LOCKED: _END_IT,
    sqlite3.SQLITE_NOMEM: "end other processes, so that there is memory, then start again",
    sqlite3.SQLITE_READONLY: _RIGHTS,
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_AUTH: _RIGHTS,
    sqlite3.SQLITE_IOERR: "see that its disk is mounted and sound, then start again",
}
_ARN = re.compile(r"arn:[^:]+:personalize:(?P<region>[^:]+):(?P<account>\d{12}):")
_BUCKET = re.compile(r"personalize-nb-(?P<account>\d{12})-(?P<region>[a-z0-9-]+)$")
_BACK = "Put back the copy of it that belongs to this folder, from a backup"
_AWAY = "or move the whole folder away and begin with an empty one, or choose another folder"


class OtherTimeError(DamagedError):
    """A database is sound, and of another time than the others."""


@dataclass(frozen=True)
class Identity:
    """The account and region that everything in a folder belongs to."""

    account: str
    region: str


@dataclass(frozen=True)
class _Seen:
    """What was found in the place of one database; `about` is None where there are no tables."""

    path: Path
    about: dict[str, str] | None = None
    tables: frozenset[str] = frozenset()
    readable: bool = True

    @property
    def generation(self) -> str | None:
        return None if self.about is None else self.about.get(_GENERATION)


def look(root: Path) -> Identity | None:
    """Refuse a folder whose parts do not belong together; return whose it is, None for a new one.

    Raises
    ------
    DamagedError
        A database cannot be read, is missing or empty beside what only it can name, or is older or younger than the
        others.
    LocalServiceError
        The system does not let this user read one.
    """
    seen, misfits = _examined(root)
    for misfit in misfits:
        raise misfit
    return _identity(*seen)


def misfits(root: Path) -> list[DamagedError]:
    """Return everything for which `look` would refuse a folder, with every page of its databases read."""
    return _examined(root, thorough=True)[1]


def identity_of(root: Path) -> Identity | None:
    """Return whose a folder with readable databases is, whether they belong together or not."""
    return _identity(*(_seen(root / name, thorough=False) for name in layout.DATABASES))


def _examined(root: Path, *, thorough: bool = False) -> tuple[list[_Seen], list[DamagedError]]:
    seen: list[_Seen] = []
    found: list[DamagedError] = []
    for name in layout.DATABASES:
        try:
            seen.append(_seen(root / name, thorough=thorough))
        except DamagedError as error:
            found.append(error)
            # of what it holds nothing is known
            seen.append(_Seen(root / name, {}, readable=False))
    state, objects, _ = seen
    served = any(one.generation is not None for one in seen)
    for one in seen:
        if one.about is None and (served or any(_needing(root, one, (state, objects)))):
            held = next(_needing(root, one, (state, objects)), "other databases of the same service")
            how = "it is empty" if one.path.exists() else "it is missing"
            found.append(DamagedError(one.path, f"{how}, while the folder holds {held}", f"{_BACK}, {_AWAY}"))
    if served and state.readable and state.about is not None:
        found += _of_another_time(state, [one for one in seen[1:] if one.readable and one.about is not None])
    return seen, found


def was_killed(root: Path) -> bool:
    """Tell whether the last service of a folder was killed, and everything that it had committed is there still.

    After a power cut the newest commits may be missing, and files that were removed may be there.
    """
    return _read(root / layout.STATE).get(_RUNNING) == platform.boot()


def mark(root: Path, identity: Identity, *, ended: bool = False) -> None:
    """Give the databases a new generation, at a start or an orderly end; one that is cut off here can begin again."""
    state, *others = (root / name for name in layout.DATABASES)
    number = _number(_read(state).get(_GENERATION)) + 1
    generation = f"{number}.{secrets.token_hex(6)}"
    # in each, for when the others are lost
    whose = {"account": identity.account, "region": identity.region}
    _write(state, {_NEXT: generation, _RUNNING: platform.boot(), **whose})
    for path in others:
        _write(path, {_GENERATION: generation, **whose})
    _write(state, {_GENERATION: generation, _NEXT: "", **({_RUNNING: ""} if ended else {})})


def check(path: Path, *, thorough: bool = False) -> None:
    """Read a database through; raise `DamagedError` when its pages, or its indexes, do not fit together."""
    with reading(path) as db:
        found = [row[0] for row in db.execute(f"PRAGMA {'integrity_check' if thorough else 'quick_check'}(3)")]
    if found != ["ok"]:
        raise damaged(path, " ".join("; ".join(found).split()))


def damaged(path: Path, cause: str) -> DamagedError:
    """Return the error for a database that SQLite cannot read."""
    return DamagedError(path, f"SQLite cannot read it: {cause}", f"{_BACK}, {_AWAY}")


def _seen(path: Path, *, thorough: bool) -> _Seen:
    if path.is_dir():
        raise DamagedError(path, "a folder lies in its place", f"{_BACK}, {_AWAY}")
    if not path.exists() or not path.stat().st_size:
        return _Seen(path)
    check(path, thorough=thorough)
    with reading(path) as db:
        tables = frozenset(row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
    return _Seen(path, _read(path) if tables else None, tables)


def _needing(root: Path, missing: _Seen, databases: tuple[_Seen, _Seen]) -> Iterator[str]:
    """Yield what is worth nothing without a database, as it stands in a folder of any version."""
    state, objects = databases
    if missing.path == objects.path and _any(root / layout.OBJECTS / "bodies", "*/*"):
        yield "objects"
    if missing.path == state.path:
        if _any(root / "models", "*"):
            yield "models"
        if _any(root / "datasets", "*/*.parquet"):
            yield "imported rows"
        if objects.about is not None or _any(root / layout.OBJECTS / "bodies", "*/*"):
            yield "objects"


def _any(folder: Path, pattern: str) -> bool:
    return next(folder.glob(pattern), None) is not None


def _of_another_time(state: _Seen, others: Iterable[_Seen]) -> Iterator[DamagedError]:
    about = state.about or {}
    fitting = {about.get(_GENERATION), about.get(_NEXT) or about.get(_GENERATION)}
    for other in others:
        if other.generation in fitting:
            continue
        own, theirs = (_number(seen.generation) for seen in (state, other))
        older, newer = (state, other) if own < theirs else (other, state)
        how = "is older than" if own != theirs else "is of another time than"
        yield OtherTimeError(
            older.path,
            f"it {how} {newer.path.name} (generation {older.generation or 'none'}, not {newer.generation or 'none'}), "
            "so rows and files would be taken for lost",
            f"{_BACK}, or those of all three that were copied at one time, or mend a copy of the folder with "
            f"`personalize-nb state repair`, {_AWAY}",
        )


def _number(generation: str | None) -> int:
    number = (generation or "").partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() else 0


def _identity(state: _Seen, objects: _Seen, put: _Seen) -> Identity | None:
    """Return whose the folder is; earlier versions say it in the ARNs and in the name of the service's own bucket."""
    for seen in (state, objects, put):
        about = seen.about or {}
        if {"account", "region"} <= about.keys():
            return Identity(about["account"], about["region"])
    for seen, table, column, pattern in ((state, "resources", "arn", _ARN), (objects, "buckets", "name", _BUCKET)):
        if table not in seen.tables:
            continue
        with reading(seen.path) as db:
            for (text,) in db.execute(f"SELECT {column} FROM {table} ORDER BY {column}"):
                if (own := pattern.match(str(text))) is not None:
                    return Identity(own["account"], own["region"])
    return None


def _read(path: Path) -> dict[str, str]:
    with reading(path) as db:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone() is None:
            return {}
        return dict(db.execute("SELECT name, value FROM about").fetchall())


def _write(path: Path, values: dict[str, str]) -> None:
    with _using(path) as db, db:
        db.execute("PRAGMA synchronous = FULL")
        db.execute(TABLE)
        db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values.items())


def reading(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """Open a database to read it, and leave its file as it is."""
    log = path.with_name(f"{path.name}-wal")
    # the last one to close a database writes its log into it, unless he may only read; one without a log would get one
    return _using(path, "ro" if log.exists() and log.stat().st_size else "rw")


@contextmanager
def _using(path: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    """Open a database; what cannot be made sense of is damaged, unless the system is the cause."""
    try:
        with closing(_opened(path, mode)) as db:
            yield db
    except (sqlite3.Error, ValueError) as error:
        code = getattr(error, "sqlite_errorcode", -1) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise
        if (repair := _OF_THE_SYSTEM.get(code)) is not None:
            raise LocalServiceError(
                f"the local service cannot use {str(path)!r}: {error}. It is left as it is; {repair}"
            ) from error
        raise damaged(path, str(error)) from error


def _opened(path: Path, mode: str = "rw") -> sqlite3.Connection:
    # never made here: a file that is missing is news
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=60)
