"""Checksums of objects: promised in a header or a trailer, computed on the way in, refused when they differ.

Every algorithm of S3 is verified, kept and shown.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.messages import Request
from personalize_nb.local.s3.digests import ALGORITHMS, DEFAULT_ALGORITHM, etag_of, kept, new_digest, running
from personalize_nb.local.s3.encryption import Seal
from personalize_nb.local.s3.incoming import Digest, Incoming
from personalize_nb.local.s3.records import Checksum
from personalize_nb.local.s3.store import ObjectStore

_HEADER = "x-amz-checksum-"


@dataclass(frozen=True)
class Received:
    """A body that came in whole and is what was promised: its ETag, the checksum to keep, and the promised one."""

    incoming: Incoming
    etag: str
    checksum: Checksum
    promised: Checksum | None


@contextmanager
def receive(
    store: ObjectStore, request: Request, *, algorithm: str | None = None, seal: Seal | None = None
) -> Iterator[Received]:
    """Take in a request's body and check it against every promise made for it.

    Parameters
    ----------
    algorithm
        The checksum to keep, whatever the request promises; without one the promised is kept, else S3's default.
    seal
        How the body is encrypted on its way to the disk.
    """
    promised = promised_algorithm(request.headers)
    algorithm = algorithm or promised or DEFAULT_ALGORITHM
    with store.incoming(seal, **running(algorithm, promised)) as incoming:
        incoming.write_from(request.body)
        _check_md5(request.headers, incoming.digests["etag"])
        found = kept(promised, incoming) if promised else None
        if found:
            _check(request, found)
        yield Received(incoming, etag_of(incoming), kept(algorithm, incoming), found)


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


def _check_md5(headers: Mapping[str, str], digest: Digest) -> None:
    promised = headers.get("content-md5")
    if promised is None:
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
