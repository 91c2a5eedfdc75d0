"""How good lists are, measured on frames: accuracy by Amazon's names, coverage, popularity and diversity.

The accuracy is that of GetSolutionMetrics, computed by the same code, for the lists that a job really gave and for
a truth of the user's own: a later week, a hold-out, clicks on a mailing.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.contract.ranking_metrics import CUT_OFFS, FOUND, RELEVANT
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.inputs.forms import given as read
from personalize_nb.results import measures, resampling
from personalize_nb.results.measures import MeasuredLists, Ratios, Truth
from personalize_nb.results.slices import sliced
from personalize_nb.results.sources import recommendations_of, results_of
from personalize_nb.results.titles import tell_doubled
from personalize_nb.text.public import public
from personalize_nb.text.values import shown

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data
    from personalize_nb.results.sources import Lists

FROM_JOB = "job.recommendations() of a user job"


@overload
def evaluate(
    recommendations: Lists,
    truth: Data,
    *,
    interactions: Data | None = None,
    items: Data | None = None,
    category: str | None = None,
    cut_offs: Sequence[int] = CUT_OFFS,
    ideal: str = FOUND,
    users: Data | None = None,
    by: None = None,
    interval: None = None,
    samples: int = resampling.SAMPLES,
    seed: int = 0,
) -> pd.Series: ...
@overload
def evaluate(
    recommendations: Lists,
    truth: Data,
    *,
    interactions: Data | None = None,
    items: Data | None = None,
    category: str | None = None,
    cut_offs: Sequence[int] = CUT_OFFS,
    ideal: str = FOUND,
    users: Data | None = None,
    by: str,
    interval: float | None = None,
    samples: int = resampling.SAMPLES,
    seed: int = 0,
) -> pd.DataFrame: ...
@overload
def evaluate(
    recommendations: Lists,
    truth: Data,
    *,
    interactions: Data | None = None,
    items: Data | None = None,
    category: str | None = None,
    cut_offs: Sequence[int] = CUT_OFFS,
    ideal: str = FOUND,
    users: Data | None = None,
    by: str | None = None,
    interval: float,
    samples: int = resampling.SAMPLES,
    seed: int = 0,
) -> pd.DataFrame: ...
@public
def evaluate(
    recommendations: Lists,
    truth: Data,
    *,
    interactions: Data | None = None,
    items: Data | None = None,
    category: str | None = None,
    cut_offs: Sequence[int] = CUT_OFFS,
    ideal: str = FOUND,
    users: Data | None = None,
    by: str | None = None,
    interval: float | None = None,
    samples: int = resampling.SAMPLES,
    seed: int = 0,
) -> pd.Series | pd.DataFrame:
    """Measure recommendations against what users really chose.

    `normalized_discounted_cumulative_gain_at_K`, `precision_at_K` and `mean_reciprocal_rank_at_K` are Amazon's.
    `recall_at_K` is the share of a user's right items that are found, `hit_rate_at_K` that of users for whom any is.
    `personalization_at_K` is one minus the mean cosine of the lists of two users: 0 where all have the same.

    Parameters
    ----------
    recommendations
        A job, run or results of users, or columns `user_id`, `rank`, `item_id`, as `job.recommendations()` gives them.
    truth
        Columns `user_id`, `item_id`: one row per item that was right for a user. Every user of the truth counts;
        one without recommendations counts as a list without hits.
    interactions
        History; adds `popularity_at_K`, the mean number of interactions of the recommended items, `novelty_at_K`, the
        mean of the binary logarithm of one through an item's share of all interactions (Zhou et al. 2010; an item that
        nobody met counts as met once), `long_tail_share_at_K`, the share of recommended items that are not among the
        most popular ones with 80 % of all interactions, and `serendipity_at_K`, the share of a list that is right and
        not among the K most popular items (Ge et al. 2010).
    items
        Catalogue; with `interactions`, or alone, adds `coverage`: the share of all items that somebody is recommended,
        and `gini_at_K`: how unevenly recommendations fall on them, 0 where each has as many.
    category
        A column of `items` with categories separated by `|`; adds `diversity_at_K`, one minus the mean cosine
        similarity of the categories of two items of a list.
    cut_offs
        Values of K.
    ideal
        `found` (Amazon's NDCG) or `relevant` (the usual one).
    users
        Columns of users to slice by.
    by
        Measure slices as well: by a column of the truth, the users or the items (of several categories separated by
        `|` an item is in each; many numbers are cut into four bands), by `activity` (users that are new, and thirds of
        the others by their interactions) or by `popularity` (truth among the most popular items, in the long tail,
        new). Where rows of the truth are told apart, a slice has their users' whole lists.
    interval
        A share such as 0.95: adds between which values a figure lies in that share of draws of the users, where it is a
        mean over users.
    samples, seed
        How many draws, and what they begin with.

    Returns
    -------
    pandas.Series or pandas.DataFrame
        Metrics by name, `users` last: how many users of the truth were counted. With `interval` a frame of `value`,
        `low` and `high`; with `by` a frame of a column for all and for each slice, or with both of three for each.

    Raises
    ------
    InputError
        A column is missing, the truth is empty, or an option is not legal.

    References
    ----------
    Amazon Personalize: GetSolutionMetrics; "Evaluating an Amazon Personalize solution version with metrics".

    Examples
    --------
    >>> import pandas as pd
    >>> lists = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> evaluate(lists, pd.DataFrame({"user_id": ["u"], "item_id": ["b"]}), cut_offs=[5])["mean_reciprocal_rank_at_5"]
    np.float64(0.5)
    """
    if interval is not None:
        resampling.checked(interval, samples, seed)
    if by is not None:  # what is read twice below must not be used up
        truth, interactions = read(truth), None if interactions is None else read(interactions)
    against = truth_of(truth, interactions, items, category, cut_offs, ideal)
    lists = checked_lists(recommendations)

    if against.offered is not None and category is not None:
        tell_doubled(against.offered[c.ITEM_ID])
    rows = None if by is None else frames.plain(truth, "truth", c.USER_ID, c.ITEM_ID)
    found: dict[str, pd.Series | pd.DataFrame] = {}
    for name, own, wanted in all_and_slices(lists, against, by, rows, users, interactions):
        coded = measures.coded(own, wanted)
        part = measures.taken(coded, wanted)
        one = (measures.figures if found else measures.together)([part], wanted)
        found[name] = (
            one if interval is None else with_bounds(one, coded.ratios, [part], wanted, interval, samples, seed)
        )
    return found["all"] if by is None else pd.concat(found, axis=1)


def all_and_slices(
    lists: pd.DataFrame,
    truth: Truth,
    by: str | None,
    rows: pd.DataFrame | None,
    users: Data | None,
    interactions: Data | None,
) -> Iterator[tuple[str, pd.DataFrame, Truth]]:
    """Yield what is measured, each with its lists and truth: `all`, and the slices where some are asked for.

    Parameters
    ----------
    lists
        All lists, checked.
    truth
        What they are measured against.
    by, rows, users, interactions
        As for `slices.sliced`.
    """
    yield "all", lists, truth
    if by is not None and rows is not None:
        for name, own, wanted in sliced(by, lists, truth, rows, users, interactions):
            yield name if name != "all" else "all (slice)", own, wanted


def with_bounds(
    found: pd.Series,
    own: Ratios,
    parts: Sequence[MeasuredLists],
    truth: Truth,
    level: float,
    samples: int,
    seed: int,
) -> pd.DataFrame:
    """Return figures with the bounds of those that are means over users; `own` is what each list tells by itself."""
    low, high = pd.Series(np.nan, found.index), pd.Series(np.nan, found.index)
    exact = measures.accuracy(parts, truth)
    ones = {name: (values, np.ones(len(values))) for name, values in exact.items()}
    for ratios in (ones, own):
        names = list(ratios)
        if names:
            amounts, counts = (np.stack([ratios[name][place] for name in names], axis=1) for place in (0, 1))
            low[names], high[names] = resampling.bounds(resampling.drawn(amounts, counts, samples, seed), level)
    return pd.DataFrame({"value": found, "low": low, "high": high})


def truth_of(
    truth: Data,
    interactions: Data | None,
    items: Data | None,
    category: str | None,
    cut_offs: Sequence[int],
    ideal: str,
) -> Truth:
    """Return what lists are measured against; parameters as for `evaluate`."""
    chosen = frames.plain(truth, "truth", c.USER_ID, c.ITEM_ID)
    if chosen.empty:
        raise InputError("'truth' is empty: give one row per item that was right for a user")
    wanted = chosen[[c.USER_ID, c.ITEM_ID]].drop_duplicates(ignore_index=True)
    return beside(wanted, interactions, items, category, cut_offs, ideal)


def beside(
    wanted: pd.DataFrame,
    interactions: Data | None,
    items: Data | None,
    category: str | None,
    cut_offs: Sequence[int],
    ideal: str,
) -> Truth:
    """Return a truth that is checked already, or empty, with history and catalogue."""
    seen = None if interactions is None else frames.plain(interactions, "interactions", c.ITEM_ID)
    offered = None if items is None else frames.plain(items, "items", c.ITEM_ID)
    cuts = _cut_offs(cut_offs)
    _check_options(offered, category, ideal)
    return Truth(wanted, seen, offered, category, cuts, ideal)


def measured(recommendations: Data, truth: Truth) -> MeasuredLists:
    """Return what lists tell, of all users or of some."""
    return measures.taken(measures.coded(checked_lists(recommendations), truth), truth)


def checked_lists(recommendations: Lists) -> pd.DataFrame:
    """Check that ranks count from 1 and that each user has one list; return the frame with whole ranks."""
    results = results_of(recommendations)
    if results is not None and (results.has_themes or results.has_segments):
        raise _no_users("themes" if results.has_themes else "segments")
    lists = recommendations_of(recommendations)
    names = {c.canonical(name) for name in getattr(lists, "columns", ())}
    if c.RECOMMENDED_ITEM_ID in names and c.USER_ID not in names:
        raise _no_users("lists of items")
    recommendations = frames.plain(lists, "recommendations", c.USER_ID, c.RANK, c.ITEM_ID, hint=FROM_JOB)
    given = recommendations[c.RANK]
    ranks = pd.to_numeric(given, errors="coerce").astype("float64")
    wrong = ~((ranks >= 1) & (ranks % 1 == 0)).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"Ranks of 'recommendations' must be whole numbers from 1, got {given.iloc[row]} in row {row}; add "
            "1 to ranks that count from 0"
        )
    found = recommendations.assign(**{c.RANK: ranks.astype("int64")})
    for column, what in ((c.RANK, "two items of rank"), (c.ITEM_ID, "the item twice:")):
        twice = found.duplicated([c.USER_ID, column]).to_numpy()
        if twice.any():
            double = found.iloc[int(twice.argmax())]
            raise InputError(
                f"'recommendations' must have one list for a user; {double[c.USER_ID]!r} has {what} {double[column]}. "
                "Where lists differ by a filter's values, measure the rows of each value: [pnb.evaluate(lists, truth) "
                "for _, lists in recommendations.groupby('GENRE')]"
            )
    return found


def _no_users(kind: str) -> InputError:
    return InputError(
        f"'recommendations' must be lists of users, which a truth of users is for; got {kind}. "
        "pnb.compare(...) shows two such jobs beside each other, pnb.theme_quality(...) measures themes."
    )


def _cut_offs(given: Sequence[int]) -> list[int]:
    """Return the values of K, each once."""
    cuts = list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else []
    if not cuts or any(isinstance(cut, bool) or not isinstance(cut, numbers.Integral) or cut < 1 for cut in cuts):
        raise InputError(f"'cut_offs' must be a list of whole numbers from 1, got {shown(given)}")
    return list(dict.fromkeys(map(int, cuts)))


def _check_options(items: pd.DataFrame | None, category: str | None, ideal: str) -> None:
    if ideal not in (FOUND, RELEVANT):
        raise InputError(f"'ideal' must be {FOUND!r} or {RELEVANT!r}, got {ideal!r}")
    if category is not None and (items is None or category not in items.columns):
        legal = "no items frame was given" if items is None else f"items has {list(items.columns)}"
        raise InputError(f"'category' must be a column of items, got {category!r}; {legal}")
