"""aws-similar-items and aws-sims: items like this one. Local service.

SIMS counts who shares two items, less the popularity of the answer. Similar-Items adds a regression (which items
lead to this one, all else equal) and what metadata say; an item too new for behaviour gets the behaviour that
its metadata predict. An unknown item gets popular items, as on AWS. Neither gives scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from ..tables import TrainingData
from .base import Model, Queries, Ranked
from .compiled import compiled, over_ranges
from .content import item_features, nearest
from .history import History, Sequences
from .hyperparameters import PARAMETERS
from .ridge import count_together, local_ridge
from .scoring import Catalogue, States, rank_rows

# AWS's factor runs from 0 (popular) to 1 (popularity does not matter); counts by chance grow as popularity to the 1.
_EXPONENT = 0.5
# Neighbours kept of each item: enough for 500 results and a filter; the rest of a list is popular items.
_KEPT = 1000
_MOST, _PENALTY = 128, 200.0
# Between the first and the last neighbour of a row, in log-odds.
_SPREAD = 20.0
# AWS calls an item cold below this many interactions.
COLD = 5
_BORROWED_FROM = 30


class Related(Model):
    """A matrix with a row per seed item, ranked as it is; the seed itself never comes back."""

    def __init__(self, item_ids: pa.StringArray, user_ids: pa.StringArray, arrays: dict[str, np.ndarray], facts: dict[str, Any]):
        super().__init__(item_ids, user_ids, arrays, facts)
        prior = np.asarray(arrays["prior"])
        self._catalogue = Catalogue(
            np.asarray(arrays["ptr"]), np.asarray(arrays["idx"]), np.asarray(arrays["val"]), prior,
            np.argsort(-prior, kind="stable"), float(prior.sum()),
        )

    @classmethod
    def of_matrix(cls, history: History, similar: sparse.csr_matrix, count: np.ndarray) -> Related:
        """Keep the strongest neighbours of each row; what is left after them is ordered by popularity.

        Scoring multiplies by the prior. That is taken out of the neighbours beforehand: they come in the order of
        the matrix, all of them before the rest.
        """
        similar = unit_maximum(strongest(similar, _KEPT))
        prior = (count + 0.5) / (count + 0.5).sum()
        similar.data = _SPREAD * similar.data + np.log(prior.max() / prior)[similar.indices]
        arrays = {
            "ptr": similar.indptr.astype(np.int64), "idx": similar.indices.astype(np.int32),
            "val": similar.data.astype(np.float32), "prior": prior,
        }
        return cls(history.item_ids, history.user_ids, arrays, {})

    def rank(self, queries: Queries) -> Ranked:
        codes = self.item_codes(queries.items or [])
        return self.lists(self.rank_codes(codes, queries.num_results, queries.allowed))

    def rank_codes(self, codes: np.ndarray, num_results: int, allowed: np.ndarray | None = None) -> np.ndarray:
        """Rank for item positions (-1 is an unknown item); return positions, padded with -1."""
        known = codes >= 0
        ptr = np.concatenate(([0], np.cumsum(known))).astype(np.int64)
        seeds = codes[known].astype(np.int32)
        ones = np.ones(len(seeds))
        states = States(ptr, seeds, ones.astype(np.float32), ptr, seeds, ones, np.zeros(len(codes)))
        return rank_rows(self._catalogue, states, num_results, allowed)[0]


class Sims(Related):
    """Co-occurrence alone; items with too few shared users fall back to popular ones."""

    kind = "sims"

    @classmethod
    def train(
        cls, history: History, data: TrainingData, hyperparameters: dict[str, Any], seed: int,
        progress: Callable[[int, int], None],
    ) -> Related:
        sequences = _typical(history.sequences, hyperparameters)
        together = count_together(sequences).tocsr()
        progress(2, 4)
        together.data[together.data < hyperparameters["min_cointeraction_count"]] = 0.0
        similar = discounted(together, history.users_per_item, hyperparameters["popularity_discount_factor"])
        return cls.of_matrix(history, similar, history.users_per_item)


class SimilarItems(Related):
    """Behaviour and metadata together; cold items through metadata."""

    kind = "similar-items"

    @classmethod
    def train(
        cls, history: History, data: TrainingData, hyperparameters: dict[str, Any], seed: int,
        progress: Callable[[int, int], None],
    ) -> Related:
        sequences, count = history.sequences, history.users_per_item
        together = count_together(sequences)
        regression = local_ridge(together, together, count, _MOST, _PENALTY)
        progress(2, 4)
        factor = hyperparameters["popularity_discount_factor"]
        company = strongest(discounted(together, count, 0.5), _KEPT // 2)
        similar = sparse.csr_matrix(unit_maximum(company) + unit_maximum(regression))
        features = item_features(data, history.item_ids)
        if features is not None:
            similar = with_metadata(similar, features, count)
        progress(3, 4)
        if factor > 0:
            similar = sparse.csr_matrix(similar @ sparse.diags_array((count + 1.0) ** (-_EXPONENT * factor)))
        return cls.of_matrix(history, similar, count)


def discounted(together: sparse.csr_matrix, count: np.ndarray, factor: float) -> sparse.csr_matrix:
    """Divide co-occurrence counts by the answer's popularity to a power; the diagonal is dropped."""
    result = sparse.csr_matrix(together @ sparse.diags_array((count + 1.0) ** (-_EXPONENT * factor)))
    result.setdiag(0.0)
    result.eliminate_zeros()
    return result


