"""Whether a filter can be made for the data of a training: what CreateFilter would refuse, told beforehand."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from personalize_nb.contract import limits
from personalize_nb.contract.recipes import RELATED_ITEMS, USER_SEGMENTATION, Recipe
from personalize_nb.errors import InputError, Problem
from personalize_nb.resources.filters import Filter
from personalize_nb.training import filter_syntax as syntax
from personalize_nb.training.filter_syntax import FieldRef, FieldTest, FilterClause
from personalize_nb.training.schemas import Dataset

_EVENT_TYPE = "EVENT_TYPE"
_AFTER_WHERE = {
    syntax.ITEM_TARGET: (syntax.ITEMS, syntax.INTERACTIONS),
    syntax.USER_TARGET: (syntax.USERS, syntax.INTERACTIONS),
}
_OWNERS = {syntax.CURRENT_ITEM: syntax.ITEMS, syntax.CURRENT_USER: syntax.USERS}
_NUMBERS = ("int", "long", "float", "double")


def problems(chosen: Filter | str, datasets: Mapping[str, Dataset], recipe: Recipe | None) -> Iterator[Problem]:
    """Yield what keeps a filter from being made for these datasets, or used with this recipe.

    Parameters
    ----------
    chosen
        A filter, or its expression.
    datasets
        The datasets by type.
    recipe
        What is trained; None where it is not known.
    """
    expression = chosen.expression if isinstance(chosen, Filter) else chosen
    if not isinstance(expression, str) or "WHERE" not in expression.upper():
        text = (
            f"'filter' must be a Filter or an expression, such as 'INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)', got "
            f"{expression!r}."
        )
        yield Problem("filter", text)
        return
    try:
        clauses = syntax.read(expression)
    except InputError as error:
        yield Problem("filter", str(error))
        return
    told = [*_of_structure(clauses), *_of_recipe(clauses, recipe), *_of_fields(clauses, datasets)]
    for text in dict.fromkeys(told):
        yield Problem("filter", f"{text}: {expression}")


def _tests(clauses: Iterable[FilterClause]) -> Iterator[FieldTest]:
    for clause in clauses:
        yield from (*clause.tests, *clause.guards)


def _of_structure(clauses: list[FilterClause]) -> Iterator[str]:
    """Yield datasets, targets and values in places that the language does not allow."""
    for clause in clauses:
        if clause.target != clauses[0].target:
            yield f"One filter cannot mix {clauses[0].target} and {clause.target}"
        legal = _AFTER_WHERE.get(clause.target)
        if legal is None:
            yield f"{clause.target} needs a dataset of actions, which batch jobs do not use"
            continue
        if clause.guards and clause.target == syntax.USER_TARGET:
            yield f"IF cannot follow a filter on {clause.target}"
        first = clause.tests[0].field.dataset
        for test in clause.tests:
            if test.field.dataset not in legal:
                yield f"{test.field} cannot stand after WHERE; legal is {' or '.join(legal)}"
            elif test.field.dataset != first:
                yield f"{test.field} follows a test of {first}; join two expressions with | instead"
        for test in clause.guards:
            if test.field.dataset != syntax.CURRENT_USER:
                yield f"{test.field} cannot stand after IF; legal is {syntax.CURRENT_USER}"
            if test.other is not None:
                yield f"{test.other} cannot be used after IF"
        for test in (*clause.tests, *clause.guards):
            yield from _of_values(test)


def _of_values(test: FieldTest) -> Iterator[str]:
    of_events = test.field.dataset == syntax.INTERACTIONS
    if test.other is not None and (test.other.dataset != syntax.CURRENT_ITEM or of_events):
        yield f"{test.field} cannot be compared with {test.other}; legal is a field of Items with one of CurrentItem"
    for kind, text in test.values:
        if kind == syntax.PLACEHOLDER and test.operator == "NOT IN":
            yield f"{text} cannot stand after NOT IN, which takes no placeholders; use EXCLUDE with IN"
        if kind == syntax.ANY and not (of_events and test.operator in ("IN", "NOT IN")):
            yield "* is legal only in Interactions.EVENT_TYPE IN (*)"


def _of_recipe(clauses: list[FilterClause], recipe: Recipe | None) -> Iterator[str]:
    if recipe is None:
        return
    target = syntax.USER_TARGET if recipe.type == USER_SEGMENTATION else syntax.ITEM_TARGET
    for clause in clauses:
        if clause.target != target:
            yield f"{recipe.name} returns {target}, and the filter is on {clause.target}"
    for test in _tests(clauses):
        if test.other is not None and recipe.type != RELATED_ITEMS:
            yield f"{test.other} is legal only with recipes of related items, not with {recipe.name}"


def _of_fields(clauses: list[FilterClause], datasets: Mapping[str, Dataset]) -> Iterator[str]:
    """Yield fields that are not there, cannot be filtered on, or are of another type than their values."""
    used = set()
    for test in _tests(clauses):
        known, told = _found(test.field, datasets)
        yield from told
        if test.other is not None:
            other, told = _found(test.other, datasets)
            yield from told
            used.add(str(_owned(test.other)))
            if known and other and _numeric(known) != _numeric(other):
                yield f"{test.field} and {test.other} must both be numbers or both texts"
        used.add(str(_owned(test.field)))
        if known is None:
            continue
        if test.operator in syntax.ORDERING and not _numeric(known):
            yield f"{test.operator} compares numbers, and {test.field} is text; legal is IN, NOT IN, = or !="
        for kind, text in test.values:
            if _numeric(known) and kind == syntax.TEXT and not _is_finite(text):
                yield f"{test.field} is a number, and {text!r} is none"
    if len(used) > limits.MAX_FILTER_FIELDS:
        yield f"{len(used)} distinct fields; a filter can use at most {limits.MAX_FILTER_FIELDS}"


def _owned(field: FieldRef) -> FieldRef:
    return FieldRef(_OWNERS.get(field.dataset, field.dataset), field.name.upper())


def _found(field: FieldRef, datasets: Mapping[str, Dataset]) -> tuple[Mapping[str, Any] | None, list[str]]:
    """Return the schema's field, or why there is none that can be filtered on."""
    kind = _owned(field).dataset.upper()
    if kind not in datasets:
        return None, [f"The filter names {field}, but there is no {kind.lower()} frame"]
    fields = {one["name"].upper(): one for one in datasets[kind].schema["fields"]}
    known = fields.get(field.name.upper())
    of_events = kind == syntax.INTERACTIONS.upper()
    legal = [name for name, one in fields.items() if (name == _EVENT_TYPE if of_events else not one.get("textual"))]
    if known is None:
        near = difflib.get_close_matches(field.name.upper(), fields, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        return None, [
            f"The filter names the column {field.name}, which the {kind.lower()} do not have{meant}; they have {legal}"
        ]
    if known["name"].upper() in legal:
        return known, []
    if of_events:
        return None, [f"{field} cannot be filtered on: of interactions only {_EVENT_TYPE} can"]
    return None, [f"{field} is textual, and filters cannot read free text; legal is {', '.join(legal)}"]


def _numeric(field: Mapping[str, Any]) -> bool:
    kinds = [field["type"]] if isinstance(field["type"], str) else field["type"]
    return any(kind in _NUMBERS for kind in kinds)


def _is_finite(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
