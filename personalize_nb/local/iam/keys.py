"""KMS keys of a local service: kept with their policies and grants, and really encrypting, with AES-256-GCM.

A key's material lies in the service's own folder, readable by its owner only: it protects objects that are copied
or synchronised elsewhere, not from the folder's owner.
"""

from __future__ import annotations

import base64
import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from personalize_nb.contract.partitions import partition_of
from personalize_nb.local.errors import ApiError
from personalize_nb.local.state.database import Database

KEY_BYTES, _NONCE_BYTES = 32, 12
_FORMAT = b"\x01"
S3_ALIAS = "alias/aws/s3"
_HIDDEN = ("policy", "material")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kms_keys (id TEXT PRIMARY KEY, created REAL NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kms_aliases (name TEXT PRIMARY KEY, key TEXT NOT NULL, created REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kms_grants (id TEXT PRIMARY KEY, key TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
"""

Context = Mapping[str, str]


class KeptKey(TypedDict):
    """A key as it is kept: KMS's `KeyMetadata`, and what `shown` hides."""

    AWSAccountId: str
    KeyId: str
    Arn: str
    CreationDate: float
    Enabled: bool
    Description: str
    KeyUsage: str
    KeyState: str
    DeletionDate: NotRequired[float]
    Origin: str
    KeyManager: str
    CustomerMasterKeySpec: str
    KeySpec: str
    EncryptionAlgorithms: list[str]
    MultiRegion: bool
    tags: dict[str, str]
    policy: str
    material: str


class Keys:
    """The KMS keys of one account in one region.

    Parameters
    ----------
    path
        The SQLite file they live in; others may keep tables there too.
    account, region
        Parts of their ARNs.

    Notes
    -----
    A key is one JSON document, a `KeptKey`.
    """

    def __init__(self, path: Path, account: str, region: str, clock: Callable[[], float] = time.time):
        self.account, self.region = account, region
        self.clock = clock
        self.database = Database(path, _SCHEMA)

    def close(self) -> None:
        """Release the open files."""
        self.database.close()

    def arn(self, resource: str) -> str:
        """Return the ARN of `key/<id>` or `alias/<name>` here."""
        return f"arn:{partition_of(self.region)}:kms:{self.region}:{self.account}:{resource}"

    # keys

    def create(
        self,
        policy: str | None = None,
        *,
        manager: str = "CUSTOMER",
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> KeptKey:
        """Make a symmetric key; without a policy it gets KMS's default, which leaves all to the account's roles."""
        key_id = str(uuid.uuid4())
        key: KeptKey = {
            "AWSAccountId": self.account,
            "KeyId": key_id,
            "Arn": self.arn(f"key/{key_id}"),
            "CreationDate": self.clock(),
            "Enabled": True,
            "Description": description,
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": manager,
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": False,
            "tags": dict(tags or {}),
            "policy": policy or self._default_policy(),
            "material": base64.b64encode(os.urandom(KEY_BYTES)).decode(),
        }
        with self.database.writing() as db:
            db.execute("INSERT INTO kms_keys VALUES (?, ?, ?)", (key_id, key["CreationDate"], json.dumps(key)))
        return key

    def find(self, name: str) -> KeptKey:
        """Return the key of an id, key ARN, alias name or alias ARN; `NotFoundException` when there is none."""
        short = name
        if name.startswith("arn:"):
            short = name.split(":", 5)[-1]
            if name != self.arn(short):
                raise _not_found(f"{name} is not in account {self.account} and region {self.region}")
        with self.database.reading() as db:
            if short.startswith("alias/"):
                row = db.execute("SELECT key FROM kms_aliases WHERE name = ?", (short,)).fetchone()
                if row is None:
                    raise _not_found(f"Alias {self.arn(short)} is not found.")
                short = row["key"]
            short = short.removeprefix("key/")
            row = db.execute("SELECT body FROM kms_keys WHERE id = ?", (short,)).fetchone()
        if row is None:
            raise _not_found(f"Key '{self.arn(f'key/{short}')}' does not exist")
        key: KeptKey = json.loads(row["body"])
        if key["KeyState"] == "PendingDeletion" and key["DeletionDate"] <= self.clock():
            self._destroy(key)
            raise _not_found(f"Key '{key['Arn']}' does not exist")
        return key

    def usable(self, name: str) -> KeptKey:
        """Return the key, or the refusal that its state calls for."""
        key = self.find(name)
        if key["KeyState"] == "Disabled":
            raise ApiError("DisabledException", f"{key['Arn']} is disabled.")
        if key["KeyState"] != "Enabled":
            raise ApiError("KMSInvalidStateException", f"{key['Arn']} is {key['KeyState'].lower()}.")
        return key

    def change(self, name: str, change: Callable[[KeptKey], None]) -> KeptKey:
        """Change a key's document, in one transaction."""
        key_id = self.find(name)["KeyId"]
        with self.database.writing() as db:
            key: KeptKey = json.loads(
                db.execute("SELECT body FROM kms_keys WHERE id = ?", (key_id,)).fetchone()["body"]
            )
            change(key)
            db.execute("UPDATE kms_keys SET body = ? WHERE id = ?", (json.dumps(key), key_id))
        return key

    def all(self) -> list[KeptKey]:
        """All keys, oldest first."""
        with self.database.reading() as db:
            rows = db.execute("SELECT body FROM kms_keys ORDER BY created, id").fetchall()
        return [json.loads(row["body"]) for row in rows]

    def grants(self, key_id: str) -> list[dict[str, Any]]:
        """Return the grants of a key."""
        with self.database.reading() as db:
            rows = db.execute("SELECT body FROM kms_grants WHERE key = ? ORDER BY id", (key_id,)).fetchall()
        return [json.loads(row["body"]) for row in rows]

    def for_s3(self, name: str | None) -> str:
        """Return the ARN of a usable key for objects; without a name that of S3's own key, made when first needed."""
        if name is not None:
            return self.usable(name)["Arn"]
        with suppress(ApiError):
            return self.usable(S3_ALIAS)["Arn"]
        key = self.create(
            _s3_policy(self), manager="AWS", description="Protects objects of S3 for which no key is named"
        )
        with self.database.writing() as db:
            db.execute("INSERT OR IGNORE INTO kms_aliases VALUES (?, ?, ?)", (S3_ALIAS, key["KeyId"], self.clock()))
        return self.usable(S3_ALIAS)["Arn"]

    # encryption

    def encrypt(self, name: str, plaintext: bytes, context: Context | None = None) -> tuple[KeptKey, bytes]:
        """Return the key and the ciphertext, which names its key and can be read only with the same context."""
        key = self.usable(name)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = _cipher(key).encrypt(nonce, plaintext, _associated(context))
        return key, b"".join((_FORMAT, uuid.UUID(key["KeyId"]).bytes, nonce, sealed))

    def decrypt(self, ciphertext: bytes, context: Context | None = None) -> tuple[KeptKey, bytes]:
        """Return the key that a ciphertext names, and the plaintext."""
        head = len(_FORMAT) + 16
        if len(ciphertext) <= head + _NONCE_BYTES or not ciphertext.startswith(_FORMAT):
            raise ApiError("InvalidCiphertextException", "The ciphertext was not made by this service's KMS.")
        key = self.usable(str(uuid.UUID(bytes=ciphertext[len(_FORMAT) : head])))
        nonce, sealed = ciphertext[head : head + _NONCE_BYTES], ciphertext[head + _NONCE_BYTES :]
        try:
            return key, _cipher(key).decrypt(nonce, sealed, _associated(context))
        except InvalidTag:
            raise ApiError(
                "InvalidCiphertextException", "The ciphertext was changed, or its encryption context is another one."
            ) from None

    @staticmethod
    def random(size: int) -> bytes:
        """Bytes that nobody can guess."""
        return os.urandom(size)

    def new_data_key(self, name: str) -> tuple[str, bytes, bytes]:
        """Return a new data key under a key: the key's ARN, the data key, and the data key encrypted."""
        plain = os.urandom(KEY_BYTES)
        key, wrapped = self.encrypt(name, plain)
        return key["Arn"], plain, wrapped

    def data_key(self, wrapped: bytes) -> bytes:
        """Return a data key that `new_data_key` encrypted."""
        return self.decrypt(wrapped)[1]

    def _destroy(self, key: KeptKey) -> None:
        with self.database.writing() as db:
            db.execute("DELETE FROM kms_keys WHERE id = ?", (key["KeyId"],))
            db.execute("DELETE FROM kms_aliases WHERE key = ?", (key["KeyId"],))
            db.execute("DELETE FROM kms_grants WHERE key = ?", (key["KeyId"],))

    def _default_policy(self) -> str:
        return _document(
            "Enable IAM User Permissions",
            {
                "Principal": {"AWS": f"arn:{partition_of(self.region)}:iam::{self.account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
        )


def shown(key: KeptKey) -> dict[str, Any]:
    """Return a key without what is nobody's business."""
    return {name: value for name, value in key.items() if name not in _HIDDEN}


def _s3_policy(keys: Keys) -> str:
    return _document(
        "Allow access through S3 for all principals in the account",
        {
            "Principal": {"AWS": "*"},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {
                    "kms:ViaService": f"s3.{keys.region}.amazonaws.com",
                    "kms:CallerAccount": keys.account,
                }
            },
        },
    )


def _document(sid: str, statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Allow", **statement}]})


def _cipher(key: KeptKey) -> AESGCM:
    return AESGCM(base64.b64decode(key["material"]))


def _associated(context: Context | None) -> bytes:
    return json.dumps(dict(context or {}), sort_keys=True, separators=(",", ":")).encode()


def _not_found(message: str) -> ApiError:
    return ApiError("NotFoundException", message)
