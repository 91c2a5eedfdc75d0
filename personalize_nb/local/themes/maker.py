"""From groups of recommended items to printable themes: generate, check, keep apart, score, re-order.

The maker does not know how a generator writes; every text passes the same rules, and what fails them is replaced by
the default generator's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from personalize_nb.local.data.schema import ITEMS, TrainingData
from personalize_nb.local.themes.catalogue import name_columns, read_catalogue
from personalize_nb.local.themes.extractive import ExtractiveThemes
from personalize_nb.local.themes.generators import Draft, Evidence, Proposal, ThemeGenerator, ThemeRequest
from personalize_nb.local.themes.index import Index, load_or_build
from personalize_nb.local.themes.plugins import Guarded
from personalize_nb.local.themes.relevance import LOWEST, Relevance
from personalize_nb.local.themes.rules import MAX_CHARACTERS, one_line, problems
from personalize_nb.local.themes.validator import Validator

SAME_GROUP = 0.5  # groups that share this part of their items may share a theme
REMEMBERED = 50
MAX_JUDGED = 100_000
FALLBACK_CONFIDENCE = 0.1
LAST_RESORT = Draft("More to discover", "head")  # where not even a name keeps the rules of titles


def prepare(data: TrainingData, cache: Path) -> None:
    """Index the items for the jobs to come, by each column that they may call the items' names.

    A job that calls another one so, or finds the items changed, makes its own index.
    """
    schema = data.schemas.get(ITEMS)
    if data.items is None or schema is None or schema.textual is None:
        return
    for column in name_columns(schema):
        load_or_build(read_catalogue(data, column), cache)


@dataclass(frozen=True)
class Themed:
    """A theme, and the group's items re-ordered by how well they fit it."""

    theme: str
    items: list[str]
    scores: list[float]
    confidence: float
    evidence: tuple[Evidence, ...]
    fallback: str | None
    generator: str
    # why the chosen generator's text is not the one printed
    replaced: str | None = None


