"""From log-odds to ranked lists with softmax scores, one row at a time, in compiled code.

The normaliser over the whole catalogue has a closed form, since all items that a row's state does not touch share the
popularity prior. What a user has already met competes in its own small softmax, weighted by how often people of this
dataset come back to an item at all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.recipes.compiled import compiled, inlined, over_ranges
from personalize_nb.local.recipes.eligible import Eligible, eligible, following_items, leading_items, mark_exceptions
from personalize_nb.local.recipes.heap import offer, sift
from personalize_nb.local.recipes.scoring import BLOCK, ScoredCatalogue, States, logits


class Exploration(NamedTuple):
    """Items that may be explored, the boost of each, and the strength of chance; empty arrays explore nothing."""

    items: np.ndarray
    boost: np.ndarray
    seed: int

    @classmethod
    def none(cls) -> Exploration:
        return cls(np.empty(0, np.int64), np.empty(0, np.float32), 0)


class Ranking(NamedTuple):
    """The best of each row, padded with -1."""

    items: np.ndarray
    scores: np.ndarray


class _Chances(NamedTuple):
    """What chance lifts in a row, and what makes it the row's own."""

    items: np.ndarray
    boost: np.ndarray
    seed: np.uint64
    row_keys: np.ndarray


class _Scratch(NamedTuple):
    """One thread's space, empty between rows.

    The score of each item (NaN where nothing touched it); the touched items and their masses; of each item whether the
    row has met it, and whether it is an exception of the row's mask; the heap of the best.
    """

    scores: np.ndarray
    touched: np.ndarray
    masses: np.ndarray
    met: np.ndarray
    exceptions: np.ndarray
    heap_keys: np.ndarray
    heap_ids: np.ndarray


class _Softmax(NamedTuple):
    """How a row's masses become probabilities.

    Masses are relative to exp(the highest score), so that nothing overflows. `common` is what the prior of an item
    without a score is multiplied by; where `below` is set such items have no share and come last. `scale` makes
    masses probabilities among what was not met, and `seen_mass` is the sum of the weights of what was.
    """

    common: float
    below: bool
    scale: float
    seen_mass: float


