"""Bytes that go to S3 or come from there, shown while they are many."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from personalize_nb.session.progress import NullProgress, Progress, choose, over
from personalize_nb.text.counts import size as size_of

# What is sent or read in one request is there before a line about it is read.
LEAST = 16 << 20
_MEGABYTE = 1_000_000


class Transfer:
    """A transfer that shows how many of its bytes have gone; small ones show nothing.

    Parameters
    ----------
    what
        What is transferred, in words.
    size
        Its bytes.
    progress
        Where it is shown; as `choose` takes it.
    clock
        Replaced in tests.
    """

    def __init__(
        self,
        what: str,
        size: int,
        progress: Progress | bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._what, self._size, self._clock = what, size, clock
        self._progress = choose(progress) if size > LEAST else NullProgress()
        self._done, self._began = 0, clock()
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Note that so many more bytes have gone; of what is unpacked on its way they may be more than all."""
        with self._lock:
            self._done = min(self._done + count, self._size)
            self._show()

    def _show(self) -> None:
        self._progress.update(self._what, "MB:", self._done // _MEGABYTE, self._size // _MEGABYTE)

    def __enter__(self) -> Transfer:
        self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = kind is None or kind is GeneratorExit  # nobody reads on
        gone = size_of(self._size if kind is None else self._done)
        state = gone if ended else f"stopped at {gone}"
        self._progress.update(self._what, over(state, self._clock() - self._began))
