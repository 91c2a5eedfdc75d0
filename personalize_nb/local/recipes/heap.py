"""The best few of many, in compiled code: one by one with a heap whose top is the weakest kept, or all at once.

Ties go to the smaller ID.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from personalize_nb.local.recipes.compiled import compiled, over_ranges

# A float32 without these is its sign, exponent and three bits more.
_DROPPED_BITS = 20


@compiled
def sift(keys: np.ndarray, ids: np.ndarray, size: int) -> None:
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
def offer(keys: np.ndarray, ids: np.ndarray, size: int, limit: int, key: float, item: int) -> int:
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
def lead(keys: np.ndarray, ids: np.ndarray, size: int, limit: int) -> int:
    """Move the `limit` largest keys, none below 0, and their ids to the front, the rest is lost; return how many.

    The first bits of a float order it: how many keys share them tells which are in, with no two keys compared. Only
    the last of these groups that has room needs a heap.
    """
    if size <= limit:
        return size
    bits = keys.view(np.int32)
    found = np.zeros(1 << (31 - _DROPPED_BITS), np.int32)
    for k in range(size):
        found[bits[k] >> _DROPPED_BITS] += 1
    edge, room = len(found) - 1, limit
    while found[edge] <= room:
        room -= found[edge]
        edge -= 1
    front = 0
    for k in range(size):
        if bits[k] >> _DROPPED_BITS > edge:
            keys[front], keys[k] = keys[k], keys[front]
            ids[front], ids[k] = ids[k], ids[front]
            front += 1
    heap_keys, heap_ids, held = keys[front:limit], ids[front:limit], 0
    for k in range(front, size):
        if bits[k] >> _DROPPED_BITS == edge:
            held = offer(heap_keys, heap_ids, held, room, keys[k], ids[k])
    return limit


@compiled
def _largest_rows(
    ptr: np.ndarray, val: np.ndarray, kept: int, longest: int, first: int, last: int, stays: np.ndarray
) -> None:
    magnitudes = np.empty(longest, np.float32)
    places = np.empty(longest, np.int32)
    for row in range(first, last):
        begin, size = ptr[row], ptr[row + 1] - ptr[row]
        for k in range(size):
            magnitudes[k] = abs(val[begin + k])
            places[k] = k
        for k in range(lead(magnitudes, places, size, kept)):
            stays[begin + places[k]] = True


def largest(matrix: sparse.csr_matrix, kept: int) -> sparse.csr_matrix:
    """Keep the `kept` entries of each row that are largest in magnitude; on ties those that come first."""
    n_rows = matrix.shape[0]
    longest = int(np.diff(matrix.indptr).max(initial=0))
    if longest <= kept:
        return matrix
    stays = np.zeros(matrix.nnz, bool)
    ptr = matrix.indptr.astype(np.int64)

    def work(first: int, last: int) -> None:
        _largest_rows(ptr, matrix.data, kept, longest, first, last, stays)

    over_ranges(work, n_rows, 512)
    return _where(matrix, stays)


def strongest(matrix: Any, kept: int) -> sparse.csr_matrix:
    """Keep the `kept` largest positive entries of each row (ties by item), drop the diagonal; rows may be unsorted."""
    matrix = sparse.csr_matrix(matrix, dtype=np.float32)
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    positive = _where(matrix, (matrix.data > 0.0) & (matrix.indices != rows))
    positive.sort_indices()
    return largest(positive, kept)


def unit_maximum(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale each row so that its largest entry is 1."""
    highest = matrix.max(axis=1).toarray().ravel()
    scale = np.divide(1.0, highest, out=np.zeros(len(highest)), where=highest > 0)
    return sparse.csr_matrix(sparse.diags_array(scale) @ matrix)


def packed(found: np.ndarray, values: np.ndarray) -> sparse.csr_matrix:
    """Return rows of columns and values, -1 where a row has no more, as a square matrix."""
    used = found >= 0
    pointers = np.concatenate(([0], np.cumsum(used.sum(axis=1))))
    return sparse.csr_matrix((values[used], found[used], pointers), shape=(len(found), len(found)))


def _where(matrix: sparse.csr_matrix, stays: np.ndarray) -> sparse.csr_matrix:
    """Return the entries of a mask only."""
    pointers = np.concatenate(([0], np.cumsum(stays)))[matrix.indptr]
    return sparse.csr_matrix((matrix.data[stays], matrix.indices[stays], pointers), shape=matrix.shape)
