"""What a comparison says, as frames: in short, by owner, by item, by rank, by metric."""

from __future__ import annotations

import numbers
from functools import cached_property

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.inputs import frames
from personalize_nb.results import changes, profiles
from personalize_nb.results.aligned import THEMES
from personalize_nb.results.compared_lists import ComparedLists
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public
from personalize_nb.text.values import shown


@public
class Comparison(ComparedLists):
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

    Examples
    --------
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> old = pd.DataFrame({"user_id": ["u", "u", "v"], "rank": [1, 2, 1], "item_id": ["a", "b", "a"]})
    >>> new = pd.DataFrame({"user_id": ["u", "u", "v"], "rank": [1, 2, 1], "item_id": ["a", "c", "a"]})
    >>> truth = pd.DataFrame({"user_id": ["u", "v"], "item_id": ["c", "a"]})
    >>> met = pd.DataFrame({"user_id": ["u", "v", "v"], "item_id": ["a", "b", "c"]})
    >>> lists = {"old": old, "new": new}
    >>> found = pnb.compare(lists, truth=truth, interactions=met, items={"a": "Ant"}, cut_offs=[2], samples=20)
    >>> found.names, found.kind, found.cut_offs, found.has_truth, found.interval, found.notes
    (['old', 'new'], 'lists of users', [2], True, 0.95, ())
    >>> found.summary()["same"].tolist(), found.overlap()["overlap_at_2"].tolist()
    ([nan, 0.5], [0.75])
    >>> found.most_changed(1)["user_id"].tolist(), len(found.by_owner()), len(found.scores())  # no scores are there
    (['u'], 2, 0)
    >>> found.items()[["item_id", "gain"]].values.tolist()
    [['c', 1], ['a', 0], ['b', -1]]
    >>> found.moves()["members"].tolist(), found.coverage()["shown"].tolist(), found.popularity()["share"].max()
    ([1, 2, 1], [1, 2, 1, 2], np.float64(0.66...))
    >>> found.metrics().set_index(["metric", "list"])["value"]["precision_at_2"].to_dict()
    {'old': 0.25, 'new': 0.5}
    >>> found.side_by_side("u")
      item_id title  rank in old  rank in new  right
    0       a   Ant            1            1  False
    1       b   NaN            2         <NA>  False
    2       c   NaN         <NA>            2   True
    >>> found.themes()
    Traceback (most recent call last):
    ...
    personalize_nb.errors.NotFoundError: Compared are lists of users, which have no themes; ...
    """

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

    def by_owner(self, metric: str | None = None) -> pd.DataFrame:
        """Return a row for each owner of a list (a user, an item) and each set beside the baseline.

        Column `in` says whether both have a list, or only one, of which nothing can be compared. With a truth three
        more columns have a metric `before`, `after` and their `difference`, of which plus is better; they are missing
        where the truth has not the user.

        Parameters
        ----------
        metric
            Which metric of `metrics()`; by default NDCG at the largest cut-off.

        Returns
        -------
        pandas.DataFrame
            Rank-biased overlap `rbo` and shares are between 0 and 1.

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

        Returns
        -------
        pandas.DataFrame
            Columns as of `by_owner`.

        Raises
        ------
        InputError
            `by` is none of these, or needs a truth that was not given.
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

        Returns
        -------
        pandas.DataFrame
            Counts are of lists.
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
        """Return how many members went from which rank to which: `before` is missing for new ones, `after` for lost.

        Returns
        -------
        pandas.DataFrame
            Ranks from 1.
        """
        return changes.moves({name: self._pair(name) for name in self._others})

    def coverage(self) -> pd.DataFrame:
        """Return how many different members lists show, by their length (`first`), and their share of the catalogue.

        Returns
        -------
        pandas.DataFrame
            A row for each set and length; the share is missing without a catalogue.
        """
        return profiles.coverage(self._sets, self.names, self._measuring.truth.catalogue)

    def popularity(self) -> pd.DataFrame:
        """Return which share of recommendations, and of interactions, is of which tenth of items, most popular first.

        Returns
        -------
        pandas.DataFrame
            A row for each set and tenth of items; shares are between 0 and 1.

        Raises
        ------
        InputError
            There is no history.
        """
        if self._measuring.truth.seen is None:
            raise InputError("Popularity needs the history: pnb.compare(lists, interactions=...), for lists of items.")
        return profiles.popularity(self._sets, self.names, self._measuring.truth.popularity)

    def scores(self) -> pd.DataFrame:
        """Return the median score by rank, and between which scores the middle 80 % lie; no rows without scores.

        Returns
        -------
        pandas.DataFrame
            A row for each set and rank.
        """
        return profiles.scores(self._sets, self.names)

    def metrics(self) -> pd.DataFrame:
        """Return each metric of each set, with bounds, beside the baseline.

        `value` lies between `low` and `high` in 95 % of draws of the users, or another share given as `interval`.
        `difference` is from the baseline, of the same users in each draw, and plus is always better: where less is
        `better`, it is the baseline's value minus the set's. Figures of all lists at once have no bounds.

        Returns
        -------
        pandas.DataFrame
            A row for each set and metric.
        """
        return self._metrics.copy()

    @cached_property
    def _metrics(self) -> pd.DataFrame:
        return self._measuring.frame(self.baseline)

    def themes(self) -> pd.DataFrame:
        """Return the theme of each item before and after.

        Returns
        -------
        pandas.DataFrame
            A row for each item that has a theme in any set.

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

        Returns
        -------
        pandas.DataFrame
            A column of ranks for each set, missing where its list has not the member.

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
