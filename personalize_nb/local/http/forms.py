"""Forms by which browsers upload: `multipart/form-data` whose fields carry a signed policy, and one file after them."""

from __future__ import annotations

import re
from email.message import Message
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.bodies import Body

# what S3 takes before the file
MAX_FIELDS_BYTES = 20 << 10
_BLOCK = 1 << 16


def is_form(method: str, content_type: str) -> bool:
    """Whether a request is such a form."""
    return method == "POST" and content_type.lower().startswith("multipart/form-data")


class FormBody(Body):
    """The bytes of a form's file; the fields before it are read at once, what follows it is ignored.

    Parameters
    ----------
    source
        The request's body.
    content_type
        Its header, which names the boundary.

    Attributes
    ----------
    fields
        The fields by lower-case name.
    filename
        What the browser calls the file.
    """

    def __init__(self, source: Body, content_type: str):
        super().__init__()
        self.fields: dict[str, str] = {}
        self.filename = ""
        self._source = source
        self._held = bytearray(b"\r\n")  # so that the first boundary is like the others
        boundary = _parameter(content_type, "boundary")
        if not boundary:
            raise _malformed("its Content-Type names no boundary")
        self._delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
        self._read_fields()

    def _some(self, view: memoryview) -> int:
        while True:
            end = self._held.find(self._delimiter)
            # what could be the beginning of a boundary is held back
            free = end if end >= 0 else len(self._held) - len(self._delimiter) + 1
            if free > 0:
                count = min(free, len(view))
                view[:count] = self._held[:count]
                del self._held[:count]
                return count
            if end == 0:
                return 0
            self._fill()

    def _end(self) -> None:
        while self._source.read(_BLOCK):
            pass

    def _read_fields(self) -> None:
        left = MAX_FIELDS_BYTES
        preamble = self._until(self._delimiter, left)
        if preamble.strip():
            raise _malformed("it does not begin with its boundary")
        while True:
            if self._starts_with(b"--"):
                raise ApiError("InvalidArgument", "POST requires exactly one file upload per request, got none.")
            head = self._until(b"\r\n\r\n", left)
            disposition = _disposition(head)
            name = _parameter(disposition, "name").lower()
            if name == "file":
                self.filename = re.split(r"[/\\]", _parameter(disposition, "filename"))[-1]
                # the boundary of an empty file follows the blank line without a break of its own
                if self._starts_with(self._delimiter[2:]):
                    self._held[:0] = b"\r\n"
                return
            value = self._until(self._delimiter, left)
            self.fields[name] = value.decode("utf-8", "replace")
            left -= len(head) + len(value)

    def _until(self, mark: bytes, limit: int) -> bytes:
        """Take what comes before a mark, and the mark."""
        while (end := self._held.find(mark)) < 0:
            if len(self._held) > max(limit, 0) + len(mark):
                raise ApiError(
                    "MaxPostPreDataLengthExceeded",
                    f"Your POST request fields preceding the upload file were too large: {MAX_FIELDS_BYTES} bytes are "
                    "allowed.",
                )
            self._fill()
        found = bytes(self._held[:end])
        del self._held[: end + len(mark)]
        return found

    def _starts_with(self, mark: bytes) -> bool:
        while len(self._held) < len(mark):
            self._fill()
        return self._held.startswith(mark)

    def _fill(self) -> None:
        block = self._source.read(_BLOCK)
        if not block:
            raise _malformed("it ends before its last boundary")
        self._held += block


def _disposition(head: bytes) -> str:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return value.strip()
    raise _malformed("a field has no Content-Disposition")


def _parameter(header: str, name: str) -> str:
    message = Message()
    message["Content-Type"] = header
    found: Any = message.get_param(name, "", unquote=True)
    return found if isinstance(found, str) else str(found[-1])


def _malformed(detail: str) -> ApiError:
    return ApiError(
        "MalformedPOSTRequest",
        f"The body of your POST request is not well-formed multipart/form-data: {detail}.",
    )
