"""The listening socket, and who stays connected when places run out.

Whoever has not shown a right signature is a stranger. Strangers have a share of the places, in which the oldest goes
when one more comes: however many there are, they cannot keep the owner out, whose clients are strangers for the
milliseconds of one request. Of the places of those who were let in, the one that has been idle longest is given up.
"""

from __future__ import annotations

import errno
import logging
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

_log = logging.getLogger(__name__)

PLACES = 1280
_LEAST_PLACES = 10
_STOP_SECONDS = 5
_ROOM_SECONDS = 0.1
# no file descriptors, or no memory, for one more socket
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Guest(Protocol):
    """A connection, as far as its place is concerned."""

    busy: bool

    def hang_up(self, how: int) -> None:
        """Shut its socket down, so that its thread ends."""


class Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """The listening socket and the connections that are open.

    Parameters
    ----------
    address
        Host and port.
    serve
        Makes and serves one connection, as `socketserver` calls it.
    places
        Connections at once; one in five is for strangers.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], serve: Callable[..., Any], places: int = PLACES):
        self.stopping = False
        self._share = max(places, _LEAST_PLACES) // 5
        self._kept = max(places, _LEAST_PLACES) - self._share
        # in the order in which their places would be given up
        self._strangers: dict[Guest, None] = {}
        self._known: dict[Guest, None] = {}
        self._changed = threading.Condition()
        super().__init__(address, serve)

    def get_request(self) -> tuple[Any, Any]:
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._make_room()
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request(request, client_address)
        except RuntimeError as error:
            _log.warning("no thread for one more connection: %s", error)
            self._make_room()
            request.sendall(_BUSY)
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.exception("A connection ended with an unexpected error")

    def opened(self, guest: Guest) -> None:
        """Give a new connection a place among the strangers."""
        with self._changed:
            self._known.pop(guest, None)
            self._strangers[guest] = None
            if len(self._strangers) > self._share:
                self._throw_out(self._strangers)

    def let_in(self, guest: Guest) -> bool:
        """Give a connection the newest place of those who were let in; False means that it has to go after this."""
        with self._changed:
            self._strangers.pop(guest, None)
            self._known.pop(guest, None)
            self._known[guest] = None
            return len(self._known) <= self._kept or self._throw_out(self._known)

    def closed(self, guest: Guest) -> None:
        with self._changed:
            self._strangers.pop(guest, None)
            self._known.pop(guest, None)
            self._changed.notify_all()

    def is_busy(self) -> bool:
        with self._changed:
            return any(guest.busy for guest in self._all())

    def end_connections(self) -> None:
        """Close the idle ones now and the busy ones after their answer, or after a few seconds anyway."""
        self.stopping = True
        with self._changed:
            for guest in self._all():
                if not guest.busy:
                    guest.hang_up(socket.SHUT_RD)
            if not self._changed.wait_for(lambda: not self._all(), _STOP_SECONDS):
                for guest in self._all():
                    guest.hang_up(socket.SHUT_RDWR)
                self._changed.wait_for(lambda: not self._all(), _STOP_SECONDS)

    def _all(self) -> list[Guest]:
        return [*self._strangers, *self._known]

    def _make_room(self) -> None:
        """Give up a place where the system has no more, and wait a moment for it to become free."""
        with self._changed:
            if self._strangers:
                self._throw_out(self._strangers)
            else:
                self._throw_out(self._known)
            self._changed.wait(_ROOM_SECONDS)

    def _throw_out(self, guests: dict[Guest, None]) -> bool:
        """Hang up on the first of these; of those who were let in, on the first that is idle."""
        candidates: Iterable[Guest] = guests
        if guests is self._known:
            candidates = (guest for guest in guests if not guest.busy)
        guest = next(iter(candidates), None)
        if guest is None:
            return False
        del guests[guest]
        guest.hang_up(socket.SHUT_RDWR)
        return True
