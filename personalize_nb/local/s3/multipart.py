"""Uploads in parts: each part a body of its own until completion joins them, in one commit, into an object.

A part can be sent again, in any order, across restarts. Joining copies inside the kernel into a new file and
leaves the parts alone until the object is published, so being killed midway costs nothing. A completion is remembered
for a week: whoever did not get its answer asks again and gets the same one.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from personalize_nb.local.errors import ApiError, DamagedError
from personalize_nb.local.s3 import digests
from personalize_nb.local.s3.digests import BY_DEFAULT, DEFAULT_ALGORITHM, joined_etag
from personalize_nb.local.s3.encryption import sealed_size
from personalize_nb.local.s3.incoming import Incoming
from personalize_nb.local.s3.records import Checksum, ObjectDetails, ObjectInfo, require_bucket
from personalize_nb.local.s3.store import Condition, ObjectStore

MIN_PART_BYTES = 5 << 20
MAX_PARTS = 10_000
REMEMBERED_SECONDS = 7 * 24 * 3600
_PAGE = 1000


@dataclass(frozen=True)
class Upload:
    """An upload that has been begun and neither completed nor aborted."""

    id: str
    bucket: str
    key: str
    created: float
    content_type: str
    details: ObjectDetails
    checksum_algorithm: str | None
    checksum_type: str | None

    @property
    def asked(self) -> tuple[str | None, str | None]:
        """Algorithm and type of the checksums that whoever began the upload asked for."""
        return (None, None) if self.checksum_type == BY_DEFAULT else (self.checksum_algorithm, self.checksum_type)


@dataclass(frozen=True)
class Part:
    """One part as it was sent last."""

    number: int
    body: str
    size: int
    etag: str
    modified: float
    checksum: Checksum | None


@dataclass(frozen=True)
class NamedPart:
    """A part as a completion names it."""

    number: int
    etag: str
    checksum: str | None = None


class Uploads:
    """The uploads in progress of one store."""

    def __init__(self, store: ObjectStore):
        self._store = store

    def begin(
        self,
        bucket: str,
        key: str,
        content_type: str,
        details: ObjectDetails,
        checksum_algorithm: str | None = None,
        checksum_type: str | None = None,
    ) -> Upload:
        """Open an upload for a key; the object's description is fixed here. Without an algorithm it gets S3's own."""
        if checksum_algorithm is None:
            checksum_algorithm, checksum_type = DEFAULT_ALGORITHM, BY_DEFAULT
        upload = Upload(
            uuid.uuid4().hex,
            bucket,
            key,
            self._store.clock(),
            content_type,
            details,
            checksum_algorithm,
            checksum_type,
        )
        with self._store.database.writing() as db:
            require_bucket(db, bucket)
            db.execute(
                "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    upload.id,
                    bucket,
                    key,
                    upload.created,
                    content_type,
                    details.to_json(),
                    checksum_algorithm,
                    checksum_type,
                ),
            )
        return upload

    def get(self, bucket: str, key: str, upload_id: str) -> Upload:
        """Return the upload, or `NoSuchUpload`."""
        with self._store.database.reading() as db:
            require_bucket(db, bucket)
            return _require(db, bucket, key, upload_id)

    def list(self, bucket: str, prefix: str, after: tuple[str, str]) -> Iterator[Upload]:
        """Return the uploads under `prefix` and behind `after` (key, upload id), ordered by key and id."""
        while True:
            with self._store.database.reading() as db:
                require_bucket(db, bucket)
                rows = db.execute(
                    "SELECT * FROM uploads WHERE bucket = ? AND substr(key, 1, ?) = ? AND (key, id) > (?, ?)"
                    " ORDER BY key, id LIMIT ?",
                    (bucket, len(prefix), prefix, *after, _PAGE),
                ).fetchall()
            yield from map(_upload, rows)
            if len(rows) < _PAGE:
                return
            after = (rows[-1]["key"], rows[-1]["id"])

    def add_part(self, upload: Upload, number: int, incoming: Incoming, etag: str, checksum: Checksum | None) -> Part:
        """Keep a part, in place of any of that number."""
        if not 1 <= number <= MAX_PARTS:
            raise ApiError("InvalidArgument", f"Part number must be from 1 to {MAX_PARTS}, got {number}.")
        incoming.settle()
        store = self._store
        with store.bodies.moving(incoming.path) as move, store.database.writing() as db:
            _require(db, upload.bucket, upload.key, upload.id)
            old = db.execute("SELECT body FROM parts WHERE upload = ? AND number = ?", (upload.id, number)).fetchone()
            body = move()
            left = [old["body"]] if old else []
            store.leaving.note(db, left)
            part = Part(number, body, incoming.size, etag, store.clock(), checksum)
            db.execute(
                "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (upload.id, number, body, part.size, etag, part.modified, checksum and checksum.value),
            )
        store.leaving.drop(left)
        return part

    def parts(self, upload: Upload, after: int = 0, limit: int = MAX_PARTS) -> Sequence[Part]:
        """Return the first `limit` parts with numbers above `after`."""
        with self._store.database.reading() as db:
            _require(db, upload.bucket, upload.key, upload.id)
            return _parts(db, upload, after, limit)

    def complete(
        self,
        upload: Upload,
        named: Sequence[NamedPart],
        condition: Condition | None = None,
        promised_checksum: str | None = None,
        promised_size: int | None = None,
    ) -> ObjectInfo:
        """Join the named parts into the object; parts that are not named are dropped."""
        store = self._store
        chosen = _choose(self.parts(upload), named, upload)
        size = sum(part.size for part in chosen)
        if promised_size not in (None, size):
            raise ApiError(
                "InvalidRequest",
                f"The provided 'x-amz-mp-object-size' header does not match the parts: promised {promised_size} bytes, "
                f"the parts have {size}.",
            )
        with store.incoming() as incoming:
            sizes = tuple(part.size for part in chosen)
            seal = upload.details.seal and replace(upload.details.seal, sizes=sizes)
            self._join(upload, incoming, chosen, sealed=seal is not None)
            kept = tuple(part.checksum.value for part in chosen if part.checksum)
            checksum = _checksum_of(upload, kept, sizes)
            if promised_checksum and checksum:
                digests.check_promise(promised_checksum, checksum)
            details = ObjectDetails(
                metadata=upload.details.metadata,
                headers=upload.details.headers,
                tags=upload.details.tags,
                checksum=checksum,
                part_sizes=sizes,
                part_checksums=kept,
                seal=seal,
            )
            dropped: list[str] = []
            etag = joined_etag([part.etag for part in chosen])

            def end_upload(db: sqlite3.Connection) -> None:
                _require(db, upload.bucket, upload.key, upload.id)
                dropped.extend(_end(self._store, db, upload))
                self._remember(db, upload, named, incoming.size, etag, details)

            info = store.publish(
                upload.bucket,
                upload.key,
                incoming,
                etag=etag,
                content_type=upload.content_type,
                details=details,
                condition=condition,
                also=end_upload,
            )
        store.leaving.drop(dropped)
        return info

    def completed(self, bucket: str, key: str, upload_id: str, named: Sequence[NamedPart]) -> ObjectInfo | None:
        """Return what an upload that was completed with these parts became; None when there was no such completion."""
        with self._store.database.reading() as db:
            row = db.execute(
                "SELECT * FROM completions WHERE upload = ? AND bucket = ? AND key = ? AND parts = ?",
                (upload_id, bucket, key, _fingerprint(named)),
            ).fetchone()
        if row is None:
            return None
        details = ObjectDetails.from_json(row["details"])
        return ObjectInfo(key, row["size"], row["etag"], row["completed"], row["content_type"], "", details)

    def _remember(
        self,
        db: sqlite3.Connection,
        upload: Upload,
        named: Sequence[NamedPart],
        size: int,
        etag: str,
        details: ObjectDetails,
    ) -> None:
        now = self._store.clock()
        db.execute("DELETE FROM completions WHERE completed < ?", (now - REMEMBERED_SECONDS,))
        # what an answer shows: neither the parts nor what the object holds
        shown = ObjectDetails(headers=details.headers, checksum=details.checksum)
        db.execute(
            "INSERT INTO completions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                upload.id,
                upload.bucket,
                upload.key,
                _fingerprint(named),
                size,
                etag,
                now,
                upload.content_type,
                shown.to_json(),
            ),
        )

    def abort(self, upload: Upload) -> None:
        """Forget the upload and its parts."""
        with self._store.database.writing(frees=True) as db:
            _require(db, upload.bucket, upload.key, upload.id)
            left = _end(self._store, db, upload)
        self._store.leaving.drop(left)

    def _join(self, upload: Upload, incoming: Incoming, chosen: Sequence[Part], sealed: bool) -> None:
        for part in chosen:
            try:
                with self._store.bodies.open(part.body) as file:
                    incoming.append(file, 0, sealed_size(part.size) if sealed else part.size)
            except (FileNotFoundError, EOFError) as error:
                if part not in self.parts(upload):
                    why = "it was replaced while the upload was being completed"
                    raise _invalid_part(part.number, why) from None
                cause = f"its body is cut: {error}" if isinstance(error, EOFError) else "its body is missing"
                raise DamagedError(
                    self._store.bodies.path(part.body),
                    f"{cause}, of part {part.number} of an upload of s3://{upload.bucket}/{upload.key}",
                    "Put that file back from a copy of the folder, upload the part again, or abort the upload "
                    f"{upload.id}",
                ) from error
        incoming.size = sum(part.size for part in chosen)


def _checksum_of(upload: Upload, kept: Sequence[str], sizes: Sequence[int]) -> Checksum | None:
    """Return the object's checksum from those of its parts; every part of an upload with an algorithm has one."""
    if upload.checksum_algorithm is None:
        return None
    if upload.checksum_type in ("FULL_OBJECT", BY_DEFAULT):
        return digests.joined(upload.checksum_algorithm, list(zip(kept, sizes, strict=True)))
    return digests.composite(upload.checksum_algorithm, kept)


