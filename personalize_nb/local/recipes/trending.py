"""aws-trending-now: the items whose interactions grow fastest right now.

Two stretches of equal length are compared, the newest one up to the latest interaction and the one before it; the
solution's `trend_discovery_frequency` is the length (the guide's pages give 3 or 2 hours as the default). Of items
that grow alike the more popular one leads, so that without news the popular items are recommended, as on AWS. What
is growing is decided when a version is trained: Amazon looks again by itself. The recipe gives no scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.recipes.history import History
from personalize_nb.local.recipes.popularity import PopularityCount

_SECONDS = {"minutes": 60, "hour": 3600, "hours": 3600, "day": 86_400}


class TrendingNow(PopularityCount):
    """Ranks the catalogue by the growth of interactions."""

    kind = "trending-now"

    @classmethod
    def train(
        cls,
        history: History,
        data: TrainingData,
        hyperparameters: dict[str, Any],
        seed: int,
        progress: Callable[[int, int], None],
    ) -> TrendingNow:
        number, unit = hyperparameters["trend_discovery_frequency"].split()
        steps, n_items = history.sequences, len(history.item_ids)
        age = (history.now - steps.times) // (int(number) * _SECONDS[unit])
        newest, before = (np.bincount(steps.items[age == stretch], minlength=n_items) for stretch in (0, 1))
        order = np.lexsort((-history.users_per_item, before - newest))
        return cls(history.item_ids, history.user_ids, {"order": order, "users_per_item": history.users_per_item}, {})
