"""GetSolutionMetrics: Amazon's hold-out, measured in earnest on a model trained without the test users.

Nine users in ten train; of each other user the oldest 90 % of the steps are given and the newest 10 % are the truth.
Where Amazon's text is silent we chose, and say so: a user with one step is not tested; the ideal list of NDCG is as
long as the hits that were found, as in Amazon's worked example; coverage is the share of the catalogue in the top 25
of all users of the dataset that were asked (at most 2,000); a related-items recipe is asked once for each user, with
the newest item that was given (AWS's printed precisions of SIMS are whole hits of 68 lists, about as many as users
were held back). With eventsConfig, a hit of the weighted NDCG (of the top 25) gains the weight of its event.
average_rewards_at_k takes the top 100: of what a user's hits in them are worth, the share that is among the 25 most
rewarding of them, as a mean over the users with hits.

Segments are measured otherwise: does the future of the users agree with them? The newest 20 % of every user's steps are
held back, as Amazon does. For each item (or each category of the items, for a recipe that reads attributes) that
somebody met in them, the top 1 % of the users by a model of the older steps make the segment: `hits_at_1_percent`
counts its users who did meet it, `recall_at_1_percent` is their share among all who did, both as means; `coverage` is
the share of users who are in any of the segments. At most 2,000 are tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from personalize_nb.contract.ranking_metrics import CUT_OFFS, ranking_metrics
from personalize_nb.contract.recipes import RECIPES, Recipe
from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.recipes.base import Model, Queries
from personalize_nb.local.recipes.families import train_on
from personalize_nb.local.recipes.history import History, Sequences, read_history
from personalize_nb.local.recipes.hyperparameters import resolve
from personalize_nb.local.recipes.personalization import Sequential
from personalize_nb.local.recipes.popularity import popular
from personalize_nb.local.recipes.related import Related
from personalize_nb.local.recipes.segmentation import UserSegments
from personalize_nb.local.recipes.semantic import SemanticSimilarity
from personalize_nb.local.recipes.sequential import split_newest

WEIGHTED = "normalized_discounted_cumulative_gain_with_event_weights_at_k"
REWARDS = "average_rewards_at_k"
_REWARDED_AMONG = 100
_MOST_TESTED = 2000
# of segments: the share of the users in one, the share of the steps held back, how many are asked for at once
_SEGMENT, _HELD_BACK, _BLOCK = 0.01, 0.2, 64


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
    recipe = RECIPES[recipe_name]
    history = read_history(
        data, event_type, event_value_threshold, events_config, objective, optional=not recipe.needs_interactions
    )
    if recipe.segments:
        return _measure_segments(recipe, history, data, values, seed)
    if not history.sequences.n_users:
        return {"coverage": round(_coverage_of_items(train_on(recipe_name, history, data, values, seed)), 4)}
    result = measure(recipe_name, history, data, values, tested_users(history, seed), seed)
    if events_config and events_config.get("eventParametersList"):
        # where all events weigh the same, so do all hits
        result.setdefault(WEIGHTED, result["normalized_discounted_cumulative_gain_at_25"])
    return dict(sorted(result.items()))


def tested_users(history: History, seed: int) -> np.ndarray:
    """Return the positions of the users that are held back: one in ten, at most 2,000."""
    return np.sort(np.random.default_rng(seed).permutation(history.sequences.n_users)[: _tenth(history)])


def measure(
    recipe_name: str,
    history: History,
    data: TrainingData,
    values: dict[str, Any],
    testing: np.ndarray,
    seed: int = 0,
    coverage: bool = True,
) -> dict[str, float]:
    """Train without the users `testing` (positions in `History.user_ids`) and measure on them."""
    sequences = history.sequences
    training = np.setdiff1d(np.arange(sequences.n_users), testing)
    model = train_on(recipe_name, only_users(history, training), data, values, seed)
    given, truth = split_newest(sequences.of_users(testing), 0.1)
    asked = np.flatnonzero(np.diff(truth.starts) > 0)
    given, truth = given.of_users(asked), truth.of_users(asked)
    longest = max(CUT_OFFS)
    lists = top_lists(model, given, longest if history.objective is None else _REWARDED_AMONG)
    result = scores_of(lists[:, :longest], truth)
    if coverage:
        everyone = sequences.of_users(np.arange(0, sequences.n_users, max(1, sequences.n_users // _MOST_TESTED)))
        covered = np.unique(top_lists(model, everyone, longest))
        result["coverage"] = (covered >= 0).sum() / max(1, len(history.item_ids))
    if history.objective is not None:
        result[REWARDS] = average_rewards(lists, truth, history.objective.rewards)
    return {name: round(float(value), 4) for name, value in sorted(result.items())}


def top_lists(model: Model, given: Sequences, k: int) -> np.ndarray:
    """Return the best `k` new item positions for each history, padded with -1.

    A ranking recipe orders the whole catalogue; a related-items recipe is asked with the newest item that was
    given. Recipes that do not know the user are told which items were given, so that none is offered again.
    """
    if isinstance(model, Sequential):
        return model.rank_histories(given, k)[0]
    new = ~Allowed.listed(given.owner, given.items, given.n_users, given.n_items)
    if isinstance(model, (Related, SemanticSimilarity)):
        lengths = np.diff(given.starts)
        last = np.where(lengths > 0, given.items[np.maximum(given.starts[1:] - 1, 0)], -1)
        return model.rank_codes(last, k, new)
    return popular(model.arrays["order"], given.n_users, k, new)


def scores_of(lists: np.ndarray, truth: Sequences) -> dict[str, float]:
    """Return precision, NDCG and reciprocal rank of lists of item positions against the true items."""
    gains = _gains(lists, truth)
    found = ranking_metrics(gains > 0, np.diff(truth.starts), CUT_OFFS)
    # Amazon has no recall
    result = {name: value for name, value in found.items() if not name.startswith("recall")}
    if truth.weights is not None:
        discount = 1.0 / np.log2(np.arange(2, lists.shape[1] + 2))
        best = (-np.sort(-gains, axis=1)) @ discount
        ndcg = np.divide(gains @ discount, best, out=np.zeros(len(gains)), where=best > 0)
        result[WEIGHTED] = ndcg.mean() if len(ndcg) else 0.0
    return result


def average_rewards(lists: np.ndarray, truth: Sequences, rewards: np.ndarray) -> float:
    """Return the mean share of users' rewards that the 25 most rewarding of their recommendations bring."""
    worth = np.where(lists >= 0, rewards[lists], -np.inf)
    gained = np.where(_gains(lists, truth) > 0, worth, 0.0)
    top = np.argsort(-worth, axis=1, kind="stable")[:, : max(CUT_OFFS)]
    totals = gained.sum(axis=1)
    shares = np.take_along_axis(gained, top, axis=1).sum(axis=1)[totals > 0] / totals[totals > 0]
    return float(shares.mean()) if len(shares) else 0.0


