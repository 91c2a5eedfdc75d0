"""The peers: implicit's ALS, BM25 and cosine neighbours, EASE, and popularity, each with its best of a grid.

All but ALS are item-item matrices, and may weigh a user's items by recency: the grid decides. EASE is Steck's closed
form in five lines of NumPy.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from benchmarks.quality.lists import figures_of
from personalize_nb.local.recipes.history import Sequences
from personalize_nb.local.tasks import hold_out

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # implicit looks for a GPU and says so
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender

Peer = Callable[..., np.ndarray]
Scores = Callable[[Sequences], np.ndarray]
ALS, BM25, COSINE, EASE, POPULARITY = "implicit ALS", "implicit BM25", "item-kNN cosine", "EASE", "popularity"
# None is a memory without end: all items of a user count the same.
_MEMORIES = (None, 10.0, 20.0)
_GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    ALS: {"factors": (32, 64, 128), "regularization": (0.05, 5.0, 20.0), "alpha": (1.0, 5.0, 20.0)},
    BM25: {"k": (50, 200, 1000), "k1": (0.6, 1.2, 3.0), "b": (0.2, 0.7), "memory": _MEMORIES},
    COSINE: {"k": (50, 200, 1000), "memory": _MEMORIES},
    EASE: {"penalty": (30.0, 100.0, 300.0, 1000.0), "memory": _MEMORIES},
    POPULARITY: {},
}


@dataclass(frozen=True)
class Tuned:
    """The parameters chosen for each peer."""

    chosen: dict[str, dict[str, Any]]

    def fitted(self, training: Sequences, items_only: bool = False) -> dict[str, Peer]:
        """Train every peer; `items_only` leaves out those that have no answer to a single item."""
        names = [name for name in self.chosen if not (items_only and name == ALS)]
        return {name: _ranking(_fit(name, training, **self.chosen[name])) for name in names}


def tune(training: Sequences, seed: int) -> Tuned:
    """Choose by NDCG@25 on a tenth of these users, trained on the others."""
    order = np.random.default_rng(seed).permutation(training.n_users)
    testing, others = np.split(order, [len(order) // 10])
    known = training.of_users(np.sort(others))
    given, truth = hold_out.split_newest(training.of_users(np.sort(testing)), 0.1)
    chosen: dict[str, dict[str, Any]] = {}
    for name, grid in _GRIDS.items():
        best = -1.0
        for values in _product(grid):
            found = figures_of(_ranking(_fit(name, known, **values))(given, 25), truth, (25,))["NDCG@25"]
            if found > best:
                best, chosen[name] = found, values
    return Tuned(chosen)


def _product(grid: dict[str, tuple[Any, ...]]) -> Iterable[dict[str, Any]]:
    return (dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values()))


def _fit(name: str, training: Sequences, memory: float | None = None, **values: Any) -> Scores:
    counts = _states(training, None)
    if name == POPULARITY:
        popularity = np.asarray(counts.sum(axis=0), float).ravel()
        return lambda given: np.tile(popularity, (given.n_users, 1))
    if name == ALS:
        model = AlternatingLeastSquares(iterations=15, random_state=1, num_threads=1, **values)
        with threadpool_limits(1, "blas"):
            model.fit(counts, show_progress=False)

        def scores(given: Sequences) -> np.ndarray:
            with threadpool_limits(1, "blas"):
                factors = model.recalculate_user(np.arange(given.n_users), _states(given, None))
            return factors @ model.item_factors.T

        return scores
    if name == EASE:
        matrix = _ease(counts, values["penalty"])
    else:
        kind = CosineRecommender(K=values["k"]) if name == COSINE else None
        model = kind or BM25Recommender(K=values["k"], K1=values["k1"], B=values["b"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a conversion that it makes itself
            model.fit(counts.astype(np.float64), show_progress=False)
        matrix = model.similarity.T.tocsr()
    return lambda given: _dense(_states(given, memory) @ matrix)


def summed(matrix: sparse.csr_matrix, memory: float) -> Peer:
    """Rank by the sum of the rows of the items given, weighted by their age."""
    return _ranking(lambda given: _dense(_states(given, memory) @ matrix))


def _ease(counts: sparse.csr_matrix, penalty: float) -> np.ndarray:
    """X'X + lambda is inverted through the users, who are fewer: Woodbury's identity."""
    x = counts.toarray().astype(np.float32)
    half = np.linalg.solve(x @ x.T + penalty * np.eye(len(x), dtype=np.float32), x)
    precision = -(x.T @ half)
    precision[np.diag_indices_from(precision)] += 1.0
    weights = precision / -np.diag(precision)
    np.fill_diagonal(weights, 0.0)
    return weights


def _states(given: Sequences, memory: float | None) -> sparse.csr_matrix:
    """Users' items, the newest occurrence of each, weighted by its age."""
    lengths = np.diff(given.starts)
    age = np.repeat(given.starts[1:], lengths) - 1 - np.arange(len(given.items))
    weights = np.ones(len(age)) if memory is None else np.exp(-age / memory)
    dense = np.zeros((given.n_users, given.n_items), np.float32)
    np.maximum.at(dense, (given.owner, given.items), weights.astype(np.float32))
    return sparse.csr_matrix(dense)


def _ranking(scores: Scores) -> Peer:
    def rank(given: Sequences, k: int, seen: Sequences | None = None) -> np.ndarray:
        values = np.array(scores(given), np.float64)
        seen = given if seen is None else seen
        values[seen.owner, seen.items] = -np.inf
        best = np.argpartition(-values, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(values, best, axis=1), axis=1, kind="stable")
        return np.take_along_axis(best, order, axis=1)

    return rank


def _dense(matrix: Any) -> np.ndarray:
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)
