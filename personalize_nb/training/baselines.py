"""Lists that need no model, which any model must beat: `pnb.baselines.popular` and others.

They have the columns of `job.recommendations()`, so that they go wherever those go. Nothing is done user by user: how
many items before a place a user has met says which one stands there.
"""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.inputs.forms import given
from personalize_nb.inputs.ids import Findings
from personalize_nb.inputs.key_columns import frame as key_frame
from personalize_nb.session.progress import choose
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public
from personalize_nb.text.values import shown
from personalize_nb.training import timestamps

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data

__all__ = ["own_history", "popular", "random", "recent"]


@public
def popular(interactions: Data, users: Data, num_results: int = 25, *, seen: Data | None = None) -> pd.DataFrame:
    """Recommend to everybody the items with most interactions; of equals the one with the lesser id.

    Parameters
    ----------
    interactions
        Column `item_id`, a row for each interaction that a model learns from.
    users
        Whom to recommend to: ids, or a frame with `user_id`.
    num_results
        How many items a list has at most.
    seen
        What users are not recommended: columns `user_id`, `item_id`, usually the interactions themselves.

    Returns
    -------
    pandas.DataFrame
        Columns `user_id`, `rank`, `item_id`, and `score`, here the number of interactions.

    Raises
    ------
    InputError
        A frame lacks a column, or there is nothing to recommend.

    Examples
    --------
    >>> import pandas as pd
    >>> met = pd.DataFrame({"user_id": ["u", "v", "v"], "item_id": ["a", "a", "b"]})
    >>> popular(met, ["u", "w"], 1, seen=met)[["user_id", "item_id"]].values.tolist()
    [['u', 'b'], ['w', 'a']]
    """
    items = frames.plain(interactions, "interactions", c.ITEM_ID)[c.ITEM_ID]
    return _in_order(_ranked(items.value_counts()), users, num_results, seen)


@public
def recent(interactions: Data, users: Data, num_results: int = 25, *, seen: Data | None = None) -> pd.DataFrame:
    """Recommend to everybody the items whose latest interaction is the newest.

    Parameters
    ----------
    interactions
        Columns `item_id`, `timestamp`.
    users, num_results, seen
        As for `popular`. The score is the time of the latest interaction, in seconds since 1970.

    Returns
    -------
    pandas.DataFrame
        Columns as of `popular`.

    Raises
    ------
    InputError
        A frame lacks a column, a time is missing, or there is nothing to recommend.

    Examples
    --------
    >>> import pandas as pd
    >>> met = pd.DataFrame({"user_id": "u", "item_id": ["a", "b", "a"], "timestamp": [1.7e9, 1.8e9, 1.75e9]})
    >>> recent(met, ["w"])["item_id"].tolist()
    ['b', 'a']
    """
    plain = frames.plain(interactions, "interactions", c.ITEM_ID, frames.TIMESTAMP)
    findings = Findings()
    seconds = timestamps.to_epoch_seconds(plain[frames.TIMESTAMP], frames.TIMESTAMP, findings, required=True)
    findings.raise_errors(len(plain), "interactions")
    times = pd.Series(seconds.to_numpy(zero_copy_only=False), plain[c.ITEM_ID].to_numpy())
    return _in_order(_ranked(times.groupby(level=0).max()), users, num_results, seen)


