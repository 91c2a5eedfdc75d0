"""Imported interactions as integer arrays in the order they happened: the one input of every learner.

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

from personalize_nb.contract.limits import MIN_INTERACTIONS, MIN_USERS_WITH_TWO_INTERACTIONS
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.recipes.compiled import compiled
from personalize_nb.local.recipes.objective import Objective, read_objective

DAY = 86_400.0
# event types that a failure names
_SHOWN_TYPES = 10
_NO_INTERACTIONS = pa.table(
    {"USER_ID": pa.array([], pa.string()), "ITEM_ID": pa.array([], pa.string()), "TIMESTAMP": pa.array([], pa.int64())}
)


@compiled
def _grouped(codes: np.ndarray, pointers: np.ndarray) -> np.ndarray:
    """Return the positions of each code one after the other; `pointers` say where those of a code start."""
    following = pointers.copy()
    positions = np.empty(len(codes), np.int64)
    for position in range(len(codes)):
        place = following[codes[position]]
        positions[place] = position
        following[codes[position]] = place + 1
    return positions


@dataclass(frozen=True)
class Sequences:
    """Steps of all users, one after the other: user u owns `items[starts[u]:starts[u+1]]`, oldest first.

    `weights` is how much each step counts as something to be predicted, 1 on average; None is 1 for all.
    """

    starts: np.ndarray
    items: np.ndarray
    times: np.ndarray
    n_items: int
    weights: np.ndarray | None = None

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
        return _grouped(self.items, self.by_item_ptr)

    @cached_property
    def by_item_ptr(self) -> np.ndarray:
        """Where each item's group starts in `by_item_pos`."""
        return np.concatenate(([0], np.cumsum(np.bincount(self.items, minlength=self.n_items)))).astype(np.int64)

    def met(self) -> np.ndarray:
        """Who met what, each pair once, as rising numbers user x n_items + item; sorting is quicker than hashing."""
        pairs = np.sort(self.owner * np.int64(self.n_items) + self.items)
        distinct: np.ndarray = pairs[np.append(True, np.diff(pairs) > 0)[: len(pairs)]]
        return distinct

    def users_per_item(self) -> np.ndarray:
        """Count the different users of each item."""
        return np.bincount(self.met() % self.n_items, minlength=self.n_items).astype(np.float64)

    def of_users(self, users: np.ndarray) -> Sequences:
        """Return the steps of some users only, renumbered in the order given."""
        lengths = self.starts[users + 1] - self.starts[users]
        starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        picked = np.repeat(self.starts[users] - starts[:-1], lengths) + np.arange(starts[-1])
        weights = None if self.weights is None else self.weights[picked]
        return Sequences(starts, self.items[picked], self.times[picked], self.n_items, weights)

    def where(self, mask: np.ndarray) -> Sequences:
        """Return only the steps that a mask keeps; every user stays, some perhaps with none."""
        counts = np.bincount(self.owner[mask], minlength=self.n_users)
        starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        weights = None if self.weights is None else self.weights[mask]
        return Sequences(starts, self.items[mask], self.times[mask], self.n_items, weights)


@dataclass(frozen=True)
class History:
    """The whole of what a recipe learns from interactions.

    `users_per_item` counts unique users; `impressions` how often an item was shown; `born` is when an item entered
    the catalogue (creation time, else its oldest interaction, else now) and `now` the latest interaction.
    `objective` is what the solution wants besides relevance.
    """

    item_ids: pa.StringArray
    user_ids: pa.StringArray
    sequences: Sequences
    users_per_item: np.ndarray
    impressions: np.ndarray
    born: np.ndarray
    now: float
    objective: Objective | None = None


