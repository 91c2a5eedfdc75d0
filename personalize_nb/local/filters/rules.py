"""What makes a well-formed expression legal: which dataset may stand where, and which fields can be filtered on.

`check_structure` needs the tree alone and runs with every parse; `check` needs the schemas of a dataset group.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from personalize_nb.contract import limits
from personalize_nb.contract.recipes import RELATED_ITEMS, USER_SEGMENTATION
from personalize_nb.local.data.schema import INTERACTIONS as INTERACTIONS_TYPE
from personalize_nb.local.data.schema import ITEMS as ITEMS_TYPE
from personalize_nb.local.data.schema import USERS as USERS_TYPE
from personalize_nb.local.data.schema import Field, Schema
from personalize_nb.local.filters.syntax import (
    ACTION_TARGET,
    CURRENT_ITEM,
    CURRENT_USER,
    INTERACTIONS,
    ITEM_TARGET,
    ITEMS,
    USER_TARGET,
    USERS,
    AnyValue,
    Clause,
    Condition,
    FieldName,
    FilterError,
    Literal,
    Placeholder,
    unordered_operators,
)

EVENT_TYPE = "EVENT_TYPE"

_WHERE_DATASETS = {
    ITEM_TARGET: (ITEMS, INTERACTIONS),
    USER_TARGET: (USERS, INTERACTIONS),
    ACTION_TARGET: (),
}
_DATASET_TYPES = {
    INTERACTIONS: INTERACTIONS_TYPE,
    ITEMS: ITEMS_TYPE,
    CURRENT_ITEM: ITEMS_TYPE,
    USERS: USERS_TYPE,
    CURRENT_USER: USERS_TYPE,
}


def is_number(text: str) -> bool:
    """Tell whether a text is a finite number (`nan` and `inf` are not values of any dataset)."""
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def check_structure(clauses: Sequence[Clause]) -> None:
    """Raise FilterError where datasets, targets or values stand in places that the language does not allow."""
    target = clauses[0].target
    for clause in clauses:
        position = clause.any_of[0][0].field.position
        if clause.target != target:
            raise _invalid(f"one filter cannot mix {target} and {clause.target}", position)
        legal = _WHERE_DATASETS[clause.target]
        if not legal:
            raise _invalid(f"{clause.target} needs an Actions dataset, which batch inference does not use", position)
        for condition in (condition for group in clause.any_of for condition in group):
            _check_place(condition, legal, "after WHERE")
            if condition.field.dataset != clause.dataset:
                raise _invalid(
                    f"{condition.field} follows a condition on {clause.dataset}; conditions of one expression use "
                    "one dataset: join two expressions with | instead",
                    condition.field.position,
                )
        if clause.guards and target == USER_TARGET:
            raise _invalid(f"IF cannot follow a filter on {target}", clause.guards[0].field.position)
        for condition in clause.guards:
            _check_place(condition, (CURRENT_USER,), "after IF")
            if condition.other is not None:
                raise _invalid(f"{condition.other} cannot be used after IF", condition.other.position)


def _check_place(condition: Condition, legal: tuple[str, ...], place: str) -> None:
    if condition.field.dataset not in legal:
        raise _invalid(
            f"{condition.field} cannot stand {place}; legal is {' or '.join(legal)}", condition.field.position
        )
    other = condition.other
    if other is not None and (other.dataset != CURRENT_ITEM or condition.field.dataset == INTERACTIONS):
        raise _invalid(
            f"{condition.field} cannot be compared with {other}; legal is a field of Items with one of CurrentItem",
            other.position,
        )
    for value in condition.values:
        if isinstance(value, Placeholder) and not condition.operator.placeholders:
            raise FilterError(
                f"Invalid input symbol: {value}. Placeholders are not allowed with "
                f"{condition.operator.token} operator.",
                value.position,
            )
        if isinstance(value, AnyValue) and not (
            condition.field.dataset == INTERACTIONS and condition.operator.takes_list
        ):
            raise _invalid("* is legal only in Interactions.EVENT_TYPE IN (*)", value.position)


def check(clauses: Sequence[Clause], schemas: Mapping[str, Schema], recipe_type: str | None) -> None:
    """Raise FilterError where fields are unknown, cannot be filtered on, or do not fit the recipe type."""
    used = set()
    for clause in clauses:
        _check_recipe(clause, recipe_type)
        for condition in clause.conditions:
            column = resolve(condition.field, schemas)
            used.add((_DATASET_TYPES[condition.field.dataset], column.name))
            if condition.other is not None:
                other = resolve(condition.other, schemas)
                used.add((ITEMS_TYPE, other.name))
                if column.numeric != other.numeric:
                    raise _invalid(
                        f"{condition.field} is {column.type} and {condition.other} is {other.type}; both must be "
                        "numbers or both strings",
                        condition.other.position,
                    )
            _check_types(condition, column)
    if len(used) > limits.MAX_FILTER_FIELDS:
        raise _invalid(f"{len(used)} distinct fields; a filter can use at most {limits.MAX_FILTER_FIELDS}", 0)


def _check_recipe(clause: Clause, recipe_type: str | None) -> None:
    if recipe_type is None:
        return
    position = clause.any_of[0][0].field.position
    target = USER_TARGET if recipe_type == USER_SEGMENTATION else ITEM_TARGET
    if clause.target != target:
        raise _invalid(f"the recipe type {recipe_type} returns {target}, the filter is on {clause.target}", position)
    for condition in clause.conditions:
        if condition.other is not None and recipe_type != RELATED_ITEMS:
            raise _invalid(
                f"{condition.other} is legal only with recipes of type {RELATED_ITEMS}, not {recipe_type}",
                condition.other.position,
            )


def resolve(field: FieldName, schemas: Mapping[str, Schema]) -> Field:
    """Return the schema's field of that name, spelled exactly or in another case.

    Raises
    ------
    FilterError
        No such dataset or field, or one that cannot be filtered on.
    """
    dataset_type = _DATASET_TYPES[field.dataset]
    schema = schemas.get(dataset_type)
    if schema is None:
        raise _invalid(f"{field} needs a dataset of type {dataset_type}, which the dataset group lacks", field.position)
    column = schema.field(field.name) or next(
        (column for column in schema.fields if column.name.lower() == field.name.lower()), None
    )
    legal = [column.name for column in _filterable(schema)]
    if column is None:
        raise _invalid(f"unknown field {field}{_nearest(field.name, schema)}; {_legal(schema, legal)}", field.position)
    if column.name not in legal:
        raise _invalid(f"{field} {_reason(schema, column)}; {_legal(schema, legal)}", field.position)
    return column


def _nearest(name: str, schema: Schema) -> str:
    names = {column.name.lower(): column.name for column in schema.fields}
    near = difflib.get_close_matches(name.lower(), names, n=1)
    return f" (did you mean {names[near[0]]}?)" if near else ""


def _legal(schema: Schema, legal: Sequence[str]) -> str:
    """Say what can stand in the place of a field that cannot be filtered on."""
    if legal:
        return f"legal is {'one of ' if len(legal) > 1 else ''}{', '.join(legal)}"
    if schema.type == INTERACTIONS_TYPE:
        return (
            f"of interactions only {EVENT_TYPE} can be filtered on, and this schema has no such field: give the "
            "dataset a schema with it and import event types"
        )
    return f"no field of {schema.type} can be filtered on: give the dataset a schema with a string or a number"


def _filterable(schema: Schema) -> Iterable[Field]:
    if schema.type == INTERACTIONS_TYPE:
        return [column for column in schema.fields if column.name.upper() == EVENT_TYPE]
    return [column for column in schema.fields if column.type != "boolean" and not column.textual]


def _reason(schema: Schema, column: Field) -> str:
    if schema.type == INTERACTIONS_TYPE:
        return "cannot be filtered on: of interactions only the event type can"
    if column.textual:
        return "is textual, and filters cannot read free text"
    return 'is boolean, which filters cannot use (keep "True" and "False" as strings, or 0 and 1 as int)'


def _check_types(condition: Condition, column: Field) -> None:
    if condition.operator.ordered and not column.numeric:
        raise _invalid(
            f"{condition.operator} compares numbers, and {condition.field} is a {column.type}; legal is "
            f"{unordered_operators()}",
            condition.field.position,
        )
    for value in condition.values:
        if column.numeric and isinstance(value, Literal) and not is_number(value.text):
            raise _invalid(f"{condition.field} is {column.type}, and {value} is not a number", value.position)


def _invalid(detail: str, position: int) -> FilterError:
    return FilterError(f"Invalid Expression: {detail} (position {position}).", position)
