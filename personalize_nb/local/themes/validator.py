"""Whether a text that a plug-in wrote may stand over a group of items: in form, true of the items, nobody else's words.

The rules of form and safety are those of every theme (`rules`). A text from outside must also be borne out by the
items, and must not be what a hostile item text would make a language model say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from personalize_nb.local.themes.generators import Evidence
from personalize_nb.local.themes.genres import as_head, as_modifier
from personalize_nb.local.themes.index import CATEGORY, Index
from personalize_nb.local.themes.lexicon import singular, word_list
from personalize_nb.local.themes.rules import PERIOD, QUOTED_NAME, problems
from personalize_nb.local.themes.text import lemmas

MIN_BEARERS = 2  # items that must use a word of the theme, in groups that have as many
STEM = 6  # words with these first letters in common count as one: gardener, gardening
MIN_COPIED_WORDS = 3

ADDRESS = re.compile(r"\b[a-z0-9-]{2,}\.(com|net|org|io|ai|co|info|biz|shop|dev|app|[a-z]{2})\b", re.IGNORECASE)
# what a model says of itself or of its task, and what a planted text would have it say
TALK = re.compile(
    r"\b(ignore|disregard|override|forget)\b.*\b(instructions?|prompts?|above|previous|prior|rules?)\b"
    r"|\b(system|user|assistant)('s)? (prompt|message|instructions?)\b"
    r"|\b(as an ai|language model|json|sorry|here (is|are)|sure thing|themes?)\b"
    r"|\b(i|we)('m|'re| am| are| can| can't| cannot| could| will| would| won't)\b"
    r"|\b(click|subscribe|buy|visit|order|call|download|sign up|log in) (at|for|here|in|it|now|our|this|today|us)\b",
    re.IGNORECASE,
)


class Validator:
    """Judges texts for groups of items of one catalogue."""

    def __init__(self, index: Index):
        self._index = index
        # "Tense dramas" speaks of its items where the catalogue has a category Drama
        kinds = {word for name in index.category_names if len(lemmas(name)) == 1 for word in lemmas(name)}
        self._mute = (word_list("medium") - kinds) | {singular(index.catalogue.medium), "fan"}

    def problems(self, text: str, items: Sequence[str]) -> list[str]:
        """Return what is wrong with a text as the theme of these items; an empty list means it may be printed."""
        found = problems(text, self._index.catalogue.rows)
        if ADDRESS.search(text):
            found.append("has an internet address")
        if TALK.search(text):
            found.append("speaks to the reader or of its task, not of the items")
        if not found:
            found += self._groundless(text, self._rows(items))
        return found

    def evidence(self, text: str, items: Sequence[str]) -> tuple[float, tuple[Evidence, ...]]:
        """Return the share of the items that bear the text out, and which of its words they use."""
        rows = self._rows(items)
        borne = {word: self._bearers(word, rows) for word in self._spoken(text)}
        told = set().union(*borne.values())
        evidence = []
        for word, bearers in borne.items():
            if bearers:
                share, base = len(bearers) / len(rows), self._base(word)
                spread = math.sqrt(max(base * (1 - base), 1e-9) / len(rows))
                fit = round((share - base) / spread, 4)
                evidence.append(Evidence(word, round(share, 4), round(base, 4), fit))
        return len(told) / max(1, len(rows)), tuple(sorted(evidence, key=lambda one: (-one.fit, one.phrase)))

    def _groundless(self, text: str, rows: list[int]) -> list[str]:
        if not rows:
            return ["none of the items is in the catalogue"]
        told = set().union(*(self._bearers(word, rows) for word in self._spoken(text)))
        if len(told) < min(MIN_BEARERS, len(rows)):
            return ["its words are not those of the items"]
        copied = [row for row in rows if text.lower() in self._text(row)]
        if len(copied) == 1 and len(rows) > 1 and len(text.split()) >= MIN_COPIED_WORDS:
            return ["is copied from the text of one item"]
        return []

    def _rows(self, items: Sequence[str]) -> list[int]:
        known = self._index.catalogue.rows
        return sorted({known[item] for item in items if item in known})

    def _text(self, row: int) -> str:
        item = self._index.catalogue.items[row]
        return " ".join(f"{item.name} {item.description}".lower().split())

    def _spoken(self, text: str) -> list[str]:
        """Return the words of a text that speak of the items, each once."""
        own = QUOTED_NAME.sub("", PERIOD.sub("", text))
        return list(dict.fromkeys(word for word in lemmas(own) if word not in self._mute))

    def _bearers(self, word: str, rows: list[int]) -> set[int]:
        """Return the rows, of those given, that use a word in their texts or bear it as a category."""
        columns = self._columns(word)
        if not len(columns):
            return set()
        found = self._index.words[rows][:, columns].getnnz(axis=1)
        return {row for row, count in zip(rows, found.tolist(), strict=True) if count}

    def _base(self, word: str) -> float:
        bearing = self._index.words[:, self._columns(word)].getnnz(axis=1)
        return float(np.count_nonzero(bearing)) / max(1, bearing.size)

    def _columns(self, word: str) -> list[int]:
        found = {self._index.columns[word]} if word in self._index.columns else set()
        found.update(self._stems.get(word[:STEM], ()) if len(word) >= STEM else ())
        found.update(self._categories.get(word, ()))
        return sorted(found)

    @cached_property
    def _stems(self) -> dict[str, list[int]]:
        stems: dict[str, list[int]] = {}
        for entry, column in self._index.columns.items():
            if len(entry) >= STEM and not entry.startswith(CATEGORY):
                stems.setdefault(entry[:STEM], []).append(column)
        return stems

    @cached_property
    def _categories(self) -> dict[str, set[int]]:
        """Columns of the category values that a word speaks of."""
        spoken: dict[str, set[int]] = {}
        for name, column in zip(self._index.category_names, self._index.category_columns.tolist(), strict=True):
            for written in (name, as_modifier(name), as_head(name)):
                for word in lemmas(written or ""):
                    spoken.setdefault(word, set()).add(column)
        return spoken
