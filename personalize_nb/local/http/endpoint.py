"""One loopback HTTP port for all services: authenticates, tells services apart by their signing name, answers.

The standard library's threaded server, because it lets us refuse a request before its body is sent, read bodies
in blocks and hand files to the kernel. Knows nothing of what a service does.
"""

from __future__ import annotations

import io
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from email import errors as defects
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import answers, other_origins
from personalize_nb.local.http.bodies import Body, ChunkedBody, LengthBody
from personalize_nb.local.http.hosts import check_host
from personalize_nb.local.http.json_bodies import refusal
from personalize_nb.local.http.listener import PLACES, Listener
from personalize_nb.local.http.messages import Handler, Headers, Request, Response
from personalize_nb.local.http.patience import HeadTooLong, PatientReader
from personalize_nb.local.http.signature import Claim, Head, guess_wire, open_body, read_claim
from personalize_nb.local.state import faults

_log = logging.getLogger(__name__)

IDLE_CONNECTION_SECONDS = 75
# for the whole head of a request, and for a connection on which nobody has been let in
STRANGER_SECONDS = 10
_MAX_HEAD = 256 << 10
_MAX_LINE = 64 << 10
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_DRAIN_BYTES = 1 << 20
_LINGER_BYTES, _LINGER_SECONDS = 64 << 20, 2
# a name with a space before its colon is another one to some readers, and with it the length of a body
_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*")
# the reader of headers misses the parts of a form, which are in the body
_OF_THE_BODY = (
    defects.InvalidMultipartContentTransferEncodingDefect,
    defects.MultipartInvariantViolationDefect,
    defects.NoBoundaryInMultipartDefect,
    defects.StartBoundaryNotFoundDefect,
)
_MAX_LENGTH_DIGITS = 18


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
    places
        Connections at once.
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
        places: int = PLACES,
    ):
        self.handlers = handlers
        self.credentials = credentials
        self.region = region
        self.clock = clock
        self._on_request = on_request or (lambda: None)
        self._server = Listener((host, port), partial(_Connection, self), places)
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

    def answer(self, head: Head, body: Body, welcome: Callable[[], None]) -> tuple[Response, bool]:
        """Return the answer to one request, and whether its sender was let in; `welcome` is called as soon as it is.

        Every error becomes an answer in the service's own words.
        """
        refuse, let_in = self.refuse_by_wire(head), False
        try:
            host = head.headers.get("host", "")
            check_host(host, self.url)
            if head.method == "OPTIONS":
                raise other_origins.refusal(head)
            claim = read_claim(head)
            handler = self.handlers.get(claim.service)
            refuse = refusal if handler is None else handler.refuse
            handler = self._required(handler, claim)
            checked = open_body(head, claim, body, self.credentials, self.clock())
            let_in = True
            welcome()
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
        except TimeoutError:
            text = f"The request's body did not come within {IDLE_CONNECTION_SECONDS} seconds."
            return refuse(ApiError("RequestTimeout", text)), let_in
        except ConnectionError:
            raise
        except Exception as error:
            _log.exception("%s %s failed", head.method, head.path)
            return refuse(faults.refusal(error)), let_in

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


