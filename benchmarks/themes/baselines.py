"""Plainer ways to name a group, each at its best form: categories alone, c-TF-IDF, log-odds in a template."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import scipy.sparse as sp

from benchmarks.themes.groups import Draw
from personalize_nb.local.themes.grammar import compose, head
from personalize_nb.local.themes.index import CATEGORY, Index
from personalize_nb.local.themes.maker import ThemeMaker
from personalize_nb.local.themes.statistics import log_odds

KEYWORDS = 4
LEAST_ITEMS = 3

Written = tuple[list[str], dict[str, float]]


def categories(maker: ThemeMaker, draw: Draw) -> Written:
    """The two commonest category values."""
    index, counts = maker.index, _counts(maker.index, draw, maker.index.categories)
    return [" ".join(index.category_names[column] for column in _best(row, 2)).lower() for row in counts], {}


def class_tfidf(maker: ThemeMaker, draw: Draw) -> Written:
    """The four words with the highest class-based TF-IDF (Grootendorst 2022), joined by commas."""
    index = maker.index
    is_word = np.array([not entry.startswith(CATEGORY) for entry in index.vocabulary])
    everywhere = np.asarray(index.words.sign().sum(axis=0)).ravel()
    counts = _counts(index, draw, index.words.sign()) * is_word
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    weight = np.log(1 + counts.sum(axis=1).mean() / np.maximum(everywhere, 1))
    return [", ".join(index.vocabulary[column] for column in _best(row * weight, KEYWORDS)) for row in share], {}


def log_odds_template(maker: ThemeMaker, draw: Draw) -> Written:
    """The commonest category as a noun, about the noun phrase with the highest log-odds (Monroe 2008)."""
    index, size = maker.index, len(maker.index.catalogue.items)
    kinds, uses = _counts(index, draw, index.categories), _counts(index, draw, index.uses)
    texts = []
    for row, group in enumerate(draw.groups):
        first = index.category_names[_best(kinds[row], 1)[0]]
        z = log_odds(uses[row], len(group), index.phrase_counts, size)
        phrase = index.phrases[_best(np.where(uses[row] >= LEAST_ITEMS, z, -np.inf), 1)[0]]
        texts.append(compose(head((first,), index.catalogue.medium) or index.catalogue.medium, [phrase]))
    return texts, {}


BASELINES: Mapping[str, Callable[[ThemeMaker, Draw], Written]] = {
    "categories": categories,
    "c-TF-IDF": class_tfidf,
    "log-odds": log_odds_template,
}


def _counts(index: Index, draw: Draw, matrix: sp.csr_matrix) -> np.ndarray:
    """Return groups x columns: in how many items of the group each column is present."""
    return (index.rows_of(draw.groups) @ matrix).toarray()


def _best(worth: np.ndarray, count: int) -> list[int]:
    return np.argsort(-worth.round(9), kind="stable")[:count].tolist()
