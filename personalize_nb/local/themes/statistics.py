"""The three statistics behind a theme: log-odds against the catalogue, a latent semantic space, and its quantiles.

Everything is rounded before it is compared, so that the number of threads of the linear algebra cannot change a
theme.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

PRIOR_STRENGTH = 20.0
DIMENSIONS = 96
ROUND = 5
BLOCK = 512
QUANTILE_SAMPLE = 4000


def log_odds(inside: np.ndarray, group_size: int, everywhere: np.ndarray, catalogue_size: int) -> np.ndarray:
    """Return z-scores of item frequencies inside a group against the rest (informative Dirichlet prior).

    Parameters
    ----------
    inside, everywhere
        In how many items of the group, and of the catalogue, each phrase occurs.
    group_size, catalogue_size
        How many items there are.
    """
    outside = everywhere - inside
    prior = np.maximum(PRIOR_STRENGTH * everywhere / catalogue_size, 0.01)
    rest_size = catalogue_size - group_size
    left = (inside + prior) / (group_size + PRIOR_STRENGTH - inside - prior)
    right = (outside + prior) / np.maximum(rest_size + PRIOR_STRENGTH - outside - prior, 0.5)
    variance = 1 / (inside + prior) + 1 / (outside + prior)
    scores: np.ndarray = (np.log(left) - np.log(right)) / np.sqrt(variance)
    return scores


def weigh(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Return rows of damped counts times inverse document frequency, each of unit length."""
    weighted = counts.astype(np.float64)
    weighted.data = 1 + np.log(weighted.data)
    present = np.bincount(weighted.indices, minlength=weighted.shape[1])
    weighted = weighted @ sp.diags(np.log((1 + weighted.shape[0]) / (1 + present)))
    return unit_rows(weighted.tocsr())


def latent_space(weighted: sp.csr_matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return item vectors (unit rows around the catalogue's mean), the map from words to that space, and the mean.

    A catalogue too small for a decomposition gets as many dimensions as it can carry.
    """
    dimensions = min(DIMENSIONS, min(weighted.shape) - 1, max(2, weighted.shape[0] // 6))
    if dimensions < 2:
        return np.zeros((weighted.shape[0], 1)), np.zeros((weighted.shape[1], 1)), np.zeros(1)
    start = np.full(min(weighted.shape), 1 / np.sqrt(min(weighted.shape)))
    _, strength, right = svds(weighted, k=dimensions, v0=start)
    order = np.argsort(-strength, kind="stable")
    right = right[order]
    right *= np.sign(right[np.arange(len(right)), np.argmax(np.abs(right.round(ROUND)), axis=1)])[:, None]
    projection = right.T.round(ROUND)
    items = unit(weighted @ projection)
    centre = items.mean(axis=0).round(ROUND)
    return unit(items - centre).round(ROUND), projection, centre


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the rows scaled to length one; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def means_of(incidence: sp.csr_matrix, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row of an incidence matrix the mean vector of its members, and how alike they are.

    Likeness is the mean cosine between two different members (0 where there is only one).
    """
    sizes = np.asarray(incidence.sum(axis=1)).ravel()
    means = (incidence @ vectors) / np.maximum(sizes, 1)[:, None]
    squared = np.einsum("ij,ij->i", means, means)
    likeness = np.where(sizes > 1, (sizes * squared - 1) / np.maximum(sizes - 1, 1), 0)
    return means, likeness.round(ROUND)


def spread_of(
    directions: np.ndarray, vectors: np.ndarray, quantile: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, standard deviation and a quantile of the cosine of each direction with the catalogue's items."""
    sample = vectors[:: max(1, len(vectors) // QUANTILE_SAMPLE)]
    mean, deviation, high = (np.zeros(len(directions)) for _ in range(3))
    for start in range(0, len(directions), BLOCK):
        cosines = directions[start : start + BLOCK] @ sample.T
        part = slice(start, start + BLOCK)
        mean[part], deviation[part] = cosines.mean(axis=1), cosines.std(axis=1)
        high[part] = row_quantile(cosines, quantile)
    return mean.round(ROUND), np.maximum(deviation, 1e-3).round(ROUND), high.round(ROUND)


def row_quantile(values: np.ndarray, quantile: float) -> np.ndarray:
    """Return one order statistic of each row (no interpolation)."""
    place = min(values.shape[1] - 1, int(quantile * values.shape[1]))
    return np.partition(values, place, axis=1)[:, place]


def unit_rows(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return the rows of a sparse matrix scaled to length one; empty rows stay."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sp.csr_matrix(sp.diags(1 / np.where(lengths > 0, lengths, 1)) @ matrix)
