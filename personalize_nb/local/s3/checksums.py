"""Checksums of objects: promised in a header or a trailer, computed on the way in, refused when they differ.

Every algorithm of S3 is verified, kept and shown.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import anycrc
import xxhash

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.bodies import DigestBody
from personalize_nb.local.http.messages import Request
from personalize_nb.local.s3.encryption import Seal
from personalize_nb.local.s3.incoming import Digest, Incoming
from personalize_nb.local.s3.records import Checksum
from personalize_nb.local.s3.store import ObjectStore

_HEADER = "x-amz-checksum-"
# The reveng catalogue's names of S3's cyclic redundancy checks, and the bytes of their values.
_CRCS = {"CRC32": ("CRC32", 4), "CRC32C": ("CRC32C", 4), "CRC64NVME": ("CRC64-NVME", 8)}
_HASHES: dict[str, Callable[[], Digest]] = {
    **{name: partial(hashlib.new, name.lower(), usedforsecurity=False) for name in ("SHA1", "SHA256", "SHA512", "MD5")},
    # their digests are the canonical, big-endian ones
    "XXHASH64": xxhash.xxh64,
    "XXHASH3": xxhash.xxh3_64,
    "XXHASH128": xxhash.xxh3_128,
}
ALGORITHMS = (*_CRCS, *_HASHES)


class _Crc:
    """A cyclic redundancy check with the face of a hashlib object."""

    def __init__(self, algorithm: str):
        name, self._width = _CRCS[algorithm]
        self._model = anycrc.Model(name)
        self._value = 0

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = self._model.calc(data, self._value)

    def join(self, other: bytes, size: int) -> None:
        """Go on as if the `size` bytes whose check is `other` had been given."""
        self._value = self._model.combine(self._value, int.from_bytes(other, "big"), size)

    def digest(self) -> bytes:
        return int(self._value).to_bytes(self._width, "big")


def new_digest(algorithm: str) -> Digest:
    """Return a running digest."""
    return _Crc(algorithm) if algorithm in _CRCS else _HASHES[algorithm]()


@dataclass(frozen=True)
class Received:
    """A body that came in whole and is what was promised."""

    incoming: Incoming
    etag: str
    checksum: Checksum | None


@contextmanager
def receive(
    store: ObjectStore, request: Request, *, md5_etag: bool, algorithm: str | None = None, seal: Seal | None = None
) -> Iterator[Received]:
    """Take in a request's body and check it against every promise made for it.

    Parameters
    ----------
    md5_etag
        Whether the ETag must be the MD5 of the bytes, as it is for whole objects. A part's need not be, which
        makes uploads of parts about twice as fast.
    algorithm
        A checksum to compute even when the request promises none.
    seal
        How the body is encrypted on its way to the disk.
    """
    promised = promised_algorithm(request.headers) or algorithm
    digest = new_digest(promised) if promised else None
    digests: dict[str, Digest] = {}
    if md5_etag or "content-md5" in request.headers:
        digests["md5"] = hashlib.md5(usedforsecurity=False)
    if digest is not None:
        digests["checksum"] = digest
    with store.incoming(seal, **digests) as incoming:
        incoming.write_from(request.body)
        _check_md5(request.headers, digests.get("md5"))
        checksum = None
        if promised is not None and digest is not None:
            checksum = of_digest(promised, digest)
            _check(request, checksum)
        if "md5" in digests:
            etag = digests["md5"].digest().hex()
        elif isinstance(request.body, DigestBody):
            etag = request.body.sha256[:32]
        else:
            etag = random_etag()
        yield Received(incoming, etag, checksum)


def random_etag() -> str:
    """Return an ETag for a part whose digest nobody needs: unique to this body, as an ETag must be."""
    return uuid.uuid4().hex


def read_checked(request: Request, limit: int) -> bytes:
    """Read a small body, checked like a large one."""
    data = request.body.read_all(limit)
    if "content-md5" in request.headers:
        _check_md5(request.headers, hashlib.md5(data, usedforsecurity=False))
    algorithm = promised_algorithm(request.headers)
    if algorithm is not None:
        digest = new_digest(algorithm)
        digest.update(data)
        _check(request, Checksum(algorithm, base64.b64encode(digest.digest()).decode()))
    return data


def promised_algorithm(headers: Mapping[str, str]) -> str | None:
    """Return the algorithm whose value comes in a header or is announced as a trailer."""
    trailers = {name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",")}
    promised = [name for name in ALGORITHMS if _HEADER + name.lower() in {*headers, *trailers}]
    if len(promised) > 1:
        raise ApiError(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed: "
            f"{', '.join(promised)}.",
        )
    named = headers.get("x-amz-sdk-checksum-algorithm")
    if named is not None and not promised:
        raise ApiError(
            "InvalidRequest",
            f"x-amz-sdk-checksum-algorithm specified ({named}), but no corresponding x-amz-checksum-* or x-amz-trailer "
            "headers were found.",
        )
    if named is not None and named.upper() != promised[0]:
        raise ApiError(
            "InvalidRequest",
            f"Value for x-amz-sdk-checksum-algorithm header is invalid: {named!r} beside a checksum of {promised[0]}.",
        )
    return promised[0] if promised else None


def member(algorithm: str) -> str:
    """Return the name that operations give to a checksum of that algorithm, for example `ChecksumSHA256`."""
    return f"Checksum{algorithm}"


def requested(algorithm: str | None) -> str | None:
    """Return the algorithm of an `x-amz-checksum-algorithm` header, refused when S3 has none of that name."""
    if algorithm not in (None, *ALGORITHMS):
        raise ApiError(
            "InvalidRequest",
            f"Checksum algorithm provided is unsupported: {algorithm!r}. Please try again with any of the valid "
            f"types: {', '.join(ALGORITHMS)}.",
        )
    return algorithm


def members(checksum: Checksum | None) -> dict[str, str]:
    """Return a kept checksum as members of an answer."""
    return {member(checksum.algorithm): checksum.value, "ChecksumType": checksum.type} if checksum else {}


def type_of_upload(algorithm: str | None, wish: str | None) -> str | None:
    """How the parts' checksums become the object's: S3's default for the algorithm, or the legal wish."""
    if wish not in (None, "COMPOSITE", "FULL_OBJECT"):
        raise ApiError(
            "InvalidRequest",
            f"Value for x-amz-checksum-type header is invalid: {wish!r}; use COMPOSITE or FULL_OBJECT.",
        )
    if algorithm is None:
        if wish is not None:
            raise ApiError(
                "InvalidRequest",
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )
        return None
    # only of cyclic redundancy checks does the object's follow from the parts'
    legal = ("COMPOSITE", "FULL_OBJECT") if algorithm in _CRCS else ("COMPOSITE",)
    legal = ("FULL_OBJECT",) if algorithm == "CRC64NVME" else legal
    if wish is not None and wish not in legal:
        raise ApiError(
            "InvalidRequest",
            f"The {wish} checksum type cannot be used with the {algorithm.lower()} checksum algorithm. "
            f"Use {' or '.join(legal)}.",
        )
    return wish or legal[0]


