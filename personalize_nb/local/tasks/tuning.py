"""Hyperparameter optimization: trials within the solution's ranges, judged on users held back from the training.

The users that GetSolutionMetrics tests are put aside first, so that its figures stay honest; of the others a tenth
is given the older 90 % of their steps, and a trial is as good as its normalized discounted cumulative gain at 25 on
the newest 10 % (Amazon lets nobody choose the metric). The first trial is the solution's own values. Few legal
combinations are all tried; otherwise half of the jobs spread over the ranges by a Sobol sequence, and the rest
search near the best so far. Trials run one after another, whatever maxParallelTrainingJobs says: each one uses every
processor. Equal data and ranges give equal trials.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from personalize_nb.contract.hyperparameters import Hyperparameter, Value
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.recipes.history import History, read_history
from personalize_nb.local.recipes.hyperparameters import resolve
from personalize_nb.local.tasks import hold_out

METRIC = "normalized_discounted_cumulative_gain_at_25"
# Amazon does not say how many jobs run when the solution does not.
DEFAULT_JOBS = 10


@dataclass(frozen=True)
class Range:
    """The values that one hyperparameter may take: from `low` to `high`, or one of `choices`."""

    name: str
    low: float = 0.0
    high: float = 1.0
    whole: bool = False
    choices: tuple[Value, ...] = ()

    @property
    def size(self) -> float:
        """How many values there are."""
        if self.choices:
            return len(self.choices)
        return self.high - self.low + 1 if self.whole else (1 if self.low == self.high else math.inf)

    def values(self) -> list[Value]:
        """All values of a range that has few."""
        if self.choices:
            return list(self.choices)
        return list(range(int(self.low), int(self.high) + 1)) if self.whole else [self.low]

    def at(self, share: float) -> Value:
        """Return the value at a share of the range, from 0 to 1."""
        if self.choices:
            return self.choices[min(len(self.choices) - 1, int(share * len(self.choices)))]
        if self.whole:
            return min(int(self.high), int(self.low + share * (self.high - self.low + 1)))
        return self.low + share * (self.high - self.low)

    def share_of(self, value: Value) -> float:
        """Return where in the range a value lies, the nearest end for one outside."""
        if self.choices:
            return (self.choices.index(value) + 0.5) / len(self.choices) if value in self.choices else 0.0
        above = float(value) - self.low
        if self.whole:
            return float(np.clip((above + 0.5) / (self.high - self.low + 1), 0.0, 1.0))
        return float(np.clip(above / max(1e-12, self.high - self.low), 0.0, 1.0))


@dataclass(frozen=True)
class Trial:
    """The values of one training job, and how good its model was."""

    values: dict[str, Value]
    score: float


def ranges_of(recipe: str, config: Mapping[str, Any] | None) -> list[Range]:
    """Return what to search: the solution's ranges, or all that the recipe can tune."""
    tunable = RECIPES[recipe].tunable
    asked = (config or {}).get("algorithmHyperParameterRanges") or {}
    ranges = []
    for entry in asked.get("categoricalHyperParameterRanges", ()):
        name = entry["name"]
        choices = dict.fromkeys(tunable[name].parse(name, text) for text in entry["values"])
        ranges.append(Range(name, choices=tuple(choices)))
    for kind in ("integer", "continuous"):
        for entry in asked.get(f"{kind}HyperParameterRanges", ()):
            legal = tunable[entry["name"]]
            low, high = entry.get("minValue", legal.low), entry.get("maxValue", legal.high)
            ranges.append(Range(entry["name"], low, high, kind == "integer"))
    return ranges or [_all_of(name, hyperparameter) for name, hyperparameter in tunable.items()]


def _all_of(name: str, hyperparameter: Hyperparameter) -> Range:
    if hyperparameter.kind == "categorical":
        return Range(name, choices=hyperparameter.values)
    return Range(name, hyperparameter.low, hyperparameter.high, hyperparameter.kind == "integer")


