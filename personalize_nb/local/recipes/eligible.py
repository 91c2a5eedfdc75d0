"""Which items each row of a block may get, as compiled kernels read it, with the first of an order looked up once.

A filter gives few masks that many rows share. Where they do, the first items of an order that a mask allows are found
once for the mask, and not again for each of its rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.recipes.compiled import compiled, inlined

# Items looked up once for each mask of a filter, and cells of all such lists.
_LEADING, _LEADING_CELLS = 4096, 4_000_000


class Eligible(NamedTuple):
    """The masks of `Allowed`, what each row has or lacks beside its mask, and the first items that each mask allows.

    Row r allows `masks[mask_of[r]]` except for `idx[ptr[r]:ptr[r+1]]`, where it is the other way round. Mask m allows
    `leading[m, :n_leading[m]]`; the search of the order ended at the place `ends[m]`.
    """

    masks: np.ndarray
    mask_of: np.ndarray
    ptr: np.ndarray
    idx: np.ndarray
    leading: np.ndarray
    n_leading: np.ndarray
    ends: np.ndarray


@compiled
def _first_allowed(
    masks: np.ndarray, order: np.ndarray, most: int, leading: np.ndarray, n_leading: np.ndarray, ends: np.ndarray
) -> None:
    """Write the first `most` items of `order` that each mask allows, their number, and where the search ended."""
    for mask in range(len(masks)):
        n = 0
        place = 0
        while place < len(order) and n < most:
            if masks[mask, order[place]]:
                leading[mask, n] = order[place]
                n += 1
            place += 1
        n_leading[mask] = n
        ends[mask] = place


def eligible(allowed: Allowed, order: np.ndarray, k: int) -> Eligible:
    """Return what rows may have, with the first items of an order for each mask, where rows share masks."""
    masks = allowed.masks
    most = min(len(order), k + _LEADING, _LEADING_CELLS // len(masks)) if 4 * len(masks) <= len(allowed) else 0
    leading = np.empty((len(masks), most), np.int64)
    n_leading, ends = np.zeros(len(masks), np.int64), np.zeros(len(masks), np.int64)
    _first_allowed(masks, order, most, leading, n_leading, ends)
    return Eligible(masks, allowed.mask_of, allowed.ptr, allowed.idx, leading, n_leading, ends)


@inlined
def mark_exceptions(choice: Eligible, row: int, marks: np.ndarray, mark: bool) -> None:
    """Set or clear the marks of the items in which a row differs from its mask."""
    idx = choice.idx
    for p in range(choice.ptr[row], choice.ptr[row + 1]):
        marks[idx[p]] = mark


@inlined
def leading_items(choice: Eligible, row: int) -> np.ndarray:
    """Return the first items of the order that the row's mask allows."""
    mask = choice.mask_of[row]
    return choice.leading[mask, : choice.n_leading[mask]]


@inlined
def following_items(choice: Eligible, row: int, order: np.ndarray) -> np.ndarray:
    """Return the rest of the order, where nobody has looked yet."""
    return order[choice.ends[choice.mask_of[row]] :]
