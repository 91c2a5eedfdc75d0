"""A notebook client that tells what cells show while they run, and that ends its kernel in order when it is told to."""

from __future__ import annotations

import ast
import asyncio
import atexit
import logging
import queue
import re
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from nbclient import NotebookClient
from nbclient.util import ensure_async

from personalize_nb.text.redact import redact

# Asked of the kernel after each cell.
_CONNECTED = "__import__('personalize_nb.notebook.connected', fromlist=['names']).names()"
_TRIES, _TRY_SECONDS = 10, 1
# What a cell may take to end after it was interrupted; schedulers kill ten seconds after they have asked.
_ENDS_SECONDS = 5
# What such a cell prints may name a bucket that nobody knows before the kernel can be asked.
_CONNECTS = re.compile(r"\bconnect\b|\bSession\b")
_USES = re.compile(r"\bpnb\b|\bpersonalize_nb\b")
# Lines above new ones that say what these are: "account:", and the number in the next line.
_LINES_BEFORE = 20


class ShownText:
    """What cells show, told masked as it comes: texts by whole lines, the rest at once.

    Attributes
    ----------
    known
        Names of the notebook's session, which are masked wherever they stand.
    """

    def __init__(self, tell: Callable[[str], None]):
        self.known: set[str] = set()
        self._tell = tell
        self._used = self._held = False
        self._texts: dict[str, str] = {}
        self._displays: list[str] = []
        self._before: list[str] = []

    def begin(self, cell: Any) -> None:
        """Note that a cell begins; Markdown is told as it is."""
        if cell.cell_type == "markdown":
            self._tell(cell.source)
        elif cell.cell_type == "code":
            self._used = self._used or bool(_USES.search(cell.source))
            self._held = bool(_CONNECTS.search(cell.source)) or (self._used and not self.known)
            self._texts, self._displays, self._before = {}, [], []

    def add(self, output: Any) -> None:
        """Tell an output of the cell that runs, or its lines that are complete."""
        if self._held:
            return
        if output.output_type != "stream":
            self._flush()
            self._displays.append(_as_text(output))
            self._say(self._displays[-1])
            return
        whole, line_end, rest = (self._texts.get(output.name, "") + output.text).rpartition("\n")
        self._texts[output.name] = rest
        if line_end:
            self._say(whole)

    def change(self, text: str) -> None:
        """Tell how a display reads now, where it is a line: a bar or a state; of others the last is told at the end."""
        if not self._held and "\n" not in text and text not in self._displays:
            self._flush()
            self._displays.append(text)
            self._say(text)

    def end(self, cell: Any) -> None:
        """Tell what has not been told of a cell that has ended: also displays that have changed since they came."""
        outputs = cell.get("outputs", ())
        if self._held:
            for text in map(_as_text, outputs):
                self._say(text)
            return
        self._flush()
        for text in (_as_text(one) for one in outputs if one.output_type != "stream"):
            if text not in self._displays:
                self._say(text)

    def _flush(self) -> None:
        for rest in self._texts.values():
            self._say(rest)
        self._texts = {}

    def _say(self, text: str) -> None:
        # a bar of progress goes back to the start of its line
        lines = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").rstrip().split("\n")]
        if not any(lines):
            return
        masked = redact("\n".join([*self._before, *lines]), self.known).split("\n")
        self._before = [*self._before, *lines][-_LINES_BEFORE:]
        self._tell("\n".join(masked[-len(lines) :]))


def _as_text(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text).rstrip()
    if output.output_type == "error":
        return ": ".join(filter(None, (output.ename, output.evalue)))
    return str(output.get("data", {}).get("text/plain", "")).rstrip()


class StreamingClient(NotebookClient):
    """nbclient, which says nothing of a cell before it has ended, and forgets its kernel when a signal comes.

    Attributes
    ----------
    came
        Is called with each output as it comes; for a text, with what is new of it.
    changed
        Is called with the text of a display that is rewritten.
    told
        The signal that has told the process to end, 0 before.
    """

    came: Callable[[Any], None]
    changed: Callable[[str], None]
    told = 0
    _ready = False

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """Take an output of the cell that runs."""
        found = super().output(outs, msg, display_id, cell_index)
        if found is not None:
            self.came(found)
        return found

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Take a message about the cell that runs."""
        found = super().process_message(msg, cell, cell_index)
        if msg["msg_type"] == "update_display_data":
            self.changed(str(msg["content"].get("data", {}).get("text/plain", "")).rstrip())
        return found

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        """Start the kernel, and listen to signals before: nbclient's own handlers know none that is starting."""
        loop = asyncio.get_running_loop()
        with suppress(RuntimeError, NotImplementedError, ValueError):  # a thread, or a system without signals
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._end, number)
        await super().async_start_new_kernel(**kwargs)
        if self.told:
            await self._kill()

    async def async_start_new_kernel_client(self) -> Any:
        """Wait until the kernel answers."""
        try:
            found = await super().async_start_new_kernel_client()
        except Exception:
            atexit.unregister(self._cleanup_kernel)  # that is done, and would fail when it is done again
            raise
        self._ready = True
        return found

    def _end(self, number: int) -> None:
        """End the cell that runs as Ctrl-C would, so that it can clean up; a kernel that stays with it is killed."""
        again, self.told = self.told, self.told or number
        self.log = logging.Logger("quiet", logging.CRITICAL + 1)  # the run says in a line what its parts say in many
        loop = asyncio.get_running_loop()
        if again or not self._ready:
            self._doing = loop.create_task(self._kill())
        else:
            self._doing = loop.create_task(self._interrupt())
            loop.call_later(_ENDS_SECONDS, self._end, number)

    async def _interrupt(self) -> None:
        with suppress(RuntimeError):  # it has ended meanwhile
            if self.km is not None and self.km.has_kernel:
                await ensure_async(self.km.interrupt_kernel())

    async def _kill(self) -> None:
        with suppress(RuntimeError):
            if self.km is not None and self.km.has_kernel:
                await ensure_async(self.km.shutdown_kernel(now=True))

    async def connected(self) -> Iterable[str]:
        """Return the names of the notebook's own session; none where it has none, or its kernel does not say."""
        kernel: Any = self.kc  # whether it is asynchronous depends on the kernel's manager
        asked = kernel.execute("", silent=True, user_expressions={"names": _CONNECTED})
        for _ in range(_TRIES):
            try:
                reply = await ensure_async(kernel.get_shell_msg(timeout=_TRY_SECONDS))
                if reply["parent_header"].get("msg_id") == asked:
                    found = reply["content"]["user_expressions"]["names"]["data"]["text/plain"]
                    names: list[str] = ast.literal_eval(found)
                    return names
            except queue.Empty:  # it is slow, or stopping after an error
                if self.told:
                    break
            except KeyError:  # it is not Python's, or has no personalize_nb
                break
        return []
