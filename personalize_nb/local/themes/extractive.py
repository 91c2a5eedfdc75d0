"""The default generator: themes made of the catalogue's own words, offline and the same on every machine.

A group's head is the category its items share beyond the catalogue's habit; its complement is a noun phrase that the
group's items use more than chance allows (log-odds), that lies close to the group in the latent space, and whose users
are alike across the whole catalogue, so that it means something. Where nothing passes, the theme says something plainer
that is true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse as sp

from personalize_nb.local.themes import grammar
from personalize_nb.local.themes.generators import Draft, Proposal, ThemeRequest
from personalize_nb.local.themes.genres import TOLD_MEDIA
from personalize_nb.local.themes.goods import Goods, Kind
from personalize_nb.local.themes.heads import Heads, ThemeHead
from personalize_nb.local.themes.index import Index
from personalize_nb.local.themes.languages import ENGLISH, write
from personalize_nb.local.themes.subjects import Group, Subjects, ThemeSubject
from personalize_nb.local.themes.wording import Wordings

MAKER_SHARE, PERIOD_LIFT = 0.6, 1.6
MAX_EVIDENCE = 3
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
                    yield self._propose_goods(self._goods, request, members, shares[row])
                    continue
                heads = self._heads.find(shares[row], members)
                group = Group(members, centres[row], seed, heads[0].columns)
                subjects = self._subjects.find(group, _row(counts, row), _row(told, row))
                yield self._propose(request, members, shares[row], heads, subjects)

    def _propose(
        self,
        request: ThemeRequest,
        members: np.ndarray,
        shares: np.ndarray,
        heads: list[ThemeHead],
        subjects: list[ThemeSubject],
    ) -> Proposal:
        if not len(members):
            return Proposal((Draft(f"More {self._index.catalogue.medium}", "unknown items"),), 0.0)
        noun = heads[0].noun
        subjects = [subject for subject in subjects if not grammar.echoes(noun, subject.phrase)]
        made = self._maker(noun, members)
        written = self._wordings.write(heads, subjects, members, shares)
        texts = [Draft(text) for text in (*filter(None, [made]), *written)]
        plain = self._fall_back(heads, request, members, shares)
        evidence = [subject.evidence for subject in subjects]
        best = max((subject.utility for subject in subjects), default=0.0)
        confidence = best / (best + HALF_SURE) if subjects else MAKER_SHARE
        if heads[0].worth >= CLEAR_WORTH:  # what they are is thread enough
            fans = grammar.for_fans(noun, request.seed_name) or (noun if " " in noun else None)
            texts.extend(Draft(grammar.sentence_case(text)) for text in (fans,) if text)
            evidence.extend(self._heads.evidence(heads[0], shares, len(members)))
            confidence = confidence if subjects else CLEAR_CONFIDENCE
        return Proposal((*texts, *plain), round(confidence, 4), tuple(evidence[:MAX_EVIDENCE]))

    def _propose_goods(self, goods: Goods, request: ThemeRequest, members: np.ndarray, shares: np.ndarray) -> Proposal:
        share = shares / max(len(members), 1)
        kinds = goods.kinds(share, members)
        either, thin, wide = goods.either(share, members), goods.thin(share), goods.wide(share)
        texts: list[Draft] = []
        for kind in kinds:
            texts += [Draft(text) for text in goods.described(kind, share)]
            texts.append(Draft(kind.noun))
        texts += [Draft(kind.noun, None if kinds else "either") for kind in either]
        broad = [*wide, *thin]
        for kind in broad:
            texts += [Draft(text, "head") for text in goods.described(kind, share)]
            texts.append(Draft(kind.noun, "head"))
        texts += [Draft(text, "name") for text in goods.named(request.seed_name, members)]
        language = self._index.catalogue.language
        texts.append(Draft(write(language, "more") or request.seed_name or "More like these", "head"))
        drafts = tuple(Draft(grammar.sentence_case(draft.text), draft.fallback) for draft in texts)
        best: Sequence[Kind] = kinds or either
        return Proposal(drafts, round(min(best[0].share, 1.0) * SURE, 4) if best else 0.0, goods.evidence(best, share))

    def _maker(self, noun: str, members: np.ndarray) -> str | None:
        """Return "… by <maker>" when most of the group is one maker's work."""
        makers = [self._index.catalogue.items[row].maker for row in members]
        known = sorted({maker for maker in makers if maker})
        best = max(known, key=makers.count, default="")
        if not best or makers.count(best) < max(3, MAKER_SHARE * len(makers)):
            return None
        return grammar.sentence_case(f"{noun} by {best}")

    def _period(self, members: np.ndarray) -> str | None:
        """Return "the 1990s" when that sets the group apart from the catalogue."""
        years = self._years[members]
        found = grammar.period_of(years.tolist())
        if found is None:
            return None
        text, first, end = found
        before, after = np.searchsorted(self._sorted_years, (first, end))
        here = np.count_nonzero((years >= first) & (years < end)) / len(years)
        return text if here >= PERIOD_LIFT * (after - before) / len(self._years) else None

    def _fall_back(
        self, heads: list[ThemeHead], request: ThemeRequest, members: np.ndarray, shares: np.ndarray
    ) -> list[Draft]:
        """Return plainer texts that are true, with the kind of each."""
        noun, medium = heads[0].noun, self._index.catalogue.medium
        name, seed = request.seed_name, self._index.catalogue.rows.get(request.seed_id)
        thin, period = None, self._period(members)
        dated = f"{noun} from {period}" if period else None
        if noun == medium and seed is not None:
            thin = next(iter(self._heads.thin(shares, members, self._index.categories[seed].indices)), None)
        named = [head.noun for head in heads if head.noun != medium]
        either = self._heads.either(shares, members) if noun == medium else []
        plain = [
            *((grammar.for_fans(kinds, name), "fans") for kinds in either),
            *((grammar.like(kinds, name), "fans") for kinds in either),
            (grammar.for_fans(thin, name) if thin else None, "fans"),
            (dated if named else None, "period"),
            *((grammar.for_fans(other, name), "fans") for other in named),
            *((other, "head") for other in named if " " in other),
            (grammar.for_fans(medium, name), "fans"),
            (grammar.like(medium, name), "fans"),
            (dated, "period"),
            (thin, "head"),
            *((kinds, "head") for kinds in either),
        ]
        if medium not in TOLD_MEDIA:
            plain = [*((other, "head") for other in named if " " in other), *plain]
        plain.append((f"more {medium} like these", "head"))
        return [Draft(grammar.sentence_case(text), kind) for text, kind in plain if text]


def _row(counts: sp.csr_matrix, row: int) -> np.ndarray:
    """Return one row of a sparse matrix as a plain array."""
    dense = np.zeros(counts.shape[1])
    inside = slice(counts.indptr[row], counts.indptr[row + 1])
    dense[counts.indices[inside]] = counts.data[inside]
    return dense
