"""How sharp probabilities should be: the temperature at which what people did next is likeliest.

Nearly all items of a catalogue have no score for a user and share the prior, so the softmax over all of them is a sum
over the few that have one, and a rest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import sparse

from personalize_nb.local.recipes.history import Sequences
from personalize_nb.local.recipes.scoring import States

TEMPERATURES = np.geomspace(0.05, 50.0, 30)
_NOTHING_NEW = 1.0


class _Cells(NamedTuple):
    """Items of users, sorted by both: whose, which, and one number of both."""

    rows: np.ndarray
    items: np.ndarray
    keys: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, items: np.ndarray, n_items: int) -> _Cells:
        keys = rows.astype(np.int64) * n_items + items
        order = np.argsort(keys, kind="stable")
        return cls(rows[order], items[order], keys[order])

    def find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where each key would be, and whether it is there."""
        places = np.minimum(np.searchsorted(self.keys, keys), max(0, len(self.keys) - 1))
        return places, self.keys[places] == keys if len(self.keys) else np.zeros(len(keys), bool)


def sharpest(
    matrix: sparse.csr_matrix, states: States, truth: Sequences, prior_at: Callable[[float], np.ndarray]
) -> tuple[np.ndarray, float]:
    """Return how likely each user's new items of `truth` are at the best temperature, as logarithms, and that one.

    Parameters
    ----------
    matrix
        A row per source item.
    states
        What the users did before; among the items that they have met nobody is asked.
    truth
        What they did next.
    prior_at
        The prior of each item at a temperature, summing to 1.
    """
    n_users, n_items = states.rows, matrix.shape[1]
    scores = sparse.csr_matrix((states.val, states.idx, states.ptr), shape=(n_users, n_items)) @ matrix
    scores.sort_indices()
    everyone = np.arange(n_users)
    scored = _Cells.of(np.repeat(everyone, np.diff(scores.indptr)), scores.indices, n_items)
    met = _Cells.of(np.repeat(everyone, np.diff(states.seen_ptr)), states.seen_idx, n_items)
    asked = truth.owner.astype(np.int64) * n_items + truth.items
    new = ~met.find(asked)[1]
    rows, items, asked = truth.owner[new], truth.items[new], asked[new]
    if not len(rows):
        return np.zeros(n_users), _NOTHING_NEW
    per_user = 1.0 / np.bincount(rows, minlength=n_users)[rows]
    values = scores.data.astype(np.float64)
    places, known = scored.find(asked)
    of_asked = np.where(known, values[places], 0.0) if len(values) else np.zeros(len(asked))
    candidates = ~met.find(scored.keys)[1]
    among, which, values = scored.rows[candidates], scored.items[candidates], values[candidates]
    only_met = ~scored.find(met.keys)[1]
    highest = np.zeros(n_users)
    np.maximum.at(highest, among, values)

    @cache
    def likelihoods(place: int) -> np.ndarray:
        temperature = TEMPERATURES[place]
        prior, top = prior_at(temperature), highest / temperature
        left = 1.0 - np.bincount(scored.rows, prior[scored.items], n_users)
        left = left - np.bincount(met.rows[only_met], prior[met.items[only_met]], n_users)
        scored_mass = np.bincount(among, prior[which] * np.exp(values / temperature - top[among]), n_users)
        mass = np.maximum(left, 0.0) * np.exp(-top) + scored_mass
        log_mass = np.log(np.maximum(mass, 1e-300)) + top
        each = per_user * (of_asked / temperature + np.log(prior[items]) - log_mass[rows])
        return np.bincount(rows, each, n_users)

    # It rises to one peak and falls: thirds of the range are given up until the peak is left.
    low, high = 0, len(TEMPERATURES) - 1
    while low < high:
        third = (high - low) // 3
        if likelihoods(low + third).sum() < likelihoods(high - third).sum():
            low += third + 1
        else:
            high -= max(1, third)
    return likelihoods(low), float(TEMPERATURES[low])