def rank_rows(
    catalogue: ScoredCatalogue,
    states: States,
    k: int,
    allowed: Allowed | None = None,
    exploration: Exploration | None = None,
    row_keys: np.ndarray | None = None,
    unscored: bool = False,
) -> Ranking:
    """Return the best `k` items of each row and their probabilities over the catalogue.

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
    catalogue = catalogue.read_only()
    ranked = Ranking(np.full((states.rows, k), -1, np.int64), np.zeros((states.rows, k), np.float64))
    items, boost, seed = exploration or Exploration.none()
    keys = np.zeros(states.rows, np.uint64) if row_keys is None else row_keys.astype(np.uint64)
    chances = _Chances(items, boost, np.uint64(seed), keys)
    if allowed is None:
        allowed = Allowed.everything(states.rows, len(catalogue.prior))
    choice = eligible(allowed, catalogue.by_prior, k)

    def work(first: int, last: int) -> None:
        _rank_rows(catalogue, states, chances, choice, unscored, first, last, ranked)

    over_ranges(work, states.rows, BLOCK)
    return ranked


@compiled
def _rank_rows(
    catalogue: ScoredCatalogue,
    states: States,
    chances: _Chances,
    choice: Eligible,
    unscored: bool,
    first: int,
    last: int,
    ranked: Ranking,
) -> None:
    scratch = _scratch(len(catalogue.prior), ranked.items.shape[1])
    for row in range(first, last):
        mark_exceptions(choice, row, scratch.exceptions, True)
        mask = choice.masks[choice.mask_of[row]]
        n_touched = logits(catalogue, states, row, scratch.scores, scratch.touched)
        highest, best = _peak(catalogue, scratch, n_touched)
        if len(chances.items) > 0:
            n_touched, highest = _explore(catalogue, chances, row, scratch, n_touched, highest, best)
        softmax = _softmax(catalogue, states, row, scratch, n_touched, highest, unscored)
        size = _offer_touched(scratch, n_touched, softmax.scale, mask)
        size = _offer_met(scratch, states, row, softmax.seen_mass, mask, size)
        size, added = _offer_popular(leading_items(choice, row), catalogue, scratch, softmax, mask, size, 0)
        rest = following_items(choice, row, catalogue.by_prior)
        size, _ = _offer_popular(rest, catalogue, scratch, softmax, mask, size, added)
        size = _offer_exceptions(choice, row, catalogue, scratch, softmax, mask, size)
        _write_best(scratch, size, ranked.items[row], ranked.scores[row])
        _clear(scratch, n_touched, states, row)
        mark_exceptions(choice, row, scratch.exceptions, False)


@inlined
def _scratch(n_items: int, k: int) -> _Scratch:
    return _Scratch(
        np.full(n_items, np.nan, np.float32),
        np.empty(n_items, np.int32),
        np.empty(n_items, np.float64),
        np.zeros(n_items, np.bool_),
        np.zeros(n_items, np.bool_),
        np.empty(k, np.float64),
        np.empty(k, np.int64),
    )


@inlined
def _peak(catalogue: ScoredCatalogue, scratch: _Scratch, n_touched: int) -> tuple[float, int]:
    """Return the highest score, 0 at least, and the item that has it."""
    scores, touched = scratch.scores, scratch.touched
    highest = 0.0
    best = catalogue.by_prior[0]
    for t in range(n_touched):
        item = touched[t]
        if scores[item] > highest:
            highest = scores[item]
            best = item
    return highest, best


@inlined
def _explore(
    catalogue: ScoredCatalogue,
    chances: _Chances,
    row: int,
    scratch: _Scratch,
    n_touched: int,
    highest: float,
    best: int,
) -> tuple[int, float]:
    """Lift the new items; return how many items are touched now, and the highest score.

    A boost of 1 lifts a new item by its distance to the user's own best; chance decides whom it reaches.
    """
    prior, scores, touched = catalogue.prior, scratch.scores, scratch.touched
    items, boost, key = chances.items, chances.boost, chances.row_keys[row]
    summit = max(highest + np.log(prior[best]), np.log(prior[catalogue.by_prior[0]]))
    for e in range(len(items)):
        item = items[e]
        if np.isnan(scores[item]):
            scores[item] = 0.0
            touched[n_touched] = item
            n_touched += 1
        distance = max(summit - np.float64(scores[item]) - np.log(prior[item]), 1.0)
        lift = np.float32(boost[e] * distance * (0.5 + _chance(chances.seed, key, item)))
        scores[item] += lift
        highest = max(highest, np.float64(scores[item]))
    return n_touched, highest


@compiled
def _chance(seed: np.uint64, row_key: np.uint64, item: int) -> float:
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


@inlined
def _softmax(
    catalogue: ScoredCatalogue,
    states: States,
    row: int,
    scratch: _Scratch,
    n_touched: int,
    highest: float,
    unscored: bool,
) -> _Softmax:
    """Mark what the row has met, write the masses of touched items, and return the rest of what makes probabilities."""
    prior, scores, touched, masses = catalogue.prior, scratch.scores, scratch.touched, scratch.masses
    below = unscored and n_touched > 0
    common = 0.0 if below else np.exp(-highest)
    mass = catalogue.prior_mass * common
    for t in range(n_touched):
        item = touched[t]
        masses[t] = prior[item] * np.exp(np.float64(scores[item]) - highest)
        mass += masses[t] - prior[item] * common
    seen_mass = 0.0
    met, seen, weights = scratch.met, states.seen_idx, states.seen_val
    for p in range(states.seen_ptr[row], states.seen_ptr[row + 1]):
        item = seen[p]
        met[item] = True
        seen_mass += weights[p]
        if below and np.isnan(scores[item]):
            continue
        logit = 0.0 if np.isnan(scores[item]) else np.float64(scores[item])
        mass -= prior[item] * np.exp(logit - highest)
    return _Softmax(common, below, (1.0 - states.again[row]) / max(mass, 1e-300), seen_mass)


@inlined
def _offer_touched(scratch: _Scratch, n_touched: int, scale: float, mask: np.ndarray) -> int:
    """Offer the new items that something speaks for; return the heap's size."""
    keys, ids, met, exceptions = scratch.heap_keys, scratch.heap_ids, scratch.met, scratch.exceptions
    touched, masses = scratch.touched, scratch.masses
    k = len(keys)
    size = 0
    for t in range(n_touched):
        item = touched[t]
        key = masses[t] * scale
        # nearly all are too low: that is asked first, because it costs least
        if (size == k and key < keys[0]) or met[item] or mask[item] == exceptions[item]:
            continue
        size = offer(keys, ids, size, k, key, item)
    return size


