"""Weighted draws that give the same numbers on every machine.

Only the raw bits of PCG64 are used, whose stream numpy promises never to change, and only integer weights and
single multiplications, which IEEE 754 rounds alike everywhere: no logarithm, no power, no BLAS.
"""

from __future__ import annotations

import numpy as np


class Dice:
    """A seeded source of uniform numbers."""

    def __init__(self, seed: int):
        self._bits = np.random.PCG64(seed)

    def uniform(self, count: int) -> np.ndarray:
        """Return `count` floats in [0, 1), each a multiple of 2**-53."""
        raw: np.ndarray = self._bits.random_raw(count)
        uniform: np.ndarray = (raw >> np.uint64(11)) * 2.0**-53
        return uniform

    def below(self, limits: np.ndarray) -> np.ndarray:
        """Return one integer in [0, limit) for each limit."""
        drawn: np.ndarray = self.uniform(len(limits)) * limits
        return drawn.astype(np.int64)

    def chance(self, probabilities: np.ndarray) -> np.ndarray:
        """Return True where an event of the given probability happens."""
        return self.uniform(len(probabilities)) < probabilities

    def shuffled(self, count: int) -> np.ndarray:
        """Return the integers below `count` in a random order."""
        return np.argsort(self.uniform(count), kind="stable")


class Urns:
    """Groups of members with integer weights; one member is drawn per asked group.

    Parameters
    ----------
    weights
        One row per group, one column per member; integers, zero where the member is not in the group.
        Each row needs a positive weight.
    """

    def __init__(self, weights: np.ndarray):
        groups, self._members = np.nonzero(weights)
        self._edges = np.cumsum(weights[groups, self._members])
        self._after = np.cumsum(weights.sum(axis=1))
        self._before = self._after - weights.sum(axis=1)

    def draw(self, groups: np.ndarray, dice: Dice) -> np.ndarray:
        """Return one member for each group number in `groups`."""
        low = self._before[groups]
        place = low + dice.below(self._after[groups] - low)
        drawn: np.ndarray = self._members[np.searchsorted(self._edges, place, side="right")]
        return drawn
