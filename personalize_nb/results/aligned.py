"""Several sets of lists over the same owners and members, as numbers, so that they are compared at once.

What owns a list is a user, an item, or what a segment was asked with, with the values of a filter where these make
several lists of one; what a list holds are its members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.text.values import python, shown


class ListKind(NamedTuple):
    """What lists are of, and the columns that say whose a list is and what it holds."""

    name: str
    owner: str
    member: str


THEMES = ListKind("themes", c.ITEM_ID, c.RECOMMENDED_ITEM_ID)
ITEMS = ListKind("lists of items", c.ITEM_ID, c.RECOMMENDED_ITEM_ID)
USERS = ListKind("lists of users", c.USER_ID, c.ITEM_ID)
SEGMENTS = ListKind("segments of users", c.ITEM_ID, c.USER_ID)
ATTRIBUTES = ListKind("segments by attributes", c.ITEM_ATTRIBUTES, c.USER_ID)


@dataclass(frozen=True)
class NumberedLists:
    """One of several sets of lists: a row for each member of a list, by owner and position.

    Parameters
    ----------
    owner, member
        Their places among those of all sets.
    position
        From 1, without gaps; equal ranks have the position of the first of them.
    score
        What the recipe gave, NaN where nothing.
    lengths
        How many members each owner's list has.
    """

    owner: np.ndarray
    member: np.ndarray
    position: np.ndarray
    score: np.ndarray
    lengths: np.ndarray

    @property
    def with_equal_ranks(self) -> int:
        """How many lists have members of equal rank."""
        same = (self.owner[1:] == self.owner[:-1]) & (self.position[1:] == self.position[:-1])
        return len(np.unique(self.owner[1:][same]))


@dataclass(frozen=True)
class Aligned:
    """Sets of lists by their names.

    Parameters
    ----------
    kind
        What they are of.
    owners
        A row for each owner: its id, and filter values where they tell lists apart.
    members
        The ids of all members.
    lists
        The sets.
    themes
        For each set the themes of its owners, where there are any.
    """

    kind: ListKind
    owners: pd.DataFrame
    members: pd.Index
    lists: Mapping[str, NumberedLists]
    themes: Mapping[str, pd.Series]


def kind_of(frame: pd.DataFrame, name: str) -> ListKind:
    """Tell what the lists of a frame are of, by its columns; of users and items the owner stands before the rank."""
    names = frame.columns.tolist()
    if c.THEME in names and c.RECOMMENDED_ITEM_ID in names:
        return THEMES
    if c.RECOMMENDED_ITEM_ID in names:
        return ITEMS
    if c.ITEM_ATTRIBUTES in names and c.USER_ID in names:
        return ATTRIBUTES
    if c.USER_ID in names and c.ITEM_ID in names:
        user, rank, item = (names.index(one) for one in (c.USER_ID, c.RANK, c.ITEM_ID))
        return SEGMENTS if item < rank < user else USERS
    raise InputError(
        f"{name!r} holds no lists: it needs {c.USER_ID!r}, {c.RANK!r} and {c.ITEM_ID!r}, as job.recommendations() of "
        f"a user job has; it has {names}"
    )


def aligned(given: Mapping[str, pd.DataFrame]) -> Aligned:
    """Return frames of lists as numbers over the same owners and members.

    Raises
    ------
    InputError
        They are not of one kind, or a frame has several lists of an owner or a member twice.
    """
    kinds = {name: kind_of(frame, name) for name, frame in given.items()}
    kind = next(iter(kinds.values()))
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{name!r} has {one.name}" for name, one in kinds.items())
        raise InputError(f"Lists of one kind are compared: {told}. Compare each kind by itself.")
    checked = {name: _checked(frame, name, kind) for name, frame in given.items()}
    keys = _keys(checked, kind)
    stacked = pd.concat([frame[keys] for frame in checked.values()], ignore_index=True)
    owner, owners = _coded(stacked)
    member, members = pd.factorize(pd.concat([frame[kind.member] for frame in checked.values()], ignore_index=True))
    lists: dict[str, NumberedLists] = {}
    themes: dict[str, pd.Series] = {}
    start = 0
    for name, frame in checked.items():
        part = slice(start, start := start + len(frame))
        lists[name] = _numbered(frame, name, kind, owner[part], member[part], owners)
        if kind is THEMES:
            texts = frame[c.THEME].set_axis(owner[part])
            themes[name] = texts[~texts.index.duplicated()]
    return Aligned(kind, owners, pd.Index(members), lists, themes)


def _checked(frame: pd.DataFrame, name: str, kind: ListKind) -> pd.DataFrame:
    found = frames.plain(frame, name, kind.owner, c.RANK, kind.member)
    if found.empty:
        raise InputError(f"{name!r} has no lists: it is empty; job.errors() tells of lines that failed")
    ranks = pd.to_numeric(found[c.RANK], errors="coerce").astype("float64")
    wrong = ~np.isfinite(ranks.to_numpy())
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"Ranks of {name!r} must be numbers, got {shown(python(found[c.RANK].iloc[row]))} in row {row}"
        )
    return found.assign(**{c.RANK: ranks})


def _keys(checked: Mapping[str, pd.DataFrame], kind: ListKind) -> list[str]:
    """Return the columns that tell lists apart: the owner, and values of filters where an owner has several lists."""
    more: dict[str, str] = {}
    for name, frame in checked.items():
        names = frame.columns.tolist()
        before = names[: min(names.index(c.RANK), names.index(kind.member))]  # where results have what was asked for
        apart = [str(one) for one in before if one not in (*kind, c.THEME)]
        if apart and any(frame.duplicated([kind.owner, one]).any() for one in (c.RANK, kind.member)):
            more |= {one: name for one in apart if one not in more}
    for column, name in more.items():
        absent = next((other for other, frame in checked.items() if column not in frame.columns), None)
        if absent is not None:
            raise InputError(
                f"{name!r} has several lists of one {kind.owner}, told apart by {column!r}, which {absent!r} has not. "
                f"Compare those of one value: frame[frame[{column!r}] == value]. The models and filters of one run "
                "are compared by pnb.compare(run)."
            )
    return [kind.owner, *more]


def _coded(stacked: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    codes: np.ndarray
    if stacked.shape[1] == 1:
        codes, values = pd.factorize(stacked.iloc[:, 0])
        return codes, pd.DataFrame({stacked.columns[0]: values})
    codes = stacked.groupby(stacked.columns.tolist(), sort=False, dropna=False).ngroup().to_numpy()
    _, first = np.unique(codes, return_index=True)
    return codes, stacked.iloc[first].reset_index(drop=True)


def _numbered(
    frame: pd.DataFrame, name: str, kind: ListKind, owner: np.ndarray, member: np.ndarray, owners: pd.DataFrame
) -> NumberedLists:
    rank = frame[c.RANK].to_numpy()
    order: np.ndarray = np.lexsort((rank, owner))
    owner, member, rank = owner[order], member[order], rank[order]
    pair = np.sort(owner * (int(member.max()) + 1) + member)
    twice = pair[1:][pair[1:] == pair[:-1]]
    if len(twice):
        code, item = divmod(int(twice[0]), int(member.max()) + 1)
        row = frame.iloc[order[int(((owner == code) & (member == item)).argmax())]]
        whose = ", ".join(map(repr, owners.iloc[code].tolist()))
        raise InputError(
            f"{name!r} must have one list for each {' and '.join(owners.columns)}; {whose} has the member twice: "
            f"{row[kind.member]}"
        )
    lengths = np.bincount(owner, minlength=len(owners))
    starts = np.cumsum(lengths) - lengths
    first = np.r_[True, (owner[1:] != owner[:-1]) | (rank[1:] != rank[:-1])]
    position = np.maximum.accumulate(np.where(first, np.arange(len(owner)), 0)) - starts[owner] + 1
    column = next((one for one in (c.SCORE, c.RELEVANCE) if one in frame.columns), None)
    scores = np.full(len(owner), np.nan)
    if column is not None:
        scores = pd.to_numeric(frame[column], errors="coerce").astype("float64").to_numpy()[order]
    return NumberedLists(owner, member, position, scores, lengths)
