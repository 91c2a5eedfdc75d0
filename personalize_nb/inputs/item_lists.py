"""Lists of items to rank, one a row: lists of any kind, text with bars, or the text of a list as files hold it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.contract import columns as c
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.inputs.list_texts import is_text_of_another, listed
from personalize_nb.text.elements import elements, is_list, plain
from personalize_nb.text.values import missing

_BARS = "items in a text are separated by '|', as in '27|886'"
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
    cells = elements(series)
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
    inner = Findings()
    strings = to_strings(flat, c.ITEM_LIST, inner) if len(flat) else pa.array([], pa.string())
    findings.adopt(inner, np.repeat(np.arange(len(lists)), lengths))
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
