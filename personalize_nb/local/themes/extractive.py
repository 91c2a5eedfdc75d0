"""The default generator: themes made of the catalogue's own words, offline and the same on every machine.

A group's head is the category its items share beyond the catalogue's habit; its complement is a noun phrase that the
group's items use more than chance allows (log-odds), that lies close to the group in the latent space, and whose users
are alike across the whole catalogue, so that it means something. Where nothing passes, the theme says something plainer
that is true. Local service, themes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from . import grammar, statistics
from .generators import Evidence, Proposal, ThemeRequest
from .genres import is_subject
from .index import Index
from .phrases import NAME, SETTING, Phrase

MIN_Z = 2.0
WIDE_SHARE, WIDE_FIT = 0.25, 0.35  # either many items use the phrase and the group leans to it,
NARROW_SHARE, NARROW_FIT = 0.12, 0.7  # or some do and the group leans to it clearly
MIN_LIKENESS = 0.04
HEAD_SHARE, PAIR_SHARE, MIN_LIFT = 0.5, 0.4, 1.15
MAKER_SHARE = 0.6
SECOND_UTILITY, SECOND_SHARE = 0.6, 0.12
MAX_SUBJECTS, MAX_TEXTS = 6, 12
CERTAIN = 4.0  # the utility that counts as full confidence
FALLBACK_CONFIDENCE = 0.1
BLOCK = 512


@dataclass(frozen=True)
class _Subject:
    phrase: Phrase
    column: int
    utility: float
    users: frozenset[int]
    evidence: Evidence


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
        self._heads = np.array([not is_subject(name, medium) for name in index.category_names], dtype=bool)

    def generate(self, requests: Sequence[ThemeRequest]) -> Iterator[Proposal]:
        """Yield a proposal per request; counting is done for blocks of groups at once."""
        for start in range(0, len(requests), BLOCK):
            block = requests[start : start + BLOCK]
            groups = self._index.rows_of([request.items for request in block])
            counts, shares = (groups @ self._index.uses).tocsr(), (groups @ self._index.categories).toarray()
            for row, request in enumerate(block):
                members = groups.indices[groups.indptr[row] : groups.indptr[row + 1]]
                used = slice(counts.indptr[row], counts.indptr[row + 1])
                yield self._propose(request, members, counts.indices[used], counts.data[used], shares[row])

    def _propose(
        self, request: ThemeRequest, members: np.ndarray, columns: np.ndarray, counts: np.ndarray, values: np.ndarray
    ) -> Proposal:
        medium = self._index.catalogue.medium
        if not len(members):
            return Proposal((grammar.sentence_case(f"more {medium}"),), 0.0, (), "unknown items")
        heads = self._find_heads(values, len(members))
        subjects = self._find_subjects(members, columns, counts)
        texts, evidence = self._write(heads, subjects, members)
        plain = self._fall_back(heads, request, members)
        if texts:
            confidence = min(1.0, subjects[0].utility / CERTAIN) if subjects else MAKER_SHARE
            return Proposal(
                tuple(dict.fromkeys([*texts, *(text for text, _ in plain)])), round(confidence, 4), evidence
            )
        return Proposal(tuple(text for text, _ in plain), FALLBACK_CONFIDENCE, evidence, plain[0][1])

    def _find_heads(self, counts: np.ndarray, size: int) -> list[tuple[str, tuple[str, ...], float]]:
        """Return (noun, category values, share) of the heads that fit the group, best first; the medium is last."""
        index = self._index
        share = counts / size
        lift = share / np.maximum(self._base, 1e-9)
        fits = np.flatnonzero((share >= PAIR_SHARE) & (lift >= MIN_LIFT) & self._heads)
        worth = {c: share[c] ** 1.5 * np.log(1 / min(self._base[c], 0.95)) for c in fits}
        ranked = sorted(fits, key=lambda c: (-round(worth[c], 6), index.category_names[c]))
        found: list[tuple[str, tuple[str, ...], float]] = []
        for place, first in enumerate(ranked[:3]):
            for second in ranked[place + 1 : 4]:
                if share[first] + share[second] < HEAD_SHARE + PAIR_SHARE + 0.1:
                    continue
                noun = grammar.head((index.category_names[first], index.category_names[second]), index.catalogue.medium)
                if noun is not None:
                    both = (index.category_names[first], index.category_names[second])
                    found.append((noun, both, worth[first] + 0.7 * worth[second]))
        for only in ranked:
            noun = grammar.head((index.category_names[only],), index.catalogue.medium)
            if noun is not None and share[only] >= HEAD_SHARE:
                found.append((noun, (index.category_names[only],), worth[only]))
        found.sort(key=lambda head: (-round(head[2], 6), head[0]))
        return [*found, (index.catalogue.medium, (), 0.0)]

    def _find_subjects(self, members: np.ndarray, columns: np.ndarray, counts: np.ndarray) -> list[_Subject]:
        """Return the phrases that pass the gates, best first."""
        index, size = self._index, len(members)
        least = 3 if size >= 12 else 2
        keep = (counts >= max(least, NARROW_SHARE * size)) & (index.likeness[columns] >= MIN_LIKENESS)
        columns, counts = columns[keep], counts[keep]
        z = statistics.log_odds(counts, size, index.phrase_counts[columns], len(index.catalogue.items))
        centre = index.items[members].mean(axis=0)
        fit = ((index.directions[columns] @ centre - index.mean[columns]) / index.deviation[columns]).round(4)
        share = counts / size
        gate = (z >= MIN_Z) & (
            ((share >= WIDE_SHARE) & (fit >= WIDE_FIT)) | ((share >= NARROW_SHARE) & (fit >= NARROW_FIT))
        )
        columns, z, fit, share = columns[gate], z[gate], fit[gate], share[gate]
        near = (index.directions[columns] @ index.items[members].T >= index.high[columns, None]).mean(axis=1)
        utility = (np.sqrt(share) * fit * (1 + near) * (1 + np.sqrt(np.maximum(index.likeness[columns], 0)))).round(4)
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

    def _write(
        self, heads: list[tuple[str, tuple[str, ...], float]], subjects: list[_Subject], members: np.ndarray
    ) -> tuple[list[str], tuple[Evidence, ...]]:
        """Return the texts worth printing, best first, and the evidence of the best."""
        noun = heads[0][0]
        texts: list[str] = []
        maker = self._maker(noun, members)
        if maker is not None:
            texts.append(maker)
        for first in subjects:
            if first.phrase.slot == SETTING:
                texts.append(grammar.compose(noun, (), first.phrase))
                continue
            for second in subjects:
                if self._joins(first, second):
                    if second.phrase.slot == SETTING:
                        texts.append(grammar.compose(noun, [first.phrase], second.phrase))
                    else:
                        texts.append(grammar.compose(noun, [first.phrase, second.phrase]))
                    break
            texts.append(grammar.compose(noun, [first.phrase]))
        return texts[:MAX_TEXTS], tuple(subject.evidence for subject in subjects[:3])

    def _joins(self, first: _Subject, second: _Subject) -> bool:
        """Tell whether a second subject adds items of its own and reads well beside the first."""
        if second.utility < SECOND_UTILITY * first.utility or second is first or second.utility > first.utility:
            return False
        alike = first.phrase.person == second.phrase.person or second.phrase.slot == SETTING
        return alike and len(second.users - first.users) >= 2 and first.phrase.slot != NAME != second.phrase.slot

    def _maker(self, noun: str, members: np.ndarray) -> str | None:
        """Return "… by <maker>" when most of the group is one maker's work."""
        makers = [self._index.catalogue.items[row].maker for row in members]
        known = sorted({maker for maker in makers if maker})
        best = max(known, key=makers.count, default="")
        if not best or makers.count(best) < max(3, MAKER_SHARE * len(makers)):
            return None
        return grammar.sentence_case(f"{noun} by {best}")

    def _fall_back(
        self, heads: list[tuple[str, tuple[str, ...], float]], request: ThemeRequest, members: np.ndarray
    ) -> list[tuple[str, str]]:
        """Return plainer texts that are true, with the kind of each."""
        noun, medium = heads[0][0], self._index.catalogue.medium
        years = [self._index.catalogue.items[row].year for row in members]
        plain = [
            (grammar.from_period(noun, years), "period"),
            (grammar.for_fans(noun, request.seed_name), "fans"),
            (grammar.for_fans(medium, request.seed_name), "fans"),
            *((head[0], "head") for head in heads if " " in head[0]),
            (f"more {medium} like these", "head"),
        ]
        return [(grammar.sentence_case(text), kind) for text, kind in plain if text]


def _without_parts(found: list[_Subject]) -> list[_Subject]:
    """Drop a phrase that is part of a better one, or a better one's whole: "school" beside "high school"."""
    kept: list[_Subject] = []
    for subject in found:
        words = set(subject.phrase.key.split())
        if not any(words & set(other.phrase.key.split()) for other in kept):
            kept.append(subject)
    return kept
