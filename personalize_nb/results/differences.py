"""What sets of lists are worth beside a baseline: each metric with its bounds, and differences that are paired.

A draw of the users is the same for all sets, so that a difference is that of the same users, and what is hard for
everybody cancels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.results import measures, resampling
from personalize_nb.results.aligned import ITEMS, THEMES, USERS, Aligned, NumberedLists
from personalize_nb.results.measures import LESS_IS_BETTER, Truth
from personalize_nb.session.progress import choose

# For each owner, by set and metric: amounts and numbers.
_Values: TypeAlias = "dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]"


class Measuring:
    """Measures sets of lists once, when it is first asked.

    Parameters
    ----------
    sets
        The lists.
    truth
        What they are measured against; its rows are empty where no truth is known.
    level, samples, seed
        How sure the bounds are, by how many draws, and what these begin with.
    """

    def __init__(self, sets: Aligned, truth: Truth, level: float, samples: int, seed: int):
        # members of segments are users, of whom no history of items tells
        of_items = sets.kind in (USERS, ITEMS, THEMES)
        self.truth = truth if of_items else replace(truth, seen=None, offered=None, category=None)
        self.level = level
        self._sets, self._samples, self._seed = sets, samples, seed

    @property
    def has_truth(self) -> bool:
        """Whether it is known what was right."""
        return bool(len(self.truth.users))

    def accuracy(self, name: str) -> dict[str, np.ndarray]:
        """Return the accuracy of each user of the truth."""
        return {metric: amounts for metric, (amounts, _) in self._all[0].get(name, {}).items()}

    @cached_property
    def _all(self) -> tuple[_Values, _Values, dict[str, pd.Series]]:
        """Values of the users of the truth, of all owners, and the figures that these make, by set."""
        exact: _Values = {}
        own: _Values = {}
        figures = {}
        for name, lists in self._sets.lists.items():
            coded = self._coded(lists)
            part = measures.taken(coded, self.truth)
            figures[name] = measures.figures([part], self.truth)
            if self.has_truth:
                self._tell_absent(name, len(part.present))
                values = measures.accuracy([part], self.truth)
                exact[name] = {metric: (each, np.ones(len(each))) for metric, each in values.items()}
            there = lists.lengths > 0
            own[name] = {
                metric: (_spread(amounts, there), _spread(counts, there))
                for metric, (amounts, counts) in coded.ratios.items()
            }
        return exact, own, figures

    def _coded(self, lists: NumberedLists) -> measures.CodedLists:
        deepest, there = max(self.truth.cut_offs), lists.lengths > 0
        starts = np.cumsum(lists.lengths) - lists.lengths
        place = np.arange(len(lists.owner)) - starts[lists.owner] + 1
        top = place <= deepest
        owner = (np.cumsum(there) - 1)[lists.owner[top]]
        owners, members = pd.Index(self._sets.owners.iloc[:, 0])[there], self._sets.members
        rows = pd.DataFrame(
            {
                c.USER_ID: owners.take(owner).astype("str"),
                c.RANK: place[top],
                c.ITEM_ID: members.take(lists.member[top]).astype("str"),
            }
        )
        return measures.numbered(rows, owners, members, owner, lists.member[top], self.truth)

    def _tell_absent(self, name: str, present: int) -> None:
        absent = len(self.truth.users) - present
        if absent:
            choose().say(f"{name}: {measures.absent_users(absent, len(self.truth.users))}")

    def frame(self, baseline: str) -> pd.DataFrame:
        """Return each metric of each set, its bounds, and its difference from a baseline, of which plus is better."""
        exact, own, figures = self._all
        names = [baseline, *(name for name in figures if name != baseline)]
        metrics = [metric for metric in figures[baseline].index if metric != "users"]
        bounds = {**self._bounds(exact, names), **self._bounds(own, names)}
        rows = []
        for metric in metrics:
            less = metric.startswith(LESS_IS_BETTER)
            sign = -1.0 if less else 1.0
            for name in names:
                low, high, low_difference, high_difference = bounds.get((name, metric), (np.nan,) * 4)
                value = figures[name][metric]
                difference = sign * (value - figures[baseline][metric]) if name != baseline else np.nan
                if less:
                    low_difference, high_difference = -high_difference, -low_difference
                better = "less" if less else "more"
                rows.append((metric, name, value, low, high, difference, low_difference, high_difference, better))
        columns = ["metric", "list", "value", "low", "high", "difference", "difference_low", "difference_high"]
        return pd.DataFrame(rows, columns=[*columns, "better"])

    def _bounds(self, values: _Values, names: list[str]) -> dict[tuple[str, str], tuple[float, float, float, float]]:
        """Return bounds of each figure, and of its difference from that of the first name."""
        metrics = list(values[names[0]]) if values else []
        if not metrics:
            return {}
        amounts, counts = (
            np.stack([values[name][metric][place] for name in names for metric in metrics], axis=1) for place in (0, 1)
        )
        draws = resampling.drawn(amounts, counts, self._samples, self._seed)
        apart = draws.reshape(len(draws), len(names), len(metrics))
        found = {}
        edges = [*resampling.bounds(draws, self.level)]
        edges += [*resampling.bounds((apart - apart[:, :1]).reshape(draws.shape), self.level)]
        for row, name in enumerate(names):
            for column, metric in enumerate(metrics):
                at = row * len(metrics) + column
                low, high, less, more = (float(edge[at]) for edge in edges)
                found[name, metric] = (low, high, less, more) if row else (low, high, np.nan, np.nan)
        return found


def _spread(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return values of the owners that have a list as values of all, 0 for the others."""
    found = np.zeros(len(there))
    found[there] = values
    return found
