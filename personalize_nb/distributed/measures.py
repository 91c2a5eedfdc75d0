"""How good lists are that are a Dask DataFrame: each partition is measured where it is, and the parts taken together.

The figures are those of `pnb.evaluate` on the whole frame. What comes back from a partition is one row of hits for each
of its users in the truth, and the items that it recommends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from personalize_nb import errors
from personalize_nb.contract import columns as c
from personalize_nb.contract.ranking_metrics import CUT_OFFS, FOUND
from personalize_nb.distributed.tasks import NamedTasks, partitions
from personalize_nb.inputs import frames
from personalize_nb.inputs.forms import given as read
from personalize_nb.results import evaluation, measures, resampling
from personalize_nb.results.slices import ACTIVITY
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from dask.delayed import Delayed

    from personalize_nb.inputs.forms import Data

_NONE = pd.DataFrame({c.USER_ID: [], c.RANK: [], c.ITEM_ID: []}).astype({c.USER_ID: "str", c.ITEM_ID: "str"})


@public
def evaluate(
    recommendations: Any,
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
) -> Delayed:
    """Return the measure of recommendations that are a Dask DataFrame, as a task.

    `.compute()` makes it the series or frame that `pnb.evaluate` gives. For slices each partition is measured once for
    each of them; for bounds a few numbers for each list come back from it.

    Parameters
    ----------
    recommendations
        As `run.recommendations()` gives them; the rows of a user are in one partition.
    truth, interactions, items, category, cut_offs, ideal
        As for `pnb.evaluate`; they go to every worker.
    users, by, interval, samples, seed
        As for `pnb.evaluate`, but for `by="activity"`: who is how active depends on the users of all partitions.

    Returns
    -------
    dask.delayed.Delayed
        A series as of `pnb.evaluate` when it is computed.

    Raises
    ------
    InputError
        The truth or an option cannot be used; what is wrong with the lists is told by `.compute()`.

    References
    ----------
    Amazon Personalize: GetSolutionMetrics; see `pnb.evaluate`.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> lists = dd.from_pandas(pd.DataFrame({"user_id": ["u"], "rank": [1], "item_id": ["a"]}), npartitions=1)
    >>> truth = pd.DataFrame({"user_id": ["u"], "item_id": ["a"]})
    >>> pnb.distributed.evaluate(lists, truth, cut_offs=[1]).compute()["precision_at_1"]
    np.float64(1.0)
    """
    pieces = partitions(recommendations)
    if interval is not None:
        resampling.checked(interval, samples, seed)
    known = frames.plain(users, "users", c.USER_ID).columns if by == ACTIVITY and users is not None else ()
    if by == ACTIVITY and by not in known:
        raise errors.InputError(
            "by='activity' is measured of all users at once, which partitions are not: give users= with a "
            "column of your own and by= its name, or the lists of the truth's users, "
            "pnb.evaluate(lists[lists['user_id'].isin(ids)].compute(), truth, by='activity', ...)."
        )
    if by is not None:  # what is read twice below must not be used up
        truth, interactions = read(truth), None if interactions is None else read(interactions)
    against = evaluation.truth_of(truth, interactions, items, category, cut_offs, ideal)
    rows = None if by is None else frames.plain(truth, "truth", c.USER_ID, c.ITEM_ID)
    told = None if users is None else frames.plain(users, "users", c.USER_ID)
    question = _Question(against, by, rows, told, interval, samples, seed)
    list(question.slices(_NONE))  # refuses a column that is none before anything runs
    made = NamedTasks()
    # one task for all workers, so that the truth is sent to each once
    asked = made.task("take-truth", 0, _given, question)
    parts = [made.task("measure-lists", number, _measured, piece, asked) for number, piece in enumerate(pieces)]
    return made.task("take-together", 0, _together, parts, asked)


@public
def coverage(recommendations: Any, items: Data) -> Delayed:
    """Return which share of all items somebody is recommended, as a task: `.compute()` makes it a number.

    Parameters
    ----------
    recommendations
        As `run.recommendations()` gives them, a Dask DataFrame.
    items
        The catalogue.

    Returns
    -------
    dask.delayed.Delayed
        A number between 0 and 1 when it is computed.

    Raises
    ------
    InputError
        There is no item in the catalogue, or no column of items among the recommendations.

    References
    ----------
    `coverage` of Amazon Personalize's GetSolutionMetrics.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> lists = dd.from_pandas(pd.DataFrame({"user_id": ["u"], "rank": [1], "item_id": ["a"]}), npartitions=1)
    >>> pnb.distributed.coverage(lists, pd.DataFrame({"item_id": ["a", "b"]})).compute()
    0.5
    """
    pieces = partitions(recommendations)
    catalogue = frozenset(frames.plain(items, "items", c.ITEM_ID)[c.ITEM_ID].unique())
    if not catalogue:
        raise errors.InputError("'items' is empty: give one row per item of the catalogue.")
    names = [str(name) for name in getattr(recommendations, "columns", ())]
    column = next((name for name in (c.RECOMMENDED_ITEM_ID, c.ITEM_ID) if name in names), None)
    if column is None:
        raise errors.InputError(
            f"'recommendations' must have a column {c.ITEM_ID!r} or {c.RECOMMENDED_ITEM_ID!r}, as "
            f"run.recommendations() has; got {names}."
        )
    made = NamedTasks()
    shown = [made.task("find-items", number, _shown, piece, column) for number, piece in enumerate(pieces)]
    return made.task("cover-items", 0, _share, shown, catalogue)


@dataclass(frozen=True)
class _Question:
    """What lists are measured against, and how; parameters as for `evaluate`."""

    truth: measures.Truth
    by: str | None
    rows: pd.DataFrame | None
    users: pd.DataFrame | None
    interval: float | None
    samples: int
    seed: int

    def slices(self, lists: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, measures.Truth]]:
        """Yield all lists and those of each slice, by its name and with its truth."""
        return evaluation.all_and_slices(lists, self.truth, self.by, self.rows, self.users, None)


def _given(question: _Question) -> _Question:
    return question


def _measured(piece: pd.DataFrame, question: _Question) -> dict[str, tuple[measures.MeasuredLists, measures.Ratios]]:
    """Return what the lists of a partition tell, by slice; of each list by itself only where bounds are asked for."""
    found = {}
    for name, own, wanted in question.slices(evaluation.checked_lists(piece)):
        coded = measures.coded(own, wanted)
        found[name] = measures.taken(coded, wanted), {} if question.interval is None else coded.ratios
    return found


def _together(
    parts: Sequence[dict[str, tuple[measures.MeasuredLists, measures.Ratios]]], question: _Question
) -> pd.Series | pd.DataFrame:
    """Return the figures of all partitions, as `pnb.evaluate` gives them."""
    found: dict[str, pd.Series | pd.DataFrame] = {}
    for name, _, wanted in question.slices(_NONE):
        measured = [part[name][0] for part in parts]
        one = (measures.figures if found else measures.together)(measured, wanted)
        found[name] = one
        if question.interval is not None:
            own = _joined([part[name][1] for part in parts])
            found[name] = evaluation.with_bounds(
                one, own, measured, wanted, question.interval, question.samples, question.seed
            )
    return found["all"] if question.by is None else pd.concat(found, axis=1)


def _joined(ratios: Sequence[measures.Ratios]) -> measures.Ratios:
    """Return what each list tells by itself, of all partitions in their order."""
    names = dict.fromkeys(name for one in ratios for name in one)
    return {
        name: (
            np.concatenate([one[name][0] for one in ratios if name in one]),
            np.concatenate([one[name][1] for one in ratios if name in one]),
        )
        for name in names
    }


def _shown(piece: pd.DataFrame, column: str) -> frozenset[str]:
    return frozenset(piece[column].dropna().unique())


def _share(shown: Sequence[frozenset[str]], catalogue: frozenset[str]) -> float:
    return len(catalogue.intersection({item for one in shown for item in one})) / len(catalogue)
