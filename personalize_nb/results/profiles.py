"""What each of several sets of lists looks like by itself: how much it covers, how popular it is, how scores fall."""

from __future__ import annotations

import numpy as np
import pandas as pd

from personalize_nb.results.aligned import Aligned

_TENTHS = 10


def coverage(sets: Aligned, names: list[str], catalogue: pd.Index) -> pd.DataFrame:
    """Return how many members anybody is shown, by list and length of the lists, and their share of a catalogue.

    Parameters
    ----------
    sets
        The lists.
    names
        Their order.
    catalogue
        All items; where it is empty, the share is missing.
    """
    known = sets.members.isin(catalogue)
    parts = []
    for name in names:
        lists = sets.lists[name]
        first = np.full(len(sets.members), np.iinfo(np.int64).max)
        np.minimum.at(first, lists.member, lists.position)
        lengths = np.arange(1, int(lists.position.max()) + 1)
        shown, covered = (np.searchsorted(np.sort(one), lengths, side="right") for one in (first, first[known]))
        share = covered / len(catalogue) if len(catalogue) else np.full(len(lengths), np.nan)
        parts.append(pd.DataFrame({"list": name, "first": lengths, "shown": shown, "share": share}))
    return pd.concat(parts, ignore_index=True)


def popularity(sets: Aligned, names: list[str], popular: pd.Series) -> pd.DataFrame:
    """Return which share of each set's members is of which tenth of items, the most popular tenth first.

    Parameters
    ----------
    sets
        The lists.
    names
        Their order.
    popular
        Interactions by item, the most popular first; what is not there is of the last tenth.
    """
    tenth = np.minimum(np.arange(len(popular)) * _TENTHS // max(len(popular), 1), _TENTHS - 1)
    met = np.bincount(tenth, popular.to_numpy(float), _TENTHS) / max(float(popular.sum()), 1.0)
    place = popular.index.get_indexer(sets.members)
    own = np.where(place >= 0, tenth[place] if len(tenth) else _TENTHS - 1, _TENTHS - 1)
    parts = []
    for name in names:
        member = sets.lists[name].member
        share = np.bincount(own[member], minlength=_TENTHS) / len(member)
        parts.append(
            pd.DataFrame({"list": name, "tenth": np.arange(1, _TENTHS + 1), "share": share, "interactions": met})
        )
    return pd.concat(parts, ignore_index=True)


def scores(sets: Aligned, names: list[str]) -> pd.DataFrame:
    """Return the median score and the middle 80 % by list and rank; nothing of lists without scores."""
    parts = []
    for name in names:
        lists = sets.lists[name]
        frame = pd.DataFrame({"list": name, "rank": lists.position, "score": lists.score}).dropna()
        by_rank = frame.groupby(["list", "rank"])["score"]
        levels = {"low": 0.1, "median": 0.5, "high": 0.9}
        columns = {label: by_rank.quantile(level) for label, level in levels.items()}
        parts.append(pd.DataFrame({"scored": by_rank.size(), **columns}).reset_index())
    filled = [part for part in parts if len(part)]
    return pd.concat(filled or parts[:1], ignore_index=True)
