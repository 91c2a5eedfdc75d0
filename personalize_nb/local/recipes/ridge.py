"""The two linear item-item models: pair counts over ordered histories, and a ridge regression for each item.

`count_following` counts, for each item, the items that came before it within a window, decayed by distance (the
sequential model, LSR); `count_together` counts plain co-occurrence (EASE). `local_ridge` then predicts each item
from only the items most connected with it: w_j = (G_NN + lambda I)^-1 C_Nj. The result is sparse and needs
neither a dense inverse nor a gradient step.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .compiled import compiled, over_ranges
from .heap import offer

# A history longer than this adds only its newest part to plain co-occurrence: the work grows with its square.
MAX_TOGETHER = 1000
_BLOCK = 512
# Few observations cannot support many predictors: an item met s times gets at most _FEWEST + _PER_STEP * s.
_FEWEST, _PER_STEP = 16, 8


@compiled
def _count_ordered(starts, items, by_item_ptr, by_item_pos, owner, first, last, window, powers, symmetric, n_items):
    """Count decayed pairs for items first..last: their predecessors, and (symmetric) their successors too."""
    accumulated = np.zeros(n_items, np.float32)
    touched = np.empty(n_items, np.int32)
    capacity = 1024
    indices = np.empty(capacity, np.int32)
    values = np.empty(capacity, np.float32)
    pointers = np.zeros(last - first + 1, np.int64)
    norm = 1.0 / (1.0 - powers[1] * powers[1])
    used = 0
    for item in range(first, last):
        n_touched = 0
        for occurrence in range(by_item_ptr[item], by_item_ptr[item + 1]):
            position = by_item_pos[occurrence]
            user = owner[position]
            begin, end = starts[user], starts[user + 1]
            low = max(begin, position - window)
            high = min(end, position + window + 1) if symmetric else position
            for other in range(low, high):
                distance = abs(position - other)
                if symmetric:
                    # The state at a later step t holds both with weight decay^(t-p) decay^(t-q); summed over t.
                    later = end - 1 - max(position, other)
                    weight = powers[distance] * norm * (1.0 - powers[min(later, len(powers) - 1)] ** 2)
                else:
                    weight = powers[distance - 1]
                neighbour = items[other]
                if weight <= 0.0:
                    continue
                if accumulated[neighbour] == 0.0:
                    touched[n_touched] = neighbour
                    n_touched += 1
                accumulated[neighbour] += np.float32(weight)
        while used + n_touched > capacity:
            capacity *= 2
            grown_indices = np.empty(capacity, np.int32)
            grown_indices[:used] = indices[:used]
            indices = grown_indices
            grown_values = np.empty(capacity, np.float32)
            grown_values[:used] = values[:used]
            values = grown_values
        for k in range(n_touched):
            neighbour = touched[k]
            indices[used] = neighbour
            values[used] = accumulated[neighbour]
            accumulated[neighbour] = 0.0
            used += 1
        pointers[item - first + 1] = used
    return pointers, indices[:used].copy(), values[:used].copy()


def _counted(sequences, window: int, decay: float, symmetric: bool) -> sparse.csr_matrix:
    n_items = sequences.n_items
    powers = decay ** np.arange(10 * window + 1, dtype=np.float64)
    parts: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def work(first: int, last: int) -> None:
        parts[first] = _count_ordered(
            sequences.starts,
            sequences.items,
            sequences.by_item_ptr,
            sequences.by_item_pos,
            sequences.owner,
            first,
            last,
            window,
            powers,
            symmetric,
            n_items,
        )

    over_ranges(work, n_items, _BLOCK)
    pointers, indices, values = [np.zeros(1, np.int64)], [], []
    for first in sorted(parts):
        part = parts[first]
        pointers.append(part[0][1:] + pointers[-1][-1])
        indices.append(part[1])
        values.append(part[2])
    shape = (n_items, n_items)
    return sparse.csr_matrix((np.concatenate(values), np.concatenate(indices), np.concatenate(pointers)), shape=shape)


def count_following(sequences, window: int, tau: float) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Return decayed counts (C with a row per target: what came before it; G: what was in the state together)."""
    decay = float(np.exp(-1.0 / tau))
    return _counted_by_weight(sequences, window, decay), _counted(sequences, window, decay, True)


