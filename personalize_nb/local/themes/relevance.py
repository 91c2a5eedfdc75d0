"""How well each item fits the theme it stands under, measured from texts alone, for any theme whoever wrote it.

The raw score blends the likeness of item and theme in the latent space, the share of the theme's words that the item
bears out, and the item's likeness to its group in texts and categories. It is then set so that 0.1 means "fits better
than 95 % of the catalogue", which keeps the meaning of Amazon's guidance to cut at 0.1, and bends towards the ends of
Amazon's range without reaching them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from personalize_nb.local.themes import statistics
from personalize_nb.local.themes.genres import as_head, as_modifier
from personalize_nb.local.themes.index import CATEGORY, Index, incidence
from personalize_nb.local.themes.lexicon import singular, word_list
from personalize_nb.local.themes.rules import PERIOD, QUOTED_NAME
from personalize_nb.local.themes.text import lemmas

# Weights of an item's likeness to the theme (meaning, words borne out) and to its group (texts, categories).
MEANING, FACETS, CENTRE, PROFILE = 0.5, 0.3, 0.6, 0.3
LOWEST, HIGHEST = -0.2, 0.6
AT_QUANTILE, PER_DEVIATION, QUANTILE = 0.1, 0.12, 0.95
LEAST_DEVIATION = 0.12  # a theme of one rare word moves few items; that must not make them all perfect
DECIMALS = 7
BLOCK = 256


class Relevance:
    """Scores items against themes of one catalogue."""

    def __init__(self, index: Index):
        self._index = index
        present = np.bincount(index.words.indices, minlength=len(index.vocabulary))
        self._weight = np.log((1 + len(index.catalogue.items)) / (1 + present))
        self._bears = index.words.T.tocsr().sign()
        self._profile = statistics.unit_rows(index.categories)
        self._named = _category_words(index)
        self._mute = word_list("medium") | {singular(index.catalogue.medium), "fan"}
        self._is_category = np.array([entry.startswith(CATEGORY) for entry in index.vocabulary], dtype=float)
        told = set().union(*(needed for needed, _ in self._named))
        self._is_subject = np.array([entry not in told for entry in index.vocabulary], dtype=float) - self._is_category

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
            deviation = np.maximum(raw.std(axis=1), LEAST_DEVIATION)
            for row in range(part.shape[0]):
                members = part.indices[part.indptr[row] : part.indptr[row + 1]]
                beyond = PER_DEVIATION * (raw[row, members] - high[row]) / deviation[row]
                room = np.where(beyond > 0, HIGHEST - AT_QUANTILE, AT_QUANTILE - LOWEST)
                scores.append((AT_QUANTILE + room * np.tanh(beyond / room)).round(DECIMALS))
        return scores

    def _raw(self, themes: Sequence[str], groups: sp.csr_matrix) -> np.ndarray:
        """Return themes x catalogue, the blend before calibration."""
        index = self._index
        read = self._read(themes)
        meaning = statistics.unit(statistics.unit(read @ sp.diags(self._weight) @ index.projection) - index.centre)
        facets = (self._facets(read) @ self._bears).toarray()
        sizes = np.maximum(np.diff(groups.indptr), 1)[:, None]
        centres = (groups @ index.items) / sizes
        profiles = statistics.unit((groups @ self._profile).toarray())
        blend: np.ndarray = (
            MEANING * (meaning @ index.items.T)
            + FACETS * facets
            + CENTRE * (centres @ index.items.T)
            + PROFILE * (self._profile @ profiles.T).T
        )
        return blend

    def _facets(self, read: sp.csr_matrix) -> sp.csr_matrix:
        """Weigh what a theme speaks of: its categories share one half, its other words the other."""
        spoken = [read @ sp.diags(part) for part in (self._is_category, self._is_subject)]
        sums = [np.asarray(part.sum(axis=1)).ravel() for part in spoken]
        halves = np.maximum((sums[0] > 0).astype(float) + (sums[1] > 0), 1)
        weighed = [
            sp.diags(1 / (halves * np.maximum(total, 1))) @ part for part, total in zip(spoken, sums, strict=True)
        ]
        return sp.csr_matrix(weighed[0] + weighed[1])

    def _read(self, themes: Sequence[str]) -> sp.csr_matrix:
        """Return themes x vocabulary, 0 or 1: the words of each theme and the categories that it speaks of.

        Words for the medium, periods and the name in "for fans of" say nothing of the items' texts.
        """
        rows = []
        for theme in themes:
            words = lemmas(QUOTED_NAME.sub("", PERIOD.sub("", theme)))
            columns = {
                self._index.columns[word] for word in words if word in self._index.columns and word not in self._mute
            }
            spoken = set(words)
            columns.update(column for needed, column in self._named if needed <= spoken)
            rows.append(sorted(columns))
        return incidence(rows, len(self._index.vocabulary))


def _category_words(index: Index) -> list[tuple[frozenset[str], int]]:
    """Return for each category value the words by which a theme speaks of it, and its column."""
    named = []
    for name, column in zip(index.category_names, index.category_columns, strict=True):
        for written in (as_modifier(name), as_head(name)):
            if written:
                named.append((frozenset(lemmas(written)), int(column)))
    return [(needed, column) for needed, column in named if needed]
