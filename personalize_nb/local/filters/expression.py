"""Filter text to tree: the grammar's parser, and the rules that need no schema.

Every refusal is a `FilterError` that says where, what was found and what is legal there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import lark

from personalize_nb.local.data.schema import Schema
from personalize_nb.local.filters import rules
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
    Value,
    operator_of,
    readable_operators,
)

_TARGETS = {name.lower(): name for name in (ITEM_TARGET, USER_TARGET, ACTION_TARGET)}
_DATASETS = {name.lower(): name for name in (INTERACTIONS, ITEMS, USERS, CURRENT_ITEM, CURRENT_USER)}
_OWNERS = {CURRENT_ITEM: ITEMS, CURRENT_USER: USERS}
_BEFORE_OPERATORS = {
    "EFFECT": "INCLUDE or EXCLUDE",
    "NAME": "a name",
    "_WHERE": "WHERE",
    "_IF": "IF",
    "_AND": "AND",
    "_OR": "OR",
}
_AFTER_OPERATORS = {
    "STAR": "*",
    "PLACEHOLDER": "a placeholder such as $GENRE",
    "NUMBER": "a number",
    "STRING": "a quoted string",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": "a comma",
    "DOT": "a dot",
    "VBAR": "|",
    "$END": "the end",
}


@dataclass(frozen=True)
class Expression:
    """A parsed filter: its clauses, and what they ask for.

    Parameters
    ----------
    clauses
        The INCLUDE and EXCLUDE clauses in the order written; their order has no meaning.
    """

    clauses: tuple[Clause, ...]

    @property
    def target(self) -> str:
        """What is filtered: ItemID, UserID or ActionID (the same in every clause)."""
        return self.clauses[0].target

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the placeholders, without `$`, in order of first use."""
        return tuple(dict.fromkeys(name for condition in self._conditions() for name in condition.placeholders))

    @property
    def uses_current_item(self) -> bool:
        return any(condition.other is not None for condition in self._conditions())

    @property
    def uses_current_user(self) -> bool:
        return any(clause.guards for clause in self.clauses)

    @property
    def uses_interactions(self) -> bool:
        return any(clause.dataset == INTERACTIONS for clause in self.clauses)

    @property
    def needs_user(self) -> bool:
        """Whether a query must name a user."""
        return self.uses_current_user or self.uses_interactions

    @property
    def includes(self) -> bool:
        """Whether only items of the catalogue can pass: some clause is an INCLUDE."""
        return any(clause.include for clause in self.clauses)

    @property
    def fields(self) -> frozenset[str]:
        """The distinct fields it uses, as `dataset.field` in lower case; current items and users count as theirs."""
        used = (field for condition in self._conditions() for field in (condition.field, condition.other) if field)
        return frozenset(f"{_OWNERS.get(field.dataset, field.dataset)}.{field.name}".lower() for field in used)

    def unmet(self, held: Collection[str]) -> str | None:
        """Say what stands in the way of using it where a group has only these dataset types; None for nothing.

        A filter outlives the datasets it was made for; without their rows it would answer nothing, and not say why.
        """
        needed = sorted({field.partition(".")[0].upper() for field in self.fields})
        missing = [kind for kind in needed if kind not in held]
        if not missing:
            return None
        others = f"it has {', '.join(sorted(held))}" if held else "it has no datasets"
        return (
            f"The filter {str(self)!r} needs a dataset of type {' and '.join(missing)}, which the dataset group lacks "
            f"({others}). Create that dataset again and import its data, or leave the filter out."
        )

    def check(self, schemas: Mapping[str, Schema], recipe_type: str | None = None) -> None:
        """Check the expression against the schemas of a dataset group.

        Parameters
        ----------
        schemas
            The group's schemas by dataset type (INTERACTIONS, ITEMS, USERS).
        recipe_type
            The recipe type of the solution version it is used with, where that is known.

        Raises
        ------
        FilterError
            A dataset or field does not exist, cannot be filtered on, or does not fit the recipe.
        """
        rules.check(self.clauses, schemas, recipe_type)

    def _conditions(self) -> Iterator[Condition]:
        for clause in self.clauses:
            yield from clause.conditions

    def __str__(self) -> str:
        return " | ".join(map(str, self.clauses))


