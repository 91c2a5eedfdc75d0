"""What changed between a baseline's lists and others, counted by owner, by member and by rank."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from personalize_nb.results.agreement import Agreement
from personalize_nb.results.aligned import NumberedLists

BOTH, BASELINE_ONLY, THIS_ONLY = "both", "baseline only", "this only"


def same(base: NumberedLists, other: NumberedLists, pair: Agreement) -> np.ndarray:
    """Tell which owners have the same list in both sets."""
    found: np.ndarray = (pair.common == base.lengths) & (pair.common == other.lengths) & (pair.moved == 0) & pair.both
    return found


def by_owner(base: NumberedLists, other: NumberedLists, pair: Agreement) -> pd.DataFrame:
    """Return a row for each owner of any set: which of the two have its list, and how far these agree."""
    here, there = base.lengths > 0, other.lengths > 0
    new, lost = other.lengths - pair.common, base.lengths - pair.common
    counts = {
        name: pd.Series(values, dtype="Int64").where(pair.both)
        for name, values in (("moved", pair.moved), ("new", new), ("lost", lost))
    }
    return pd.DataFrame(
        {
            "in": np.select([here & there, here], [BOTH, BASELINE_ONLY], THIS_ONLY),
            "length_before": base.lengths,
            "length": other.lengths,
            "rbo": pair.rbo,
            **{f"overlap_at_{cut}": values for cut, values in pair.overlap.items()},
            **counts,
        }
    )


def by_member(base: NumberedLists, other: NumberedLists, pair: Agreement, size: int) -> pd.DataFrame:
    """Return a row for each member: in how many lists it was and is, of owners that have both, and at which rank.

    Parameters
    ----------
    base, other
        The lists.
    pair
        How far they agree.
    size
        How many members there are.
    """
    numbers, ranks = [], []
    for lists in (base, other):
        kept = pair.both[lists.owner]
        number = np.bincount(lists.member[kept], minlength=size)
        total = np.bincount(lists.member[kept], lists.position[kept], size)
        numbers.append(number)
        ranks.append(np.divide(total, number, out=np.full(size, np.nan), where=number > 0))
    came = other.member[pair.both[other.owner] & (pair.after == 0)]
    gone = base.member[pair.both[base.owner] & (pair.before == 0)]
    return pd.DataFrame(
        {
            "before": numbers[0],
            "after": numbers[1],
            "gain": numbers[1] - numbers[0],
            "new": np.bincount(came, minlength=size),
            "lost": np.bincount(gone, minlength=size),
            "rank_before": ranks[0],
            "rank_after": ranks[1],
        }
    )


def moves(pairs: Mapping[str, tuple[NumberedLists, NumberedLists, Agreement]]) -> pd.DataFrame:
    """Return how many members went from which rank to which, by list; a missing rank is that of a new or lost one.

    Parameters
    ----------
    pairs
        For each set the baseline's lists, its own, and how far they agree.
    """
    parts = []
    for name, (base, other, pair) in pairs.items():
        kept, came = pair.both[base.owner], pair.both[other.owner] & (pair.after == 0)
        first = np.concatenate([base.position[kept], np.zeros(int(came.sum()), int)])
        second = np.concatenate([pair.before[kept], other.position[came]])
        frame = pd.DataFrame({"before": first, "after": second}).value_counts(sort=False).rename("members")
        ranks = frame.sort_index().reset_index().astype({"before": "Int64", "after": "Int64"})
        for column in ("before", "after"):
            ranks[column] = ranks[column].where(ranks[column] > 0)
        ranks.insert(0, "list", name)
        parts.append(ranks)
    return pd.concat(parts, ignore_index=True)
