"""aws-semantic-similarity: items whose texts mean similar things, with or without interactions.

The words of an item's name and of its textual field become tf-idf features, and a truncated singular value
decomposition places items near each other whose words keep the same company. Likeness is the mean of both cosines.
An item that nobody knows, or that has no words in common with any other, gets popular items. No scores are given.

rankingInfluence, where Amazon documents no formula: likeness x (1 - 0.9 P (1 - popularity)) x (1 - 0.9 F (1 -
freshness)). The more weight, the further up come popular and new items, if they are alike at all; at the full weight
1 the least popular of two equally like items has a tenth of the other's standing. Both factors are computed
when the model is trained: popularity is log(1 + users) over its maximum, freshness falls from 1 for the item created
last to 0 for the one created first (and for items without CREATION_TIMESTAMP).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse
from scipy.sparse.linalg import svds

from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.recipes.base import Model, Queries, Ranked
from personalize_nb.local.recipes.history import History

DIMENSIONS = 128
# A word of the name counts as often as this in the description.
_NAME = 2
_MOST_WORDS, _COMMON = 100_000, 0.5
# Chinese, Japanese and Korean are written without spaces: pairs of characters stand for words.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# What the full weight of rankingInfluence takes from the standing of the least popular or oldest item.
_SWAY = 0.9
# Cosines held at once.
_CELLS = 8_000_000


class SemanticSimilarity(Model):
    """Vectors of all items; ranking is one matrix product per block of seeds."""

    kind = "semantic-similarity"

    @classmethod
    def train(
        cls,
        history: History,
        data: TrainingData,
        hyperparameters: dict[str, Any],
        seed: int,
        progress: Callable[[int, int], None],
    ) -> SemanticSimilarity:
        words = _tf_idf(_counts(data, history.item_ids))
        progress(2, 4)
        vectors = latent(words, DIMENSIONS)
        progress(3, 4)
        popularity = np.log1p(history.users_per_item)
        freshness = _freshness(data, history.item_ids)
        arrays = {
            "ptr": words.indptr.astype(np.int64),
            "idx": words.indices.astype(np.int32),
            "val": words.data,
            "vectors": vectors,
            "popularity": popularity / max(1e-9, popularity.max(initial=0.0)),
            "freshness": freshness,
            # where likeness says nothing: popular items, then new ones
            "order": np.lexsort((-freshness, -popularity)),
        }
        return cls(history.item_ids, history.user_ids, arrays, {"words": words.shape[1]})

    def __init__(
        self, item_ids: pa.StringArray, user_ids: pa.StringArray, arrays: dict[str, np.ndarray], facts: dict[str, Any]
    ):
        super().__init__(item_ids, user_ids, arrays, facts)
        shape = (len(item_ids), facts["words"])
        self._words = sparse.csr_matrix((self.arrays["val"], self.arrays["idx"], self.arrays["ptr"]), shape=shape)
        order = self.arrays["order"]
        # columns in the order of popularity, so that of equals the popular one comes first
        self._other_words = self._words[order].T.tocsr()
        self._other_vectors = np.ascontiguousarray(self.arrays["vectors"][order].T)

    def rank(self, queries: Queries) -> Ranked:
        codes = self.item_codes(queries.items or [])
        return self.lists(self.rank_codes(codes, queries.num_results, queries.allowed, queries.ranking_influence))

    def rank_codes(
        self,
        codes: np.ndarray,
        num_results: int,
        allowed: Allowed | None = None,
        influence: Mapping[str, float] | None = None,
    ) -> np.ndarray:
        """Rank for item positions (-1 is an unknown item); return positions, padded with -1."""
        order = self.arrays["order"]
        k = min(num_results, len(order))
        found = np.full((len(codes), k), -1, np.int64)
        factor = self._factor(influence or {})[order]
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        block = max(1, _CELLS // max(1, len(order)))
        for start in range(0, len(codes), block):
            part = codes[start : start + block]
            scores = self._likeness(part) * factor
            known = np.flatnonzero(part >= 0)
            scores[known, place[part[known]]] = -1.0
            if allowed is not None:
                rows = np.arange(start, start + len(part))
                scores[~allowed.take(rows).cells()[:, order]] = -1.0
            best = _best(scores, k)
            kept = np.take_along_axis(scores, best, axis=1) >= 0
            found[start : start + block] = np.where(kept, order[best], -1)
        return found

    def _likeness(self, codes: np.ndarray) -> np.ndarray:
        """Return the mean of both cosines, 0 at least, with columns in the order of popularity."""
        known = codes >= 0
        seeds = np.maximum(codes, 0)
        by_words = (self._words[seeds] @ self._other_words).toarray()
        by_vectors = np.asarray(self.arrays["vectors"][seeds]) @ self._other_vectors
        return np.where(known[:, None], np.maximum(0.5 * (by_words + by_vectors), 0.0), 0.0)

    def _factor(self, influence: Mapping[str, float]) -> np.ndarray:
        factor = np.ones(len(self.item_ids))
        for name, values in (("POPULARITY", self.arrays["popularity"]), ("FRESHNESS", self.arrays["freshness"])):
            factor *= 1.0 - _SWAY * influence.get(name, 0.0) * (1.0 - values)
        return factor.astype(np.float32)


def _best(scores: np.ndarray, k: int) -> np.ndarray:
    """Return the columns of the `k` highest scores of each row; of equals the first comes first."""
    if 4 * k >= scores.shape[1]:
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]
    edge = -np.partition(-scores, k - 1, axis=1)[:, k - 1]
    best = np.empty((len(scores), k), np.int64)
    for row, lowest in enumerate(edge):
        candidates = np.flatnonzero(scores[row] >= lowest)
        best[row] = candidates[np.argsort(-scores[row, candidates], kind="stable")[:k]]
    return best


def latent(words: sparse.csr_matrix, dimensions: int) -> np.ndarray:
    """Return a unit vector of each item in the space of the strongest singular vectors; 0 for one without words."""
    size = min(dimensions, min(words.shape) - 1)
    if size < 1 or not words.nnz:
        return np.zeros((words.shape[0], 1), np.float32)
    # a fixed start makes the same model of the same data
    start = np.random.default_rng(0).standard_normal(min(words.shape))
    left, values, _ = svds(words.astype(np.float64), k=size, v0=start)
    vectors = left * values
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: np.ndarray = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 1e-6)
    return units.astype(np.float32)


def words_of(text: str) -> list[str]:
    """Split a text into lower-case words; unspaced scripts into pairs of characters."""
    found = []
    for token in _WORD.findall(text.lower()):
        if _UNSPACED.match(token) and len(token) > 2:
            found += [token[at : at + 2] for at in range(len(token) - 1)]
        else:
            found.append(_singular(token))
    return found


def _singular(word: str) -> str:
    """Fold English plurals, so that `ships` is `ship`; on the books of the samples it brings nearer what is alike."""
    for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 3 and not word.endswith("ss"):
            return word.removesuffix(ending) + instead
    return word


def _counts(data: TrainingData, item_ids: pa.StringArray) -> sparse.csr_matrix:
    """Count the words of each item that are in the vocabulary."""
    bags = _bags(data, item_ids)
    place = {word: column for column, word in enumerate(_vocabulary(bags))}
    cells = [(row, place[word], times) for row, bag in enumerate(bags) for word, times in bag.items() if word in place]
    rows, columns, values = np.asarray(cells, np.int64).reshape(-1, 3).T
    shape = (len(item_ids), max(1, len(place)))
    return sparse.csr_matrix((values.astype(np.float32), (rows, columns)), shape=shape)


def _bags(data: TrainingData, item_ids: pa.StringArray) -> list[Counter[str]]:
    """Return the words of each item and how often they occur."""
    schema = data.schemas.get("ITEMS")
    name = None if schema is None else schema.item_name
    if data.items is None or schema is None or name is None or schema.textual is None:
        raise WorkError(
            "The recipe aws-semantic-similarity needs an Items dataset with a field marked itemName and a field "
            "marked textual."
        )
    codes = pc.index_in(data.items["ITEM_ID"].combine_chunks(), item_ids).to_pylist()
    bags: list[Counter[str]] = [Counter() for _ in range(len(item_ids))]
    for column, times in ((name, _NAME), (schema.textual, 1)):
        for code, text in zip(codes, data.items[column].to_pylist(), strict=True):
            for word in words_of(text or ""):
                bags[code][word] += times
    return bags


def _vocabulary(bags: list[Counter[str]]) -> list[str]:
    """Return the words that at least two items have and not most of them, the most frequent ones, sorted."""
    items_of = Counter(word for bag in bags for word in bag)
    most = max(2, _COMMON * len(bags))
    kept = {word for word, items in items_of.items() if 2 <= items <= most}
    # an item of common words only would be like nobody: its least common ones stay
    for bag in bags:
        common = {word: items_of[word] for word in bag if items_of[word] > most}
        if common and kept.isdisjoint(bag):
            rarest = min(common.values())
            kept.update(word for word, items in common.items() if items == rarest)
    frequent = sorted((-items_of[word], word) for word in kept)[:_MOST_WORDS]
    return sorted(word for _, word in frequent)


def _tf_idf(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    frequent = counts.copy()
    frequent.data = 1.0 + np.log(counts.data)
    weights = frequent @ sparse.diags_array(np.log1p(counts.shape[0] / np.maximum(found, 1)).astype(np.float32))
    norms = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return sparse.csr_matrix(sparse.diags_array(scale) @ weights, dtype=np.float32)


def _freshness(data: TrainingData, item_ids: pa.StringArray) -> np.ndarray:
    freshness = np.zeros(len(item_ids))
    if data.items is None or "CREATION_TIMESTAMP" not in data.items.column_names:
        return freshness
    created = data.items["CREATION_TIMESTAMP"].cast(pa.float64()).to_numpy(zero_copy_only=False)
    known = ~np.isnan(created)
    if known.any():
        codes = pc.index_in(data.items["ITEM_ID"].combine_chunks(), item_ids).to_numpy(zero_copy_only=False)
        oldest, newest = created[known].min(), created[known].max()
        freshness[codes[known]] = (created[known] - oldest) / max(1.0, newest - oldest)
    return freshness
