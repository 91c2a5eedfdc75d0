"""Bodies on disk: files with made-up names, written aside and then moved into place.

No key ever becomes a path, so every key is safe. A body never changes once it is in `bodies/`; what is in
`incoming/` belongs to the process named in its file name.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

import psutil

from personalize_nb.local.state import platform
from personalize_nb.local.state.durability import settle_names
from personalize_nb.local.state.layout import lost_path, set_aside

BLOCK = 1 << 20


class Bodies:
    """The folder pair `incoming/` (being written) and `bodies/` (published) under one root."""

    def __init__(self, root: Path):
        self._root = root
        self._published = root / "bodies"
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        for shard in range(256):
            (self._published / f"{shard:02x}").mkdir(parents=True, exist_ok=True, mode=0o700)
        settle_names(self._published)
        settle_names(root)

    def new_incoming(self) -> Path:
        """Return a path that is free, in the folder of bodies still being written."""
        return self._incoming / f"{_this_process()}.{uuid.uuid4().hex}"

    @contextmanager
    def moving(self, incoming: Path) -> Iterator[Callable[[], str]]:
        """Give a call that moves a finished file among the published ones and returns its name there.

        A block that fails, in its commit at the latest, leaves no file there: nothing would name it.
        """
        name = uuid.uuid4().hex

        def move() -> str:
            os.replace(incoming, self.path(name))
            settle_names(self.path(name).parent)
            return name

        try:
            yield move
        except BaseException:
            self.drop(name)
            raise

    def open(self, name: str) -> BinaryIO:
        """Open a body; one that was set aside while another database was here comes back."""
        path = self.path(name)
        try:
            return open(path, "rb")
        except FileNotFoundError:
            aside = lost_path(self._root, path)
            if not aside.exists():
                raise
            os.replace(aside, path)
            return open(path, "rb")

    def size(self, name: str) -> int:
        """Return the size of a body on disk."""
        try:
            return self.path(name).stat().st_size
        except FileNotFoundError:
            with self.open(name) as file:
                return os.fstat(file.fileno()).st_size

    def set_aside(self, path: Path) -> None:
        """Keep a body that no row names, in a place of its own."""
        set_aside(self._root, path)

    def link_to(self, name: str, source: BinaryIO, size: int, incoming: Path) -> None:
        """Make `incoming` a second name of a published body: free, since bodies never change."""
        try:
            platform.link(self.path(name), incoming)
        except OSError:  # no hard links here, or the body was replaced since it was opened as `source`
            with open(incoming, "xb") as target:
                append_range(target, source, 0, size)

    def drop(self, name: str) -> None:
        self.path(name).unlink(missing_ok=True)

    def shards(self) -> list[Path]:
        """Return the sub-folders of published bodies, for sweeping one at a time."""
        return sorted(self._published.iterdir())

    def drop_abandoned(self) -> int:
        """Remove unfinished files of processes that no longer live."""
        dropped = 0
        for path in self._incoming.iterdir():
            if not _is_alive(path.name):
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped

    def path(self, name: str) -> Path:
        """Return where a published body lies."""
        return self._published / name[:2] / name


def append_range(target: BinaryIO, source: BinaryIO, offset: int, length: int) -> None:
    """Append `length` bytes of `source` from `offset` to `target`, inside the kernel where it can."""
    target.flush()
    done = platform.copy_range(source.fileno(), target.fileno(), offset, length)
    target.seek(0, os.SEEK_END)
    source.seek(offset + done)
    while done < length:
        block = source.read(min(BLOCK, length - done))
        if not block:
            raise EOFError(f"{length - done} bytes are missing at its end")
        written = 0
        while written < len(block):
            written += target.write(block[written:])
        done += len(block)


@cache
def _this_process_of(pid: int) -> str:
    return f"{pid}.{int(psutil.Process(pid).create_time())}"


def _this_process() -> str:
    # Keyed by the number so that a forked child does not write under its parent's name.
    return _this_process_of(os.getpid())


def _is_alive(name: str) -> bool:
    pid, started, _ = name.split(".")
    try:
        return abs(psutil.Process(int(pid)).create_time() - int(started)) < 2
    except psutil.Error:
        return False