@inlined
def _offer_met(scratch: _Scratch, states: States, row: int, seen_mass: float, mask: np.ndarray, size: int) -> int:
    """Offer what the row has met before, if people come back; return the heap's size."""
    keys, ids, exceptions = scratch.heap_keys, scratch.heap_ids, scratch.exceptions
    again, seen, weights = states.again[row], states.seen_idx, states.seen_val
    for p in range(states.seen_ptr[row], states.seen_ptr[row + 1]):
        item = seen[p]
        if again <= 0.0 or mask[item] == exceptions[item]:
            continue
        key = again * weights[p] / seen_mass
        size = offer(keys, ids, size, len(keys), key, item)
    return size


@inlined
def _offer_popular(
    items: np.ndarray,
    catalogue: ScoredCatalogue,
    scratch: _Scratch,
    softmax: _Softmax,
    mask: np.ndarray,
    size: int,
    added: int,
) -> tuple[int, int]:
    """Offer those of some items, by falling prior, that nothing speaks for; return the heap's size and how many."""
    prior, scores, met, exceptions = catalogue.prior, scratch.scores, scratch.met, scratch.exceptions
    keys, ids = scratch.heap_keys, scratch.heap_ids
    k = len(keys)
    rest = softmax.common * softmax.scale
    for item in items:
        key = prior[item] - 2.0 if softmax.below else prior[item] * rest
        # the keys fall, so that the first one too low ends the search
        if added == k or (size == k and key < keys[0]):
            break
        if exceptions[item] or met[item] or not np.isnan(scores[item]) or not mask[item]:
            continue
        size = offer(keys, ids, size, k, key, item)
        added += 1
    return size, added


@inlined
def _offer_exceptions(
    choice: Eligible,
    row: int,
    catalogue: ScoredCatalogue,
    scratch: _Scratch,
    softmax: _Softmax,
    mask: np.ndarray,
    size: int,
) -> int:
    """Offer what the row has beyond its mask and nothing speaks for; return the heap's size."""
    prior, scores, met, idx = catalogue.prior, scratch.scores, scratch.met, choice.idx
    keys, ids = scratch.heap_keys, scratch.heap_ids
    rest = softmax.common * softmax.scale
    for p in range(choice.ptr[row], choice.ptr[row + 1]):
        item = idx[p]
        if mask[item] or met[item] or not np.isnan(scores[item]):
            continue
        key = prior[item] - 2.0 if softmax.below else prior[item] * rest
        size = offer(keys, ids, size, len(keys), key, item)
    return size


@inlined
def _write_best(scratch: _Scratch, size: int, items: np.ndarray, scores: np.ndarray) -> None:
    """Empty the heap into a row of the output, the best first."""
    keys, ids = scratch.heap_keys, scratch.heap_ids
    for slot in range(size - 1, -1, -1):
        items[slot] = ids[0]
        scores[slot] = max(keys[0], 0.0)
        keys[0] = keys[slot]
        ids[0] = ids[slot]
        sift(keys, ids, slot)


@inlined
def _clear(scratch: _Scratch, n_touched: int, states: States, row: int) -> None:
    scores, touched, met, seen = scratch.scores, scratch.touched, scratch.met, states.seen_idx
    for t in range(n_touched):
        scores[touched[t]] = np.nan
    for p in range(states.seen_ptr[row], states.seen_ptr[row + 1]):
        met[seen[p]] = False
