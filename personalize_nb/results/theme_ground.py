"""The catalogue as a judge of titles sees it: which items use which words, how it writes them, how alike items are.

Nothing is asked of whoever made the themes. Word use, casing and likeness are counted over the items' own texts; of a
large catalogue a fixed share of the items stands for the rest.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from personalize_nb.results.theme_words import AND, ENGLISH, FUNCTION, language_of, lemma, root, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_ITEMS, MOST_LEARNT = 20_000, 6_000
DIMENSIONS, ITEMS_PER_DIMENSION, LEAST_ITEMS = 64, 8, 2
VALUE_WORDS, VALUES_SHARE, LONG_VALUES_SHARE, LABEL = 5, 0.5, 0.1, 90
RUNNING, LEAST_SEEN = 12, 3
ALWAYS = 0.9
NARROW, NARROW_SIZE = 0.4, 1.5
_YEAR = re.compile(r"[12]\d{3}")
_MAKER_COLUMN = re.compile(
    r"brand|manufacturer|maker|author|artist|vendor|supplier|publisher|director|seller", re.IGNORECASE
)
_YEAR_COLUMN = re.compile(r"(?:^|_)year(?:$|_)", re.IGNORECASE)
_YEAR_AT_END = re.compile(r"\(([12]\d{3})\)\s*$")


class ThemeGround:
    """Items by which titles are judged.

    Parameters
    ----------
    frame
        The catalogue, with unique ids as its index and columns of anything.
    texts
        The columns to read.
    members
        Items of the groups, which are read whatever the size of the catalogue.
    """

    def __init__(self, frame: pd.DataFrame, texts: Sequence[str], members: set[str]):
        step = max(1, len(frame) // MOST_ITEMS)
        kept = frame.index.isin(list(members)) | (np.arange(len(frame)) % step == 0)
        self._frame = frame[kept]
        self.rows = {item: row for row, item in enumerate(self._frame.index)}
        columns = {str(name): self._frame[name].astype(object).fillna("").astype(str).tolist() for name in texts}
        self._columns = columns
        self._values = {name: cells for name, cells in columns.items() if _holds_values(cells)}
        self._texts = {name: cells for name, cells in columns.items() if name not in self._values}
        self.names = frozenset(str(name).casefold() for name in frame.columns)
        every = [" . ".join(cells) for cells in zip(*columns.values(), strict=True)]
        self._roots = [frozenset(map(root, words(text))) for text in every]
        self.items_of: dict[str, set[int]] = defaultdict(set)
        for row, roots in enumerate(self._roots):
            for one in roots:
                self.items_of[one].add(row)

    @cached_property
    def language(self) -> str:
        """The language of the texts; English where they do not tell."""
        longest = sorted(self._texts.values(), key=lambda cells: -sum(map(len, cells)))[:2]
        return language_of(text for cells in longest for text in cells[:: max(1, len(cells) // 1000)]) or ENGLISH

    @cached_property
    def values(self) -> frozenset[str]:
        """Every value of the columns of few values, in small letters."""
        found = {part.strip() for cells in self._values.values() for cell in set(cells) for part in cell.split("|")}
        return frozenset(value.casefold() for value in found if value)

    @cached_property
    def kinds(self) -> frozenset[frozenset[str]]:
        """The values once more, each as the roots of its words: what `Bags & Belts` and `bags and belts` share."""
        return frozenset(self.plain(value) for value in self.values)

    def plain(self, text: str) -> frozenset[str]:
        """Return the roots of a text's words but for those that join."""
        return frozenset(root(word) for part in text.split("&") for word in words(part) if word.casefold() not in AND)

    @cached_property
    def _bearers(self) -> dict[str, set[int]]:
        """Rows that bear each value of the columns of few values."""
        bearers: dict[str, set[int]] = defaultdict(set)
        for cells in self._values.values():
            for row, cell in enumerate(cells):
                for part in filter(None, map(str.strip, cell.split("|"))):
                    bearers[part].add(row)
        return bearers

    def narrower(self, using: set[int], members: Sequence[int]) -> Iterator[str]:
        """Yield values that nearly all of a group bear and that are a kind of what some items are."""
        own = set(members)
        for value, rows in self._bearers.items():
            size = len(rows)
            if len(rows & own) < ALWAYS * len(own) or size < NARROW_SIZE * len(own) or size > NARROW * len(using):
                continue
            if len(rows & using) >= ALWAYS * size and any(map(str.isalpha, value)) and not any(map(str.isdigit, value)):
                yield value

    @cached_property
    def makers(self) -> frozenset[frozenset[str]]:
        """The values of the columns that name who made or sells an item."""
        found = (cells for name, cells in self._columns.items() if _MAKER_COLUMN.search(name))
        return frozenset(self.plain(cell) for cells in found for cell in set(cells) if cell)

    @cached_property
    def told(self) -> frozenset[str]:
        """The words of names and descriptions, as opposed to those that stand in columns of values only."""
        return frozenset(lemma(word) for cells in self._texts.values() for text in cells for word in words(text))

    @cached_property
    def _casing(self) -> dict[str, list[int]]:
        """How often a word is seen within running text: with a capital, and in all."""
        seen: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for cells in self._texts.values():
            for text in cells[:: max(1, len(cells) // 5000)]:
                written = words(text)
                if len(written) < RUNNING or sum(word[0].isupper() for word in written) > len(written) / 2:
                    continue
                after = text.split()
                for before, word in zip(after, after[1:], strict=False):
                    plain = "".join(words(word)[:1])
                    if plain and before[-1] not in ".!?:•":
                        seen[plain.casefold()][0] += plain[0].isupper()
                        seen[plain.casefold()][1] += 1
        return seen

    @cached_property
    def _written(self) -> dict[str, Counter[bool]]:
        """How often a word is written with a capital anywhere; texts in capitals only tell nothing."""
        seen: dict[str, Counter[bool]] = defaultdict(Counter)
        for cells in (*self._texts.values(), *self._values.values()):
            for text in cells[:: max(1, len(cells) // 5000)]:
                if not text.isupper():
                    for word in words(text):
                        seen[word.casefold()][word[0].isupper()] += 1
        return seen

    @cached_property
    def _shouted(self) -> Counter[str]:
        """How often a word is in capitals throughout, in texts that are not."""
        seen: Counter[str] = Counter()
        for cells in self._texts.values():
            for text in cells[:: max(1, len(cells) // 5000)]:
                if not text.isupper():
                    seen.update(lemma(word) for word in words(text) if len(word) > 1 and word.isupper())
        return seen

    def is_acronym(self, word: str) -> bool:
        """Tell whether the catalogue writes a word in capitals throughout."""
        seen = self._written.get(lemma(word), Counter()) + self._written.get(word.casefold(), Counter())
        return self._shouted[lemma(word)] >= max(LEAST_SEEN, ALWAYS * sum(seen.values()))

    def writes_plural(self, noun: str) -> bool:
        """Tell whether the catalogue anywhere uses the plural of an English noun."""
        return bool({f"{noun}s", f"{noun}es", f"{noun[:-1]}ies"} & self._written.keys())

    @cached_property
    def years(self) -> list[int]:
        """The year of each item, from a column of years or the end of its title; 0 where none is told."""
        column = next((cells for name, cells in self._columns.items() if _YEAR_COLUMN.search(name)), None)
        if column is not None:
            return [int(cell[:4]) if _YEAR.fullmatch(cell[:4]) else 0 for cell in column]
        every = zip(*self._columns.values(), strict=True)
        ends = ([_YEAR_AT_END.search(cell) for cell in cells] for cells in every)
        return [next((int(found[1]) for found in items if found), 0) for items in ends]

    def is_name_in_texts(self, word: str) -> bool:
        """Tell whether running text writes a word with a capital nearly always."""
        capital, total = self._casing.get(word.casefold(), (0, 0))
        return total >= LEAST_SEEN and capital >= ALWAYS * total

    def is_always_capital(self, word: str) -> bool:
        """Tell whether the catalogue nowhere writes a word small."""
        seen = self._written.get(word.casefold(), Counter())
        return seen[True] >= LEAST_SEEN and not seen[False]

    def share(self, roots: Sequence[str], members: Sequence[int]) -> float:
        """Return the share of some items that use any of some words."""
        if not members:
            return 0.0
        using = set().union(*(self.items_of.get(one, set()) for one in roots)) if roots else set()
        return sum(row in using for row in members) / len(members)

    @cached_property
    def _space(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """A latent vector of each item, centred, of length one; and of each root."""
        count = len(self._roots)
        skipped = {root(word) for known in FUNCTION.values() for word in known}
        used = sorted(
            one for one, rows in self.items_of.items() if LEAST_ITEMS <= len(rows) <= count / 2 and one not in skipped
        )
        if len(used) <= LEAST_ITEMS or count <= LEAST_ITEMS + 1:
            return np.zeros((count, 1)), {}
        columns = {one: column for column, one in enumerate(used)}
        cells = [(row, columns[one]) for row, roots in enumerate(self._roots) for one in sorted(roots & columns.keys())]
        row, column = (np.array(part) for part in zip(*cells, strict=True))
        rarity = np.log(count / np.array([len(self.items_of[one]) for one in used]))
        counted = sp.csr_matrix((rarity[column], (row, column)), shape=(count, len(used)))
        learnt = counted[:: max(1, count // MOST_LEARNT)]
        # of few items only what many share: else each differs from every other by its own words
        size = min(DIMENSIONS, max(LEAST_ITEMS, count // ITEMS_PER_DIMENSION), min(learnt.shape) - 1)
        with threadpool_limits(1):  # matrices this thin are slower on more, and come out otherwise
            _, _, directions = svds(learnt, k=size, v0=np.ones(min(learnt.shape)))
        vectors = _unit(counted @ directions.T)
        centre = vectors.mean(axis=0)
        meant = dict(zip(used, _unit(_unit(directions.T * rarity[:, None]) - centre), strict=True))
        return _unit(vectors - centre), meant

    def likeness(self, members: Sequence[int]) -> float:
        """Return the mean cosine between the items of a group; about 0 of items drawn at random."""
        if len(members) < LEAST_ITEMS:
            return float("nan")
        vectors = self._space[0][list(members)]
        total, own = vectors.sum(axis=0), float((vectors**2).sum())
        return float((total @ total - own) / (len(members) * (len(members) - 1)))

    def likeness_to(self, row: int, members: Sequence[int]) -> float:
        """Return the mean cosine of an item with those of a group."""
        others = [member for member in members if member != row]
        return float((self._space[0][others] @ self._space[0][row]).mean()) if others else float("nan")

    def fit(self, roots: Sequence[str], members: Sequence[int]) -> float:
        """Return how much closer in meaning than the catalogue a group is to some words, in standard deviations."""
        items, meant = self._space
        known = [meant[one] for one in roots if one in meant]
        if not known or not members:
            return 0.0
        close = items @ np.mean(known, axis=0)
        spread = float(close.std())
        return float(close[list(members)].mean() - close.mean()) / spread if spread else 0.0


def _holds_values(cells: Sequence[str]) -> bool:
    """Tell whether a column holds values that items share, not texts."""
    filled = [cell for cell in cells if cell]
    parts = [part for cell in filled[:: max(1, len(filled) // 2000)] for part in cell.split("|")]
    short = sum(len(part.split()) <= VALUE_WORDS for part in parts) >= ALWAYS * len(parts)
    distinct = len(set(filled)) / max(1, len(filled))
    labels = short or all(len(cell) <= LABEL for cell in set(filled))
    return bool(filled) and labels and distinct <= (VALUES_SHARE if short else LONG_VALUES_SHARE)


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit.round(9)
