"""The rules of Personalize's Avro schemas: which fields each dataset needs, may have, and with which types.

From the developer guide's pages on schemas and quotas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from personalize_nb.contract.limits import string_rule
from personalize_nb.local.data.schema import FIELD_TYPES, NUMERIC_TYPES
from personalize_nb.local.personalize.operations.control import invalid

_STRING, _LONG, _REAL = frozenset({"string"}), frozenset({"long"}), frozenset({"float", "double"})


@dataclass(frozen=True)
class DatasetRules:
    """What a schema of one dataset type must and may hold.

    Parameters
    ----------
    label
        The record's name, as AWS spells it.
    required
        Fields that must be there, with their types; they cannot be null.
    reserved
        Optional fields whose types are fixed.
    max_metadata
        How many fields of the user's own are allowed.
    needs_metadata
        Whether at least one field that can train a model is needed.
    """

    label: str
    required: dict[str, frozenset[str]]
    reserved: dict[str, frozenset[str]] = field(default_factory=dict)
    max_metadata: int = 5
    needs_metadata: bool = False


DATASET_RULES: dict[str, DatasetRules] = {
    "INTERACTIONS": DatasetRules(
        "Interactions",
        {"USER_ID": _STRING, "ITEM_ID": _STRING, "TIMESTAMP": _LONG},
        {
            "EVENT_TYPE": _STRING,
            "EVENT_VALUE": _REAL,
            "IMPRESSION": _STRING,
            "RECOMMENDATION_ID": _STRING,
            "EVENT_ATTRIBUTION_SOURCE": _STRING,
        },
    ),
    "ITEMS": DatasetRules("Items", {"ITEM_ID": _STRING}, {"CREATION_TIMESTAMP": _LONG}, 100, True),
    "USERS": DatasetRules("Users", {"USER_ID": _STRING}, {}, 25, True),
    "ACTIONS": DatasetRules("Actions", {"ACTION_ID": _STRING}, {}, 10),
    "ACTION_INTERACTIONS": DatasetRules(
        "Action_Interactions",
        {"USER_ID": _STRING, "ACTION_ID": _STRING, "TIMESTAMP": _LONG, "EVENT_TYPE": _STRING},
    ),
}

# what a domain's dataset groups need on top
DOMAIN_FIELDS: dict[tuple[str, str], dict[str, frozenset[str]]] = {
    ("ECOMMERCE", "INTERACTIONS"): {"EVENT_TYPE": _STRING},
    ("ECOMMERCE", "ITEMS"): {"PRICE": _REAL, "CATEGORY_L1": _STRING},
    ("VIDEO_ON_DEMAND", "INTERACTIONS"): {"EVENT_TYPE": _STRING},
    ("VIDEO_ON_DEMAND", "ITEMS"): {"GENRES": _STRING, "CREATION_TIMESTAMP": _LONG},
}


def check_schema(text: str, domain: str | None = None) -> None:
    """Refuse a schema that no dataset could use, naming everything that is wrong.

    Parameters
    ----------
    text
        The schema's JSON text.
    domain
        The domain it is made for, or None.

    Raises
    ------
    ApiError
        `InvalidInputException`.
    """
    avro = _record(text)
    name = avro["name"]
    rules = DATASET_RULES.get(str(name).upper())
    if rules is None:
        legal = ", ".join(known.label for known in DATASET_RULES.values())
        raise invalid(f"Invalid schema. The record's name {name!r} matches no dataset type; legal: {legal}.")
    problems = list(_field_problems(avro["fields"]))
    if not problems:
        required = rules.required | DOMAIN_FIELDS.get((domain or "", name.upper()), {})
        problems = list(_rule_problems(avro["fields"], rules, required))
    if problems:
        raise invalid(f"Invalid schema for {rules.label}. " + " ".join(problems))


def _record(text: str) -> dict[str, Any]:
    try:
        avro = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid(f"Invalid schema. It is not JSON: {error}.") from error
    if not isinstance(avro, dict) or avro.get("type") != "record" or "name" not in avro:
        raise invalid('Invalid schema. It must be a JSON object with "type": "record", a "name" and "fields".')
    fields = avro.get("fields")
    if not isinstance(fields, list) or not fields or not all(isinstance(column, dict) for column in fields):
        raise invalid('Invalid schema. "fields" must be a list of objects with a "name" and a "type".')
    return avro


def _field_problems(fields: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what is wrong with single fields, whatever the dataset."""
    seen: dict[str, str] = {}
    for column in fields:
        name = column.get("name")
        if not isinstance(name, str) or not string_rule("ColumnName").allows(name):
            yield (
                f"The field name {name!r} is not legal: a letter or underscore, then letters, digits or "
                "underscores, at most 150."
            )
            continue
        bare = re.sub("[^A-Za-z0-9]", "", name).upper()
        if bare in seen:
            yield f"The fields {seen[bare]} and {name} have the same name once other characters are dropped."
        seen[bare] = name
        base, _ = _types(column)
        if base is None:
            yield (
                f"The field {name} has type {column.get('type')!r}; legal: {', '.join(sorted(FIELD_TYPES))}, alone "
                'or in a list with "null".'
            )
        for mark in ("categorical", "textual", "itemName"):
            if column.get(mark) and base not in (None, "string"):
                yield f"The field {name} is marked {mark}, which needs type string, not {base}."


