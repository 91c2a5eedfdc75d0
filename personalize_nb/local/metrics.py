"""GetSolutionMetrics: Amazon's hold-out, measured in earnest on a model trained without the test users. Local service.

Nine users in ten train; of each other user the oldest 90 % of the steps are given and the newest 10 % are the
truth. Where Amazon's text is silent we chose, and say so: a user with one step is not tested; the ideal list of
NDCG is as long as the hits that were found, as in Amazon's worked example; coverage is the share of the catalogue
in the top 25 of all users of the dataset that were asked (at most 2,000).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from ..limits import RECIPES
from . import segment_metrics
from .allowed import Allowed
from .hyperparameters import resolve
from .recipes import Model, train_on
from .recipes.history import History, Sequences, read_history
from .recipes.personalization import Sequential
from .recipes.popularity import popular
from .recipes.related import Related
from .recipes.sequential import split_newest
from .tables import TrainingData

CUT_OFFS = (5, 10, 25)
_MOST_TESTED = 2000


def hold_out(
    recipe_name: str,
    data: TrainingData,
    *,
    hyperparameters: Mapping[str, str] | None = None,
    event_type: str | None = None,
    event_value_threshold: float | None = None,
    events_config: Mapping[str, Any] | None = None,
    objective: Mapping[str, str] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, float]:
    """Return the metrics of a recipe on the data, by Amazon's names, rounded to 4 decimals.

    The parameters are those of `recipes.train`.
    """
    values = resolve(recipe_name, hyperparameters)
    history = read_history(data, event_type, event_value_threshold, events_config)
    if RECIPES[recipe_name].type == "USER_SEGMENTATION":
        return segment_metrics.hold_out(recipe_name, history, data, values, seed)
    testing = np.sort(np.random.default_rng(seed).permutation(history.sequences.n_users)[: _tenth(history)])
    return measure(recipe_name, history, data, values, testing, seed)


def measure(
    recipe_name: str, history: History, data: TrainingData, values: dict[str, Any], testing: np.ndarray, seed: int = 0
) -> dict[str, float]:
    """Train without the users `testing` (positions in `History.user_ids`) and measure on them."""
    sequences = history.sequences
    training = np.setdiff1d(np.arange(sequences.n_users), testing)
    model = train_on(recipe_name, _only(history, training), data, values, seed)
    given, truth = split_newest(sequences.of_users(testing), 0.1)
    asked = np.flatnonzero(np.diff(truth.starts) > 0)
    given, truth = given.of_users(asked), truth.of_users(asked)
    lists = top_lists(model, given, max(CUT_OFFS))
    everyone = sequences.of_users(np.arange(0, sequences.n_users, max(1, sequences.n_users // _MOST_TESTED)))
    covered = np.unique(top_lists(model, everyone, max(CUT_OFFS)))
    result = {"coverage": (covered >= 0).sum() / max(1, len(history.item_ids))}
    result |= scores_of(lists, truth)
    return {name: round(float(value), 4) for name, value in sorted(result.items())}


def top_lists(model: Model, given: Sequences, k: int) -> np.ndarray:
    """Return the best `k` new item positions for each history, padded with -1.

    A ranking recipe orders the whole catalogue; a related-items recipe is asked with the newest item that was
    given. Recipes that do not know the user are told which items were given, so that none is offered again.
    """
    if isinstance(model, Sequential):
        return model.rank_histories(given, k)[0]
    new = ~Allowed.listed(given.owner, given.items, given.n_users, given.n_items)
    if isinstance(model, Related):
        lengths = np.diff(given.starts)
        last = np.where(lengths > 0, given.items[np.maximum(given.starts[1:] - 1, 0)], -1)
        return model.rank_codes(last, k, new)
    return popular(model.arrays["order"], given.n_users, k, new)


def scores_of(lists: np.ndarray, truth: Sequences) -> dict[str, float]:
    """Return precision, NDCG and reciprocal rank of lists of item positions against the true items."""
    hits = np.zeros(lists.shape, bool)
    for row in range(len(lists)):
        hits[row] = np.isin(lists[row], truth.items[truth.starts[row] : truth.starts[row + 1]])
    discount = 1.0 / np.log2(np.arange(2, lists.shape[1] + 2))
    ideal = np.concatenate(([0.0], np.cumsum(discount)))
    result = {}
    for cut in CUT_OFFS:
        top = hits[:, :cut]
        gained = top @ discount[: top.shape[1]]
        best = ideal[top.sum(axis=1)]
        ndcg = np.divide(gained, best, out=np.zeros(len(top)), where=best > 0)
        result[f"normalized_discounted_cumulative_gain_at_{cut}"] = ndcg.mean() if len(ndcg) else 0.0
        result[f"precision_at_{cut}"] = top.sum() / (cut * max(1, len(top)))
    first = np.where(hits.any(axis=1), 1.0 / (np.argmax(hits, axis=1) + 1.0), 0.0)
    result["mean_reciprocal_rank_at_25"] = first.mean() if len(first) else 0.0
    return result


def _tenth(history: History) -> int:
    return max(1, min(_MOST_TESTED, round(history.sequences.n_users * 0.1)))


def _only(history: History, users: np.ndarray) -> History:
    sequences = history.sequences.of_users(users)
    pairs = np.unique(sequences.owner.astype(np.int64) * sequences.n_items + sequences.items)
    return replace(
        history,
        user_ids=history.user_ids.take(pa.array(users)),
        sequences=sequences,
        users_per_item=np.bincount(pairs % sequences.n_items, minlength=sequences.n_items).astype(np.float64),
    )
