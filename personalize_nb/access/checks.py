"""What the checks of a job share: the request, the session, and what was read already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from personalize_nb.access.account_reader import Reader
from personalize_nb.access.report import OK, UNCHECKED
from personalize_nb.access.subject import Subject
from personalize_nb.contract.policies.uses import Use, uses_of
from personalize_nb.contract.recipes import Recipe, recipe_of
from personalize_nb.errors import ERROR, WARNING
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.session.session import Session

# the worst first
LEVELS = (ERROR, WARNING, UNCHECKED, OK)


@dataclass
class Inspection:
    """A job under inspection.

    Parameters
    ----------
    subject
        The job that somebody means to start.
    session
        Where it would run.
    version
        The description of its solution version, as soon as it was read; empty where there is none.
    filter
        The description of its filter, likewise.
    input_listed
        Whether it was looked at what lies where the input is.
    refused
        The actions of which a call was refused to preflight itself.
    """

    subject: Subject
    session: Session
    version: Mapping[str, Any] = field(default_factory=dict)
    filter: Mapping[str, Any] = field(default_factory=dict)
    input_listed: bool = False
    refused: set[str] = field(default_factory=set)

    @property
    def request(self) -> AnyRequest:
        """What would be sent."""
        return self.subject.request

    @cached_property
    def reader(self) -> Reader:
        """What reads the account, each thing once."""
        return Reader(self.session)

    @cached_property
    def uses(self) -> list[Use]:
        """The locations that the job reads and writes."""
        return [use for use in uses_of(self.request.to_api()) if use.bucket]

    @property
    def recipe(self) -> str | None:
        """The recipe's name, where the solution version tells it."""
        return self.version["recipeArn"].rsplit("/", 1)[-1] if "recipeArn" in self.version else None

    @property
    def facts(self) -> Recipe | None:
        """What is known of the recipe."""
        return recipe_of(self.recipe) if self.recipe else None
