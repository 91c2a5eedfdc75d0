"""Which columns (items, or users) each row of a block may have, without a cell for every row and column.

Rows share a few dense masks, one per distinct answer of a filter's conditions, and each row lists the columns where
it differs from its mask: a user's own events are such exceptions. Intersection and union work on masks and
exceptions alone, so that their cost grows with both and not with rows x columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Allowed:
    """A set of columns for each row.

    Parameters
    ----------
    masks
        `bool [m, width]`.
    mask_of
        The number of each row's mask.
    ptr, idx
        Row r differs from its mask in the columns `idx[ptr[r]:ptr[r + 1]]`, which are distinct and rising.
    """

    masks: np.ndarray
    mask_of: np.ndarray
    ptr: np.ndarray
    idx: np.ndarray

    @classmethod
    def shared(cls, masks: np.ndarray, mask_of: np.ndarray) -> Allowed:
        """Rows without exceptions: row r has exactly `masks[mask_of[r]]`."""
        rows = len(mask_of)
        return cls(masks, np.asarray(mask_of, np.int64), np.zeros(rows + 1, np.int64), np.empty(0, np.int64))

    @classmethod
    def dense(cls, cells: np.ndarray) -> Allowed:
        """Take a `bool [rows, width]` as it is."""
        return cls.shared(np.ascontiguousarray(cells, bool), np.arange(len(cells)))

    @classmethod
    def everything(cls, rows: int, width: int) -> Allowed:
        """Allow all columns in all rows."""
        return cls.shared(np.ones((1, width), bool), np.zeros(rows, np.int64))

    @classmethod
    def by_flag(cls, flags: np.ndarray, width: int) -> Allowed:
        """Allow all columns in the rows whose flag is set, and none in the others."""
        return cls.shared(np.repeat([[False], [True]], width, axis=1), np.asarray(flags, np.int64))

    @classmethod
    def listed(cls, owners: np.ndarray, columns: np.ndarray, rows: int, width: int) -> Allowed:
        """Allow exactly the pairs (owner, column), in any order and perhaps more than once."""
        none = cls.shared(np.zeros((1, width), bool), np.zeros(rows, np.int64))
        cells = np.sort(owners.astype(np.int64) * width + columns)
        return none._with_cells(cells[np.append(True, cells[1:] != cells[:-1])[: len(cells)]])

    def __len__(self) -> int:
        return len(self.mask_of)

    @property
    def width(self) -> int:
        return int(self.masks.shape[1])

    def __and__(self, other: Allowed) -> Allowed:
        return self._combined(np.logical_and, other)

    def __or__(self, other: Allowed) -> Allowed:
        return self._combined(np.logical_or, other)

    def __invert__(self) -> Allowed:
        return Allowed(~self.masks, self.mask_of, self.ptr, self.idx)

    def take(self, rows: np.ndarray) -> Allowed:
        """Return some rows, in the order given."""
        rows = np.asarray(rows, np.int64)
        lengths = self.ptr[rows + 1] - self.ptr[rows]
        ptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        picked = np.repeat(self.ptr[rows] - ptr[:-1], lengths) + np.arange(ptr[-1])
        used, mask_of = np.unique(self.mask_of[rows], return_inverse=True)
        return Allowed(self.masks[used], mask_of, ptr, self.idx[picked])

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Tell for pairs of row and column whether each is allowed."""
        return self._at(np.asarray(rows, np.int64) * self.width + columns)

    def cells(self) -> np.ndarray:
        """Return all of it as `bool [rows, width]`."""
        cells: np.ndarray = self.masks[self.mask_of]
        owners = np.repeat(np.arange(len(self)), np.diff(self.ptr))
        cells[owners, self.idx] ^= True
        return cells

    @cached_property
    def _cells(self) -> np.ndarray:
        """The exceptions as numbers row x width + column, rising."""
        cells: np.ndarray = np.repeat(np.arange(len(self)) * self.width, np.diff(self.ptr)) + self.idx
        return cells

    def _at(self, cells: np.ndarray) -> np.ndarray:
        rows, columns = np.divmod(cells, max(1, self.width))
        allowed: np.ndarray = self.masks[self.mask_of[rows], columns]
        if len(self._cells):
            place = np.minimum(np.searchsorted(self._cells, cells), len(self._cells) - 1)
            allowed = allowed ^ (self._cells[place] == cells)
        return allowed

    def _with_cells(self, cells: np.ndarray) -> Allowed:
        rows, columns = np.divmod(cells, max(1, self.width))
        ptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(self))))).astype(np.int64)
        return Allowed(self.masks, self.mask_of, ptr, columns)

    def _combined(self, operation: np.ufunc, other: Allowed) -> Allowed:
        pairs = self.mask_of * len(other.masks) + other.mask_of
        if len(self.masks) * len(other.masks) == 1:
            used, mask_of = np.zeros(1, np.int64), pairs
        else:
            used, mask_of = np.unique(pairs, return_inverse=True)
        mine, others = np.divmod(used, len(other.masks))
        result = Allowed.shared(operation(self.masks[mine], other.masks[others]), mask_of)
        if not len(self.idx) and not len(other.idx):
            return result
        cells = self._cells if not len(other.idx) else other._cells
        if len(self.idx) and len(other.idx):
            cells = np.sort(np.concatenate((self._cells, other._cells)))
            cells = cells[np.append(True, cells[1:] != cells[:-1])]
        values = operation(self._at(cells), other._at(cells))
        return result._with_cells(cells[values != result._at(cells)])
