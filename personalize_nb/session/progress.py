"""How long work tells where it is: a protocol with a silent, a text and a notebook back-end.

Work calls `update` as often as it likes and `say` for a line worth keeping. In a notebook one `display_id` output is
rewritten in place, so the last state is saved with the file and no dead progress bar is left behind.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

ENVIRONMENT = "PERSONALIZE_NB_PROGRESS"
CHOICES = ("none", "text", "notebook")


class Progress(Protocol):
    """What work needs of a display; several threads may use one."""

    def update(self, what: str, state: str, done: int | None = None, total: int | None = None) -> None:
        """Show the state of one thing in place of its state before."""

    def say(self, text: str) -> None:
        """Show a line that stays."""


class NullProgress:
    """Shows nothing."""

    def update(self, what: str, state: str, done: int | None = None, total: int | None = None) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""


class TextProgress:
    """Writes a line when a state changes; counts alone do not make a new line.

    Parameters
    ----------
    stream
        Where lines go; standard error unless given.
    """

    def __init__(self, stream: TextIO | None = None):
        self._stream = stream
        self._states: dict[str, str] = {}

    def update(self, what: str, state: str, done: int | None = None, total: int | None = None) -> None:
        """Write the state when it is a new one."""
        if self._states.get(what) != state:
            self._states[what] = state
            self.say(f"{what}: {state}")

    def say(self, text: str) -> None:
        """Write one line."""
        print(text, file=self._stream or sys.stderr, flush=True)


class NotebookProgress:
    """Keeps all lines of one piece of work in a single output that is rewritten in place.

    Parameters
    ----------
    clock
        Gives the seconds shown beside a state; replaced in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._handle: Any = None
        self._lines: dict[str, str] = {}
        self._began: dict[str, float] = {}
        self._clock = clock
        self._lock = threading.Lock()

    def update(self, what: str, state: str, done: int | None = None, total: int | None = None) -> None:
        """Rewrite the line of this thing: its state, its counts, the seconds since it was first shown."""
        with self._lock:
            seconds = self._clock() - self._began.setdefault(what, self._clock())
            since = f" ({seconds:.0f} s)" if seconds >= 1 and " after " not in state else ""
            self._lines[what] = f"{what}: {state} {counted(done, total)}".rstrip() + since
            self._show()

    def say(self, text: str) -> None:
        """Add a line."""
        with self._lock:
            self._lines[text] = text
            self._show()

    def _show(self) -> None:
        from IPython.display import display  # only in a notebook, where it is loaded already

        bundle = {"text/plain": "\n".join(self._lines.values())}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


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


def choose(progress: Progress | bool | None = None) -> Progress:
    """Return the display to use: the one given, none for False, else the one that fits where we run.

    Parameters
    ----------
    progress
        A display, False for silence, None or True to choose: `PERSONALIZE_NB_PROGRESS` (`none`, `text`, `notebook`)
        decides when set, else a notebook gets the notebook display and everything else plain text.
    """
    if progress is False:
        return NullProgress()
    if progress is not None and progress is not True:
        return progress
    wanted = os.environ.get(ENVIRONMENT, "").strip().lower()
    if wanted and wanted not in CHOICES:
        raise ValueError(f"{ENVIRONMENT} must be one of {', '.join(CHOICES)}, got {wanted!r}")
    if wanted == "none":
        return NullProgress()
    return NotebookProgress() if wanted == "notebook" or (not wanted and _in_notebook()) else TextProgress()


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
