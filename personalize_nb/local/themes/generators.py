"""What a generator of themes is: it is shown groups of items and proposes texts for each.

The maker checks every text, keeps themes of one job apart and scores the items, so a generator only has to write.
Packages that bring a generator import this, so nothing here is heavier than typing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from personalize_nb.local.themes.index import Index


@dataclass(frozen=True)
class ThemeRequest:
    """A group to be named: the input item and the items recommended for it, best first."""

    seed_id: str
    seed_name: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """Why a theme says what it says.

    `share` is the part of the group's items that use the phrase (or bear the category), `base` that part of the
    whole catalogue, `fit` how much closer the group is to the phrase than the catalogue, in standard deviations.
    """

    phrase: str
    share: float
    base: float
    fit: float


@dataclass(frozen=True)
class Draft:
    """One text a generator would print; `fallback` names the reason when it speaks of no common thread."""

    text: str
    fallback: str | None = None


@dataclass(frozen=True)
class Proposal:
    """Drafts for one group, best first; later ones may be printed to keep the themes of a job apart.

    `confidence` is between 0 and 1 and speaks of the drafts that are no fallback. `problem` says why there are none.
    """

    drafts: tuple[Draft, ...]
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    problem: str = ""


class ThemeGenerator(Protocol):
    """Writes themes. Implementations must be safe to use from one thread at a time."""

    name: str
    deterministic: bool
    needs_network: bool

    def prepare(self, index: Index) -> None:
        """Get ready for a catalogue; called once before `generate`."""

    def generate(self, requests: Sequence[ThemeRequest]) -> Iterator[Proposal]:
        """Yield one proposal per request, in order."""
