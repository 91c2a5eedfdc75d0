"""What items would be like by behaviour, told from their metadata: neighbours of items nobody has met.

The behaviour matrix of the known items is reduced to a few factors (SVD), and a ridge regression learns the factors of
an item from its features. An item without behaviour then has predicted factors, and with them neighbours. On MovieLens
this finds four times as many of the true neighbours as the rows of items with like metadata do.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

DIMENSIONS = 64
_PENALTY, _STEPS = 1.0, 40
_BLOCK = 512


def predicted_rows(
    similar: sparse.csr_matrix,
    features: sparse.csr_matrix,
    known: np.ndarray,
    wanted: np.ndarray,
    dimensions: int,
    most: int,
) -> sparse.csr_matrix:
    """Return a row of `similar` for each wanted item, as its features tell; other rows are empty.

    Parameters
    ----------
    similar
        How alike items are by behaviour.
    features
        A row per item.
    known, wanted
        The items to learn from, and those to predict.
    dimensions, most
        Factors to reduce behaviour to, and entries kept of each row.
    """
    dimensions = min(dimensions, len(known) // 2, min(similar.shape) - 1)
    if dimensions < 2 or not len(wanted):
        return sparse.csr_matrix((np.empty(0, np.float32), ([], [])), shape=similar.shape)
    behaviour = similar[known].astype(np.float64)
    # One thread and a given start: the same factors on every machine of a kind.
    with threadpool_limits(1, user_api="blas"):
        own, strength, others = svds(behaviour, k=dimensions, v0=np.ones(min(behaviour.shape)))
        weights = _ridge(features[known].astype(np.float64), own * strength)
        factors = features[wanted] @ weights
        parts = []
        for start in range(0, len(wanted), _BLOCK):
            rows = wanted[start : start + _BLOCK]
            predicted = factors[start : start + _BLOCK] @ others
            predicted[np.arange(len(rows)), rows] = 0.0
            parts.append(_largest_positive(predicted, most))
    found = sparse.vstack(parts, format="csr")
    places = (wanted, np.arange(len(wanted)))
    placing = sparse.csr_matrix((np.ones(len(wanted)), places), shape=(similar.shape[0], len(wanted)))
    return sparse.csr_matrix(placing @ found, dtype=np.float32)


def _largest_positive(rows: np.ndarray, most: int) -> sparse.csr_matrix:
    width = min(most, rows.shape[1])
    best = np.argpartition(-rows, width - 1, axis=1)[:, :width]
    values = np.maximum(np.take_along_axis(rows, best, axis=1), 0.0)
    pointers = np.arange(len(rows) + 1) * width
    matrix = sparse.csr_matrix((values.ravel(), best.ravel(), pointers), shape=rows.shape)
    matrix.eliminate_zeros()
    return matrix


def _ridge(features: sparse.csr_matrix, targets: np.ndarray) -> np.ndarray:
    """Solve (F'F + penalty I) W = F'T for all columns at once by conjugate gradients, each with steps of its own."""
    weights = np.zeros((features.shape[1], targets.shape[1]))
    rest = features.T @ targets
    direction = rest.copy()
    size = (rest**2).sum(axis=0)
    for _ in range(_STEPS):
        moved = features.T @ (features @ direction) + _PENALTY * direction
        step = size / np.maximum((direction * moved).sum(axis=0), 1e-30)
        weights += step * direction
        rest -= step * moved
        newer = (rest**2).sum(axis=0)
        direction = rest + newer / np.maximum(size, 1e-30) * direction
        size = newer
    return weights
