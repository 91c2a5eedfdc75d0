"""Which line of the input a row of the output answers.

A row echoes its input line, so that keys decide; filter values need not be echoed, nor in the same form, as nobody
promises that. A row whose echo tells nothing (a line that is no JSON is echoed as text, a damaged row not at all)
belongs to the line at its place in the file, as output follows its input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.results.lines import flat
from personalize_nb.results.members import DAMAGED, VALUES
from personalize_nb.results.parts import input_name

# Between the parts of a key and between the elements of a list, in front of what stands for no text, and before one of
# the four that a text holds itself.
_PART, _ELEMENT, _NONE, _ESCAPE = "\x1f", "\x1e", "\x1d", "\x1c"
_MARKS = (_ESCAPE, _NONE, _ELEMENT, _PART)
_LONGEST_NUMBER = 40  # of digits that a number is written out with


def keys_of(records: pa.StructArray) -> pa.Array:
    """Return one text per record, equal where the records are; null for one without any value."""
    columns = [pc.struct_field(records, one.name) for one in records.type if one.name != VALUES]
    if any(one.name == VALUES for one in records.type):
        values = pc.struct_field(records, VALUES)
        columns += [pc.struct_field(values, one.name) for one in values.type]
    given = [pc.is_valid(column) for column in columns]
    parts = [_listed(column) if pa.types.is_list(column.type) else _plain(column, _NONE) for column in columns]
    keys = pc.binary_join_element_wise(*parts, pa.scalar(_PART, pa.large_string()))
    some = given[0]
    for one in given[1:]:
        some = pc.or_(some, one)
    return pc.if_else(some, keys, pa.scalar(None, pa.large_string()))


def _plain(texts: pa.Array, missing: str) -> pa.Array:
    """Return texts that hold none of the marks; a missing one is a mark."""
    found = pc.cast(texts, pa.large_string())
    data = found.buffers()[2]
    content = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    if ((content >= ord(_ESCAPE)) & (content <= ord(_PART))).any():
        for place, mark in enumerate(_MARKS):
            found = pc.replace_substring(found, mark, f"{_ESCAPE}{place}")
    return pc.fill_null(found, missing)


def _listed(lists: pa.ListArray) -> pa.Array:
    """Return one text per list; none, an empty list and a list of nothing differ."""
    if lists.null_count == len(lists):
        return pa.repeat(pa.scalar(_NONE, pa.large_string()), len(lists))
    values = _plain(lists.flatten(), f"{_NONE}0")
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], lengths.cumsum()]), pa.int64())
    joined = pc.binary_join(pa.LargeListArray.from_arrays(offsets, values), pa.scalar(_ELEMENT, pa.large_string()))
    empty, none = (pa.scalar(text, pa.large_string()) for text in (f"{_NONE}1", _NONE))
    return pc.if_else(lists.is_null(), none, pc.if_else(pa.array(lengths == 0), empty, joined))


def positions(asked: pa.ChunkedArray, answered: pa.ChunkedArray) -> np.ndarray:
    """Return for each answer the position of its question, -1 where no question is left that has its key.

    The n-th answer with a key belongs to the n-th question with that key. One without a key belongs to none.
    """
    if not asked.null_count and asked.equals(answered):  # as output nearly always follows its input
        return np.arange(len(asked))
    both = flat(pa.chunked_array([*asked.chunks, *answered.chunks], asked.type))
    codes = pc.fill_null(pc.dictionary_encode(both).indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    occurrence = np.empty_like(codes)
    for part in (slice(0, len(asked)), slice(len(asked), None)):
        occurrence[part] = _occurrence(codes[part])
    pair = codes * (int(occurrence.max(initial=0)) + 1) + occurrence
    questions, answers = pair[: len(asked)], pair[len(asked) :]
    if not len(questions):
        return np.full(len(answers), -1)
    order = np.argsort(questions, kind="stable")
    place = np.searchsorted(questions, answers, sorter=order)
    found = order[np.minimum(place, len(order) - 1)]
    matched = (place < len(order)) & (questions[found] == answers) & (codes[len(asked) :] >= 0)
    return np.where(matched, found, -1)


def _occurrence(codes: np.ndarray) -> np.ndarray:
    """Return for each value how many equal ones came before it."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]] if len(codes) else np.zeros(0, bool)
    starts = np.maximum.accumulate(np.where(first, np.arange(len(codes)), 0))
    result = np.empty(len(codes), np.int64)
    result[order] = np.arange(len(codes)) - starts
    return result


