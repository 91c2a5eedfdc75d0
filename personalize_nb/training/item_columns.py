"""What single recipes and objectives ask of the items' schema, beyond what every training asks.

Each is another schema, and so another dataset group: nobody else's training is changed by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow.compute as pc

from personalize_nb.contract import columns
from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings
from personalize_nb.training import schemas
from personalize_nb.training.schemas import Dataset


def with_item_name(datasets: Sequence[Dataset], recipe: str) -> list[Dataset]:
    """Return datasets whose items' names are marked as such, for the one recipe that reads them by that mark.

    Parameters
    ----------
    datasets
        What `prepare` returned.
    recipe
        The recipe's name, for the message.

    Raises
    ------
    InputError
        There is no column of names, or none of descriptions.
    """
    items = next((one for one in datasets if one.type == schemas.ITEMS), None)
    fields = items.schema["fields"] if items is not None else []
    texts = {one["name"].lower(): one for one in fields if "string" in one["type"] and schemas.role(one) == "string"}
    named = next((name for name in columns.NAME_COLUMNS if name in texts), None)
    if named is None or not any(one.get("textual") for one in fields):
        have = ", ".join(f"{one['name'].lower()} ({schemas.role(one)})" for one in fields) or "no items frame"
        raise InputError(
            f"{recipe} compares items by their names and descriptions, so the items need a text column of names, "
            f"called one of {', '.join(columns.NAME_COLUMNS)}, and a textual one of descriptions (textual='...'); got "
            f"{have}."
        )
    return _with_field(datasets, texts[named], itemName=True)


def with_objective(datasets: Sequence[Dataset], attribute: object) -> tuple[list[Dataset], str]:
    """Return datasets whose items can serve an optimization objective, and the schema's name of its column.

    AWS takes only a number that the schema does not let be null.

    Parameters
    ----------
    datasets
        What `prepare` returned.
    attribute
        The column, in any spelling.

    Raises
    ------
    InputError
        There is no such column of numbers, or numbers are missing; `.findings` says where.
    """
    items = next((one for one in datasets if one.type == schemas.ITEMS), None)
    fields = items.schema["fields"] if items is not None else []
    numbers = {one["name"]: one for one in fields if "string" not in one["type"]}
    name = schemas.amazon_name(attribute)
    if items is None or name not in numbers:
        legal = ", ".join(known.lower() for known in numbers) or "none"
        raise InputError(
            "'itemAttribute' of the optimization objective must be a column of numbers of the items, got "
            f"{attribute!r}; legal: {legal}."
        )
    numbers_given, findings = items.table.column(name), Findings()
    repair = f"the number is missing; fill it, or drop such rows: frame.dropna(subset=[{name.lower()!r}])"
    findings.error(pc.is_null(numbers_given), name.lower(), numbers_given, repair)
    findings.raise_faults(items.table.num_rows, "items")
    declared = numbers[name]["type"]
    plain = declared if isinstance(declared, str) else next(kind for kind in declared if kind != "null")
    return _with_field(datasets, numbers[name], type=plain), name


def _with_field(datasets: Sequence[Dataset], field: dict[str, Any], **changes: Any) -> list[Dataset]:
    """Return datasets with a field of the items changed."""
    changed = []
    for one in datasets:
        fields = [{**known, **changes} if known is field else known for known in one.schema["fields"]]
        changed.append(replace(one, schema={**one.schema, "fields": fields}))
    return changed