class _Connection(BaseHTTPRequestHandler):
    """One connection: HTTP/1.1 in, answers out, with `100 Continue` only when the body is wanted."""

    protocol_version = "HTTP/1.1"
    timeout = STRANGER_SECONDS
    disable_nagle_algorithm = True
    server: Listener
    busy = False
    known = False
    raw_requestline: bytes

    def __init__(self, endpoint: Endpoint, request: socket.socket, address: Any, server: Listener):
        self._endpoint = endpoint
        super().__init__(request, address, server)

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._reader = PatientReader(self.connection)
        self.rfile = self._source = io.BufferedReader(self._reader, 1 << 16)
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

    def handle_one_request(self) -> None:
        self._reader.allow(IDLE_CONNECTION_SECONDS if self.known else self.timeout)
        if not self._source.peek(1):
            self.close_connection = True
            return
        self._reader.begin_head(self.timeout, _MAX_HEAD)
        try:
            if not self._read_head():
                return
        except HeadTooLong:
            self.send_error(431, f"The head of a request has at most {_MAX_HEAD} bytes.")
        except TimeoutError:
            self.send_error(408, f"The head of a request must come within {self.timeout:g} seconds.")
        else:
            self._handle_request()

    def _read_head(self) -> bool:
        self.command, self.requestline, self.request_version = "", "", self.protocol_version
        self.raw_requestline = self.rfile.readline(_MAX_LINE + 1)
        if len(self.raw_requestline) > _MAX_LINE:
            self.send_error(414, f"The first line of a request has at most {_MAX_LINE} bytes.")
            return False
        if not self.raw_requestline.strip():
            self.send_error(400, "A request begins with a line like 'GET / HTTP/1.1', got an empty one.")
            return False
        if not self.parse_request():
            return False
        if self.command not in _METHODS:
            self.send_error(501, f"The method must be one of {', '.join(sorted(_METHODS))}, got {self.command[:40]!r}.")
            return False
        return True

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
        text = message or explain or answers.phrase(code)
        self._send(refusal(ApiError("InvalidRequest", text, int(code))))
        self._linger()

    def _handle_request(self) -> None:
        self.busy = True
        try:
            self._answer()
        finally:
            self.busy = False
        if self.server.stopping:
            self.close_connection = True

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
            self._send(self._endpoint.refuse_by_wire(head)(error))
            self._linger()
            return
        # what has to be read to know the sender has a deadline; who was let in may take their time
        self._reader.allow(IDLE_CONNECTION_SECONDS, IDLE_CONNECTION_SECONDS)
        response, let_in = self._endpoint.answer(head, body, self._welcome)
        if not let_in:
            self._distrust()
        linger = not body.finished and not self._drain(body)
        if linger or self.server.stopping:
            self.close_connection = True
        self._send(response)
        if let_in:
            self._endpoint.answered()
        if linger:
            self._linger()

    def _welcome(self) -> None:
        self.known = True
        self._reader.allow(IDLE_CONNECTION_SECONDS)
        if not self.server.let_in(self):
            self.close_connection = True

    def _distrust(self) -> None:
        self._reader.allow(self.timeout, self.timeout)
        if self.known:
            self.known = False
            self.server.opened(self)

    def _body(self, head: Head) -> LengthBody | ChunkedBody:
        malformed = any(not isinstance(defect, _OF_THE_BODY) for defect in self.headers.defects)
        if malformed or not _NAMES.fullmatch("".join(head.headers)):
            raise ApiError("InvalidRequest", "Headers must be lines like 'name: value', with no space in the name.")
        encoding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
        if encoding is not None:
            if encoding.lower() != "chunked" or length is not None:
                raise ApiError("InvalidRequest", "Transfer-Encoding must be 'chunked', without a Content-Length.")
            return ChunkedBody(self.rfile, self._send_continue)
        if length is not None and not (
            length.isascii() and length.isdigit() and len(length.lstrip("0")) <= _MAX_LENGTH_DIGITS
        ):
            raise ApiError(
                "InvalidRequest",
                f"Content-Length must be a whole number of at most {_MAX_LENGTH_DIGITS} digits, got {length[:40]!r}.",
            )
        return LengthBody(self.rfile, int(length or 0), self._send_continue)

    def _send_continue(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _drain(self, body: LengthBody | ChunkedBody) -> bool:
        """Read away a short rest of a body that nobody wanted, so that the connection can go on."""
        waiting = not body.started and "Expect" in self.headers
        if waiting or not isinstance(body, LengthBody) or body.remaining > _DRAIN_BYTES:
            return False
        self._reader.allow(_LINGER_SECONDS, self.timeout)
        try:
            body.read()
        except (ApiError, TimeoutError):  # its rest never comes; the answer must not wait for it
            return False
        return True

    def _linger(self) -> None:
        """Let the client read its answer: closing with unread bytes would reset the connection under it."""
        self.hang_up(socket.SHUT_WR)
        self._reader.allow(_LINGER_SECONDS, self.timeout)
        left = _LINGER_BYTES
        while left > 0 and (block := self.rfile.read1(1 << 16)):
            left -= len(block)

    def _send(self, response: Response) -> None:
        self.connection.settimeout(IDLE_CONNECTION_SECONDS if self.known else self.timeout)
        goes_on = answers.send(
            self.connection,
            response,
            head_only=self.command == "HEAD",
            old=self.request_version == "HTTP/1.0",
            last=self.close_connection,
        )
        self.close_connection = not goes_on
