"""Whose lists are the worst, and whose the best, against what was right for them."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.contract.ranking_metrics import CUT_OFFS, FOUND
from personalize_nb.errors import InputError
from personalize_nb.results import measures
from personalize_nb.results.evaluation import checked_lists, truth_of
from personalize_nb.text.public import public
from personalize_nb.text.values import shown

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data
    from personalize_nb.results.measures import Truth
    from personalize_nb.results.sources import Lists


@public
def worst_users(
    recommendations: Lists,
    truth: Data,
    *,
    most: int | None = 10,
    metric: str | None = None,
    interactions: Data | None = None,
    cut_offs: Sequence[int] = CUT_OFFS,
    ideal: str = FOUND,
) -> pd.DataFrame:
    """Return the users whose lists are the worst, of equals those with the most right items first.

    Parameters
    ----------
    recommendations, truth, interactions, cut_offs, ideal
        As for `evaluate`.
    most
        How many users; None for all of the truth.
    metric
        What is bad where it is small; by default NDCG at the largest cut-off.

    Returns
    -------
    pandas.DataFrame
        A row for each user: `user_id`, how many items were right for them (`relevant`), how many of these are in the
        list (`found`), how long that is (`length`, 0 where there is none), and the user's metrics.

    Raises
    ------
    InputError
        As for `evaluate`, or the metric is none of its names.

    Examples
    --------
    >>> import pandas as pd
    >>> lists = pd.DataFrame({"user_id": ["u", "v"], "rank": [1, 1], "item_id": ["a", "b"]})
    >>> worst_users(lists, pd.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "a"]}), most=1)["user_id"].tolist()
    ['v']
    """
    return _ordered(recommendations, truth_of(truth, interactions, None, None, cut_offs, ideal), most, metric, True)


@public
def best_users(
    recommendations: Lists,
    truth: Data,
    *,
    most: int | None = 10,
    metric: str | None = None,
    interactions: Data | None = None,
    cut_offs: Sequence[int] = CUT_OFFS,
    ideal: str = FOUND,
) -> pd.DataFrame:
    """Return the users whose lists are the best, of equals those with the most right items first.

    Parameters
    ----------
    recommendations, truth, most, interactions, cut_offs, ideal
        As for `worst_users`.
    metric
        What is good where it is large; by default NDCG at the largest cut-off.

    Returns
    -------
    pandas.DataFrame
        As from `worst_users`.

    Raises
    ------
    InputError
        As from `worst_users`.

    Examples
    --------
    >>> import pandas as pd
    >>> lists = pd.DataFrame({"user_id": ["u", "v"], "rank": [1, 1], "item_id": ["b", "a"]})
    >>> best_users(lists, pd.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "a"]}), most=1)["user_id"].tolist()
    ['v']
    """
    return _ordered(recommendations, truth_of(truth, interactions, None, None, cut_offs, ideal), most, metric, False)


def _ordered(recommendations: Lists, against: Truth, most: int | None, metric: str | None, worst: bool) -> pd.DataFrame:
    """Return a truth's users with their metrics, by one of them."""
    if most is not None and (isinstance(most, bool) or not isinstance(most, numbers.Integral) or most < 1):
        raise InputError(f"'most' must be a whole number from 1, or None for all users, got {shown(most)}")
    lists = checked_lists(recommendations)
    part = measures.taken(measures.coded(lists, against), against)
    measures.together([part], against)  # refuses what cannot be compared
    values = measures.accuracy([part], against)
    chosen = f"normalized_discounted_cumulative_gain_at_{max(against.cut_offs)}" if metric is None else metric
    if chosen not in values:
        raise InputError(f"'metric' must be one of {', '.join(values)}; got {shown(metric)}")
    found = np.zeros(len(against.users), int)
    found[part.present] = part.hits.sum(axis=1)
    length = lists[c.USER_ID].value_counts().reindex(against.users).fillna(0).astype(int).to_numpy()
    frame = pd.DataFrame(
        {c.USER_ID: against.users, "relevant": against.relevant, "found": found, "length": length, **values}
    )
    order = frame.sort_values([chosen, "relevant"], ascending=[worst, False], kind="stable", ignore_index=True)
    return order if most is None else order.head(most)