def _choose(parts: Sequence[Part], named: Sequence[NamedPart], upload: Upload) -> list[Part]:
    if not named:
        raise ApiError("MalformedXML", "You must specify at least one part.")
    numbers = [part.number for part in named]
    if numbers != sorted(set(numbers)):
        raise ApiError("InvalidPartOrder", "The list of parts was not in ascending order.")
    known = {part.number: part for part in parts}
    chosen = []
    for name in named:
        part = known.get(name.number)
        if part is None:
            raise _invalid_part(name.number, "it was not uploaded")
        if name.etag != part.etag:
            raise _invalid_part(name.number, f"its ETag is {part.etag!r}, not {name.etag!r}")
        if upload.checksum_type == "COMPOSITE" and not name.checksum:
            algorithm = str(upload.checksum_algorithm).lower()
            raise ApiError(
                "InvalidRequest",
                f"The upload was created using a {algorithm} checksum. The complete request "
                f"must include the checksum for each part. It was missing for part {name.number} in the request.",
            )
        if name.checksum and part.checksum and name.checksum != part.checksum.value:
            raise _invalid_part(name.number, f"its checksum is {part.checksum.value!r}, not {name.checksum!r}")
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size < MIN_PART_BYTES:
            raise ApiError(
                "EntityTooSmall",
                f"Your proposed upload is smaller than the minimum allowed size: part {part.number} has {part.size} "
                f"bytes, all but the last need {MIN_PART_BYTES}.",
            )
    return chosen


