"""The noun a theme begins with: what kind of items these are, by the categories that they share.

A category counts when the group bears it more than the catalogue does; two that go together make one noun ("romantic
comedies"). What is sold and not told is named by `goods`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personalize_nb.local.themes import grammar
from personalize_nb.local.themes.facets import ADJECTIVE, ATTRIBUTE, KIND, Facet
from personalize_nb.local.themes.generators import Evidence
from personalize_nb.local.themes.genres import is_genre, is_subject
from personalize_nb.local.themes.index import Index
from personalize_nb.local.themes.lexicon import word_class

ONE_SHARE, PAIR_SHARE, BOTH_SHARE, MIN_LIFT = 0.5, 0.4, 1.0, 1.15
THIN_SHARE, THIN_BOTH, THIN_LIFT, THIN_ITEMS = 0.3, 0.7, 1.6, 3  # what a plainer theme may still say of part of a group
JOINT_SHARE = 0.15  # of two kinds, how many items must be both for a noun that says so
EITHER_SHARE, EITHER_LIFT, EITHER_COVER, EITHER_AMONG = 0.25, 1.25, 0.5, 3
SECOND_HEAD = 0.7  # what the second category of a pair adds
PLAIN = Facet(KIND)


@dataclass(frozen=True)
class ThemeHead:
    """A plural noun, the columns of the categories that it stands for, and how well it sets the group apart."""

    noun: str
    columns: tuple[int, ...]
    worth: float


class Heads:
    """Finds the nouns that fit a group of items of one catalogue."""

    def __init__(self, index: Index):
        self._names, self._medium = index.category_names, index.catalogue.medium
        self._base = np.asarray(index.categories.mean(axis=0)).ravel()
        self._bears = index.categories.toarray().astype(np.float32)
        facets = index.catalogue.facets
        self._fit = np.array([_heads(name, self._medium, facets.get(name, PLAIN)) for name in self._names], dtype=bool)

    def find(self, counts: np.ndarray, members: np.ndarray) -> list[ThemeHead]:
        """Return the nouns that most of a group bears out, best first; the medium itself is last.

        Parameters
        ----------
        counts
            In how many items of the group each category occurs.
        members
            The rows of the group's items.
        """
        share = counts / max(len(members), 1)
        ranked = self._ranked(share, PAIR_SHARE, MIN_LIFT)
        found = self._pairs(ranked, share, BOTH_SHARE, members)
        for column, worth in ranked:
            noun = grammar.head((self._names[column],), self._medium)
            if noun is not None and share[column] >= ONE_SHARE:
                found.append(ThemeHead(noun, (column,), worth))
        found.sort(key=lambda head: (-round(head.worth, 6), head.noun))
        return [*found, ThemeHead(self._medium, (), 0.0)]

    def thin(self, counts: np.ndarray, members: np.ndarray, own: np.ndarray | None = None) -> list[str]:
        """Return nouns that part of a group bears out, best first.

        Parameters
        ----------
        counts, members
            As for `find`.
        own
            The category columns of the input item, where it must bear the noun out too.
        """
        share = counts / max(len(members), 1)
        ranked = [
            (column, worth)
            for column, worth in self._ranked(share, THIN_SHARE, THIN_LIFT)
            if (own is None or column in own) and counts[column] >= THIN_ITEMS
        ]
        pairs = [head.noun for head in self._pairs(ranked, share, THIN_BOTH, members)]
        ones = [grammar.head((self._names[column],), self._medium) for column, _ in ranked]
        return [noun for noun in (*pairs, *ones) if noun]

    def either(self, counts: np.ndarray, members: np.ndarray) -> list[str]:
        """Return nouns for two kinds of which most of a group's items are one or the other, best first."""
        share = counts / max(len(members), 1)
        ranked = [column for column, _ in self._ranked(share, EITHER_SHARE, EITHER_LIFT)][:EITHER_AMONG]
        found = []
        for place, first in enumerate(ranked):
            for second in ranked[place + 1 :]:
                if self._bears[members[:, None], [first, second]].any(axis=1).mean() >= EITHER_COVER:
                    found.append(grammar.either((self._names[first], self._names[second]), self._medium))
        return [noun for noun in found if noun]

    def evidence(self, head: ThemeHead, counts: np.ndarray, size: int) -> list[Evidence]:
        """Return what speaks for a head: the categories that it stands for."""
        return [
            Evidence(
                self._names[column], round(float(counts[column] / size), 4), round(float(self._base[column]), 4), 0.0
            )
            for column in head.columns
        ]

    def _ranked(self, share: np.ndarray, least: float, lift: float) -> list[tuple[int, float]]:
        """Return the category columns above a share and a lift with their worth, best first."""
        fits = np.flatnonzero(self._fit & (share >= least) & (share >= lift * self._base))
        worth = worth_of(share[fits], self._base[fits])
        pairs = zip(fits.tolist(), worth.round(6).tolist(), strict=True)
        return sorted(pairs, key=lambda pair: (-pair[1], self._names[pair[0]]))

    def _pairs(
        self, ranked: Sequence[tuple[int, float]], share: np.ndarray, both: float, members: np.ndarray
    ) -> list[ThemeHead]:
        """Return nouns for two categories: "romantic sea stories" where enough items bear both, else "… and …"."""
        found = []
        among = np.array([column for column, _ in ranked[:4]], dtype=np.int64)
        bears = self._bears[members[:, None], among]
        joint = (bears.T @ bears) / max(len(members), 1)
        for place, (first, worth) in enumerate(ranked[:3]):
            for other, (second, less) in enumerate(ranked[place + 1 : 4], start=place + 1):
                if share[first] + share[second] >= both:
                    write = grammar.head if joint[place, other] >= JOINT_SHARE else grammar.either
                    noun = write((self._names[first], self._names[second]), self._medium)
                    if noun is not None:
                        found.append(ThemeHead(noun, (first, second), worth + SECOND_HEAD * less))
        return found


def _heads(name: str, medium: str, facet: Facet) -> bool:
    """Tell whether a category value may stand in a head: a known genre, an adjective, a kind of text."""
    if is_genre(name):
        return True
    one_word = facet.role == ATTRIBUTE and name.isalpha() and word_class(name.lower()).adjective >= ADJECTIVE
    return one_word or (facet.role == KIND and not is_subject(name, medium))


def worth_of(share: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return how well categories set a group apart, by the share of its items that bear them and of the catalogue's."""
    worth: np.ndarray = share**1.5 * -np.log(np.clip(base, 1e-9, 0.95))
    return worth
