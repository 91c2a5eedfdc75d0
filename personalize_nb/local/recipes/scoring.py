"""From a sparse item-item matrix to ranked lists with softmax scores, one row at a time, in compiled code.

A row's state is a short list of items with weights. Its scores touch only the items those rows of the matrix
reach; every other item shares the popularity prior, so the normaliser over the whole catalogue has a closed form
and the work of a row does not grow with the catalogue. What a user has already met competes in its own small
softmax, weighted by how often people of this dataset come back to an item at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.recipes.compiled import compiled, over_ranges
from personalize_nb.local.recipes.heap import offer, sift

_BLOCK = 256
# Popular items looked up once for each mask of a filter, and cells of all such lists.
_POPULAR, _POPULAR_CELLS = 4096, 4_000_000


@dataclass(frozen=True)
class States:
    """Rows to score: row r holds items `idx[ptr[r]:ptr[r+1]]` with weights `val`, and has met `seen` items.

    `again` is the probability mass that seen items share; 0 and an empty `seen` row mean nothing was met before.
    """

    ptr: np.ndarray
    idx: np.ndarray
    val: np.ndarray
    seen_ptr: np.ndarray
    seen_idx: np.ndarray
    seen_val: np.ndarray
    again: np.ndarray

    def __len__(self) -> int:
        return len(self.ptr) - 1


@dataclass(frozen=True)
class ScoredCatalogue:
    """What all rows share: the matrix (CSR by source), the prior of each item, and items by falling prior."""

    ptr: np.ndarray
    idx: np.ndarray
    val: np.ndarray
    prior: np.ndarray
    by_prior: np.ndarray
    prior_mass: float

    def __post_init__(self) -> None:
        # read-only like arrays from the disk: a kernel would be compiled anew for ones that can be written to
        for name in ("ptr", "idx", "val", "prior", "by_prior"):
            fixed = getattr(self, name).view()
            fixed.flags.writeable = False
            object.__setattr__(self, name, fixed)


@dataclass(frozen=True)
class Exploration:
    """Items that may be explored, the boost of each, and the strength of chance; empty arrays explore nothing."""

    items: np.ndarray
    boost: np.ndarray
    seed: int

    @classmethod
    def none(cls) -> Exploration:
        return cls(np.empty(0, np.int64), np.empty(0, np.float32), 0)


@compiled
def _chance(seed, row_key, item):
    """Return a number in [0, 1) that depends on nothing but its arguments (splitmix64)."""
    z = (
        np.uint64(seed)
        + np.uint64(row_key) * np.uint64(0x9E3779B97F4A7C15)
        + np.uint64(item + 1) * np.uint64(0xD1342543DE82EF95)
    )
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) / 9007199254740992.0


@compiled
def _logits(ptr, idx, val, s_idx, s_val, begin, end, scores, touched):
    """Add the state's rows of the matrix into `scores`; return how many items they touch."""
    n_touched = 0
    for p in range(begin, end):
        weight = s_val[p]
        source = s_idx[p]
        for q in range(ptr[source], ptr[source + 1]):
            item = idx[q]
            if np.isnan(scores[item]):
                scores[item] = 0.0
                touched[n_touched] = item
                n_touched += 1
            scores[item] += weight * val[q]
    return n_touched


