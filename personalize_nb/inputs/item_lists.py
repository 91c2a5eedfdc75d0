"""Lists of items to rank, one a row: lists of any kind, text with bars, or the text of a list as files hold it."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.contract import columns as c
from personalize_nb.inputs.ids import Findings, to_strings

_TEXT = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
# As Python writes a list of texts and whole numbers. Its own reader would take 1_000 for 1000 and 'a' 'b' for 'ab'.
_ELEMENT = rf"(?:{_TEXT}|-?\d+)"
_PYTHON = re.compile(rf"\[\s*{_ELEMENT}(?:\s*,\s*{_ELEMENT})*\s*,?\s*\]", re.DOTALL)
_LISTS = (list, tuple, set, frozenset, pd.Series, pd.Index, pd.api.extensions.ExtensionArray, pa.Array, pa.ChunkedArray)
_BARS = "items in a text are separated by '|', as in '27|886'"


def to_lists(series: pd.Series, findings: Findings) -> pa.ListArray:
    """Return item lists as an Arrow list of strings; text is split at `|`, or read where it is a list's own text.

    Parameters
    ----------
    series
        A list, tuple, array or text in each row.
    findings
        Receives rows that hold no list, and items that are no ids.
    """
    cells = series.tolist()
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
    if isinstance(cell, pa.Scalar):
        cell = cell.as_py()
    if isinstance(cell, str):
        return _of_text(cell)
    if isinstance(cell, _LISTS) or (isinstance(cell, np.ndarray) and cell.ndim == 1):
        return list(cell), ""
    if cell is None or cell is pd.NA or cell != cell:
        return [], "the list is missing"
    return [], f"the list is of the type {type(cell).__name__}; give a list of ids, or text with bars, '27|886'"


def _of_text(text: str) -> tuple[list[Any], str]:
    if text.lstrip().startswith("["):
        found = _listed(text)
        return ([], _BARS) if found is None else (found, "")
    if "|" not in text and (any(mark in text for mark in ",;") or re.match(r"\s*[({]\s*['\"]", text)):
        return [], _BARS
    return text.split("|") if text.strip("|") else [], ""


def _listed(text: str) -> list[Any] | None:
    """Return the list that a text is, as JSON and `to_csv` write one, with all digits; None where it is no list."""
    try:
        found = json.loads(text, parse_int=str)
    except (ValueError, RecursionError):
        if not _PYTHON.fullmatch(text.strip()):
            return None
        return [_element(match.group()) for match in re.finditer(_ELEMENT, text, re.DOTALL)]
    return found if isinstance(found, list) else None


def _element(text: str) -> str:
    """Return an item of a list as Python writes it."""
    import ast

    return str(ast.literal_eval(text)) if text[0] in "'\"" else text
