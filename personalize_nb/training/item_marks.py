"""What single recipes and objectives ask of the items, beyond what every training asks.

Marks and types that they need make another schema, and so another dataset group: nobody else's training is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow.compute as pc

from personalize_nb.contract import columns
from personalize_nb.contract.attributes import NO_ATTRIBUTE, tells_apart
from personalize_nb.contract.recipes import Recipe
from personalize_nb.errors import WARNING, InputError, Problem
from personalize_nb.inputs.ids import Findings
from personalize_nb.training import schemas
from personalize_nb.training.amounts import trained_columns
from personalize_nb.training.schemas import ITEMS, RESERVED, Dataset


def with_item_name(datasets: Sequence[Dataset], recipe: str) -> list[Dataset]:
    """Return datasets whose items' names are marked as such, for a recipe that reads them by that mark.

    Raises
    ------
    InputError
        There is no column of names, or none of descriptions.
    """
    _, fields = _items(datasets)
    texts = {
        field["name"].lower(): field
        for field in fields
        if "string" in field["type"] and schemas.role(field) == "string"
    }
    named = next((name for name in columns.NAME_COLUMNS if name in texts), None)
    if named is None or not any(field.get("textual") for field in fields):
        have = ", ".join(f"{field['name'].lower()} ({schemas.role(field)})" for field in fields) or "no items frame"
        raise InputError(
            f"{recipe} compares items by their names and descriptions, so the items need a text column of names, "
            f"called one of {', '.join(columns.NAME_COLUMNS)}, and a textual one of descriptions (textual='...'); got "
            f"{have}."
        )
    return _with_field(datasets, texts[named], itemName=True)


def with_objective(datasets: Sequence[Dataset], attribute: object) -> tuple[list[Dataset], str]:
    """Return datasets whose items can serve an optimization objective, and the schema's name of its column.

    AWS takes only a number that the schema does not let be null.

    Raises
    ------
    InputError
        There is no such column of numbers, or numbers are missing; `.findings` says where.
    """
    items, fields = _items(datasets)
    numeric = {field["name"]: field for field in fields if "string" not in field["type"]}
    name = schemas.amazon_name(attribute)
    if items is None or name not in numeric:
        legal = f"legal: {', '.join(column.lower() for column in numeric)}" if numeric else "the items have none"
        raise InputError(
            "'itemAttribute' of the optimization objective must be a column of numbers of the items, got "
            f"{attribute!r}; {legal}."
        )
    numbers, findings = items.table.column(name), Findings()
    repair = f"the number is missing; fill it, or drop such rows: frame.dropna(subset=[{name.lower()!r}])"
    findings.error(pc.is_null(numbers), name.lower(), numbers, repair)
    findings.raise_errors(items.table.num_rows, "items")
    declared = numeric[name]["type"]
    plain = declared if isinstance(declared, str) else next(kind for kind in declared if kind != "null")
    return _with_field(datasets, numeric[name], type=plain), name


def problems(datasets: Sequence[Dataset], recipe: Recipe, config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what a recipe lacks among the items, and what their columns keep it from doing.

    Parameters
    ----------
    datasets
        Those of the training.
    recipe
        What is trained.
    config
        The `solutionConfig`, which may leave out columns.
    """
    items, fields = _items(datasets)
    if items is None:
        if ITEMS in recipe.datasets and not recipe.item_marks:
            yield Problem("items", f"{recipe.name} learns from the items; give their frame: pnb.train(..., items).")
        return
    if recipe.input_keys == ("itemAttributes",):
        yield from _attributes(items, config)
    if recipe.themes and not any(field.get("textual") for field in fields):
        yield Problem(
            "items",
            "themes cannot be made with this model, because the items have no textual column; where they are wanted, "
            "name one of descriptions with textual='...'",
            WARNING,
        )


def _attributes(items: Dataset, config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem where no attribute of the items tells them apart and together."""
    trained = trained_columns(ITEMS, items.table.column_names, config)
    told = []
    for field in items.schema["fields"]:
        name = field["name"]
        if name in (*columns.REQUIRED_COLUMNS[ITEMS], *RESERVED):
            continue
        what = schemas.role(field)
        if name not in trained:
            told.append(f"{name.lower()} is left out by trainingDataConfig")
        elif what in ("textual", "string", "name"):
            told.append(f"{name.lower()} is {'plain text' if what != 'textual' else what}, no attribute")
        else:
            if tells_apart(items.table.column(name).to_pylist()):
                return
            told.append(f"no value of {name.lower()} is that of several items and not of all")
    there = "; ".join(told) or "there is none"
    yield Problem("items", f"{NO_ATTRIBUTE} Here {there}. Give a column of categories that several items share.")


def _items(datasets: Sequence[Dataset]) -> tuple[Dataset | None, list[dict[str, Any]]]:
    """Return the items and the fields of their schema; None and no fields where there are none."""
    items = next((dataset for dataset in datasets if dataset.type == ITEMS), None)
    return items, items.schema["fields"] if items is not None else []


def _with_field(datasets: Sequence[Dataset], changing: dict[str, Any], **changes: Any) -> list[Dataset]:
    """Return datasets with a field of the items changed."""
    changed = []
    for dataset in datasets:
        fields = [{**field, **changes} if field is changing else field for field in dataset.schema["fields"]]
        changed.append(replace(dataset, schema={**dataset.schema, "fields": fields}))
    return changed