@compiled
def _rank_rows(
    ptr,
    idx,
    val,
    prior,
    by_prior,
    prior_mass,
    s_ptr,
    s_idx,
    s_val,
    seen_ptr,
    seen_idx,
    seen_val,
    again,
    keys_of_rows,
    explored,
    boost,
    seed,
    masks,
    mask_of,
    other_ptr,
    other_idx,
    popular,
    n_popular,
    popular_end,
    unscored,
    first,
    last,
    k,
    out_items,
    out_scores,
):
    n_items = len(prior)
    scores = np.full(n_items, np.nan, np.float32)
    touched = np.empty(n_items, np.int32)
    masses = np.empty(n_items, np.float64)
    met = np.zeros(n_items, np.bool_)
    heap_keys = np.empty(k, np.float64)
    heap_ids = np.empty(k, np.int64)
    other = np.zeros(n_items, np.bool_)
    for row in range(first, last):
        allowed = masks[mask_of[row]]
        for p in range(other_ptr[row], other_ptr[row + 1]):
            other[other_idx[p]] = True
        n_touched = _logits(ptr, idx, val, s_idx, s_val, s_ptr[row], s_ptr[row + 1], scores, touched)
        mass = prior_mass
        highest = 0.0
        best = by_prior[0]
        for t in range(n_touched):
            item = touched[t]
            if scores[item] > highest:
                highest = scores[item]
                best = item
        if len(explored) > 0:
            # A boost of 1 lifts a new item by its distance to the user's own best; chance decides whom it reaches.
            summit = max(highest + np.log(prior[best]), np.log(prior[by_prior[0]]))
            for e in range(len(explored)):
                item = explored[e]
                if np.isnan(scores[item]):
                    scores[item] = 0.0
                    touched[n_touched] = item
                    n_touched += 1
                distance = max(summit - np.float64(scores[item]) - np.log(prior[item]), 1.0)
                lift = np.float32(boost[e] * distance * (0.5 + _chance(seed, keys_of_rows[row], item)))
                scores[item] += lift
                highest = max(highest, np.float64(scores[item]))
        # Probabilities relative to exp(highest), so that nothing overflows; items without a score have no share.
        below = unscored and n_touched > 0
        common = 0.0 if below else np.exp(-highest)
        mass *= common
        for t in range(n_touched):
            item = touched[t]
            masses[t] = prior[item] * np.exp(np.float64(scores[item]) - highest)
            mass += masses[t] - prior[item] * common
        seen_mass = 0.0
        for p in range(seen_ptr[row], seen_ptr[row + 1]):
            item = seen_idx[p]
            met[item] = True
            seen_mass += seen_val[p]
            if below and np.isnan(scores[item]):
                continue
            logit = 0.0 if np.isnan(scores[item]) else np.float64(scores[item])
            mass -= prior[item] * np.exp(logit - highest)
        share = 1.0 - again[row]
        scale = share / max(mass, 1e-300)
        size = 0
        for t in range(n_touched):
            item = touched[t]
            key = masses[t] * scale
            # nearly all are too low: that is asked first, because it costs least
            if (size == k and key < heap_keys[0]) or met[item] or allowed[item] == other[item]:
                continue
            size = offer(heap_keys, heap_ids, size, k, key, item)
        for p in range(seen_ptr[row], seen_ptr[row + 1]):
            item = seen_idx[p]
            if again[row] <= 0.0 or allowed[item] == other[item]:
                continue
            key = again[row] * seen_val[p] / seen_mass
            size = offer(heap_keys, heap_ids, size, k, key, item)
        # What nothing speaks for comes by popularity; the keys fall, so that the first one too low ends the search.
        rest = common * scale
        added = 0
        group = mask_of[row]
        for p in range(n_popular[group] + n_items - popular_end[group]):
            listed = p < n_popular[group]
            item = popular[group, p] if listed else by_prior[popular_end[group] + p - n_popular[group]]
            key = prior[item] - 2.0 if below else prior[item] * rest
            if added == k or (size == k and key < heap_keys[0]):
                break
            if other[item] or met[item] or not np.isnan(scores[item]) or not allowed[item]:
                continue
            size = offer(heap_keys, heap_ids, size, k, key, item)
            added += 1
        for p in range(other_ptr[row], other_ptr[row + 1]):
            item = other_idx[p]
            if allowed[item] or met[item] or not np.isnan(scores[item]):
                continue
            key = prior[item] - 2.0 if below else prior[item] * rest
            size = offer(heap_keys, heap_ids, size, k, key, item)
        for slot in range(size - 1, -1, -1):
            out_items[row, slot] = heap_ids[0]
            out_scores[row, slot] = max(heap_keys[0], 0.0)
            heap_keys[0] = heap_keys[slot]
            heap_ids[0] = heap_ids[slot]
            sift(heap_keys, heap_ids, slot)
        for t in range(n_touched):
            scores[touched[t]] = np.nan
        for p in range(seen_ptr[row], seen_ptr[row + 1]):
            met[seen_idx[p]] = False
        for p in range(other_ptr[row], other_ptr[row + 1]):
            other[other_idx[p]] = False


