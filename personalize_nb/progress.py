"""How long work tells where it is: a protocol with a silent, a text and a notebook back-end. Floor 1.

Work calls `update` as often as it likes and `say` for a line worth keeping. In a notebook one `display_id` output is
rewritten in place, so the last state is saved with the file and no dead progress bar is left behind.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Protocol, TextIO

ENVIRONMENT = "PERSONALIZE_NB_PROGRESS"


class Progress(Protocol):
    """What work needs of a display."""

    def update(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Show the present state in place of the one before."""

    def say(self, text: str) -> None:
        """Show a line that stays."""


class NullProgress:
    """Shows nothing."""

    def update(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""


class TextProgress:
    """Writes a line when the state changes; counts alone do not make a new line.

    Parameters
    ----------
    stream
        Where lines go; standard error unless given.
    """

    def __init__(self, stream: TextIO | None = None):
        self._stream = stream
        self._last = ""

    def update(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Write the state when it is a new one."""
        if text != self._last:
            self._last = text
            self.say(text)

    def say(self, text: str) -> None:
        """Write one line."""
        print(text, file=self._stream or sys.stderr, flush=True)


class NotebookProgress:
    """Keeps all lines of one piece of work in a single output that is rewritten in place."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._lines: list[str] = []
        self._state = ""

    def update(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Rewrite the state below the lines that stay."""
        self._state = f"{text} {counted(done, total)}".strip()
        self._show()

    def say(self, text: str) -> None:
        """Add a line that stays and clear the state."""
        self._lines.append(text)
        self._state = ""
        self._show()

    def _show(self) -> None:
        from IPython.display import display  # only in a notebook, where it is loaded already

        bundle = {"text/plain": "\n".join([*self._lines, *([self._state] if self._state else [])])}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def counted(done: int | None, total: int | None) -> str:
    """Return `3 of 10 (30 %)`, `3`, or nothing."""
    if done is None:
        return ""
    return f"{done:,} of {total:,} ({100 * done // max(total, 1)} %)" if total is not None else f"{done:,}"


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
    wanted = os.environ.get(ENVIRONMENT, "").lower()
    if wanted == "none":
        return NullProgress()
    if wanted == "notebook" or (not wanted and _in_notebook()):
        return NotebookProgress()
    return TextProgress()


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
