"""Whether interactions are enough for a training, counted as the service counts: after its event filters, each once.

Of events that are identical in every column AWS keeps one. What a solution says of events (`eventType`,
`eventValueThreshold`, `eventsConfig`) leaves out others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import limits
from personalize_nb.contract.columns import REQUIRED_COLUMNS
from personalize_nb.contract.recipes import Recipe
from personalize_nb.contract.solution_config import is_number
from personalize_nb.errors import WARNING, InputError, Problem
from personalize_nb.training.schemas import INTERACTIONS, RESERVED, Dataset

_FIELD = "interactions"
_SHOWN_TYPES = 10


def problems(
    interactions: Dataset, recipe: Recipe | None, event_type: str | None, config: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield why a training would have too few interactions, and notes on those that do not count.

    Parameters
    ----------
    interactions
        The dataset.
    recipe
        What is trained; None where it is not known.
    event_type, config
        What the solution says: its `eventType` and `solutionConfig`.
    """
    rows = interactions.table.num_rows
    yield from _kinds(interactions)
    if recipe is not None and not recipe.needs_interactions:
        if rows < limits.MIN_INTERACTIONS:
            yield Problem(_FIELD, _too_few("", f"{rows:,}"))
        return
    table = _once(interactions.table)
    twins = rows - table.num_rows
    told = (
        f": of {rows:,} rows {twins:,} are identical to another in every column, and such count once" if twins else ""
    )
    few = table.num_rows < limits.MIN_INTERACTIONS
    if few:
        yield Problem(_FIELD, _too_few("", f"{table.num_rows:,}{told}"))
    elif twins:
        text = f"{twins:,} of {rows:,} interactions are identical to another in every column; AWS keeps one of each"
        yield Problem(_FIELD, text, WARNING)
    lacking = list(_lacking(table, event_type, config))
    yield from lacking
    if lacking:
        return
    kept, of = _filtered(_trained(table, config), event_type, config)
    there = f"{_shown_types(table)}" if of else ""
    if few and kept.num_rows:
        return  # more events may make these enough; no such events at all are another mistake
    if kept.num_rows < limits.MIN_INTERACTIONS:
        yield Problem(_FIELD, _too_few(of, f"{kept.num_rows:,}{told if not of else ''}{there}"))
        return
    counts = pc.value_counts(kept.column("USER_ID")).field("counts")
    active, needed = pc.sum(pc.greater_equal(counts, 2)).as_py() or 0, limits.MIN_USERS_WITH_TWO_INTERACTIONS
    if active < needed:
        text = f"A training needs at least {needed} users with 2 or more interactions{of}, got {active}{told}{there}."
        yield Problem(_FIELD, text)
    elif active < limits.MIN_SHARE_OF_USERS_WITH_TWO * len(counts):
        yield Problem(
            _FIELD,
            f"A training needs 2 or more interactions{of} of at least {limits.MIN_SHARE_OF_USERS_WITH_TWO:.0%} of the "
            f"users, got {active:,} of {len(counts):,}{told}{there}.",
        )


def unmatched(datasets: Sequence[Dataset]) -> list[str]:
    """Return notes on ids of the interactions that the items or users have no row for; none at all is refused."""
    notes = []
    interactions, *others = datasets
    for one in others:
        key = REQUIRED_COLUMNS[one.type][0]
        known, used = one.table.column(key), pc.unique(interactions.table.column(key))
        missing = used.filter(pc.invert(pc.is_in(used, known.combine_chunks())))
        if len(missing) == len(used):
            raise InputError(
                f"No {key.lower()} of the interactions is among the {one.type.lower()}: {used[0].as_py()!r} and so on "
                f"there, {known[0].as_py()!r} and so on here. Were both read as the same type?"
            )
        if len(missing):
            notes.append(
                f"{len(missing):,} of {len(used):,} ids in {key.lower()} of the interactions have no row among the "
                f"{one.type.lower()}, the first is {missing[0].as_py()!r}"
            )
    return notes


def trained_columns(kind: str, names: Sequence[str], config: Mapping[str, Any]) -> list[str]:
    """Return which columns of a dataset a training reads: its `trainingDataConfig` may leave some out."""
    data = config.get("trainingDataConfig", {})
    chosen = {name: {key.upper(): value for key, value in data.get(name, {}).items()} for name in data}
    excluded = chosen.get("excludedDatasetColumns", {}).get(kind, ())
    included = chosen.get("includedDatasetColumns", {}).get(kind, names)
    return [one for one in names if one in REQUIRED_COLUMNS[kind] or (one in included and one not in excluded)]


def _trained(table: pa.Table, config: Mapping[str, Any]) -> pa.Table:
    return table.select(trained_columns(INTERACTIONS, table.column_names, config))


def _once(table: pa.Table) -> pa.Table:
    """Return the events without those that are identical to another in every column."""
    coded = {"TIMESTAMP": table.column("TIMESTAMP").to_numpy()}
    for name in ("USER_ID", "ITEM_ID"):
        coded[name] = table.column(name).combine_chunks().dictionary_encode().indices.to_numpy()
    alike = pd.DataFrame(coded).duplicated(keep=False).to_numpy()  # few, where all columns would be many to compare
    if not alike.any():
        return table
    suspects = table.filter(pa.array(alike))
    once = suspects.group_by(table.column_names, use_threads=False).aggregate([]).select(table.column_names)
    return pa.concat_tables([table.filter(pa.array(~alike)), once])


