"""Imported interactions as integer arrays in the order they happened: the one input of every learner. Local service.

Event filters of the solution (eventType, eventValueThreshold, eventsConfig) are applied here, and Amazon's minimum
amounts are checked here, with its literal texts. A step is one user meeting one item: an event that repeats the
item of the event just before it (a click, then the purchase) is the same step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...limits import MIN_INTERACTIONS, MIN_USERS_WITH_TWO_INTERACTIONS
from ..faults import WorkFault
from ..tables import TrainingData

DAY = 86_400.0


@dataclass(frozen=True)
class Sequences:
    """Steps of all users, one after the other: user u owns `items[starts[u]:starts[u+1]]`, oldest first."""

    starts: np.ndarray
    items: np.ndarray
    times: np.ndarray
    n_items: int

    @property
    def n_users(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def owner(self) -> np.ndarray:
        """The user of each step."""
        return np.repeat(np.arange(self.n_users, dtype=np.int32), np.diff(self.starts))

    @cached_property
    def by_item_pos(self) -> np.ndarray:
        """Positions of the steps, grouped by item."""
        return np.argsort(self.items, kind="stable").astype(np.int64)

    @cached_property
    def by_item_ptr(self) -> np.ndarray:
        """Where each item's group starts in `by_item_pos`."""
        return np.concatenate(([0], np.cumsum(np.bincount(self.items, minlength=self.n_items)))).astype(np.int64)

    def of_users(self, users: np.ndarray) -> Sequences:
        """Return the steps of some users only, renumbered in the order given."""
        lengths = self.starts[users + 1] - self.starts[users]
        starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        picked = np.repeat(self.starts[users] - starts[:-1], lengths) + np.arange(starts[-1])
        return Sequences(starts, self.items[picked], self.times[picked], self.n_items)

    def where(self, mask: np.ndarray) -> Sequences:
        """Return only the steps that a mask keeps; every user stays, some perhaps with none."""
        counts = np.bincount(self.owner[mask], minlength=self.n_users)
        starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return Sequences(starts, self.items[mask], self.times[mask], self.n_items)


@dataclass(frozen=True)
class History:
    """The whole of what a recipe learns from interactions.

    `users_per_item` counts unique users; `impressions` how often an item was shown; `born` is when an item entered
    the catalogue (creation time, else its oldest interaction, else now) and `now` the latest interaction.
    """

    item_ids: pa.StringArray
    user_ids: pa.StringArray
    sequences: Sequences
    users_per_item: np.ndarray
    impressions: np.ndarray
    born: np.ndarray
    now: float


def read_history(
    data: TrainingData,
    event_type: str | None = None,
    event_value_threshold: float | None = None,
    events_config: Mapping[str, Any] | None = None,
) -> History:
    """Read, filter and encode the interactions of a dataset group, and check Amazon's minimum amounts.

    Raises
    ------
    WorkFault
        There are no interactions, or fewer than a training needs.
    """
    if data.interactions is None:
        raise WorkFault("Dataset has fewer than 1000 interactions. Import an Interactions dataset first.")
    catalogue = _catalogue(data)
    table = _filtered(data.interactions, event_type, event_value_threshold, events_config)
    items = pc.index_in(table["ITEM_ID"].combine_chunks(), catalogue).to_numpy(zero_copy_only=False).astype(np.int32)
    user_ids = _sorted_unique([table["USER_ID"]])
    users = pc.index_in(table["USER_ID"].combine_chunks(), user_ids).to_numpy(zero_copy_only=False).astype(np.int32)
    times = table["TIMESTAMP"].to_numpy().astype(np.int64)
    _check_amounts(users, len(user_ids), event_type)
    order = np.lexsort((times, users))
    sequences = _steps(users[order], items[order], times[order], len(user_ids), len(catalogue))
    pairs = np.unique(sequences.owner.astype(np.int64) * len(catalogue) + sequences.items)
    now = float(times.max())
    return History(
        item_ids=catalogue,
        user_ids=user_ids,
        sequences=sequences,
        users_per_item=np.bincount(pairs % len(catalogue), minlength=len(catalogue)).astype(np.float64),
        impressions=_impressions(table, catalogue),
        born=_born(data, catalogue, items, times, now),
        now=now,
    )


def _catalogue(data: TrainingData) -> pa.StringArray:
    columns = [table["ITEM_ID"] for table in (data.items, data.interactions) if table is not None]
    return _sorted_unique(columns)


