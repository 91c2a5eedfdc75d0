"""Which solution versions a form offers, in which order, and how each is called: what fits the input comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from personalize_nb.contract.recipes import recipe_of
from personalize_nb.jobs.request import KIND_OF_KEYS


@dataclass(frozen=True)
class Version:
    """An ACTIVE solution version that batch jobs take.

    Parameters
    ----------
    solution, recipe, created, arn
        What is told of it.
    newest
        Whether its solution has no newer one.
    """

    solution: str
    recipe: str
    created: datetime
    arn: str
    newest: bool

    @property
    def takes(self) -> str | None:
        """What its recipe takes: `users`, `items`, ...; None where nobody knows."""
        facts = recipe_of(self.recipe)
        return KIND_OF_KEYS.get(facts.input_keys) if facts else None

    def rank(self, kinds: Sequence[str]) -> int:
        """Return how well it fits an input that can be taken for these kinds, the likeliest first; 0 is best.

        Of ids without a name nobody knows whose they are, so that both kinds are as likely.
        """
        if not kinds or self.takes is None:
            return 0
        if self.takes not in kinds:
            return 2
        return 0 if self.takes == kinds[0] or "rankings" not in kinds else 1


def offered(versions: Sequence[Version], kinds: Sequence[str]) -> list[tuple[str, str]]:
    """Return label and ARN of each version: those that fit first, of these the newest of each solution, by date.

    Parameters
    ----------
    versions
        In any order.
    kinds
        What the input can be taken for; none where nobody knows.
    """
    ordered = sorted(versions, key=lambda one: one.created, reverse=True)
    ordered.sort(key=lambda one: (one.rank(kinds), not one.newest))
    labels = [_label(one, kinds) for one in ordered]
    return [
        (label if labels.count(label) == 1 else f"{label} [{one.arn.rsplit('/', 1)[-1]}]", one.arn)
        for label, one in zip(labels, ordered, strict=True)
    ]


def _label(one: Version, kinds: Sequence[str]) -> str:
    version = one.arn.rsplit("/", 1)[-1]
    name = one.solution if one.newest else f"{one.solution}/{version}"
    told = f"{name} ({one.recipe}, {one.created:%Y-%m-%d %H:%M}{'' if one.newest else ', older'})"
    return f"{told}: takes {one.takes}" if one.rank(kinds) == 2 else told
