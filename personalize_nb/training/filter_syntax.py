"""A filter's expression read as CreateFilter reads it, so that what it refuses is known before there is a group.

The language is small (developer guide, "Filter expression elements"): keywords ignore case, AND binds tighter than OR,
there are no parentheses round conditions. A test holds this reader to the grammar of the local service.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from personalize_nb.errors import InputError

ITEM_TARGET, USER_TARGET = "ItemID", "UserID"
TARGETS = (ITEM_TARGET, USER_TARGET, "ActionID")
INTERACTIONS, ITEMS, USERS = "Interactions", "Items", "Users"
CURRENT_ITEM, CURRENT_USER = "CurrentItem", "CurrentUser"
DATASETS = (INTERACTIONS, ITEMS, USERS, CURRENT_ITEM, CURRENT_USER)
ORDERING = ("<", "<=", ">", ">=")
ANY, PLACEHOLDER, NUMBER, TEXT = "any value", "a placeholder", "a number", "a quoted text"

_TOKEN = re.compile(
    r"""(?x)\s*(?:
        (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
        |(?P<placeholder>\$[A-Za-z0-9_]+)
        |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
        |(?P<not_in>(?i:NOT(?:\s+|_)IN)\b)
        |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
        |(?P<comparison><=|>=|!=|=|<|>)
        |(?P<mark>[().,|*])
        |(?P<end>$)
    )""",
    re.DOTALL,
)


class FieldRef(NamedTuple):
    """A field: `Items.GENRE`, the dataset in Amazon's spelling."""

    dataset: str
    name: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.name}"


@dataclass(frozen=True)
class FieldTest:
    """One test of a field: its operator, and the kinds and texts of its values, or a field of the current item."""

    field: FieldRef
    operator: str
    values: tuple[tuple[str, str], ...] = ()
    other: FieldRef | None = None


@dataclass(frozen=True)
class FilterClause:
    """One INCLUDE or EXCLUDE: what it filters, the tests after WHERE and those after IF."""

    target: str
    tests: tuple[FieldTest, ...]
    guards: tuple[FieldTest, ...] = field(default=())


def read(expression: str) -> list[FilterClause]:
    """Return the clauses of an expression.

    Raises
    ------
    InputError
        It is none; the message says where, what was found and what is legal there.
    """
    return list(_Reader(expression).clauses())


class _Reader:
    def __init__(self, expression: str) -> None:
        self._text, self._at = expression, 0
        self._kind, self._token, self._next = "", "", 0
        self._step()

    def _step(self) -> str:
        """Go on to the next token and return the one before."""
        before = self._token
        found = _TOKEN.match(self._text, self._next)
        if found is None:
            self._at = self._next + len(self._text[self._next :]) - len(self._text[self._next :].lstrip())
            raise self._wrong(repr(self._text[self._at]), "INCLUDE or EXCLUDE, names, operators, values in parentheses")
        self._kind = str(found.lastgroup)
        self._token, self._at, self._next = found[self._kind], found.start(self._kind), found.end()
        return before

    def _wrong(self, found: str, legal: str) -> InputError:
        return InputError(
            f"CreateFilter takes no such expression: found {found} at position {self._at}, expected {legal}: "
            f"{self._text}"
        )

    def _unexpected(self, legal: str) -> InputError:
        return self._wrong("the end" if self._kind == "end" else repr(self._token), legal)

    def _is(self, *words: str) -> bool:
        return self._token.upper() in words and self._kind in ("name", "mark")

    def _expect(self, *words: str) -> str:
        if not self._is(*words):
            raise self._unexpected(" or ".join(words))
        return self._step()

    def _name(self, legal: Collection[str] = ()) -> str:
        """Take a name; where only some are legal, return Amazon's spelling."""
        known = {one.lower(): one for one in legal}
        if self._kind != "name" or (known and self._token.lower() not in known):
            raise self._unexpected(" or ".join(legal) or "a name")
        name = self._step()
        return known.get(name.lower(), name)

    def clauses(self) -> Iterator[FilterClause]:
        while True:
            self._expect("INCLUDE", "EXCLUDE")
            target = self._name(TARGETS)
            self._expect("WHERE")
            tests = tuple(self._tests("AND", "OR"))
            guards: tuple[FieldTest, ...] = ()
            if self._is("IF"):
                self._step()
                guards = tuple(self._tests("AND"))
            yield FilterClause(target, tests, guards)
            if self._kind == "end":
                return
            self._expect("|")

    def _tests(self, *joints: str) -> Iterator[FieldTest]:
        yield self._test()
        while self._is(*joints):
            self._step()
            yield self._test()

    def _test(self) -> FieldTest:
        left = self._field()
        if self._kind == "not_in":
            self._step()
            return FieldTest(left, "NOT IN", self._list())
        if self._is("IN"):
            self._step()
            if self._kind == "name":
                return FieldTest(left, "IN", other=self._field())
            return FieldTest(left, "IN", self._list())
        if self._kind != "comparison":
            raise self._unexpected("IN, NOT IN or a comparison (=, !=, <, <=, >, >=)")
        operator = self._step()
        if self._kind == "name":
            return FieldTest(left, operator, other=self._field())
        return FieldTest(left, operator, (self._value(),))

    def _list(self) -> tuple[tuple[str, str], ...]:
        self._expect("(")
        values = [self._value()]
        while self._is(","):
            self._step()
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _field(self) -> FieldRef:
        dataset = self._name(DATASETS)
        self._expect(".")
        return FieldRef(dataset, self._name())

    def _value(self) -> tuple[str, str]:
        kind = self._kind
        if self._is("*"):
            return ANY, self._step()
        if kind not in ("string", "placeholder", "number"):
            raise self._unexpected("a quoted text, a number or a placeholder such as $GENRE")
        token = self._step()
        if kind == "number":
            return NUMBER, token
        text = re.sub(r"\\(.)", r"\1", token[1:-1]) if kind == "string" else token
        if text == "*":
            return ANY, text
        # the guide's example for the command line has quotes round the placeholder
        return (PLACEHOLDER if re.fullmatch(r"\$[A-Za-z0-9_]+", text) else TEXT), text
