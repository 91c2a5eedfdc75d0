"""aws-item-affinity and aws-item-attribute-affinity: which users will most likely interact with these items. Local.

The learnt probabilities of User-Personalization, read by column: a user's affinity to a set of items is the
probability that his next step goes to one of them, times the number of his steps so far; that is how many such
interactions to expect of him. On MovieLens both factors together find a third more of the right users than
either alone. Users who met an item already count like all others: filters remove them where that is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from ..tables import TrainingData
from .base import Queries, Ranked
from .history import History
from .personalization import Sequential

# users whose scores are expanded at once
_BLOCK = 4096


class UserSegments(Sequential):
    """Ranks the users of the training for items, or for sets of items."""

    kind = "user-segments"

    @classmethod
    def train(
        cls,
        history: History,
        data: TrainingData,
        hyperparameters: dict[str, Any],
        seed: int,
        progress: Callable[[int, int], None],
    ) -> UserSegments:
        model = super().train(history, data, hyperparameters, seed, progress)
        states, matrix = model._states(), model._matrix()
        prior = model.arrays["prior"]
        mass = [model._log_mass(states[start : start + _BLOCK], matrix, prior) for start in _starts(states.shape[0])]
        model.arrays["log_mass"] = np.concatenate(mass)
        model.arrays["steps"] = np.diff(history.sequences.starts).astype(np.float64)
        return model

    def rank(self, queries: Queries) -> Ranked:
        """Return users for each item of the queries; an item nobody knows gets no users."""
        codes = self.item_codes(queries.items or [])
        known = np.flatnonzero(codes >= 0)
        wanted = sparse.csr_matrix((np.ones(len(known)), (known, codes[known])), shape=(len(codes), len(self.item_ids)))
        return self.segment(wanted, queries.num_results, queries.allowed)

    def segment(self, wanted: sparse.csr_matrix, num_results: int, allowed: np.ndarray | None = None) -> Ranked:
        """Return the users with the highest affinity to sets of items.

        Parameters
        ----------
        wanted
            [queries, items], not zero where an item belongs to the query's set.
        num_results
            Users wanted for each query.
        allowed
            `bool [queries, users]` in the order of `user_ids`; None allows all.
        """
        affinity = self.affinity(wanted)
        lists = []
        for row, scores in enumerate(affinity):
            candidates = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed[row])
            lists.append(candidates[_best(scores[candidates], num_results)] if wanted[row].nnz else candidates[:0])
        offsets = np.concatenate(([0], np.cumsum([len(users) for users in lists])))
        users = np.concatenate([np.empty(0, np.int64), *lists]).astype(np.int64)
        return Ranked(
            pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), self.user_ids.take(pa.array(users))), None
        )

    def affinity(self, wanted: sparse.csr_matrix) -> np.ndarray:
        """Return [queries, users]: how many interactions with each set of items to expect of each user."""
        columns = np.unique(wanted.indices)
        chosen = wanted[:, columns].astype(bool).astype(np.float64)
        states, matrix = self._states(), self._matrix()[:, columns]
        prior, log_mass = self.arrays["prior"][columns], np.asarray(self.arrays["log_mass"])
        floor = np.exp(-log_mass)[None, :] * (chosen @ prior)[:, None]
        for start in _starts(states.shape[0]):
            logits = (states[start : start + _BLOCK] @ matrix).tocsr()
            mass = np.repeat(log_mass[start : start + _BLOCK], np.diff(logits.indptr))
            # what these logits add to items that share the floor
            logits.data = prior[logits.indices] * (np.exp(logits.data - mass) - np.exp(-mass))
            floor[:, start : start + _BLOCK] += (chosen @ logits.T).toarray()
        return floor * self.arrays["steps"][None, :]

    def _states(self) -> sparse.csr_matrix:
        states = self.states(self._histories)
        shape = (len(self.user_ids), len(self.item_ids))
        return sparse.csr_matrix((states.val.astype(np.float64), states.idx, states.ptr), shape=shape)

    def _matrix(self) -> sparse.csr_matrix:
        shape = (len(self.item_ids), len(self.item_ids))
        return sparse.csr_matrix((self.arrays["val"], self.arrays["idx"], self.arrays["ptr"]), shape=shape)

    @staticmethod
    def _log_mass(states: sparse.csr_matrix, matrix: sparse.csr_matrix, prior: np.ndarray) -> np.ndarray:
        """Return the logarithm of each user's softmax normaliser over the catalogue."""
        logits = (states @ matrix).tocsr()
        rows = np.repeat(np.arange(states.shape[0]), np.diff(logits.indptr))
        highest = np.zeros(states.shape[0])
        np.maximum.at(highest, rows, logits.data)
        lifted = prior[logits.indices] * (np.exp(logits.data - highest[rows]) - np.exp(-highest[rows]))
        mass = prior.sum() * np.exp(-highest) + np.bincount(rows, weights=lifted, minlength=states.shape[0])
        return highest + np.log(np.maximum(mass, 1e-300))


def _starts(users: int) -> range:
    return range(0, users, _BLOCK)


def _best(scores: np.ndarray, wanted: int) -> np.ndarray:
    """Return the positions of the highest scores, highest first; of equals the first user leads."""
    if wanted < len(scores) // 4:
        edge = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
        found = np.flatnonzero(scores >= edge)
        return found[np.argsort(-scores[found], kind="stable")[:wanted]]
    return np.argsort(-scores, kind="stable")[:wanted]
