"""Columns that hold nothing but the numbers of rows, as `to_csv` and `reset_index` leave them.

A model would learn from them, and the same data saved another way would be another dataset group.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from personalize_nb.errors import InputError

# What readers call a column without a name: pandas, Arrow, R; and an empty name itself.
_NAMELESS = re.compile(r"\s*|Unnamed: \d+(_level_\d+)?(\.\d+)*|__index_level_\d+__|\.\.\.\d+")
# What they call the number of a row, which somebody may also have named so.
_INDEX = re.compile(r"index|level_\d+")
_NUMBERED = re.compile(r"(?i)row[ _.]?(nr|number|num|names?|id|index)|rownames")


def without(frame: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, list[str]]:
    """Return a frame without its columns of row numbers, and notes on what was left out.

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
        if not nameless and not _INDEX.fullmatch(text) and not _NUMBERED.fullmatch(text):
            continue
        series = frame.iloc[:, place]
        shown = repr(text) if nameless else repr(name)
        if series.isna().all():
            what = "nothing" if nameless else ""
        else:
            what = "only row numbers" if _are_numbers_of_rows(series, text, nameless) else ""
        if what:
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


def _are_numbers_of_rows(series: pd.Series, name: str, nameless: bool) -> bool:
    """Tell row numbers; the less its name says it, the more its values have to."""
    numbers = _whole(series)
    if numbers is None:
        return False
    counted = bool(np.array_equal(numbers - numbers[0], np.arange(len(numbers)))) and numbers[0] in (0, 1)
    if nameless:  # rows may have been filtered, shuffled or put together before they were saved
        restarted = numbers[0] == 0 and bool(np.all((np.diff(numbers) == 1) | (numbers[1:] == 0)))
        return counted or restarted or (bool(numbers.min() >= 0) and len(np.unique(numbers)) == len(numbers))
    rising = bool(numbers[0] >= 0) and bool(np.all(np.diff(numbers) > 0))
    return counted or (rising and _INDEX.fullmatch(name) is not None)


def _whole(series: pd.Series) -> np.ndarray | None:
    """Return whole numbers, also those that are held as text or floats; None for others."""
    if pd.api.types.is_bool_dtype(series.dtype) or isinstance(series.dtype, pd.CategoricalDtype):
        return None
    if not (pd.api.types.is_numeric_dtype(series.dtype) or _is_text(series)):
        return None
    values: Any = pd.to_numeric(series, errors="coerce").to_numpy("float64", na_value=np.nan)
    whole = np.isfinite(values).all() and bool(np.all(values == np.floor(values)))
    return values if whole else None


def _is_text(series: pd.Series) -> bool:
    return pd.api.types.infer_dtype(series, skipna=False) in ("string", "integer")
