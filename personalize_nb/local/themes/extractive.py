"""The default generator: themes made of the catalogue's own words, offline and the same on every machine.

A group's head is the category its items share beyond the catalogue's habit; its complement is a noun phrase that the
group's items use more than chance allows (log-odds), that lies close to the group in the latent space, and whose users
are alike across the whole catalogue, so that it means something. Where nothing passes, the theme says something plainer
that is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import scipy.sparse as sp

from personalize_nb.local.themes import grammar
from personalize_nb.local.themes.generators import Draft, Proposal, ThemeRequest
from personalize_nb.local.themes.genres import TOLD_MEDIA
from personalize_nb.local.themes.goods import MOSTLY_SHARE, Goods, GoodsKind
from personalize_nb.local.themes.heads import Heads, ThemeHead
from personalize_nb.local.themes.index import Index
from personalize_nb.local.themes.languages import ENGLISH, write
from personalize_nb.local.themes.names import own_name
from personalize_nb.local.themes.subjects import Group, Subjects, ThemeSubject
from personalize_nb.local.themes.wording import Wordings

MAKER_SHARE, PERIOD_LIFT = 0.6, 1.6
MAX_EVIDENCE, MAX_DRAFTS = 3, 12
COHERENT, NEAR_SEED = 0.05, 0.2  # how alike a group's items are, and how near the input item is to them
CLEAR_WORTH, CLEAR_CONFIDENCE = 2.0, 0.3  # a head that sets a group apart by itself, and how sure that is
HALF_SURE = 10.0  # the utility that makes the generator half sure
BLOCK = 512
SURE = 0.8  # of a kind that all of a group is


class ExtractiveThemes:
    """Names groups with words of their own items; see the module's text for how."""

    name = "extractive-1"
    deterministic = True
    needs_network = False

    def prepare(self, index: Index) -> None:
        """Keep the index and what can be read off it once."""
        self._index = index
        self._heads, self._subjects = Heads(index), Subjects(index)
        self._told = index.catalogue.medium in TOLD_MEDIA and index.catalogue.language == ENGLISH
        self._goods = None if self._told else Goods(index)
        self._years = np.array([item.year for item in index.catalogue.items], dtype=np.int64)
        self._wordings = Wordings(index, self._heads)
        self._sorted_years = np.sort(self._years)

    def generate(self, requests: Sequence[ThemeRequest]) -> Iterator[Proposal]:
        """Yield a proposal per request; counting is done for blocks of groups at once."""
        index = self._index
        for start in range(0, len(requests), BLOCK):
            block = requests[start : start + BLOCK]
            groups = index.rows_of([(*request.items, request.seed_id) for request in block])
            sizes = np.maximum(np.diff(groups.indptr), 1)[:, None]
            centres = (groups @ index.items) / sizes
            counts, told = (groups @ index.uses).tocsr(), (groups @ index.told).tocsr()
            shares = (groups @ index.categories).toarray()
            for row, request in enumerate(block):
                members = groups.indices[groups.indptr[row] : groups.indptr[row + 1]]
                seed = index.catalogue.rows.get(request.seed_id)
                if self._goods is not None:
                    group = Group(members, centres[row], seed, ())
                    told_of = self._subjects.find(group, _row(counts, row), _row(told, row)) if index.phrases else []
                    share = shares[row] / max(len(members), 1)
                    yield self._propose_goods(self._goods, request, members, share, told_of)
                    continue
                heads = self._heads.find(shares[row], members)
                group = Group(members, centres[row], seed, heads[0].columns)
                subjects = self._subjects.find(group, _row(counts, row), _row(told, row))
                liked = self._is_liked(group)
                yield self._propose(request, members, shares[row], heads, subjects, liked=liked)

    def _propose(
        self,
        request: ThemeRequest,
        members: np.ndarray,
        shares: np.ndarray,
        heads: list[ThemeHead],
        subjects: list[ThemeSubject],
        *,
        liked: bool,
    ) -> Proposal:
        if not len(members):
            return Proposal((Draft(f"More {self._index.catalogue.medium}", "unknown items"),), 0.0)
        noun = heads[0].noun
        subjects = [subject for subject in subjects if not grammar.echoes(noun, subject.phrase)]
        made = self._maker(noun, members)
        written = self._wordings.write(heads, subjects, members, shares)
        texts = [Draft(text) for text in (*filter(None, [made]), *written)]
        own = self._kinds_of(request)
        fans = [head for head in heads if liked and own.issuperset(head.columns)]
        plain = self._fall_back(heads, own, fans, request, members, shares)
        evidence = [subject.evidence for subject in subjects]
        best = max((subject.utility for subject in subjects), default=0.0)
        confidence = best / (best + HALF_SURE) if subjects else MAKER_SHARE
        if heads[0].worth >= CLEAR_WORTH:  # what they are is thread enough
            clear = (grammar.for_fans(noun, request.seed_name) if heads[0] in fans else None) or (
                noun if " " in noun else None
            )
            texts.extend(Draft(grammar.sentence_case(text)) for text in (clear,) if text)
            evidence.extend(self._heads.evidence(heads[0], shares, len(members)))
            confidence = confidence if subjects else CLEAR_CONFIDENCE
        return Proposal(_first(chain(texts, plain)), round(confidence, 4), tuple(evidence[:MAX_EVIDENCE]))

    def _propose_goods(
        self,
        goods: Goods,
        request: ThemeRequest,
        members: np.ndarray,
        share: np.ndarray,
        subjects: Sequence[ThemeSubject],
    ) -> Proposal:
        """Name goods by what they are; what texts say of them comes after the first kind, and a mixed group last."""
        kinds = goods.kinds(share, members)
        wide = goods.wide(share)
        drafts = self._goods_drafts(goods, request, members, share, subjects, kinds, wide)
        best: Sequence[GoodsKind] = kinds or wide
        confidence = round(min(best[0].share, 1.0) * SURE, 4) if best else 0.0
        return Proposal(_first(drafts), confidence, goods.evidence(best))

    def _goods_drafts(
        self,
        goods: Goods,
        request: ThemeRequest,
        members: np.ndarray,
        share: np.ndarray,
        subjects: Sequence[ThemeSubject],
        kinds: Sequence[GoodsKind],
        wide: Sequence[GoodsKind],
    ) -> Iterator[Draft]:
        """Yield texts, best first; what a mixed group needs is not computed for others."""
        language = self._index.catalogue.language
        for kind in kinds:
            if kind.language == ENGLISH == language:
                yield from map(Draft, goods.told(kind, subjects, members))
            yield from map(Draft, goods.described(kind, share))
            yield Draft(kind.noun)
            yield from map(Draft, goods.made(kind, members))
            yield from map(Draft, goods.described(kind, share, MOSTLY_SHARE))
        for kind in wide:
            yield from map(Draft, (*goods.described(kind, share), kind.noun))
        for kind in goods.either(share, members):
            yield Draft(kind.noun, None if kinds or wide else "either")
        for kind in goods.thin(share):
            yield from (Draft(text, "head") for text in (*goods.described(kind, share), kind.noun))
        yield from (Draft(text, "name") for text in goods.named(request.seed_name, members))
        yield Draft(write(language, "more") or own_name(request.seed_name), "head")

    def _maker(self, noun: str, members: np.ndarray) -> str | None:
        """Return "… by <maker>" when most of the group is one maker's work."""
        makers = [self._index.catalogue.items[row].maker for row in members]
        known = sorted({maker for maker in makers if maker})
        best = max(known, key=makers.count, default="")
        if not best or makers.count(best) < max(3, MAKER_SHARE * len(makers)):
            return None
        return grammar.sentence_case(f"{noun} by {best}")

    def _periods(self, members: np.ndarray) -> tuple[list[str], list[str]]:
        """Return "the 1990s" and the like: those that set the group apart from the catalogue, and the others."""
        years = self._years[members]
        told: list[str] = []
        true: list[str] = []
        for text, first, end in grammar.periods_of(years.tolist()):
            before, after = np.searchsorted(self._sorted_years, (first, end))
            here = np.count_nonzero((years >= first) & (years < end)) / len(years)
            (told if here >= PERIOD_LIFT * (after - before) / len(self._years) else true).append(text)
        return told, true

    def _is_liked(self, group: Group) -> bool:
        """Tell whether a group coheres around its input item, so that "for fans of" it is true."""
        size = len(group.members)
        if group.seed is None or size < 2:
            return False
        length = float(group.centre @ group.centre)
        alike = (size * length - 1) / (size - 1)
        near = float(group.centre @ self._index.items[group.seed]) / max(length, 1e-9) ** 0.5
        return round(alike, 4) >= COHERENT and round(near, 4) >= NEAR_SEED

    def _kinds_of(self, request: ThemeRequest) -> frozenset[int]:
        """Return the category columns of the input item."""
        row = self._index.catalogue.rows.get(request.seed_id)
        if row is None:
            return frozenset()
        borne = self._index.categories
        return frozenset(borne.indices[borne.indptr[row] : borne.indptr[row + 1]].tolist())

    def _fall_back(
        self,
        heads: Sequence[ThemeHead],
        own: frozenset[int],
        fans: Sequence[ThemeHead],
        request: ThemeRequest,
        members: np.ndarray,
        shares: np.ndarray,
    ) -> Iterator[Draft]:
        """Yield plainer texts that are true, with the kind of each.

        `own` are the input item's categories, `fans` the heads that fit it in a group that coheres.
        """
        noun, medium, name = heads[0].noun, self._index.catalogue.medium, request.seed_name
        periods, true_periods = self._periods(members)
        named = [head.noun for head in heads if head.noun != medium]
        fits = [head.noun for head in fans if head.noun != medium]
        thin = self._heads.thin(shares, members, np.array(sorted(own))) if noun == medium and own else []
        if thin and fans:
            yield from _written("fans", grammar.for_fans(thin[0], name))
        dated = [f"{noun} from {period}" for period in periods]
        yield from _written("period", *(dated if named else ()))
        yield from _written("fans", *(grammar.for_fans(other, name) for other in fits))
        yield from _written("head", *(other for other in named if " " in other))
        either = self._heads.either(shares, members)
        if noun == medium:
            yield from _written("head", *either)
        yield from _written("period", *dated)
        yield from _written("fans", *(grammar.like(other, name) for other in fits))
        yield from _written("head", *named, *thin[:1], *either)
        yield from _written("period", *(f"{noun} from {period}" for period in true_periods))
        yield from _written("fans", grammar.for_fans(medium, name) if fans else None)
        yield from _written("head", *self._heads.thin(shares, members))
        # people who chose the input item did choose these; it is said last, where kinds agree and texts do not
        alike = (head for head in heads if head.worth and own.issuperset(head.columns))
        yield from _written("fans", *(grammar.for_fans(head.noun, name) for head in alike))
        yield from _written("fans", *(grammar.for_fans(kind, name) for kind in thin))
        yield Draft(f"{medium} to discover", "head")


def _written(kind: str, *texts: str | None) -> Iterator[Draft]:
    return (Draft(text, kind) for text in texts if text)


def _first(drafts: Iterable[Draft]) -> tuple[Draft, ...]:
    """Return the first different drafts in sentence case; the rest is not made."""
    found: dict[str, Draft] = {}
    for draft in drafts:
        text = grammar.sentence_case(draft.text)
        found.setdefault(text, Draft(text, draft.fallback))
        if len(found) == MAX_DRAFTS:
            break
    return tuple(found.values())


def _row(counts: sp.csr_matrix, row: int) -> np.ndarray:
    """Return one row of a sparse matrix as a plain array."""
    dense = np.zeros(counts.shape[1])
    inside = slice(counts.indptr[row], counts.indptr[row + 1])
    dense[counts.indices[inside]] = counts.data[inside]
    return dense
