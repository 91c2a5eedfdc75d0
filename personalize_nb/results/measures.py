"""What lists tell of themselves and beside a truth, measured in parts that are taken together.

Accuracy has a value for each user of the truth. Popularity, novelty and the like have one for each list: an amount and
a number, whose sums make the mean. Coverage, Gini index and personalization are of all lists at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.contract.ranking_metrics import ranking_values
from personalize_nb.errors import InputError
from personalize_nb.session.progress import choose

HEAD = 0.8  # of all interactions are with the items that are no long tail
LESS_IS_BETTER = ("popularity_at_", "gini_at_")
# For each list by its place: amount and number, by metric; the mean is the sum of amounts through that of numbers.
Ratios: TypeAlias = "dict[str, tuple[np.ndarray, np.ndarray]]"


@dataclass(frozen=True)
class Truth:
    """What lists are measured against, checked.

    Parameters
    ----------
    wanted
        The truth: a row for each item that was right for a user, each once; empty where none is known.
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

    @cached_property
    def relevant(self) -> np.ndarray:
        """How many items were right for each user."""
        times: np.ndarray = self.wanted[c.USER_ID].value_counts().reindex(self.users).to_numpy()
        return times

    @cached_property
    def popularity(self) -> pd.Series:
        """The interactions of each item of the history, the most popular first; of equals the lesser id."""
        items = pd.Series(dtype="str") if self.seen is None else self.seen[c.ITEM_ID]
        return items.value_counts().sort_index().sort_values(ascending=False, kind="stable")

    @cached_property
    def catalogue(self) -> pd.Index:
        """All items of history and catalogue."""
        frames = [one[c.ITEM_ID] for one in (self.seen, self.offered) if one is not None]
        items: pd.Index = pd.Index(pd.concat([pd.Series(dtype="str"), *frames]).unique())
        return items

    @cached_property
    def categories(self) -> tuple[pd.Index, np.ndarray]:
        """The items of the catalogue, and for each a vector of length 1 of its categories."""
        assert self.offered is not None and self.category is not None
        texts = self.offered.drop_duplicates(c.ITEM_ID).set_index(c.ITEM_ID)[self.category]
        flags = texts.fillna("").astype("str").str.get_dummies("|")
        vectors = flags.to_numpy(float)
        return flags.index, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


@dataclass(frozen=True)
class MeasuredLists:
    """What some lists tell; of lists in parts all are taken `together`.

    Parameters
    ----------
    present
        The users of the truth that have a list, by their places.
    hits
        For each of them, which of the first positions are right.
    surprising
        For each of them and each cut-off, how many hits are no hits of everybody's.
    longest
        How long the longest list is, up to the largest cut-off.
    lists
        How many lists there are.
    shown, weights
        By cut-off, in how many lists an item is, and the sum of its parts of these lists' unit vectors.
    sums
        Amount and number that a mean over lists is of, by metric.
    example
        A user that has a list; empty where nobody has.
    """

    present: np.ndarray
    hits: np.ndarray
    surprising: np.ndarray
    longest: int
    lists: int
    shown: Mapping[int, pd.Series]
    weights: Mapping[int, pd.Series]
    sums: Mapping[str, tuple[float, float]]
    example: str


@dataclass(frozen=True)
class CodedLists:
    """Lists whose owners and items are numbers, with what each list tells by itself.

    Parameters
    ----------
    rows
        Columns `user_id`, `rank`, `item_id`, checked.
    owners, items
        The different users, those of lists beyond the largest cut-off too, and items.
    owner, item
        For each row the places of its user and item.
    ratios
        What each list tells by itself.
    """

    rows: pd.DataFrame
    owners: pd.Index
    items: pd.Index
    owner: np.ndarray
    item: np.ndarray
    ratios: Ratios


def coded(given: pd.DataFrame, truth: Truth) -> CodedLists:
    """Return checked lists as numbers, up to the largest cut-off."""
    owner, owners = pd.factorize(given[c.USER_ID])
    kept = given[c.RANK].to_numpy() <= max(truth.cut_offs)
    rows, owner = given[kept], owner[kept]
    item, items = pd.factorize(rows[c.ITEM_ID])
    return numbered(rows, pd.Index(owners), pd.Index(items), owner, item, truth)


def numbered(
    rows: pd.DataFrame, owners: pd.Index, items: pd.Index, owner: np.ndarray, item: np.ndarray, truth: Truth
) -> CodedLists:
    """Return lists that are numbers already, with what each tells by itself; parameters as for `CodedLists`."""
    found = CodedLists(rows, owners, items, owner, item, {})
    rank = rows[c.RANK].to_numpy()
    for cut in truth.cut_offs:
        top = rank <= cut
        found.ratios.update(_own_values(found, top, cut, truth))
    return found


