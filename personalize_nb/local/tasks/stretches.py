"""Where the lines of a file of input lie: in stretches of some megabytes, and in pieces of so many lines each.

Only ends of lines and space are looked at, a small part of the work of reading what lines say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

CHUNK_BYTES = 4 << 20

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NEWLINE = ord("\n")
_SPACE = b" \t\r\n"  # what JSON has for space
_IS_SPACE = np.isin(np.arange(256), list(_SPACE))


class LineRange(NamedTuple):
    """Bytes of a file from `begin` on, `size` of them, with so many lines that are not blank."""

    begin: int
    size: int
    lines: int


def stretches(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield what a file holds in stretches with where each begins, without the line's end between two of them.

    Blocks of lines never reach from one into the next, so that whoever has a stretch makes the same blocks of it. The
    file may be read elsewhere between two stretches.
    """
    pending: list[bytes] = []
    begin = position = 0
    while True:
        file.seek(position)
        chunk = file.read(CHUNK_BYTES)
        if not chunk:
            break
        if not position and chunk.startswith(_BYTE_ORDER_MARK):
            chunk, begin, position = chunk[len(_BYTE_ORDER_MARK) :], len(_BYTE_ORDER_MARK), len(_BYTE_ORDER_MARK)
        position += len(chunk)
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            text = b"".join([*pending, head])
            yield begin, text
            begin, pending = begin + len(text) + 1, [tail]
        else:
            pending.append(chunk)
    yield begin, b"".join(pending)


def pieces(file: BinaryIO, most: int) -> Iterator[LineRange]:
    """Yield the pieces of a file with at most `most` lines each; a stretch begins a new one.

    Parameters
    ----------
    file
        The file.
    most
        A multiple of a block's lines gives pieces with the blocks of the file.
    """
    for begin, text in stretches(file):
        begins, ends = _lines(text)
        for first in range(0, len(begins), most):
            lines = min(most, len(begins) - first)
            start = int(begins[first])
            yield LineRange(begin + start, int(ends[first + lines - 1]) - start, lines)


def _lines(text: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return where the lines begin and end that are not blank."""
    codes = np.frombuffer(text, np.uint8)
    newlines = np.flatnonzero(codes == _NEWLINE)
    begins, ends = np.append(0, newlines + 1), np.append(newlines, len(text))
    filled = begins < ends
    # one that begins with space may hold nothing else
    doubtful = np.flatnonzero(filled)[_IS_SPACE[codes[begins[filled]]]]
    for row in doubtful.tolist():
        filled[row] = bool(text[begins[row] : ends[row]].strip(_SPACE))
    return begins[filled], ends[filled]
