"""aws-popularity-count: the items that the most users have met.

Popularity is Amazon's: unique users, not events. The list is the same for everyone, so a block of queries costs
one sort; only a filter makes rows differ. The recipe gives no scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.recipes.base import Model, Queries, Ranked
from personalize_nb.local.recipes.compiled import compiled, inlined, over_ranges
from personalize_nb.local.recipes.eligible import Eligible, eligible, following_items, leading_items, mark_exceptions
from personalize_nb.local.recipes.history import History


class PopularityCount(Model):
    """Ranks the catalogue by the number of unique users."""

    kind = "popularity-count"

    @classmethod
    def train(
        cls,
        history: History,
        data: TrainingData,
        hyperparameters: dict[str, Any],
        seed: int,
        progress: Callable[[int, int], None],
    ) -> PopularityCount:
        order = np.argsort(-history.users_per_item, kind="stable")
        return cls(history.item_ids, history.user_ids, {"order": order, "users_per_item": history.users_per_item}, {})

    def rank(self, queries: Queries) -> Ranked:
        lines = len(queries.users or queries.items or [])
        return self.lists(popular(self.arrays["order"], lines, queries.num_results, queries.allowed))


def popular(order: np.ndarray, lines: int, num_results: int, allowed: Allowed | None) -> np.ndarray:
    """Return the first `num_results` allowed items of `order` for each line, padded with -1."""
    k = min(num_results, len(order))
    if allowed is None:
        return np.broadcast_to(order[:k], (lines, k)).copy()
    found = np.full((lines, k), -1, np.int64)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    choice = eligible(allowed, order, k)

    def work(first: int, last: int) -> None:
        _popular_rows(order, place, choice, first, last, found)

    over_ranges(work, lines, 1024)
    return found


@compiled
def _popular_rows(
    order: np.ndarray, place: np.ndarray, choice: Eligible, first: int, last: int, found: np.ndarray
) -> None:
    """Merge each row's mask, in the order, with what the row has beyond its mask; leave out what it lacks."""
    exceptions = np.zeros(len(order), np.bool_)
    for row in range(first, last):
        mask = choice.masks[choice.mask_of[row]]
        mark_exceptions(choice, row, exceptions, True)
        extra = _extra_places(choice, row, mask, place)
        ranked = found[row]
        size, used = _merge(leading_items(choice, row), mask, exceptions, order, place, extra, 0, ranked, 0)
        rest = following_items(choice, row, order)
        size, used = _merge(rest, mask, exceptions, order, place, extra, used, ranked, size)
        while used < len(extra) and size < len(ranked):
            ranked[size] = order[extra[used]]
            used += 1
            size += 1
        mark_exceptions(choice, row, exceptions, False)


@inlined
def _extra_places(choice: Eligible, row: int, mask: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return the places in the order of what a row has beyond its mask, rising."""
    begin, end = choice.ptr[row], choice.ptr[row + 1]
    idx = choice.idx
    extra = np.empty(end - begin, np.int64)
    n_extra = 0
    for p in range(begin, end):
        item = idx[p]
        if not mask[item]:
            extra[n_extra] = place[item]
            n_extra += 1
    return np.sort(extra[:n_extra])


@inlined
def _merge(
    items: np.ndarray,
    mask: np.ndarray,
    exceptions: np.ndarray,
    order: np.ndarray,
    place: np.ndarray,
    extra: np.ndarray,
    used: int,
    ranked: np.ndarray,
    size: int,
) -> tuple[int, int]:
    """Add what a row allows of some items, and before each the extra ones that come earlier in the order."""
    k = len(ranked)
    for item in items:
        if size == k:
            break
        if exceptions[item] or not mask[item]:
            continue
        while used < len(extra) and extra[used] < place[item] and size < k:
            ranked[size] = order[extra[used]]
            used += 1
            size += 1
        if size < k:
            ranked[size] = item
            size += 1
    return size, used
