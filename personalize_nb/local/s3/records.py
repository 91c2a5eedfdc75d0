"""What the object store knows of buckets and objects, and the rows that hold it.

SQLite's binary order of UTF-8 text is S3's order of keys.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3.encryption import Seal
from personalize_nb.local.s3.leaving import TABLE

SCHEMA = f"""
{TABLE}
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, region TEXT NOT NULL, created REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bucket_settings (
    bucket TEXT NOT NULL REFERENCES buckets(name) ON DELETE CASCADE,
    kind TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (bucket, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL REFERENCES buckets(name), key TEXT NOT NULL, body TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, modified REAL NOT NULL, content_type TEXT NOT NULL, details TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets(name), key TEXT NOT NULL, created REAL NOT NULL,
    content_type TEXT NOT NULL, details TEXT NOT NULL, checksum_algorithm TEXT, checksum_type TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, id);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL REFERENCES uploads(id) ON DELETE CASCADE, number INTEGER NOT NULL, body TEXT NOT NULL,
    size INTEGER NOT NULL, etag TEXT NOT NULL, modified REAL NOT NULL, checksum TEXT, PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS completions (
    upload TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets(name) ON DELETE CASCADE, key TEXT NOT NULL,
    parts TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, completed REAL NOT NULL, content_type TEXT NOT NULL,
    details TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS completions_by_date ON completions (completed);
CREATE INDEX IF NOT EXISTS objects_by_body ON objects (body);
CREATE INDEX IF NOT EXISTS parts_by_body ON parts (body);
"""


@dataclass(frozen=True)
class Checksum:
    """A checksum kept with an object: algorithm as in `x-amz-checksum-<algorithm>`, base64 value, and type."""

    algorithm: str
    value: str
    type: str = "FULL_OBJECT"

    @property
    def bare(self) -> str:
        """The value without the number of parts that a composite one ends with."""
        return self.value.partition("-")[0]


@dataclass(frozen=True)
class ObjectDetails:
    """What is kept with an object besides its bytes; a new object's description."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    checksum: Checksum | None = None
    part_sizes: tuple[int, ...] = ()
    # those of the parts, where the upload had an algorithm
    part_checksums: tuple[str, ...] = ()
    # how the body is encrypted; None for one that lies open
    seal: Seal | None = None

    def to_json(self) -> str:
        values = {name: value for name, value in vars(self).items() if value}
        if self.checksum:
            values["checksum"] = vars(self.checksum)
        if self.seal:
            values["seal"] = vars(self.seal)
        return json.dumps({name: _plain(value) for name, value in values.items()})

    @classmethod
    def from_json(cls, text: str) -> ObjectDetails:
        if text == "{}":
            return NO_DETAILS
        values = json.loads(text)
        if "checksum" in values:
            values["checksum"] = Checksum(**values["checksum"])
        for name in ("part_sizes", "part_checksums"):
            if name in values:
                values[name] = tuple(values[name])
        if "seal" in values:
            values["seal"] = Seal(**values["seal"] | {"sizes": tuple(values["seal"]["sizes"])})
        return cls(**values)


NO_DETAILS = ObjectDetails()


@dataclass(frozen=True)
class ObjectInfo:
    """One stored object as it was at one moment. `etag` is without quotes, `last_modified` in epoch seconds."""

    key: str
    size: int
    etag: str
    last_modified: float
    content_type: str
    body: str
    details: ObjectDetails

    @property
    def metadata(self) -> Mapping[str, str]:
        return self.details.metadata


@dataclass(frozen=True)
class BucketInfo:
    """One bucket."""

    name: str
    region: str
    created: float


def require_bucket(db: sqlite3.Connection, name: str) -> BucketInfo:
    """Return the bucket's row, or `NoSuchBucket`."""
    row = bucket_row(db, name)
    if row is None:
        raise ApiError("NoSuchBucket", f"The specified bucket does not exist: {name}.", 404)
    return BucketInfo(*row)


def find_object(db: sqlite3.Connection, bucket: str, key: str) -> ObjectInfo | None:
    """Return the object of that key, if any."""
    row = db.execute("SELECT * FROM objects WHERE bucket = ? AND key = ?", (bucket, key)).fetchone()
    return info_from(row) if row else None


def scan_objects(
    db: sqlite3.Connection, bucket: str, prefix: str, after: str = "", at_least: str = ""
) -> sqlite3.Cursor:
    """Rows of the objects under `prefix`, behind `after` and from `at_least` on, lazily and in order."""
    end = after_prefix(prefix)
    bound, values = ("AND key < ?", [end]) if end else ("", [])
    return db.execute(
        f"SELECT * FROM objects WHERE bucket = ? AND key >= ? AND key > ? {bound} ORDER BY key",
        (bucket, max(prefix, at_least), after, *values),
    )


def after_prefix(prefix: str) -> str | None:
    """Return the smallest text greater than every text that begins with `prefix`; None when there is none."""
    while prefix:
        code = ord(prefix[-1])
        if code < 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if code == 0xD7FF else code + 1)
        prefix = prefix[:-1]
    return None


def info_from(row: sqlite3.Row) -> ObjectInfo:
    """Return an object's facts from its row."""
    return ObjectInfo(
        row["key"],
        row["size"],
        row["etag"],
        row["modified"],
        row["content_type"],
        row["body"],
        ObjectDetails.from_json(row["details"]),
    )


def no_such_key(key: str) -> ApiError:
    """Return the error for a key that is not there."""
    return ApiError("NoSuchKey", f"The specified key does not exist: {key}.", 404)


def bucket_row(db: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT name, region, created FROM buckets WHERE name = ?", (name,)).fetchone()
    return row


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
