"""How long work tells where it is: a protocol with a silent, a text and a notebook back-end.

Work calls `update` as often as it likes and `say` for a line worth keeping. There is one line of progress, which is
rewritten in place: in a notebook as an output with a bar while a percentage is known, in a terminal as the last line.
Work that is over leaves its last state as plain text, so that no dead progress bar is saved with a notebook.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TextIO

from personalize_nb.text.counts import spoken

ENVIRONMENT = "PERSONALIZE_NB_PROGRESS"
CHOICES = ("none", "text", "notebook")

_OVER = " after "
_BAR = 20  # characters


class Progress(Protocol):
    """What work needs of a display; several threads may use one."""

    def update(self, what: str, state: str, done: int | None = None, total: int | None = None) -> None:
        """Show the state of one thing in place of its state before; `over()` gives the last one."""

    def say(self, text: str) -> None:
        """Show a line that stays."""


def over(state: str, seconds: float) -> str:
    """Return the last state of work that took so long, by which displays know that nothing comes after it.

    Examples
    --------
    >>> over("ACTIVE", 3)
    'ACTIVE after 3 s'
    """
    return f"{state}{_OVER}{spoken(seconds)}"


class NullProgress:
    """Shows nothing."""

    def update(self, what: str, state: str, done: int | None = None, total: int | None = None) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""


class TextProgress:
    """Rewrites the last line of a terminal; elsewhere writes a line when a state changes, not for counts alone.

    Parameters
    ----------
    stream
        Where lines go; standard error unless given.
    clock
        Gives the time shown beside a state; replaced in tests.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic):
        self._stream = stream
        self._states: dict[str, str] = {}
        self._times = _Times(clock)
        self._current = ""  # the line that is rewritten
        self._lock = threading.Lock()

    def update(self, what: str, state: str, done: int | None = None, total: int | None = None) -> None:
        """Rewrite the line of this thing, or write the state when it is a new one."""
        with self._lock:
            new = self._states.get(what) != state
            self._states[what] = state
            ended, since = _OVER in state, self._times.since(what, state)
            if not self._rewrites():
                if new:
                    self._write(f"{what}: {state}\n")
            elif ended:
                self._write(f"\r\x1b[2K{what}: {state}\n")
                self._current = ""
            else:
                bar = _bar(done, total)
                width = shutil.get_terminal_size().columns - 1  # a full line would begin the next one
                self._current = f"{what}: {bar}{state} {counted(done, total)}"[: max(width - len(since), 0)].rstrip()
                self._current += since
                self._write(f"\r\x1b[2K{self._current}")

    def say(self, text: str) -> None:
        """Write one line above the line that is rewritten."""
        with self._lock:
            self._write(f"\r\x1b[2K{text}\n{self._current}" if self._current else f"{text}\n")

    def _write(self, text: str) -> None:
        print(text, end="", file=self._stream or sys.stderr, flush=True)

    def _rewrites(self) -> bool:
        stream = self._stream or sys.stderr
        return stream.isatty() and os.environ.get("TERM") != "dumb"


class NotebookProgress:
    """Keeps what one piece of work says in a single output: its lines, and one line of progress that is rewritten.

    Parameters
    ----------
    clock
        Gives the time shown beside a state; replaced in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._handle: Any = None
        self._said: dict[str, None] = {}
        self._line = ""
        self._share: tuple[int, int] | None = None
        self._shown: dict[str, str] = {}
        self._times = _Times(clock)
        self._lock = threading.Lock()

    def update(self, what: str, state: str, done: int | None = None, total: int | None = None) -> None:
        """Rewrite the line of progress: state, counts, the time since this thing was first shown."""
        with self._lock:
            since = self._times.since(what, state)
            self._line = f"{what}: {state} {counted(done, total)}".rstrip() + since
            self._share = (done, total) if done and total and _OVER not in state else None
            self._show()

    def say(self, text: str) -> None:
        """Add a line."""
        with self._lock:
            self._said[text] = None
            self._show()

    def _show(self) -> None:
        from IPython.display import display  # only in a notebook, where it is loaded already

        from personalize_nb.text import html  # not needed where nothing is shown

        lines = [*self._said, *([self._line] if self._line else [])]
        bar = html.progress(*self._share, self._line) if self._share is not None else ""
        fragment = html.lines(*self._said, html.join([bar, html.escape(self._line)], " " if bar else ""))
        bundle = {"text/plain": "\n".join(lines), "text/html": str(fragment)}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        elif bundle != self._shown:
            self._handle.update(bundle, raw=True)
        self._shown = bundle


class _Times:
    """How long each thing is shown already."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._began: dict[str, float] = {}

    def since(self, what: str, state: str) -> str:
        """Return the time in brackets; nothing at first, or where the state tells it."""
        now = self._clock()
        seconds = now - self._began.setdefault(what, now)
        return f" ({spoken(seconds)})" if seconds >= 1 and _OVER not in state else ""


class Counting:
    """A display that adds counts of its own to every state.

    Parameters
    ----------
    inner
        Where it is shown.
    counts
        Returns how much is done, and of how much.
    """

    def __init__(self, inner: Progress, counts: Callable[[], tuple[int, int]]):
        self._inner, self._counts = inner, counts

    def update(self, what: str, state: str, done: int | None = None, total: int | None = None) -> None:
        """Show the state with the counts."""
        self._inner.update(what, state, *self._counts())

    def say(self, text: str) -> None:
        """Show the line."""
        self._inner.say(text)


def counted(done: int | None, total: int | None) -> str:
    """Return `3 of 10 (30 %)`, `3`, or nothing."""
    if done is None:
        return ""
    return f"{done:,}" if total is None else f"{done:,} of {total:,} ({100 * done // max(total, 1)} %)"


def _bar(done: int | None, total: int | None) -> str:
    """Return a bar of plain characters, which every terminal can show."""
    if not done or not total:
        return ""
    filled = _BAR * min(done, total) // total
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] "


_showing: ContextVar[Progress | None] = ContextVar("personalize_nb_showing", default=None)


@contextmanager
def showing(progress: Progress | bool | None = None) -> Iterator[None]:
    """Let what is done inside share one display, where it names none: one piece of work has one line.

    Parameters
    ----------
    progress
        As for `choose`.
    """
    before = _showing.set(choose(progress))
    try:
        yield
    finally:
        _showing.reset(before)


def choose(progress: Progress | bool | None = None) -> Progress:
    """Return the display to use: the one given, none for False, else the one that fits where we run.

    Parameters
    ----------
    progress
        A display, False for silence, True to choose; None for the one that is `showing`, else to choose.
        `PERSONALIZE_NB_PROGRESS` (`none`, `text`, `notebook`) decides when set, else a notebook gets the notebook
        display and everything else plain text.
    """
    if progress is False:
        return NullProgress()
    if progress is not None and progress is not True:
        return progress
    if progress is None and (shared := _showing.get()) is not None:
        return shared
    wanted = os.environ.get(ENVIRONMENT, "").strip().lower()
    if wanted and wanted not in CHOICES:
        raise ValueError(f"{ENVIRONMENT} must be one of {', '.join(CHOICES)}, got {wanted!r}")
    if wanted == "none":
        return NullProgress()
    return NotebookProgress() if wanted == "notebook" or (not wanted and _in_notebook()) else TextProgress()


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