@public
def random(
    interactions: Data, users: Data, num_results: int = 25, *, seen: Data | None = None, seed: int = 0
) -> pd.DataFrame:
    """Recommend to each user items by chance, each as likely as any other: the floor of every metric.

    Parameters
    ----------
    interactions
        Column `item_id`: the items to choose from; a catalogue does as well.
    users, num_results, seen
        As for `popular`. There is no score.
    seed
        What chance begins with: the same frames and seed give the same lists.

    Returns
    -------
    pandas.DataFrame
        Columns `user_id`, `rank`, `item_id`.

    Raises
    ------
    InputError
        A frame lacks a column, or there is nothing to recommend.

    Examples
    --------
    >>> import pandas as pd
    >>> met = pd.DataFrame({"user_id": "u", "item_id": ["a", "b", "c"]})
    >>> sorted(random(met, ["w"], 3)["item_id"])
    ['a', 'b', 'c']
    """
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise InputError(f"'seed' must be a whole number from 0, got {shown(seed)}")
    items = np.sort(frames.plain(interactions, "interactions", c.ITEM_ID)[c.ITEM_ID].unique().astype(object))
    scores = pd.Series(np.nan, pd.Index(items))
    owners = _owners(users, num_results, scores)
    gaps = _Gaps(owners, scores.index, seen)
    gaps.tell_full()
    left = len(items) - gaps.met
    places = _by_chance(np.random.default_rng(int(seed)), left, min(int(num_results), len(items)))
    return _lists(owners, scores, gaps.places(places), places >= 0)


@public
def own_history(interactions: Data, users: Data, num_results: int = 25) -> pd.DataFrame:
    """Recommend to each user what they met most often: what repeats, as music and groceries do.

    A user without interactions has no list.

    Parameters
    ----------
    interactions
        Columns `user_id`, `item_id`, and for the order of equals `timestamp`, where there is one.
    users, num_results
        As for `popular`. The score is the number of the user's interactions with the item.

    Returns
    -------
    pandas.DataFrame
        Columns as of `popular`.

    Raises
    ------
    InputError
        A frame lacks a column.

    Examples
    --------
    >>> import pandas as pd
    >>> met = pd.DataFrame({"user_id": "u", "item_id": ["a", "b", "b"]})
    >>> own_history(met, ["u", "w"])["item_id"].tolist()
    ['b', 'a']
    """
    read = given(interactions, "'interactions' must be a DataFrame")
    plain = frames.plain(read, "interactions", c.USER_ID, c.ITEM_ID)
    owners = _owners(users, num_results, plain[c.ITEM_ID])
    own = plain[[c.USER_ID, c.ITEM_ID]].assign(place=owners.get_indexer(pd.Index(plain[c.USER_ID])), time=0)
    if frames.TIMESTAMP in plain.columns:
        findings = Findings()
        seconds = timestamps.to_epoch_seconds(plain[frames.TIMESTAMP], frames.TIMESTAMP, findings, required=True)
        findings.raise_errors(len(plain), "interactions")
        own["time"] = seconds.to_numpy(zero_copy_only=False)
    grouped = own[own["place"] >= 0].groupby(["place", c.ITEM_ID])["time"].agg(["size", "max"]).reset_index()
    ordered = grouped.sort_values(["place", "size", "max", c.ITEM_ID], ascending=[True, False, False, True])
    rank = ordered.groupby("place").cumcount() + 1
    kept = ordered[rank <= num_results]
    return pd.DataFrame(
        {
            c.USER_ID: owners[kept["place"]],
            c.RANK: rank[rank <= num_results].to_numpy(),
            c.ITEM_ID: kept[c.ITEM_ID].to_numpy(),
            c.SCORE: kept["size"].to_numpy(float),
        }
    ).astype({c.USER_ID: "str", c.ITEM_ID: "str"})


def _ranked(scores: pd.Series) -> pd.Series:
    """Return scores by item, the greatest first, of equals the lesser id."""
    return scores.sort_index().sort_values(ascending=False, kind="stable").astype(float)


def _owners(users: Data, num_results: int, scores: pd.Series) -> pd.Index:
    """Return whom to recommend to, each once."""
    if isinstance(num_results, bool) or not isinstance(num_results, numbers.Integral) or num_results < 1:
        raise InputError(f"'num_results' must be a whole number from 1, got {shown(num_results)}")
    if scores.empty:
        raise InputError("'interactions' is empty, so there is nothing to recommend; give what a model learns from")
    owners = pd.Index(frames.plain(key_frame(users, c.USER_ID), "users", c.USER_ID)[c.USER_ID].unique())
    if owners.empty:
        raise InputError("'users' is empty: give the ids to recommend to")
    return owners


