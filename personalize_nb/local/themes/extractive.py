"""The default generator: themes made of the catalogue's own words, offline and the same on every machine.

A group's head is the category its items share beyond the catalogue's habit; its complement is a noun phrase that the
group's items use more than chance allows (log-odds), that lies close to the group in the latent space, and whose users
are alike across the whole catalogue, so that it means something. Where nothing passes, the theme says something plainer
that is true. Local service, themes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from . import grammar, statistics
from .generators import Draft, Evidence, Proposal, ThemeRequest
from .genres import TOLD_MEDIA, is_subject, kinds_in_name
from .index import Index
from .phrases import NAME, SETTING, SUBJECT, Phrase

MIN_Z = 2.0
WIDE_SHARE, WIDE_FIT = 0.25, 0.35  # either many items tell of the phrase and the group leans to it,
NARROW_SHARE, NARROW_FIT = 0.15, 0.6  # or some do and the group leans to it clearly,
MIN_SHARE = 0.1  # or few, and then the rest must speak for it all the more,
MIN_UTILITY, SCARCE_UTILITY = 0.3, 0.9  # so that all in all it would convince a reader
SHARE_POWER = 0.2  # how much it counts that many items use the word, or one that says nearly the same
MIN_LIKENESS = 0.04
HEAD_SHARE, PAIR_SHARE, BOTH_SHARE, MIN_LIFT = 0.5, 0.4, 1.0, 1.15
SECOND_HEAD = 0.7  # what the second category of a pair adds
MAKER_SHARE, PERIOD_LIFT = 0.6, 1.6
SECOND_UTILITY, NEAR_COSINE = 0.5, 0.1
MAX_SUBJECTS, MAX_EVIDENCE, MAX_TEXTS = 6, 3, 8
OTHER_HEAD = 0.4
ALTERNATIVE = 0.3  # a subject this far below the best is not worth keeping themes apart for
KIND_SHARE, LONG_KIND = 0.4, 0.6
MIN_SETTING_SHARE = 0.2
CERTAIN = 5.0  # the utility that counts as full confidence
BLOCK = 512


@dataclass(frozen=True)
class _Subject:
    phrase: Phrase
    column: int
    utility: float
    users: frozenset[int]
    evidence: Evidence


@dataclass(frozen=True)
class _Head:
    noun: str
    values: tuple[str, ...]
    worth: float


class ExtractiveThemes:
    """Names groups with words of their own items; see the module's text for how."""

    name = "extractive-1"
    deterministic = True
    needs_network = False

    def prepare(self, index: Index) -> None:
        """Keep the index and what can be read off it once."""
        self._index = index
        medium = index.catalogue.medium
        self._base = np.asarray(index.categories.mean(axis=0)).ravel()
        self._is_subject = np.array([phrase.slot == SUBJECT for phrase in index.phrases], dtype=bool)
        self._is_setting = np.array([phrase.slot == SETTING for phrase in index.phrases], dtype=bool)
        told = medium in TOLD_MEDIA
        self._kinds = [() if told else kinds_in_name(item.name) for item in index.catalogue.items]
        self._years = np.array([item.year for item in index.catalogue.items], dtype=np.int64)
        self._heads = np.array([not is_subject(name, medium) for name in index.category_names], dtype=bool)

    def generate(self, requests: Sequence[ThemeRequest]) -> Iterator[Proposal]:
        """Yield a proposal per request; counting is done for blocks of groups at once."""
        for start in range(0, len(requests), BLOCK):
            block = requests[start : start + BLOCK]
            groups = self._index.rows_of([request.items for request in block])
            counts, told = (groups @ self._index.uses).tocsr(), (groups @ self._index.told).tocsr()
            shares = (groups @ self._index.categories).toarray()
            for row, request in enumerate(block):
                members = groups.indices[groups.indptr[row] : groups.indptr[row + 1]]
                heads = [*self._kind(members), *self._find_heads(shares[row], len(members))]
                subjects = self._find_subjects(members, _row(counts, row), _row(told, row))
                yield self._propose(request, members, heads, subjects)

    def _propose(
        self, request: ThemeRequest, members: np.ndarray, heads: list[_Head], subjects: list[_Subject]
    ) -> Proposal:
        if not len(members):
            return Proposal((Draft(f"More {self._index.catalogue.medium}", "unknown items"),), 0.0)
        noun = heads[0].noun
        subjects = [subject for subject in subjects if not grammar.echoes(noun, subject.phrase)]
        texts = [Draft(text) for text in self._write(heads, subjects, members)]
        plain = self._fall_back(heads, request, members)
        confidence = min(1.0, subjects[0].utility / CERTAIN) if subjects else MAKER_SHARE
        evidence = tuple(subject.evidence for subject in subjects[:MAX_EVIDENCE])
        return Proposal((*texts, *plain), round(confidence, 4), evidence)

    def _find_heads(self, counts: np.ndarray, size: int) -> list[_Head]:
        """Return the nouns that fit the group by its categories, best first; the medium itself is last."""
        index = self._index
        share = counts / max(size, 1)
        lift = share / np.maximum(self._base, 1e-9)
        fits = np.flatnonzero((share >= PAIR_SHARE) & (lift >= MIN_LIFT) & self._heads)
        worth = {c: share[c] ** 1.5 * np.log(1 / min(self._base[c], 0.95)) for c in fits}
        ranked = sorted(fits, key=lambda c: (-round(worth[c], 6), index.category_names[c]))
        found = []
        names, medium = index.category_names, index.catalogue.medium
        pairs = [(a, b) for place, a in enumerate(ranked[:3]) for b in ranked[place + 1 : 4]]
        for first, second in pairs:
            noun = grammar.head((names[first], names[second]), medium)
            if noun is not None and share[first] + share[second] >= BOTH_SHARE:
                found.append(_Head(noun, (names[first], names[second]), worth[first] + SECOND_HEAD * worth[second]))
        for only in ranked:
            noun = grammar.head((names[only],), medium)
            if noun is not None and share[only] >= HEAD_SHARE:
                found.append(_Head(noun, (names[only],), worth[only]))
        found.sort(key=lambda head: (-round(head.worth, 6), head.noun))
        return [*found, _Head(medium, (), 0.0)]

    def _kind(self, members: np.ndarray) -> list[_Head]:
        """Return what most of the group's names say the items are ("electric guitars"), for products."""
        counts = Counter(kind for row in members for kind in self._kinds[row])
        ranked = sorted(counts, key=lambda kind: (-counts[kind], kind))
        short = next((kind for kind in ranked if " " not in kind), None)
        if short is None or counts[short] < max(2, KIND_SHARE * len(members)):
            return []
        long = next((kind for kind in ranked if kind.endswith(f" {short}")), short)
        best = long if counts[long] >= LONG_KIND * counts[short] else short
        return [_Head(best, (), 1.0)]

    def _find_subjects(self, members: np.ndarray, uses: np.ndarray, told: np.ndarray) -> list[_Subject]:
        """Return the phrases that pass the gates, best first."""
        index, size = self._index, len(members)
        if not size:
            return []
        columns = np.flatnonzero((uses >= max(2, MIN_SHARE * size)) & (index.likeness >= MIN_LIKENESS))
        z = statistics.log_odds(told[columns], size, index.told_counts[columns], len(index.catalogue.items))
        centre = index.items[members].mean(axis=0)
        fit = ((index.directions[columns] @ centre - index.mean[columns]) / index.deviation[columns]).round(4)
        share, wide = uses[columns] / size, told[columns] / size
        gate = (z >= MIN_Z) & (wide >= MIN_SHARE) & (fit >= np.where(wide >= WIDE_SHARE, WIDE_FIT, NARROW_FIT))
        columns, fit, share, wide = columns[gate], fit[gate], share[gate], wide[gate]
        near = (index.directions[columns] @ index.items[members].T >= index.high[columns, None]).mean(axis=1)
        meaning = np.sqrt(np.maximum(index.likeness[columns], 0))
        utility = ((share * wide) ** SHARE_POWER * fit * (1 + near) * (1 + meaning)).round(4)
        convincing = utility >= np.where(wide >= NARROW_SHARE, MIN_UTILITY, SCARCE_UTILITY)
        keep = (convincing | self._is_subject[columns]) & ((share >= MIN_SETTING_SHARE) | ~self._is_setting[columns])
        columns, fit, share, utility = columns[keep], fit[keep], share[keep], utility[keep]
        order = sorted(range(len(columns)), key=lambda i: (-utility[i], index.phrases[columns[i]].key))
        users = index.uses[members].tocsc()
        total = len(index.catalogue.items)
        found = []
        for i in order[: 3 * MAX_SUBJECTS]:
            column = columns[i]
            bearing = frozenset(users.indices[users.indptr[column] : users.indptr[column + 1]].tolist())
            base = index.phrase_counts[column] / total
            evidence = Evidence(index.phrases[column].text, round(share[i], 4), round(base, 4), float(fit[i]))
            found.append(_Subject(index.phrases[column], int(column), float(utility[i]), bearing, evidence))
        return _without_parts(found)[:MAX_SUBJECTS]

    def _write(self, heads: list[_Head], subjects: list[_Subject], members: np.ndarray) -> list[str]:
        """Return the texts worth printing, best first."""
        noun = heads[0].noun
        texts = [self._maker(noun, members)]
        for first in subjects:
            if first.utility < ALTERNATIVE * subjects[0].utility:
                break
            if first.phrase.slot == SETTING:
                texts.append(grammar.compose(noun, (), first.phrase))
                continue
            second = next((other for other in subjects if self._joins(first, other)), None)
            if second is not None and second.phrase.slot == SETTING:
                texts.append(grammar.compose(noun, [first.phrase], second.phrase))
            elif second is not None:
                texts.append(grammar.compose(noun, [first.phrase, second.phrase]))
            texts.append(grammar.compose(noun, [first.phrase]))
        for head in heads[1:]:  # other words for the same group, where its best theme is taken
            if head.worth >= OTHER_HEAD * heads[0].worth:
                texts.extend(
                    grammar.compose(
                        head.noun,
                        [] if subject.phrase.slot == SETTING else [subject.phrase],
                        subject.phrase if subject.phrase.slot == SETTING else None,
                    )
                    for subject in subjects[:2]
                    if not grammar.echoes(head.noun, subject.phrase)
                )
        return list(dict.fromkeys(text for text in texts if text))[:MAX_TEXTS]

    def _joins(self, first: _Subject, second: _Subject) -> bool:
        """Tell whether a second subject adds items of its own, belongs to the first and reads well beside it."""
        if second is first or not SECOND_UTILITY * first.utility <= second.utility <= first.utility:
            return False
        if len(second.users - first.users) < 2 or NAME in (first.phrase.slot, second.phrase.slot):
            return False
        near = float(self._index.directions[first.column] @ self._index.directions[second.column])
        if second.phrase.slot == SETTING:
            return True
        if first.phrase.link != second.phrase.link or " and " in first.phrase.text + second.phrase.text:
            return False
        return first.phrase.person == second.phrase.person and near >= NEAR_COSINE

    def _maker(self, noun: str, members: np.ndarray) -> str | None:
        """Return "… by <maker>" when most of the group is one maker's work."""
        makers = [self._index.catalogue.items[row].maker for row in members]
        known = sorted({maker for maker in makers if maker})
        best = max(known, key=makers.count, default="")
        if not best or makers.count(best) < max(3, MAKER_SHARE * len(makers)):
            return None
        return grammar.sentence_case(f"{noun} by {best}")

    def _period(self, noun: str, members: np.ndarray) -> str | None:
        """Return "… from the 1990s" when that sets the group apart from the catalogue."""
        found = grammar.period_of(self._years[members].tolist())
        if found is None:
            return None
        text, first, end = found
        usual = np.mean((self._years >= first) & (self._years < end))
        here = np.mean((self._years[members] >= first) & (self._years[members] < end))
        return f"{noun} from {text}" if here >= PERIOD_LIFT * usual else None

    def _fall_back(self, heads: list[_Head], request: ThemeRequest, members: np.ndarray) -> list[tuple[str, str]]:
        """Return plainer texts that are true, with the kind of each."""
        noun, medium = heads[0].noun, self._index.catalogue.medium
        name = request.seed_name
        plain = [
            (self._period(noun, members), "period"),
            (grammar.for_fans(noun, name), "fans"),
            (grammar.for_fans(medium, name), "fans"),
            (grammar.like(medium, name), "fans"),
        ]
        named = [(head.noun, "head") for head in heads if " " in head.noun]
        plain = [*plain, *named] if medium in TOLD_MEDIA else [*named, *plain]
        plain.append((f"more {medium} like these", "head"))
        return [Draft(grammar.sentence_case(text), kind) for text, kind in plain if text]


def _row(counts: sp.csr_matrix, row: int) -> np.ndarray:
    """Return one row of a sparse matrix as a plain array."""
    dense = np.zeros(counts.shape[1])
    inside = slice(counts.indptr[row], counts.indptr[row + 1])
    dense[counts.indices[inside]] = counts.data[inside]
    return dense


def _without_parts(found: list[_Subject]) -> list[_Subject]:
    """Drop a phrase that is part of a better one, or a better one's whole: "school" beside "high school"."""
    kept: list[_Subject] = []
    for subject in found:
        words = set(subject.phrase.key.split())
        if not any(words & set(other.phrase.key.split()) for other in kept):
            kept.append(subject)
    return kept
