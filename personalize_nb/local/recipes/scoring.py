"""From a sparse item-item matrix to the log-odds of items, one row at a time, in compiled code.

A row's state is a short list of items with weights. Its scores touch only the items those rows of the matrix
reach; every other item shares the popularity prior, so that the work of a row does not grow with the catalogue.

Kernels take named tuples of arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from personalize_nb.local.recipes.compiled import compiled, inlined, over_ranges

BLOCK = 256


class States(NamedTuple):
    """Rows to score: row r holds items `idx[ptr[r]:ptr[r+1]]` with weights `val`, and has met `seen` items.

    `again` is the probability mass that seen items share; 0 and an empty `seen` row mean nothing was met before.
    """

    ptr: np.ndarray
    idx: np.ndarray
    val: np.ndarray
    seen_ptr: np.ndarray
    seen_idx: np.ndarray
    seen_val: np.ndarray
    again: np.ndarray

    @property
    def rows(self) -> int:
        return len(self.ptr) - 1


class ScoredCatalogue(NamedTuple):
    """What all rows share: the matrix (CSR by source), the prior of each item, and items by falling prior."""

    ptr: np.ndarray
    idx: np.ndarray
    val: np.ndarray
    prior: np.ndarray
    by_prior: np.ndarray
    prior_mass: float

    def read_only(self) -> ScoredCatalogue:
        """Return views like arrays from the disk: a kernel would be compiled anew for ones that can be written to."""
        ptr, idx, val, prior, by_prior = map(_read_only, (self.ptr, self.idx, self.val, self.prior, self.by_prior))
        return ScoredCatalogue(ptr, idx, val, prior, by_prior, self.prior_mass)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


@inlined
def logits(catalogue: ScoredCatalogue, states: States, row: int, scores: np.ndarray, touched: np.ndarray) -> int:
    """Add the state's rows of the matrix into `scores`; return how many items they touch."""
    ptr, idx, val = catalogue.ptr, catalogue.idx, catalogue.val
    sources, weights = states.idx, states.val
    n_touched = 0
    for p in range(states.ptr[row], states.ptr[row + 1]):
        weight = weights[p]
        source = sources[p]
        for q in range(ptr[source], ptr[source + 1]):
            item = idx[q]
            if np.isnan(scores[item]):
                scores[item] = 0.0
                touched[n_touched] = item
                n_touched += 1
            scores[item] += weight * val[q]
    return n_touched


@compiled
def _score_pairs(
    catalogue: ScoredCatalogue,
    states: States,
    q_ptr: np.ndarray,
    q_idx: np.ndarray,
    first: int,
    last: int,
    out: np.ndarray,
) -> None:
    prior = catalogue.prior
    scores = np.full(len(prior), np.nan, np.float32)
    touched = np.empty(len(prior), np.int32)
    for row in range(first, last):
        n_touched = logits(catalogue, states, row, scores, touched)
        for q in range(q_ptr[row], q_ptr[row + 1]):
            item = q_idx[q]
            if item < 0:
                out[q] = -np.inf
            else:
                logit = 0.0 if np.isnan(scores[item]) else np.float64(scores[item])
                out[q] = logit + np.log(prior[item])
        for t in range(n_touched):
            scores[touched[t]] = np.nan


def score_pairs(catalogue: ScoredCatalogue, states: States, q_ptr: np.ndarray, q_idx: np.ndarray) -> np.ndarray:
    """Return the log-odds of given items: row r asks for `q_idx[q_ptr[r]:q_ptr[r+1]]`; -1 asks for an unknown one.

    That an item was met before does not count against it here: who hands over a list wants it in order of taste.
    """
    out = np.empty(len(q_idx), np.float64)

    catalogue = catalogue.read_only()

    def work(first: int, last: int) -> None:
        _score_pairs(catalogue, states, q_ptr, q_idx, first, last, out)

    over_ranges(work, states.rows, BLOCK)
    return out
