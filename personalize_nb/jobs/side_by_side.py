"""Several solution versions or filters side by side: which pairs there are, and how their results are told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.resources.filters import Filter
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.text.elements import is_list

if TYPE_CHECKING:
    from personalize_nb.inputs.filter_columns import FilterValues


def listed(given: Any, name: str) -> tuple[list[Any], bool]:
    """Return what was given as a list, and whether it was one.

    Parameters
    ----------
    given
        One thing, or several.
    name
        The parameter's name, for messages.

    Raises
    ------
    InputError
        The list is empty.
    """
    if not is_list(given):
        return [given], False
    found = list(given)
    if not found:
        raise errors.InputError(f"'{name}' must be one or a list of at least one, got an empty {type(given).__name__}.")
    return found, True


def labels(versions: Sequence[SolutionVersion], filters: Sequence[Filter | None]) -> list[dict[str, str | None]]:
    """Return for each version with each filter, the filters of the first version first, what tells it from others.

    Solutions go by their names; where two versions are of one solution, by `name/version`.

    Raises
    ------
    InputError
        A version or filter is there twice.
    """
    arns: list[str | None] = [version.arn for version in versions]
    names = [version.name for version in versions]
    called = [
        name if names.count(name) == 1 else version.arn.split(":solution/", 1)[-1]
        for name, version in zip(names, versions, strict=True)
    ]
    filtered: list[str | None] = [None if one is None else one.name for one in filters]
    for name, values in (("solution_version", arns), ("filter", filtered)):
        twice = sorted({repr(one) for one in values if values.count(one) > 1})
        if twice:
            raise errors.InputError(f"'{name}' names {', '.join(twice)} twice; side by side each stands once.")
    return [{"solution_version": one, "filter": other} for one in called for other in filtered]


def values_of(
    values: FilterValues | None, chosen: Filter | None, filters: Sequence[Filter | None]
) -> FilterValues | None:
    """Return those of the filter values that one of several filters takes; all of them for messages of a single one.

    A value that no filter takes is kept for each, so that it is refused as it is with one filter.
    """
    if not isinstance(values, Mapping) or len(filters) == 1:
        return values
    known = {name.lower() for one in filters if one is not None for name in one.placeholders}
    own = {name.lower() for name in chosen.placeholders} if chosen is not None else set()
    found: dict[Any, Any] = {
        name: value for name, value in values.items() if str(name).lower() in own or (str(name).lower() not in known)
    }
    return found or None
