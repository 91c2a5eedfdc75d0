"""Whether a filter can be made for the data of a training: every column that it names has to be there."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from personalize_nb.errors import Problem
from personalize_nb.resources.filters import Filter, fields
from personalize_nb.training.schemas import Dataset


def problems(chosen: Filter | str, datasets: Mapping[str, Dataset]) -> Iterator[Problem]:
    """Yield the fields of a filter that no dataset has.

    Parameters
    ----------
    chosen
        A filter, or its expression.
    datasets
        The datasets by type.
    """
    expression = chosen.expression if isinstance(chosen, Filter) else chosen
    if not isinstance(expression, str) or "WHERE" not in expression.upper():
        text = (
            f"'filter' must be a Filter or an expression, such as 'INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)', got "
            f"{expression!r}."
        )
        yield Problem("filter", text)
        return
    for kind, column in fields(expression):
        if kind not in datasets:
            text = f"The filter names {kind.lower()}.{column}, but there is no {kind.lower()} frame: {expression}"
            yield Problem("filter", text)
            continue
        known = datasets[kind].table.column_names
        if column not in (name.upper() for name in known):
            near = difflib.get_close_matches(column, known, n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            text = (
                f"The filter names the column {column}, which the {kind.lower()} do not have{meant}; they have {known}."
            )
            yield Problem("filter", text)
