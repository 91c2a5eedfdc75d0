"""The algorithms of checksums that S3 has, each as a running digest, and how those of parts become the object's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import partial

import anycrc
import xxhash

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3.incoming import Digest, Incoming
from personalize_nb.local.s3.records import Checksum

# what S3 computes by itself where a request names no algorithm
DEFAULT_ALGORITHM = "CRC64NVME"
# the type in an upload's row when S3 chose its algorithm: parts may then promise any
BY_DEFAULT = "DEFAULT"
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


def check_promise(promised: str, computed: Checksum) -> None:
    """Refuse what was promised of an object that is joined from parts, with the number of parts or without."""
    try:
        length = len(base64.b64decode(promised.partition("-")[0], validate=True))
    except ValueError:
        length = 0
    if length != len(base64.b64decode(computed.bare)):
        raise ApiError(
            "InvalidRequest", f"Value for x-amz-checksum-{computed.algorithm.lower()} header is invalid: {promised!r}."
        )
    if promised not in (computed.value, computed.bare):
        raise ApiError(
            "BadDigest",
            f"The {computed.algorithm} you specified for the whole object did not match what we calculated: "
            f"specified {promised}, calculated {computed.value}.",
        )


def running(*algorithms: str | None) -> dict[str, Digest]:
    """Return what a whole body or part is fed to: MD5 for its ETag, and a digest for each algorithm that is named."""
    return {
        "etag": hashlib.md5(usedforsecurity=False),
        **{algorithm: new_digest(algorithm) for algorithm in algorithms if algorithm},
    }


def etag_of(incoming: Incoming) -> str:
    """Return the ETag of a body that was fed to `running` digests."""
    return incoming.digests["etag"].digest().hex()


def kept(algorithm: str, incoming: Incoming) -> Checksum:
    """Return the checksum of a body that was fed to `running` digests."""
    return Checksum(algorithm, base64.b64encode(incoming.digests[algorithm].digest()).decode())


def joined_etag(etags: Sequence[str]) -> str:
    """Return the ETag of an object that was joined from parts: the MD5 of their MD5s, and their number."""
    digest = hashlib.md5(b"".join(map(bytes.fromhex, etags)), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(etags)}"
