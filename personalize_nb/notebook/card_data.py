"""What a card is made of: lists, history and truth by their owners, looked up without a walk through all rows.

An explorer asks for one owner after another of frames that may have millions of rows, so each frame is sorted once and
an owner's rows are a slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.inputs.ids import Findings
from personalize_nb.notebook.named_items import NamedItems, own_names
from personalize_nb.results.aligned import SEGMENTS, kind_of
from personalize_nb.results.sources import Lists, recommendations_of, results_of
from personalize_nb.text.values import one_line
from personalize_nb.training.timestamps import to_epoch_seconds

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

_OF_USERS = "job.recommendations() of a job about users gives such a frame"
_OF_ITEMS = "job.recommendations() of a job about items gives such a frame"
_SEGMENTS = (
    "'recommendations' must be lists of users or of items, got those of a segment job; its users are read in "
    "job.segments(items=...), and pnb.compare shows two such jobs beside each other."
)
_EVENT = "eventtype"


class ByOwner:
    """A frame whose rows are found by their owner.

    Parameters
    ----------
    frame
        The frame.
    owner
        Its column of owners.
    """

    def __init__(self, frame: pd.DataFrame, owner: str):
        codes, names = pd.factorize(frame[owner])
        self.frame = frame
        self.owners = pd.Index(names)
        self._order = np.argsort(codes, kind="stable")
        self._ends = np.searchsorted(codes[self._order], np.arange(len(names) + 1))
        self._codes = codes

    def of(self, owner: str) -> pd.DataFrame:
        """Return an owner's rows in the order of the frame; none where it has none."""
        place = int(self.owners.get_indexer([owner])[0])
        if place < 0:
            return self.frame.iloc[:0]
        return self.frame.iloc[self._order[self._ends[place] : self._ends[place + 1]]]

    def with_any(self, column: str, values: set[str]) -> np.ndarray:
        """Return the places of owners that have one of the values in a column."""
        return np.unique(self._codes[self.frame[column].isin(values).to_numpy()])


@dataclass(frozen=True)
class CardData:
    """Everything that cards show, read once.

    Parameters
    ----------
    lists
        What is listed, by owner.
    member
        The column of what is listed.
    history, truth
        The same of what was done and of what was right, where known.
    items
        Names and categories.
    """

    lists: ByOwner
    member: str
    history: ByOwner | None
    truth: ByOwner | None
    items: NamedItems

    @property
    def of_users(self) -> bool:
        """Whether the lists are users', and not items'."""
        return self.member == c.ITEM_ID

    @cached_property
    def by_user(self) -> ByOwner | None:
        """The history by users, whoever owns the lists; None where it names none."""
        if self.history is None or self.of_users:
            return self.history
        return ByOwner(self.history.frame, c.USER_ID) if c.USER_ID in self.history.frame.columns else None


def read(
    lists: Lists | None,
    history: Data | None = None,
    items: Data | None = None,
    truth: Data | None = None,
    title: str | None = None,
    category: str | None = None,
    *,
    of_users: bool | None = None,
) -> CardData:
    """Read what cards show.

    Parameters
    ----------
    lists
        A job, its results or a frame of recommendations.
    history
        Interactions.
    items
        The catalogue.
    truth
        What was right: columns as the lists have them, without ranks.
    title, category
        See `NamedItems`.
    of_users
        Whether the lists are users' or items'; None where their columns say it.

    Raises
    ------
    InputError
        A frame has not the columns, or ids that are none.
    """
    given = _given(lists) if lists is not None else None
    if of_users is None:
        columns = frames.plain(given, "recommendations", c.RANK, hint=_OF_USERS).columns
        if c.ITEM_ATTRIBUTES in columns:
            raise InputError(_SEGMENTS)
        of_users = c.RECOMMENDED_ITEM_ID not in columns
    owner, member = (c.USER_ID, c.ITEM_ID) if of_users else (c.ITEM_ID, c.RECOMMENDED_ITEM_ID)
    hint = _OF_USERS if of_users else _OF_ITEMS
    plain = frames.plain(given, "recommendations", owner, c.RANK, member, hint=hint)
    if of_users and kind_of(plain, "recommendations") is SEGMENTS:
        raise InputError(_SEGMENTS)
    past = None
    if history is not None:  # items know who chose them where the history says it
        past = frames.plain(history, "interactions", c.ITEM_ID)
        if of_users or c.USER_ID in past.columns:
            past = frames.plain(past, "interactions", c.USER_ID, c.ITEM_ID)
    right = None if truth is None else frames.plain(truth, "truth", owner, member)
    return CardData(
        ByOwner(plain, owner),
        member,
        None if past is None else ByOwner(past, owner),
        None if right is None else ByOwner(right, owner),
        NamedItems(items, title, category).also(own_names(plain, member, title)),
    )


def _given(lists: Lists) -> Data:
    """Return what a job lists, themes with all their items; data as they are."""
    results = results_of(lists)
    if results is None:
        return recommendations_of(lists)
    if results.has_themes:
        return results.themes(threshold=None, minimum_items=0)
    if results.has_segments:
        raise InputError(_SEGMENTS)
    found: Data = results.recommendations()
    return found


def latest_first(history: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return rows of a history with the latest first, and the date of each; without times, in their order.

    Parameters
    ----------
    history
        Times in seconds or finer, datetimes or texts of either; what is no time is shown as it is.
    """
    if frames.TIMESTAMP not in history.columns or history.empty:
        return history, [""] * len(history)
    times = history[frames.TIMESTAMP]
    read = to_epoch_seconds(times, frames.TIMESTAMP, Findings(), required=False)
    if read.null_count == len(read):
        ordered = history.sort_values(frames.TIMESTAMP, ascending=False, kind="stable", key=_comparable)
        return ordered, [one_line(value) for value in ordered[frames.TIMESTAMP]]
    seconds = read.to_numpy(zero_copy_only=False).astype(float)
    order = np.argsort(-np.nan_to_num(seconds, nan=-np.inf), kind="stable")
    return history.iloc[order], [_date(one) for one in seconds[order]]


def events(history: pd.DataFrame) -> Sequence[str]:
    """Return the kind of each event, empty where the history has no column of them or they are all of one kind."""
    column = next((name for name in history.columns if str(name).replace("_", "").lower() == _EVENT), None)
    if column is None or history[column].nunique() < 2:
        return [""] * len(history)
    return [one_line(value) if pd.notna(value) else "" for value in history[column]]


def _date(seconds: float) -> str:
    if seconds != seconds:
        return ""
    return str(np.datetime64(int(seconds), "s").astype("datetime64[D]"))


def _comparable(times: pd.Series) -> pd.Series:
    return times if pd.api.types.is_numeric_dtype(times) else times.astype(str)
