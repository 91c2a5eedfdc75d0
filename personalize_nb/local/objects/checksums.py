"""Checksums of objects: promised in a header or a trailer, computed on the way in, refused when they differ.

CRC32, SHA-1, SHA-256, SHA-512 and MD5 come with Python. CRC32C and CRC64NVME need `awscrt`, which the toolkit does
not require: without it such a checksum (and any of the XXHash family) is accepted, neither verified nor kept.
Floor 0 of `local`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib.util
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

from personalize_nb.local.bodies import DigestBody
from personalize_nb.local.endpoint import Request
from personalize_nb.local.faults import ApiFault
from personalize_nb.local.objects.files import BLOCK
from personalize_nb.local.objects.records import Checksum
from personalize_nb.local.objects.store import Incoming, ObjectStore

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128")
_HEADER = "x-amz-checksum-"


class _Crc:
    """A cyclic redundancy check with the face of a hashlib object."""

    def __init__(self, function: Callable[..., int], width: int):
        self._function = function
        self._width = width
        self._value = 0

    def update(self, data: Any) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


def new_digest(algorithm: str) -> Any | None:
    """A running digest (`update`, `digest`), or None when it cannot be computed here."""
    if algorithm == "CRC32":
        return _Crc(zlib.crc32, 4)
    if algorithm in ("SHA1", "SHA256", "SHA512", "MD5"):
        return hashlib.new(algorithm.lower(), usedforsecurity=False)
    crt = _crt_functions()
    if algorithm in crt:
        return _Crc(*crt[algorithm])
    return None


@cache
def _crt_functions() -> dict[str, tuple[Callable[..., int], int]]:
    if importlib.util.find_spec("awscrt") is None:
        return {}
    from awscrt import checksums  # optional: its absence is not an error

    def on_bytes(function: Callable[[bytes, int], int]) -> Callable[[Any, int], int]:
        return lambda data, value: function(bytes(data), value)

    return {"CRC32C": (on_bytes(checksums.crc32c), 4), "CRC64NVME": (on_bytes(checksums.crc64nvme), 8)}


@dataclass(frozen=True)
class Received:
    """A body that came in whole and is what was promised."""

    incoming: Incoming
    etag: str
    checksum: Checksum | None


@contextmanager
def receive(
    store: ObjectStore, request: Request, *, md5_etag: bool, algorithm: str | None = None
) -> Iterator[Received]:
    """Take in a request's body and check it against every promise made for it.

    Parameters
    ----------
    md5_etag
        Whether the ETag must be the MD5 of the bytes, as it is for whole objects. A part's need not be, which
        makes uploads of parts about twice as fast.
    algorithm
        A checksum to compute even when the request promises none.
    """
    promised = promised_algorithm(request.headers) or algorithm
    digest = new_digest(promised) if promised else None
    digests = {}
    if md5_etag or "content-md5" in request.headers:
        digests["md5"] = hashlib.md5(usedforsecurity=False)
    if digest is not None:
        digests["checksum"] = digest
    with store.incoming(**digests) as incoming:
        incoming.write_from(request.body)
        _check_md5(request.headers, digests.get("md5"))
        checksum = None
        if digest is not None:
            checksum = Checksum(promised, base64.b64encode(digest.digest()).decode())
            _check(request, checksum)
        if "md5" in digests:
            etag = digests["md5"].hexdigest()
        elif isinstance(request.body, DigestBody):
            etag = request.body.sha256[:32]
        else:
            etag = random_etag()
        yield Received(incoming, etag, checksum)


def random_etag() -> str:
    """An ETag for a part whose digest nobody needs: unique to this body, as an ETag must be."""
    return uuid.uuid4().hex


def read_checked(request: Request, limit: int) -> bytes:
    """A small body, checked like a large one."""
    data = request.body.read_all(limit)
    if "content-md5" in request.headers:
        _check_md5(request.headers, hashlib.md5(data, usedforsecurity=False))
    algorithm = promised_algorithm(request.headers)
    digest = new_digest(algorithm) if algorithm else None
    if digest is not None:
        digest.update(data)
        _check(request, Checksum(algorithm, base64.b64encode(digest.digest()).decode()))
    return data


def promised_algorithm(headers: Mapping[str, str]) -> str | None:
    """The algorithm whose value comes in a header or is announced as a trailer."""
    trailers = {name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",")}
    for algorithm in ALGORITHMS:
        header = _HEADER + algorithm.lower()
        if header in headers or header in trailers:
            return algorithm
    return None


def member(algorithm: str) -> str:
    """The name that operations give to a checksum of that algorithm, for example `ChecksumSHA256`."""
    return f"Checksum{algorithm}"


def members(checksum: Checksum | None) -> dict[str, str]:
    """A kept checksum as members of an answer."""
    return {member(checksum.algorithm): checksum.value, "ChecksumType": checksum.type} if checksum else {}


def type_of_upload(algorithm: str, requested: str | None) -> str:
    """How the parts' checksums become the object's: S3's default for the algorithm, or the legal wish."""
    legal = ("FULL_OBJECT",) if algorithm == "CRC64NVME" else ("COMPOSITE",)
    if algorithm in ("CRC32", "CRC32C"):
        legal = ("COMPOSITE", "FULL_OBJECT")
    if requested is not None and requested not in legal:
        raise ApiFault(
            "InvalidRequest",
            f"The {requested} checksum type cannot be used with {algorithm}; use {' or '.join(legal)}.",
        )
    return requested or legal[0]


def composite(algorithm: str, values: list[str]) -> Checksum | None:
    """The checksum of the parts' checksums, with their number."""
    digest = new_digest(algorithm)
    if digest is None:
        return None
    for value in values:
        digest.update(base64.b64decode(value))
    return Checksum(algorithm, f"{base64.b64encode(digest.digest()).decode()}-{len(values)}", "COMPOSITE")


def of_file(algorithm: str, file: BinaryIO) -> Checksum | None:
    """The checksum of a whole file."""
    digest = new_digest(algorithm)
    if digest is None:
        return None
    file.seek(0)
    while block := file.read(BLOCK):
        digest.update(block)
    return Checksum(algorithm, base64.b64encode(digest.digest()).decode())


def _check(request: Request, computed: Checksum) -> None:
    name = _HEADER + computed.algorithm.lower()
    promised = request.headers.get(name) or request.body.trailers.get(name)
    if promised is not None and promised != computed.value:
        raise ApiFault(
            "BadDigest",
            f"The {computed.algorithm} you specified did not match the calculated checksum: specified {promised}, "
            f"calculated {computed.value}.",
        )


def _check_md5(headers: Mapping[str, str], digest: Any) -> None:
    promised = headers.get("content-md5")
    if promised is None:
        return
    try:
        expected = base64.b64decode(promised, validate=True)
    except binascii.Error:
        expected = b""
    if len(expected) != 16:
        raise ApiFault("InvalidDigest", f"The Content-MD5 you specified was invalid: {promised!r}.")
    if expected != digest.digest():
        raise ApiFault("BadDigest", "The Content-MD5 you specified did not match what we received.")
