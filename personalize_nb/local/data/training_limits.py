"""What of a group's data a training considers: Amazon's quotas on interactions and items, which cut and do not refuse.

Amazon trains on the newest interactions by TIMESTAMP. Which items it considers it does not say; here they are those
with the most interactions, then the newest by CREATION_TIMESTAMP, then the first by ID. The others are in neither the
model nor its recommendations.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract.recipes import RECIPES
from personalize_nb.local.data.schema import TrainingData

log = logging.getLogger(__name__)


def considered(data: TrainingData, recipe: str, quotas: Mapping[str, int]) -> TrainingData:
    """Return the data that a training of a recipe considers; the same where they are within the quotas.

    Parameters
    ----------
    data
        Interactions ordered by TIMESTAMP.
    recipe
        For example `aws-similar-items`.
    quotas
        `DATA_QUOTAS`, or the user's own in their place.
    """
    row = RECIPES[recipe]
    return _most_met(_newest(data, quotas[row.interactions_quota]), quotas[row.items_quota])


def _newest(data: TrainingData, most: int) -> TrainingData:
    table = data.interactions
    if table is None or len(table) <= most:
        return data
    log.info("a training considers the newest %d of %d interactions", most, len(table))
    return dataclasses.replace(data, interactions=table.slice(len(table) - most))


def _most_met(data: TrainingData, most: int) -> TrainingData:
    columns = [table["ITEM_ID"] for table in (data.items, data.interactions) if table is not None]
    if sum(map(len, columns)) <= most:
        return data
    ids = pc.unique(pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string()))
    if len(ids) <= most:
        return data
    log.info("a training considers %d of %d items: those with the most interactions", most, len(ids))
    order = pc.sort_indices(
        pa.table({"id": ids, "met": _times_met(data, ids), "born": _born(data, ids)}),
        sort_keys=[("met", "descending"), ("born", "descending"), ("id", "ascending")],
    )
    kept = ids.take(order.slice(0, most))

    def of_kept(table: pa.Table | None) -> pa.Table | None:
        return None if table is None else table.filter(pc.is_in(table["ITEM_ID"], value_set=kept))

    return dataclasses.replace(data, items=of_kept(data.items), interactions=of_kept(data.interactions))


def _times_met(data: TrainingData, ids: pa.Array) -> np.ndarray:
    if data.interactions is None:
        return np.zeros(len(ids), np.int64)
    codes = pc.index_in(data.interactions["ITEM_ID"].combine_chunks(), ids)
    return np.bincount(codes.to_numpy(zero_copy_only=False), minlength=len(ids))


def _born(data: TrainingData, ids: pa.Array) -> pa.Array:
    """Return when each item was made; null, which sorts last, where no dataset says it."""
    if data.items is None or "CREATION_TIMESTAMP" not in data.items.column_names:
        return pa.nulls(len(ids), pa.int64())
    rows = pc.index_in(ids, data.items["ITEM_ID"].combine_chunks())
    return data.items["CREATION_TIMESTAMP"].combine_chunks().take(rows)
