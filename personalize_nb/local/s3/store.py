"""Buckets and objects on disk: facts in SQLite, bodies in files; knows nothing of HTTP.

A row names its body's file, so publishing an object is one commit: readers see the old or the new, whole, and a
process killed at any moment leaves at worst a file that `sweep` removes. Several processes may share one root.
"""

from __future__ import annotations

import copy
import io
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from personalize_nb.local.errors import ApiError, DamagedError
from personalize_nb.local.s3.bucket_names import check_name
from personalize_nb.local.s3.digests import DEFAULT_ALGORITHM, etag_of, kept, running
from personalize_nb.local.s3.encryption import Keyring, Seal, size_on_disk, unsealed
from personalize_nb.local.s3.files import BLOCK, Bodies
from personalize_nb.local.s3.incoming import Digest, Incoming
from personalize_nb.local.s3.leaving import Leaving
from personalize_nb.local.s3.reading import stretches, verified
from personalize_nb.local.s3.records import (
    NO_DETAILS,
    SCHEMA,
    BucketInfo,
    ObjectDetails,
    ObjectInfo,
    bucket_row,
    find_object,
    info_from,
    no_such_key,
    require_bucket,
    scan_objects,
)
from personalize_nb.local.s3.sealing import KMS, Encryption, Sealing, of_configuration
from personalize_nb.local.state.database import Database

DEFAULT_CONTENT_TYPE = "binary/octet-stream"
MAX_KEY_BYTES = 1024
_PAGE = 1000

# Looks at the object that is about to be replaced (None: there is none) and raises when it must not be.
Condition = Callable[[ObjectInfo | None], None]


