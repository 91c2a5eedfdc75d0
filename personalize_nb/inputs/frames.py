"""Frames of any spelling as this package reads them: our column names, ids as strings.

Results carry ids as strings, whatever the user's own frames hold. Whoever compares the two takes both through here,
or 1349 and "1349" are two users and every count is silently wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import pandas as pd
import pyarrow as pa

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings, to_strings

TIMESTAMP = "timestamp"
_IDS = (c.USER_ID, c.ITEM_ID, c.RECOMMENDED_ITEM_ID)
_LIKE = {c.RECOMMENDED_ITEM_ID.replace("_", ""): c.RECOMMENDED_ITEM_ID, TIMESTAMP: TIMESTAMP}


@runtime_checkable
class ToArrow(Protocol):
    """A frame of another library that Arrow can read, polars' for example."""

    def to_arrow(self) -> pa.Table:
        """Return the frame as an Arrow table."""


def plain(frame: pd.DataFrame | None, noun: str, *needed: str, hint: str = "") -> pd.DataFrame:
    """Return a frame with our spelling of its columns, and with those ids as strings that are needed.

    Parameters
    ----------
    frame
        The user's frame, or what stands in its place; it is not changed.
    noun
        What it is called in messages: the argument's name.
    *needed
        Columns it must have.
    hint
        Where such a frame comes from, for messages.

    Raises
    ------
    InputError
        It is no frame, lacks a column, has one twice, or holds ids that are none.

    Examples
    --------
    >>> plain(pd.DataFrame({"userId": [7]}), "truth", "user_id")["user_id"].tolist()
    ['7']
    """
    told = f"; {hint}" if hint else ""
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{noun!r} must be a DataFrame, got {_shown(frame)}{told}")
    named = frame.rename(columns=_name)
    missing = [name for name in needed if name not in named.columns]
    if missing:
        raise InputError(f"{noun!r} has no column {missing}; it has {list(frame.columns)}{told}")
    twice = [name for name in needed if (named.columns == name).sum() > 1]
    if twice:
        raise InputError(f"{noun!r} has several columns for {twice}: {list(frame.columns)}; keep one of each")
    findings = Findings()
    ids = {
        name: pd.Series(to_strings(named[name], name, findings).to_pandas().to_numpy(), index=named.index)
        for name in needed
        if name in _IDS
    }
    findings.raise_errors(len(named), noun)
    return named.assign(**{name: texts.astype("str") for name, texts in ids.items()})


def filter_columns(themes: pd.DataFrame) -> list[str]:
    """Return the columns of filter values of a frame of themes: those between `item_id` and `theme`.

    The same item may have been asked for several values, and its themes differ by these columns alone.

    Examples
    --------
    >>> filter_columns(pd.DataFrame(columns=["item_id", "YEAR", "theme", "rank", "recommended_item_id"]))
    ['YEAR']
    """
    names = themes.columns.tolist()
    between = names[names.index(c.ITEM_ID) + 1 : names.index(c.THEME)]
    return [name for name in between if name not in (c.RANK, c.RECOMMENDED_ITEM_ID, c.RELEVANCE)]


def catalogue(items: pd.DataFrame | Iterable[object], noun: str) -> set[str]:
    """Return the distinct item ids of a frame with `item_id`, or of the ids themselves."""
    if items is None or isinstance(items, str):
        raise InputError(f"{noun!r} must be a DataFrame with 'item_id' or a list of ids, got {_shown(items)}")
    frame = items if isinstance(items, pd.DataFrame) else pd.DataFrame({c.ITEM_ID: _listed(items)})
    return set(plain(frame, noun, c.ITEM_ID)[c.ITEM_ID].unique())


def identifier(value: object, name: str) -> str:
    """Return one id as results spell it; `name` is the argument's name in messages."""
    findings = Findings()
    text: str | None = to_strings(pd.Series([value], dtype=object), name, findings)[0].as_py()
    if text is None:
        problem = findings.frame()["problem"].iloc[0]
        raise InputError(f"{name!r} must be text or a whole number, got {_shown(value)}: {problem}")
    return text


def _name(name: object) -> str:
    known = c.canonical(name)
    return _LIKE.get(known.replace("_", "").lower(), known)


def _listed(ids: Iterable[object]) -> pd.Series:
    return ids.reset_index(drop=True) if isinstance(ids, pd.Series) else pd.Series(list(ids), dtype=object)


def _shown(value: object) -> str:
    return f"{type(value).__name__} {str(value)[:80]!r}"
