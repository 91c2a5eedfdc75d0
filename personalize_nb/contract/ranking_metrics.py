"""Ranking metrics by Amazon's definitions, on plain arrays; the service and the client measure with the same code.

Gains are binary, the discount of position p is 1 / log2(1 + p). Amazon's worked example of NDCG compares with an
ideal list as long as the hits that were found; the usual definition compares with all that could have been found.
Both are here, Amazon's is the default.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CUT_OFFS = (5, 10, 25)
FOUND, RELEVANT = "found", "relevant"


def ranking_metrics(
    hits: np.ndarray, relevant: np.ndarray, cut_offs: Sequence[int] = CUT_OFFS, ideal: str = FOUND
) -> dict[str, float]:
    """Return the means over all lists, by Amazon's names.

    Parameters
    ----------
    hits, relevant, cut_offs, ideal
        As for `ranking_values`.

    Returns
    -------
    dict
        `normalized_discounted_cumulative_gain_at_K`, `precision_at_K` and `recall_at_K` for each K, and
        `mean_reciprocal_rank_at_K` for the largest. All are 0 when there are no lists.

    Examples
    --------
    >>> hits = np.array([[False, True, False, False, True]])
    >>> round(ranking_metrics(hits, np.array([2]), [5])["normalized_discounted_cumulative_gain_at_5"], 4)
    0.6241
    """
    return {name: _mean(values) for name, values in ranking_values(hits, relevant, cut_offs, ideal).items()}


def ranking_values(
    hits: np.ndarray, relevant: np.ndarray, cut_offs: Sequence[int] = CUT_OFFS, ideal: str = FOUND
) -> dict[str, np.ndarray]:
    """Return the metrics of each list, by the names of their means.

    Parameters
    ----------
    hits
        Shape (lists, positions), true where the item at that position is relevant; short lists are padded with false.
    relevant
        Shape (lists,), how many relevant items there are for each list.
    cut_offs
        Values of K.
    ideal
        `found`: NDCG's ideal list is as long as the hits found, as in Amazon's example; `relevant`: as long as the
        list could have had hits.
    """
    lists, positions = hits.shape
    deepest = max(cut_offs)
    padded = np.zeros((lists, deepest), bool)
    padded[:, : min(positions, deepest)] = hits[:, :deepest]
    discount = 1.0 / np.log2(np.arange(2, deepest + 2))
    best = np.concatenate(([0.0], np.cumsum(discount)))
    result: dict[str, np.ndarray] = {}
    for cut in cut_offs:
        top = padded[:, :cut]
        found = top.sum(axis=1)
        longest = found if ideal == FOUND else np.minimum(relevant, cut)
        result[f"normalized_discounted_cumulative_gain_at_{cut}"] = _ratio(top @ discount[:cut], best[longest])
        result[f"precision_at_{cut}"] = found / cut
        result[f"recall_at_{cut}"] = _ratio(found, relevant)
    first = np.where(padded.any(axis=1), 1.0 / (np.argmax(padded, axis=1) + 1.0), 0.0)
    result[f"mean_reciprocal_rank_at_{deepest}"] = first
    return result


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return ratio


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