def _fingerprint(named: Sequence[NamedPart]) -> str:
    """Return what tells two completions apart: numbers and ETags of the parts."""
    return hashlib.sha256(json.dumps([(part.number, part.etag) for part in named]).encode()).hexdigest()


def _require(db: sqlite3.Connection, bucket: str, key: str, upload_id: str) -> Upload:
    row = db.execute(
        "SELECT * FROM uploads WHERE id = ? AND bucket = ? AND key = ?", (upload_id, bucket, key)
    ).fetchone()
    if row is None:
        raise ApiError(
            "NoSuchUpload",
            f"The specified upload does not exist: {upload_id!r}. It may have been aborted or completed.",
            404,
        )
    return _upload(row)


def _end(store: ObjectStore, db: sqlite3.Connection, upload: Upload) -> list[str]:
    bodies = [row["body"] for row in db.execute("SELECT body FROM parts WHERE upload = ?", (upload.id,))]
    store.leaving.note(db, bodies)
    db.execute("DELETE FROM uploads WHERE id = ?", (upload.id,))
    return bodies


def _upload(row: sqlite3.Row) -> Upload:
    values = dict(row)
    values["details"] = ObjectDetails.from_json(values["details"])
    return Upload(**values)


def _parts(db: sqlite3.Connection, upload: Upload, after: int, limit: int) -> list[Part]:
    rows = db.execute(
        "SELECT * FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?", (upload.id, after, limit)
    ).fetchall()
    algorithm = upload.checksum_algorithm
    return [
        Part(
            row["number"],
            row["body"],
            row["size"],
            row["etag"],
            row["modified"],
            Checksum(algorithm, row["checksum"]) if algorithm and row["checksum"] else None,
        )
        for row in rows
    ]


def _invalid_part(number: int, detail: str) -> ApiError:
    return ApiError("InvalidPart", f"One or more of the specified parts could not be found: part {number}: {detail}.")