class ThemeMaker:
    """Makes themes for groups of items of one catalogue.

    Examples
    --------
    ::

        maker = ThemeMaker.build(data, "TITLE", root / "cache")
        maker.make(["40"], [["36", "50", "44"]])[0].theme
    """

    def __init__(self, index: Index, generator: ThemeGenerator | None = None):
        self._index = index
        self._default = ExtractiveThemes()
        self._default.prepare(index)
        self._generator: ThemeGenerator | None = None
        if generator is not None:
            self._generator = Guarded(generator)
            self._generator.prepare(index)
        self._validator = Validator(index)
        self._relevance = Relevance(index)
        self._judged: dict[str, bool] = {}

    @classmethod
    def build(
        cls,
        data: TrainingData,
        item_name: str,
        cache: Path,
        *,
        generator: ThemeGenerator | None = None,
        medium: str | None = None,
    ) -> ThemeMaker:
        """Index the items dataset, or read the index of an equal one from `cache`.

        Parameters
        ----------
        data
            The datasets of the group.
        item_name
            Column of the items' names.
        cache
            A folder that may keep indexes between jobs; made when needed.
        generator
            Writes the themes; by default the extractive one.
        medium
            Plural noun for the items ("movies"); by default read off the columns and texts.

        Raises
        ------
        WorkError
            The dataset has no items, no such name column or no textual column.
        """
        return cls(load_or_build(read_catalogue(data, item_name, medium), Path(cache)), generator)

    @property
    def index(self) -> Index:
        """The prepared catalogue."""
        return self._index

    def make(
        self,
        seeds: Sequence[str],
        groups: Sequence[Sequence[str]],
        beside: Sequence[tuple[str, Sequence[str]]] = (),
    ) -> list[Themed]:
        """Return one theme per group, in order.

        Parameters
        ----------
        seeds
            The input items.
        groups
            For each the recommended items, best first.
        beside
            Input items and groups of other files of the run, from whose themes these are kept apart. Whoever makes
            the themes of those files and has these beside chooses the same ones. A generator of another package is
            not asked for them.
        """
        if len(seeds) != len(groups):
            raise ValueError(f"{len(seeds)} seeds and {len(groups)} groups; give one group of items per seed")
        requests = [self._request(seed, group) for seed, group in zip(seeds, groups, strict=True)]
        proposals = self._proposals(requests)
        others = [self._request(seed, group) for seed, group in beside if self._generator is None]
        rivals = [self._checked(given) for given in self._default.generate(others)]
        drafts = _kept_apart([*requests, *others], [*(proposal for proposal, _ in proposals), *rivals])[: len(requests)]
        scored = self._relevance.score([draft.text for draft in drafts], self._index.rows_of(groups))
        return [
            self._themed(draft, request, proposal, writer, scores)
            for draft, request, (proposal, writer), scores in zip(drafts, requests, proposals, scored, strict=True)
        ]

    def _request(self, seed: str, group: Sequence[str]) -> ThemeRequest:
        rows = self._index.catalogue.rows
        name = self._index.catalogue.items[rows[seed]].name if seed in rows else ""
        return ThemeRequest(seed, name, tuple(group))

    def _proposals(self, requests: Sequence[ThemeRequest]) -> list[tuple[Proposal, str]]:
        """Ask the generator, keep the drafts that pass the rules, and ask the default where none does.

        A proposal of the default in place of another says in `problem` why.
        """
        if self._generator is None:
            return [(self._checked(given), self._default.name) for given in self._default.generate(requests)]
        asked = zip(requests, self._generator.generate(requests), strict=True)
        checked = [(self._validated(given, request), self._generator.name) for request, given in asked]
        lost = [row for row, (proposal, _) in enumerate(checked) if not proposal.drafts]
        for row, given in zip(lost, self._default.generate([requests[row] for row in lost]), strict=True):
            reason = checked[row][0].problem
            checked[row] = (replace(self._checked(given), problem=reason), self._default.name)
        return checked

    def _checked(self, given: Proposal) -> Proposal:
        tidy = [Draft(one_line(draft.text), draft.fallback) for draft in given.drafts]
        fit = tuple(draft for draft in tidy if self._may_stand(draft.text))
        return replace(given, drafts=fit or (LAST_RESORT,))

    def _may_stand(self, text: str) -> bool:
        """Tell whether a text of the default keeps the rules; alike groups propose the same ones again and again."""
        if text not in self._judged:
            if len(self._judged) >= MAX_JUDGED:
                self._judged.clear()
            self._judged[text] = not problems(text, self._index.catalogue.rows)
        return self._judged[text]

    def _validated(self, given: Proposal, request: ThemeRequest) -> Proposal:
        """Keep what may be printed of a proposal from outside; the first draft's problem is told when nothing may."""
        fit, reasons = [], []
        for draft in given.drafts:
            text = one_line(draft.text)
            found = self._validator.problems(text, request.items)
            if found:
                reasons.append(f"{text[:MAX_CHARACTERS]!r} {', '.join(found)}")
            else:
                fit.append(Draft(text, draft.fallback))
        problem = given.problem or (reasons[0] if reasons else "it proposed nothing")
        return replace(given, drafts=tuple(fit), problem="" if fit else problem)

    def _themed(
        self, draft: Draft, request: ThemeRequest, proposal: Proposal, writer: str, scores: np.ndarray
    ) -> Themed:
        """Order the items by score; ties keep the recommender's order, unknown items come last."""
        rows = self._index.catalogue.rows
        known = sorted({rows[item] for item in request.items if item in rows})
        by_row = dict(zip(known, scores.tolist(), strict=True))
        worth = [by_row.get(rows.get(item, -1), LOWEST) for item in request.items]
        order = sorted(range(len(worth)), key=lambda place: -worth[place])
        return Themed(
            theme=draft.text,
            items=[request.items[place] for place in order],
            scores=[worth[place] for place in order],
            confidence=min(proposal.confidence, FALLBACK_CONFIDENCE) if draft.fallback else proposal.confidence,
            evidence=proposal.evidence,
            fallback=draft.fallback,
            generator=writer,
            replaced=proposal.problem or None,
        )


def _kept_apart(requests: Sequence[ThemeRequest], proposals: Sequence[Proposal]) -> list[Draft]:
    """Choose a draft per group so that groups with different items do not bear the same theme.

    The surest group chooses first, of those that fall back the one with the fewest drafts; ties go by the input item,
    so the order of the job is nothing.
    """
    chosen = [proposal.drafts[0] for proposal in proposals]
    bearers: dict[str, list[frozenset[str]]] = defaultdict(list)

    def turn(row: int) -> tuple[bool, float, str]:
        first = proposals[row].drafts[0]
        left = len(proposals[row].drafts) if first.fallback else -proposals[row].confidence
        return first.fallback is not None, left, requests[row].seed_id

    for row in sorted(range(len(requests)), key=turn):  # of equal turns, equal groups may share a theme anyway
        group = frozenset(requests[row].items)
        for draft in proposals[row].drafts:
            if all(_same(group, other) for other in bearers[draft.text][-REMEMBERED:]):
                chosen[row] = draft
                break
        bearers[chosen[row].text].append(group)
    return chosen


def _same(left: frozenset[str], right: frozenset[str]) -> bool:
    return len(left & right) >= SAME_GROUP * len(left | right)
