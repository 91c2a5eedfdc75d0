"""Data become the checked batch that the recipe of a model takes, with values for a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import recipes
from personalize_nb.inputs import queries
from personalize_nb.inputs.batch import KEYS, Batch
from personalize_nb.inputs.filter_columns import named_column
from personalize_nb.inputs.forms import given
from personalize_nb.inputs.given import Given
from personalize_nb.inputs.ids import Findings
from personalize_nb.inputs.key_columns import frame as as_frame
from personalize_nb.inputs.records import make_batch
from personalize_nb.jobs.request import KIND_OF_KEYS
from personalize_nb.jobs.unfit import no_batch
from personalize_nb.resources.filters import Filter
from personalize_nb.resources.item_schema import item_fields
from personalize_nb.resources.solutions import SolutionVersion

if TYPE_CHECKING:
    from personalize_nb.inputs.filter_columns import FilterValues
    from personalize_nb.inputs.forms import Data


def batch_for(
    data: Data | Given | Mapping[str, Any] | Batch,
    version: SolutionVersion,
    chosen: Filter | None = None,
    values: FilterValues | None = None,
    findings: Findings | None = None,
) -> Batch:
    """Return the checked batch that the recipe of a solution version takes, with values for a filter.

    Parameters
    ----------
    data, version, chosen, values
        As for `recommend`.
    findings
        Receives what is found in rows, also where an error ends in `InputError`.
    """
    facts = recipes.recipe_of(version.recipe)
    if facts is not None and not (facts.batch or facts.segments):
        raise errors.RequestError([no_batch(facts)])
    numbers = chosen.numbers if chosen is not None else ()
    if isinstance(data, Batch):
        return data.fit(values, numbers)
    kind = KIND_OF_KEYS.get(facts.input_keys if facts else ("userId",))
    if facts is not None and facts.by_attributes:
        asked, fields = queries.read(data), item_fields(version.dataset_group_arn, version.session)
        written = queries.query_frame(asked, fields, chosen.placeholders if chosen is not None else ())
        data = Given(written, notes=asked.notes)
    read = given(data)  # once: of a generator or an open file nothing is left the second time
    if kind is None:
        return make_batch("users", read, values, numbers, findings)
    return make_batch(kind, read, _values(read, chosen, values, KEYS[kind][0]), numbers, findings)


def _values(data: Given, chosen: Filter | None, values: FilterValues | None, key: str) -> FilterValues | None:
    """Return values for every placeholder of the filter: the ones given, else the frame's column of that name."""
    if values is not None and not isinstance(values, Mapping | Sequence):
        told = f"'filter_values' must be a mapping or a list of column names, got {errors.received(values)}."
        raise errors.InputError(told)
    if chosen is None:
        if values:
            raise errors.InputError(f"'filter_values' need a filter: pass filter=... as well, got {values!r} alone.")
        return values
    if values is not None and not isinstance(values, Mapping):
        return values
    any_case = {name.lower(): name for name in chosen.placeholders}
    named = {
        name if name in chosen.placeholders else any_case.get(str(name).lower(), name): value
        for name, value in (values or {}).items()
    }
    unknown = [name for name in named if name not in chosen.placeholders]
    if unknown:
        raise errors.InputError(
            f"Filter {chosen.name!r} has no placeholder {unknown}; it has {list(chosen.placeholders)}: "
            f"{chosen.expression}"
        )
    frame = as_frame(data, key)
    found = {name: named_column(frame, name) for name in chosen.placeholders if name not in named}
    return {**{name: column for name, column in found.items() if column is not None}, **named} or None
