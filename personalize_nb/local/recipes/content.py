"""Item metadata as features, and the behaviour that features predict for items nobody has met yet.

Categories (`A|B` lists), numbers (cut into ten quantile bins) and words of the textual field become one sparse
matrix of tf-idf features with rows of length 1. A cold item borrows from the warm items nearest to it.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from personalize_nb.local.data.schema import TrainingData

_BINS = 10
_WORD = re.compile(r"[^\W\d_]{3,}")
_MAX_WORDS = 20_000
# A word found in more than this share of the texts says nothing about any of them.
_COMMON = 0.2
_NOT_FEATURES = frozenset({"ITEM_ID", "CREATION_TIMESTAMP"})


def item_features(data: TrainingData, item_ids: pa.StringArray) -> sparse.csr_matrix | None:
    """Return tf-idf features of every item of the catalogue (zero rows without metadata), or None without any."""
    table, schema = data.items, data.schemas.get("ITEMS")
    if table is None or schema is None:
        return None
    rows = pc.index_in(table["ITEM_ID"].combine_chunks(), item_ids).to_numpy(zero_copy_only=False)
    blocks = []
    for field in schema.fields:
        if field.name in _NOT_FEATURES or field.name not in table.column_names:
            continue
        column = table[field.name]
        if field.textual:
            blocks.append(_words(column, rows, len(item_ids)))
        elif field.categorical:
            blocks.append(_categories(column, rows, len(item_ids)))
        elif field.type not in ("string", "boolean"):
            blocks.append(_bins(column, rows, len(item_ids)))
    weighed = [_tf_idf(block) for block in blocks if block is not None and block.nnz]
    return _unit_rows(sparse.hstack(weighed).tocsr()) if weighed else None


def _matrix(rows: np.ndarray, terms: np.ndarray, n_items: int) -> sparse.csr_matrix:
    shape = (n_items, int(terms.max()) + 1 if len(terms) else 0)
    matrix = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, terms)), shape=shape)
    matrix.sum_duplicates()
    return matrix


def _categories(column: pa.ChunkedArray, rows: np.ndarray, n_items: int) -> sparse.csr_matrix:
    lists = pc.split_pattern(pc.fill_null(column.combine_chunks().cast(pa.string()), ""), "|")
    parents = pc.list_parent_indices(lists).to_numpy()
    values = pc.list_flatten(lists)
    kept = pc.not_equal(values, "").to_numpy(zero_copy_only=False)
    codes = values.dictionary_encode().indices.to_numpy()
    return _matrix(rows[parents[kept]], codes[kept], n_items)


def _bins(column: pa.ChunkedArray, rows: np.ndarray, n_items: int) -> sparse.csr_matrix | None:
    numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    known = np.isfinite(numbers)
    if not known.any():
        return None
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, _BINS + 1)[1:-1]))
    return _matrix(rows[known], np.searchsorted(edges, numbers[known]), n_items)


def _words(column: pa.ChunkedArray, rows: np.ndarray, n_items: int) -> sparse.csr_matrix | None:
    known: dict[str, int] = {}
    where: list[int] = []
    terms: list[int] = []
    for row, text in zip(rows.tolist(), column.to_pylist(), strict=True):
        for word in dict.fromkeys(_WORD.findall((text or "").lower())):
            where.append(row)
            terms.append(known.setdefault(word, len(known)))
    if not terms:
        return None
    matrix = _matrix(np.asarray(where), np.asarray(terms), n_items)
    found = np.bincount(matrix.indices, minlength=matrix.shape[1])
    useful = np.flatnonzero((found >= 2) & (found <= max(2, _COMMON * n_items)))
    strongest = useful[np.argsort(-found[useful], kind="stable")[:_MAX_WORDS]]
    return matrix[:, np.sort(strongest)]


def _tf_idf(block: sparse.csr_matrix) -> sparse.csr_matrix:
    """Weigh features by rarity and give every field the same say."""
    found = np.bincount(block.indices, minlength=block.shape[1])
    weighted = block @ sparse.diags_array(np.log1p(block.shape[0] / np.maximum(found, 1)).astype(np.float32))
    return _unit_rows(sparse.csr_matrix(weighted))


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return sparse.csr_matrix(sparse.diags_array(scale.astype(np.float32)) @ matrix)


def nearest(
    features: sparse.csr_matrix, wanted: np.ndarray, among: np.ndarray, neighbours: int, block: int = 512
) -> tuple[np.ndarray, np.ndarray]:
    """Return the most similar items of `among` for each of `wanted` (-1 pads), and their cosines."""
    width = min(neighbours, len(among))
    found = np.full((len(wanted), width), -1, np.int64)
    cosines = np.zeros((len(wanted), width), np.float32)
    other = features[among].T.tocsc()
    for start in range(0, len(wanted), block):
        similar = (features[wanted[start : start + block]] @ other).toarray()
        order = np.argpartition(-similar, width - 1, axis=1)[:, :width]
        order.sort(axis=1)
        falling = np.argsort(-np.take_along_axis(similar, order, axis=1), axis=1, kind="stable")
        order = np.take_along_axis(order, falling, axis=1)
        values = np.take_along_axis(similar, order, axis=1)
        found[start : start + block] = np.where(values > 0, among[order], -1)
        cosines[start : start + block] = values
    return found, cosines


def borrow_columns(
    model: sparse.csr_matrix, features: sparse.csr_matrix | None, cold: np.ndarray, warm: np.ndarray, share: float
) -> sparse.csr_matrix:
    """Give each cold item a column of the model: `share` times the mean of its nearest warm items' columns."""
    if features is None or not len(cold) or not len(warm):
        return model
    found, cosines = nearest(features, cold, warm, 20)
    weights = cosines**2
    totals = weights.sum(axis=1, keepdims=True)
    weights = share * np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
    kept = found >= 0
    columns = np.broadcast_to(cold[:, None], found.shape)
    n_items = model.shape[0]
    mixing = sparse.csr_matrix((weights[kept], (found[kept], columns[kept])), shape=(n_items, n_items))
    return sparse.csr_matrix(model + model @ mixing.astype(np.float32))
