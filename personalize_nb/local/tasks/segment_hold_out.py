"""GetSolutionMetrics of the segmentation recipes: does the future of the users agree with the segments?

The newest 20 % of every user's steps are held back, as Amazon does. For each item (or each category of the items,
for the attribute recipe) that somebody met in them, the top 1 % of the users by a model of the older steps make the
segment: `hits_at_1_percent` counts its users who did meet it, `recall_at_1_percent` is their share among all who
did, both as means; `coverage` is the share of users who are in any of the segments. At most 2,000 are tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.recipes.families import train_on
from personalize_nb.local.recipes.history import History
from personalize_nb.local.recipes.sequential import split_newest

ATTRIBUTES = "aws-item-attribute-affinity"
SHARE, HELD_BACK = 0.01, 0.2
_MOST_TESTED, _BLOCK = 2000, 64


def hold_out(
    recipe_name: str, history: History, data: TrainingData, values: Mapping[str, Any], seed: int
) -> dict[str, float]:
    """Return the metrics by Amazon's names, rounded to 4 decimals."""
    given, truth = split_newest(history.sequences, HELD_BACK)
    model = train_on(recipe_name, replace(history, sequences=given), data, dict(values), seed)
    sets = _categories(data, history.item_ids) if recipe_name == ATTRIBUTES else None
    if sets is None:
        sets = sparse.identity(given.n_items, format="csr")
    met = sparse.csr_matrix(
        (np.ones(len(truth.items)), (truth.items, truth.owner)), shape=(given.n_items, given.n_users)
    )
    wanted = (sets @ met).tocsr()
    tested = np.flatnonzero(np.diff(wanted.indptr))[:_MOST_TESTED]
    size = max(1, int(np.ceil(given.n_users * SHARE)))
    hits, recall, covered = [0.0], [0.0], np.zeros(given.n_users, bool)
    if len(tested):
        hits, recall = [], []
    for start in range(0, len(tested), _BLOCK):
        rows = tested[start : start + _BLOCK]
        segments = model.segment(sets[rows], size).items
        right = wanted[rows].toarray() > 0
        codes = model.user_codes(segments.flatten().to_pylist()).reshape(len(rows), -1)
        covered[codes] = True
        found = np.take_along_axis(right, codes, axis=1).sum(axis=1)
        hits += found.tolist()
        recall += (found / right.sum(axis=1)).tolist()
    result = {"coverage": covered.mean(), "hits_at_1_percent": np.mean(hits), "recall_at_1_percent": np.mean(recall)}
    return {name: round(float(value), 4) for name, value in result.items()}


def _categories(data: TrainingData, item_ids: pa.StringArray) -> sparse.csr_matrix | None:
    """Return [categories, items] over all categorical fields of the items, or None when there are none."""
    schema = data.schemas.get("ITEMS")
    if data.items is None or schema is None or not schema.categorical:
        return None
    places = pc.index_in(data.items["ITEM_ID"].combine_chunks(), item_ids).to_numpy(zero_copy_only=False)
    blocks = []
    for name in schema.categorical:
        lists = pc.split_pattern(pc.fill_null(data.items[name].combine_chunks().cast(pa.string()), ""), "|")
        codes = pc.list_flatten(lists).dictionary_encode()
        rows, columns = codes.indices.to_numpy(), places[pc.list_parent_indices(lists).to_numpy()]
        shape = (len(codes.dictionary), len(item_ids))
        blocks.append(sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape))
    return sparse.vstack(blocks).tocsr()
