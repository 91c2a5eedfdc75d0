"""How an answer goes over a connection: its head, and its body from memory, from a file or in chunks."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

from personalize_nb.local.http.messages import FileBody, Response

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def send(connection: socket.socket, response: Response, *, head_only: bool, old: bool, last: bool) -> bool:
    """Send an answer, and close the file that it comes from.

    Parameters
    ----------
    head_only
        The request was a HEAD.
    old
        The client speaks HTTP/1.0, which has no chunks.
    last
        The connection ends behind the answer, whatever this returns.

    Returns
    -------
    bool
        Whether the connection can go on.
    """
    body, headers = response.body, dict(response.headers)
    length = len(body) if isinstance(body, bytes) else body.length if isinstance(body, FileBody) else None
    chunked = length is None and not old
    last = last or (length is None and old)
    if response.status not in (204, 304) and "content-length" not in {name.lower() for name in headers}:
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif length is not None:
            headers["Content-Length"] = str(length)
    if last:
        headers["Connection"] = "close"
    headers.setdefault("Date", formatdate(usegmt=True))
    lines = [f"HTTP/1.1 {response.status} {phrase(response.status)}"]
    # a value may repeat what a client sent, and must not become a line of its own
    lines += [f"{name}: {_CONTROL.sub(' ', str(value))}" for name, value in headers.items()]
    start = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    try:
        return _send_body(connection, start, b"" if head_only else body, chunked) and not last
    finally:
        if isinstance(body, FileBody):
            body.file.close()


def phrase(status: int) -> str:
    """Return HTTP's words for a status, or none."""
    return HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""


def _send_body(
    connection: socket.socket, start: bytes, body: bytes | FileBody | Iterable[bytes], chunked: bool
) -> bool:
    """Tell whether as much was sent as the head promised."""
    if isinstance(body, bytes):
        connection.sendall(start + body)
        return True
    connection.sendall(start)
    if isinstance(body, FileBody):
        return not body.length or connection.sendfile(body.file, body.offset, body.length) == body.length
    for block in body:
        if block:
            connection.sendall(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
    if chunked:
        connection.sendall(b"0\r\n\r\n")
    return True
