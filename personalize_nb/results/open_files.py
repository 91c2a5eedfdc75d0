"""Open files and buffers that hold a job's output or input: copied to disk, where all else is read from."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from personalize_nb.errors import InputError

if TYPE_CHECKING:
    from personalize_nb.results.output_files import Place, Places

    Files: TypeAlias = Places | IO[Any] | Iterable[Place | IO[Any]]

_BLOCK = 1 << 20
_NO_NAME = re.compile(r"[^\w.()\[\] +=@%-]")


def is_open(given: object) -> bool:
    """Tell an open file or buffer, of any library, from a path and from a class of files."""
    return callable(getattr(given, "read", None)) and not isinstance(given, (type, os.PathLike))


class OpenFiles:
    """Copies of open files, in a folder that goes with the object `owned` names, or with this one."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._remove: weakref.finalize[..., Any] | None = None

    def placed(self, given: Files, kind: str) -> Places:
        """Return what a user named with the paths of copies in the place of open files.

        Parameters
        ----------
        given
            What the user named.
        kind
            `output` or `source`.

        Raises
        ------
        InputError
            A file cannot be read, or has nothing more to read.
        """
        if is_open(given):
            return self._copied(given, kind, 1)
        single = isinstance(given, (str, bytes, os.PathLike, Mapping, type)) or hasattr(given, "columns")
        if single or not isinstance(given, Iterable):
            return given  # type: ignore[return-value]  # judged with all other addresses
        return [self._copied(one, kind, number) if is_open(one) else one for number, one in enumerate(given, 1)]

    def owned(self, owner: object) -> None:
        """Keep the copies as long as another object lives."""
        if self._remove is not None:
            self._remove.detach()
            weakref.finalize(owner, shutil.rmtree, str(self._folder), ignore_errors=True)

    def _copied(self, file: Any, kind: str, number: int) -> str:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="personalize_nb."))
            self._remove = weakref.finalize(self, shutil.rmtree, str(self._folder), ignore_errors=True)
        own = getattr(file, "name", None)
        name = PurePath(os.fsdecode(own)).name if isinstance(own, (str, bytes)) else ""
        shown = f"{kind!r}: {repr(name) if name else 'the open file'}"
        # without a name, output and input of the same place belong together
        name = _NO_NAME.sub("_", name) or f"part-{number}{'.out' if kind == 'output' else ''}"
        target = self._folder / kind / str(number) / name
        target.parent.mkdir(parents=True)
        with target.open("wb") as copy:
            for block in _blocks(file, shown):
                copy.write(block)
            if not copy.tell():
                raise InputError(f"{shown} is empty, or was read to its end already: file.seek(0) goes back.")
        return str(target)


def _blocks(file: Any, shown: str) -> Iterator[bytes]:
    while True:
        try:
            block = file.read(_BLOCK)
        except (OSError, ValueError, TypeError, EOFError) as error:  # closed, not for reading, of another encoding
            told = str(error).rstrip(".")
            raise InputError(
                f"{shown} cannot be read: {told}. Open it for reading, best in bytes (open(path, 'rb')), or pass its "
                "path."
            ) from error
        if isinstance(block, str):
            block = block.encode("utf-8", "surrogatepass")  # half a character costs its line, not the file
        if not isinstance(block, (bytes, bytearray, memoryview)):
            raise InputError(
                f"{shown} must give text or bytes, the read() of this {type(file).__name__} gave "
                f"{type(block).__name__}; pass a file, or the path of one."
            )
        if not len(block):
            return
        yield bytes(block)
