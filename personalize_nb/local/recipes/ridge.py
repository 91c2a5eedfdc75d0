"""A ridge regression for each item, from only the items most connected with it: w_j = (G_NN + lambda I)^-1 C_Nj. Local.

On counts of what came before, this is the sequential model (LSR); on plain company, the local form of EASE. The
result is sparse and needs neither a dense inverse nor a gradient step.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .compiled import compiled, over_ranges
from .counts import Gram
from .heap import offer

_BLOCK = 512
# Few observations cannot support many predictors: an item met s times gets at most _FEWEST + _PER_STEP * s.
_FEWEST, _PER_STEP = 16, 8
# The penalty keeps these systems so round that five or six turns reach this, in a twentieth of the time of Cholesky.
_PRECISION, _MOST_TURNS = 1e-4, 200


@compiled
def _solve(gram, target, size, work):
    """Solve gram w = target in place by conjugate gradients, scaled by the diagonal; `work` has four rows of room."""
    solution, rest, direction, moved = work[0], work[1], work[2], work[3]
    left = np.float32(0.0)
    for i in range(size):
        solution[i] = 0.0
        rest[i] = target[i]
        direction[i] = rest[i] / gram[i, i]
        left += rest[i] * direction[i]
    enough = left * np.float32(_PRECISION * _PRECISION)
    for _ in range(_MOST_TURNS):
        if left <= enough:
            break
        curvature = np.float32(0.0)
        for i in range(size):
            row = gram[i]
            total = np.float32(0.0)
            for k in range(size):
                total += row[k] * direction[k]
            moved[i] = total
            curvature += total * direction[i]
        if curvature <= 0.0:
            break
        step = left / curvature
        newer = np.float32(0.0)
        for i in range(size):
            solution[i] += step * direction[i]
            rest[i] -= step * moved[i]
            newer += rest[i] * rest[i] / gram[i, i]
        for i in range(size):
            direction[i] = rest[i] / gram[i, i] + newer / left * direction[i]
        left = newer
    for i in range(size):
        target[i] = solution[i]


@compiled
def _ridge_rows(
    steps, c_ptr, c_idx, c_val, rank, dense, g_ptr, g_idx, g_val, most, penalty, first, last, n_items, out_idx, out_val
):
    position = np.full(n_items, -1, np.int32)
    gram = np.empty((most, most), np.float32)
    target = np.empty(most, np.float32)
    work = np.empty((4, most), np.float32)
    for item in range(first, last):
        begin, end = c_ptr[item], c_ptr[item + 1]
        size = 0
        wanted = min(most, _FEWEST + _PER_STEP * steps[item])
        for p in range(begin, end):
            if c_idx[p] != item:
                size = offer(target, out_idx[item], size, wanted, c_val[p], c_idx[p])
        # in the order of the dense table, so that its rows are read from left to right
        order = np.argsort(out_idx[item, :size])
        out_idx[item, :size] = out_idx[item, :size][order]
        target[:size] = target[:size][order]
        for i in range(size):
            position[out_idx[item, i]] = i
            gram[i, :size] = 0.0
        for i in range(size):
            source = out_idx[item, i]
            heavy = rank[source]
            if heavy >= 0:
                for j in range(i + 1):
                    other = rank[out_idx[item, j]]
                    if other >= 0:
                        gram[i, j] = dense[heavy, other]
                        gram[j, i] = gram[i, j]
            for p in range(g_ptr[source], g_ptr[source + 1]):
                j = position[g_idx[p]]
                if j >= 0:
                    gram[i, j] = g_val[p]
                    gram[j, i] = g_val[p]
        for i in range(size):
            gram[i, i] += penalty
            position[out_idx[item, i]] = -1
        _solve(gram, target, size, work)
        for i in range(size):
            out_val[item, i] = target[i]
        for i in range(size, most):
            out_idx[item, i] = -1


def local_ridge(
    connections: sparse.csr_matrix, gram: Gram, steps: np.ndarray, most: int, penalty: float
) -> sparse.csr_matrix:
    """Regress each item on the `most` items it is most connected with.

    Returns
    -------
    csr_matrix
        A row per source item, a column per predicted item; the diagonal is zero.
    """
    n_items = connections.shape[0]
    connections.sort_indices()
    steps = np.asarray(steps, np.int64)
    out_idx = np.full((n_items, most), -1, np.int32)
    out_val = np.zeros((n_items, most), np.float32)
    places = (
        *(steps, connections.indptr.astype(np.int64), connections.indices, connections.data, gram.rank, gram.dense),
        *(gram.rows.indptr.astype(np.int64), gram.rows.indices, gram.rows.data, most, np.float32(penalty)),
    )

    def work(first: int, last: int) -> None:
        _ridge_rows(*places, first, last, n_items, out_idx, out_val)

    over_ranges(work, n_items, _BLOCK)
    kept = out_idx.ravel() >= 0
    target = np.repeat(np.arange(n_items, dtype=np.int32), most)[kept]
    shape = (n_items, n_items)
    return sparse.csr_matrix((out_val.ravel()[kept], (out_idx.ravel()[kept], target)), shape=shape)
