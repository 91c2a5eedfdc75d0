"""IDs as strings, exactly as given, and the findings about rows that are not fit to be one.

pandas turns a column of whole numbers with one missing value into floats, and digits of long ids are gone. So floats
are never guessed back: they are refused, with the repair.
"""

from __future__ import annotations

import ast
import datetime
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.text.counts import counted

_SHOWN_ROWS, _SHOWN_CHARACTERS = 5, 80
_SPACE = r"^\s|\s$"
_LIKE_FLOAT = r"^-?\d+\.0$"
# not guessed back either: 7.00 and 7 would be two texts of one number
_NO_WHOLE_NUMBER = "the id is a {}; give whole numbers or text, for example by .map(int) or .map(str)"
_TIMES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64, pd.Period)
_LIKE_MISSING = pa.array(["nan", "NaN", "None", "<NA>", "null", "NaT"])


class Findings:
    """What was found about the rows of an input; errors stop a job, notes do not."""

    def __init__(self) -> None:
        self._parts: list[tuple[pd.DataFrame, bool]] = []

    def error(self, mask: Any, column: str, values: Any, problem: str) -> None:
        """Add an error, with its repair, for each row where the mask is true: such rows cannot be used."""
        self._add(mask, column, values, problem, True)

    def note(self, mask: Any, column: str, values: Any, problem: str) -> None:
        """Add a note, with what is done about it, for each row where the mask is true."""
        self._add(mask, column, values, problem, False)

    def adopt(self, inner: Findings, owner: np.ndarray) -> None:
        """Take over the findings about parts of rows; `owner` gives each part's row."""
        self._parts += [(part.assign(row=owner[part["row"]]), error) for part, error in inner._parts]

    def _add(self, mask: Any, column: str, values: Any, problem: str, error: bool) -> None:
        rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False) if hasattr(mask, "to_numpy") else mask)
        if not len(rows):
            return
        taken = (
            values.take(pa.array(rows)).to_pylist() if hasattr(values, "to_pylist") else [values[row] for row in rows]
        )
        shown = [None if value is None else str(value)[:_SHOWN_CHARACTERS] for value in taken]
        part = pd.DataFrame(
            {"row": rows, "column": column, "value": pd.Series(shown, dtype=object), "problem": problem}
        )
        self._parts.append((part, error))

    def frame(self) -> pd.DataFrame:
        """Return all findings, ordered by row."""
        if not self._parts:
            return pd.DataFrame({"row": pd.Series(dtype="int64"), "column": [], "value": [], "problem": []})
        found = pd.concat([part for part, _ in self._parts], ignore_index=True)
        return found.sort_values("row", kind="stable", ignore_index=True)

    def sentences(self, rows: int) -> list[str]:
        """Return a sentence for each kind of note, with the first rows concerned."""
        return [_sentence(part, rows) for part, error in self._parts if not error]

    def raise_errors(self, rows: int, noun: str) -> None:
        """Raise `InputError` when rows cannot be used: a line per kind of error, all rows in `.findings`."""
        lines = [f"{_sentence(part, rows)}." for part, error in self._parts if error]
        if not lines:
            return
        raise InputError(
            "\n".join(
                [f"The {noun} cannot be used as they are; nothing was sent.", *lines, "All rows: error.findings"]
            ),
            findings=self.frame(),
        )


def _sentence(part: pd.DataFrame, rows: int) -> str:
    return f"{part['column'].iloc[0]}: {part['problem'].iloc[0]} ({_which(part, rows)})"


def _which(part: pd.DataFrame, rows: int) -> str:
    first = part.head(_SHOWN_ROWS)
    named = ", ".join(f"{row}: {value!r}" for row, value in zip(first["row"], first["value"], strict=True))
    more = ", ..." if len(part) > _SHOWN_ROWS else ""
    return f"{len(part):,} of {counted(rows, 'row')}, counted from 0: {named}{more}"


def to_strings(series: pd.Series, column: str, findings: Findings) -> pa.Array:
    """Return ids as an Arrow string array; rows that are no ids are added to the findings and null.

    Parameters
    ----------
    series
        Strings, whole numbers of any size, categories of them, or Python objects.
    column
        The column's name in findings.
    findings
        Receives errors (missing, empty, float, too long) and notes (spaces around an id, text like `233.0`).
    """
    array, wrong = _converted(series, column, findings)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    missing = pc.and_not(pc.is_null(array), wrong)
    findings.error(missing, column, array, f"the id is missing; drop such rows: frame.dropna(subset=[{column!r}])")
    findings.error(_true(pc.equal(array, "")), column, array, "the id is an empty text")
    most = limits.MAX_ID_CHARACTERS
    findings.error(
        _true(pc.greater(pc.utf8_length(array), most)), column, array, f"the id is longer than {most} characters"
    )
    notes = (
        (
            pc.match_substring_regex(array, _SPACE),
            "space around the id; kept, but it must be so in the training data too",
        ),
        (pc.match_substring_regex(array, _LIKE_FLOAT), "text of a float; kept, but the id was probably a whole number"),
        (pc.is_in(array, _LIKE_MISSING), "text of a missing value; kept, but it was probably no id"),
    )
    for mask, problem in notes:
        findings.note(_true(mask), column, array, problem)
    return array


