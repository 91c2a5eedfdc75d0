"""Groups of similar items to be named, drawn apart from the theme generator: from what people liked and from texts.

Items and the vectors of their texts are read here, not taken from the generator's index, so that a generator cannot
look good by having drawn its own groups, and two generators are asked for the same ones.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

SIZE = 20
LEAST_LIKES = 5
DIMENSIONS = 96
FUNCTION_WORDS = frozenset(
    ["a", "an", "the", "of", "for", "with", "from", "in", "on", "at", "to", "by", "about", "set", "and", "or"]
    + ["as", "is", "are", "more", "like", "these", "fans", "s"]
)
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Item:
    """One item as the measures see it."""

    id: str
    name: str
    description: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Draw:
    """Input items, the twenty items most like each, and the twenty after them, which no generator sees."""

    seeds: list[str]
    groups: list[list[str]]
    later: list[list[str]]
    tags: dict[str, list[str]]


def stems(text: str) -> list[str]:
    """Return the content words of a text without their plural endings."""
    words = WORD.findall(text.lower().replace("'s", "").replace("’s", "").replace("-", " "))
    return [_stem(part) for word in words for part in _parted(word) if part not in FUNCTION_WORDS]


def _parted(word: str) -> list[str]:
    """Part what is written without spaces (Chinese, Japanese, Thai) into pairs of signs, as search engines do."""
    if word.isascii() or not UNSPACED.search(word):
        return [word]
    return [word[place : place + 2] for place in range(max(1, len(word) - 1))]


def _stem(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("es") and len(word) > 5 and word[-3] in "shx":
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def words_of(item: Item) -> Counter[str]:
    """Count the words of an item's name, description and categories."""
    return Counter(stems(" ".join((item.name, item.description, *item.categories))))


class Tastes:
    """Likeness between the items of a catalogue."""

    def __init__(self, items: tuple[Item, ...], likes: pd.DataFrame, tags: dict[str, list[str]]):
        self._items, self._tags = items, tags
        rows = {item.id: row for row, item in enumerate(items)}
        known = likes[likes.item.isin(list(rows))]
        users = {user: column for column, user in enumerate(sorted(known.user.unique()))}
        places = (known.item.map(rows).to_numpy(), known.user.map(users).to_numpy())
        liked = sp.csr_matrix((np.ones(len(known)), places), shape=(len(self._items), len(users))).sign()
        self._counts = np.asarray(liked.sum(axis=1)).ravel()
        self._liked = sp.diags(1 / np.sqrt(np.maximum(self._counts, 1))) @ liked
        self._texts: np.ndarray | None = None

    def drawing(self, text_share: float) -> Callable[[int, int], Draw]:
        """Return a function that draws so many groups with a seed; the texts' likeness counts `text_share`."""

        def draw(count: int, seed: int) -> Draw:
            pool = np.flatnonzero(self._counts >= (LEAST_LIKES if self._counts.any() else 0))
            picked = np.random.default_rng(seed).choice(pool, min(count, len(pool)), replace=False)
            close = self._closeness(picked, text_share)
            close[np.arange(len(picked)), picked] = -np.inf
            order = np.argsort(-close.round(9), axis=1, kind="stable")[:, : 2 * SIZE]
            named = [[self._items[row].id for row in places] for places in order]
            groups, later = [ids[:SIZE] for ids in named], [ids[SIZE:] for ids in named]
            return Draw([self._items[row].id for row in picked], groups, later, self._tags)

        return draw

    def _closeness(self, picked: np.ndarray, text_share: float) -> np.ndarray:
        close = np.zeros((len(picked), len(self._items)))
        if text_share < 1:
            together = (self._liked[picked] @ self._liked.T).toarray() * (self._counts / (self._counts + LEAST_LIKES))
            close += (1 - text_share) * together / np.maximum(together.max(axis=1, keepdims=True), 1e-9)
        if text_share > 0:
            if self._texts is None:
                self._texts = Meanings(self._items).vectors
            close += text_share * (self._texts[picked] @ self._texts.T)
        return close


class Meanings:
    """A latent space of the items' words, their categories counted twice, in which texts can be compared."""

    def __init__(self, items: tuple[Item, ...]):
        counted = [words_of(item) + Counter(stems(" ".join(item.categories))) for item in items]
        present = Counter(word for words in counted for word in words)
        chosen = sorted(word for word in present if present[word] > 1)
        self._columns = {word: place for place, word in enumerate(chosen)}
        self._rarity = np.log(len(items) / np.array([present[word] for word in chosen]))
        weighted = self._weigh(counted)
        with threadpool_limits(1):  # thin matrices are slower on more, and come out otherwise
            size = min(DIMENSIONS, min(weighted.shape) - 2)
            left, strength, right = svds(weighted, k=size, v0=np.ones(min(weighted.shape)))
        self.vectors = _unit(left * strength)
        self._directions = right

    def likeness(self, texts: Sequence[Sequence[str]]) -> np.ndarray:
        """Return texts x items: the cosine of each text's words with each item."""
        return _unit(self._weigh([Counter(words) for words in texts]) @ self._directions.T) @ self.vectors.T

    def _weigh(self, counted: Sequence[Counter[str]]) -> sp.csr_matrix:
        cells = [
            (row, self._columns[word], 1 + math.log(count))
            for row, words in enumerate(counted)
            for word, count in words.items()
            if word in self._columns
        ]
        row, column, value = (
            (np.array(part) for part in zip(*cells, strict=True)) if cells else (np.array([], int),) * 3
        )
        shape = (len(counted), len(self._columns))
        weighted = sp.csr_matrix((value * self._rarity[column], (row, column)), shape=shape)
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        return sp.diags(1 / np.maximum(lengths, 1e-9)) @ weighted


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths: np.ndarray = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-9)