def _own_values(lists: CodedLists, top: np.ndarray, cut: int, truth: Truth) -> Ratios:
    """Return what each list tells by itself up to a cut-off."""
    owner, item, size = lists.owner[top], lists.item[top], len(lists.owners)
    number = np.bincount(owner, minlength=size).astype(float)
    found: Ratios = {}
    if truth.seen is not None:
        popularity = truth.popularity
        place = popularity.index.get_indexer(lists.items)
        times = np.where(place >= 0, popularity.to_numpy(float)[place] if len(popularity) else 0.0, 0.0)
        total = max(float(popularity.sum()), 1.0)
        before = popularity.cumsum().to_numpy() - popularity.to_numpy()
        tail = (place < 0) | (place >= int((before < HEAD * total).sum()))
        for name, values in (
            ("popularity", times),
            ("novelty", np.log2(total / np.maximum(times, 1.0))),
            ("long_tail_share", tail.astype(float)),
        ):
            found[f"{name}_at_{cut}"] = np.bincount(owner, values[item], size), number
    if truth.category is not None and truth.offered is not None:
        found[f"diversity_at_{cut}"] = _diversity(lists.items, owner, item, size, truth)
    return found


def _diversity(
    items: pd.Index, owner: np.ndarray, item: np.ndarray, size: int, truth: Truth
) -> tuple[np.ndarray, np.ndarray]:
    """Return one minus the mean cosine of two items of each list, by the norm of the sum of a list's unit vectors."""
    known, vectors = truth.categories
    place = known.get_indexer(items)[item]
    owner, place = owner[place >= 0], place[place >= 0]
    squares = np.zeros(size)
    for column in vectors.T:  # a column at a time: all of them for each row would be many times the lists
        squares += np.bincount(owner, column[place], size) ** 2
    own = np.bincount(owner, (vectors**2).sum(axis=1)[place], size)
    lengths = np.bincount(owner, minlength=size)
    pairs = lengths * (lengths - 1)
    alike = np.divide(squares - own, pairs, out=np.zeros(size), where=pairs > 0)
    return np.where(pairs > 0, np.clip(1 - alike, 0.0, 1.0), 0.0), (pairs > 0).astype(float)


def taken(lists: CodedLists, truth: Truth) -> MeasuredLists:
    """Return what lists tell, as a part of all."""
    rank, deepest = lists.rows[c.RANK].to_numpy(), max(truth.cut_offs)
    places = truth.users.get_indexer(lists.owners)
    present = np.sort(places[places >= 0])
    right = lists.rows.merge(truth.wanted, on=[c.USER_ID, c.ITEM_ID])
    at = np.searchsorted(present, truth.users.get_indexer(pd.Index(right[c.USER_ID])))
    right_rank = right[c.RANK].to_numpy()
    hits = np.zeros((len(present), deepest), bool)
    hits[at, right_rank - 1] = True
    known = truth.popularity.index.get_indexer(pd.Index(right[c.ITEM_ID]))
    surprising = np.zeros((len(present), len(truth.cut_offs)), np.int32)
    shown, weights = {}, {}
    for column, cut in enumerate(truth.cut_offs):
        top = rank <= cut
        owner, item = lists.owner[top], lists.item[top]
        lengths = np.bincount(owner, minlength=len(lists.owners))
        shown[cut] = pd.Series(np.bincount(item, minlength=len(lists.items)), lists.items)
        weights[cut] = pd.Series(np.bincount(item, 1 / np.sqrt(lengths[owner]), len(lists.items)), lists.items)
        fresh = (right_rank <= cut) & ((known < 0) | (known >= cut))
        surprising[:, column] = np.bincount(at[fresh], minlength=len(present))
    sums = {name: (float(amount.sum()), float(number.sum())) for name, (amount, number) in lists.ratios.items()}
    example = str(lists.owners[0]) if len(lists.owners) else ""
    longest = int(rank.max()) if len(rank) else 0
    return MeasuredLists(present, hits, surprising, longest, len(lists.owners), shown, weights, sums, example)


def accuracy(parts: Sequence[MeasuredLists], truth: Truth) -> dict[str, np.ndarray]:
    """Return the accuracy of each user of the truth, by the names of the means."""
    users = truth.users
    hits = np.zeros((len(users), max(truth.cut_offs)), bool)
    surprising = np.zeros((len(users), len(truth.cut_offs)))
    for one in parts:
        hits[one.present], surprising[one.present] = one.hits, one.surprising
    found = ranking_values(hits, truth.relevant, truth.cut_offs, truth.ideal)
    for cut in truth.cut_offs:
        found[f"hit_rate_at_{cut}"] = hits[:, :cut].any(axis=1).astype(float)
    if truth.seen is not None:
        for column, cut in enumerate(truth.cut_offs):
            found[f"serendipity_at_{cut}"] = surprising[:, column] / cut
    return found


