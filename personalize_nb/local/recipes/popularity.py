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
from personalize_nb.local.recipes.compiled import compiled, over_ranges
from personalize_nb.local.recipes.history import History
from personalize_nb.local.recipes.scoring import first_allowed


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
    listed, n_listed, ends = first_allowed(allowed, order, k)

    def work(first: int, last: int) -> None:
        _popular_rows(
            order,
            place,
            allowed.masks,
            allowed.mask_of,
            allowed.ptr,
            allowed.idx,
            listed,
            n_listed,
            ends,
            first,
            last,
            k,
            found,
        )

    over_ranges(work, lines, 1024)
    return found


@compiled
def _popular_rows(order, place, masks, mask_of, other_ptr, other_idx, listed, n_listed, ends, first, last, k, found):
    """Merge each row's mask, in the order, with what the row has beyond its mask; leave out what it lacks."""
    n_items = len(order)
    other = np.zeros(n_items, np.bool_)
    for row in range(first, last):
        group = mask_of[row]
        begin, end = other_ptr[row], other_ptr[row + 1]
        extra = np.empty(end - begin, np.int64)
        n_extra = 0
        for p in range(begin, end):
            item = other_idx[p]
            other[item] = True
            if not masks[group, item]:
                extra[n_extra] = place[item]
                n_extra += 1
        extra = np.sort(extra[:n_extra])
        used = 0
        size = 0
        for p in range(n_listed[group] + n_items - ends[group]):
            if size == k:
                break
            item = listed[group, p] if p < n_listed[group] else order[ends[group] + p - n_listed[group]]
            if other[item] or not masks[group, item]:
                continue
            while used < n_extra and extra[used] < place[item] and size < k:
                found[row, size] = order[extra[used]]
                used += 1
                size += 1
            if size < k:
                found[row, size] = item
                size += 1
        while used < n_extra and size < k:
            found[row, size] = order[extra[used]]
            used += 1
            size += 1
        for p in range(begin, end):
            other[other_idx[p]] = False
