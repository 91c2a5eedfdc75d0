"""Generators of themes by name: the ones shipped here and those that other packages bring.

A package offers a generator through the entry-point group `personalize_nb.theme_generators`: a function of options
and a folder for caches that returns a `ThemeGenerator`. Whatever it does at work, a job never fails for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from personalize_nb.local.themes.extractive import ExtractiveThemes
from personalize_nb.local.themes.generators import Draft, Evidence, Proposal, ThemeGenerator, ThemeRequest
from personalize_nb.local.themes.index import Index

GROUP = "personalize_nb.theme_generators"
DEFAULT = "extractive"

Factory = Callable[[Mapping[str, Any], Path], ThemeGenerator]

log = logging.getLogger(__name__)


def names() -> list[str]:
    """Return the names of all generators that are installed."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def make(name: str, options: Mapping[str, Any], cache: Path) -> ThemeGenerator:
    """Return a generator by name; it is not connected to anything yet.

    Parameters
    ----------
    name
        One of `names()`.
    options
        What the generator takes: a model, an address.
    cache
        A folder that it may keep answers in.

    Raises
    ------
    ValueError
        There is no such generator, it does not take these options, or the package that brings it is broken.
    """
    found = [entry for entry in entry_points(group=GROUP) if entry.name == name]
    if not found:
        raise ValueError(
            f"there is no generator of themes {name!r}; installed are {', '.join(names())}. Others come from packages "
            f"with an entry point in {GROUP}"
        )
    try:
        made: ThemeGenerator = found[0].load()(options, cache)
    except ValueError:
        raise
    except Exception as error:  # another package's code
        told = f"{type(error).__name__}: {error}"
        raise ValueError(f"the generator of themes {name!r} ({found[0].value}) cannot be loaded: {told}") from error
    missing = [
        part for part in ("name", "deterministic", "needs_network", "prepare", "generate") if not hasattr(made, part)
    ]
    if missing:
        raise ValueError(
            f"the generator of themes {name!r} ({found[0].value}) is no ThemeGenerator: it gave a "
            f"{type(made).__name__} without {', '.join(missing)}"
        )
    return made


def extractive(options: Mapping[str, Any], cache: Path) -> ThemeGenerator:
    """Return the default generator, which takes no options."""
    if options:
        raise ValueError(f"the generator {DEFAULT!r} takes no options, got {', '.join(map(repr, options))}")
    return ExtractiveThemes()


class Guarded:
    """A generator that cannot fail: what goes wrong in the one inside becomes the `problem` of its proposals."""

    def __init__(self, inner: ThemeGenerator):
        self._inner = inner
        self._broken = ""
        self.name, self.deterministic = inner.name, inner.deterministic
        self.needs_network = inner.needs_network

    def prepare(self, index: Index) -> None:
        """Prepare the generator inside; one that cannot be prepared is not asked later."""
        try:
            self._inner.prepare(index)
        except Exception as error:
            self._broken = self._told(error)

    def generate(self, requests: Sequence[ThemeRequest]) -> Iterator[Proposal]:
        """Yield one proposal per request, whatever the generator inside does."""
        given = 0
        if not self._broken:
            try:
                for proposal in self._inner.generate(requests):
                    if given == len(requests):
                        break
                    yield self._sound(proposal)
                    given += 1
            except Exception as error:
                self._broken = self._told(error)
        for _ in range(given, len(requests)):
            yield Proposal((), 0.0, problem=self._broken or f"{self.name} gave no answer")

    def _sound(self, given: object) -> Proposal:
        """Return a proposal as the maker may rely on it, or one that says what was given instead."""
        if not isinstance(given, Proposal):
            return Proposal((), 0.0, problem=f"{self.name} gave a {type(given).__name__} in place of a Proposal")
        drafts = tuple(given.drafts)
        if not all(isinstance(draft, Draft) and isinstance(draft.text, str) for draft in drafts):
            return Proposal((), 0.0, problem=f"{self.name} gave drafts that are no Draft with a text: {drafts!r:.200}")
        evidence = tuple(one for one in given.evidence if isinstance(one, Evidence))
        confidence = given.confidence if 0 <= given.confidence <= 1 else 0.0
        return replace(given, drafts=drafts, confidence=confidence, evidence=evidence)

    def _told(self, error: Exception) -> str:
        log.warning("the generator of themes %s failed", self.name, exc_info=error)
        return f"{self.name} failed: {type(error).__name__}: {error}"


class Absent:
    """Stands in for a generator that cannot be made: every group is left to the default, and the record says why."""

    deterministic, needs_network = True, False

    def __init__(self, name: str, problem: str):
        self.name, self._problem = name, problem

    def prepare(self, index: Index) -> None:
        """Nothing to prepare."""

    def generate(self, requests: Sequence[ThemeRequest]) -> Iterator[Proposal]:
        """Yield the reason for each request."""
        for _ in requests:
            yield Proposal((), 0.0, problem=self._problem)