def together(parts: Sequence[MeasuredLists], truth: Truth) -> pd.Series:
    """Return the metrics of lists that were measured in parts, of which no two are of one user."""
    users, deepest = truth.users, max(truth.cut_offs)
    present = np.concatenate([np.zeros(0, np.int64), *(one.present for one in parts)]).astype(np.int64)
    _meet(present, users, next((one.example for one in parts if one.example), ""))
    longest = max((one.longest for one in parts), default=0)
    if longest < deepest:
        choose().say(f"no list is longer than {longest}: figures at {deepest} are those of shorter lists")
    check_items(truth)
    return figures(parts, truth)


def check_items(truth: Truth) -> None:
    """Refuse a truth that has no item in common with history and catalogue."""
    if len(truth.catalogue) and not truth.wanted[c.ITEM_ID].isin(truth.catalogue).any():
        raise InputError(
            f"No item of 'truth' is among the items or interactions: its items are like "
            f"{truth.wanted[c.ITEM_ID].iloc[0]!r}, theirs like {min(truth.catalogue)!r}"
        )


def figures(parts: Sequence[MeasuredLists], truth: Truth) -> pd.Series:
    """Return the metrics of lists that are known to fit the truth."""
    exact = {name: float(values.mean()) for name, values in accuracy(parts, truth).items()} if len(truth.users) else {}
    return pd.Series({**exact, **of_all(parts, truth), "users": len(truth.users)}, name="value")


def of_all(parts: Sequence[MeasuredLists], truth: Truth) -> dict[str, float]:
    """Return what needs no truth: how much of the catalogue is shown and how evenly, and what lists tell themselves."""
    found: dict[str, float] = {}
    shown = {cut: _added([one.shown[cut] for one in parts]) for cut in truth.cut_offs}
    if len(truth.catalogue):
        ever = shown[max(truth.cut_offs)]
        found["coverage"] = float(truth.catalogue.isin(ever.index[ever > 0]).mean())
        for cut in truth.cut_offs:
            found[f"gini_at_{cut}"] = gini(shown[cut].reindex(truth.catalogue).fillna(0).to_numpy(float))
    names = list(dict.fromkeys(name for one in parts for name in one.sums))
    kinds = list(dict.fromkeys(_kind(name) for name in names))
    for name in sorted(names, key=lambda one: kinds.index(_kind(one))):  # those of one kind below each other
        amount, number = (sum(one.sums[name][place] for one in parts) for place in (0, 1))
        found[name] = amount / number if number else float("nan")
    lists = sum(one.lists for one in parts)
    for cut in truth.cut_offs:
        square = float((_added([one.weights[cut] for one in parts]) ** 2).sum())
        alike = (square - lists) / (lists * (lists - 1)) if lists > 1 else float("nan")
        found[f"personalization_at_{cut}"] = float(np.round(np.clip(1 - alike, 0, 1), 12))  # 0 for equal lists
    return found


def _kind(metric: str) -> str:
    return metric.rpartition("_at_")[0]


def gini(times: np.ndarray) -> float:
    """Return how unevenly recommendations fall on items: 0 where each has as many, nearly 1 where one has all.

    Examples
    --------
    >>> gini(np.array([1.0, 1.0, 1.0])), gini(np.array([0.0, 0.0, 3.0]))
    (0.0, 0.6666666666666666)
    """
    size, total = len(times), float(times.sum())
    if not size or not total:
        return float("nan")
    return max(0.0, float((2 * np.arange(1, size + 1) - size - 1) @ np.sort(times) / (size * total)))


def _added(counts: Sequence[pd.Series]) -> pd.Series:
    if len(counts) == 1:
        return counts[0]
    added: pd.Series = pd.concat(counts).groupby(level=0).sum() if counts else pd.Series(dtype=float)
    return added


def _meet(present: np.ndarray, users: pd.Index, example: str) -> None:
    """Refuse lists and truth that speak of other users, and lists of one user in several parts.

    How many users of the truth have no list is said.
    """
    if not len(present) and example:
        raise of_others(users, "'recommendations'", example)
    times = np.bincount(present, minlength=len(users))
    if (times > 1).any():
        raise InputError(
            f"'recommendations' must have one list for a user; {users[int(times.argmax())]!r} has rows in "
            f"{times.max()} partitions. Where models or filters stand side by side, measure each by itself: "
            "pnb.distributed.evaluate(lists[lists['filter'] == 'name'], truth)."
        )
    absent = int((times == 0).sum())
    if absent:
        choose().say(absent_users(absent, len(users)))


def absent_users(absent: int, whole: int) -> str:
    """Say how many users of the truth have no list, and how to measure the others alone."""
    return (
        f"{absent:,} of {whole:,} users of the truth have no list; they count as without a hit, and "
        "truth[truth['user_id'].isin(lists['user_id'])] leaves them out"
    )


def of_others(users: pd.Index, noun: str, example: str) -> InputError:
    """Return the error for lists of which none is of a user of the truth."""
    return InputError(
        f"No user of 'truth' has a list: its users are like {users[0]!r}, those of {noun} like {example!r}"
    )
