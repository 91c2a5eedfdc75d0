"""Cells of any kind as the texts of a schema: what is known is written exactly, what is not is refused by its row.

An import knows texts, and `|` between several of them. Nothing is ever made a text by `str(object)`: the model would
learn the name of a class and an address in memory.
"""

from __future__ import annotations

import collections
import collections.abc
import datetime
import decimal
import enum
import math
import numbers
import uuid
from array import array as machine_array
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.inputs.ids import Findings
from personalize_nb.text.values import is_unicode
from personalize_nb.training import arrow_columns

SEPARATOR = "|"
_MANY = (
    *(list, tuple, set, frozenset, range, collections.deque, machine_array),
    *(collections.abc.KeysView, collections.abc.ValuesView),
    *(np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray, pa.Array, pa.ChunkedArray),
)
_WRITTEN = (decimal.Decimal, uuid.UUID, datetime.date, datetime.time, np.datetime64)  # their texts are their values
_BROKEN = (
    "the text holds half of a character (a surrogate, as of a cut emoji), which no file can hold; "
    "{0} = {0}.map(lambda text: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'ignore'), na_action='ignore')"
)
_LEFT_OUT = "missing or empty elements of the list are left out"


def to_texts(series: pd.Series, column: str, findings: Findings) -> pa.Array:
    """Return values as text; an empty text is a missing one, and several values in a cell are joined by `|`.

    Parameters
    ----------
    series
        Texts, numbers, truth values, dates, UUIDs, or lists of them, in any mixture.
    column
        The column's name in findings.
    findings
        Receives cells that no text can hold exactly, and a note on lists with gaps.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _of_categories(series, column, findings)
    plain = pd.api.types.infer_dtype(series, skipna=True) in ("string", "empty")  # Arrow would decode bytes beside them
    try:
        objects = pd.api.types.is_object_dtype(series.dtype) and not plain
        array = _one_by_one(series, column, findings) if objects else pa.array(series, pa.string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError):
        array = _one_by_one(series, column, findings)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)


def _of_categories(series: pd.Series, column: str, findings: Findings) -> pa.Array:
    """Convert each category once; where one is wrong, the rows that have it are to be told."""
    inner = Findings()
    known = to_texts(pd.Series(series.cat.categories).astype(object), column, inner)
    if not inner.frame().empty:
        return to_texts(series.astype(object), column, findings)
    codes = series.cat.codes.to_numpy()
    return known.take(pa.array(codes, mask=codes < 0))


def _one_by_one(series: pd.Series, column: str, findings: Findings) -> pa.Array:
    values = series.astype(object).tolist()
    texts: list[str | None] = [None] * len(values)
    wrong: dict[str, list[int]] = {}
    gaps = np.zeros(len(values), bool)
    for row, value in enumerate(values):
        held = _held(value)
        if isinstance(held, _MANY):
            texts[row], problem, gaps[row] = _joined(held)
        else:
            texts[row], problem = _written(held)
        if problem:
            wrong.setdefault(problem, []).append(row)
    for problem, rows in wrong.items():
        mask = np.zeros(len(values), bool)
        mask[rows] = True
        findings.error(mask, column, values, problem.format(f"frame[{column!r}]"))
    findings.note(gaps, column, values, _LEFT_OUT)
    return pa.array(texts, pa.string())


def _held(value: Any) -> Any:
    """Return what a cell holds as Python or numpy do: series of Arrow and polars as lists, a masked one missing."""
    if isinstance(value, pa.Scalar):
        return arrow_columns.elements(pa.array([value], value.type))[0]
    if value is np.ma.masked:
        return None
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item() if value.dtype.kind != "f" else value[()]
    if isinstance(value, pd.arrays.ArrowExtensionArray):
        return arrow_columns.elements(pa.array(value))
    if isinstance(value, (pa.Array, pa.ChunkedArray)):
        return arrow_columns.elements(value)
    if _is_series(value):
        return arrow_columns.elements(pa.chunked_array(value))
    return value


def _is_series(value: Any) -> bool:
    """Tell a series of another library, which hands over Arrow data; a frame of one has columns."""
    arrow = hasattr(type(value), "__arrow_c_stream__") and not hasattr(value, "columns")
    return arrow and not isinstance(value, (pd.Series, pd.Index))


def _joined(values: Any) -> tuple[str | None, str, bool]:
    """Return the elements of a cell as one text, a problem, and whether some were missing."""
    if isinstance(values, np.ndarray) and values.ndim != 1:
        return None, _NESTED, False
    texts, gap = [], False
    for value in map(_held, values):
        text, problem = (None, _NESTED) if isinstance(value, _MANY) else _written(value)
        if problem:
            return None, _BROKEN_ELEMENT if problem == _BROKEN else problem, False
        if not text:
            gap = True
        elif SEPARATOR in text:
            return None, _SEPARATED, False
        else:
            texts.append(text)
    if isinstance(values, (set, frozenset)):
        texts.sort()  # their order changes from run to run, and with it the file would
    return SEPARATOR.join(texts) or None, "", gap


_BROKEN_ELEMENT = (
    "an element of the list holds half of a character (a surrogate, as of a cut emoji), which no file can hold; drop "
    "or mend such elements"
)
_NESTED = "the cell holds a list within a list; give one flat list of texts or numbers"
_SEPARATED = (
    "an element of the list holds '|', which separates categories, so that it would become several; write it another "
    "way: {0} = {0}.map(lambda cell: [str(one).replace('|', '/') for one in cell], na_action='ignore')"
)


def _written(value: Any) -> tuple[str | None, str]:
    """Return the text of a value, or None for a missing one; and what is wrong with it."""
    if isinstance(value, enum.Enum) and not isinstance(value, (str, numbers.Number)):
        return None, "the value is a member of an Enum; give its value: {0} = {0}.map(lambda one: one.value)"
    if isinstance(value, str):
        text = str.__str__(value)
        return (text, "") if is_unicode(text) else (None, _BROKEN)
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)), ""
    if isinstance(value, numbers.Integral):
        return str(int(value)), ""
    if isinstance(value, (float, np.floating)):
        return _of_float(value)
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None, ""
    if isinstance(value, _WRITTEN):
        return str(value), ""
    if isinstance(value, dict):
        return None, "the cell holds dictionaries, and schemas are flat; give each key a column, or drop it"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return (
            None,
            "the value is bytes; decode it: {0} = {0}.map(lambda one: one.decode() if isinstance(one, bytes) else one)",
        )
    return None, (
        f"the value is of the type {type(value).__name__}, which has no text of its own; give texts or numbers, for "
        "example with {0} = {0}.map(...)"
    )


def _of_float(value: float | np.floating[Any]) -> tuple[str | None, str]:
    if math.isnan(value):
        return None, ""
    return (None, "the number is infinite") if math.isinf(value) else (str(value), "")
