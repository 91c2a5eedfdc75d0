"""What a group's items are about: phrases that set the group apart from the catalogue and from its own kind.

A phrase must be used more than chance allows (log-odds), lie close to the group and to its input item in the latent
space, and be used by items that are alike everywhere, beyond the likeness that the shared word itself makes; what few
items use must pass the more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from personalize_nb.local.themes import statistics
from personalize_nb.local.themes.generators import Evidence
from personalize_nb.local.themes.heads import worth_of
from personalize_nb.local.themes.index import Index
from personalize_nb.local.themes.occurrences import NAME
from personalize_nb.local.themes.phrases import SETTING, SUBJECT, Phrase

MIN_Z = 1.7
MIN_ITEMS, MIN_SHARE = 2, 0.09
WIDE_SHARE, WIDE_FIT = 0.25, 0.35  # either many items tell of the phrase and the group leans to it,
NARROW_SHARE, NARROW_FIT = 0.15, 0.5  # or some do and the group leans to it clearly,
# and a reader must find the phrase borne out: some tell of it and the group leans to it, or many do
CLEAR_FIT, CLEAR_SHARE, CLEAR_NEAR = 1.2, 0.15, 0.4
THIN_FIT, COMMON_SHARE = 0.8, 0.25
MIN_UTILITY, SCARCE_UTILITY = 0.3, 0.9  # or few, and then it must convince all in all
FEW_ITEMS = 4  # below so many that tell of it,
FEW_OWN_FIT = 0.5  # the input item must lean to it too
OWN_WORDS = 1.5  # how much more alike texts are in the latent space than a shared word makes them outside it
USUAL_LIKENESS = 0.04
SHARE_POWER, KIND_POWER, LIKENESS_POWER, SEED_BONUS = 0.2, 0.7, 0.2, 0.5  # what makes one phrase better than another
FULL_FIT = 4.0
MAX_KIND_LIFT = 20.0
MIN_SETTING_SHARE = 0.2
MIN_NAME_SHARE = 0.3  # a name that the input item does not bear must be many items' name
MAX_SUBJECTS = 6
BORNE_SHARE = 0.3  # a category that so many items bear is what the group is about,
LEAST_WORTH = 0.5  # if it sets the group apart so well


@dataclass(frozen=True)
class Group:
    """The rows of a group's items, their mean vector, the row of its input item, and its head's category columns."""

    members: np.ndarray
    centre: np.ndarray
    seed: int | None
    kinds: Sequence[int]


@dataclass(frozen=True)
class ThemeSubject:
    """A phrase that a theme may be about, and which of the group's items use it, by place.

    `utility` compares phrases with phrases, `worth` categories with the heads of themes (0 for other phrases and for
    categories that little of the group bears).
    """

    phrase: Phrase
    column: int
    utility: float
    worth: float
    users: frozenset[int]
    evidence: Evidence


class Subjects:
    """Finds what groups of items of one catalogue are about."""

    def __init__(self, index: Index):
        self._index = index
        self._total = len(index.catalogue.items)
        self._curated = np.array([phrase.slot == SUBJECT for phrase in index.phrases], dtype=bool)
        self._name = np.array([phrase.slot == NAME for phrase in index.phrases], dtype=bool)
        self._setting = np.array([phrase.slot == SETTING for phrase in index.phrases], dtype=bool)
        self._likeness = np.maximum(index.likeness - OWN_WORDS * _own_likeness(index) * ~self._curated, 0)
        self._meaning = (self._likeness / USUAL_LIKENESS) ** LIKENESS_POWER
        self._kinds = (index.categories.T @ index.told).tocsr()
        self._kind_sizes = np.maximum(np.asarray(index.categories.sum(axis=0)).ravel(), 1)

    def find(self, group: Group, uses: np.ndarray, told: np.ndarray) -> list[ThemeSubject]:
        """Return the phrases that pass the gates, best first.

        Parameters
        ----------
        group
            The group.
        uses, told
            How many of its items use each phrase, and tell of it in these or other words.
        """
        index, size = self._index, len(group.members)
        columns = np.flatnonzero((uses >= max(MIN_ITEMS, MIN_SHARE * size)) & (self._likeness > 0))
        own = self._used_by(group.seed, columns)
        others = uses[columns] - own >= MIN_ITEMS  # the input item bears a subject out, it does not make one
        columns, own = columns[others], own[others]
        if not len(columns):
            return []
        wide = told[columns] / size
        few = told[columns] < FEW_ITEMS
        z = statistics.log_odds(told[columns], size, index.told_counts[columns], self._total)
        directions, mean, deviation = index.directions[columns], index.mean[columns], index.deviation[columns]
        fit = ((directions @ group.centre - mean) / deviation).round(4)
        own_fit = np.full(len(columns), FULL_FIT)
        if group.seed is not None:
            own_fit = ((directions @ index.items[group.seed] - mean) / deviation).round(4)
        gate = (z >= MIN_Z) & (wide >= MIN_SHARE) & (fit >= np.where(wide >= WIDE_SHARE, WIDE_FIT, NARROW_FIT))
        gate &= ~few | (own_fit >= FEW_OWN_FIT)
        kept = np.flatnonzero(gate)
        columns, fit, wide, directions, own = columns[kept], fit[kept], wide[kept], directions[kept], own[kept]
        share = uses[columns] / size
        worth = worth_of(share, index.phrase_counts[columns] / self._total)
        borne = self._curated[columns] & (share >= BORNE_SHARE) & (worth >= LEAST_WORTH)
        near = (directions @ index.items[group.members].T >= index.high[columns, None]).mean(axis=1)
        seeded = 1 + SEED_BONUS * np.clip(own_fit[kept], 0, FULL_FIT) / FULL_FIT
        special = self._special(columns, wide * size, size, group.kinds) * self._meaning[columns] * seeded
        utility = ((share * wide) ** SHARE_POWER * fit * (1 + near) * special).round(4)
        clear = (fit >= CLEAR_FIT) & ((wide >= CLEAR_SHARE) | (near >= CLEAR_NEAR))
        clear |= (fit >= THIN_FIT) & (wide >= COMMON_SHARE)
        convincing = clear & (utility >= np.where(wide >= NARROW_SHARE, MIN_UTILITY, SCARCE_UTILITY))
        keep = (convincing | self._curated[columns]) & ((share >= MIN_SETTING_SHARE) | ~self._setting[columns])
        keep &= ~self._name[columns] | (share >= MIN_NAME_SHARE) | own
        return self._described(group, columns[keep], fit[keep], share[keep], utility[keep], (worth * borne)[keep])

    def _used_by(self, row: int | None, columns: np.ndarray) -> np.ndarray:
        """Tell which phrases an item uses."""
        uses = self._index.uses
        own = np.zeros(uses.shape[1], dtype=bool)
        if row is not None:
            own[uses.indices[uses.indptr[row] : uses.indptr[row + 1]]] = True
        used: np.ndarray = own[columns]
        return used

    def _users(self, members: np.ndarray, columns: np.ndarray) -> dict[int, set[int]]:
        """Return for each phrase which of the items use it, by place."""
        uses = self._index.uses
        parts = [uses.indices[uses.indptr[row] : uses.indptr[row + 1]] for row in members]
        users: dict[int, set[int]] = {column: set() for column in columns.tolist()}
        if users:
            held = np.concatenate(parts)
            places = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
            chosen = np.flatnonzero(np.isin(held, columns))
            for column, place in zip(held[chosen].tolist(), places[chosen].tolist(), strict=True):
                users[column].add(place)
        return users

    def _special(self, columns: np.ndarray, told: np.ndarray, size: int, kinds: Sequence[int]) -> np.ndarray:
        """Return how much more the group tells of each phrase than other items of its kind do, damped."""
        usual = np.zeros(len(columns))
        for kind in kinds:
            row = slice(self._kinds.indptr[kind], self._kinds.indptr[kind + 1])
            held, counts = self._kinds.indices[row], self._kinds.data[row]
            if not len(held):
                continue
            place = np.minimum(np.searchsorted(held, columns), len(held) - 1)
            usual = np.maximum(usual, np.where(held[place] == columns, counts[place], 0) / self._kind_sizes[kind])
        if not usual.any():
            return np.ones(len(columns))
        lift = (told + usual) / (size + 1) / np.maximum(usual, 1e-4)
        return np.clip(lift, 1 / MAX_KIND_LIFT, MAX_KIND_LIFT) ** KIND_POWER

    def _described(
        self,
        group: Group,
        columns: np.ndarray,
        fit: np.ndarray,
        share: np.ndarray,
        utility: np.ndarray,
        worth: np.ndarray,
    ) -> list[ThemeSubject]:
        index = self._index
        order = sorted(range(len(columns)), key=lambda i: (-worth[i], -utility[i], index.phrases[columns[i]].key))
        found: list[ThemeSubject] = []
        users = self._users(group.members, columns[order[: 3 * MAX_SUBJECTS]])
        for i in order[: 3 * MAX_SUBJECTS]:
            column, phrase = int(columns[i]), index.phrases[columns[i]]
            words = set(phrase.key.split())
            if any(words & set(other.phrase.key.split()) for other in found):  # "school" beside "high school"
                continue
            base = index.phrase_counts[column] / self._total
            evidence = Evidence(phrase.text, round(float(share[i]), 4), round(float(base), 4), float(fit[i]))
            found.append(
                ThemeSubject(phrase, column, float(utility[i]), float(worth[i]), frozenset(users[column]), evidence)
            )
        return found[:MAX_SUBJECTS]


def _own_likeness(index: Index) -> np.ndarray:
    """Return how alike the users of each phrase are for the phrase's own words alone (a cosine)."""
    sums = np.asarray(index.words.sum(axis=0)).ravel()
    usual = sums / np.maximum(np.bincount(index.words.indices, minlength=len(sums)), 1)
    squares = {word: usual[column] ** 2 for word, column in index.columns.items()}
    return np.array([sum(squares.get(word, 0.0) for word in phrase.key.split()) for phrase in index.phrases]).round(5)
