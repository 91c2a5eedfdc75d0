"""Whether every body is the one that its row tells of: there, as long as it should be, and with the same checksums.

What was kept with an object is compared: its checksum in whichever algorithm, whole or part by part, the MD5 that is
the ETag of an object put at once, and the marks of the encryption. A body joined from parts without checksums has
nothing but its size to be known by.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from personalize_nb.local.errors import ApiError, Damage
from personalize_nb.local.s3.digests import new_digest
from personalize_nb.local.s3.encryption import Keyring, Seal, size_on_disk, unsealed
from personalize_nb.local.s3.files import BLOCK
from personalize_nb.local.s3.incoming import Digest
from personalize_nb.local.s3.reading import ALTERED
from personalize_nb.local.s3.records import Checksum, ObjectDetails
from personalize_nb.local.state.layout import STATE, lost_path

_MD5 = re.compile("[0-9a-f]{32}")
# how KMS refuses a key that is disabled or about to be deleted, and one that is not there
_NOT_NOW, _NO_KEY = ("DisabledException", "KMSInvalidStateException"), "NotFoundException"
_OBJECTS = "SELECT bucket, key, NULL AS upload, NULL AS number, body, size, etag, details FROM objects"
_PARTS = (
    "SELECT bucket, key, upload, number, body, size, NULL AS etag, details, checksum, checksum_algorithm"
    " FROM parts JOIN uploads ON uploads.id = upload"
)


@dataclass(frozen=True)
class Fault:
    """A row whose body is not the one that it tells of.

    Parameters
    ----------
    bucket, key
        The object.
    upload, number
        For a part of an upload that is not complete: which one.
    body
        The name of the body.
    damage
        What is wrong, and what to do.
    keyless
        Whether nothing is wrong but that the KMS key is not there: deleted on purpose, or lost.
    """

    bucket: str
    key: str
    upload: str | None
    number: int | None
    body: str
    damage: Damage
    keyless: bool = False


class _UnopenedError(Exception):
    """No key opens a body."""

    def __init__(self, cause: str, *, keyless: bool = False):
        super().__init__(cause)
        self.keyless = keyless


def faults(root: Path, db: sqlite3.Connection, keyring: Keyring | None) -> Iterator[Fault]:
    """Read all bodies through and yield what is wrong.

    Parameters
    ----------
    root
        The folder of an object store.
    db
        Its database, open.
    keyring
        KMS; without it encrypted bodies are known by their sizes alone.
    """
    for sql in (_OBJECTS, _PARTS):
        cursor = db.execute(sql)
        names = [column[0] for column in cursor.description]
        for values in cursor:
            row = dict(zip(names, values, strict=True))
            keyless = False
            try:
                cause = _cause(root, row, keyring)
            except _UnopenedError as error:
                cause, keyless = str(error), error.keyless
            if cause is None:
                continue
            where = f"s3://{row['bucket']}/{row['key']}"
            what = f"of the object {where}"
            repair = f"Put that file back from a copy of the folder, upload {where} again, or delete the object"
            if row["upload"] is not None:
                what = f"of part {row['number']} of an upload of {where}"
                repair = f"Put that file back from a copy of the folder, or abort the upload {row['upload']}"
            if keyless:
                repair = (
                    f"Nobody can read it until the key is back: restore {STATE} from a backup, or delete the object"
                )
            damage = Damage(_path(root, row["body"]), f"{cause}, {what}", repair, harmless=keyless)
            yield Fault(row["bucket"], row["key"], row["upload"], row["number"], row["body"], damage, keyless)


def nameless(root: Path, db: sqlite3.Connection) -> list[Path]:
    """Return the bodies that no row names, and that are not on their way out."""
    rows = db.execute("SELECT body FROM objects UNION SELECT body FROM parts").fetchall()
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'leaving'").fetchone():
        rows += db.execute("SELECT body FROM leaving").fetchall()
    return sorted(set((root / "bodies").glob("*/*")) - {_path(root, name) for (name,) in rows})


def place_of(root: Path, name: str) -> Path:
    """Return where a body lies: also one that was set aside and comes back when it is asked for."""
    path = _path(root, name)
    aside = lost_path(root, path)
    return aside if aside.exists() and not path.exists() else path


def _path(root: Path, name: str) -> Path:
    return root / "bodies" / name[:2] / name


def _cause(root: Path, row: dict[str, object], keyring: Keyring | None) -> str | None:
    try:
        details = ObjectDetails.from_json(str(row["details"]))
        size = int(str(row["size"]))
    except (ValueError, TypeError, KeyError):
        return "the row that describes it cannot be read"
    if row["upload"] is not None:
        algorithm, value = row["checksum_algorithm"], row["checksum"]
        checksum = Checksum(str(algorithm), str(value)) if algorithm and value else None
        seal = details.seal and replace(details.seal, sizes=(size,))
        details = replace(details, checksum=checksum, part_sizes=(), part_checksums=(), seal=seal)
    path = place_of(root, str(row["body"]))
    try:
        with open(path, "rb") as file:
            stored, wanted = file.seek(0, io.SEEK_END), size_on_disk(size, details.seal)
            if stored != wanted:
                return f"its body has {stored} bytes, not {wanted}"
            file.seek(0)
            plain = _opened(file, size, details.seal, keyring)
            if plain is None or _fits(plain, row["etag"], details):
                return None
            return ALTERED
    except FileNotFoundError:
        return "its body is missing"
    except OSError as error:
        return f"its body cannot be read: {error}"


def _opened(file: BinaryIO, size: int, seal: Seal | None, keyring: Keyring | None) -> BinaryIO | None:
    """Return the plain bytes of a body; None where its key must not be used now."""
    if seal is None:
        return file
    if keyring is None:
        return None
    try:
        return unsealed(file, keyring.data_key(bytes.fromhex(seal.wrapped)), seal.sizes or (size,))
    except ApiError as error:
        if error.code in _NOT_NOW:
            return None
        if error.code == _NO_KEY:
            raise _UnopenedError(f"its KMS key {seal.key} is not there", keyless=True) from error
        raise _UnopenedError(f"its KMS key {seal.key} does not open it: {error.message}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _UnopenedError(f"its KMS key {seal.key} cannot be read") from error


def _fits(plain: BinaryIO, etag: object, details: ObjectDetails) -> bool:
    checksum, composite = details.checksum, details.checksum is not None and details.checksum.type == "COMPOSITE"
    whole: dict[str, Digest] = {}
    if etag is not None and _MD5.fullmatch(str(etag)) and not details.part_sizes and details.seal is None:
        whole[str(etag)] = hashlib.md5(usedforsecurity=False)
    if checksum is not None and not composite:
        whole[_hex(checksum.value)] = new_digest(checksum.algorithm)
    if checksum is None or not details.part_checksums:
        _feed(plain, list(whole.values()))
    else:
        for size, value in zip(details.part_sizes, details.part_checksums, strict=True):
            part = new_digest(checksum.algorithm)
            _feed(plain, [part, *whole.values()], size)
            if part.digest().hex() != _hex(value):
                return False
    return all(digest.digest().hex() == wanted for wanted, digest in whole.items())


def _feed(plain: BinaryIO, digests: list[Digest], size: int | None = None) -> None:
    """Read so many bytes, or all there are, and give them to digests."""
    left = size
    while left is None or left > 0:
        block = plain.read(BLOCK if left is None else min(BLOCK, left))
        if not block:
            return
        for digest in digests:
            digest.update(block)
        left = None if left is None else left - len(block)


def _hex(value: str) -> str:
    return base64.b64decode(value).hex()
