"""How long a connection's sender may take, and how long the head of a request may be."""

from __future__ import annotations

import io
import socket
import time
from typing import Any


class HeadTooLong(Exception):
    """The head of a request has more bytes than anybody needs."""


class PatientReader(io.RawIOBase):
    """What comes over a connection, with a limit on the time of each read, on that of all of them, and on a head.

    A deadline for all reads together cannot be put off by sending a byte now and then.
    """

    def __init__(self, connection: socket.socket):
        super().__init__()
        self._connection = connection
        self._each = 0.0
        self._deadline = float("inf")
        self._head_left: int | None = None

    def readable(self) -> bool:
        return True

    def allow(self, each: float, all_together: float = float("inf")) -> None:
        """From now on wait `each` seconds for any bytes, and `all_together` for the last of them."""
        self._each, self._deadline = each, time.monotonic() + all_together
        self._head_left = None

    def begin_head(self, seconds: float, limit: int) -> None:
        """From now on the rest of a head is read: it has so many seconds and bytes, and its end is no end of bytes."""
        self.allow(seconds, seconds)
        self._head_left = limit

    def readinto(self, buffer: Any) -> int:
        left = min(self._each, self._deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError("the sender took too long")
        self._connection.settimeout(left)
        count = self._connection.recv_into(buffer)
        if self._head_left is not None:
            self._head_left -= count
            if not count:
                # half a head must not pass for a short one
                raise ConnectionAbortedError("the connection ended within the head of a request")
            if self._head_left < 0:
                raise HeadTooLong
        return count
