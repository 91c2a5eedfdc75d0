"""Sets of lists beside a baseline: what they are, and how far they agree as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd

from personalize_nb.results import changes
from personalize_nb.results.agreement import Agreement, agreement
from personalize_nb.results.aligned import Aligned, NumberedLists
from personalize_nb.results.differences import Measuring
from personalize_nb.text.counts import counted, verb


class ComparedLists:
    """Sets of lists beside a baseline; made by `pnb.compare`.

    Parameters
    ----------
    sets
        The lists.
    baseline
        The set that others are compared with.
    measuring
        Measures them.
    persistence
        How likely a reader goes on to the next member of a list.
    titles
        Titles of items by id.
    """

    def __init__(
        self, sets: Aligned, baseline: str, measuring: Measuring, persistence: float, titles: Mapping[str, str]
    ):
        self.baseline = baseline
        self._sets, self._measuring, self._persistence, self._titles = sets, measuring, persistence, titles
        self._pairs: dict[str, Agreement] = {}

    @property
    def names(self) -> list[str]:
        """The names of all sets, the baseline first."""
        return [self.baseline, *self._others]

    @property
    def kind(self) -> str:
        """What is compared: lists of users, lists of items, themes, or segments."""
        return self._sets.kind.name

    @property
    def has_truth(self) -> bool:
        """Whether a truth was given, so that `metrics()` has accuracy."""
        return self._measuring.has_truth

    @property
    def _others(self) -> list[str]:
        return [name for name in self._sets.lists if name != self.baseline]

    @property
    def cut_offs(self) -> list[int]:
        """At how many members lists are looked at."""
        return list(self._measuring.truth.cut_offs)

    @property
    def interval(self) -> float:
        """Which share of the draws of users lies within the bounds of `metrics()`."""
        return self._measuring.level

    @property
    def _member(self) -> str:
        return self._sets.kind.member

    def _pair(self, name: str) -> tuple[NumberedLists, NumberedLists, Agreement]:
        """Return the baseline's lists, those of another set, and how far they agree."""
        one, other = self._sets.lists[self.baseline], self._sets.lists[name]
        if name not in self._pairs:
            self._pairs[name] = agreement(one, other, self.cut_offs, self._persistence)
        return one, other, self._pairs[name]

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures should know: who has no list to compare, lists that are the same or shorter."""
        found = []
        noun = self._sets.kind.owner.removesuffix("_id").replace("_", " ")
        for name in self._others:
            base, other, pair = self._pair(name)
            for mine, theirs, only, lacking in ((base, other, self.baseline, name), (other, base, name, self.baseline)):
                alone = int(((mine.lengths > 0) & (theirs.lengths == 0)).sum())
                if alone:
                    have, count = verb(alone, "has a list", "have lists"), verb(alone, "counts", "count")
                    found.append(
                        f"{counted(alone, noun)} {have} in {only!r} only, not in {lacking!r}, and {count} in "
                        "neither overlap nor gains."
                    )
            for one, lists in ((self.baseline, base), (name, other)):
                equal = lists.with_equal_ranks
                if equal and (one == name or name == self._others[0]):
                    found.append(
                        f"{counted(equal, 'list')} of {one!r} {verb(equal, 'has', 'have')} equal ranks: overlap takes "
                        "such members as equal, metrics take them in the order of the rows."
                    )
            lengths = [float(one.lengths[pair.both].mean()) if pair.both.any() else 0.0 for one in (base, other)]
            if pair.both.any() and abs(lengths[0] - lengths[1]) > 0.5:
                found.append(
                    f"Lists of {self.baseline!r} have {lengths[0]:.1f} members on average, those of {name!r} "
                    f"{lengths[1]:.1f}: the rest of the longer ones counts as new or lost."
                )
            if not pair.both.any():
                found.append(f"No {noun} has a list in both {self.baseline!r} and {name!r}: are the ids the same?")
            elif changes.same(base, other, pair)[pair.both].all():
                found.append(f"All lists of {name!r} are those of {self.baseline!r}.")
        return tuple(found)

    def summary(self) -> pd.DataFrame:
        """Return a row for each set.

        It has how many lists there are, their mean length and how many different members; beside the baseline how many
        lists are compared, how far they agree, the share of lists that are the same, and how many members of a list
        are moved, new and lost on average.

        Returns
        -------
        pandas.DataFrame
            The baseline first; of it what compares is missing.
        """
        deepest = max(self.cut_offs)
        rows = {}
        for name in self.names:
            lists = self._sets.lists[name]
            number = int((lists.lengths > 0).sum())
            row: dict[str, object] = {
                "lists": number,
                "length": len(lists.owner) / number,
                "distinct": len(np.unique(lists.member)),
            }
            if name != self.baseline:
                base, other, pair = self._pair(name)
                found = changes.by_owner(base, other, pair)[pair.both]
                row |= {
                    "compared": len(found),
                    "rbo": found["rbo"].mean(),
                    f"overlap_at_{deepest}": found[f"overlap_at_{deepest}"].mean(),
                    "same": changes.same(base, other, pair)[pair.both].mean() if len(found) else np.nan,
                    **{column: found[column].astype("float64").mean() for column in ("moved", "new", "lost")},
                }
            rows[name] = row
        frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("list")
        return frame.astype({"compared": "Int64"})

    def overlap(self) -> pd.DataFrame:
        """Return a row for each pair of sets.

        It has how many owners have both lists, how many only one, the share of lists that are the same, the mean
        rank-biased overlap (1 for equal lists, 0 where nothing is shared), and the mean overlap at each cut-off: the
        common members through those of the longer list. Past the end of a shorter list rank-biased overlap takes its
        agreement to go on, so that a list and its own beginning have 1 as well.

        Returns
        -------
        pandas.DataFrame
            Shares are between 0 and 1.
        """
        rows = []
        for first, second in itertools.combinations(self.names, 2):
            one, other = self._sets.lists[first], self._sets.lists[second]
            if first == self.baseline:
                one, other, pair = self._pair(second)
            else:
                pair = agreement(one, other, self.cut_offs, self._persistence)
            number, same = int(pair.both.sum()), changes.same(one, other, pair)
            means = [pair.rbo, *pair.overlap.values()]
            rows.append(
                (
                    first,
                    second,
                    number,
                    int((one.lengths > 0).sum()) - number,
                    int((other.lengths > 0).sum()) - number,
                    *(float(values[pair.both].mean()) if number else np.nan for values in (same, *means)),
                )
            )
        overlaps = [f"overlap_at_{cut}" for cut in self.cut_offs]
        return pd.DataFrame(
            rows, columns=["list", "other", "both", "only_list", "only_other", "same", "rbo", *overlaps]
        )