def unit_maximum(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale each row so that its largest entry is 1."""
    highest = matrix.max(axis=1).toarray().ravel()
    scale = np.divide(1.0, highest, out=np.zeros(len(highest)), where=highest > 0)
    return sparse.csr_matrix(sparse.diags_array(scale) @ matrix)


def with_metadata(similar: sparse.csr_matrix, features: sparse.csr_matrix, count: np.ndarray) -> sparse.csr_matrix:
    """Add likeness by metadata, the more the less is known of the seed; cold seeds borrow their neighbours' rows."""
    everything = np.arange(len(count))
    found, cosines = nearest(features, everything, everything, 2 * _BORROWED_FROM)
    rows = np.broadcast_to(everything[:, None], found.shape)
    kept = (found >= 0) & (found != rows)
    trust = (count / (count + COLD)).astype(np.float32)
    own = sparse.csr_matrix((cosines[kept], (rows[kept], found[kept])), shape=similar.shape)
    borrowed_weights = cosines[kept] ** 2 * trust[found[kept]]
    borrowing = sparse.csr_matrix((borrowed_weights, (rows[kept], found[kept])), shape=similar.shape)
    totals = np.maximum(np.asarray(borrowing.sum(axis=1)).ravel(), 1e-9)
    unsure = np.flatnonzero(count < 4 * COLD)
    chosen = sparse.csr_matrix((np.ones(len(unsure)), (unsure, unsure)), shape=similar.shape)
    borrowed = (chosen @ sparse.diags_array((1.0 - trust) / totals) @ borrowing) @ similar
    mixed = sparse.diags_array(trust) @ similar + borrowed + sparse.diags_array(0.1 + 0.4 * (1.0 - trust)) @ own
    return sparse.csr_matrix(mixed).astype(np.float32)


@compiled
def _strongest_rows(ptr, idx, val, kept, first, last, out_idx, out_val):
    for row in range(first, last):
        begin, end = ptr[row], ptr[row + 1]
        order = np.argsort(-val[begin:end], kind="mergesort")
        size = 0
        for k in order:
            if size == kept or val[begin + k] <= 0.0:
                break
            if idx[begin + k] != row:
                out_idx[row, size] = idx[begin + k]
                out_val[row, size] = val[begin + k]
                size += 1


def strongest(matrix: sparse.csr_matrix, kept: int) -> sparse.csr_matrix:
    """Keep the `kept` largest positive entries of each row (ties by item) and drop the diagonal."""
    matrix = sparse.csr_matrix(matrix, dtype=np.float32)
    matrix.sum_duplicates()
    n_rows = matrix.shape[0]
    kept = min(kept, n_rows)
    found = np.full((n_rows, kept), -1, np.int32)
    values = np.zeros((n_rows, kept), np.float32)
    ptr = matrix.indptr.astype(np.int64)

    def work(first: int, last: int) -> None:
        _strongest_rows(ptr, matrix.indices, matrix.data, kept, first, last, found, values)

    over_ranges(work, n_rows, 512)
    used = found >= 0
    pointers = np.concatenate(([0], np.cumsum(used.sum(axis=1))))
    return sparse.csr_matrix((values[used], found[used], pointers), shape=matrix.shape)


def _typical(sequences: Sequences, hyperparameters: dict[str, Any]) -> Sequences:
    """Leave out users with unusually short or long histories, by the percentiles of the hyperparameters.

    The percentiles of items (0.01 and 0.9) act only when changed: by the default, Amazon's text would leave out the
    tenth of the catalogue that nearly all interactions are about, which its published results cannot come from.
    """
    count = np.bincount(sequences.items, minlength=sequences.n_items)
    for name, sign in (("min_item_interaction_count_percentile", 1), ("max_item_interaction_count_percentile", -1)):
        if hyperparameters[name] != PARAMETERS["aws-sims"][name].default:
            edge = np.quantile(count[count > 0], hyperparameters[name])
            sequences = sequences.where(sign * (count[sequences.items] - edge) >= 0)
    lengths = np.diff(sequences.starts)
    low = np.quantile(lengths, hyperparameters["min_user_history_length_percentile"])
    high = np.quantile(lengths, hyperparameters["max_user_history_length_percentile"])
    return sequences.of_users(np.flatnonzero((lengths >= low) & (lengths <= high)))
