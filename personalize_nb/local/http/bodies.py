"""Request bodies as readers that check themselves: by length, in HTTP chunks, against a digest, in AWS's chunks.

Each reader gives the bytes it wraps and raises at their end when they are not what the request promised; whoever
reads to the end before publishing never publishes a damaged body.
"""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Callable, Mapping
from typing import Any

from personalize_nb.local.errors import ApiError

_MAX_LINE = 8192
_MAX_TRAILERS = 32


class Body(io.RawIOBase):
    """A body that can be read once. `read(n)` gives exactly n bytes unless the body ends before.

    Attributes
    ----------
    finished
        Whether the end has been reached and found right.
    trailers
        What followed the bytes (lower-case names), known when `finished`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.finished = False
        self.trailers: dict[str, str] = {}

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and not self.finished:
            count = self._some(view[filled:])
            if not count:
                self._end()
                self.finished = True
            filled += count
        return filled

    def read_all(self, limit: int = 10 << 20) -> bytes:
        """Return the whole body, refused when it is longer than `limit` bytes."""
        data = self.read(limit + 1) or b""
        if len(data) > limit:
            raise ApiError("EntityTooLarge", f"The request's body is longer than the {limit} bytes allowed here.")
        return data

    def _some(self, view: memoryview) -> int:
        """Fill a beginning of `view`; 0 only at the end."""
        raise NotImplementedError

    def _end(self) -> None:
        """Check what can be checked at the end."""


class LengthBody(Body):
    """As many bytes of the connection as Content-Length says.

    Parameters
    ----------
    on_start
        Called before the first byte is taken; sends `100 Continue` to a client that waits for it.
    """

    def __init__(self, source: io.BufferedIOBase, length: int, on_start: Callable[[], None]):
        super().__init__()
        self.remaining = length
        self.started = False
        self._source = source
        self._on_start = on_start
        self.finished = length == 0

    def _some(self, view: memoryview) -> int:
        if not self.remaining:
            return 0
        if not self.started:
            self.started = True
            self._on_start()
        count = self._source.readinto(view[: self.remaining])
        if not count:
            raise _incomplete(f"{self.remaining} bytes of Content-Length did not come")
        self.remaining -= count
        if not self.remaining:
            self.finished = True
        return count


class ChunkedBody(Body):
    """The bytes inside HTTP's chunked transfer encoding."""

    def __init__(self, source: io.BufferedIOBase, on_start: Callable[[], None]):
        super().__init__()
        self.started = False
        self._source = source
        self._on_start = on_start
        self._left = 0
        self._first = True

    def _some(self, view: memoryview) -> int:
        if not self.started:
            self.started = True
            self._on_start()
        if not self._left:
            if not self._first:
                _expect_blank(self._source)
            self._first = False
            self._left = _hex_size(_line(self._source).split(b";")[0])
            if not self._left:
                while _line(self._source):  # trailers of the transfer, which nobody uses
                    pass
                return 0
        count = self._source.readinto(view[: self._left])
        if not count:
            raise _incomplete(f"{self._left} bytes of a chunk did not come")
        self._left -= count
        return count


class BytesBody(Body):
    """A body that has been read already."""

    def __init__(self, data: bytes):
        super().__init__()
        self._source = io.BytesIO(data)

    def _some(self, view: memoryview) -> int:
        return self._source.readinto(view)


