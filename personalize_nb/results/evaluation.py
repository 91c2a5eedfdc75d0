"""How good lists are, measured on frames: accuracy by Amazon's names, coverage, popularity and diversity.

The accuracy is that of GetSolutionMetrics, computed by the same code, for the lists that a job really gave and for
a truth of the user's own: a later week, a hold-out, clicks on a mailing.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.contract.ranking_metrics import CUT_OFFS, FOUND, RELEVANT, ranking_metrics
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.session.progress import choose
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data


@public
def evaluate(
    recommendations: Data,
    truth: Data,
    *,
    interactions: Data | None = None,
    items: Data | None = None,
    category: str | None = None,
    cut_offs: Sequence[int] = CUT_OFFS,
    ideal: str = FOUND,
) -> pd.Series:
    """Measure recommendations against what users really chose.

    Parameters
    ----------
    recommendations
        Columns `user_id`, `rank`, `item_id`, as `job.recommendations()` gives them.
    truth
        Columns `user_id`, `item_id`: one row per item that was right for a user. Every user of the truth counts;
        one without recommendations counts as a list without hits.
    interactions
        History; adds `popularity_at_K`, the mean number of interactions of the recommended items.
    items
        Catalogue; with `interactions`, or alone, adds `coverage`: the share of all items that somebody is recommended.
    category
        A column of `items` with categories separated by `|`; adds `diversity_at_K`, one minus the mean cosine
        similarity of the categories of two items of a list.
    cut_offs
        Values of K.
    ideal
        `found` (Amazon's NDCG) or `relevant` (the usual one).

    Returns
    -------
    pandas.Series
        Metrics by name, `users` last: how many users of the truth were counted.

    Raises
    ------
    InputError
        A column is missing, the truth is empty, or an option is not legal.

    Examples
    --------
    >>> import pandas as pd
    >>> lists = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> evaluate(lists, pd.DataFrame({"user_id": ["u"], "item_id": ["b"]}), cut_offs=[5])["mean_reciprocal_rank_at_5"]
    np.float64(0.5)
    """
    against = truth_of(truth, interactions, items, category, cut_offs, ideal)
    return together([measured(recommendations, against)], against)


@dataclass(frozen=True)
class Truth:
    """What lists are measured against, checked.

    Parameters
    ----------
    wanted
        The truth: a row for each item that was right for a user, each once.
    seen, offered
        History and catalogue, or None.
    category, cut_offs, ideal
        As for `evaluate`.
    """

    wanted: pd.DataFrame
    seen: pd.DataFrame | None
    offered: pd.DataFrame | None
    category: str | None
    cut_offs: Sequence[int]
    ideal: str

    @cached_property
    def users(self) -> pd.Index:
        """The users of the truth."""
        users: pd.Index = pd.Index(self.wanted[c.USER_ID].unique())
        return users


@dataclass(frozen=True)
class MeasuredLists:
    """What some lists tell; of lists in parts all are taken `together`.

    Parameters
    ----------
    present
        The users of the truth that have a list, by their places.
    hits
        For each of them, which of the first positions are right.
    longest
        How long the longest list is, up to the largest cut-off.
    items
        What anybody is recommended.
    popularity, diversity
        Sum and number of what a mean is of, by cut-off.
    example
        A user that has a list; empty where nobody has.
    """

    present: np.ndarray
    hits: np.ndarray
    longest: int
    items: frozenset[str]
    popularity: Mapping[int, tuple[float, int]]
    diversity: Mapping[int, tuple[float, int]]
    example: str


def truth_of(
    truth: Data,
    interactions: Data | None,
    items: Data | None,
    category: str | None,
    cut_offs: Sequence[int],
    ideal: str,
) -> Truth:
    """Return what lists are measured against; parameters as for `evaluate`."""
    chosen = frames.plain(truth, "truth", c.USER_ID, c.ITEM_ID)
    seen = None if interactions is None else frames.plain(interactions, "interactions", c.ITEM_ID)
    offered = None if items is None else frames.plain(items, "items", c.ITEM_ID)
    _checked(chosen, offered, category, cut_offs, ideal)
    wanted = chosen[[c.USER_ID, c.ITEM_ID]].drop_duplicates()
    return Truth(wanted, seen, offered, category, cut_offs, ideal)


def measured(recommendations: Data, truth: Truth) -> MeasuredLists:
    """Return what lists tell, of all users or of some."""
    given = _lists(
        frames.plain(
            recommendations, "recommendations", c.USER_ID, c.RANK, c.ITEM_ID, hint="job.recommendations() of a user job"
        )
    )
    deepest = max(truth.cut_offs)
    lists = given[given[c.RANK] <= deepest]
    places = truth.users.get_indexer(pd.Index(given[c.USER_ID].unique()))
    present = np.sort(places[places >= 0])
    right = lists.merge(truth.wanted, on=[c.USER_ID, c.ITEM_ID])
    hits = np.zeros((len(present), deepest), bool)
    rows = np.searchsorted(present, truth.users.get_indexer(pd.Index(right[c.USER_ID])))
    hits[rows, right[c.RANK].to_numpy() - 1] = True
    popularity, diversity = {}, {}
    for cut in truth.cut_offs:
        top = lists[lists[c.RANK] <= cut]
        if truth.seen is not None:
            times = top[c.ITEM_ID].map(truth.seen[c.ITEM_ID].value_counts()).fillna(0)
            popularity[cut] = float(times.sum()), len(times)
        if truth.category is not None and truth.offered is not None:
            diversity[cut] = _diversity(top, truth.offered, truth.category)
    longest = int(lists[c.RANK].max()) if len(lists) else 0
    example = given[c.USER_ID].iloc[0] if len(given) else ""
    return MeasuredLists(present, hits, longest, frozenset(lists[c.ITEM_ID].unique()), popularity, diversity, example)


def together(parts: Sequence[MeasuredLists], truth: Truth) -> pd.Series:
    """Return the metrics of lists that were measured in parts, of which no two are of one user."""
    users, wanted, deepest = truth.users, truth.wanted, max(truth.cut_offs)
    present = np.concatenate([np.zeros(0, np.int64), *(one.present for one in parts)]).astype(np.int64)
    _meet(present, users, next((one.example for one in parts if one.example), ""))
    hits = np.zeros((len(users), deepest), bool)
    for one in parts:
        hits[one.present] = one.hits
    longest = max((one.longest for one in parts), default=0)
    if longest < deepest:
        choose().say(f"no list is longer than {longest}: figures at {deepest} are those of shorter lists")
    relevant = wanted[c.USER_ID].value_counts().reindex(users).to_numpy()
    found = ranking_metrics(hits, relevant, truth.cut_offs, truth.ideal)

    catalogue = {
        item for frame in (truth.seen, truth.offered) if frame is not None for item in frame[c.ITEM_ID].unique()
    }
    if catalogue:
        if not wanted[c.ITEM_ID].isin(catalogue).any():
            raise InputError(
                f"No item of 'truth' is among the items or interactions: its items are like "
                f"{wanted[c.ITEM_ID].iloc[0]!r}, theirs like {next(iter(sorted(catalogue)))!r}"
            )
        shown = {item for one in parts for item in one.items}
        found["coverage"] = len(catalogue & shown) / len(catalogue)
    for cut in truth.cut_offs:
        if truth.seen is not None:
            found[f"popularity_at_{cut}"] = _mean_of([one.popularity[cut] for one in parts])
        if truth.category is not None and truth.offered is not None:
            found[f"diversity_at_{cut}"] = 1 - _mean_of([one.diversity[cut] for one in parts])
    return pd.Series({**found, "users": len(users)}, name="value")


def _mean_of(sums: Sequence[tuple[float, int]]) -> float:
    number = sum(count for _, count in sums)
    return sum(amount for amount, _ in sums) / number if number else float("nan")


def _lists(recommendations: pd.DataFrame) -> pd.DataFrame:
    """Check that ranks count from 1 and that each user has one list; return the frame with whole ranks."""
    given = recommendations[c.RANK]
    ranks = pd.to_numeric(given, errors="coerce").astype("float64")
    wrong = ~((ranks >= 1) & (ranks % 1 == 0)).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"Ranks of 'recommendations' must be whole numbers from 1, got {given.iloc[row]} in row {row}; add "
            "1 to ranks that count from 0"
        )
    found = recommendations.assign(**{c.RANK: ranks.astype("int64")})
    for column, what in ((c.RANK, "two items of rank"), (c.ITEM_ID, "the item twice:")):
        twice = found.duplicated([c.USER_ID, column]).to_numpy()
        if twice.any():
            double = found.iloc[int(twice.argmax())]
            raise InputError(
                f"'recommendations' must have one list for a user; {double[c.USER_ID]!r} has {what} {double[column]}. "
                "Where lists differ by a filter's values, measure the rows of each value: [pnb.evaluate(lists, truth) "
                "for _, lists in recommendations.groupby('GENRE')]"
            )
    return found


def _meet(present: np.ndarray, users: pd.Index, example: str) -> None:
    """Refuse lists and truth that speak of other users, and lists of one user in several parts.

    How many users of the truth have no list is said.
    """
    if not len(present) and example:
        raise InputError(
            f"No user of 'truth' has a list: its users are like {users[0]!r}, those of 'recommendations' like "
            f"{example!r}"
        )
    times = np.bincount(present, minlength=len(users))
    if (times > 1).any():
        raise InputError(
            f"'recommendations' must have one list for a user; {users[int(times.argmax())]!r} has rows in "
            f"{times.max()} partitions. Where models or filters stand side by side, measure each by itself: "
            "pnb.distributed.evaluate(lists[lists['filter'] == 'name'], truth)."
        )
    absent = int((times == 0).sum())
    if absent:
        choose().say(f"{absent:,} of {len(users):,} users of the truth have no list; they count as without a hit")


def _diversity(lists: pd.DataFrame, items: pd.DataFrame, category: str) -> tuple[float, int]:
    """Return the sum over lists of the mean cosine of two items, by the norm of the sum of a list's unit vectors.

    The number beside it says of how many lists.
    """
    indicators = items.drop_duplicates(c.ITEM_ID).set_index(c.ITEM_ID)[category].fillna("").str.get_dummies("|")
    flags = indicators.to_numpy(float)
    vectors = flags / np.maximum(np.linalg.norm(flags, axis=1, keepdims=True), 1e-12)
    places = indicators.index.get_indexer(pd.Index(lists[c.ITEM_ID]))
    known = lists[places >= 0].assign(place=places[places >= 0])
    owner, owners = pd.factorize(known[c.USER_ID])
    sums = np.zeros((len(owners), vectors.shape[1]))
    np.add.at(sums, owner, vectors[known["place"]])
    own = np.zeros(len(owners))
    np.add.at(own, owner, (vectors[known["place"]] ** 2).sum(axis=1))
    lengths = np.bincount(owner, minlength=len(owners))
    pairs = lengths * (lengths - 1)
    alike = ((sums**2).sum(axis=1) - own)[pairs > 0] / pairs[pairs > 0]
    return float(alike.sum()), len(alike)


def _checked(
    truth: pd.DataFrame,
    items: pd.DataFrame | None,
    category: str | None,
    cut_offs: Sequence[int],
    ideal: str,
) -> None:
    if truth.empty:
        raise InputError("'truth' is empty: give one row per item that was right for a user")
    listed = isinstance(cut_offs, Iterable) and not isinstance(cut_offs, str) and len(list(cut_offs)) > 0
    if not listed or any(not isinstance(cut, numbers.Integral) or cut < 1 for cut in cut_offs):
        raise InputError(f"'cut_offs' must be a list of whole numbers from 1, got {cut_offs!r}")
    if ideal not in (FOUND, RELEVANT):
        raise InputError(f"'ideal' must be {FOUND!r} or {RELEVANT!r}, got {ideal!r}")
    if category is not None and (items is None or category not in items.columns):
        legal = "no items frame was given" if items is None else f"items has {list(items.columns)}"
        raise InputError(f"'category' must be a column of items, got {category!r}; {legal}")