def _gains(lists: np.ndarray, truth: Sequences) -> np.ndarray:
    """Return for each place of the lists the weight of the true item there, 0 for an item that is none."""
    if not len(truth.items):
        # where everyone met one item and no other, nothing is left to ask for
        return np.zeros(lists.shape)
    weights = np.ones(len(truth.items)) if truth.weights is None else truth.weights
    shape = (truth.n_users, truth.n_items)
    order = np.lexsort((weights, truth.items, truth.owner))
    pairs = truth.owner[order].astype(np.int64) * truth.n_items + truth.items[order]
    last = np.append(np.diff(pairs) > 0, True)
    # of several events with one item, the weightiest counts
    pairs, weights = pairs[last], weights[order][last]
    known = sparse.csr_matrix((weights, np.divmod(pairs, truth.n_items)), shape=shape)
    rows = np.broadcast_to(np.arange(len(lists))[:, None], lists.shape)
    found = np.asarray(known[rows.ravel(), np.maximum(lists, 0).ravel()]).reshape(lists.shape)
    return np.where(lists >= 0, found, 0.0)


def _measure_segments(
    recipe: Recipe, history: History, data: TrainingData, values: dict[str, Any], seed: int
) -> dict[str, float]:
    """Return how well the segments of older steps agree with the newest, as the module says."""
    given, truth = split_newest(history.sequences, _HELD_BACK)
    model = cast(UserSegments, train_on(recipe.name, replace(history, sequences=given), data, values, seed))
    sets = _categories(data, history.item_ids) if recipe.by_attributes else None
    if sets is None:
        sets = sparse.identity(given.n_items, format="csr")
    met = sparse.csr_matrix(
        (np.ones(len(truth.items)), (truth.items, truth.owner)), shape=(given.n_items, given.n_users)
    )
    wanted = (sets @ met).tocsr()
    tested = np.flatnonzero(np.diff(wanted.indptr))[:_MOST_TESTED]
    size = max(1, int(np.ceil(given.n_users * _SEGMENT)))
    hits, recall, covered = [0.0], [0.0], np.zeros(given.n_users, bool)
    if len(tested):
        hits, recall = [], []
    for start in range(0, len(tested), _BLOCK):
        rows = tested[start : start + _BLOCK]
        segments = model.segment(sets[rows], size).items
        right = wanted[rows].toarray() > 0
        codes = model.user_codes(segments.flatten().to_pylist()).reshape(len(rows), -1)
        covered[codes] = True
        found = np.take_along_axis(right, codes, axis=1).sum(axis=1)
        hits += found.tolist()
        recall += (found / right.sum(axis=1)).tolist()
    result = {"coverage": covered.mean(), "hits_at_1_percent": np.mean(hits), "recall_at_1_percent": np.mean(recall)}
    return {name: round(float(value), 4) for name, value in result.items()}


