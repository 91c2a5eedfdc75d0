"""Pair counts over ordered histories, block by block of items, in bounded memory.

`succession` counts, for each item, the items that came before it within a window, decayed by distance; `count_near`
those before and after; `count_together` and `company` how many users have both, however far apart. Each row is
trimmed to its largest entries as soon as it is counted. `succession` and `company` count in the same pass what a
ridge regression needs of its sources, a Gram matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from personalize_nb.local.recipes.compiled import compiled, over_ranges
from personalize_nb.local.recipes.heap import lead, packed
from personalize_nb.local.recipes.history import Sequences

# A history longer than this adds only its newest part to plain company: the work grows with its square.
MAX_TOGETHER = 1000
_BLOCK = 512
# The most popular items, whose pairs have a dense table: rows of the others are short.
_HEAVY = 4096
# Entries of a Gram matrix beside that table, in all and of a row at least: the rest is small beside the penalty.
_ENTRIES, _ROW_LEAST = 1_200_000, 24
# Pairs that fewer users share change nothing beside the penalty, and are most of all pairs.
_SHARED_BY = 3
# How much of a pair counts by the number of steps that follow both: all of it, whatever follows.
_NO_END = np.ones(1)

# Columns and values of some rows, written by a kernel.
Room = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Gram:
    """A symmetric matrix of counts in two parts.

    `rank` is the place of an item by popularity. `dense[rank[i], rank[j]]` counts a pair of heavy items, the first
    by rank; `rows` has the rows of the other items, so that a pair of which one is heavy is found in the row of the
    one that is not.
    """

    rank: np.ndarray
    dense: np.ndarray
    rows: sparse.csr_matrix


@compiled
def _count_rows(
    steps: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    tables: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    least: np.float32,
    rank: np.ndarray,
    dense: np.ndarray,
    kept: Room,
    light: Room,
    first: int,
    last: int,
) -> None:
    """Count pairs of steps for items first..last, and keep what `_counted` wants."""
    starts, items, by_item_ptr, by_item_pos, owner = steps
    weights, row, gram, rest = tables
    window, latest = len(row) // 2, len(rest) - 1
    n_items = len(rank)
    sums = np.zeros((n_items, 2), np.float32)
    touched, unmet = np.empty(n_items + 1, np.int32), np.ones(n_items, np.int8)
    ids, keys = np.empty(n_items, np.int32), np.empty(n_items, np.float32)
    for item in range(first, last):
        n_touched = 0
        for occurrence in range(by_item_ptr[item], by_item_ptr[item + 1]):
            position = by_item_pos[occurrence]
            begin, end = starts[owner[position]], starts[owner[position] + 1]
            weight = weights[position] if len(weights) else np.float32(1.0)
            for other in range(max(begin, position - window), min(end, position + window + 1)):
                neighbour, place = items[other], other - position + window
                follow = min(end - 1 - max(position, other), latest)
                sums[neighbour, 0] += weight * row[place]
                sums[neighbour, 1] += gram[place] * rest[follow]
                touched[n_touched] = neighbour
                n_touched += unmet[neighbour]
                unmet[neighbour] = 0
        size = 0
        for k in range(n_touched):
            neighbour = touched[k]
            ids[size], keys[size] = neighbour, sums[neighbour, 0]
            size += (neighbour != item) & (sums[neighbour, 0] > 0.0)
        _keep(ids, keys, size, item, *kept)
        heavy = rank[item] < len(dense)
        size = 0
        for k in range(n_touched):
            neighbour, count = touched[k], sums[touched[k], 1]
            sums[neighbour, 0], sums[neighbour, 1], unmet[neighbour] = 0.0, 0.0, 1
            if count < least:
                continue
            if not heavy:
                ids[size], keys[size] = neighbour, count
                size += 1
            elif rank[neighbour] < len(dense):
                dense[rank[item], rank[neighbour]] = count
        _keep(ids, keys, size, item, *light)


@compiled
def _keep(ids: np.ndarray, keys: np.ndarray, size: int, row: int, out_idx: np.ndarray, out_val: np.ndarray) -> None:
    """Write the largest of a row where there is room for them."""
    for k in range(lead(keys, ids, size, out_idx.shape[1])):
        out_idx[row, k], out_val[row, k] = ids[k], keys[k]


def succession(sequences: Sequences, window: int, decay: float, most: int) -> tuple[sparse.csr_matrix, Gram]:
    """Return a row per target with the `most` weightiest that came before it, and how much two items met in states.

    A step counts by its weight as a target, and in full as what came before. The state at a step t holds those at p
    and q before it with weight decay^(t-p) decay^(t-q); their product is summed over t.
    """
    offset = np.arange(-window, window + 1)
    row = np.where(offset < 0, decay ** (-offset - 1.0), 0.0)
    rest = (1.0 - decay ** (2.0 * np.arange(10 * window + 1))) / (1.0 - decay * decay)
    return _counted(sequences, row, most, decay ** np.abs(offset), rest)


def company(sequences: Sequences, most: int, newest: int) -> tuple[sparse.csr_matrix, Gram]:
    """Return a row per item with the `most` others that most users have too, and how many at least `_SHARED_BY` share.

    Of each user's steps only the `newest` count; in the rows each counts by its weight for the row's item.
    """
    always = np.ones(2 * newest + 1)
    return _counted(_distinct(sequences, newest), always, most, always, _NO_END, _SHARED_BY)


def count_near(sequences: Sequences, window: int, tau: float, most: int) -> sparse.csr_matrix:
    """Return decayed counts of pairs met within `window` steps of one another, in either order."""
    distance = np.abs(np.arange(-window, window + 1))
    return _counted(sequences, np.exp((1.0 - distance) / tau), most)[0]


def count_together(sequences: Sequences, most: int) -> sparse.csr_matrix:
    """Return how many users have both items, over their newest `MAX_TOGETHER` items."""
    return _counted(_distinct(sequences, MAX_TOGETHER), np.ones(2 * MAX_TOGETHER + 1), most)[0]


def _distinct(sequences: Sequences, newest: int) -> Sequences:
    """Return the items among the newest steps of each user, once each in any order, by their mean weight."""
    age = sequences.starts[1:][sequences.owner] - np.arange(len(sequences.items))
    recent = sequences.where(age <= newest)
    pairs = recent.met()
    owner, items = np.divmod(pairs, recent.n_items)
    starts = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=recent.n_users))))
    weights = None
    if recent.weights is not None:
        place = np.searchsorted(pairs, recent.owner * np.int64(recent.n_items) + recent.items)
        weights = np.bincount(place, recent.weights) / np.bincount(place)
    return Sequences(starts, items.astype(np.int32), np.zeros(len(items), np.int64), recent.n_items, weights)


def _counted(
    sequences: Sequences,
    row: np.ndarray,
    most: int,
    gram: np.ndarray | None = None,
    rest: np.ndarray = _NO_END,
    least: float = float(np.finfo(np.float32).tiny),
) -> tuple[sparse.csr_matrix, Gram]:
    """Count pairs of steps of a user by how far the other is from the row's own step: from -window to window.

    Parameters
    ----------
    sequences
        The steps.
    row
        What a pair adds to the row, times the weight of the row's own step; `most` entries of a row are kept.
    gram, rest
        What a pair adds to the Gram matrix, times what `rest` has for the number of steps that follow both (its last
        for any more). None adds nothing.
    least
        Smaller entries of the Gram matrix are left out.
    """
    n_items = sequences.n_items
    popular = np.argsort(-np.diff(sequences.by_item_ptr), kind="stable")
    rank = np.empty(n_items, np.int32)
    rank[popular] = np.arange(n_items)
    heavy = min(n_items, _HEAVY)
    dense = np.zeros((heavy, heavy), np.float32)
    kept, light = _room(n_items, most), _room(n_items, max(_ROW_LEAST, _ENTRIES // n_items))
    steps = (sequences.starts, sequences.items, sequences.by_item_ptr, sequences.by_item_pos, sequences.owner)
    weights = np.empty(0) if sequences.weights is None else sequences.weights
    met_by = np.zeros(len(row)) if gram is None else gram
    tables = (_single(weights), _single(row), _single(met_by), _single(rest))

    def work(first: int, last: int) -> None:
        _count_rows(steps, tables, np.float32(least), rank, dense, kept, light, first, last)

    over_ranges(work, n_items, _BLOCK)
    return packed(*kept), Gram(rank, dense, packed(*light))


def _single(table: np.ndarray) -> np.ndarray:
    return table.astype(np.float32)


def _room(n_items: int, most: int) -> Room:
    shape = (n_items, min(n_items, most))
    return np.full(shape, -1, np.int32), np.zeros(shape, np.float32)
