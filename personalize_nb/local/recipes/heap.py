"""The best few of many, in compiled code: a heap whose top is the weakest kept; ties go to the smaller ID. Local."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .compiled import compiled, over_ranges


@compiled
def sift(keys, ids, size):
    """Restore the heap (smallest key on top; on ties the larger item) after its top was replaced."""
    i = 0
    while True:
        left = 2 * i + 1
        if left >= size:
            return
        small = left
        right = left + 1
        if right < size and (keys[right] < keys[left] or (keys[right] == keys[left] and ids[right] > ids[left])):
            small = right
        if keys[small] < keys[i] or (keys[small] == keys[i] and ids[small] > ids[i]):
            keys[small], keys[i] = keys[i], keys[small]
            ids[small], ids[i] = ids[i], ids[small]
            i = small
        else:
            return


@compiled
def offer(keys, ids, size, limit, key, item):
    """Offer one candidate to a heap of the best `limit`; return its new size."""
    if size < limit:
        i = size
        keys[i] = key
        ids[i] = item
        while i > 0:
            parent = (i - 1) // 2
            if keys[i] < keys[parent] or (keys[i] == keys[parent] and ids[i] > ids[parent]):
                keys[i], keys[parent] = keys[parent], keys[i]
                ids[i], ids[parent] = ids[parent], ids[i]
                i = parent
            else:
                break
        return size + 1
    if limit > 0 and (key > keys[0] or (key == keys[0] and item < ids[0])):
        keys[0] = key
        ids[0] = item
        sift(keys, ids, size)
    return size


@compiled
def _strongest_rows(ptr, idx, val, kept, first, last, out_idx, out_val):
    for row in range(first, last):
        size = 0
        for p in range(ptr[row], ptr[row + 1]):
            if val[p] > 0.0 and idx[p] != row:
                size = offer(out_val[row], out_idx[row], size, kept, val[p], idx[p])


def strongest(matrix: Any, kept: int) -> sparse.csr_matrix:
    """Keep the `kept` largest positive entries of each row (ties by item), drop the diagonal; rows may be unsorted."""
    matrix = sparse.csr_matrix(matrix, dtype=np.float32)
    n_rows = matrix.shape[0]
    found = np.full((n_rows, min(kept, n_rows)), -1, np.int32)
    values = np.zeros(found.shape, np.float32)
    ptr = matrix.indptr.astype(np.int64)

    def work(first: int, last: int) -> None:
        _strongest_rows(ptr, matrix.indices, matrix.data, found.shape[1], first, last, found, values)

    over_ranges(work, n_rows, 512)
    used = found >= 0
    pointers = np.concatenate(([0], np.cumsum(used.sum(axis=1))))
    result = sparse.csr_matrix((values[used], found[used], pointers), shape=matrix.shape)
    result.sort_indices()
    return result


@compiled
def _largest_rows(ptr, val, kept, first, last, chosen, magnitudes):
    for row in range(first, last):
        size = 0
        for p in range(ptr[row], ptr[row + 1]):
            size = offer(magnitudes[row], chosen[row], size, kept, abs(val[p]), p)


def largest(matrix: sparse.csr_matrix, kept: int) -> sparse.csr_matrix:
    """Keep the `kept` entries of each row that are largest in magnitude; on ties those that come first."""
    n_rows = matrix.shape[0]
    if matrix.nnz == 0 or np.diff(matrix.indptr).max() <= kept:
        return matrix
    chosen = np.full((n_rows, kept), -1, np.int64)
    magnitudes = np.zeros(chosen.shape, np.float32)
    ptr = matrix.indptr.astype(np.int64)

    def work(first: int, last: int) -> None:
        _largest_rows(ptr, matrix.data, kept, first, last, chosen, magnitudes)

    over_ranges(work, n_rows, 512)
    stays = np.zeros(matrix.nnz, bool)
    stays[chosen[chosen >= 0]] = True
    rows = np.concatenate(([0], np.cumsum(stays)))
    return sparse.csr_matrix((matrix.data[stays], matrix.indices[stays], rows[ptr]), shape=matrix.shape)
