"""How well each item fits the theme it stands under, measured from texts alone, for any theme whoever wrote it.

The raw score blends the likeness of item and theme in the latent space, the share of the theme's words that the item
bears out, and the item's likeness to its group. It is then set so that 0.1 means "fits better than 95 % of the
catalogue", which keeps the meaning of Amazon's guidance to cut at 0.1. Local service, themes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from . import statistics
from .genres import as_head, as_modifier
from .index import Index, incidence
from .text import lemmas

LOWEST, HIGHEST = -0.2, 0.6
AT_QUANTILE, PER_DEVIATION, QUANTILE = 0.1, 0.12, 0.95
DECIMALS = 7
BLOCK = 256


class Relevance:
    """Scores items against themes of one catalogue."""

    def __init__(self, index: Index):
        self._index = index
        present = np.bincount(index.words.indices, minlength=len(index.vocabulary))
        self._weight = np.log((1 + len(index.catalogue.items)) / (1 + present))
        self._bears = index.words.T.tocsr().sign()
        self._named = _category_words(index)

    def score(self, themes: Sequence[str], groups: sp.csr_matrix) -> list[np.ndarray]:
        """Return the scores of each group's items, in the order of the group's row of the incidence matrix.

        Parameters
        ----------
        themes
            One text per group.
        groups
            Groups x items of the catalogue, 0 or 1, with sorted columns.
        """
        scores: list[np.ndarray] = []
        for start in range(0, len(themes), BLOCK):
            part = groups[start : start + BLOCK]
            raw = self._raw(themes[start : start + BLOCK], part)
            high = statistics.row_quantile(raw, QUANTILE)
            deviation = np.maximum(raw.std(axis=1), 1e-6)
            for row in range(part.shape[0]):
                members = part.indices[part.indptr[row] : part.indptr[row + 1]]
                scaled = AT_QUANTILE + PER_DEVIATION * (raw[row, members] - high[row]) / deviation[row]
                scores.append(np.clip(scaled, LOWEST, HIGHEST).round(DECIMALS))
        return scores

    def _raw(self, themes: Sequence[str], groups: sp.csr_matrix) -> np.ndarray:
        """Return themes x catalogue, the blend before calibration."""
        index = self._index
        read = self._read(themes)
        meaning = statistics.unit(statistics.unit(read @ index.projection) - index.centre)
        whole = np.maximum(np.asarray(read.sum(axis=1)).ravel(), 1e-9)
        facets = (sp.diags(1 / whole) @ read @ self._bears).toarray()
        sizes = np.maximum(np.diff(groups.indptr), 1)[:, None]
        centres = (groups @ index.items) / sizes
        return 0.6 * (meaning @ index.items.T + 0.5 * facets) + 0.5 * (centres @ index.items.T)

    def _read(self, themes: Sequence[str]) -> sp.csr_matrix:
        """Return themes x vocabulary: the words of each theme and the categories that it speaks of."""
        rows = []
        for theme in themes:
            words = lemmas(theme)
            columns = {self._index.columns[word] for word in words if word in self._index.columns}
            spoken = set(words)
            columns.update(column for needed, column in self._named if needed <= spoken)
            rows.append(sorted(columns))
        return (incidence(rows, len(self._index.vocabulary)) @ sp.diags(self._weight)).tocsr()


def _category_words(index: Index) -> list[tuple[frozenset[str], int]]:
    """Return for each category value the words by which a theme speaks of it, and its column."""
    named = []
    for name, column in zip(index.category_names, index.category_columns, strict=True):
        for written in (as_modifier(name), as_head(name)):
            if written:
                named.append((frozenset(lemmas(written)), int(column)))
    return [(needed, column) for needed, column in named if needed]
