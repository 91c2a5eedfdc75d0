"""Pair counts over ordered histories, block by block of items, in bounded memory. Local service.

`count_before` counts, for each item, the items that came before it within a window, decayed by distance; `count_near`
those before and after; `count_together` plain company, however far apart. Each row is trimmed to its largest entries
as soon as its block is counted. `state_gram` and `company` count what a ridge regression needs of its sources.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .compiled import compiled, over_ranges
from .heap import largest
from .history import Sequences

# A history longer than this adds only its newest part to plain company: the work grows with its square.
MAX_TOGETHER = 1000
_BLOCK = 512
# The most popular items, whose pairs have a dense table: rows of the others are short.
_HEAVY = 4096
# Entries of a Gram matrix beside that table, in all and of a row at least: the rest is small beside the penalty.
_ENTRIES, _ROW_LEAST = 3_000_000, 64
# Pairs that fewer users share change nothing beside the penalty, and are most of all pairs.
_SHARED_BY = 3

_BEFORE, _NEAR, _STATE = 0, 1, 2
_Part = Callable[[int, int], sparse.csr_matrix]


@dataclass(frozen=True)
class Gram:
    """A symmetric matrix of counts in two parts.

    `dense[rank[i], rank[j]]` counts a pair of heavy items (`rank` is -1 for all others); `rows` has the rows of the
    other items, so that a pair of which one is heavy is found in the row of the one that is not.
    """

    rank: np.ndarray
    dense: np.ndarray
    rows: sparse.csr_matrix


@compiled
def _count_pairs(starts, items, by_item_ptr, by_item_pos, owner, first, last, window, powers, kind, n_items):
    """Count decayed pairs for items first..last, by the kind of count; return rows of a CSR matrix."""
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
            high = position if kind == _BEFORE else min(end, position + window + 1)
            for other in range(low, high):
                distance = abs(position - other)
                if kind == _STATE:
                    # The state at a later step t holds both with weight decay^(t-p) decay^(t-q); summed over t.
                    later = end - 1 - max(position, other)
                    weight = powers[distance] * norm * (1.0 - powers[min(later, len(powers) - 1)] ** 2)
                elif distance == 0:
                    continue
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


def count_before(sequences: Sequences, window: int, decay: float, most: int) -> sparse.csr_matrix:
    """Return a row per target: what came before it, the `most` weightiest.

    A step counts by its weight as a target, and in full as what came before.
    """
    if sequences.weights is None:
        return _stacked(sequences.n_items, _pairs(sequences, window, decay, _BEFORE), most)
    parts = []
    for weight in np.unique(sequences.weights):
        targets = sequences.targets(sequences.weights == weight)
        counted = _stacked(sequences.n_items, _pairs(targets, window, decay, _BEFORE), most)
        parts.append(counted * np.float32(weight))
    return largest(sparse.csr_matrix(sum(parts[1:], parts[0])), most)


def count_near(sequences: Sequences, window: int, tau: float, most: int) -> sparse.csr_matrix:
    """Return decayed counts of pairs met within `window` steps of one another, in either order."""
    return _stacked(sequences.n_items, _pairs(sequences, window, float(np.exp(-1.0 / tau)), _NEAR), most)


def count_together(sequences: Sequences, most: int) -> sparse.csr_matrix:
    """Return how many users have both items, over their newest `MAX_TOGETHER` items."""
    return _stacked(sequences.n_items, _company(sequences, False, MAX_TOGETHER), most)


def state_gram(sequences: Sequences, window: int, decay: float) -> Gram:
    """Return how much two items were in the states of users together, summed over the steps that followed."""
    return _gram(sequences, _pairs(sequences, window, decay, _STATE), 0.0)


def company(sequences: Sequences, most: int, newest: int) -> tuple[sparse.csr_matrix, Gram]:
    """Return `count_together` by weight, and the same as a Gram matrix where at least `_SHARED_BY` users share.

    Of each user's steps only the `newest` count.
    """
    counted = _company(sequences, False, newest)
    if sequences.weights is not None:
        return _stacked(sequences.n_items, _company(sequences, True, newest), most), _gram(
            sequences, counted, _SHARED_BY
        )
    parts: dict[int, sparse.csr_matrix] = {}

    def once(first: int, last: int) -> sparse.csr_matrix:
        found = counted(first, last)
        parts[first] = largest(found, most)
        return found

    gram = _gram(sequences, once, _SHARED_BY)
    return sparse.csr_matrix(sparse.vstack([parts[first] for first in sorted(parts)], format="csr")), gram


def _pairs(sequences: Sequences, window: int, decay: float, kind: int) -> _Part:
    powers = decay ** np.arange(10 * window + 1, dtype=np.float64)
    n_items = sequences.n_items
    places = (sequences.starts, sequences.items, sequences.by_item_ptr, sequences.by_item_pos, sequences.owner)

    def part(first: int, last: int) -> sparse.csr_matrix:
        pointers, indices, values = _count_pairs(*places, first, last, window, powers, kind, n_items)
        return sparse.csr_matrix((values, indices, pointers), shape=(last - first, n_items))

    return part


def _company(sequences: Sequences, weighted: bool, newest: int) -> _Part:
    """Count users with both items; `weighted` counts each by the weight that the row's item has for him."""
    stays = sequences.starts[1:][sequences.owner] - np.arange(len(sequences.items)) <= newest
    shape = (sequences.n_users, sequences.n_items)
    places = (sequences.owner[stays], sequences.items[stays])
    owned = sparse.csr_matrix((np.ones(int(stays.sum()), np.float32), places), shape=shape)
    counted = owned
    if weighted and sequences.weights is not None:
        counted = sparse.csr_matrix((sequences.weights[stays].astype(np.float32), places), shape=shape)
        counted.data /= owned.data
    owned.data[:] = 1.0
    by_item = counted.T.tocsr()
    return lambda first, last: (by_item[first:last] @ owned).tocsr()


def _stacked(n_items: int, part: _Part, most: int) -> sparse.csr_matrix:
    parts: dict[int, sparse.csr_matrix] = {}

    def work(first: int, last: int) -> None:
        parts[first] = largest(part(first, last), most)

    over_ranges(work, n_items, _BLOCK)
    return sparse.csr_matrix(sparse.vstack([parts[first] for first in sorted(parts)], format="csr"))


def _gram(sequences: Sequences, part: _Part, least: float) -> Gram:
    n_items = sequences.n_items
    heavy = np.sort(np.argsort(-np.diff(sequences.by_item_ptr), kind="stable")[:_HEAVY])
    rank = np.full(n_items, -1, np.int32)
    rank[heavy] = np.arange(len(heavy))
    dense = np.zeros((len(heavy), len(heavy)), np.float32)
    light: dict[int, sparse.csr_matrix] = {}

    def work(first: int, last: int) -> None:
        found = part(first, last)
        if least:
            found.data[found.data < least] = 0.0
            found.eliminate_zeros()
        here = np.flatnonzero(rank[first:last] >= 0)
        if len(here):
            dense[rank[first + here]] = found[here][:, heavy].toarray()
            stays = np.repeat(rank[first:last] < 0, np.diff(found.indptr))
            pointers = np.concatenate(([0], np.cumsum(stays)))[found.indptr]
            found = sparse.csr_matrix((found.data[stays], found.indices[stays], pointers), shape=found.shape)
        light[first] = largest(found, max(_ROW_LEAST, _ENTRIES // n_items))

    over_ranges(work, n_items, _BLOCK)
    rows = sparse.vstack([light[first] for first in sorted(light)], format="csr")
    return Gram(rank, dense, sparse.csr_matrix(rows))