def to_lists(series: pd.Series, findings: Findings) -> pa.ListArray:
    """Return item lists as an Arrow list of strings; text is split at `|`, or read where it is a list's own text."""
    doubtful = np.array([isinstance(cell, str) and _lacks_bars(cell) for cell in series], bool)
    findings.error(doubtful, c.ITEM_LIST, list(series), "items in a text are separated by '|', as in '27|886'")
    lists = [_split(cell) for cell in series]
    lengths = np.fromiter((len(one) for one in lists), np.int64, len(lists))
    findings.error(lengths == 0, c.ITEM_LIST, pa.array([str(cell) for cell in series]), "the list has no items")
    flat = pd.Series([item for one in lists for item in one], dtype=object)
    inner = Findings()
    strings = to_strings(flat, c.ITEM_LIST, inner) if len(flat) else pa.array([], pa.string())
    owner = np.repeat(np.arange(len(lists)), lengths)
    findings.adopt(inner, owner)
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], lengths.cumsum()]), pa.int32()), strings)


def _literal(text: str) -> list[Any] | None:
    """Return the list that a text is, as `to_csv` and JSON write one; None where it is no list."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _lacks_bars(text: str) -> bool:
    return "|" not in text and _literal(text) is None and any(mark in text for mark in ",;[")


def _split(cell: Any) -> list[Any]:
    if isinstance(cell, str):
        listed = _literal(cell)
        return [part for part in cell.split("|") if part] if listed is None else listed
    return list(cell) if isinstance(cell, Iterable) else []


def _converted(series: pd.Series, column: str, findings: Findings) -> tuple[Any, Any]:
    """Return strings, and a mask of the rows that are already found wrong."""
    if isinstance(series.dtype, pd.SparseDtype):
        series = series.sparse.to_dense()  # type: ignore[attr-defined]  # unknown to pandas' stubs
    dtype = series.dtype
    right = pa.array(np.zeros(len(series), bool))
    if isinstance(dtype, pd.CategoricalDtype):
        known, wrong = _converted(pd.Series(dtype.categories), column, Findings())
        if pc.any(wrong).as_py():
            return _one_by_one(series.astype(object), column, findings)
        known = known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known
        codes = series.cat.codes.to_numpy()
        return known.take(pa.array(codes, mask=codes < 0)), right
    if _no_ids(dtype):
        raise InputError(f"{column} is a column of {dtype}, which are no ids. Name the column that holds the ids.")
    if pd.api.types.is_integer_dtype(dtype):
        return pc.cast(pa.array(series, from_pandas=True), pa.string()), right
    if pd.api.types.is_float_dtype(dtype):
        return _refused_floats(series, column, findings)
    if isinstance(dtype, pd.ArrowDtype) and pa.types.is_decimal(dtype.pyarrow_dtype):
        return _one_by_one(series.astype(object), column, findings)
    try:
        return pa.array(series, type=pa.string(), from_pandas=True), right
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return _one_by_one(series, column, findings)


def _no_ids(dtype: Any) -> bool:
    """Tell columns of truth values, moments, durations, bytes and the like, whose text would be taken for ids."""
    types = pd.api.types
    if isinstance(dtype, pd.ArrowDtype):
        arrow = dtype.pyarrow_dtype
        return bool(pa.types.is_boolean(arrow) or pa.types.is_temporal(arrow) or pa.types.is_binary(arrow))
    return (
        types.is_bool_dtype(dtype)
        or types.is_complex_dtype(dtype)
        or str(dtype.kind) in "mM"
        or isinstance(dtype, (pd.DatetimeTZDtype, pd.PeriodDtype, pd.IntervalDtype))
    )


def _refused_floats(series: pd.Series, column: str, findings: Findings) -> tuple[Any, Any]:
    array = pa.array(series.astype("float64"), from_pandas=True)
    filled = pc.is_valid(array)
    repair = (
        f"ids are {series.dtype}, pandas' type for whole numbers with a missing value; long ids have lost digits. "
        f"Read the file again with dtype={{{column!r}: 'string'}}, or, if no id has more than 15 digits, "
        f"frame[{column!r}] = frame[{column!r}].astype('Int64').astype('string')"
    )
    findings.error(filled, column, array, repair)
    return pa.nulls(len(series), pa.string()), filled


def _one_by_one(series: pd.Series, column: str, findings: Findings) -> tuple[Any, Any]:
    """Convert Python objects of mixed types, the one case without a columnar way."""
    values = series.tolist()
    texts: list[str | None] = [None] * len(values)
    wrong: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        text, problem = _one(value)
        texts[row] = text
        if problem:
            wrong.setdefault(problem, []).append(row)
    mask = np.zeros(len(values), bool)
    for problem, rows in wrong.items():
        this = np.zeros(len(values), bool)
        this[rows] = True
        mask |= this
        findings.error(this, column, values, problem)
    return pa.array(texts, pa.string()), pa.array(mask)


def _one(value: Any) -> tuple[str | None, str | None]:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return None, "the text is not valid Unicode"
        return value, None
    if isinstance(value, (bool, np.bool_)):
        return None, "True and False are no ids"
    if isinstance(value, numbers.Integral):
        return str(int(value)), None
    if value is None or (not isinstance(value, (list, tuple, dict, set, np.ndarray)) and pd.isna(value)):
        return None, None
    if isinstance(value, (float, np.floating)):
        return None, "the id is a float; give whole numbers or text, for example '233' instead of 233.0"
    if isinstance(value, bytes):
        return None, "the id is bytes; decode it first"
    if isinstance(value, (list, tuple, dict, set, np.ndarray)):
        return (
            None,
            f"the id is a {type(value).__name__}; give one id per row, or name a column of lists {c.ITEM_LIST!r}",
        )
    if isinstance(value, numbers.Number):
        return None, _NO_WHOLE_NUMBER.format(type(value).__name__)
    if isinstance(value, _TIMES):
        return None, f"the id is a {type(value).__name__}; name the column that holds the ids"
    return str(value), None


def _true(mask: Any) -> Any:
    return pc.fill_null(mask, False)
