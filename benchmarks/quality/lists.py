"""What lists of item positions are worth against a truth, by the product's own metric functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from personalize_nb.contract.ranking_metrics import RELEVANT, ranking_metrics
from personalize_nb.local.recipes.history import Sequences


def figures_of(lists: np.ndarray, truth: Sequences, cuts: Sequence[int]) -> dict[str, float]:
    """Return Amazon's NDCG, the usual one, reciprocal rank and precision, as means over the users."""
    wanted = np.zeros((truth.n_users, truth.n_items), bool)
    wanted[truth.owner, truth.items] = True
    hits = np.take_along_axis(wanted, np.maximum(lists, 0), axis=1) & (lists >= 0)
    relevant = wanted.sum(axis=1)
    ours, usual = ranking_metrics(hits, relevant, cuts), ranking_metrics(hits, relevant, cuts, RELEVANT)
    ndcg = "normalized_discounted_cumulative_gain_at_{}"
    found = {}
    for cut in cuts:
        found[f"NDCG@{cut}"] = ours[ndcg.format(cut)]
        if (relevant > 1).any():
            found[f"NDCG@{cut}, usual"] = usual[ndcg.format(cut)]
    found[f"MRR@{max(cuts)}"] = ours[f"mean_reciprocal_rank_at_{max(cuts)}"]
    found[f"P@{max(cuts)}"] = ours[f"precision_at_{max(cuts)}"]
    return found
