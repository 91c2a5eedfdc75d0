"""A ridge regression for each item, from only the items most connected with it: w_j = (G_NN + lambda I)^-1 C_Nj.

On counts of what came before, this is the sequential model (LSR); on plain company, the local form of EASE. The
result is sparse and needs neither a dense inverse nor a gradient step.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from personalize_nb.local.recipes.compiled import compiled, over_ranges
from personalize_nb.local.recipes.counts import Gram
from personalize_nb.local.recipes.heap import lead, packed

_BLOCK = 512
# Few observations cannot support many predictors: an item met s times gets at most _FEWEST + _PER_STEP * s.
_FEWEST, _PER_STEP = 16, 8
# The penalty keeps these systems so round that five or six turns reach this, in a twentieth of the time of Cholesky.
_PRECISION, _MOST_TURNS = 1e-4, 200


@compiled
def _solve(gram: np.ndarray, target: np.ndarray, size: int, work: np.ndarray) -> None:
    """Solve gram w = target in place by conjugate gradients, scaled by the diagonal; `work` has four rows of room.

    Of `gram`, which is symmetric, only the diagonal and what is left of it is read.
    """
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
            own, total = direction[i], np.float32(0.0)
            for k in range(i):
                total += gram[i, k] * direction[k]
                moved[k] += gram[i, k] * own
            moved[i] = total + gram[i, i] * own
        for i in range(size):
            curvature += moved[i] * direction[i]
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
    steps: np.ndarray,
    c_ptr: np.ndarray,
    c_idx: np.ndarray,
    c_val: np.ndarray,
    rank: np.ndarray,
    dense: np.ndarray,
    g_ptr: np.ndarray,
    g_idx: np.ndarray,
    g_val: np.ndarray,
    penalty: np.float32,
    first: int,
    last: int,
    out_idx: np.ndarray,
    out_val: np.ndarray,
) -> None:
    most = out_idx.shape[1]
    # Where each item is among the predictors; those that are not are written to a row that nobody reads.
    position = np.full(len(rank), most, np.int32)
    gram = np.empty((most + 1, most), np.float32)
    target = np.empty(most, np.float32)
    work = np.empty((4, most), np.float32)
    for item in range(first, last):
        begin, size = c_ptr[item], c_ptr[item + 1] - c_ptr[item]
        keys, ids = c_val[begin : begin + size].copy(), c_idx[begin : begin + size].copy()
        size = lead(keys, ids, size, min(most, _FEWEST + _PER_STEP * steps[item]))
        # By rank, so that the heavy come first and what is read of the dense table lies close together.
        order = np.argsort(rank[ids[:size]])
        sources = out_idx[item]
        n_heavy = 0
        for i in range(size):
            source = ids[order[i]]
            sources[i], target[i] = source, keys[order[i]]
            position[source] = i
            n_heavy += rank[source] < len(dense)
        places = rank[sources[:size]]
        for i in range(n_heavy):
            row = dense[places[i]]
            for k in range(i + 1):
                gram[i, k] = row[places[k]]
        for i in range(n_heavy, size):
            gram[i, : i + 1] = 0.0
        for i in range(n_heavy, size):
            for p in range(g_ptr[sources[i]], g_ptr[sources[i] + 1]):
                k = position[g_idx[p]]
                gram[max(i, k), min(i, k)] = g_val[p]
        for i in range(size):
            gram[i, i] += penalty
            position[sources[i]] = most
        _solve(gram, target, size, work)
        out_val[item, :size] = target[:size]


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
    room = (n_items, min(most, n_items))
    out_idx, out_val = np.full(room, -1, np.int32), np.zeros(room, np.float32)
    places = (
        *(np.asarray(steps, np.int64), connections.indptr.astype(np.int64), connections.indices, connections.data),
        *(gram.rank, gram.dense, gram.rows.indptr.astype(np.int64), gram.rows.indices, gram.rows.data),
    )

    def work(first: int, last: int) -> None:
        _ridge_rows(*places, np.float32(penalty), first, last, out_idx, out_val)

    over_ranges(work, n_items, _BLOCK)
    return sparse.csr_matrix(packed(out_idx, out_val).T.tocsr())
