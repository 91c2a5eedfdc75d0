"""What a comparison says, as frames: in short, by owner, by item, by rank, by metric."""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.inputs import frames
from personalize_nb.results import changes, profiles
from personalize_nb.results.agreement import Agreement, agreement
from personalize_nb.results.aligned import THEMES, Aligned, NumberedLists
from personalize_nb.results.differences import Measuring
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public
from personalize_nb.text.values import shown


@public
class Comparison:
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

    def __repr__(self) -> str:
        short = self.summary().drop(columns=["lists", "length"]).round(3)
        title = f"Comparison of {self.kind}, baseline {self.baseline!r}"
        steps = ".overlap(), .most_changed(), .items(), .metrics(), .side_by_side(id) have more"
        return "\n".join([title, short.to_string(), *self._worth(), *self.notes, f"<{steps}>"])

    def _worth(self) -> list[str]:
        """Say how accurate each set is at the largest cut-off; nothing where no truth is known."""
        if not self.has_truth:
            return []
        kinds = ("normalized_discounted_cumulative_gain", "recall")
        found = self.metrics()
        found = found[found["metric"].isin([f"{kind}_at_{max(self.cut_offs)}" for kind in kinds])]
        columns = ["list", "value", "difference", "difference_low", "difference_high"]
        lines = []
        for metric, part in found.groupby("metric", sort=False):
            table = part[columns].set_index("list").rename_axis(None).round(4)
            lines += [f"{metric}, plus is better:", table.to_string(na_rep="")]
        return lines

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

    def by_owner(self, metric: str | None = None) -> pd.DataFrame:
        """Return a row for each owner of a list (a user, an item) and each set beside the baseline.

        Column `in` says whether both have a list, or only one, of which nothing can be compared. With a truth three
        more columns have a metric `before`, `after` and their `difference`, of which plus is better; they are missing
        where the truth has not the user.

        Parameters
        ----------
        metric
            Which metric of `metrics()`; by default NDCG at the largest cut-off.

        Raises
        ------
        InputError
            The metric is none that a user has, or no truth is known.
        """
        parts = []
        for name in self._others:
            found = pd.concat([self._sets.owners.assign(list=name), changes.by_owner(*self._pair(name))], axis=1)
            if self.has_truth:
                users = pd.Index(self._sets.owners.iloc[:, 0])
                before, after = (self._values(one, metric).reindex(users).to_numpy() for one in (self.baseline, name))
                found = found.assign(before=before, after=after, difference=after - before)
            elif metric is not None:
                raise InputError(f"'metric' needs a truth: pnb.compare(lists, truth=...); got {shown(metric)}")
            parts.append(found[(found["length_before"] > 0) | (found["length"] > 0)])
        return pd.concat(parts, ignore_index=True)

    def _values(self, name: str, metric: str | None) -> pd.Series:
        values = self._measuring.accuracy(name)
        chosen = metric or f"normalized_discounted_cumulative_gain_at_{max(self.cut_offs)}"
        if chosen not in values:
            raise InputError(f"'metric' must be one of {', '.join(values)}; got {shown(metric)}")
        return pd.Series(values[chosen], self._measuring.truth.users)

    def most_changed(self, most: int = 10, by: str = "rbo", metric: str | None = None) -> pd.DataFrame:
        """Return the owners whose lists have changed most, of those who have both.

        Parameters
        ----------
        most
            How many rows.
        by
            `rbo` for lists that agree least; with a truth `worse` for those that a metric fell for most, `better` for
            those that it rose for.
        metric
            As for `by_owner`.
        """
        ways = {"rbo": ("rbo", True)}
        if self.has_truth:
            ways |= {"worse": ("difference", True), "better": ("difference", False)}
        if by not in ways:
            told = "" if self.has_truth else "; 'worse' and 'better' need truth="
            raise InputError(f"'by' must be one of {list(ways)}, got {shown(by)}{told}")
        if isinstance(most, bool) or not isinstance(most, numbers.Integral) or most < 1:
            raise InputError(f"'most' must be a whole number from 1, got {shown(most)}")
        column, ascending = ways[by]
        found = self.by_owner(metric)
        found = found[(found["in"] == changes.BOTH) & found[column].notna()]
        if by != "rbo":
            found = found[found[column] < 0 if ascending else found[column] > 0]
        return found.sort_values(column, ascending=ascending, kind="stable", ignore_index=True).head(most)

    def items(self) -> pd.DataFrame:
        """Return who gains and who loses: a row for each member of lists and each set beside the baseline.

        Lists of owners that have both are counted: in how many the member was (`before`) and is (`after`), its `gain`,
        in how many it is `new` and from how many it is `lost`, and at which rank it stands on average. The greatest
        gain comes first.
        """
        members, parts = pd.DataFrame(self._named(self._sets.members)), []
        for name in self._others:
            found = pd.concat([members, changes.by_member(*self._pair(name), len(members))], axis=1)
            found.insert(0, "list", name)
            there = found[(found["before"] > 0) | (found["after"] > 0)]
            parts.append(there.sort_values(["gain", self._member], ascending=[False, True], kind="stable"))
        return pd.concat(parts, ignore_index=True)

    def _named(self, members: pd.Index) -> dict[str, object]:
        """Return members as columns: their ids, and titles where items have some."""
        titled = self._titles and self._member != c.USER_ID
        return {self._member: members, **({"title": members.map(self._titles)} if titled else {})}

    def moves(self) -> pd.DataFrame:
        """Return how many members went from which rank to which: `before` is missing for new ones, `after` for lost."""
        return changes.moves({name: self._pair(name) for name in self._others})

    def coverage(self) -> pd.DataFrame:
        """Return how many different members lists show, by their length (`first`), and their share of the catalogue."""
        return profiles.coverage(self._sets, self.names, self._measuring.truth.catalogue)

    def popularity(self) -> pd.DataFrame:
        """Return which share of recommendations, and of interactions, is of which tenth of items, most popular first.

        Raises
        ------
        InputError
            There is no history.
        """
        if self._measuring.truth.seen is None:
            raise InputError("Popularity needs the history: pnb.compare(lists, interactions=...), for lists of items.")
        return profiles.popularity(self._sets, self.names, self._measuring.truth.popularity)

    def scores(self) -> pd.DataFrame:
        """Return the median score by rank, and between which scores the middle 80 % lie; no rows without scores."""
        return profiles.scores(self._sets, self.names)

    def metrics(self) -> pd.DataFrame:
        """Return each metric of each set, with bounds, beside the baseline.

        `value` lies between `low` and `high` in 95 % of draws of the users, or another share given as `interval`.
        `difference` is from the baseline, of the same users in each draw, and plus is always better: where less is
        `better`, it is the baseline's value minus the set's. Figures of all lists at once have no bounds.
        """
        return self._metrics.copy()

    @cached_property
    def _metrics(self) -> pd.DataFrame:
        return self._measuring.frame(self.baseline)

    def themes(self) -> pd.DataFrame:
        """Return the theme of each item before and after.

        Raises
        ------
        NotFoundError
            The lists are no themes.
        """
        if self._sets.kind is not THEMES:
            raise NotFoundError(f"Compared are {self.kind}, which have no themes; compare theme jobs, or job.themes().")
        owners, parts = self._sets.owners, []
        for name in self._others:
            before, after = (self._sets.themes[one].reindex(owners.index) for one in (self.baseline, name))
            same = (before.str.casefold() == after.str.casefold()).fillna(False).astype(bool)
            parts.append(owners.assign(list=name, before=before, after=after, same=same))
        return pd.concat(parts, ignore_index=True)

    def side_by_side(self, owner: object) -> pd.DataFrame:
        """Return the lists of one user or item beside each other: a row for each member, its rank in every set.

        With a truth `right` says what was right for the user.

        Parameters
        ----------
        owner
            The id; where values of a filter make several lists of it, a tuple of id and values.

        Raises
        ------
        NotFoundError
            No set has a list of it.
        """
        place = self._place(owner)
        ranks: dict[int, dict[str, int]] = {}
        for name in self.names:
            lists = self._sets.lists[name]
            rows = slice(*np.searchsorted(lists.owner, [place, place + 1]))
            for member, position in zip(lists.member[rows].tolist(), lists.position[rows].tolist(), strict=True):
                ranks.setdefault(member, {})[name] = position
        members = self._sets.members[list(ranks)]
        found = pd.DataFrame(self._named(members))
        for name in self.names:
            found[f"rank in {name}"] = pd.array([one.get(name) for one in ranks.values()], dtype="Int64")
        if self.has_truth:
            wanted = self._measuring.truth.wanted
            right = wanted.loc[wanted[c.USER_ID] == self._sets.owners.iloc[place, 0], c.ITEM_ID]
            found["right"] = members.isin(right)
        return found

    def _place(self, owner: object) -> int:
        keys = self._sets.owners
        given = owner if isinstance(owner, tuple) else (owner,)
        fits = np.ones(len(keys), bool)
        for column, value in zip(keys.columns, given, strict=False):
            text = frames.identifier(value, column) if column in (c.USER_ID, c.ITEM_ID) else value
            fits &= (keys[column] == text).to_numpy()
        found = np.flatnonzero(fits)
        if not len(found):
            rows = keys.iloc[:3].values.tolist()
            known = ", ".join(shown(row[0] if len(row) == 1 else tuple(row)) for row in rows)
            more = f" and {counted(len(keys) - 3, 'other')}" if len(keys) > 3 else ""
            raise NotFoundError(
                f"No set has a list of {shown(owner)}; there {verb(len(keys), 'is', 'are')} {known}{more}"
            )
        if len(found) > 1 or len(given) > keys.shape[1]:
            raise NotFoundError(
                f"{shown(owner)} has {len(found)} lists, told apart by {list(keys.columns)}: give a tuple such as "
                f"{tuple(keys.iloc[found[0]].tolist())}"
            )
        return int(found[0])