def _counted_by_weight(sequences, window: int, decay: float) -> sparse.csr_matrix:
    """Count what came before each target; a step counts by its weight as a target, and in full as what came before."""
    if sequences.weights is None:
        return _counted(sequences, window, decay, False)
    parts = [
        _counted(sequences.targets(sequences.weights == weight), window, decay, False) * np.float32(weight)
        for weight in np.unique(sequences.weights)
    ]
    return sparse.csr_matrix(sum(parts[1:], parts[0]))


def count_near(sequences, window: int, tau: float) -> sparse.csr_matrix:
    """Return decayed counts of pairs met within `window` steps of one another, in either order."""
    following = _counted(sequences, window, float(np.exp(-1.0 / tau)), False)
    return sparse.csr_matrix(following + following.T)


def count_together(sequences, weighted: bool = False) -> sparse.csr_matrix:
    """Return how many users have both items, over their newest `MAX_TOGETHER` items.

    `weighted` counts each user by the weight that the row's item has for him.
    """
    lengths = np.diff(sequences.starts)
    age = np.repeat(sequences.starts[1:], lengths) - np.arange(len(sequences.items))
    newest = age <= MAX_TOGETHER
    shape = (len(lengths), sequences.n_items)
    places = (sequences.owner[newest], sequences.items[newest])
    owned = sparse.csr_matrix((np.ones(int(newest.sum()), np.float32), places), shape=shape)
    times = owned.copy()
    owned.data[:] = 1.0
    if not weighted or sequences.weights is None:
        return (owned.T @ owned).tocsr()
    weights = sparse.csr_matrix((sequences.weights[newest].astype(np.float32), places), shape=shape)
    weights.data /= times.data
    return (weights.T @ owned).tocsr()


@compiled
def _solve(gram, target, size):
    """Solve gram w = target in place by Cholesky (lower part, row by row); gram is destroyed."""
    for i in range(size):
        row = gram[i]
        for j in range(i):
            other = gram[j]
            total = np.float32(0.0)
            for k in range(j):
                total += row[k] * other[k]
            row[j] = (row[j] - total) / other[j]
        total = np.float32(0.0)
        for k in range(i):
            total += row[k] * row[k]
        row[i] = np.sqrt(max(row[i] - total, np.float32(1e-6)))
        total = np.float32(0.0)
        for k in range(i):
            total += row[k] * target[k]
        target[i] = (target[i] - total) / row[i]
    for i in range(size - 1, -1, -1):
        target[i] /= gram[i, i]
        for k in range(i):
            target[k] -= gram[i, k] * target[i]


@compiled
def _ridge_rows(steps, c_ptr, c_idx, c_val, g_ptr, g_idx, g_val, most, penalty, first, last, n_items, out_idx, out_val):
    position = np.full(n_items, -1, np.int32)
    gram = np.empty((most, most), np.float32)
    target = np.empty(most, np.float32)
    for item in range(first, last):
        begin, end = c_ptr[item], c_ptr[item + 1]
        size = 0
        wanted = min(most, _FEWEST + _PER_STEP * steps[item])
        for p in range(begin, end):
            if c_idx[p] != item:
                size = offer(target, out_idx[item], size, wanted, c_val[p], c_idx[p])
        for i in range(size):
            position[out_idx[item, i]] = i
        for i in range(size):
            gram[i, :size] = 0.0
            source = out_idx[item, i]
            for p in range(g_ptr[source], g_ptr[source + 1]):
                j = position[g_idx[p]]
                if j >= 0:
                    gram[i, j] = g_val[p]
            gram[i, i] += penalty
        for i in range(size):
            position[out_idx[item, i]] = -1
        _solve(gram, target, size)
        for i in range(size):
            out_val[item, i] = target[i]
        for i in range(size, most):
            out_idx[item, i] = -1


def local_ridge(
    connections: sparse.csr_matrix, gram: sparse.csr_matrix, steps: np.ndarray, most: int, penalty: float
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

    def work(first: int, last: int) -> None:
        _ridge_rows(
            steps,
            connections.indptr.astype(np.int64),
            connections.indices,
            connections.data,
            gram.indptr.astype(np.int64),
            gram.indices,
            gram.data,
            most,
            np.float32(penalty),
            first,
            last,
            n_items,
            out_idx,
            out_val,
        )

    over_ranges(work, n_items, _BLOCK)
    kept = out_idx.ravel() >= 0
    target = np.repeat(np.arange(n_items, dtype=np.int32), most)[kept]
    shape = (n_items, n_items)
    return sparse.csr_matrix((out_val.ravel()[kept], (out_idx.ravel()[kept], target)), shape=shape)
