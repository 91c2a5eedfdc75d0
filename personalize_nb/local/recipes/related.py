"""aws-similar-items and aws-sims: items like this one.

Both count who met two items, twice: at all, and soon after one another; the popularity of the answer is discounted.
Similar-Items adds what metadata say, and predicts from them whom an item too new for behaviour will be met with. An
unknown item gets popular items, as on AWS. Neither gives scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from personalize_nb.contract.hyperparameters import SIMS
from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.recipes.base import Model, Queries, Ranked
from personalize_nb.local.recipes.cold import DIMENSIONS, predicted_rows
from personalize_nb.local.recipes.content import item_features, nearest
from personalize_nb.local.recipes.counts import count_near, count_together
from personalize_nb.local.recipes.heap import strongest, unit_maximum
from personalize_nb.local.recipes.history import History, Sequences
from personalize_nb.local.recipes.hyperparameter_map import neighbours, usual_users
from personalize_nb.local.recipes.ranking import rank_rows
from personalize_nb.local.recipes.scoring import ScoredCatalogue, States

# Two items are near when a user met them within WINDOW steps; the nearer the more, by exp(-steps / TAU).
WINDOW, TAU = 100, 30.0
# AWS's popularity discount of 0 to 1 as the power of the answer's popularity that counts are divided by: 0.2 is
# best on held-out data and belongs to SIMS's default of 0.5; Similar-Items starts there.
_POWER, _SIMILAR_POWER = 0.4, 0.2
# Neighbours kept of each item: enough for 500 results and a filter; the rest of a list is popular items.
_KEPT, _LENT = 600, 100
# Pairs counted in all, before the discount and the choice of neighbours.
_COUNTED = 200_000_000
# Between the first and the last neighbour of a row, in log-odds.
_SPREAD = 20.0
# AWS calls an item cold below this many interactions.
COLD = 5
_ALIKE = 40
# Above this many items, likeness by metadata is only looked up for items of which little is known.
_COMPARED = 20_000
# What likeness by metadata (a cosine) weighs beside behaviour (at most 1) for a well known item, and for a new one.
_CONTENT, _CONTENT_OF_NEW = 0.2, 0.3


class Related(Model):
    """A matrix with a row per seed item, ranked as it is; the seed itself never comes back."""

    def __init__(
        self, item_ids: pa.StringArray, user_ids: pa.StringArray, arrays: dict[str, np.ndarray], facts: dict[str, Any]
    ):
        super().__init__(item_ids, user_ids, arrays, facts)
        prior = self.arrays["prior"]
        self._catalogue = ScoredCatalogue(
            self.arrays["ptr"],
            self.arrays["idx"],
            self.arrays["val"],
            prior,
            np.argsort(-prior, kind="stable"),
            float(prior.sum()),
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
            "ptr": similar.indptr.astype(np.int64),
            "idx": similar.indices.astype(np.int32),
            "val": similar.data.astype(np.float32),
            "prior": prior,
        }
        return cls(history.item_ids, history.user_ids, arrays, {})

    def rank(self, queries: Queries) -> Ranked:
        codes = self.item_codes(queries.items or [])
        return self.lists(self.rank_codes(codes, queries.num_results, queries.allowed))

    def rank_codes(self, codes: np.ndarray, num_results: int, allowed: Allowed | None = None) -> np.ndarray:
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
        cls,
        history: History,
        data: TrainingData,
        hyperparameters: dict[str, Any],
        seed: int,
        progress: Callable[[int, int], None],
    ) -> Related:
        sequences = _typical(history.sequences, hyperparameters)
        power = _POWER * hyperparameters["popularity_discount_factor"]
        similar = behaviour(sequences, history.users_per_item, power, hyperparameters["min_cointeraction_count"])
        progress(3, 4)
        return cls.of_matrix(history, similar, history.users_per_item)


class SimilarItems(Related):
    """Behaviour and metadata together; cold items through metadata."""

    kind = "similar-items"

    @classmethod
    def train(
        cls,
        history: History,
        data: TrainingData,
        hyperparameters: dict[str, Any],
        seed: int,
        progress: Callable[[int, int], None],
    ) -> Related:
        count = history.users_per_item
        power = _SIMILAR_POWER + _POWER * hyperparameters["popularity_discount_factor"]
        similar = behaviour(history.sequences, count, power, 0)
        similar = strongest(similar, neighbours(hyperparameters, "item_id_hidden_dim", _KEPT))
        progress(2, 4)
        features = item_features(data, history.item_ids)
        if features is not None:
            dimensions = neighbours(hyperparameters, "item_metadata_hidden_dim", DIMENSIONS)
            similar = with_metadata(similar, features, count, dimensions)
        progress(3, 4)
        return cls.of_matrix(history, similar, count)


def behaviour(sequences: Sequences, count: np.ndarray, power: float, least: float) -> sparse.csr_matrix:
    """Return how alike items are by who met both (at least `least` users) and how soon, discounted by popularity.

    Rows are scaled so that the closest neighbour has 1.
    """
    discount = ((count + 1.0) ** -power).astype(np.float32)
    counted = max(4 * _KEPT, _COUNTED // sequences.n_items)
    together = count_together(sequences, counted)
    near = count_near(sequences, WINDOW, TAU, counted)
    if least > 0:
        together.data[together.data < least] = 0.0
        together.eliminate_zeros()
        near = sparse.csr_matrix(near.multiply(together > 0))
    for counts in (together, near):
        counts.data *= discount[counts.indices]
    total = unit_maximum(strongest(together, _KEPT)) + unit_maximum(strongest(near, _KEPT))
    return unit_maximum(total)


def with_metadata(
    similar: sparse.csr_matrix, features: sparse.csr_matrix, count: np.ndarray, dimensions: int
) -> sparse.csr_matrix:
    """Add likeness by metadata, the more the less is known of the seed; new seeds have the rows they are likely to get.

    `dimensions` is how many factors of behaviour are predicted from metadata.
    """
    trust = (count / (count + COLD)).astype(np.float32)
    unsure = np.flatnonzero((count < 4 * COLD) & (np.diff(features.indptr) > 0))
    predicted = predicted_rows(similar, features, np.flatnonzero(count >= COLD), unsure, dimensions, _LENT)
    everything = np.arange(len(count)) if len(count) <= _COMPARED else unsure
    found, cosines = nearest(features, everything, np.arange(len(count)), _ALIKE)
    rows = np.broadcast_to(everything[:, None], found.shape)
    kept = (found >= 0) & (found != rows)
    likeness = sparse.csr_matrix((cosines[kept], (rows[kept], found[kept])), shape=similar.shape)
    return sparse.csr_matrix(
        sparse.diags_array(trust) @ similar
        + sparse.diags_array(1.0 - trust) @ unit_maximum(predicted)
        + sparse.diags_array(_CONTENT * trust + _CONTENT_OF_NEW * (1.0 - trust)) @ likeness
    )


def _typical(sequences: Sequences, hyperparameters: dict[str, Any]) -> Sequences:
    """Leave out users with unusually short or long histories, by the percentiles of the hyperparameters.

    The percentiles of items (0.01 and 0.9) act only when changed: by the default, Amazon's text would leave out the
    tenth of the catalogue that nearly all interactions are about, which its published results cannot come from.
    """
    count = np.bincount(sequences.items, minlength=sequences.n_items)
    for name, sign in (("min_item_interaction_count_percentile", 1), ("max_item_interaction_count_percentile", -1)):
        if hyperparameters[name] != SIMS[name].default:
            edge = np.quantile(count[count > 0], hyperparameters[name])
            sequences = sequences.where(sign * (count[sequences.items] - edge) >= 0)
    return usual_users(sequences, hyperparameters)
