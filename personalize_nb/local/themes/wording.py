"""Which texts a group's heads and subjects make, the most telling first.

A category that much of the group bears says more of it than a word that a few of its texts use, so what the group's
categories say together comes first, then its texts' own words, then other words for where the best is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from personalize_nb.local.themes import grammar
from personalize_nb.local.themes.heads import Heads, ThemeHead
from personalize_nb.local.themes.index import Index
from personalize_nb.local.themes.occurrences import NAME
from personalize_nb.local.themes.phrases import SETTING, SMALL, SUBJECT
from personalize_nb.local.themes.subjects import ThemeSubject

SECOND_UTILITY, NEAR_COSINE = 0.25, 0.1  # how good and how related a second subject must be,
CLOSE_COSINE = 0.2  # the more so where few items use one of the two ("cabins and zombies"), if the catalogue can tell
MAX_TEXTS = 10
OTHER_HEAD = 0.4
ALTERNATIVE = 0.3  # a subject this far below the best is not worth keeping themes apart for
LONE_ITEMS, PAIR_ITEMS = 3, 4  # how many items must use a subject that stands alone, or one of two,
BARE_MORE = 1  # and how many more in a group that shares no category
LONE_UTILITY = 2.5  # unless the subject convinces without them, in a catalogue large enough to know
LESS_TELLING, MAX_BORNE = 0.7, 4  # how far below the most telling text another may be, and how many there are


class Wordings:
    """Writes texts for groups of items of one catalogue."""

    def __init__(self, index: Index, heads: Heads):
        self._index, self._heads = index, heads
        self._sure = len(index.catalogue.items) >= SMALL

    def write(
        self, heads: Sequence[ThemeHead], subjects: Sequence[ThemeSubject], members: np.ndarray, shares: np.ndarray
    ) -> list[str]:
        """Return the texts worth printing, best first.

        Parameters
        ----------
        heads, subjects
            What was found for the group, best first; no subject echoes the first head.
        members, shares
            The rows of the group's items, and in how many of them each category occurs.
        """
        best = max((subject.utility for subject in subjects), default=0.0)
        worthy = [subject for subject in subjects if subject.utility >= ALTERNATIVE * best]
        alone = self._alone(worthy, heads[0])
        texts = self._borne(heads, subjects) + self._told(heads[0], worthy, subjects, alone)
        for noun in self._other_nouns(heads, members, shares) if alone else ():
            if len(texts) > MAX_TEXTS:
                break
            chosen = (subject for subject in alone[:2] if not grammar.echoes(noun, subject.phrase))
            texts.extend(_compose(noun, subject) for subject in chosen)
        return list(dict.fromkeys(text for text in texts if text))[:MAX_TEXTS]

    def _alone(self, worthy: Sequence[ThemeSubject], head: ThemeHead) -> list[ThemeSubject]:
        """Return the subjects that need no second one: many items use them, or they convince without."""
        enough = LONE_UTILITY if self._sure and head.worth else np.inf
        return [
            subject
            for subject in worthy
            if subject.utility >= enough or _is_carried(subject.users, LONE_ITEMS, subject, head)
        ]

    def _told(
        self,
        head: ThemeHead,
        worthy: Sequence[ThemeSubject],
        subjects: Sequence[ThemeSubject],
        alone: Sequence[ThemeSubject],
    ) -> list[str]:
        """Return what the texts of the items say: each worthy subject with one that joins it, then on its own."""
        texts = []
        for first in worthy:
            second = next((other for other in subjects if self._joins(first, other)), None)
            if second is not None and _is_carried(first.users | second.users, PAIR_ITEMS, first, head):
                texts.append(_compose(head.noun, first, second))
            if first in alone:
                texts.append(_compose(head.noun, first))
        return texts

    def _other_nouns(self, heads: Sequence[ThemeHead], members: np.ndarray, shares: np.ndarray) -> Iterator[str]:
        """Yield other words for the head, where the best theme is taken."""
        yield from (head.noun for head in heads[1:] if head.worth >= OTHER_HEAD * heads[0].worth)
        yield from self._heads.thin(shares, members)

    def _borne(self, heads: Sequence[ThemeHead], subjects: Sequence[ThemeSubject]) -> list[str]:
        """Return what categories alone say, where at least one of them is what the group is about."""
        borne = [subject for subject in subjects if subject.worth]
        found: list[tuple[float, str]] = []
        for head in heads:
            fit = [subject for subject in borne if not grammar.echoes(head.noun, subject.phrase)]
            for first in fit:
                found.append((head.worth + first.worth, _compose(head.noun, first)))
                for second in fit:
                    text = _with_second(head.noun, first, second) if second is not first else None
                    if text:
                        found.append((head.worth + first.worth + second.worth, text))
        found.sort(key=lambda pair: (-round(pair[0], 6), pair[1]))
        return list(dict.fromkeys(text for worth, text in found if worth >= LESS_TELLING * found[0][0]))[:MAX_BORNE]

    def _joins(self, first: ThemeSubject, second: ThemeSubject) -> bool:
        """Tell whether a second subject adds items of its own, belongs to the first and reads well beside it."""
        if second is first or not SECOND_UTILITY * first.utility <= second.utility <= first.utility:
            return False
        if len(second.users - first.users) < 2 or {first.phrase.slot, second.phrase.slot} & {NAME}:
            return False
        if first.phrase.slot == SETTING:
            return False
        near = float(self._index.directions[first.column] @ self._index.directions[second.column])
        if second.phrase.slot == SETTING:
            return True
        if first.phrase.link != second.phrase.link or " and " in first.phrase.text + second.phrase.text:
            return False
        thin = self._sure and min(len(first.users), len(second.users)) < LONE_ITEMS
        return near >= (CLOSE_COSINE if thin else NEAR_COSINE)


def _with_second(noun: str, first: ThemeSubject, second: ThemeSubject) -> str | None:
    """Join two categories: by "and", as a setting, or with the second before the head."""
    if second.phrase.slot == SETTING or first.phrase.slot == SETTING:
        return _compose(noun, first, second) if first.phrase.slot != SETTING else None
    if " and " not in first.phrase.text + second.phrase.text:
        return _compose(noun, first, second) if first.worth >= second.worth else None
    written = grammar.before(second.phrase, noun)
    return _compose(written, first) if written and not grammar.echoes(written, first.phrase) else None


def _is_carried(users: frozenset[int], least: int, subject: ThemeSubject, head: ThemeHead) -> bool:
    """Tell whether enough items use a subject; a category value is the catalogue's own word and needs no more."""
    return len(users) >= least + (0 if head.worth or subject.phrase.slot == SUBJECT else BARE_MORE)


def _compose(noun: str, first: ThemeSubject, second: ThemeSubject | None = None) -> str:
    subjects = [subject.phrase for subject in (first, second) if subject is not None]
    places = [phrase for phrase in subjects if phrase.slot == SETTING]
    return grammar.compose(noun, [phrase for phrase in subjects if phrase not in places], *places[:1])
