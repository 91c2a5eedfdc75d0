"""The filter language: text to tree, tree against schemas, tree against data.

`parse(text)` gives an `Expression`, `Expression.check(schemas)` says whether a dataset group can serve it, and
`bind(expression, data, item_ids)` turns it into sets of a catalogue's items. Local service.

Where Amazon's pages leave the meaning open, this is what is done here:

* AND binds tighter than OR; parentheses round conditions are refused.
* A missing value is in no list and compares with nothing; NOT IN and != are the negations of IN and =, so an item
  without a value passes them.
* A string field that is `categorical` holds the values between its `|`; IN and = match when any of them matches.
* `Interactions.EVENT_TYPE IN (...)` matches the items for which the user has such an event among the 100 most recent
  of that event type. AND, OR and NOT IN work on those sets of items.
* AWS stops counting a user's history when nothing was imported for the user for three months, by the day of the
  import and not of the events. Not here; `choices` says why.
* A clause whose IF is false for the user is skipped. A filter without an active INCLUDE starts from the catalogue.
* A placeholder without value is a row error in INCLUDE; in EXCLUDE its condition holds for no item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .expression import Expression, parse
from .syntax import FilterError

if TYPE_CHECKING:
    import pyarrow as pa

    from ..tables import TrainingData
    from .bound import BoundFilter

__all__ = ["BoundFilter", "Expression", "FilterError", "bind", "bind_users", "parse"]


def bind(expression: Expression, data: TrainingData, item_ids: pa.StringArray) -> BoundFilter:
    """Make an expression ready to be evaluated on a catalogue.

    Parameters
    ----------
    expression
        A filter on items, as parsed.
    data
        The imported datasets with their schemas.
    item_ids
        The catalogue, whose order the answers have.

    Returns
    -------
    BoundFilter
        Its `allowed` says what each query may have.

    Raises
    ------
    FilterError
        The datasets do not have what the expression names.
    """
    # the server process parses filters and never binds one: keep numpy and pyarrow out of its start-up
    from .bound import BoundFilter

    return BoundFilter(expression, data, item_ids)


def bind_users(expression: Expression, data: TrainingData, user_ids: pa.StringArray) -> BoundFilter:
    """Make a filter on users ready to be evaluated on the users of a model; otherwise as `bind`."""
    from .users import BoundUserFilter

    return BoundUserFilter(expression, data, user_ids)


def __getattr__(name: str) -> object:
    if name == "BoundFilter":
        from .bound import BoundFilter

        return BoundFilter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