def _sorted_unique(columns: Sequence[pa.ChunkedArray]) -> pa.StringArray:
    values = pa.chunked_array([chunk.cast(pa.string()) for column in columns for chunk in column.chunks], pa.string())
    unique = pc.unique(values)
    return unique.take(pc.sort_indices(unique))


def _filtered(
    table: pa.Table, event_type: str | None, threshold: float | None, config: Mapping[str, Any] | None
) -> pa.Table:
    """Keep the events the solution asked for; an event of an unknown value counts as below any threshold."""
    if config and config.get("eventParametersList"):
        kept = None
        for rule in config["eventParametersList"]:
            if rule.get("weight") == 0.0:
                continue
            part = _event_mask(table, rule.get("eventType"), rule.get("eventValueThreshold"))
            kept = part if kept is None else pc.or_(kept, part)
        return table.filter(kept) if kept is not None else table.slice(0, 0)
    if event_type is None and threshold is None:
        return table
    return table.filter(_event_mask(table, event_type, threshold))


def _event_mask(table: pa.Table, event_type: str | None, threshold: float | None) -> pa.ChunkedArray:
    mask = pc.is_valid(table["ITEM_ID"])
    if event_type is not None and "EVENT_TYPE" in table.column_names:
        mask = pc.and_(mask, pc.fill_null(pc.equal(table["EVENT_TYPE"], event_type), False))
    if threshold is not None and "EVENT_VALUE" in table.column_names:
        enough = pc.greater_equal(table["EVENT_VALUE"].cast(pa.float64()), float(threshold))
        mask = pc.and_(mask, pc.fill_null(enough, False))
    return mask


def _check_amounts(users: np.ndarray, n_users: int, event_type: str | None) -> None:
    if len(users) < MIN_INTERACTIONS:
        after = f" after filtering by event type: {event_type}" if event_type else ""
        raise WorkFault(f"Dataset has fewer than {MIN_INTERACTIONS} interactions{after}")
    with_two = int((np.bincount(users, minlength=n_users) >= 2).sum())
    if with_two < max(MIN_USERS_WITH_TWO_INTERACTIONS, 0.01 * n_users):
        raise WorkFault(
            f"Create failed. Dataset has fewer than {MIN_USERS_WITH_TWO_INTERACTIONS} users with at least 2 "
            "interactions each."
        )


def _steps(users: np.ndarray, items: np.ndarray, times: np.ndarray, n_users: int, n_items: int) -> Sequences:
    # One second is one moment: an item that is clicked and bought in it was met once, whatever lies between.
    moments = np.lexsort((items, times, users))
    same = np.zeros(len(users), bool)
    same[1:] = (np.diff(users[moments]) == 0) & (np.diff(times[moments]) == 0) & (np.diff(items[moments]) == 0)
    kept = np.ones(len(users), bool)
    kept[moments[same]] = False
    users, items, times = users[kept], items[kept], times[kept]
    new = np.ones(len(users), bool)
    new[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    starts = np.concatenate(([0], np.cumsum(np.bincount(users[new], minlength=n_users)))).astype(np.int64)
    return Sequences(starts, items[new].astype(np.int32), times[new], n_items)


def _impressions(table: pa.Table, catalogue: pa.StringArray) -> np.ndarray:
    counts = np.zeros(len(catalogue))
    if "IMPRESSION" in table.column_names:
        shown = pc.list_flatten(pc.split_pattern(pc.drop_null(table["IMPRESSION"].cast(pa.string())), "|"))
        codes = pc.drop_null(pc.index_in(shown, catalogue)).to_numpy()
        counts += np.bincount(codes, minlength=len(catalogue))
    return counts


def _born(
    data: TrainingData, catalogue: pa.StringArray, items: np.ndarray, times: np.ndarray, now: float
) -> np.ndarray:
    born = np.full(len(catalogue), np.inf)
    np.minimum.at(born, items, times.astype(np.float64))
    born[np.isinf(born)] = now
    if data.items is not None and "CREATION_TIMESTAMP" in data.items.column_names:
        codes = pc.index_in(data.items["ITEM_ID"].combine_chunks(), catalogue).to_numpy(zero_copy_only=False)
        created = data.items["CREATION_TIMESTAMP"].cast(pa.float64()).to_numpy(zero_copy_only=False)
        known = ~np.isnan(created)
        born[codes[known]] = created[known]
    return born
