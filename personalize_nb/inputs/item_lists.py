"""Lists of items to rank, one a row: lists of any kind, text with bars, or the text of a list as files hold it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.inputs import text_bytes
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.inputs.list_texts import is_text_of_another, listed
from personalize_nb.text.elements import elements, is_list, plain
from personalize_nb.text.values import missing

_BARS = "items in a text are separated by '|', as in '27|886'"
_NO_BARS = ",;[({<"  # a text with one of them may be a list of another kind, or the text of an object
_KINDS = ("O", "U", "i", "u")  # of arrays that may hold ids
_WRITTEN = "give the list itself, or write it '27|886' or '[\"27\", \"886\"]'"


def to_lists(series: pd.Series, findings: Findings) -> pa.ListArray:
    """Return item lists as an Arrow list of strings; text is split at `|`, or read where it is a list's own text.

    Parameters
    ----------
    series
        A list, tuple, array or text in each row.
    findings
        Receives rows that hold no list, and items that are no ids.
    """
    whole = _columnar(series, findings)
    return _one_by_one(elements(series), findings) if whole is None else whole


def _columnar(series: pd.Series, findings: Findings) -> pa.ListArray | None:
    """Return lists of nothing but texts or whole numbers; None where a cell needs a closer look."""
    if isinstance(series.dtype, pd.ArrowDtype | pd.StringDtype):
        found = _of_arrow(text_bytes.one_array(pa.array(series)))
    else:
        found = _of_objects(series.tolist()) if series.dtype == object else None
    if found is None:
        return None
    items, lengths = found
    if items.null_count == len(items) or not lengths.all():
        return None
    return _lists(pd.Series(pd.arrays.ArrowExtensionArray(items)), lengths, findings)


def _of_arrow(array: pa.Array) -> tuple[pa.Array, np.ndarray] | None:
    """Return items, and how many each list has."""
    if array.null_count:
        return None
    if _is_text(array.type):
        array = array.cast(pa.large_string())
        if text_bytes.has_any(array, _NO_BARS):
            return None
        array = pc.split_pattern(array, "|")
        if not pc.binary_length(array.flatten()).to_numpy().all():  # an empty place is told
            return None
    elif not pa.types.is_list(array.type) and not pa.types.is_large_list(array.type):
        return None
    items, lengths = array.flatten(), pc.list_value_length(array).to_numpy()
    if not _is_text(items.type) and not pa.types.is_integer(items.type):
        return None
    return items, lengths.astype(np.int64)


def _of_objects(cells: list[Any]) -> tuple[pa.Array, np.ndarray] | None:
    kinds = set(map(type, cells))
    if kinds == {str}:
        texts = _array(cells, {str})
        return None if texts is None else _of_arrow(texts)
    if not kinds <= {list, tuple, np.ndarray}:
        return None
    arrays = [cell for cell in cells if type(cell) is np.ndarray]
    if any(one.ndim != 1 or one.dtype.kind not in _KINDS for one in arrays):
        return None
    lengths = np.fromiter(map(len, cells), np.int64, len(cells))
    if len(arrays) == len(cells) and len({one.dtype for one in arrays}) == 1:
        whole = np.concatenate(arrays)
        if whole.dtype.kind in "iu":
            return pa.array(whole.astype(whole.dtype.newbyteorder("="), copy=False)), lengths
        values = whole.tolist()
    else:
        lists = (cell.tolist() if type(cell) is np.ndarray else cell for cell in cells)
        values = list(itertools.chain.from_iterable(lists))
    items = _array(values, set(map(type, values)) - {type(None)})
    return None if items is None else (items, lengths)


def _array(values: list[Any], kinds: set[type]) -> pa.Array | None:
    """Return Python's texts or whole numbers as an array of them, of whatever else nothing."""
    if kinds not in ({str}, {int}):
        return None
    try:
        return pa.array(values, pa.large_string() if kinds == {str} else pa.int64())
    except (UnicodeEncodeError, OverflowError, pa.ArrowInvalid):
        return None


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _one_by_one(cells: list[Any], findings: Findings) -> pa.ListArray:
    lists: list[list[Any]] = []
    wrong: dict[str, list[int]] = {}
    gaps = []
    for row, cell in enumerate(cells):
        found, problem = _read(cell)
        if problem:
            wrong.setdefault(problem, []).append(row)
        if isinstance(cell, str) and not problem and "" in found:
            gaps.append(row)
            found = [one for one in found if one != ""]
        lists.append(found)
    lengths = np.fromiter((len(one) for one in lists), np.int64, len(lists))
    known = np.zeros(len(lists), bool)
    for problem, rows in wrong.items():
        known |= (mask := _mask(rows, len(lists)))
        findings.error(mask, c.ITEM_LIST, cells, problem)
    findings.error((lengths == 0) & ~known, c.ITEM_LIST, cells, "the list has no items")
    findings.note(_mask(gaps, len(lists)), c.ITEM_LIST, cells, "an empty place between bars is left out")
    flat = pd.Series([item for one in lists for item in one], dtype=object)
    return _lists(flat, lengths, findings)


def _lists(items: pd.Series, lengths: np.ndarray, findings: Findings) -> pa.ListArray:
    """Return items as lists of so many each."""
    inner = Findings()
    strings = to_strings(items, c.ITEM_LIST, inner) if len(items) else pa.array([], pa.string())
    findings.adopt(inner, np.repeat(np.arange(len(lengths)), lengths))
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], lengths.cumsum()]), pa.int32()), strings)


def _mask(rows: list[int], size: int) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[rows] = True
    return mask


def _read(cell: Any) -> tuple[list[Any], str]:
    """Return the items of a cell, or what is wrong with it."""
    cell = plain(cell)
    if isinstance(cell, str):
        return _of_text(cell)
    if is_list(cell) and getattr(cell, "ndim", 1) == 1:
        return elements(cell), ""
    if missing(cell):
        return [], "the list is missing"
    return [], f"the list is of the type {type(cell).__name__}; give a list of ids, or text with bars, '27|886'"


def _of_text(text: str) -> tuple[list[Any], str]:
    if is_text_of_another(text):
        return [], f"the text of an object that is no list; {_WRITTEN}"
    if text.lstrip().startswith("["):
        found = listed(text)
        return ([], f"the text begins as a list and is none; {_WRITTEN}") if found is None else (found, "")
    if "|" not in text and any(mark in text for mark in ",;"):
        return [], _BARS
    return text.split("|") if text.strip("|") else [], ""