@compiled
def _first_allowed(masks, order, most, out, n_out, end):
    """Write the first `most` items of `order` that each mask allows, their number, and where the search ended."""
    for group in range(len(masks)):
        found = 0
        place = 0
        while place < len(order) and found < most:
            if masks[group, order[place]]:
                out[group, found] = order[place]
                found += 1
            place += 1
        n_out[group] = found
        end[group] = place


def first_allowed(allowed: Allowed, order: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Look up the first items of an order for each mask, where rows share masks: (items, how many, where it ended)."""
    masks = allowed.masks
    most = min(len(order), k + _POPULAR, _POPULAR_CELLS // len(masks)) if 4 * len(masks) <= len(allowed) else 0
    found = np.empty((len(masks), most), np.int64)
    counts, ends = np.zeros(len(masks), np.int64), np.zeros(len(masks), np.int64)
    _first_allowed(masks, order, most, found, counts, ends)
    return found, counts, ends


def rank_rows(
    catalogue: ScoredCatalogue,
    states: States,
    k: int,
    allowed: Allowed | None = None,
    exploration: Exploration | None = None,
    row_keys: np.ndarray | None = None,
    unscored: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best `k` items of each row and their probabilities over the catalogue, padded with -1.

    Parameters
    ----------
    allowed
        The items of each row; those that are not allowed are left out, but keep their share of the softmax.
    exploration, row_keys
        Items to explore, and a number per row that makes its chance its own.
    unscored
        Whether items that nothing speaks for come last with a score of 0, in the order of popularity, instead of
        competing by the prior. Rows whose every item is such keep the prior's scores.
    """
    k = min(k, len(catalogue.prior))
    items = np.full((len(states), k), -1, np.int64)
    scores = np.zeros((len(states), k), np.float64)
    explored = exploration or Exploration.none()
    keys = np.zeros(len(states), np.uint64) if row_keys is None else row_keys.astype(np.uint64)
    if allowed is None:
        allowed = Allowed.everything(len(states), len(catalogue.prior))
    popular, n_popular, popular_end = first_allowed(allowed, catalogue.by_prior, k)

    def work(first: int, last: int) -> None:
        _rank_rows(
            catalogue.ptr,
            catalogue.idx,
            catalogue.val,
            catalogue.prior,
            catalogue.by_prior,
            catalogue.prior_mass,
            states.ptr,
            states.idx,
            states.val,
            states.seen_ptr,
            states.seen_idx,
            states.seen_val,
            states.again,
            keys,
            explored.items,
            explored.boost,
            np.uint64(explored.seed),
            allowed.masks,
            allowed.mask_of,
            allowed.ptr,
            allowed.idx,
            popular,
            n_popular,
            popular_end,
            unscored,
            first,
            last,
            k,
            items,
            scores,
        )

    over_ranges(work, len(states), _BLOCK)
    return items, scores


@compiled
def _score_pairs(ptr, idx, val, prior, s_ptr, s_idx, s_val, q_ptr, q_idx, first, last, out):
    scores = np.full(len(prior), np.nan, np.float32)
    touched = np.empty(len(prior), np.int32)
    for row in range(first, last):
        n_touched = _logits(ptr, idx, val, s_idx, s_val, s_ptr[row], s_ptr[row + 1], scores, touched)
        for q in range(q_ptr[row], q_ptr[row + 1]):
            item = q_idx[q]
            if item < 0:
                out[q] = -np.inf
            else:
                logit = 0.0 if np.isnan(scores[item]) else np.float64(scores[item])
                out[q] = logit + np.log(prior[item])
        for t in range(n_touched):
            scores[touched[t]] = np.nan


def score_pairs(catalogue: ScoredCatalogue, states: States, q_ptr: np.ndarray, q_idx: np.ndarray) -> np.ndarray:
    """Return the log-odds of given items: row r asks for `q_idx[q_ptr[r]:q_ptr[r+1]]`; -1 asks for an unknown one.

    That an item was met before does not count against it here: who hands over a list wants it in order of taste.
    """
    out = np.empty(len(q_idx), np.float64)

    def work(first: int, last: int) -> None:
        _score_pairs(
            catalogue.ptr,
            catalogue.idx,
            catalogue.val,
            catalogue.prior,
            states.ptr,
            states.idx,
            states.val,
            q_ptr,
            q_idx,
            first,
            last,
            out,
        )

    over_ranges(work, len(states), _BLOCK)
    return out
