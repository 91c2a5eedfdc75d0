"""An expression with the data of a dataset group: sets of a catalogue's items, or of a model's users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personalize_nb.contract import limits
from personalize_nb.local.filters.expression import Expression, parse
from personalize_nb.local.filters.syntax import FilterError

if TYPE_CHECKING:
    import pyarrow as pa

    from personalize_nb.local.data.schema import TrainingData
    from personalize_nb.local.filters.bound import BoundFilter

__all__ = ["BoundFilter", "Expression", "FilterError", "bind", "bind_users", "parse"]


def bind(
    expression: Expression,
    data: TrainingData,
    item_ids: pa.StringArray,
    newest: int | None = limits.INTERACTIONS_SEEN_BY_FILTERS,
) -> BoundFilter:
    """Make an expression ready to be evaluated on a catalogue.

    Parameters
    ----------
    expression
        A filter on items, as parsed.
    data
        The imported datasets with their schemas.
    item_ids
        The catalogue, whose order the answers have.
    newest
        How many events of a type and user it sees, which Amazon limits for the filters that users make; None for all.

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
    from personalize_nb.local.filters.bound import BoundFilter

    return BoundFilter(expression, data, item_ids, newest)


def bind_users(expression: Expression, data: TrainingData, user_ids: pa.StringArray) -> BoundFilter:
    """Make a filter on users ready to be evaluated on the users of a model; otherwise as `bind`."""
    from personalize_nb.local.filters.users import BoundUserFilter

    return BoundUserFilter(expression, data, user_ids)


def __getattr__(name: str) -> object:
    if name == "BoundFilter":
        from personalize_nb.local.filters.bound import BoundFilter

        return BoundFilter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
