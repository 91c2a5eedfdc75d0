"""One loopback HTTP port for all services: authenticates, tells services apart by their signing name, answers.

The standard library's threaded server, because it lets us refuse a request before its body is sent, read bodies
in blocks and hand files to the kernel. Knows nothing of what a service does.
"""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.bodies import Body, ChunkedBody, LengthBody
from personalize_nb.local.http.hosts import check_host
from personalize_nb.local.http.json_bodies import refusal
from personalize_nb.local.http.messages import FileBody, Handler, Headers, Request, Response
from personalize_nb.local.http.signature import Claim, Head, guess_wire, open_body, read_claim
from personalize_nb.local.state import diskspace

_log = logging.getLogger(__name__)

MAX_CONNECTIONS = 256
IDLE_CONNECTION_SECONDS = 75
# until a connection's sender has been let in: strangers must not hold all connections for long
STRANGER_SECONDS = 10
_STOP_SECONDS = 5
_DRAIN_BYTES = 1 << 20
_LINGER_BYTES, _LINGER_SECONDS = 64 << 20, 2


class Endpoint:
    """The port.

    Parameters
    ----------
    handlers
        What answers each service, by its SigV4 signing name (`s3`, `personalize`, `sts`, `iam`, `kms`).
    credentials
        Secret key by access key; asked at each request, so it may change.
    region
        The region that signed requests of regional services must name.
    on_request
        Called without arguments when a request was authenticated and again when it was answered.
    clock
        Epoch seconds, to judge the dates of signatures.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        credentials: Mapping[str, str],
        region: str,
        host: str = "127.0.0.1",
        port: int = 0,
        on_request: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.time,
    ):
        self.handlers = handlers
        self.credentials = credentials
        self.region = region
        self.clock = clock
        self._on_request = on_request or (lambda: None)
        self._server = _Server((host, port), self)
        self._thread: threading.Thread | None = None
        self._serving = False

    @property
    def url(self) -> str:
        """Where clients find it, always with the address and not a name."""
        host = self._server.server_address[0]
        assert isinstance(host, str), "the endpoint listens on TCP"
        return f"http://{host}:{self.port}"

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def busy(self) -> bool:
        """Whether a request is under way; a transfer may take longer than any idle time."""
        return self._server.is_busy()

    def serve_forever(self) -> None:
        """Answer until `stop` is called from another thread."""
        self._serving = True
        self._server.serve_forever(poll_interval=0.1)

    def start(self) -> Endpoint:
        """Answer in a thread of its own."""
        self._serving = True
        self._thread = threading.Thread(target=self.serve_forever, name="endpoint", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Take no more requests, let those under way finish for a few seconds, then close."""
        if self._serving:  # otherwise there is no loop that could tell that it ended
            self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()
        if self._thread:
            self._thread.join()

    def answer(self, head: Head, body: Body) -> tuple[Response, bool]:
        """Return the answer to one request, and whether its sender was let in.

        Every error becomes an answer in the service's own words.
        """
        refuse, let_in = self.refuse_by_wire(head), False
        try:
            host = head.headers.get("host", "")
            check_host(host, self.url)
            claim = read_claim(head)
            handler = self.handlers.get(claim.service)
            refuse = refusal if handler is None else handler.refuse
            handler = self._required(handler, claim)
            checked = open_body(head, claim, body, self.credentials, self.clock())
            let_in = True
            self._on_request()
            request = Request(
                head.method,
                head.path,
                head.query,
                head.headers,
                checked,
                claim.service,
                claim.region or self.region,
                claim.access_key,
                host,
            )
            return handler.answer(request), let_in
        except ApiError as error:
            return refuse(error), let_in
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            _log.exception("%s %s failed", head.method, head.path)
            return refuse(diskspace.refusal() if diskspace.is_full(error) else _unexpected()), let_in

    def refuse_by_wire(self, head: Head) -> Callable[[ApiError], Response]:
        """How a request is refused that does not say for which service it is: by its looks, else in JSON."""
        wire = guess_wire(head)
        return next((handler.refuse for handler in self.handlers.values() if handler.wire == wire), refusal)

    def answered(self) -> None:
        """Note that a response has been sent; long transfers count as activity until here."""
        self._on_request()

    def _required(self, handler: Handler | None, claim: Claim) -> Handler:
        if handler is None:
            raise ApiError(
                "UnknownService",
                f"The local service has no service {claim.service!r}. It has {', '.join(sorted(self.handlers))}.",
                404,
            )
        if not handler.any_region and claim.region != self.region:
            raise ApiError(
                "InvalidSignatureException",
                f"Credential should be scoped to a valid region: this endpoint is {self.region!r}, the request was "
                f"signed for {claim.region!r}. Create the client with region_name={self.region!r}.",
                403,
            )
        return handler


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """The listening socket and the connections that are open."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], endpoint: Endpoint):
        self.endpoint = endpoint
        self.stopping = False
        self._connections: dict[_Connection, None] = {}
        self._changed = threading.Condition()
        super().__init__(address, _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.exception("A connection ended with an unexpected error")

    def opened(self, connection: _Connection) -> None:
        with self._changed:
            self._connections[connection] = None

    def closed(self, connection: _Connection) -> None:
        with self._changed:
            self._connections.pop(connection, None)
            self._changed.notify_all()

    def is_busy(self) -> bool:
        with self._changed:
            return any(connection.busy for connection in self._connections)

    def end_connections(self) -> None:
        """Close the idle ones now and the busy ones after their answer, or after a few seconds anyway."""
        self.stopping = True
        with self._changed:
            for connection in self._connections:
                if not connection.busy:
                    connection.hang_up(socket.SHUT_RD)
            if not self._changed.wait_for(lambda: not self._connections, _STOP_SECONDS):
                for connection in self._connections:
                    connection.hang_up(socket.SHUT_RDWR)
                self._changed.wait_for(lambda: not self._connections, _STOP_SECONDS)


class _Connection(BaseHTTPRequestHandler):
    """One connection: HTTP/1.1 in, answers out, with `100 Continue` only when the body is wanted."""

    protocol_version = "HTTP/1.1"
    timeout = STRANGER_SECONDS
    disable_nagle_algorithm = True
    rbufsize = 1 << 16
    server: _Server
    busy = False

    def setup(self) -> None:
        super().setup()
        self.server.opened(self)

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.closed(self)

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError) as error:
            _log.debug("connection lost: %r", error)

    def hang_up(self, how: int) -> None:
        try:
            self.connection.shutdown(how)
        except OSError:
            _log.debug("connection was closed already")

    def handle_expect_100(self) -> bool:
        return True  # not yet: the reader of the body says so when it wants it

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)

    def version_string(self) -> str:
        return "personalize_nb"  # no versions for strangers

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is not HTTP, as the base class asks, in the form of every other refusal."""
        self.close_connection = True
        text = message or explain or _phrase(code)
        self._send(refusal(ApiError("InvalidRequest", text, int(code))))

    def _handle_request(self) -> None:
        self.busy = True
        try:
            self._answer()
        finally:
            self.busy = False
        if self.server.stopping:
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = _handle_request

    def _answer(self) -> None:
        try:
            # as it was signed: http.server has made one slash of several at the beginning, which a key may have
            target = self.requestline.split()[1]
            url = urlsplit(f"http://host{target}" if target.startswith("/") else target)
        except ValueError as error:
            self.send_error(400, f"The request's target is not a URL ({error}): {self.path[:200]!r}")
            return
        head = Head(self.command, url.path or "/", url.query, Headers(self.headers.items()))
        try:
            body = self._body(head)
        except ApiError as error:
            self.close_connection = True
            self._send(self.server.endpoint.refuse_by_wire(head)(error))
            return
        # a body is read only of a sender who was let in
        self.connection.settimeout(IDLE_CONNECTION_SECONDS)
        response, let_in = self.server.endpoint.answer(head, body)
        if not let_in:
            self.connection.settimeout(STRANGER_SECONDS)
        linger = not body.finished and not self._drain(body)
        if linger or self.server.stopping:
            self.close_connection = True
        self._send(response)
        if let_in:
            self.server.endpoint.answered()
        if linger:
            self._linger()

    def _body(self, head: Head) -> LengthBody | ChunkedBody:
        encoding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
        if encoding is not None:
            if encoding.lower() != "chunked" or length is not None:
                raise ApiError("InvalidRequest", "Transfer-Encoding must be 'chunked', without a Content-Length.")
            return ChunkedBody(self.rfile, self._send_continue)
        if length is not None and not (length.isascii() and length.isdigit()):
            raise ApiError("InvalidRequest", f"Content-Length must be a whole number, got {length!r}.")
        return LengthBody(self.rfile, int(length or 0), self._send_continue)

    def _send_continue(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _drain(self, body: LengthBody | ChunkedBody) -> bool:
        """Read away a short rest of a body that nobody wanted, so that the connection can go on."""
        waiting = not body.started and "Expect" in self.headers
        if waiting or not isinstance(body, LengthBody) or body.remaining > _DRAIN_BYTES:
            return False
        body.read()
        return True

    def _linger(self) -> None:
        """Let the client read its answer: closing with unread bytes would reset the connection under it."""
        self.wfile.flush()
        self.hang_up(socket.SHUT_WR)
        self.connection.settimeout(_LINGER_SECONDS)
        left = _LINGER_BYTES
        while left > 0 and (block := self.rfile.read1(1 << 16)):
            left -= len(block)

    def _send(self, response: Response) -> None:
        body, headers = response.body, dict(response.headers)
        lower = {name.lower() for name in headers}
        length = len(body) if isinstance(body, bytes) else body.length if isinstance(body, FileBody) else None
        chunked = length is None and self.request_version != "HTTP/1.0"
        if length is None and not chunked:
            self.close_connection = True
        if response.status not in (204, 304) and "content-length" not in lower:
            headers.update({"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(length)})
        if self.close_connection:
            headers["Connection"] = "close"
        headers.setdefault("Date", formatdate(usegmt=True))
        lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
        lines += [f"{name}: {_one_line(value)}" for name, value in headers.items()]
        start = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        try:
            self._send_body(start, b"" if self.command == "HEAD" else body, chunked)
        finally:
            if isinstance(body, FileBody):
                body.file.close()

    def _send_body(self, start: bytes, body: bytes | FileBody | Iterable[bytes], chunked: bool) -> None:
        if isinstance(body, bytes):
            self.wfile.write(start + body)
            return
        self.wfile.write(start)
        if isinstance(body, FileBody):
            if body.length:
                sent = self.connection.sendfile(body.file, body.offset, body.length)
                self.close_connection |= sent != body.length
            return
        for block in body:
            if block:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")


def _unexpected() -> ApiError:
    return ApiError("InternalFailure", "The local service met an unexpected error; service.log has the traceback.", 500)


def _one_line(value: str) -> str:
    return str(value).replace("\r", " ").replace("\n", " ")


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""