def read_history(
    data: TrainingData,
    event_type: str | None = None,
    event_value_threshold: float | None = None,
    events_config: Mapping[str, Any] | None = None,
    objective: Mapping[str, str] | None = None,
    optional: bool = False,
) -> History:
    """Read, filter and encode the interactions of a dataset group, and check Amazon's minimum amounts.

    Parameters
    ----------
    data
        The imported datasets.
    event_type, event_value_threshold, events_config, objective
        What the solution says of events, and its `optimizationObjective`.
    optional
        Whether the recipe can do with few interactions, or none at all.

    Raises
    ------
    WorkError
        There are no interactions, or fewer than a training needs.
    """
    interactions = data.interactions
    if interactions is None:
        if not optional:
            raise WorkError("Dataset has fewer than 1000 interactions. Import an Interactions dataset first.")
        interactions = _NO_INTERACTIONS
    catalogue = _catalogue(data)
    table, weights = _filtered(interactions, event_type, event_value_threshold, events_config)
    items = pc.index_in(table["ITEM_ID"].combine_chunks(), catalogue).to_numpy(zero_copy_only=False).astype(np.int32)
    user_ids = _sorted_unique([table["USER_ID"]])
    users = pc.index_in(table["USER_ID"].combine_chunks(), user_ids).to_numpy(zero_copy_only=False).astype(np.int32)
    times = table["TIMESTAMP"].to_numpy().astype(np.int64)
    if not optional:
        applied = _applied(event_type, event_value_threshold, events_config)
        _check_amounts(users, len(user_ids), applied, interactions)
    order = np.lexsort((times, users))
    weights = None if weights is None else weights[order]
    sequences = _steps(users[order], items[order], times[order], len(user_ids), len(catalogue), weights)
    now = float(times.max()) if len(times) else _latest_creation(data)
    return History(
        item_ids=catalogue,
        user_ids=user_ids,
        sequences=sequences,
        users_per_item=sequences.users_per_item(),
        impressions=_impressions(table, catalogue),
        born=_born(data, catalogue, items, times, now),
        now=now,
        objective=read_objective(data, catalogue, objective),
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
) -> tuple[pa.Table, np.ndarray | None]:
    """Keep the events the solution asked for, and say what each weighs; None when all weigh the same.

    An event of an unknown value counts as below any threshold, and without a column of types no event is of any. An
    event that several rules keep has the highest of their weights; a rule without a weight gives 1.
    """
    if not config or not config.get("eventParametersList"):
        if event_type is None and threshold is None:
            return table, None
        return table.filter(_event_mask(table, event_type, threshold)), None
    weights = np.zeros(len(table))
    for rule in config["eventParametersList"]:
        kept = _event_mask(table, rule.get("eventType"), rule.get("eventValueThreshold"))
        weight = float(rule.get("weight", 1.0))
        weights = np.maximum(weights, np.where(kept.to_numpy(zero_copy_only=False), weight, 0.0))
    kept_rows = weights > 0
    weights = weights[kept_rows]
    same = not len(weights) or weights.min() == weights.max()
    return table.filter(pa.array(kept_rows)), None if same else weights / weights.mean()


def _event_mask(table: pa.Table, event_type: str | None, threshold: float | None) -> pa.Array:
    mask = pc.is_valid(table["ITEM_ID"])
    for name, wanted in (("EVENT_TYPE", event_type), ("EVENT_VALUE", threshold)):
        if wanted is None:
            continue
        if name not in table.column_names:
            fits = pa.repeat(pa.scalar(False), len(table))
        elif name == "EVENT_TYPE":
            fits = pc.equal(table[name], wanted)
        else:
            fits = pc.greater_equal(table[name].cast(pa.float64()), float(wanted))
        mask = pc.and_(mask, pc.fill_null(fits, False))
    return mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask


