"""Data as a frame whose key columns have our names; what cannot be told apart is asked, never guessed."""

from __future__ import annotations

import re

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import files
from personalize_nb.inputs.forms import Data, given
from personalize_nb.inputs.given import Given
from personalize_nb.text.elements import elements


def frame(data: Data | Given, column: str) -> pd.DataFrame:
    """Return any accepted data as a frame whose key columns have our names.

    Parameters
    ----------
    data
        See `forms.FORMS`.
    column
        The column that ids without one are.

    Raises
    ------
    InputError
        No column, or more than one, can be the ids; or it is the name of other ids.
    """
    values = given(data).values
    return _named(values, column) if isinstance(values, pd.DataFrame) else _of_ids(values, column)


def note_of_taken(data: Given, column: str) -> list[str]:
    """Say so where the only column of a frame is taken for the ids although it has another name."""
    if not isinstance(data.values, pd.DataFrame):
        return []
    names = [c.canonical(name) for name in data.values.columns]
    taken = len(names) == 1 and names[0] != column and column not in _levels(data.values.index)
    return [f"column {list(data.values.columns)[0]!r} is taken as {column!r}"] if taken else []


def note_of_header(first: str, column: str) -> list[str]:
    """Say so where the first id reads as the name of a column, as of a file's lines that were read without one."""
    if c.canonical(re.sub(r"[\W_]", "", first)) not in c.JSON_NAMES:
        return []
    return [
        f"{column}: the first id, {first!r}, reads as the name of a column; it is kept. If it is a header, leave it "
        "out: ids[1:]"
    ]


def _of_ids(ids: pd.Series | pd.Index, column: str) -> pd.DataFrame:
    if files.are_names(ids):
        raise InputError(
            f"The ids are names of files that exist, {elements(ids.array[:3])}. To read the files, pass "
            "[pathlib.Path(name) for name in names], or one text with their pattern, 'ids-*.csv'."
        )
    if isinstance(ids, pd.Series) and c.canonical(ids.name) != column and column in _levels(ids.index):
        raise InputError(
            f"The series is named {ids.name!r} and its index {column!r}: which of them are the ids? Pass "
            f"series.index for those of the index, or series.rename({column!r}) for the values."
        )
    if c.canonical(ids.name) in set(c.JSON_NAMES) - {column}:
        raise InputError(
            f"The recipe takes {column!r}, the {type(ids).__name__.lower()} is named {ids.name!r}.\n"
            f"If it holds those ids, rename it: series.rename({column!r})."
        )
    return ids.to_frame(index=False, name=column) if isinstance(ids, pd.Index) else ids.to_frame(name=column)


def _levels(index: pd.Index) -> list[str]:
    return [c.canonical(name) for name in index.names]


def _named(data: pd.DataFrame, column: str) -> pd.DataFrame:
    columns = {c.canonical(name) for name in data.columns}
    levels = [number for number, name in enumerate(_levels(data.index)) if name in set(c.JSON_NAMES) - columns]
    renamed = data.reset_index(level=levels) if levels else data  # as groupby() and set_index() leave a frame
    renamed = renamed.rename(columns=c.canonical)
    names = list(renamed.columns)
    doubled = {name for name in names if names.count(name) > 1}
    if doubled & {column, c.USER_ID, c.ITEM_ID, c.ITEM_LIST}:
        raise InputError(
            f"Columns {sorted(map(str, doubled))} occur twice among {list(data.columns)}; keep one of each."
        )
    if column not in names and len(names) == 1 and names[0] not in c.JSON_NAMES:
        return renamed.set_axis([column], axis=1)
    if column not in names:
        raise InputError(
            f"The recipe takes a column {column!r}; the frame has {list(data.columns)}. If one of them holds those "
            f"ids, rename it: frame.rename(columns={{...: {column!r}}})."
        )
    return renamed
