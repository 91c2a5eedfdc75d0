"""The learnt heart of User-Personalization and Personalized-Ranking: who comes next after these items.

Three item-item matrices are added, scaled to the same strength: LSR (a regression in which order matters), EASE (one
in which company matters, and on small data what metadata say, too) and the plain counts of what came after, which are
right where data are too few to regress. A user's state is a fading memory of the newest steps and a faint one that
lasts. Probabilities are a softmax over the catalogue of state x matrix, on top of a slight popularity prior. How sharp
it is and how fast the memory fades are fitted on held-back users. How often people come back to an item they know is
counted, not assumed: where nobody does, items already met sink below real suggestions. They are not removed: Amazon
filters them only on request.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import sparse

from personalize_nb.local.recipes import sharpness
from personalize_nb.local.recipes.counts import company, succession
from personalize_nb.local.recipes.ease import affordable, ease
from personalize_nb.local.recipes.heap import largest, unit_maximum
from personalize_nb.local.recipes.history import Sequences
from personalize_nb.local.recipes.ridge import local_ridge
from personalize_nb.local.recipes.scoring import ScoredCatalogue, States

# How far back the state of a user reaches while it is learnt, and how fast it fades; how many items may predict one,
# and the penalty, which goes with the size of the counts.
WINDOW, TAU, LSR_MOST, LSR_PENALTY = 40, 16.0, 200, 400.0
# What larger data may cost: steps x window (a window of at least the share _LEAST_WINDOW), items x predictors squared,
# and pairs of items of a user that count as company.
_MOST_STEPS_BACK, _LEAST_WINDOW, _MOST_CELLS, _MOST_COMPANY = 120_000_000, 0.4, 400_000_000, 50_000_000
# The newest steps of a user that count as company, at the least and the most: older ones say little of what comes next.
_FEWEST_OF_COMPANY, _MOST_OF_COMPANY = 20, 200
# EASE in closed form, and its local form.
EASE_MOST, EASE_PENALTY = 256, 300.0
LOCAL_EASE_MOST, LOCAL_EASE_PENALTY = 128, 200.0
# What is met often is predicted by everything: a target's column is divided by this power of its popularity, and
# plain counts, which nothing else corrects, by a higher one.
DISCOUNT, AFTER_DISCOUNT = 0.2, 0.4
# How much each matrix says.
LSR_SHARE, EASE_SHARE, AFTER_SHARE = 0.2, 0.5, 0.45
# Entries of the whole matrix, and of a row at the least and the most: the rest moves no list and costs time.
_ENTRIES, _ROW_LEAST, _ROW_MOST = 3_200_000, 64, 350
# The memory of a user at scoring: a step of some age weighs exp(-age / memory) + EVER, up to the newest HISTORY. How
# fast it fades is fitted, too.
MEMORIES, EVER, HISTORY = (6.0, 12.0, 24.0), 0.06, 200
# Among items already met the newest come first, by exp(-age / AGAIN).
AGAIN = 60.0
# Items already met share at least this probability: below any real suggestion, above what nothing speaks for.
LEAST_AGAIN = 0.002
# By this share of the steps of so many users temperature and memory are chosen.
_ASKED, _FEWEST_HELD_BACK, _HELD_BACK_USERS, _HELD_BACK_CELLS = 0.1, 5, 400, 8_000_000
# They are fitted on a model of half the data, of so many steps at least; larger data are learnt once for both.
_FEWEST_STEPS_TO_FIT, _MOST_STEPS_TO_LEARN_TWICE = 20_000, 300_000
# Where too few users can be held back to fit one; the memory is then the first.
_TEMPERATURE = 1.0
# What a factor e of popularity adds to a score before the temperature: it orders what nothing else does. Held-back
# likelihood would choose a thousand times more, and held-back rankings would suffer for it.
POPULARITY_SHARE = 0.002


@dataclass(frozen=True)
class Settings:
    """What hyperparameters change of the models.

    Parameters
    ----------
    recency
        Whether newer steps say more.
    capacity
        How many other items may predict an item, relative to the default.
    reach
        How many steps back the models look, relative to the default.
    """

    recency: bool = True
    capacity: float = 1.0
    reach: float = 1.0

    @staticmethod
    def scaled(number: float, by: float) -> int:
        return max(1, round(number * by))


DEFAULT = Settings()


@dataclass(frozen=True)
class Fit:
    """What the data taught: softmax temperature and memory (from held-back users), how often people come back."""

    temperature: float
    again: float
    memory: float = MEMORIES[0]

    @property
    def prior_power(self) -> float:
        """The power of popularity in the prior, so that temperature changes scores but never the order."""
        return POPULARITY_SHARE / self.temperature


@dataclass(frozen=True)
class Means:
    """What data of a size are learnt with: shares of the window and of the predictors, and the steps of company."""

    window: float
    predictors: float
    newest: int


def means_of(sequences: Sequences) -> Means:
    """Spend on small data what helps, and on large data an amount that grows with them and not faster."""
    steps, lengths = max(1, len(sequences.items)), np.diff(sequences.starts)
    window = float(np.clip(_MOST_STEPS_BACK / (steps * WINDOW), _LEAST_WINDOW, 1.0))
    predictors = min(1.0, float(np.sqrt(_MOST_CELLS / max(1, sequences.n_items))) / LSR_MOST)
    newest = _MOST_OF_COMPANY
    while newest > _FEWEST_OF_COMPANY and (np.minimum(lengths, newest) ** 2).sum() > _MOST_COMPANY:
        newest = int(0.8 * newest)
    return Means(window, predictors, newest)


def learn(
    sequences: Sequences,
    settings: Settings = DEFAULT,
    means: Means | None = None,
    features: sparse.csr_matrix | None = None,
) -> sparse.csr_matrix:
    """Return the sum of the matrices, a row per source item, its largest entries only.

    `means` is what to learn with; None decides by the size of the data. `features` is what metadata say of each item:
    it helps where the closed form of EASE is affordable, on larger data it is no news.
    """
    n_items = sequences.n_items
    steps = np.bincount(sequences.items, minlength=n_items)
    means = means or means_of(sequences)
    window = settings.scaled(means.window * WINDOW, settings.reach)
    decay = float(np.exp(-1.0 / (means.window * TAU if settings.recency else window)))
    most = settings.scaled(means.predictors * LSR_MOST, settings.capacity)
    before, gram = succession(sequences, window, decay, most)
    ordered = local_ridge(before, gram, steps, most, means.window * LSR_PENALTY)
    parts = [
        (LSR_SHARE, _discounted(ordered, steps, DISCOUNT)),
        (EASE_SHARE, _discounted(_company(sequences, steps, means, settings, features), steps, DISCOUNT)),
        (AFTER_SHARE, unit_maximum(_discounted(before.T, steps, AFTER_DISCOUNT))),
    ]
    total = reduce(operator.add, [np.float32(share / _strength(part, steps)) * part for share, part in parts])
    return largest(sparse.csr_matrix(total, dtype=np.float32), int(np.clip(_ENTRIES // n_items, _ROW_LEAST, _ROW_MOST)))


def _discounted(matrix: sparse.csr_matrix | sparse.csc_matrix, steps: np.ndarray, power: float) -> sparse.csr_matrix:
    """Divide each column by a power of how often its item is met."""
    discounted = sparse.csr_matrix(matrix, dtype=np.float32)
    discounted.data *= ((steps + 1.0) ** -power).astype(np.float32)[discounted.indices]
    return discounted


def _strength(matrix: sparse.csr_matrix, steps: np.ndarray) -> float:
    """Return the largest entry that a step meets in the row of its item, as a mean over the steps."""
    strength = steps @ abs(matrix).max(axis=1).toarray().ravel() / max(1, steps.sum())
    return float(strength) or 1.0


def _company(
    sequences: Sequences, steps: np.ndarray, means: Means, settings: Settings, features: sparse.csr_matrix | None
) -> sparse.csr_matrix:
    """Learn EASE: in closed form, or its local form where that is too large or events have weights."""
    if sequences.weights is None and affordable(sequences):
        return ease(sequences, EASE_PENALTY, settings.scaled(EASE_MOST, settings.capacity), features)
    most = settings.scaled(means.predictors * LOCAL_EASE_MOST, settings.capacity)
    together, gram = company(sequences, most, means.newest)
    return local_ridge(together, gram, steps, most, LOCAL_EASE_PENALTY)


def popularity(sequences: Sequences) -> np.ndarray:
    """Return how many steps reached each item, by their weights."""
    return np.bincount(sequences.items, sequences.weights, minlength=sequences.n_items).astype(np.float64)


def train(
    sequences: Sequences, seed: int, settings: Settings = DEFAULT, features: sparse.csr_matrix | None = None
) -> tuple[Fit, sparse.csr_matrix]:
    """Return what the data teach of scores and memory, and the matrix.

    On large data one matrix serves both. It is learnt without the steps that it is asked for, the newest few of some
    hundred users: these are too few of all to be missed.
    """
    held = held_back(sequences, np.random.default_rng(seed))
    if len(sequences.items) <= _MOST_STEPS_TO_LEARN_TWICE or len(held) < _FEWEST_HELD_BACK:
        return fit(sequences, seed, settings, features), learn(sequences, settings, features=features)
    asked = np.zeros(sequences.n_users, bool)
    asked[held] = True
    known = sequences.where(~(newest(sequences, _ASKED) & asked[sequences.owner]))
    matrix = learn(known, settings, features=features)
    return _fitted(sequences, held, matrix, popularity(known), settings), matrix


def fit(
    sequences: Sequences, seed: int, settings: Settings = DEFAULT, features: sparse.csr_matrix | None = None
) -> Fit:
    """Learn from half of the data, and choose temperature and memory by what other users did last."""
    rng = np.random.default_rng(seed)
    held = held_back(sequences, rng)
    if len(held) < _FEWEST_HELD_BACK:
        return Fit(_TEMPERATURE, coming_back(sequences))
    others = np.setdiff1d(np.arange(sequences.n_users), held)
    mean_length = max(1.0, len(sequences.items) / sequences.n_users)
    enough = int(max(len(sequences.items) / 2, _FEWEST_STEPS_TO_FIT) / mean_length)
    if len(others) > enough:
        others = np.sort(rng.choice(others, enough, replace=False))
    training = sequences.of_users(others)
    matrix = learn(training, settings, means_of(sequences), features)
    return _fitted(sequences, held, matrix, popularity(training), settings)


def held_back(sequences: Sequences, rng: np.random.Generator) -> np.ndarray:
    """Return users by whose newest steps temperature and memory are chosen."""
    long_enough = np.flatnonzero(np.diff(sequences.starts) >= 5)
    number = int(min(_HELD_BACK_USERS, len(long_enough) // 10, max(8, _HELD_BACK_CELLS // sequences.n_items)))
    return np.sort(rng.choice(long_enough, number, replace=False))


def _fitted(
    sequences: Sequences, held: np.ndarray, matrix: sparse.csr_matrix, count: np.ndarray, settings: Settings
) -> Fit:
    """Choose temperature and memory by the likelihood of what some users did last."""
    given, truth = split_newest(sequences.of_users(held), _ASKED)

    def sharpest(memory: float) -> tuple[np.ndarray, float]:
        return sharpness.sharpest(matrix, states_of(given, np.zeros(len(held)), settings, memory), truth, prior)

    def prior(temperature: float) -> np.ndarray:
        return prior_of(count, POPULARITY_SHARE / temperature)

    memory = MEMORIES[0]
    likelihoods, temperature = sharpest(memory)
    # without recency all memories are the same
    for slower in MEMORIES[1:] if settings.recency else ():
        slowers, at = sharpest(slower)
        gains = slowers - likelihoods
        # few users cannot tell memories apart: a slower one must be better beyond doubt, by two standard errors
        if gains.mean() > 2.0 * gains.std() / np.sqrt(len(held)):
            memory, likelihoods, temperature = slower, slowers, at
    return Fit(temperature, coming_back(sequences), memory)


def prior_of(count: np.ndarray, power: float) -> np.ndarray:
    """Return the popularity prior, summing to 1; an item nobody met counts as half a step."""
    prior = (count + 0.5) ** power
    shares: np.ndarray = prior / prior.sum()
    return shares


def coming_back(sequences: Sequences) -> float:
    """Return the share of steps (but each user's first) that went to an item the user had met before."""
    steps = len(sequences.items)
    repeats = steps - len(sequences.met())
    return float(np.clip(repeats / max(1, steps - sequences.n_users), LEAST_AGAIN, 1.0 - LEAST_AGAIN))


def split_newest(sequences: Sequences, share: float) -> tuple[Sequences, Sequences]:
    """Split every user into the older part and the newest `share` (at least one step of two or more)."""
    is_newest = newest(sequences, share)
    return sequences.where(~is_newest), sequences.where(is_newest)


def newest(sequences: Sequences, share: float) -> np.ndarray:
    """Tell of each step whether it is among the newest `share` of its user's."""
    lengths = np.diff(sequences.starts)
    number = np.where(lengths >= 2, np.maximum(1, np.round(lengths * share)), 0).astype(np.int64)
    position = np.arange(len(sequences.items)) - sequences.starts[:-1][sequences.owner]
    found: np.ndarray = position >= (lengths - number)[sequences.owner]
    return found


def states_of(given: Sequences, again: np.ndarray, settings: Settings = DEFAULT, memory: float = MEMORIES[0]) -> States:
    """Return the state of each user: newest steps with decayed weights, and all items met before.

    An item met more than once weighs as much as its newest step. Among items already met, recency decides.
    """
    lengths = np.diff(given.starts)
    age = np.repeat(given.starts[1:], lengths) - 1 - np.arange(len(given.items))
    # The newest occurrence of each (user, item): the last one of its group in a stable sort.
    key = given.owner.astype(np.int64) * given.n_items + given.items
    order = np.argsort(key, kind="stable")
    last = np.ones(len(order), bool)
    last[:-1] = key[order][1:] != key[order][:-1]
    newest = np.sort(order[last])
    owner = given.owner[newest]
    seen_ptr = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=given.n_users)))).astype(np.int64)
    # without recency every one of the newest steps counts the same
    weights = np.exp(-age[newest] / memory) + EVER if settings.recency else np.ones(len(newest))
    active = age[newest] < settings.scaled(HISTORY, settings.reach)
    ptr = np.concatenate(([0], np.cumsum(np.bincount(owner[active], minlength=given.n_users)))).astype(np.int64)
    return States(
        ptr=ptr,
        idx=given.items[newest][active].astype(np.int32),
        val=weights[active].astype(np.float32),
        seen_ptr=seen_ptr,
        seen_idx=given.items[newest].astype(np.int32),
        seen_val=np.maximum(np.exp(-age[newest] / AGAIN), 1e-6),
        again=np.where(np.diff(seen_ptr) > 0, again, 0.0),
    )


def catalogue_of(matrix: sparse.csr_matrix, prior: np.ndarray) -> ScoredCatalogue:
    """Return the scoring form of a matrix (already divided by the temperature) and a prior."""
    return ScoredCatalogue(
        ptr=matrix.indptr.astype(np.int64),
        idx=matrix.indices.astype(np.int32),
        val=matrix.data.astype(np.float32),
        prior=np.ascontiguousarray(prior, np.float64),
        by_prior=np.argsort(-prior, kind="stable").astype(np.int64),
        prior_mass=float(prior.sum()),
    )