def _check_amounts(users: np.ndarray, n_users: int, applied: str, interactions: pa.Table) -> None:
    """Refuse too little data; where the solution's event filters made it so, say which and what there was."""
    if len(users) < MIN_INTERACTIONS:
        reason = f"Dataset has fewer than {MIN_INTERACTIONS} interactions"
        if applied:
            reason += f" after filtering by {applied}. {_left(len(users), interactions)}"
        raise WorkError(reason)
    with_two = int((np.bincount(users, minlength=n_users) >= 2).sum())
    if with_two < max(MIN_USERS_WITH_TWO_INTERACTIONS, 0.01 * n_users):
        reason = (
            f"Create failed. Dataset has fewer than {MIN_USERS_WITH_TWO_INTERACTIONS} users with at least 2 "
            "interactions each."
        )
        if applied:
            reason += f" This is after filtering by {applied}. {_left(len(users), interactions)}"
        raise WorkError(reason)


def _applied(event_type: str | None, threshold: float | None, config: Mapping[str, Any] | None) -> str:
    """Say which event filters `_filtered` applies, in Amazon's words where it has some; empty for none."""
    rules = (config or {}).get("eventParametersList")
    if not rules:
        return _rule(event_type, threshold)
    described = (
        f"{_rule(rule.get('eventType'), rule.get('eventValueThreshold')) or 'any event'}, "
        f"weight {float(rule.get('weight', 1.0)):g}"
        for rule in rules
    )
    return f"eventsConfig ({'; '.join(described)})"


def _rule(event_type: str | None, threshold: float | None) -> str:
    parts = [] if event_type is None else [f"event type: {event_type}"]
    parts += [] if threshold is None else [f"event value: at least {float(threshold):g}"]
    return " and ".join(parts)


def _left(count: int, interactions: pa.Table) -> str:
    """Say how many interactions the event filters left, and what they could have asked for."""
    text = f"{count} of {len(interactions)} interactions are left"
    missing = [name for name in ("EVENT_TYPE", "EVENT_VALUE") if name not in interactions.column_names]
    if missing:
        text += f"; the columns trained on do not include {' and '.join(missing)}"
    if "EVENT_TYPE" not in missing:
        counted = pc.value_counts(interactions["EVENT_TYPE"].combine_chunks().cast(pa.string()).drop_null()).to_pylist()
        counted.sort(key=lambda each: (-each["counts"], each["values"]))
        shown = ", ".join(f"{each['values']} ({each['counts']})" for each in counted[:_SHOWN_TYPES]) or "none"
        more = ", and more" if len(counted) > _SHOWN_TYPES else ""
        text += f"; event types of the data: {shown}{more}"
    return f"{text}."


def _steps(
    users: np.ndarray, items: np.ndarray, times: np.ndarray, n_users: int, n_items: int, weights: np.ndarray | None
) -> Sequences:
    # One second is one moment: an item that is clicked and bought in it was met once, whatever lies between.
    moments = np.lexsort((items, times, users))
    same = np.zeros(len(users), bool)
    same[1:] = (np.diff(users[moments]) == 0) & (np.diff(times[moments]) == 0) & (np.diff(items[moments]) == 0)
    if weights is not None:
        weights = weights.copy()
        firsts = np.flatnonzero(~same)
        weights[moments[firsts]] = np.maximum.reduceat(weights[moments], firsts)
    kept = np.ones(len(users), bool)
    kept[moments[same]] = False
    users, items, times = users[kept], items[kept], times[kept]
    new = np.ones(len(users), bool)
    new[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    if weights is not None:
        # of the events that are one step, the weightiest counts
        weights = np.maximum.reduceat(weights[kept], np.flatnonzero(new))
    starts = np.concatenate(([0], np.cumsum(np.bincount(users[new], minlength=n_users)))).astype(np.int64)
    return Sequences(starts, items[new].astype(np.int32), times[new], n_items, weights)


def _latest_creation(data: TrainingData) -> float:
    if data.items is None or "CREATION_TIMESTAMP" not in data.items.column_names:
        return 0.0
    return float(pc.max(data.items["CREATION_TIMESTAMP"]).as_py() or 0.0)


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
