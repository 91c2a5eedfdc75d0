"""How sure a figure is: the same figure on many draws of the users, with replacement, a bootstrap.

`scipy.stats.bootstrap` would pick the values of every draw anew; here a draw is how often each user counts, so that
all figures of all lists come from one product of matrices, and differences are paired.
"""

from __future__ import annotations

import numbers as kinds

import numpy as np

from personalize_nb.errors import InputError
from personalize_nb.text.values import shown

SAMPLES = 1000
_CELLS = 4_000_000  # of draws at once


def drawn(amounts: np.ndarray, numbers: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """Return what ratios of sums come to on draws of the users, a row for each draw.

    Parameters
    ----------
    amounts, numbers
        Shape (users, figures); a figure is the sum of its amounts through that of its numbers.
    samples
        How many draws.
    seed
        What the draws begin with; the same users are drawn again with the same seed.
    """
    users, figures = amounts.shape
    found = np.full((samples, figures), np.nan)
    if not users:
        return found
    random = np.random.default_rng(seed)
    step = max(1, _CELLS // users)
    even = bool((numbers == 1).all())
    for start in range(0, samples, step):
        size = min(step, samples - start)
        times = np.stack([np.bincount(random.integers(0, users, users), minlength=users) for _ in range(size)])
        counted = times.astype(float)
        whole = np.full((size, figures), float(users)) if even else counted @ numbers
        part = counted @ amounts
        found[start : start + size] = np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
    return found


def bounds(draws: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return between which values the middle `level` of the draws lie, for each figure; NaN where a draw has none."""
    if not draws.size:
        return np.full(draws.shape[1], np.nan), np.full(draws.shape[1], np.nan)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def checked(level: float, samples: int, seed: int) -> None:
    """Refuse what no interval can be made with."""
    if isinstance(level, bool) or not isinstance(level, kinds.Real) or not 0 < level < 1:
        raise InputError(f"'interval' must be a share of the draws between 0 and 1, such as 0.95; got {shown(level)}")
    for name, value, least in (("samples", samples, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, kinds.Integral) or value < least:
            raise InputError(f"'{name}' must be a whole number from {least}, got {shown(value)}")
