"""What makes a set of themes good, measured without the generator's own rules.

Retrieval: from the theme's text alone, BM25 must pick the right group among twenty, against random groups and against
the nineteen with the most similar categories, by the items the generator saw and by the twenty after them; by meaning,
a latent space of the texts must, in which synonyms count. Form: whether a text reads as a short noun phrase. Scores:
whether strangers planted into a group score below its own items. What a shop would publish is `published`'s.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.themes.groups import FUNCTION_WORDS, SIZE, Draw, Item, Meanings, stems, words_of
from personalize_nb.local.themes.maker import ThemeMaker

IN_RANDOM, IN_HARD = "in-group, random, %", "in-group, hard, %"
NEW_RANDOM, NEW_HARD = "unseen neighbours, random, %", "unseen neighbours, hard, %"
MEANT_RANDOM, MEANT_HARD = "unseen neighbours by meaning, random, %", "unseen neighbours by meaning, hard, %"
TAGS_RANDOM, TAGS_HARD = "user tags, random, %", "user tags, hard, %"
DUPLICATES = "duplicates per 100"
COVERAGE, BASE, LIFT = "coverage, %", "base rate, %", "lift"
FORM, FALLBACK = "form, %", "fallback, %"
AUC, OFF_THEME, ON_THEME = "score AUC", "strangers below 0.1, %", "own items from 0.1, %"
SPEED = "themes/s of CPU"

CHOICES, OVERLAP, SAME = 19, 0.2, 0.5
JOB = 100
STRANGERS, KEPT = 5, 15
THRESHOLD = 0.1

# how a theme may write a word that stands in a category or a tag
FORMS = {
    "romance": "romantic", "animation": "animated", "children": "family", "horror": "scary", "history": "historical",
    "psychology": "psychological", "philosophy": "philosophical", "religion": "religious", "humor": "humorous",
    "satire": "satirical", "drama": "dramatic", "mythology": "mythic", "myth": "mythic", "utopia": "utopian",
    "biography": "biographical",
}  # fmt: skip


class TextMeasures:
    """Measures texts for groups of one catalogue."""

    def __init__(self, items: tuple[Item, ...]):
        self._items, self._rows = items, {item.id: row for row, item in enumerate(items)}
        self._bm25 = BM25([words_of(item) + _forms(stems(" ".join(item.categories))) for item in items])
        self._meanings = Meanings(items)
        values = sorted({value for item in items for value in item.categories})
        columns = {value: column for column, value in enumerate(values)}
        self._kinds = np.zeros((len(items), max(1, len(values))), dtype=np.float32)
        for row, item in enumerate(items):
            self._kinds[row, [columns[value] for value in item.categories]] = 1
        self._shares = self._kinds.mean(axis=0)

    def figures(self, draw: Draw, texts: Sequence[str], seed: int) -> dict[str, float]:
        """Return every measure of texts alone."""
        read = [stems(text) for text in texts]
        scores = np.array([self._bm25.scores(words) for words in read])
        found = dict(zip((IN_RANDOM, IN_HARD), self._retrieved(draw, draw.groups, scores, seed), strict=True))
        found |= dict(zip((NEW_RANDOM, NEW_HARD), self._retrieved(draw, draw.later, scores, seed), strict=True))
        meant = self._meanings.likeness(read)
        found |= dict(zip((MEANT_RANDOM, MEANT_HARD), self._retrieved(draw, draw.later, meant, seed), strict=True))
        if draw.tags:
            tagged = [[item for item in group if item in draw.tags] for group in draw.groups]
            tagged_with = [stems(" ".join(draw.tags.get(item.id, ()))) for item in self._items]
            tags = BM25([Counter(words) + _forms(words) for words in tagged_with])
            by_tags = np.array([tags.scores(words) for words in read])
            found |= dict(zip((TAGS_RANDOM, TAGS_HARD), self._retrieved(draw, tagged, by_tags, seed), strict=True))
        found[DUPLICATES] = _duplicates(draw, texts)
        found |= self._coverage(draw, read)
        found[FORM] = 100 * float(np.mean([is_well_formed(text) for text in texts]))
        return found

    def _retrieved(
        self, draw: Draw, lists: Sequence[Sequence[str]], scores: np.ndarray, seed: int
    ) -> tuple[float, float]:
        """Return how often a theme picks its own list among twenty, random and hard, in percent."""
        rows = self._rows
        holds = np.zeros((len(lists), scores.shape[1]))
        profiles = np.array([self._kinds[[rows[item] for item in group]].mean(axis=0) for group in draw.groups])
        for place, items in enumerate(lists):
            holds[place, [rows[item] for item in items]] = 1 / max(len(items), 1)
        worth = scores @ holds.T
        profiles /= np.maximum(np.linalg.norm(profiles, axis=1, keepdims=True), 1e-9)
        alike, sets = profiles @ profiles.T, [set(group) for group in draw.groups]
        chance, random_hits, hard_hits = np.random.default_rng(seed), 0, 0
        for place, own in enumerate(sets):
            others = [b for b, other in enumerate(sets) if b != place and len(own & other) < OVERLAP * SIZE]
            drawn = chance.choice(others, min(CHOICES, len(others)), replace=False)
            closest = sorted(others, key=lambda other: -alike[place, other])[:CHOICES]
            random_hits += worth[place, place] > worth[place, drawn].max()
            hard_hits += worth[place, place] > worth[place, closest].max()
        return 100 * random_hits / len(sets), 100 * hard_hits / len(sets)

    def _coverage(self, draw: Draw, read: Sequence[Sequence[str]]) -> dict[str, float]:
        """Return how many items of its group a theme's word applies to, and of the catalogue."""
        rows, size = self._rows, len(self._items)
        inside, everywhere, lifts = [], [], []
        for group, words in zip(draw.groups, read, strict=True):
            own = {rows[item] for item in group}
            for word in sorted(set(words) & self._bm25.postings.keys()):
                bearers = self._bm25.postings[word].keys()
                share, base = len(own & bearers) / len(own), len(bearers) / size
                inside.append(share)
                everywhere.append(base)
                lifts.append(math.log(max(share, 0.5 / len(own)) / base))
        means = [100 * float(np.mean(inside)), 100 * float(np.mean(everywhere)), math.exp(float(np.mean(lifts)))]
        return dict(zip((COVERAGE, BASE, LIFT), means, strict=True))

    def planted(self, maker: ThemeMaker, draw: Draw, count: int, seed: int) -> dict[str, float]:
        """Plant items that share neither of a group's two main categories, and compare the scores."""
        chance, rows = np.random.default_rng(seed), self._rows
        names = [item.id for item in self._items]
        seeds: list[str] = []
        groups, strangers = [], []
        for seed_id, group in zip(draw.seeds[:count], draw.groups[:count], strict=True):
            places = [rows[item] for item in group]
            shares = self._kinds[places].mean(axis=0)
            # by what tells the group from the rest: every item of a shop may be of the season "Any"
            telling = shares**1.5 * np.log(1 / np.maximum(self._shares, 1e-9))
            main = np.argsort(-telling.round(9), kind="stable")[:2]
            others = np.setdiff1d(np.flatnonzero(self._kinds[:, main].sum(axis=1) == 0), places)
            if len(others) < STRANGERS:
                continue
            strange = [names[row] for row in chance.choice(others, STRANGERS, replace=False)]
            seeds.append(seed_id)
            groups.append([*group[:KEPT], *strange])
            strangers.append(set(strange))
        if not groups:
            return {}
        wins, own, strange = [], [], []
        for themed, planted in zip(maker.make(seeds, groups), strangers, strict=True):
            pairs = list(zip(themed.items, themed.scores, strict=True))
            inside = np.array([score for item, score in pairs if item not in planted])
            outside = np.array([score for item, score in pairs if item in planted])
            wins.append(np.mean((inside[:, None] > outside) + 0.5 * (inside[:, None] == outside)))
            own.extend(inside)
            strange.extend(outside)
        return {
            AUC: float(np.mean(wins)),
            OFF_THEME: 100 * float(np.mean(np.array(strange) < THRESHOLD)),
            ON_THEME: 100 * float(np.mean(np.array(own) >= THRESHOLD)),
        }


