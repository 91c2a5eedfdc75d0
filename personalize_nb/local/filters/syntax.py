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

IS_IN, NOT_IN = "IN", "NOT IN"
ORDERINGS = frozenset({"<", "<=", ">", ">="})


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
    operator: str
    values: tuple[Value, ...] = ()
    other: FieldName | None = None

    @property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(value.name for value in self.values if isinstance(value, Placeholder))

    def __str__(self) -> str:
        if self.other is not None:
            right = str(self.other)
        elif self.operator in (IS_IN, NOT_IN):
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