def _in_order(scores: pd.Series, users: Data, num_results: int, seen: Data | None) -> pd.DataFrame:
    """Return the first items of one order for everybody, without what a user has met."""
    owners = _owners(users, num_results, scores)
    gaps = _Gaps(owners, scores.index, seen)
    most = min(int(num_results), len(scores))
    wanted = np.broadcast_to(np.arange(most), (len(owners), most))
    gaps.tell_full()
    return _lists(owners, scores, gaps.places(wanted), wanted < (len(scores) - gaps.met)[:, None])


class _Gaps:
    """What users have met, as gaps in an order of all items."""

    def __init__(self, owners: pd.Index, items: pd.Index, seen: Data | None):
        self._size = len(items) + 1
        pairs = np.zeros(0, np.int64)
        if seen is not None:
            met = frames.plain(seen, "seen", c.USER_ID, c.ITEM_ID)
            owner = owners.get_indexer(pd.Index(met[c.USER_ID]))
            place = items.get_indexer(pd.Index(met[c.ITEM_ID]))
            known = (owner >= 0) & (place >= 0)
            pairs = np.unique(owner[known] * np.int64(self._size) + place[known])
        owner, place = np.divmod(pairs, self._size)
        self.met = np.bincount(owner, minlength=len(owners))
        self._starts = np.cumsum(self.met) - self.met
        # how many items that are not met stand before each one that is
        self._before = owner * self._size + place - (np.arange(len(pairs)) - self._starts[owner])

    def tell_full(self) -> None:
        """Say how many users have met everything."""
        full = int((self.met >= self._size - 1).sum())
        if full:
            has = verb(full, "has", "have")
            choose().say(f"{counted(full, 'user')} {has} met all {self._size - 1:,} items, and so {has} no list")

    def places(self, wanted: np.ndarray) -> np.ndarray:
        """Return where in the order of all items the n-th stands of those that a user has not met.

        Parameters
        ----------
        wanted
            Shape (users, results), from 0.
        """
        asked = np.arange(len(wanted))[:, None] * np.int64(self._size) + wanted
        skipped = np.searchsorted(self._before, asked.ravel(), side="right").reshape(wanted.shape)
        found: np.ndarray = wanted + skipped - self._starts[:, None]
        return found


def _by_chance(generator: np.random.Generator, sizes: np.ndarray, most: int) -> np.ndarray:
    """Return for each size different numbers below it in any order, -1 where there are no more."""
    found = np.full((len(sizes), most), -1)
    few = sizes < 2 * most
    if few.any():  # all of them in an order by chance
        keys = generator.random((int(few.sum()), 2 * most))
        keys[np.arange(2 * most) >= sizes[few][:, None]] = 2.0
        order = np.argsort(keys, axis=1)[:, :most]
        found[few] = np.where(np.arange(most) < sizes[few][:, None], order, -1)
    rest = np.flatnonzero(~few)
    found[rest] = generator.integers(0, sizes[rest][:, None], (len(rest), most))
    while len(rest):  # what came twice in a list is drawn again, which ends as at least half of the numbers are free
        order = np.argsort(found[rest], axis=1, kind="stable")
        ordered = np.take_along_axis(found[rest], order, axis=1)
        twice = np.zeros(ordered.shape, bool)
        np.put_along_axis(twice, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
        again = twice.any(axis=1)
        rest, twice = rest[again], twice[again]
        row, column = np.nonzero(twice)
        found[rest[row], column] = generator.integers(0, sizes[rest[row]])
    return found


def _lists(owners: pd.Index, scores: pd.Series, places: np.ndarray, filled: np.ndarray) -> pd.DataFrame:
    owner, rank = np.nonzero(filled)
    place = places[filled]
    return pd.DataFrame(
        {
            c.USER_ID: owners[owner].astype("str"),
            c.RANK: rank + 1,
            c.ITEM_ID: scores.index[place].astype("str"),
            c.SCORE: scores.to_numpy()[place],
        }
    )