class BM25:
    """Okapi's ranking function over counted words."""

    def __init__(self, counted: Sequence[Mapping[str, int]]):
        self._lengths = np.array([sum(words.values()) for words in counted])
        self.postings: dict[str, dict[int, int]] = defaultdict(dict)
        for row, words in enumerate(counted):
            for word, count in words.items():
                self.postings[word][row] = count

    def scores(self, words: Sequence[str]) -> np.ndarray:
        """Return the score of every document."""
        size, usual = len(self._lengths), self._lengths.mean()
        found = np.zeros(size)
        for word in sorted(set(words) & self.postings.keys()):
            held = self.postings[word]
            rows, counts = np.array(list(held)), np.array(list(held.values()))
            rarity = math.log(1 + (size - len(held) + 0.5) / (len(held) + 0.5))
            found[rows] += rarity * counts * 2.2 / (counts + 1.2 * (0.25 + 0.75 * self._lengths[rows] / usual))
        return found


def _forms(words: Sequence[str]) -> Counter[str]:
    return Counter(FORMS[word] for word in words if word in FORMS)


def _duplicates(draw: Draw, texts: Sequence[str]) -> float:
    """Return how many groups of a job bear the text of a group with other items, per hundred."""
    shared = 0
    for start in range(0, len(texts), JOB):
        bearers: dict[str, list[set[str]]] = defaultdict(list)
        for text, group in zip(texts[start : start + JOB], draw.groups[start : start + JOB], strict=True):
            bearers[text].append(set(group))
        for sets in bearers.values():
            shared += sum(
                any(len(own & other) < SAME * len(own | other) for other in sets if other is not own) for own in sets
            )
    return 100 * shared / len(texts)


def is_well_formed(text: str) -> bool:
    """Tell whether a text has up to 8 words, at most 60 characters, and reads as a noun phrase without lists."""
    words = text.split()
    if not 1 <= len(words) <= 8 or len(text) > 60 or re.search(r"[,;:!?.]", text):
        return False
    if re.search(r"\d", re.sub(r"\d{4}s|\d\d(st|nd|rd|th) century", "", text)):
        return False
    content = list(stems(text))
    if len(set(content)) < len(content) or words[-1].lower() in FUNCTION_WORDS:
        return False
    runs = "".join(" " if word.lower() in FUNCTION_WORDS else "x" for word in words).split()
    return max(map(len, runs), default=0) <= 3
