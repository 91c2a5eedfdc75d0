"""aws-popularity-count: the items that the most users have met. Local service.

Popularity is Amazon's: unique users, not events. The list is the same for everyone, so a block of queries costs
one sort; only a filter makes rows differ. The recipe gives no scores.
"""

from __future__ import annotations

import numpy as np

from .base import Model, Queries, Ranked
from .history import History


class PopularityCount(Model):
    """Ranks the catalogue by the number of unique users."""

    kind = "popularity-count"

    @classmethod
    def train(cls, history: History) -> PopularityCount:
        order = np.argsort(-history.users_per_item, kind="stable")
        return cls(history.item_ids, history.user_ids, {"order": order, "users_per_item": history.users_per_item}, {})

    def rank(self, queries: Queries) -> Ranked:
        lines = len(queries.users or queries.items or [])
        return self.lists(popular(self.arrays["order"], lines, queries.num_results, queries.allowed))


def popular(order: np.ndarray, lines: int, num_results: int, allowed: np.ndarray | None) -> np.ndarray:
    """Return the first `num_results` allowed items of `order` for each line, padded with -1."""
    k = min(num_results, len(order))
    if allowed is None:
        return np.broadcast_to(order[:k], (lines, k)).copy()
    found = np.full((lines, k), -1, np.int64)
    for line in range(lines):
        best = order[allowed[line, order]][:k]
        found[line, : len(best)] = best
    return found