def _categories(data: TrainingData, item_ids: pa.StringArray) -> sparse.csr_matrix | None:
    """Return [categories, items] over all categorical fields of the items, or None when there are none."""
    schema = data.schemas.get("ITEMS")
    if data.items is None or schema is None or not schema.categorical:
        return None
    places = pc.index_in(data.items["ITEM_ID"].combine_chunks(), item_ids).to_numpy(zero_copy_only=False)
    blocks = []
    for name in schema.categorical:
        lists = pc.split_pattern(pc.fill_null(data.items[name].combine_chunks().cast(pa.string()), ""), "|")
        codes = pc.list_flatten(lists).dictionary_encode()
        rows, columns = codes.indices.to_numpy(), places[pc.list_parent_indices(lists).to_numpy()]
        shape = (len(codes.dictionary), len(item_ids))
        blocks.append(sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape))
    return sparse.vstack(blocks).tocsr()


def _coverage_of_items(model: Model) -> float:
    """Return the share of the catalogue among the top 25 of its items (at most 2,000), for want of users."""
    n_items = len(model.item_ids)
    seeds = model.item_ids.take(pa.array(np.arange(0, n_items, max(1, n_items // _MOST_TESTED))))
    lists = model.rank(Queries(items=seeds.to_pylist(), num_results=max(CUT_OFFS))).items
    return len(lists.flatten().unique()) / max(1, n_items)


def _tenth(history: History) -> int:
    return max(1, min(_MOST_TESTED, round(history.sequences.n_users * 0.1)))


def only_users(history: History, users: np.ndarray) -> History:
    """Return the history of some users, over the same catalogue."""
    sequences = history.sequences.of_users(users)
    return replace(
        history,
        user_ids=history.user_ids.take(pa.array(users)),
        sequences=sequences,
        users_per_item=sequences.users_per_item(),
    )