def optimize(
    recipe: str,
    data: TrainingData,
    config: Mapping[str, Any] | None,
    *,
    hyperparameters: Mapping[str, str],
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
    **events: Any,
) -> list[Trial]:
    """Read the history as a training of the recipe does (`events` are its other arguments), and `tune` on it."""
    return tune(recipe, read_history(data, **events), data, hyperparameters, config, seed, progress)


def tune(
    recipe: str,
    history: History,
    data: TrainingData,
    hyperparameters: Mapping[str, str],
    config: Mapping[str, Any] | None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Trial]:
    """Search the ranges.

    Parameters
    ----------
    recipe, history, data
        What is trained, on what.
    hyperparameters
        The solution's own values; those without a range stay as they are.
    config
        The solution's `hpoConfig`.
    seed
        Decides which users are held back.
    progress
        Called with (trials done, trials in all) before each trial.

    Returns
    -------
    list[Trial]
        The trials, best first; of equals the one tried first.
    """
    values = resolve(recipe, hyperparameters)
    searched = ranges_of(recipe, config)
    jobs = int(((config or {}).get("hpoResourceConfig") or {}).get("maxNumberOfTrainingJobs", DEFAULT_JOBS))
    others = np.setdiff1d(np.arange(history.sequences.n_users), hold_out.tested_users(history, seed))
    inner = hold_out.only_users(history, others)
    testing = hold_out.tested_users(inner, seed + 1)

    def score(candidate: dict[str, Value]) -> float:
        found = hold_out.measure(recipe, inner, data, values | candidate, testing, seed, coverage=False)
        return found[METRIC]

    return search(searched, {known.name: values[known.name] for known in searched}, jobs, score, progress)


def search(
    ranges: list[Range],
    start: Mapping[str, Value],
    jobs: int,
    score: Callable[[dict[str, Value]], float],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Trial]:
    """Try at most `jobs` different combinations, beginning with `start` (moved into the ranges); best first."""
    combinations = math.prod(known.size for known in ranges)
    total = int(min(jobs, combinations))
    trials: dict[tuple[Value, ...], Trial] = {}

    def attempt(chosen: tuple[Value, ...]) -> None:
        if chosen not in trials and len(trials) < total:
            progress(len(trials), total)
            values = {known.name: value for known, value in zip(ranges, chosen, strict=True)}
            trials[chosen] = Trial(values, score(values))

    def at(shares: np.ndarray) -> tuple[Value, ...]:
        return tuple(known.at(share) for known, share in zip(ranges, shares.tolist(), strict=True))

    attempt(at(np.array([known.share_of(start[known.name]) for known in ranges])))
    if combinations <= jobs:
        for chosen in itertools.product(*(known.values() for known in ranges)):
            attempt(chosen)
    from scipy.stats import qmc  # takes as long to import as half of all that a worker needs, and few solutions search

    spread = qmc.Sobol(len(ranges), scramble=False).random_base2(max(1, math.ceil(math.log2(total + 1))))
    for shares in spread[1:]:
        if len(trials) >= max(2, (total + 1) // 2):
            break
        attempt(at(shares))
    rng = np.random.default_rng(0)
    width = 0.25
    # a narrow range of whole numbers can have no new neighbours: then the net is cast wider again
    for turn in range(100 * total):
        if len(trials) >= total:
            break
        best = max(trials.values(), key=lambda trial: trial.score)
        centre = np.array([known.share_of(best.values[known.name]) for known in ranges])
        attempt(at(np.clip(centre + rng.normal(0.0, width, len(ranges)), 0.0, 1.0 - 1e-9)))
        width = max(0.05, 0.9 * width) if turn % 10 else 0.25
    return sorted(trials.values(), key=lambda trial: -trial.score)


def texts(values: Mapping[str, Value]) -> dict[str, str]:
    """Write values as the API carries them."""
    return {name: _text(value) for name, value in values.items()}


def _text(value: Value) -> str:
    if isinstance(value, (bool, str)):
        return str(value).lower() if isinstance(value, bool) else value
    return f"{value:.6g}"
