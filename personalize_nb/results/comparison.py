"""Two or more sets of lists beside each other: what changed, for whom, for which items, and what it is worth."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.contract.ranking_metrics import CUT_OFFS, FOUND
from personalize_nb.errors import InputError
from personalize_nb.inputs import frames
from personalize_nb.results import evaluation, measures, resampling
from personalize_nb.results.aligned import USERS, aligned
from personalize_nb.results.compared import Comparison
from personalize_nb.results.differences import Measuring
from personalize_nb.results.sources import any_lists_of, questions_of
from personalize_nb.results.titles import framed, tell_doubled
from personalize_nb.text.elements import is_list
from personalize_nb.text.public import public
from personalize_nb.text.values import shown

if TYPE_CHECKING:
    from personalize_nb.inputs.forms import Data
    from personalize_nb.results.sources import HasResults, Lists
    from personalize_nb.results.titles import Items

PERSISTENCE = 0.9


@public
def compare(
    lists: Mapping[str, Lists] | HasResults,
    *,
    truth: Data | None = None,
    baseline: str | None = None,
    interactions: Data | None = None,
    items: Items | None = None,
    category: str | None = None,
    cut_offs: Sequence[int] = CUT_OFFS,
    ideal: str = FOUND,
    persistence: float = PERSISTENCE,
    interval: float = 0.95,
    samples: int = resampling.SAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare the lists of two or more jobs: of users, of items, themes, or segments.

    Parameters
    ----------
    lists
        Names, and for each a job, run, results, or frame with `rank` as `job.recommendations()` gives it. Or one run
        of several models or filters, which are compared with each other.
    truth
        What was right for users, as for `evaluate`; adds accuracy to `metrics()`.
    baseline
        The name that all others are compared with; by default the first.
    interactions, items, category, cut_offs, ideal
        As for `evaluate`. Titles of the items stand beside their ids; a mapping of ids to titles is no catalogue.
    persistence
        How likely a reader goes on to the next item of a list: rank-biased overlap gives an item less weight the lower
        it stands; with 0.9 the first ten have 86 % of it.
    interval, samples, seed
        As for `evaluate`: which share of how many draws of the users lies within the bounds of `metrics()`.

    Returns
    -------
    Comparison
        Shows a summary; its methods have the rest as frames.

    Raises
    ------
    InputError
        There are fewer than two sets of lists, they are of different kinds, or one cannot be read as lists.

    Examples
    --------
    >>> import pandas as pd
    >>> old = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "b"]})
    >>> new = pd.DataFrame({"user_id": ["u", "u"], "rank": [1, 2], "item_id": ["a", "c"]})
    >>> found = compare({"last week": old, "today": new}, cut_offs=[2])
    >>> found.overlap()["overlap_at_2"].tolist()
    [0.5]
    >>> found.items()[["item_id", "gain"]].values.tolist()
    [['c', 1], ['a', 0], ['b', -1]]
    """
    named = _named(lists)
    if baseline is not None and baseline not in named:
        raise InputError(f"'baseline' must be one of {list(named)}, got {shown(baseline)}")
    if isinstance(persistence, bool) or not isinstance(persistence, numbers.Real) or not 0 < persistence < 1:
        raise InputError(f"'persistence' must be a number between 0 and 1, such as 0.9; got {shown(persistence)}")
    resampling.checked(interval, samples, seed)
    titles, catalogue = _titles(items)
    wanted = pd.DataFrame({c.USER_ID: pd.Series(dtype="str"), c.ITEM_ID: pd.Series(dtype="str")})
    against = (
        evaluation.beside(wanted, interactions, catalogue, category, cut_offs, ideal)
        if truth is None
        else evaluation.truth_of(truth, interactions, catalogue, category, cut_offs, ideal)
    )
    sets = aligned({name: any_lists_of(source, name) for name, source in named.items()})
    if truth is not None and (sets.kind is not USERS or sets.owners.shape[1] > 1):
        whose = sets.kind.name if sets.kind is not USERS else f"lists by {' and '.join(sets.owners.columns)}"
        raise InputError(f"A truth says what was right for a user, these are {whose}: compare them without truth=.")
    if truth is not None:
        if not against.users.isin(sets.owners[c.USER_ID]).any():
            raise measures.of_others(against.users, "the lists", str(sets.owners[c.USER_ID].iloc[0]))
        measures.check_items(against)
    measuring = Measuring(sets, against, interval, samples, seed)
    return Comparison(sets, baseline or next(iter(named)), measuring, persistence, titles)


def _named(lists: Any) -> dict[str, Any]:
    """Return the sets of lists by names that are texts."""
    if not isinstance(lists, Mapping):
        several = [] if is_list(lists) or isinstance(lists, str) else questions_of(lists)
        if len(several) > 1:
            return dict(several)
        raise InputError(
            "'lists' must be names with lists, {'last week': job, 'today': other}, or a run of several models or "
            f"filters; got {type(lists).__name__}"
        )
    named = {str(name): source for name, source in lists.items()}
    if len(named) < len(lists):
        raise InputError(f"Names of 'lists' must differ as texts, got {list(lists)}")
    if len(named) < 2:
        raise InputError(f"Two or more sets of lists are compared, 'lists' has {list(named)}; add another")
    blank = [name for name, source in named.items() if not name.strip() or source is None]
    if blank:
        raise InputError(f"Each of 'lists' needs a name and lists; {blank[0]!r} has {type(named[blank[0]]).__name__}")
    return named


def _titles(items: Any) -> tuple[Mapping[str, str], Any]:
    """Return the titles of items by ids, and the catalogue as a frame; both empty where none is given."""
    if items is None:
        return {}, None
    plain = frames.plain(framed(items), "items", c.ITEM_ID)
    tell_doubled(plain[c.ITEM_ID])
    column = next((name for name in plain.columns if str(name).lower() in c.NAME_COLUMNS), None)
    if column is None:
        return {}, plain
    named = plain[[c.ITEM_ID, column]].dropna().drop_duplicates(c.ITEM_ID)
    titles = dict(zip(named[c.ITEM_ID], named[column].astype(str), strict=True))
    return titles, None if isinstance(items, Mapping) else plain
