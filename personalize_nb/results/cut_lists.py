"""The fast road from lines to Arrow: long lists are cut out of the text and read by themselves.

Nearly all of an output are lists of ids and of numbers. A parser of JSON takes them byte by byte; here a regular
expression proves for each list that it is one of plain texts or numbers, and then its elements are where the quotes and
commas are. What is left of the lines is short, is read as JSON, and gets its lists back.

Whatever is not proven leaves the block to the parser: an escape, a key twice, a list that is spaced otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.results.members import IDS, RELEVANCE, SCORES

_TEXT = r'"[^"\\\x00-\x1f]*"'
_NUMBER = r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|null)"
_OPENS, _CLOSES, _COMMA, _QUOTE = (ord(mark) for mark in '[],"')
_MOST = 1 << 30  # what offsets of 32 bits reach, with room


def _list_of(element: str) -> str:
    return rf"^(?:{element}(?:, ?{element})*)?\]$"


_FORMS = {
    **dict.fromkeys((*IDS, "itemList"), _list_of(_TEXT)),
    **dict.fromkeys((SCORES, RELEVANCE), _list_of(_NUMBER)),
}
_NUMBERS = (SCORES, RELEVANCE)


@dataclass(frozen=True)
class _Lists:
    """All lists of one name: the lines on which they stand, the number of elements of each, and the elements."""

    lines: np.ndarray
    lengths: np.ndarray
    elements: pa.Array


class _OtherwiseError(ValueError):
    """What is not proven."""


def parsed(text: bytes, ends: np.ndarray, parse: Callable[[bytes], pa.Table | None]) -> pa.Table | None:
    """Return the rows of lines that are an object each, or None where they are not in the form that is read fast.

    Parameters
    ----------
    text
        The lines, in UTF-8.
    ends
        Where the lines end.
    parse
        Reads the lines without the elements of their lists.
    """
    if b"\\" in text or len(text) > _MOST:
        return None
    content = np.frombuffer(text, np.uint8)
    begins = np.flatnonzero(content == _OPENS)
    names = _named(content, begins)
    known = names >= 0
    begins, names = begins[known], names[known]
    closes = np.flatnonzero(content == _CLOSES)
    place = np.searchsorted(closes, begins)
    if not len(begins) or place[-1] == len(closes):
        return None
    stops = closes[place] + 1
    if (begins[1:] < stops[:-1]).any():
        return None
    short = parse(_without(text, begins + 1, stops - 1))
    if short is None or short.num_rows != len(ends) + (not text.endswith(b"\n")):
        return None
    bodies = _slices(text, begins + 1, stops)  # the bracket at the end parts a list from the next one
    lines = np.searchsorted(ends, begins)
    found: dict[str, _Lists] = {}
    try:
        for number, name in enumerate(_FORMS):
            chosen = np.flatnonzero(names == number)
            if len(chosen):
                lengths, elements = _elements(bodies.take(pa.array(2 * chosen)), name)
                found[name] = _Lists(lines[chosen], lengths, elements)
        columns = [_whole(short.column(name), name, found) for name in short.column_names]
    except (_OtherwiseError, pa.ArrowException):
        return None
    return None if found else pa.table(columns, short.schema)


def _named(content: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Return for each bracket the number of the list that is begun by it, -1 for another bracket."""
    key_ends = begins - (content[begins - 1] == ord(" "))
    found = np.full(len(begins), -1)
    for number, name in enumerate(_FORMS):
        key = np.frombuffer(f'"{name}":'.encode(), np.uint8)
        rest = np.flatnonzero((found < 0) & (key_ends >= len(key)))
        for back in range(1, len(key) + 1):
            rest = rest[content[key_ends[rest] - back] == key[-back]]
        found[rest] = number
    return found


def _slices(text: bytes | pa.Buffer, begins: np.ndarray, stops: np.ndarray) -> pa.StringArray:
    """Return slices of a text, between each two of them what lies there."""
    offsets = np.empty(2 * len(begins), np.int32)
    offsets[::2], offsets[1::2] = begins, stops
    return pa.StringArray.from_buffers(max(0, len(offsets) - 1), pa.py_buffer(offsets), pa.py_buffer(text))


def _texts(text: bytes | pa.Buffer, begins: np.ndarray, stops: np.ndarray) -> pa.StringArray:
    """Return slices of a text alone."""
    slices = _slices(text, begins, stops)
    return slices.take(pa.array(np.arange(0, len(slices), 2, dtype=np.int32)))


def _without(text: bytes, begins: np.ndarray, stops: np.ndarray) -> bytes:
    """Return a text without some slices of it."""
    kept = _texts(text, np.concatenate([[0], stops]), np.concatenate([begins, [len(text)]]))
    return bytes(kept.buffers()[2])[: len(text) - int((stops - begins).sum())]


def _elements(bodies: pa.StringArray, name: str) -> tuple[np.ndarray, pa.Array]:
    """Return how many elements lists have, and the elements, read of the texts of the lists."""
    if not pc.all(pc.match_substring_regex(bodies, _FORMS[name])).as_py():
        raise _OtherwiseError
    text = bodies.buffers()[2]
    limits = np.frombuffer(bodies.buffers()[1], np.int32)[: len(bodies) + 1]
    content = np.frombuffer(text, np.uint8)[: limits[-1]]
    if name in _NUMBERS:
        stops = np.flatnonzero((content == _COMMA) | (content == _CLOSES))
        begins = np.concatenate([[0], stops[:-1] + 1])
        some = begins < stops  # an empty list has its end alone
        if not some.all():
            begins, stops = begins[some], stops[some]
        return np.diff(np.searchsorted(begins, limits)), _numbers(_texts(text, begins, stops))
    quotes = np.flatnonzero(content == _QUOTE)
    begins = quotes[::2]
    return np.diff(np.searchsorted(begins, limits)), _texts(text, begins + 1, quotes[1::2])


def _numbers(texts: pa.StringArray) -> pa.Array:
    data = bytes(texts.buffers()[2] or b"")  # a copy is looked through faster than an array
    if b" " in data:
        texts = pc.ascii_trim_whitespace(texts)
    if b"n" in data:
        texts = pc.if_else(pc.equal(texts, "null"), None, texts)
    return pc.cast(texts, pa.float64())


def _whole(column: Any, name: str, lists: dict[str, _Lists]) -> Any:
    """Return a column with the lists it has lost; those that are given back are taken out of `lists`."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_struct(array.type):
        inner = [_whole(pc.struct_field(array, one.name), one.name, lists) for one in array.type]
        mask = array.is_null() if array.null_count else None
        return pa.StructArray.from_arrays(inner, fields=list(array.type), mask=mask)
    if name not in lists or not pa.types.is_list(array.type):
        return array
    its = lists.pop(name)
    # of a key that stands there twice, or elsewhere as well, one list would be taken for the other
    if not np.array_equal(np.flatnonzero(array.is_valid().to_numpy(zero_copy_only=False)), its.lines):
        raise _OtherwiseError
    lengths = np.zeros(len(array), np.int64)
    lengths[its.lines] = its.lengths
    offsets = pa.array(np.concatenate([[0], lengths.cumsum()]), pa.int32())
    mask = array.is_null() if array.null_count else None
    return pa.ListArray.from_arrays(offsets, its.elements, type=array.type, mask=mask)