class DigestBody(Body):
    """A body whose SHA-256 was promised in `x-amz-content-sha256`."""

    def __init__(self, inner: Body, sha256: str):
        super().__init__()
        self._inner = inner
        self._promised = sha256
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of the bytes read so far."""
        return self._digest.hexdigest()

    def _some(self, view: memoryview) -> int:
        count = self._inner.readinto(view)
        self._digest.update(view[:count])
        return count

    def _end(self) -> None:
        if not hmac.compare_digest(self.sha256, self._promised):
            raise ApiError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed: "
                f"promised {self._promised}, received {self.sha256}.",
            )


class ChunkSigner:
    """Checks the chain of chunk signatures that begins with the signature of the request itself."""

    def __init__(self, key: bytes, timestamp: str, scope: str, seed: str):
        self._key = key
        self._stem = f"{timestamp}\n{scope}\n"
        self._previous = seed

    def check_chunk(self, sha256: str, signature: str) -> None:
        empty = hashlib.sha256().hexdigest()
        self._check("AWS4-HMAC-SHA256-PAYLOAD", f"{empty}\n{sha256}", signature)

    def check_trailers(self, trailers: Mapping[str, str], signature: str) -> None:
        text = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
        self._check("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(text.encode()).hexdigest(), signature)

    def _check(self, algorithm: str, rest: str, signature: str) -> None:
        text = f"{algorithm}\n{self._stem}{self._previous}\n{rest}"
        expected = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise ApiError("SignatureDoesNotMatch", "The signature of a chunk of the body does not match.", 403)
        self._previous = expected


class AwsChunkedBody(Body):
    """The bytes inside `aws-chunked`, with their trailers; each chunk's signature is checked when it has one.

    Parameters
    ----------
    decoded_length
        What `x-amz-decoded-content-length` promised, or None.
    signer
        Present when the chunks are signed.
    signed_trailers
        Whether a signature of the trailers must follow them.
    """

    def __init__(
        self,
        inner: Body,
        decoded_length: int | None,
        signer: ChunkSigner | None = None,
        signed_trailers: bool = False,
    ):
        super().__init__()
        self._source = io.BufferedReader(inner, 1 << 16)
        self._promised = decoded_length
        self._signer = signer
        self._signed_trailers = signed_trailers
        self._seen = 0
        self._left = 0
        self._first = True
        self._signature = ""
        self._digest = hashlib.sha256()

    def _some(self, view: memoryview) -> int:
        if not self._left:
            if not self._first:
                self._end_chunk()
                _expect_blank(self._source)
            self._first = False
            self._begin_chunk()
            if not self._left:
                self._end_chunk()
                self._read_trailers()
                return 0
        count = self._source.readinto(view[: self._left])
        if not count:
            raise _incomplete(f"{self._left} bytes of an aws-chunked chunk did not come")
        if self._signer:
            self._digest.update(view[:count])
        self._left -= count
        self._seen += count
        return count

    def _end(self) -> None:
        if self._promised is not None and self._promised != self._seen:
            raise _incomplete(f"x-amz-decoded-content-length is {self._promised}, received were {self._seen}")
        self._source.read()  # lets the transfer underneath reach its own end

    def _begin_chunk(self) -> None:
        size, _, extension = _line(self._source).partition(b";")
        self._left = _hex_size(size)
        self._signature = extension.decode("latin-1").removeprefix("chunk-signature=").strip()
        self._digest = hashlib.sha256()

    def _end_chunk(self) -> None:
        if self._signer:
            self._signer.check_chunk(self._digest.hexdigest(), self._signature)

    def _read_trailers(self) -> None:
        signature = ""
        # Some clients leave out the last empty line, so the end of the body ends the trailers too.
        while line := self._source.readline(_MAX_LINE).strip():
            name, _, value = line.decode("latin-1").partition(":")
            if name.strip().lower() == "x-amz-trailer-signature":
                signature = value.strip()
            else:
                self.trailers[name.strip().lower()] = value.strip()
            if len(self.trailers) > _MAX_TRAILERS:
                raise _malformed("too many trailers")
        if self._signer and self._signed_trailers:
            self._signer.check_trailers(self.trailers, signature)


def _line(source: io.BufferedIOBase) -> bytes:
    line = source.readline(_MAX_LINE)
    if not line.endswith(b"\n"):
        raise _incomplete("a chunk's header line has no end")
    return line.rstrip(b"\r\n")


def _expect_blank(source: io.BufferedIOBase) -> None:
    if _line(source):
        raise _malformed("a chunk is longer than its header says")


def _hex_size(text: bytes) -> int:
    digits = text.strip()
    if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
        raise _malformed(f"{text[:40]!r} is not the size of a chunk")
    return int(digits, 16)


def _incomplete(detail: str) -> ApiError:
    return ApiError("IncompleteBody", f"The request's body ended early: {detail}.")


def _malformed(detail: str) -> ApiError:
    return ApiError("InvalidRequest", f"The request's chunked body cannot be read: {detail}.")
