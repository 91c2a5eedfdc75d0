"""Filters on users, for batch segment jobs: masks over the users of a model instead of its items.

`Users.X` conditions test the Users dataset; `Interactions.EVENT_TYPE` matches users who have such an event, with
whatever item, among their most recent ones.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.local.filters import rules
from personalize_nb.local.filters.bound import BoundFilter, Mask, by_values
from personalize_nb.local.filters.columns import Column, make_column
from personalize_nb.local.filters.history import FilterHistory
from personalize_nb.local.filters.syntax import INTERACTIONS, USER_TARGET, AnyValue, Condition


class BoundUserFilter(BoundFilter):
    """A filter on users ready for queries; made by `personalize_nb.local.filters.binding.bind_users`."""

    target = USER_TARGET

    @cached_property
    def _history(self) -> FilterHistory:
        interactions = self._data.interactions
        items = pa.array([], pa.string()) if interactions is None else pc.unique(interactions["ITEM_ID"])
        return FilterHistory(interactions, items.cast(pa.string()), self._newest)

    def _bind(self, condition: Condition, required: bool) -> Mask:
        if condition.field.dataset == INTERACTIONS:
            return self._bind_events(condition, required)
        return self._bind_items(condition, self._column(True, condition), required)

    def _bind_events(self, condition: Condition, required: bool) -> Mask:
        history = self._history
        rows = history.users(self._ids.to_pylist())
        any_type = any(isinstance(value, AnyValue) for value in condition.values)
        negated = condition.operator.negates is not None

        def test(literals: tuple[str, ...]) -> np.ndarray:
            has_event = history.has_event(rows, history.matching_types(None if any_type else literals))
            return ~has_event if negated else has_event

        return lambda block: by_values(block, condition, required, test, self.size)

    def _column(self, of_users: bool, condition: Condition) -> Column:
        field, users = rules.resolve(condition.field, self._data.schemas), self._data.users
        order = None
        if users is not None:
            order = pc.index_in(self._ids, value_set=users["USER_ID"].combine_chunks().cast(pa.string()))
        return make_column(users, field, self.size, order)
