"""How far two lists of the same owner agree: overlap, rank-biased overlap, and what moved, came and went.

All owners at once. Rank-biased overlap is that of Webber, Moffat and Zobel (A similarity measure for indefinite
rankings, 2010), extrapolated to lists without end and of uneven lengths, ties as there: of equal ranks all are reached
at once, and the agreement of a depth is twice the common members through the members of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personalize_nb.results.aligned import NumberedLists

_CELLS = 4_000_000  # of owners and depths at once


@dataclass(frozen=True)
class Agreement:
    """What of two sets of lists is the same, for each owner; NaN where one of the two has no list.

    Parameters
    ----------
    both
        Which owners have both lists.
    overlap
        By cut-off the common members through those of the longer list.
    rbo
        Rank-biased overlap, from 0 to 1.
    common, moved
        How many members are in both lists, and how many of these at another position.
    before, after
        For each row of the one and the other the position in the other list, 0 where it is not there.
    """

    both: np.ndarray
    overlap: dict[int, np.ndarray]
    rbo: np.ndarray
    common: np.ndarray
    moved: np.ndarray
    before: np.ndarray
    after: np.ndarray


def agreement(one: NumberedLists, other: NumberedLists, cut_offs: Sequence[int], persistence: float) -> Agreement:
    """Compare two sets of lists over the same owners.

    Parameters
    ----------
    one, other
        The lists.
    cut_offs
        How many members are looked at for each overlap.
    persistence
        How likely a reader goes on to the next member: the weight of depths.
    """
    size = len(one.lengths)
    both = (one.lengths > 0) & (other.lengths > 0)
    width = int(max(one.member.max(initial=0), other.member.max(initial=0))) + 1
    _, left, right = np.intersect1d(
        one.owner.astype(np.int64) * width + one.member,
        other.owner.astype(np.int64) * width + other.member,
        assume_unique=True,
        return_indices=True,
    )
    owner, first, second = one.owner[left], one.position[left], other.position[right]
    before, after = np.zeros(len(one.owner), int), np.zeros(len(other.owner), int)
    before[left], after[right] = second, first
    overlap = {}
    for cut in cut_offs:
        shared = np.bincount(owner[(first <= cut) & (second <= cut)], minlength=size)
        longest = np.maximum(_within(one, cut), _within(other, cut))
        overlap[cut] = np.divide(shared, longest, out=np.full(size, np.nan), where=both)
    common = np.bincount(owner, minlength=size)
    moved = np.bincount(owner[first != second], minlength=size)
    rbo = np.full(size, np.nan)
    depth = int(max(one.lengths.max(initial=0), other.lengths.max(initial=0)))
    step = max(1, _CELLS // max(depth, 1))
    for start in range(0, size, step):
        part = slice(start, min(start + step, size))
        rbo[part] = _rbo(_cut(one, part), _cut(other, part), _met(owner, np.maximum(first, second), part), persistence)
    return Agreement(both, overlap, rbo, common, moved, before, after)


def _within(lists: NumberedLists, cut: int) -> np.ndarray:
    return np.bincount(lists.owner[lists.position <= cut], minlength=len(lists.lengths))


def _cut(lists: NumberedLists, part: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return owners from 0, positions and lengths of the lists of some owners; rows are in the order of owners."""
    rows = slice(*np.searchsorted(lists.owner, [part.start, part.stop]))
    return lists.owner[rows] - part.start, lists.position[rows], lists.lengths[part]


def _met(owner: np.ndarray, depth: np.ndarray, part: slice) -> tuple[np.ndarray, np.ndarray]:
    """Return owners from 0 and the depth at which each common member is in both lists."""
    chosen = (owner >= part.start) & (owner < part.stop)
    return owner[chosen] - part.start, depth[chosen]


def _rbo(
    one: tuple[np.ndarray, np.ndarray, np.ndarray],
    other: tuple[np.ndarray, np.ndarray, np.ndarray],
    met: tuple[np.ndarray, np.ndarray],
    persistence: float,
) -> np.ndarray:
    lengths = np.stack([one[2], other[2]])
    size, depth = lengths.shape[1], max(int(lengths.max(initial=0)), 1)

    def reached(owner: np.ndarray, position: np.ndarray) -> np.ndarray:
        counts = np.bincount(owner * depth + position - 1, minlength=size * depth).reshape(size, depth)
        return np.cumsum(counts, axis=1)

    shared, sizes = reached(*met).astype(float), [reached(*lists[:2]) for lists in (one, other)]
    short, long = lengths.min(axis=0), lengths.max(axis=0)
    depths = np.arange(1, depth + 1)
    longer = np.where((lengths[0] >= lengths[1])[:, None], *sizes)
    beyond = depths > short[:, None]
    rows = np.arange(size)
    ends = np.maximum(short, 1) - 1
    whole = np.maximum(sizes[0] + sizes[1], 1)
    # past the end of the shorter list its agreement there is thought to go on
    going_on = 2 * shared[rows, ends] / whole[rows, ends]
    shared += np.where(beyond, going_on[:, None] * (depths - short[:, None]), 0.0)
    agreed = 2 * shared / np.where(beyond, np.maximum(longer + depths, 1), whole)
    weights = np.where(depths <= long[:, None], (1 - persistence) * persistence ** (depths - 1.0), 0.0)
    last = agreed[rows, np.maximum(long, 1) - 1]
    found: np.ndarray = (agreed * weights).sum(axis=1) + last * persistence ** long.astype(float)
    return np.where(short > 0, np.clip(found, 0.0, 1.0), np.nan)
