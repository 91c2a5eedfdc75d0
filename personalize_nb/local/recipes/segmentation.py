"""aws-item-affinity and aws-item-attribute-affinity: which users will most likely interact with these items.

The learnt probabilities of User-Personalization, read by column: a user's affinity to a set of items is the
probability that his next step goes to one of them, times the number of his steps so far; that is how many such
interactions to expect of him. On MovieLens the product finds twice as many of the right users as the probability
alone. Who met an item already comes back to it as often as people of this dataset do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from scipy import sparse

from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.recipes.base import Queries, Ranked
from personalize_nb.local.recipes.history import History
from personalize_nb.local.recipes.personalization import Sequential

# users whose scores are expanded at once
_BLOCK = 4096


@dataclass(frozen=True)
class _Part:
    """Some users: positions, states, probabilities of items they met, and their share of all probability."""

    users: np.ndarray
    states: sparse.csr_matrix
    seen: sparse.csr_matrix
    again: np.ndarray


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
    ) -> Self:
        model = super().train(history, data, hyperparameters, seed, progress)
        model.arrays["log_mass"] = np.concatenate([model._log_mass(part) for part in model._parts()])
        model.arrays["steps"] = np.diff(history.sequences.starts).astype(np.float64)
        return model

    def rank(self, queries: Queries) -> Ranked:
        """Return users for each item of the queries; an item nobody knows gets no users."""
        codes = self.item_codes(queries.items or [])
        known = np.flatnonzero(codes >= 0)
        wanted = sparse.csr_matrix((np.ones(len(known)), (known, codes[known])), shape=(len(codes), len(self.item_ids)))
        allowed = None if queries.allowed is None else queries.allowed.cells()
        return self.segment(wanted, queries.num_results, allowed)

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
        matrix, prior = self._matrix()[:, columns], self.arrays["prior"][columns]
        result = np.empty((wanted.shape[0], len(self.user_ids)))
        for part in self._parts():
            log_mass = np.asarray(self.arrays["log_mass"])[part.users]
            untouched = np.exp(-log_mass)
            logits = (part.states @ matrix).tocsr()
            mass = np.repeat(log_mass, np.diff(logits.indptr))
            # what the logits add to items that would otherwise have their prior alone
            logits.data = prior[logits.indices] * (np.exp(logits.data - mass) - np.exp(-mass))
            seen = part.seen[:, columns].tocsr()
            place = seen.astype(bool).astype(np.float64)
            expected = logits - logits.multiply(place) + seen
            expected -= sparse.diags_array(untouched) @ place @ sparse.diags_array(prior)
            scores = (chosen @ expected.T).toarray() + np.outer(chosen @ prior, untouched)
            result[:, part.users] = scores * np.asarray(self.arrays["steps"])[part.users]
        return result

    def _parts(self) -> Iterator[_Part]:
        """Yield the users block by block: states, and the probability of each item they met already."""
        n_items = len(self.item_ids)
        for start in range(0, len(self.user_ids), _BLOCK):
            users = np.arange(start, min(start + _BLOCK, len(self.user_ids)))
            found = self.states(self._histories.of_users(users))
            shape = (len(users), n_items)
            states = sparse.csr_matrix((found.val.astype(np.float64), found.idx, found.ptr), shape=shape)
            seen = sparse.csr_matrix((found.seen_val, found.seen_idx, found.seen_ptr), shape=shape)
            totals = np.maximum(np.asarray(seen.sum(axis=1)).ravel(), 1e-300)
            yield _Part(users, states, sparse.csr_matrix(sparse.diags_array(found.again / totals) @ seen), found.again)

    def _matrix(self) -> sparse.csr_matrix:
        shape = (len(self.item_ids), len(self.item_ids))
        return sparse.csr_matrix((self.arrays["val"], self.arrays["idx"], self.arrays["ptr"]), shape=shape)

    def _log_mass(self, part: _Part) -> np.ndarray:
        """Return the logarithm of each user's softmax normaliser over the items that are new to him."""
        prior = self.arrays["prior"]
        logits = (part.states @ self._matrix()).tocsr()
        rows = np.repeat(np.arange(len(part.users)), np.diff(logits.indptr))
        highest = np.zeros(len(part.users))
        np.maximum.at(highest, rows, logits.data)
        logits.data = prior[logits.indices] * (np.exp(logits.data - highest[rows]) - np.exp(-highest[rows]))
        place = part.seen.astype(bool).astype(np.float64)
        new = logits - logits.multiply(place)
        mass = (prior.sum() - place @ prior) * np.exp(-highest) + np.asarray(new.sum(axis=1)).ravel()
        log_mass: np.ndarray = highest + np.log(np.maximum(mass, 1e-300)) - np.log(1.0 - part.again)
        return log_mass


def _best(scores: np.ndarray, wanted: int) -> np.ndarray:
    """Return the positions of the highest scores, highest first; of equals the first user leads."""
    if wanted < len(scores) // 4:
        edge = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
        found = np.flatnonzero(scores >= edge)
        return found[np.argsort(-scores[found], kind="stable")[:wanted]]
    return np.argsort(-scores, kind="stable")[:wanted]