def _types(column: dict[str, Any]) -> tuple[str | None, bool]:
    """Return a field's type and whether it may be null; None for a type that is not legal."""
    declared = column.get("type")
    union = declared if isinstance(declared, list) else [declared]
    types = [entry for entry in union if entry != "null"]
    if len(types) != 1 or not isinstance(types[0], str) or types[0] not in FIELD_TYPES:
        return None, False
    return types[0], len(types) < len(union)


def _rule_problems(
    fields: list[dict[str, Any]], rules: DatasetRules, required: dict[str, frozenset[str]]
) -> Iterator[str]:
    columns = {column["name"]: column for column in fields}
    for name, legal in (required | rules.reserved).items():
        if name in columns:
            yield from _reserved_problems(columns[name], legal, rules)
        elif name in required:
            yield f"The required field {name} of type {_words(legal)} is missing."
    yield from _metadata_problems(fields, rules)
    yield from _mark_problems(fields, rules)


def _reserved_problems(column: dict[str, Any], legal: frozenset[str], rules: DatasetRules) -> Iterator[str]:
    """Yield what is wrong with a field whose name Personalize knows."""
    name = column["name"]
    base, nullable = _types(column)
    if base not in legal:
        yield f"The field {name} must have type {_words(legal)}, got {base}."
    if nullable and name in rules.required:
        yield f"The required field {name} cannot be null."
    if column.get("categorical") and name in rules.required | rules.reserved:
        yield f"The reserved field {name} cannot be categorical."


def _metadata_problems(fields: list[dict[str, Any]], rules: DatasetRules) -> Iterator[str]:
    """Yield what is wrong with the number of the user's own fields."""
    own = [column for column in fields if column["name"] not in rules.required | rules.reserved]
    if len(own) > rules.max_metadata:
        yield f"It has {len(own)} metadata fields; at most {rules.max_metadata} are allowed."
    if rules.needs_metadata and not any(map(_trains, (column for column in fields if _optional(column, rules)))):
        yield "It needs at least one metadata field that is a number or a categorical or textual string."


def _mark_problems(fields: list[dict[str, Any]], rules: DatasetRules) -> Iterator[str]:
    """Yield what is wrong with the marks that only one field of an Items schema may have."""
    for mark in ("textual", "itemName"):
        marked = [column["name"] for column in fields if column.get(mark)]
        if marked and rules.label != "Items":
            yield f"The field {marked[0]} is marked {mark}, which only Items schemas may have."
        if len(marked) > 1:
            yield f"Only one field can be {mark}, got {', '.join(marked)}."


def _optional(column: dict[str, Any], rules: DatasetRules) -> bool:
    return column["name"] not in rules.required


def _trains(column: dict[str, Any]) -> bool:
    """Tell whether a field can train a model: plain strings cannot."""
    return _types(column)[0] in NUMERIC_TYPES | {"boolean"} or any(
        column.get(mark) for mark in ("categorical", "textual", "itemName")
    )


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types, reverse=True))
