"""How a group of goods is named: by its kind, deepest first, with whom it is for, its colour or what it is made of.

Goods are not about anything. A kind is a category value that says what its items are (`facets`), or the noun at the
end of their names; what most of the group is beyond the catalogue's habit comes first. A text is in one language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations

import numpy as np

from personalize_nb.local.themes import grammar
from personalize_nb.local.themes.catalogue import NEUTRAL_MEDIUM, PLACED
from personalize_nb.local.themes.facets import ATTRIBUTE, AUDIENCE, COLOUR, KIND, MATERIAL, PLACE, Facet
from personalize_nb.local.themes.generators import Evidence
from personalize_nb.local.themes.index import Index
from personalize_nb.local.themes.languages import ENGLISH, joined, write
from personalize_nb.local.themes.lexicon import PERSON, singular, word_class, word_list
from personalize_nb.local.themes.names import ROMANCE, is_quotable, kinds_in_name, own_name
from personalize_nb.local.themes.phrases import FOR, WITH
from personalize_nb.local.themes.subjects import ThemeSubject

ONE_SHARE, EITHER_SHARE, EITHER_COVER, THREE_COVER, MIN_LIFT = 0.6, 0.15, 0.75, 0.85, 1.15
DESCRIBED_SHARE, MOSTLY_SHARE, DESCRIBED_LIFT = 0.85, 0.65, 1.3  # of a group, for a word before or behind its kind
NAME_SHARE, NAME_QUALITY, LONG_NAME = 0.6, 0.85, 0.75
THIN_SHARE = 0.4
NESTED, HALF = 0.5, 0.5
DESCRIBING = (AUDIENCE, PLACE, MATERIAL, COLOUR)  # in this order
SAME_NAME = 0.3  # of a group's items that bear one name
MAX_KINDS, MAX_EVIDENCE = 4, 3
# what a thing is for: acts, animals, events, places, people; and what it comes with: things, food, stuff
TIED = {FOR: "bcimop", WITH: "dky"}
TOLD_TEXTS, TOLD_SHARE = 3, 0.4
ABSTRACT = frozenset("begijqstx")  # acts, attributes, thoughts, events, feelings, ...: what a medium's noun must follow


@dataclass(frozen=True)
class GoodsKind:
    """A plural noun phrase for what a group's items are, its category column (-1 for names), share, worth, language."""

    noun: str
    column: int
    share: float
    worth: float
    language: str


