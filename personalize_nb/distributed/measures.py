"""How good lists are that are a Dask DataFrame: each partition is measured where it is, and the parts taken together.

The figures are those of `pnb.evaluate` on the whole frame. What comes back from a partition is one row of hits for each
of its users in the truth, and the items that it recommends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from personalize_nb import errors
from personalize_nb.contract import columns as c
from personalize_nb.contract.ranking_metrics import CUT_OFFS, FOUND
from personalize_nb.distributed.tasks import NamedTasks, partitions
from personalize_nb.inputs import frames
from personalize_nb.results import evaluation, measures
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from dask.delayed import Delayed

    from personalize_nb.inputs.forms import Data


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
) -> Delayed:
    """Return the measure of recommendations that are a Dask DataFrame, as a task: `.compute()` makes it a series.

    Parameters
    ----------
    recommendations
        As `run.recommendations()` gives them; the rows of a user are in one partition.
    truth, interactions, items, category, cut_offs, ideal
        As for `pnb.evaluate`; they go to every worker.

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
    made = NamedTasks()
    # one task for all workers, so that the truth is sent to each once
    against = made.task(
        "take-truth", 0, _given, evaluation.truth_of(truth, interactions, items, category, cut_offs, ideal)
    )
    parts = [
        made.task("measure-lists", number, evaluation.measured, piece, against) for number, piece in enumerate(pieces)
    ]
    return made.task("take-together", 0, measures.together, parts, against)


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


def _given(found: measures.Truth) -> measures.Truth:
    return found


def _shown(piece: pd.DataFrame, column: str) -> frozenset[str]:
    return frozenset(piece[column].dropna().unique())


def _share(shown: Sequence[frozenset[str]], catalogue: frozenset[str]) -> float:
    return len(catalogue.intersection({item for one in shown for item in one})) / len(catalogue)
