"""Columns that hold nothing but the numbers of rows, as `to_csv` and `reset_index` leave them.

A model would learn from them, and the same data saved another way would be another dataset group. The less a name says
that a program gave it, the more the values have to say it; a word that people use is never left out, only told.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings
from personalize_nb.training import arrow_columns

# What readers call a column without a name: pandas, Arrow, R; and an empty name itself.
_NAMELESS = re.compile(r"\s*|Unnamed: \d+(_level_\d+)?(\.\d+)*|__index_level_\d+__|\.\.\.\d+")
# What they call the number of a row, in any spelling that a second program made of it.
_INDEX = re.compile(r"(?i)_*index_*([._]\d+)?|level_\d+(\.\d+)?|_*unnamed[ _.:]*\d+|index_level_\d+")
# What R, Spark, DuckDB, polars, Arrow and pandas call a column that they know nothing of, by its place.
_BY_PLACE = re.compile(r"X(\.\d+)?|_c\d+|column_?\d+|V\d+|f\d+|\d+")
_NUMBERED = re.compile(r"(?i)row[ _.]?(nr|no|number|num|names?|id|index)\.?|rownames")
# Words of people, who may mean something else by them.
_WORD = re.compile(r"(?i)#|№|_*rows?|rn|(s|sr|sl|serial|seq|line|record|rec)?[ _.]*(no|nr|num)\.?|row[ _.]*#|line|sno")

_DROPPED, _TOLD = "only row numbers", "numbers as rows have them"


def without(frame: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, list[str]]:
    """Return a frame without its columns of row numbers, and notes on what was left out or may have to be.

    Parameters
    ----------
    frame
        A frame with the user's own names.
    kind
        What it is called in messages.

    Raises
    ------
    InputError
        A column has no name and holds something else.
    """
    dropped, notes = [], []
    for place, name in enumerate(frame.columns):
        text = "" if pd.api.types.is_scalar(name) and pd.isna(name) else str(name)
        nameless = _NAMELESS.fullmatch(text) is not None
        if not nameless and not any(known.fullmatch(text) for known in (_INDEX, _BY_PLACE, _NUMBERED, _WORD)):
            continue
        series = frame.iloc[:, place]
        shown = repr(text) if nameless else repr(name)
        nothing = "nothing" if nameless else ""
        what = nothing if series.isna().all() else _judged(series, text, nameless)
        if what == _TOLD:
            notes.append(
                f"column {shown} of the {kind} holds {what}, and is imported as a number to learn from; where it is "
                f"none, drop it: frame.drop(columns={name!r})"
            )
        elif what:
            dropped.append(place)
            notes.append(f"column {shown} of the {kind} holds {what}; it is left out")
        elif nameless:
            first = series.dropna().iloc[0]
            raise InputError(
                f"Column {shown} of the {kind} has no name and holds {str(first)!r} and so on, no row numbers: name "
                f"it, frame.rename(columns={{{name!r}: '...'}}), or drop it, frame.drop(columns={name!r})."
            )
    kept = [place for place in range(frame.shape[1]) if place not in dropped]
    return (frame.iloc[:, kept] if dropped else frame), notes


def _judged(series: pd.Series, name: str, nameless: bool) -> str:
    """Tell row numbers, or what may be such; the less its name says it, the more its values have to."""
    numbers = _whole(series)
    if numbers is None or numbers.min() < 0:
        return ""
    first, steps, distinct = numbers.min(), np.diff(numbers), len(np.unique(numbers)) == len(numbers)
    counted = bool(numbers[0] in (0, 1) and np.all(steps == 1))
    shuffled = distinct and first in (0, 1) and numbers.max() - first == len(numbers) - 1
    if nameless:  # rows may have been filtered, shuffled or put together before they were saved
        restarted = numbers[0] == 0 and bool(np.all((steps == 1) | (numbers[1:] == 0)))
        return _DROPPED if restarted or distinct else ""
    if _INDEX.fullmatch(name):  # filtered rows keep their order
        told = _TOLD if distinct else ""
        return _DROPPED if shuffled or bool(np.all(steps > 0)) else told
    if _NUMBERED.fullmatch(name):
        return _DROPPED if shuffled else ""
    if len(numbers) < 2:  # any single number would be one of a row
        return ""
    if _BY_PLACE.fullmatch(name):
        told = _TOLD if bool(np.all(steps > 0)) else ""
        return _DROPPED if shuffled else told
    return _TOLD if counted else ""


def _whole(series: pd.Series) -> np.ndarray | None:
    """Return whole numbers, also those that are held as text or floats; None for others."""
    if isinstance(series.dtype, pd.ArrowDtype):
        known = _of_arrow(series)
        if known is None:
            return None
        series = known
    if pd.api.types.is_bool_dtype(series.dtype) or isinstance(series.dtype, pd.CategoricalDtype):
        return None
    if not (pd.api.types.is_numeric_dtype(series.dtype) or _is_text(series)):
        return None
    values: Any = pd.to_numeric(series, errors="coerce").to_numpy("float64", na_value=np.nan)
    whole = np.isfinite(values).all() and bool(np.all(values == np.floor(values)))
    return values if whole else None


def _of_arrow(series: pd.Series) -> pd.Series | None:
    """Return Arrow's numbers and texts; None for all else, of which pandas cannot even ask what it is."""
    findings = Findings()
    try:
        series = arrow_columns.readable(series, "", findings)
    except InputError:
        return None
    kind = series.dtype.pyarrow_dtype if isinstance(series.dtype, pd.ArrowDtype) else None
    if kind is None or not findings.frame().empty:
        return None
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pd.Series(series.to_numpy("float64", na_value=np.nan))
    return series if arrow_columns.is_text(kind) else None


def _is_text(series: pd.Series) -> bool:
    return pd.api.types.infer_dtype(series, skipna=False) in ("string", "integer")
