"""The parts of a filter expression, as plain values.

`str()` of every part is again an expression that parses to an equal part; positions are kept for error texts and
ignored by comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from personalize_nb.local.errors import ApiError

ITEM_TARGET, USER_TARGET, ACTION_TARGET = "ItemID", "UserID", "ActionID"
INTERACTIONS, ITEMS, USERS = "Interactions", "Items", "Users"
CURRENT_ITEM, CURRENT_USER = "CurrentItem", "CurrentUser"

COMPARISON = "COMPARISON"


@dataclass(frozen=True)
class Operator:
    """What stands between a field and its values; what it means to a column is in `columns`.

    Parameters
    ----------
    text
        How `str()` writes it.
    token
        The grammar's terminal for it. Only the comparisons share one; they are told apart by their text.
    negates
        The operator that holds exactly where this one does not.
    ordered
        Whether it asks what is greater, and so is for numbers only.
    takes_list
        Whether its values stand in parentheses, any number of them.
    placeholders
        Whether its values may come with each input line.
    """

    text: str
    token: str = COMPARISON
    negates: Operator | None = None
    ordered: bool = False
    takes_list: bool = False
    placeholders: bool = True

    @property
    def affirmed(self) -> Operator:
        """The operator without its negation."""
        return self.negates or self

    def __str__(self) -> str:
        return self.text


IS_IN, EQUALS = Operator("IN", "IN", takes_list=True), Operator("=")
OPERATORS = (
    IS_IN,
    Operator("NOT IN", "NOT_IN", negates=IS_IN, takes_list=True, placeholders=False),
    EQUALS,
    Operator("!=", negates=EQUALS),
    *(Operator(text, ordered=True) for text in ("<", "<=", ">", ">=")),
)


def operator_of(token: str, text: str) -> Operator:
    """Return the operator that the grammar has read as a terminal; keywords come in any case and spacing."""
    return next(row for row in OPERATORS if row.token == token and (token != COMPARISON or row.text == text))


def readable_operators() -> dict[str, str]:
    """Return how errors name the operators' terminals."""
    texts: dict[str, list[str]] = {}
    for row in OPERATORS:
        texts.setdefault(row.token, []).append(row.text)
    return {
        token: f"a comparison ({', '.join(words)})" if token == COMPARISON else words[0]
        for token, words in texts.items()
    }


def unordered_operators() -> str:
    """Return the operators that are for every type of field, as errors list them."""
    *texts, last = [row.text for row in OPERATORS if not row.ordered]
    return f"{', '.join(texts)} or {last}"


class FilterError(ApiError):
    """An expression that is not a legal filter; `.position` counts characters from 0."""

    def __init__(self, message: str, position: int):
        super().__init__("InvalidInputException", f"Could not create filter. {message}")
        self.position = position


@dataclass(frozen=True)
class FieldName:
    """`Items.GENRE`, `CurrentUser.AGE`: the dataset in Amazon's spelling, the field as the author wrote it."""

    dataset: str
    name: str
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.dataset}.{self.name}"


@dataclass(frozen=True)
class Literal:
    """A fixed value. Numbers keep their text, so that a string field compares with what was written."""

    text: str
    quoted: bool = True
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        if not self.quoted:
            return self.text
        escaped = self.text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'


@dataclass(frozen=True)
class Placeholder:
    """`$GENRE`: its values come with each input line. The name's case counts."""

    name: str
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"${self.name}"


@dataclass(frozen=True)
class AnyValue:
    """`*`: every event type."""

    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return '"*"'


Value = Literal | Placeholder | AnyValue


@dataclass(frozen=True)
class Condition:
    """One test of a field, against values or against a field of the current item."""

    field: FieldName
    operator: Operator
    values: tuple[Value, ...] = ()
    other: FieldName | None = None

    @property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(value.name for value in self.values if isinstance(value, Placeholder))

    def __str__(self) -> str:
        if self.other is not None:
            right = str(self.other)
        elif self.operator.takes_list:
            right = f"({', '.join(map(str, self.values))})"
        else:
            right = str(self.values[0])
        return f"{self.field} {self.operator} {right}"


@dataclass(frozen=True)
class Clause:
    """One INCLUDE or EXCLUDE.

    Parameters
    ----------
    include
        False for EXCLUDE.
    target
        What is filtered: ItemID, UserID or ActionID.
    any_of
        Groups of conditions: a group holds when all its conditions do, the clause matches when any group holds.
    guards
        Conditions on the current user after IF; all must hold, else the clause is skipped for that user.
    """

    include: bool
    target: str
    any_of: tuple[tuple[Condition, ...], ...]
    guards: tuple[Condition, ...] = ()

    @property
    def conditions(self) -> Iterator[Condition]:
        """The conditions after WHERE, then those after IF."""
        for group in self.any_of:
            yield from group
        yield from self.guards

    @property
    def dataset(self) -> str:
        return self.any_of[0][0].field.dataset

    def __str__(self) -> str:
        where = " OR ".join(" AND ".join(map(str, group)) for group in self.any_of)
        condition = f" IF {' AND '.join(map(str, self.guards))}" if self.guards else ""
        return f"{'INCLUDE' if self.include else 'EXCLUDE'} {self.target} WHERE {where}{condition}"