def parse(expression: str) -> Expression:
    """Parse a filter expression.

    Parameters
    ----------
    expression
        The text, as given to CreateFilter.

    Returns
    -------
    Expression
        The parsed filter; not yet checked against any schema.

    Raises
    ------
    FilterError
        The text is not a filter expression.
    """
    try:
        tree = _parser().parse(expression)
    except lark.exceptions.UnexpectedInput as error:
        raise _syntax_error(expression, error) from None
    try:
        clauses = tuple(_Builder().transform(tree).children)
    except lark.exceptions.VisitError as error:
        if isinstance(error.orig_exc, FilterError):
            raise error.orig_exc from None
        raise
    rules.check_structure(clauses)
    return Expression(clauses)


@cache
def _parser() -> lark.Lark:
    grammar = resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return lark.Lark(grammar, parser="lalr", lexer="contextual")


class _Builder(lark.Transformer[Any, Any]):
    """Turns lark's tree into syntax; children arrive already built."""

    def clause(self, children: list[Any]) -> Clause:
        effect, target, any_of, guards = children
        known = _TARGETS.get(target.lower())
        if known is None:
            raise FilterError(
                f"Invalid Expression: cannot filter {str(target)!r} at position {target.start_pos}; "
                f"legal is one of {', '.join(_TARGETS.values())}.",
                target.start_pos,
            )
        return Clause(effect.upper() == "INCLUDE", known, any_of, guards or ())

    def any_of(self, children: list[Any]) -> tuple[tuple[Condition, ...], ...]:
        return tuple(children)

    def all_of(self, children: list[Any]) -> tuple[Condition, ...]:
        return tuple(children)

    def guards(self, children: list[Any]) -> tuple[Condition, ...]:
        return tuple(children)

    def condition(self, children: list[Any]) -> Condition:
        left, token, *right = children
        operator = operator_of(token.type, str(token))
        if isinstance(right[0], FieldName):
            return Condition(left, operator, other=right[0])
        return Condition(left, operator, tuple(right))

    def field(self, children: list[lark.Token]) -> FieldName:
        dataset, name = children
        known = _DATASETS.get(dataset.lower())
        if known is None:
            raise FilterError(
                f"Invalid Expression: unknown dataset {str(dataset)!r} at position {dataset.start_pos}; "
                f"legal is one of {', '.join(_DATASETS.values())}.",
                dataset.start_pos or 0,
            )
        return FieldName(known, str(name), dataset.start_pos or 0)

    def value(self, children: list[lark.Token]) -> Value:
        token = children[0]
        position = token.start_pos or 0
        if token.type == "STAR":
            return AnyValue(position)
        if token.type == "PLACEHOLDER":
            return Placeholder(token[1:], position)
        if token.type == "NUMBER":
            return Literal(str(token), quoted=False, position=position)
        text = re.sub(r"\\(.)", r"\1", token[1:-1])
        if text == "*":
            return AnyValue(position)
        # the guide's CLI example puts quotes round the placeholder; every other example has none
        if re.fullmatch(r"\$[A-Za-z0-9_]+", text):
            return Placeholder(text[1:], position)
        return Literal(text, position=position)


def _syntax_error(text: str, error: lark.exceptions.UnexpectedInput) -> FilterError:
    if isinstance(error, lark.exceptions.UnexpectedToken):
        at_end = error.token.type == "$END"
        found = "the end" if at_end else repr(str(error.token))
        position = len(text) if at_end else error.pos_in_stream or 0
        legal = error.accepts or error.expected
    else:
        position = error.pos_in_stream or 0
        found = repr(text[position])
        legal = getattr(error, "allowed", None) or set()
    readable = _BEFORE_OPERATORS | readable_operators() | _AFTER_OPERATORS
    names = [name for terminal, name in readable.items() if terminal in legal]
    expected = f"; expected {', '.join(names)}" if names else ""
    return FilterError(f"Invalid Expression: found {found} at position {position}{expected}.", position)