def composite(algorithm: str, values: Sequence[str]) -> Checksum:
    """Return the checksum of the parts' checksums, with their number."""
    digest = new_digest(algorithm)
    for value in values:
        digest.update(base64.b64decode(value))
    return Checksum(algorithm, f"{base64.b64encode(digest.digest()).decode()}-{len(values)}", "COMPOSITE")


def joined(algorithm: str, parts: Sequence[tuple[str, int]]) -> Checksum:
    """Return the checksum of the parts' bytes one after the other, from their checksums and sizes; for CRCs only."""
    digest = _Crc(algorithm)
    for value, size in parts:
        digest.join(base64.b64decode(value), size)
    return Checksum(algorithm, base64.b64encode(digest.digest()).decode())


def of_digest(algorithm: str, digest: Digest) -> Checksum:
    """Return what a running digest has come to."""
    return Checksum(algorithm, base64.b64encode(digest.digest()).decode())


def _check(request: Request, computed: Checksum) -> None:
    name = _HEADER + computed.algorithm.lower()
    promised = request.headers.get(name) or request.body.trailers.get(name)
    if promised is None:
        if name in request.headers.get("x-amz-trailer", "").lower():
            raise ApiError("MalformedTrailerError", f"The trailer {name} was announced and did not come.")
        return
    if len(_decoded(promised)) != len(_decoded(computed.value)):
        raise ApiError("InvalidRequest", f"Value for {name} header is invalid: {promised!r}.")
    if promised != computed.value:
        raise ApiError(
            "BadDigest",
            f"The {computed.algorithm} you specified did not match the calculated checksum: specified {promised}, "
            f"calculated {computed.value}.",
        )


def _check_md5(headers: Mapping[str, str], digest: Digest | None) -> None:
    promised = headers.get("content-md5")
    if promised is None or digest is None:
        return
    expected = _decoded(promised)
    if len(expected) != 16:
        raise ApiError("InvalidDigest", f"The Content-MD5 you specified was invalid: {promised!r}.")
    if expected != digest.digest():
        raise ApiError("BadDigest", "The Content-MD5 you specified did not match what we received.")


def _decoded(text: str) -> bytes:
    """Base64 as bytes; nothing when it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