class Goods:
    """Names groups of the items of one catalogue that are sold and not told."""

    def __init__(self, index: Index):
        catalogue = index.catalogue
        self._index, self._medium, self._language = index, catalogue.medium, catalogue.language
        self._names = index.category_names
        self._facets = [catalogue.facets.get(name, Facet("rest")) for name in self._names]
        self._base = np.asarray(index.categories.mean(axis=0)).ravel()
        self._usual_share = DESCRIBED_LIFT * self._base
        self._describing = np.array(
            [place for place, facet in enumerate(self._facets) if facet.role in DESCRIBING], dtype=np.int64
        )
        self._makers = Counter(item.maker for item in catalogue.items)
        self._nested: dict[tuple[int, int], bool] = {}
        self._nouns = [self._noun_of(name, facet) for name, facet in zip(self._names, self._facets, strict=True)]
        self._is_kind = np.array([bool(noun) for noun in self._nouns], dtype=bool)
        self._quality = np.array([max(facet.quality, 0.3) for facet in self._facets])
        self._called = [kinds_in_name(item.name, catalogue.language, item.maker) for item in catalogue.items]
        if catalogue.language in ROMANCE:
            self._called = _sure_kinds(self._called, [noun for noun in self._nouns if noun])
        self._name_counts = Counter(kind for kinds in self._called for kind in kinds)

    def _noun_of(self, name: str, facet: Facet) -> str:
        """Return how a theme names items of a category, or "" where the category is no kind."""
        medium = self._medium
        if facet.role == KIND:
            last = facet.noun.rsplit(" ", 1)[-1].lower()
            abstract = word_class(singular(last)).kind in ABSTRACT and singular(last) == last
            if facet.language == ENGLISH and medium != NEUTRAL_MEDIUM and abstract and last != medium:
                return f"{facet.noun} {medium}"
            if medium == "jobs" and word_class(singular(last)).kind == PERSON:
                return f"{facet.noun[: -len(last)]}{singular(last)} jobs"
            return facet.noun
        if facet.role == ATTRIBUTE and medium != NEUTRAL_MEDIUM and facet.language == ENGLISH:
            return f"{name if name.split()[0].lower() in word_list('proper') else name.lower()} {medium}"
        return ""

    @cached_property
    def _bears(self) -> np.ndarray:
        return self._index.categories.toarray().astype(bool)

    def kinds(self, shares: np.ndarray, members: np.ndarray) -> list[GoodsKind]:
        """Return what most of a group is, best first.

        Parameters
        ----------
        shares
            The part of the group that bears each category.
        members
            The rows of its items.
        """
        found = [*self._called_kinds(members), *self._category_kinds(shares, ONE_SHARE, MIN_LIFT)]
        found.sort(key=lambda kind: (-round(kind.worth, 6), -kind.noun.count(" "), kind.noun))
        kept: list[GoodsKind] = []
        for kind in found:
            if all(kind.noun.lower() != other.noun.lower() for other in kept):
                kept.append(kind)
        return kept[:MAX_KINDS]

    def _category_kinds(self, shares: np.ndarray, least: float, lift: float = 0.0) -> list[GoodsKind]:
        columns = np.flatnonzero(self._is_kind & (shares >= least) & (shares >= lift * self._base))
        worth = shares[columns] ** 1.5 * -np.log(np.clip(self._base[columns], 1e-9, 0.95)) * self._quality[columns]
        return [
            GoodsKind(self._nouns[c], int(c), float(shares[c]), float(w), self._facets[c].language)
            for c, w in zip(columns, worth, strict=True)
        ]

    def _called_kinds(self, members: np.ndarray) -> list[GoodsKind]:
        """Return what the names of the group say; a name that many variants bear counts once."""
        items = self._index.catalogue.items
        by_name = {items[row].name: self._called[row] for row in members.tolist()}
        counts = Counter(kind for kinds in by_name.values() for kind in kinds)
        found = []
        total = len(self._called)
        for kind, count in counts.items():
            share = count / len(by_name)
            enough = share >= (LONG_NAME if " " in kind else NAME_SHARE) and self._name_counts[kind] > 1
            base = self._name_counts[kind] / total
            if enough and share >= MIN_LIFT * base:
                worth = share**1.5 * -np.log(min(max(base, 1e-9), 0.95)) * NAME_QUALITY
                found.append(GoodsKind(self._as_title(kind), -1, share, float(worth), self._language))
        return found

    def _as_title(self, kind: str) -> str:
        last = kind.rsplit(" ", 1)[-1]
        if self._medium == "jobs" and word_class(singular(last)).kind == PERSON:
            return f"{kind[: -len(last)]}{singular(last)} jobs"
        return kind

    def described(self, kind: GoodsKind, shares: np.ndarray, least: float = DESCRIBED_SHARE) -> Iterator[str]:
        """Yield a kind with what else nearly all of the group is: whom it is for, where, of what, in which colour."""
        columns = self._describing[(shares >= self._usual_share)[self._describing]]
        columns = columns[shares[columns] >= least]
        ranked = sorted(columns.tolist(), key=lambda c: (self._base[c], self._names[c]))
        if least < DESCRIBED_SHARE and " and " not in kind.noun and kind.language == ENGLISH == self._language:
            yield from self._in_two_colours(kind, shares)
        for role in DESCRIBING:
            for column in ranked:
                facet = self._facets[column]
                if facet.role == role and facet.language == kind.language == self._language:
                    text = self._with(kind.noun, self._names[column], facet)
                    if text:
                        yield text

    def made(self, kind: GoodsKind, members: np.ndarray) -> Iterator[str]:
        """Yield a kind with its maker, where nearly all of the group is of one and much of the catalogue is not."""
        if kind.language != self._language:
            return
        counts = Counter(maker for row in members.tolist() if (maker := self._index.catalogue.items[row].maker))
        best = min(counts, key=lambda maker: (-counts[maker], maker), default="")
        if best and counts[best] >= DESCRIBED_SHARE * len(members) and self._makers[best] < HALF * self._makers.total():
            text = (
                f"{kind.noun} by {best}" if self._language == ENGLISH else write(self._language, "by", kind.noun, best)
            )
            yield from filter(None, (text,))

    def told(self, kind: GoodsKind, subjects: Sequence[ThemeSubject], members: np.ndarray) -> Iterator[str]:
        """Yield a kind with what it is for or comes with, where different texts of much of the group say so."""
        items = self._index.catalogue.items
        for subject in subjects:
            last = subject.phrase.key.rsplit(" ", 1)[-1]
            if word_class(last).kind not in TIED.get(subject.phrase.link, ""):
                continue
            texts = {items[members[place]].description for place in subject.users}
            enough = len(texts) >= TOLD_TEXTS and len(subject.users) >= TOLD_SHARE * len(members)
            if enough and not grammar.echoes(kind.noun.lower(), subject.phrase):
                yield f"{kind.noun} {subject.phrase.link} {subject.phrase.text}"

    def _in_two_colours(self, kind: GoodsKind, shares: np.ndarray) -> Iterator[str]:
        columns = [c for c in np.flatnonzero(shares >= THIN_SHARE / 2) if self._facets[c].role == COLOUR]
        ranked = sorted(columns, key=lambda c: (-shares[c], self._names[c]))[:2]
        words = [self._facets[c].modifier for c in ranked]
        if len(words) == 2 and all(words) and shares[ranked].sum() >= DESCRIBED_SHARE:
            yield f"{words[0]} and {words[1]} {kind.noun}"

    def _with(self, noun: str, name: str, facet: Facet) -> str | None:
        if facet.language != ENGLISH:
            return (
                write(facet.language, "audience", noun, _inside(name, facet.language))
                if facet.role == AUDIENCE
                else None
            )
        if facet.role == PLACE:
            return f"{noun} {'in' if self._medium in PLACED else 'from'} {name}"
        bare = facet.modifier.replace("'s", "").replace("'", "")
        if not facet.modifier or {singular(bare), bare} & set(re.split(r"[\s'-]", noun.lower())):
            return None
        return f"{facet.modifier} {noun}" if " and " not in noun or facet.role == AUDIENCE else None

    def either(self, shares: np.ndarray, members: np.ndarray) -> list[GoodsKind]:
        """Return nouns for two or three kinds that nearly all of a group is one of, what covers it best first."""
        ranked = sorted(self._category_kinds(shares, EITHER_SHARE), key=lambda kind: (-round(kind.worth, 6), kind.noun))
        ranked = [kind for kind in ranked if " and " not in kind.noun and " & " not in kind.noun][: MAX_KINDS + 1]
        bears = self._bears[members][:, [kind.column for kind in ranked]]
        found = []
        for count in (2, 3):
            for chosen in combinations(range(len(ranked)), count):
                kinds = [ranked[place] for place in chosen]
                cover = float(bears[:, list(chosen)].any(axis=1).mean())
                if cover < (EITHER_COVER if count == 2 else THREE_COVER) or not self._apart(kinds):
                    continue
                kinds.sort(key=lambda kind: (-kind.share, kind.noun))
                language = kinds[0].language
                first = ", ".join([kinds[0].noun, *(_inside(kind.noun, language) for kind in kinds[1:-1])])
                noun = joined(language, first, _inside(kinds[-1].noun, language))
                found.append(GoodsKind(noun, -1, cover, sum(kind.worth for kind in kinds) / count, language))
        return sorted(found, key=lambda kind: (-round(kind.share * kind.worth, 6), kind.noun))

    def _apart(self, kinds: Sequence[GoodsKind]) -> bool:
        """Tell whether kinds are of one language, none in another one, and none echoes another."""
        return all(
            left.language == right.language and not self._nest(left, right) and not _overlap(left.noun, right.noun)
            for left, right in combinations(kinds, 2)
        )

    def _nest(self, first: GoodsKind, second: GoodsKind) -> bool:
        """Tell whether most items of the rarer kind are of the other one too."""
        pair = min(first.column, second.column), max(first.column, second.column)
        if pair not in self._nested:
            left, right = self._bears[:, pair[0]], self._bears[:, pair[1]]
            self._nested[pair] = bool((left & right).sum() > NESTED * min(left.sum(), right.sum()))
        return self._nested[pair]

    def thin(self, shares: np.ndarray) -> list[GoodsKind]:
        """Return the kinds that a good part of a group is, the commonest first: true of some, if not of most."""
        return sorted(self._category_kinds(shares, THIN_SHARE), key=lambda kind: (-kind.share, -kind.worth, kind.noun))

    def wide(self, shares: np.ndarray) -> list[GoodsKind]:
        """Return kinds that nearly all of the group is, though much of the catalogue is too."""
        columns = np.flatnonzero(self._is_kind & (shares >= EITHER_COVER))
        found = [GoodsKind(self._nouns[c], int(c), float(shares[c]), 0.0, self._facets[c].language) for c in columns]
        return sorted(found, key=lambda kind: (-kind.share, kind.noun))

    def evidence(self, kinds: Sequence[GoodsKind]) -> tuple[Evidence, ...]:
        """Return what speaks for the best kinds."""
        return tuple(
            _evidence_of(kind, float(self._base[kind.column]) if kind.column >= 0 else 0.0)
            for kind in kinds[:MAX_EVIDENCE]
        )

    def named(self, seed_name: str, members: np.ndarray) -> list[str]:
        """Return texts that name an item: the one whose variants the group has, else the input item."""
        items = self._index.catalogue.items
        counts = Counter(own_name(items[row].name) for row in members.tolist())
        seed_name = own_name(seed_name)
        best = min(counts, key=lambda name: (-counts[name], name), default="")
        texts = []
        if best and counts[best] >= max(2, SAME_NAME * len(members)) and is_quotable(best):
            texts.append(write(self._language, "name", best))
        if is_quotable(seed_name) and self._language == ENGLISH:
            texts.append(f"More like {seed_name}")
        elif is_quotable(seed_name):
            texts.append(write(self._language, "name", seed_name))
        return [text for text in texts if text]


def _sure_kinds(called: Sequence[tuple[str, ...]], nouns: Sequence[str]) -> list[tuple[str, ...]]:
    """Keep what names begin with where it is a noun of a category, or other names say "… de …" with it."""
    firsts = Counter(kinds[-1] for kinds in called if len(kinds) > 1)
    sure = {noun for noun, count in firsts.items() if count > 1} | {noun.split(" ")[0] for noun in nouns}
    return [kinds if kinds and kinds[-1] in sure else () for kinds in called]


def _evidence_of(kind: GoodsKind, base: float) -> Evidence:
    return Evidence(kind.noun, round(kind.share, 4), round(base, 4), 0.0)


def _inside(noun: str, language: str) -> str:
    """Return a value as it stands inside a title: Romance languages write nouns small, German does not."""
    first = noun.split(" ")[0]
    small = language in ("fr", "es", "pt", "it") and first[1:].islower()
    return noun[:1].lower() + noun[1:] if small else noun


@cache
def _overlap(left: str, right: str) -> bool:
    return bool(
        {singular(word)[:5] for word in left.lower().split()} & {singular(word)[:5] for word in right.lower().split()}
    )
