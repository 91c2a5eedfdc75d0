"""An expression bound to data: which items each query of a block may have, without a loop over items or users.

Every condition yields an `Allowed`: conditions on items share one mask per distinct placeholder values (or per
distinct value of the current item), conditions on users choose between all and nothing, and a user's events are
exceptions to an empty mask. AND, OR and the clauses combine those. What was tested once is remembered.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import limits
from personalize_nb.local.data import schema
from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.filters import rules
from personalize_nb.local.filters.columns import Column, make_column
from personalize_nb.local.filters.expression import Expression
from personalize_nb.local.filters.history import FilterHistory
from personalize_nb.local.filters.syntax import (
    CURRENT_USER,
    INTERACTIONS,
    IS_IN,
    ITEM_TARGET,
    AnyValue,
    Clause,
    Condition,
    FieldName,
    FilterError,
    Literal,
    Placeholder,
)
from personalize_nb.local.filters.values import FilterValueError, parse_values

FilterValues = dict[str, str]
# answers kept per condition, in values
_REMEMBERED = 32_000_000


@dataclass
class QueryBlock:
    """The queries of one call."""

    size: int
    users: Sequence[str | None]
    items: Sequence[str | None]
    values: Sequence[FilterValues | None]
    errors: dict[int, str] = field(default_factory=dict)


Mask = Callable[[QueryBlock], Allowed]


class BoundFilter:
    """A filter on items ready for queries; made by `personalize_nb.local.filters.binding.bind`."""

    target = ITEM_TARGET

    def __init__(
        self,
        expression: Expression,
        data: TrainingData,
        ids: pa.StringArray,
        newest: int | None = limits.INTERACTIONS_SEEN_BY_FILTERS,
    ):
        if expression.target != self.target:
            raise FilterError(f"Invalid Expression: {expression.target} cannot stand where {self.target} is needed.", 0)
        expression.check(data.schemas)
        self.expression = expression
        self.size = len(ids)
        self._data, self._newest = data, newest
        self._ids = ids.cast(pa.string())
        self._columns: dict[tuple[str, str], Column] = {}
        self._row_of_item = (
            {item: row for row, item in enumerate(ids.to_pylist())} if expression.uses_current_item else {}
        )
        self._row_of_user: dict[str, int] = {}
        if expression.uses_current_user and data.users is not None:
            self._row_of_user = {user: row for row, user in enumerate(data.users["USER_ID"].to_pylist())}
        # the columns of current items that conditions compare with
        self._compared: list[Column] = []
        self._clauses = [self._bind_clause(clause) for clause in expression.clauses]
        self._always_includes = any(clause.include and not clause.guards for clause in expression.clauses)

    def allowed(
        self,
        users: Sequence[str | None] | None,
        items: Sequence[str | None] | None,
        values: Sequence[FilterValues | None],
    ) -> tuple[Allowed, dict[int, str]]:
        """Say for each query which items may be returned.

        Parameters
        ----------
        users, items
            The current user and the current item of each query, where the recipe has them. Unknown ones are legal:
            their fields have no values and they have no events.
        values
            The `filterValues` of each query.

        Returns
        -------
        tuple[Allowed, dict[int, str]]
            The items of each query, and the error texts of queries that cannot be answered.
        """
        size = len(values)
        nobody = [None] * size
        block = QueryBlock(size, users or nobody, items or nobody, values)
        included: Allowed | None = None
        skipped: Allowed | None = None
        excluded: Allowed | None = None
        for clause, where, guard in self._clauses:
            matches = where(block)
            if guard is not None:
                holds = guard(block)
                matches = matches & holds
            if not clause.include:
                excluded = matches if excluded is None else excluded | matches
                continue
            included = matches if included is None else included | matches
            if guard is not None:
                skipped = ~holds if skipped is None else skipped & ~holds
        if included is None:
            allowed = Allowed.everything(size, self.size)
        elif self._always_includes or skipped is None:
            allowed = included
        else:
            allowed = included | skipped
        if excluded is not None:
            allowed = allowed & ~excluded
        return allowed, block.errors

    def slices(
        self, items: Sequence[str | None] | None, values: Sequence[FilterValues | None], cells: int
    ) -> Iterator[slice]:
        """Cut a block so that no part needs more than about `cells` values in masks.

        Parameters
        ----------
        items, values
            As for `allowed`.
        cells
            How many values the masks of one part may hold; a single query may take more.
        """
        names = self.expression.placeholders
        most = max(1, cells // max(1, self.size))
        if len(values) <= most or not (names or self.expression.uses_current_item):
            yield slice(0, len(values))
            return
        current = np.empty((len(values), 0))
        if self._compared and items is not None:
            rows = self._rows_of_items(items)
            current = np.stack([column.value_of_row[rows] for column in self._compared], axis=1)
        start, seen = 0, set()
        for row, (given, compared) in enumerate(zip(values, current.tolist(), strict=True)):
            seen.add((*compared, *((given or {}).get(name) for name in names)))
            if len(seen) > most:
                yield slice(start, row)
                start, seen = row, set()
        yield slice(start, len(values))

    def _rows_of_items(self, items: Sequence[str | None]) -> np.ndarray:
        return _places(self._row_of_item, items)

    @cached_property
    def _history(self) -> FilterHistory:
        return FilterHistory(self._data.interactions, self._ids, self._newest)

    def _bind_clause(self, clause: Clause) -> tuple[Clause, Mask, Mask | None]:
        any_of = [self._all(group, clause.include) for group in clause.any_of]
        guard = self._all(clause.guards, clause.include) if clause.guards else None
        return clause, _combine(operator.or_, any_of), guard

    def _all(self, conditions: Sequence[Condition], required: bool) -> Mask:
        return _combine(operator.and_, [self._bind(condition, required) for condition in conditions])

    def _bind(self, condition: Condition, required: bool) -> Mask:
        if condition.field.dataset == INTERACTIONS:
            return self._bind_history(condition, required)
        column = self._column(condition.field.dataset == CURRENT_USER, condition)
        if condition.other is not None:
            return self._bind_current_item(condition, condition.other, column)
        if condition.field.dataset == CURRENT_USER:
            return self._bind_user(condition, column, required)
        return self._bind_items(condition, column, required)

    def _bind_items(self, condition: Condition, column: Column, required: bool) -> Mask:
        test = _remember(lambda literals: column.test(condition.operator, literals)[:-1])

        return lambda block: by_values(block, condition, required, test, self.size)

    def _bind_user(self, condition: Condition, column: Column, required: bool) -> Mask:
        test = _remember(lambda literals: column.test(condition.operator, literals))

        def mask(block: QueryBlock) -> Allowed:
            rows = _places(self._row_of_user, block.users)
            groups, group_of = _group(block, condition, required)
            holds = np.zeros(block.size, dtype=bool)
            order = np.argsort(group_of, kind="stable")
            bounds = np.searchsorted(group_of[order], np.arange(len(groups) + 1))
            for number, literals in enumerate(groups):
                members = order[bounds[number] : bounds[number + 1]]
                tested = _tested(block, group_of, number, condition, literals, test)
                if tested is not None:
                    holds[members] = tested[rows[members]]
            return Allowed.by_flag(holds, self.size)

        return mask

    def _bind_history(self, condition: Condition, required: bool) -> Mask:
        history = self._history
        any_type = any(isinstance(value, AnyValue) for value in condition.values)
        negated = condition.operator.negates is not None

        def wanted(literals: tuple[str, ...]) -> np.ndarray:
            # the last value says that there was an answer at all
            return np.append(history.matching_types(None if any_type else literals), True)

        def mask(block: QueryBlock) -> Allowed:
            types = by_values(block, condition, required, wanted, len(history.types) + 1)
            owners, items = history.touched(history.users(block.users), types.masks, types.mask_of)
            touched = Allowed.listed(owners, items, block.size, self.size)
            if negated:
                touched = ~touched
            answered = types.masks[types.mask_of, -1]
            return touched if answered.all() else touched & Allowed.by_flag(answered, self.size)

        return mask

    def _bind_current_item(self, condition: Condition, current: FieldName, column: Column) -> Mask:
        other = self._column(False, Condition(current, IS_IN))
        self._compared.append(other)

        def mask(block: QueryBlock) -> Allowed:
            rows = self._rows_of_items(block.items)
            # items with the same value ask the same question
            _, first, which = np.unique(other.value_of_row[rows], return_index=True, return_inverse=True)
            return Allowed.shared(column.test_against(condition.operator, other, rows[first])[:, :-1], which)

        return mask

    def _column(self, of_users: bool, condition: Condition) -> Column:
        found = rules.resolve(condition.field, self._data.schemas)
        kind = schema.USERS if of_users else schema.ITEMS
        if (kind, found.name) not in self._columns:
            if of_users:
                column = make_column(self._data.users, found, len(self._row_of_user))
            else:
                items, order = self._data.items, None
                if items is not None:
                    order = pc.index_in(self._ids, value_set=items["ITEM_ID"].combine_chunks().cast(pa.string()))
                column = make_column(items, found, self.size, order)
            self._columns[kind, found.name] = column
        return self._columns[kind, found.name]


def _places(rows: Mapping[str, int], names: Sequence[str | None]) -> np.ndarray:
    return np.array([-1 if name is None else rows.get(name, -1) for name in names], dtype=np.int64)


def _combine(operation: Callable[[Allowed, Allowed], Allowed], masks: list[Mask]) -> Mask:
    return lambda block: reduce(operation, [mask(block) for mask in masks])


def _remember(test: Callable[[tuple[str, ...]], np.ndarray]) -> Callable[[tuple[str, ...]], np.ndarray]:
    """Keep the answers for the values seen last: lines of a job tend to repeat them."""
    answers: dict[tuple[str, ...], np.ndarray] = {}

    def remembered(literals: tuple[str, ...]) -> np.ndarray:
        if literals not in answers:
            answer = test(literals)
            if len(answers) * len(answer) >= _REMEMBERED:
                answers.clear()
            answers[literals] = answer
        return answers[literals]

    return remembered


def _group(block: QueryBlock, condition: Condition, required: bool) -> tuple[list[tuple[str, ...] | None], np.ndarray]:
    """Return the distinct values that a condition is tested with, and for each row which of them it has.

    None stands for rows where a value is missing; their errors are noted when the condition is required.
    """
    if not condition.placeholders:
        return [_literals(condition, {})], np.zeros(block.size, dtype=np.int64)
    numbers: dict[tuple[str, ...] | None, int] = {}
    group_of = np.empty(block.size, dtype=np.int64)
    for row, given in enumerate(block.values):
        literals = None
        try:
            literals = _literals(condition, given or {})
        except _MissingValue as missing:
            if required:
                block.errors.setdefault(row, str(missing))
        except FilterValueError as error:
            block.errors.setdefault(row, str(error))
        group_of[row] = numbers.setdefault(literals, len(numbers))
    return list(numbers), group_of


def by_values(
    block: QueryBlock,
    condition: Condition,
    required: bool,
    test: Callable[[tuple[str, ...]], np.ndarray],
    width: int,
) -> Allowed:
    """Evaluate a condition once per distinct values; rows without an answer are allowed nothing."""
    groups, group_of = _group(block, condition, required)
    answers = np.empty((len(groups), width), dtype=bool)
    for number, literals in enumerate(groups):
        tested = _tested(block, group_of, number, condition, literals, test)
        answers[number] = False if tested is None else tested
    return Allowed.shared(answers, group_of)


def _tested(
    block: QueryBlock,
    group_of: np.ndarray,
    number: int,
    condition: Condition,
    literals: tuple[str, ...] | None,
    test: Callable[[tuple[str, ...]], np.ndarray],
) -> np.ndarray | None:
    """Return the answer for these values, or None after noting for their rows why there is none."""
    if literals is None:
        return None
    try:
        return test(literals)
    except FilterValueError as error:
        for row in np.flatnonzero(group_of == number).tolist():
            block.errors.setdefault(row, f"the value of ${condition.placeholders[0]} in filterValues {error}")
        return None


class _MissingValue(Exception):
    """A line does not give a placeholder's value."""


def _literals(condition: Condition, given: FilterValues) -> tuple[str, ...]:
    texts: list[str] = []
    for value in condition.values:
        if isinstance(value, Literal):
            texts.append(value.text)
        elif isinstance(value, Placeholder):
            if value.name not in given:
                raise _MissingValue(f"filterValues has no value for the placeholder {value} of the filter")
            try:
                parsed = parse_values(given[value.name])
            except FilterValueError as error:
                raise FilterValueError(f"the value of {value} in filterValues {error}") from None
            if not condition.operator.takes_list and len(parsed) > 1:
                raise FilterValueError(
                    f"the value of {value} in filterValues has {len(parsed)} values; "
                    f"{condition.field} {condition.operator} {value} takes one"
                )
            texts.extend(parsed)
    return tuple(texts)