@dataclass(frozen=True)
class Matched:
    """Which line of the input each row answers.

    Parameters
    ----------
    question
        For each row the position of its line, -1 where there is none.
    borrowed
        Which rows echo less than their line says, which is known all the same.
    untold
        How many rows echo no filter values and may be of several lines that differ in these.
    """

    question: np.ndarray
    borrowed: np.ndarray
    untold: int = 0


def matched(asked: pa.Table, rows: pa.Table, keys: pa.ChunkedArray, record: pa.DataType) -> Matched:
    """Return which lines of the input the rows of the output answer.

    Parameters
    ----------
    asked
        The input's records, their `file` and `line`.
    rows
        The output.
    keys
        The key of each row's echo.
    record
        The type of the records.
    """
    records = records_of(asked, record)
    own = keys_of(records)
    found = positions(pa.chunked_array([own]), keys)
    borrowed, untold = np.zeros(len(found), bool), 0
    for less in (_loosely, _without(VALUES), _without(VALUES, "itemList")):
        left = _left(found, len(asked))
        rest = np.flatnonzero((found < 0) & pc.is_valid(keys).to_numpy())
        if not len(left) or not len(rest):
            break
        asked_keys = less(records.take(pa.array(left)))
        place = positions(pa.chunked_array([asked_keys]), pa.chunked_array([less(_echoes(rows, rest))]))
        matching, line = rest[place >= 0], left[place[place >= 0]]
        several = _several(asked_keys, own.take(pa.array(left)))[place[place >= 0]]
        found[matching] = line
        borrowed[matching] = ~several
        untold += int(several.sum())
    return Matched(_failed_by_place(found, asked, rows, keys), borrowed, untold)


def _left(found: np.ndarray, count: int) -> np.ndarray:
    """Return the positions of lines that no row answers."""
    unanswered = np.ones(count, bool)
    unanswered[found[found >= 0]] = False
    return np.flatnonzero(unanswered)


def _echoes(rows: pa.Table, places: np.ndarray) -> pa.StructArray:
    return flat(pa.table({"input": rows.column("input")}).take(pa.array(places)).column("input"))


def _without(*names: str) -> Callable[[pa.StructArray], pa.Array]:
    """Return what makes keys of all but some members."""

    def keys(records: pa.StructArray) -> pa.Array:
        kept = [one for one in records.type if one.name not in names]
        return keys_of(pa.StructArray.from_arrays([pc.struct_field(records, one.name) for one in kept], fields=kept))

    return keys


def _loosely(records: pa.StructArray) -> pa.Array:
    """Return keys that are equal however numbers are written, and filter values spaced and quoted."""
    kinds = [one for one in records.type if one.name != VALUES]
    columns = [_plain_numbers(pc.struct_field(records, one.name)) for one in kinds]
    if len(kinds) == records.type.num_fields:
        return keys_of(pa.StructArray.from_arrays(columns, fields=kinds))
    values = pc.struct_field(records, VALUES)
    bare = [
        pc.replace_substring_regex(pc.struct_field(values, one.name), r"\\?[\"']|\s+|\.0+\b", "") for one in values.type
    ]
    names = [*kinds, *(pa.field(f"${one.name}", pa.string()) for one in values.type)]
    return keys_of(pa.StructArray.from_arrays([*columns, *bare], fields=names))