class ObjectStore:
    """Buckets and objects under one folder, safe from several threads and processes.

    Parameters
    ----------
    root
        The folder; made when absent, readable by its owner only.
    clock
        Where `last_modified` comes from.
    keyring
        KMS, for objects that are encrypted; without it there can be none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> store = ObjectStore(Path(tempfile.mkdtemp()))
    >>> store.create_bucket("books", "us-east-1")
    >>> store.put("books", "in/users.jsonl", b"{}").size
    2
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.time, keyring: Keyring | None = None):
        self._sealing = Sealing(keyring)
        self._key: str | None = None
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.clock = clock
        self.bodies = Bodies(self.root)
        self.leaving = Leaving(self.bodies)
        self.database = Database(self.root / "objects.sqlite", SCHEMA, reserve=True)

    def close(self) -> None:
        """Release the open files."""
        self.database.close()

    # buckets

    def create_bucket(self, name: str, region: str) -> None:
        """Make a bucket; `BucketAlreadyOwnedByYou` when it exists, `InvalidBucketName` for what can be none."""
        check_name(name)
        with self.database.writing() as db:
            if bucket_row(db, name):
                raise ApiError(
                    "BucketAlreadyOwnedByYou",
                    f"Your previous request to create the named bucket succeeded and you already own it: {name}.",
                    409,
                )
            db.execute("INSERT INTO buckets VALUES (?, ?, ?)", (name, region, self.clock()))

    def buckets(self) -> Sequence[BucketInfo]:
        """All buckets by name."""
        with self.database.reading() as db:
            return [BucketInfo(*row) for row in db.execute("SELECT * FROM buckets ORDER BY name")]

    def has_bucket(self, name: str) -> bool:
        """Whether the bucket exists."""
        with self.database.reading() as db:
            return bucket_row(db, name) is not None

    def bucket(self, name: str) -> BucketInfo:
        """Return the bucket, or `NoSuchBucket`."""
        with self.database.reading() as db:
            return require_bucket(db, name)

    def delete_bucket(self, name: str) -> None:
        """Remove an empty bucket; open multipart uploads go with it, as on S3."""
        with self.database.writing(frees=True) as db:
            require_bucket(db, name)
            if db.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (name,)).fetchone():
                raise ApiError("BucketNotEmpty", f"The bucket you tried to delete is not empty: {name}.", 409)
            rows = db.execute(
                "SELECT body FROM parts WHERE upload IN (SELECT id FROM uploads WHERE bucket = ?)", (name,)
            ).fetchall()
            left = [row["body"] for row in rows]
            self.leaving.note(db, left)
            db.execute("DELETE FROM uploads WHERE bucket = ?", (name,))
            db.execute("DELETE FROM buckets WHERE name = ?", (name,))
        self.leaving.drop(left)

    def setting(self, bucket: str, kind: str) -> str | None:
        """Return a document recorded with the bucket (`policy`, `tagging`, ...), or None."""
        with self.database.reading() as db:
            require_bucket(db, bucket)
            row = db.execute(
                "SELECT document FROM bucket_settings WHERE bucket = ? AND kind = ?", (bucket, kind)
            ).fetchone()
            return row["document"] if row else None

    def set_setting(self, bucket: str, kind: str, document: str | None) -> None:
        """Record a document with the bucket; None removes it."""
        with self.database.writing() as db:
            require_bucket(db, bucket)
            db.execute("DELETE FROM bucket_settings WHERE bucket = ? AND kind = ?", (bucket, kind))
            if document is not None:
                db.execute("INSERT INTO bucket_settings VALUES (?, ?, ?)", (bucket, kind, document))

    def default_encryption(self, bucket: str) -> Encryption:
        """Return how the bucket's own configuration wants new objects encrypted."""
        document = self.setting(bucket, "encryption")
        return of_configuration(json.loads(document) if document else {})

    def default_key(self, bucket: str) -> str | None:
        """Return the KMS key that the bucket's default encryption names, or None."""
        return self.default_encryption(bucket).key

    # objects

    def put(
        self,
        bucket: str,
        key: str,
        data: bytes | BinaryIO,
        content_type: str = DEFAULT_CONTENT_TYPE,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store one object, replacing any of that key at once."""
        details = self.encrypted(ObjectDetails(metadata=metadata or {}), bucket)
        with self.incoming(details.seal, **running(DEFAULT_ALGORITHM)) as incoming:
            incoming.write_from(io.BytesIO(data) if isinstance(data, bytes | bytearray | memoryview) else data)
            return self._publish_own(bucket, key, incoming, content_type, details)

    @contextmanager
    def writer(
        self, bucket: str, key: str, content_type: str = DEFAULT_CONTENT_TYPE
    ) -> Iterator[io.BufferedWriter[Incoming]]:
        """Give a binary file that becomes the object on a clean exit and vanishes on an exception."""
        details = self.encrypted(NO_DETAILS, bucket)
        with self.incoming(details.seal, **running(DEFAULT_ALGORITHM)) as incoming:
            with io.BufferedWriter(incoming, BLOCK) as file:
                yield file
            self._publish_own(bucket, key, incoming, content_type, details)

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Return the object's bytes as a seekable file; it stays whole even if the object is replaced meanwhile.

        Read from its beginning to its end it raises `DamagedError` when its bytes are not those that were put.
        """
        return self.verified(bucket, *self.open_object(bucket, key))

    def verified(self, bucket: str, info: ObjectInfo, file: BinaryIO) -> BinaryIO:
        """Return an open object's bytes as `open` does."""
        return verified(file, stretches(info), partial(self._lost, bucket, info))

    def open_object(self, bucket: str, key: str) -> tuple[ObjectInfo, BinaryIO]:
        """Return the object's facts and its bytes, both of the same moment."""
        while True:
            info = self.head(bucket, key)
            try:
                return info, self._opened(bucket, info)
            except FileNotFoundError:
                self._tell_if_lost(bucket, info)

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """Return the object's facts; `NoSuchBucket` or `NoSuchKey` when there are none."""
        with self.database.reading() as db:
            require_bucket(db, bucket)
            info = find_object(db, bucket, key)
        if info is None:
            raise no_such_key(key)
        return info

    def head_whole(self, bucket: str, key: str) -> ObjectInfo:
        """Return the facts of an object that `open_object` opens, or raise what that would raise."""
        while True:
            info = self.head(bucket, key)
            try:
                self._check_size(bucket, info, self.bodies.size(info.body))
                return info
            except FileNotFoundError:
                self._tell_if_lost(bucket, info)

    def delete(self, bucket: str, key: str, condition: Condition | None = None) -> None:
        """Remove an object; no error when there is none, as on S3."""
        with self.database.writing(frees=True) as db:
            require_bucket(db, bucket)
            info = find_object(db, bucket, key)
            if condition:
                condition(info)
            left = [info.body] if info else []
            self.leaving.note(db, left)
            db.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
        self.leaving.drop(left)

    def list(self, bucket: str, prefix: str = "", start_after: str = "") -> Iterator[ObjectInfo]:
        """Return the objects whose key begins with `prefix` and comes after `start_after`, in S3's order."""
        while True:
            with self.database.reading() as db:
                require_bucket(db, bucket)
                rows = scan_objects(db, bucket, prefix, start_after).fetchmany(_PAGE)
            yield from map(info_from, rows)
            if len(rows) < _PAGE:
                return
            start_after = rows[-1]["key"]

    def describe(self, bucket: str, key: str, change: Callable[[ObjectInfo], ObjectDetails]) -> ObjectInfo:
        """Replace an object's details (its tags) and leave its bytes and date alone."""
        with self.database.writing() as db:
            require_bucket(db, bucket)
            info = find_object(db, bucket, key)
            if info is None:
                raise no_such_key(key)
            db.execute(
                "UPDATE objects SET details = ? WHERE bucket = ? AND key = ?",
                (change(info).to_json(), bucket, key),
            )
        return info

    # the way in

    def under(self, key: str) -> ObjectStore:
        """Return the same store, whose new objects are encrypted under a KMS key whatever their bucket's default is."""
        store = copy.copy(self)
        store._key = key
        return store

    def seals(self, bucket: str) -> bool:
        """Tell whether the bytes of a new object are encrypted on the disk."""
        return self.encrypted(NO_DETAILS, bucket).seal is not None

    def encrypted(self, details: ObjectDetails, bucket: str, wish: Encryption | None = None) -> ObjectDetails:
        """Return the details of a new object with the encryption that is asked for, or else its bucket's default.

        Parameters
        ----------
        details
            What is kept with the object otherwise; encryption that it has already is forgotten.
        bucket
            Where the object will be.
        wish
            What the request asks for; None when it says nothing.
        """
        if wish is None:
            wish = Encryption(KMS[0], self._key) if self._key else self.default_encryption(bucket)
        return self._sealing.details(details, wish)

    def _tell_if_lost(self, bucket: str, info: ObjectInfo) -> None:
        """Go on when an object was replaced between its look-up and its opening: with an unchanged row it is lost."""
        if self.head(bucket, info.key).body == info.body:
            raise self._lost(bucket, info, "its body is missing") from None

    def _check_size(self, bucket: str, info: ObjectInfo, stored: int) -> None:
        wanted = size_on_disk(info.size, info.details.seal)
        if stored != wanted:
            raise self._lost(bucket, info, f"its body has {stored} bytes, not {wanted}")

    def _lost(self, bucket: str, info: ObjectInfo, cause: str) -> DamagedError:
        where = f"s3://{bucket}/{info.key}"
        return DamagedError(
            self.bodies.path(info.body),
            f"{cause}, of the object {where}",
            f"Put that file back from a copy of the folder, upload {where} again, or delete the object",
        )

    def _opened(self, bucket: str, info: ObjectInfo) -> BinaryIO:
        file, seal = self.bodies.open(info.body), info.details.seal
        try:
            self._check_size(bucket, info, os.fstat(file.fileno()).st_size)
            if seal is None:
                return file
            return unsealed(file, self._sealing.data_key(seal), seal.sizes or (info.size,))
        except ApiError:
            file.close()
            raise

    @contextmanager
    def incoming(self, seal: Seal | None = None, /, **digests: Digest) -> Iterator[Incoming]:
        """Give a body to write and then `publish`, encrypted on the way where a seal says so; removed if nobody did."""
        data_key = None if seal is None else self._sealing.data_key(seal)
        incoming = Incoming(self.bodies.new_incoming(), digests, data_key)
        try:
            yield incoming
        finally:
            incoming.close()
            incoming.path.unlink(missing_ok=True)

    def publish(
        self,
        bucket: str,
        key: str,
        incoming: Incoming,
        *,
        etag: str,
        content_type: str = DEFAULT_CONTENT_TYPE,
        details: ObjectDetails = NO_DETAILS,
        condition: Condition | None = None,
        also: Callable[[sqlite3.Connection], None] | None = None,
    ) -> ObjectInfo:
        """Make a written body the object of that key, in one commit.

        Parameters
        ----------
        condition
            Called with the object that would be replaced; raises to refuse.
        also
            Further changes that belong to the same commit.
        """
        if not 0 < len(key.encode()) <= MAX_KEY_BYTES:
            raise ApiError(
                "KeyTooLongError", f"Your key is too long: {len(key.encode())} bytes, the limit is {MAX_KEY_BYTES}."
            )
        # outside the transaction, which others wait for
        incoming.settle()
        # The move is made inside the transaction, so that a sweep (which takes the same lock) never sees a
        # published file without its row.
        with self.bodies.moving(incoming.path) as move, self.database.writing() as db:
            require_bucket(db, bucket)
            old = find_object(db, bucket, key)
            if condition:
                condition(old)
            info = ObjectInfo(key, incoming.size, etag, self.clock(), content_type, "", details)
            body = move()
            db.execute(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (bucket, key, body, info.size, etag, info.last_modified, content_type, details.to_json()),
            )
            left = [old.body] if old else []
            self.leaving.note(db, left)
            if also:
                also(db)
        self.leaving.drop(left)
        return ObjectInfo(key, info.size, etag, info.last_modified, content_type, body, details)

    def _publish_own(
        self, bucket: str, key: str, incoming: Incoming, content_type: str, details: ObjectDetails
    ) -> ObjectInfo:
        details = replace(details, checksum=kept(DEFAULT_ALGORITHM, incoming))
        return self.publish(bucket, key, incoming, etag=etag_of(incoming), content_type=content_type, details=details)