def _too_few(of: str, got: str) -> str:
    return f"A training needs at least {limits.MIN_INTERACTIONS:,} interactions{of}, got {got}."


def _kinds(interactions: Dataset) -> Iterator[Problem]:
    """Yield a problem where event types and columns of metadata are more than a dataset may have."""
    table = interactions.table
    if "EVENT_TYPE" not in table.column_names:
        return
    types = pc.count_distinct(table.column("EVENT_TYPE")).as_py()
    metadata = [one for one in table.column_names if one not in (*REQUIRED_COLUMNS[INTERACTIONS], *RESERVED)]
    if types + len(metadata) > limits.MAX_EVENT_TYPES_AND_COLUMNS:
        yield Problem(
            _FIELD,
            f"Interactions may have {limits.MAX_EVENT_TYPES_AND_COLUMNS} event types and columns of metadata together, "
            f"got {types} event types and {len(metadata)} columns{_shown_types(table)}. Leave out some, or let several "
            "event types be one.",
        )


def _lacking(table: pa.Table, event_type: object, config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what a solution asks of events that have no such column, or no such type."""
    if event_type is not None and not isinstance(event_type, str):
        text = f"'event_type' must be text, as the column 'event_type' holds it, got {event_type!r}."
        yield Problem("event_type", text)
        return
    rules = config.get("eventsConfig", {}).get("eventParametersList", [])
    types = [one["eventType"] for one in rules if "eventType" in one]
    threshold = config.get("eventValueThreshold")
    asked: list[tuple[str, str | None, str, bool]] = [("eventsConfig", None, "EVENT_TYPE", bool(types))]
    asked.append(("eventsConfig", None, "EVENT_VALUE", any("eventValueThreshold" in one for one in rules)))
    if not rules:
        asked.append(("event_type", event_type, "EVENT_TYPE", event_type is not None))
        asked.append(("eventValueThreshold", threshold, "EVENT_VALUE", threshold is not None))
    trained = _trained(table, config).column_names
    for argument, value, name, needed in asked:
        if needed and name not in table.column_names:
            begin = f"{argument!r} is {value!r}, but" if value is not None else f"{argument!r} asks for it, but"
            yield Problem(argument, f"{begin} the interactions have no column {name.lower()!r}.")
        elif needed and name not in trained:
            text = f"{argument!r} needs the column {name}, which trainingDataConfig leaves out of the training."
            yield Problem(argument, text)
    known = pc.unique(table.column("EVENT_TYPE")).to_pylist() if "EVENT_TYPE" in table.column_names else types
    for name in types:
        if name not in known:
            text = f"eventsConfig names the event type {name!r}, which no interaction has{_shown_types(table)}."
            yield Problem("eventsConfig", text)


def _filtered(table: pa.Table, event_type: str | None, config: Mapping[str, Any]) -> tuple[pa.Table, str]:
    """Return the events that a solution asks for, and in words which these are; empty for all."""
    rules = config.get("eventsConfig", {}).get("eventParametersList", [])
    threshold = config.get("eventValueThreshold")
    if threshold is not None and not is_number(str(threshold)):
        threshold = None  # that is a problem of its own, and no event is counted by it
    if not rules:
        rules = [{"eventType": event_type, "eventValueThreshold": threshold}]
        of = f" of event type {event_type!r}" if event_type is not None else ""
        of += f" with a value of at least {threshold}" if threshold is not None else ""
    else:
        of = " that eventsConfig asks for"
    if not of:
        return table, of
    kept = np.zeros(table.num_rows, bool)
    for rule in rules:
        if float(rule.get("weight", 1.0)) > 0:
            kept |= _mask(table, rule.get("eventType"), rule.get("eventValueThreshold"))
    return table.filter(pa.array(kept)), of


def _mask(table: pa.Table, event_type: str | None, threshold: Any) -> np.ndarray:
    mask = np.ones(table.num_rows, bool)
    if event_type is not None:
        mask &= pc.fill_null(pc.equal(table.column("EVENT_TYPE"), event_type), False).to_numpy()
    if threshold is not None:
        values = table.column("EVENT_VALUE").cast(pa.float64())
        mask &= pc.fill_null(pc.greater_equal(values, float(threshold)), False).to_numpy()
    return mask


def _shown_types(table: pa.Table) -> str:
    if "EVENT_TYPE" not in table.column_names:
        return ""
    counted = pc.value_counts(table.column("EVENT_TYPE")).to_pylist()
    counted.sort(key=lambda one: (-one["counts"], str(one["values"])))
    shown = ", ".join(f"{one['values']!r} ({one['counts']:,})" for one in counted[:_SHOWN_TYPES])
    return f"; event types of the interactions: {shown}{', ...' if len(counted) > _SHOWN_TYPES else ''}"
