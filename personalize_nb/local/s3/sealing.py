"""Which encryption an object gets, by a request or by its bucket's default, and what answers say of it.

S3 encrypts every object: one without a KMS key is `AES256`, under keys that nobody sees. Here such an object lies open
in a folder that only its owner can read, and answers say what S3's say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3.encryption import Keyring, Seal
from personalize_nb.local.s3.records import ObjectDetails

PLAIN = "AES256"
KMS = ("aws:kms", "aws:kms:dsse")
# the key that AWS manages for S3, for whoever asks for encryption without naming a key
S3_KEY = "alias/aws/s3"
_SHOWN = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")


@dataclass(frozen=True)
class Encryption:
    """Encryption as it is asked for: `AES256`, or one of KMS's with a key and whether it is a bucket key."""

    algorithm: str = PLAIN
    key: str | None = None
    bucket_key: bool = False


def of_request(params: Mapping[str, Any]) -> Encryption | None:
    """Return the encryption that a request asks for; None when it says nothing."""
    algorithm, key = params.get("ServerSideEncryption"), params.get("SSEKMSKeyId")
    if algorithm not in (None, PLAIN, *KMS) or (key is not None and algorithm not in KMS):
        raise ApiError(
            "InvalidArgument",
            f"ServerSideEncryption must be {PLAIN} or one of {', '.join(KMS)}, a key needs one of the latter; got "
            f"{algorithm!r} and {key!r}.",
        )
    if algorithm is None:
        return None
    return Encryption(algorithm, _key(algorithm, key), bool(params.get("BucketKeyEnabled")))


def of_configuration(document: Mapping[str, Any]) -> Encryption:
    """Return the encryption that a bucket's configuration gives to new objects."""
    for rule in document.get("Rules", []):
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        algorithm = default.get("SSEAlgorithm")
        if algorithm in KMS:
            return Encryption(
                algorithm, _key(algorithm, default.get("KMSMasterKeyID")), bool(rule.get("BucketKeyEnabled"))
            )
    return Encryption()


def check_configuration(document: Mapping[str, Any]) -> None:
    """Refuse a bucket's configuration that S3 would refuse."""
    rules = document.get("Rules") or []
    default = (rules[0].get("ApplyServerSideEncryptionByDefault") or {}) if rules else {}
    algorithm, key = default.get("SSEAlgorithm", PLAIN), default.get("KMSMasterKeyID")
    if len(rules) != 1 or algorithm not in (PLAIN, *KMS):
        raise ApiError(
            "MalformedXML",
            f"A bucket's encryption is one rule whose SSEAlgorithm is {PLAIN} or one of {', '.join(KMS)}; got "
            f"{len(rules)} rules and {algorithm!r}.",
        )
    if key and algorithm not in KMS:
        raise ApiError("InvalidArgument", f"A KMSMasterKeyID needs one of {', '.join(KMS)}, got {algorithm!r}.")


def shown(details: ObjectDetails) -> dict[str, str]:
    """Return what every answer about an object or upload says of its encryption."""
    return {"ServerSideEncryption": PLAIN} | {name: details.headers[name] for name in _SHOWN if name in details.headers}


class Sealing:
    """Gives objects their encryption, with data keys of KMS.

    Parameters
    ----------
    keyring
        KMS; without it there can be no encrypted objects.
    """

    def __init__(self, keyring: Keyring | None):
        self._keyring = keyring

    def details(self, details: ObjectDetails, wish: Encryption) -> ObjectDetails:
        """Return details with this encryption in place of any that they have."""
        headers = {name: value for name, value in details.headers.items() if name not in _SHOWN}
        if wish.key is None:
            return replace(details, headers=headers, seal=None)
        try:
            arn, _, wrapped = self._keys().new_data_key(self._keys().for_s3(None if wish.key == S3_KEY else wish.key))
        except ApiError as error:
            raise _kms_error(error) from error
        headers |= {"ServerSideEncryption": wish.algorithm, "SSEKMSKeyId": arn}
        if wish.bucket_key:
            headers["BucketKeyEnabled"] = "true"
        return replace(details, headers=headers, seal=Seal(arn, wrapped.hex()))

    def data_key(self, seal: Seal) -> bytes:
        """Return the key that a body is encrypted with."""
        try:
            return self._keys().data_key(bytes.fromhex(seal.wrapped))
        except ApiError as error:
            raise _kms_error(error) from error

    def _keys(self) -> Keyring:
        if self._keyring is None:
            raise ApiError("KMS.NotFoundException", "This object store has no KMS; objects lie open in it.")
        return self._keyring


def _key(algorithm: str, named: str | None) -> str | None:
    return (named or S3_KEY) if algorithm in KMS else None


def _kms_error(error: ApiError) -> ApiError:
    """KMS's refusal as S3 passes it on."""
    code = error.code if error.code.startswith("KMS.") else f"KMS.{error.code}"
    return ApiError(code, error.message, 400)
