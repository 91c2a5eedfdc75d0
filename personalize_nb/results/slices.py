"""Parts of the users or of the truth that lists are measured for by themselves: a column's values, or how active."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.results.measures import HEAD, Truth
from personalize_nb.session.progress import choose
from personalize_nb.text.values import shown

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

ACTIVITY, POPULARITY = "activity", "popularity"
MISSING = "(missing)"
_MOST = 100
_BANDS = 4
_FEW_NUMBERS = 10


def sliced(
    by: str, given: pd.DataFrame, truth: Truth, rows: pd.DataFrame, users: Data | None, interactions: Data | None
) -> Iterator[tuple[str, pd.DataFrame, Truth]]:
    """Yield the slices by name, each with its lists and its truth.

    Parameters
    ----------
    by
        A column of the truth, the users or the items, or one of the two words.
    given
        All lists, checked.
    truth
        What they are measured against.
    rows
        The truth as it came, with all its columns.
    users
        Columns of users, or None.
    interactions
        The history as it came, or None.
    """
    told = None if users is None else frames.plain(users, "users", c.USER_ID)
    if by in rows.columns and by not in (c.USER_ID, c.ITEM_ID):
        wanted = rows[[c.USER_ID, c.ITEM_ID, by]].drop_duplicates()
        yield from _of_rows(wanted[[c.USER_ID, c.ITEM_ID]], _named(wanted[by]), given, truth)
    elif told is not None and by in told.columns and by != c.USER_ID:
        labels = _named(told.drop_duplicates(c.USER_ID).set_index(c.USER_ID)[by])
        yield from _of_users(labels, given, truth)
    elif truth.offered is not None and by in truth.offered.columns and by != c.ITEM_ID:
        labels = _named(truth.offered.drop_duplicates(c.ITEM_ID).set_index(c.ITEM_ID)[by])
        texts = labels.reindex(truth.wanted[c.ITEM_ID]).fillna(MISSING)
        parts = pd.Series(texts.to_numpy(), truth.wanted.index, dtype="str", name=by).str.split("|").explode()
        yield from _of_rows(truth.wanted.loc[parts.index], parts.str.strip(), given, truth)
    elif by == ACTIVITY and interactions is not None:
        history = frames.plain(interactions, "interactions", c.USER_ID, c.ITEM_ID)
        yield from _of_users(_active(history[c.USER_ID].value_counts(), truth, given), given, truth)
    elif by == POPULARITY and truth.seen is not None:
        times = truth.popularity
        head = times.index[(times.cumsum() - times) < HEAD * times.sum()]
        place = np.where(truth.wanted[c.ITEM_ID].isin(head), "head", "long tail")
        place = np.where(truth.wanted[c.ITEM_ID].isin(times.index), place, "new")
        yield from _of_rows(truth.wanted, pd.Series(place, truth.wanted.index), given, truth)
    else:
        raise _unknown(by, rows, told, truth)


def _active(times: pd.Series, truth: Truth, given: pd.DataFrame) -> pd.Series:
    """Return who is new, and which third of the others by interactions a user is in; equals are in one third."""
    users = pd.Index(truth.users).union(pd.Index(given[c.USER_ID].unique()))
    met = times.reindex(users).fillna(0).astype(int)
    known = met[met > 0]
    low, high = (known.quantile([1 / 3, 2 / 3]) if len(known) else pd.Series([0, 0])).tolist()
    choose().say(f"light users have up to {int(low):,} interactions, medium ones up to {int(high):,}, heavy ones more")
    names = np.select([met == 0, met <= low, met <= high], ["new", "light", "medium"], "heavy")
    return pd.Series(names, users)


def _named(values: pd.Series) -> pd.Series:
    """Return values as names of slices: numbers of many kinds in four bands of as many rows, none as `(missing)`."""
    number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if number and values.nunique() > _FEW_NUMBERS:
        values = pd.qcut(values.astype(float), _BANDS, duplicates="drop")
    texts = values.astype(object).where(values.notna(), MISSING).astype("str")
    return texts.where(texts != "", MISSING).rename(str(values.name))


def _of_users(labels: pd.Series, given: pd.DataFrame, truth: Truth) -> Iterator[tuple[str, pd.DataFrame, Truth]]:
    wanted = labels.reindex(truth.wanted[c.USER_ID]).fillna(MISSING).to_numpy()
    own = labels.reindex(given[c.USER_ID]).fillna(MISSING).to_numpy()
    for name in _few(pd.unique(wanted).tolist(), labels):
        yield name, given[own == name], replace(truth, wanted=truth.wanted[wanted == name])


def _of_rows(
    wanted: pd.DataFrame, labels: pd.Series, given: pd.DataFrame, truth: Truth
) -> Iterator[tuple[str, pd.DataFrame, Truth]]:
    names = labels.to_numpy()
    for name in _few(pd.unique(names).tolist(), labels):
        part = wanted[names == name].drop_duplicates()
        yield name, given[given[c.USER_ID].isin(part[c.USER_ID])], replace(truth, wanted=part)


def _few(names: list[str], labels: pd.Series) -> list[str]:
    """Return names in their order, the missing one last."""
    if len(names) > _MOST:
        raise InputError(
            f"'by' makes {len(names):,} slices, at most {_MOST} are measured; give a column of fewer values: "
            f"{labels.name!r} has {names[:3]} and others"
        )
    order = ("new", "light", "medium", "heavy", "head", "long tail")
    return sorted(names, key=lambda name: (name == MISSING, order.index(name) if name in order else -1, name))


def _unknown(by: object, rows: pd.DataFrame, users: pd.DataFrame | None, truth: Truth) -> InputError:
    given = {"truth": rows, "users": users, "items": truth.offered}
    legal = [
        f"{[name for name in frame.columns if name not in (c.USER_ID, c.ITEM_ID)]} of {noun}"
        for noun, frame in given.items()
        if frame is not None
    ]
    absent = ", ".join(f"{noun}=" for noun, frame in given.items() if frame is None)
    more = f"; {absent} would bring columns of theirs" if absent else ""
    return InputError(
        f"'by' must be a column of the truth, of users= or of items=, or, with interactions=, {ACTIVITY!r} or "
        f"{POPULARITY!r}; got {shown(by)}. There are {', '.join(legal)}{more}"
    )