def _plain_numbers(texts: pa.Array) -> pa.Array:
    """Return texts with the numbers among them as their digits: `12`, `12.0` and `1.2E1` are one id."""
    if pa.types.is_list(texts.type):
        return texts
    numbers = pc.fill_null(pc.match_substring_regex(texts, r"^-?\d+(\.\d*([eE][+-]?\d+)?|[eE][+-]?\d+)$"), False)
    if not pc.any(numbers).as_py():
        return texts
    return pc.replace_with_mask(
        texts, numbers, pa.array([_plain_number(one) for one in texts.filter(numbers).to_pylist()])
    )


def _plain_number(digits: str) -> str:
    number = Decimal(digits)
    if abs(number.adjusted()) > _LONGEST_NUMBER:
        return digits
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _several(less: pa.Array, whole: pa.Array) -> np.ndarray:
    """Return which of the lines share their lesser key with a line that is not the same."""
    codes = [pc.dictionary_encode(one).indices.to_numpy(zero_copy_only=False) for one in (less, whole)]
    pairs = np.unique(np.stack([code.astype(np.int64) for code in codes]), axis=1)
    lesser, times = np.unique(pairs[0], return_counts=True)
    return np.isin(codes[0], lesser[times > 1])


def _failed_by_place(found: np.ndarray, asked: pa.Table, rows: pa.Table, keys: pa.ChunkedArray) -> np.ndarray:
    """Give the rows that failed, and tell their line in other words, the lines at their places."""
    unanswered = _left(found, len(asked))
    # a key that nobody asked for answers something else; a row that failed may tell its line in other words
    failed = (found < 0) & pc.is_valid(rows.column("error")).to_numpy()
    if not failed.any() or not len(unanswered):
        return found
    own, its = _spots(asked, rows)
    free = {own[place]: place for place in unanswered.tolist()}
    silent = failed & (pc.is_null(keys).to_numpy() | flat(rows.column(DAMAGED)).to_numpy(zero_copy_only=False))
    rest = []
    for row in np.flatnonzero(failed).tolist():
        place = free.pop(its[row], -1)
        if place >= 0:
            found[row] = place
        elif silent[row]:
            rest.append(row)
    for row, place in zip(rest, free.values(), strict=False):
        found[row] = place
    return found


def answered_before(asked: pa.Table, record: pa.DataType, question: np.ndarray) -> np.ndarray:
    """Return which lines no row answers although a row answers the same line at another place."""
    keys = keys_of(records_of(asked, record))
    left = np.zeros(len(asked), bool)
    left[_left(question, len(asked))] = True
    twice: pa.Array = pc.and_(pc.is_valid(keys), pc.is_in(keys, value_set=keys.filter(pa.array(~left))))
    left &= twice.to_numpy(zero_copy_only=False)
    return left


def _spots(asked: pa.Table, rows: pa.Table) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return for each input line and each row the name of its input file and its place there."""
    spots = []
    names = [pc.unique(table.column(c.FILE)).to_pylist() for table in (asked, rows)]
    alone = len(names[0]) == len(names[1]) == 1
    for table, of_output in ((asked, False), (rows, True)):
        files = pc.dictionary_encode(table.column(c.FILE)).unify_dictionaries().combine_chunks()
        codes = flat(files).indices.to_numpy()
        told = [
            names[0][0] if alone else input_name(name) if of_output else name
            for name in flat(files).dictionary.to_pylist()
        ]
        spots.append(
            [(told[code], spot) for code, spot in zip(codes.tolist(), _occurrence(codes).tolist(), strict=True)]
        )
    return spots[0], spots[1]


def records_of(table: pa.Table, record: pa.DataType) -> pa.StructArray:
    """Return the records of a table of input lines."""
    names = [one.name for one in record]
    return pa.StructArray.from_arrays([flat(table.column(name)) for name in names], fields=list(record))
