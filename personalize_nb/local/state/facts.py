"""What only the service knows of its resources, kind by kind: facts that its work needs and no answer shows.

In the JSON of a row they stand beside the members that Describe answers, under the same names in camel case with an
underscore before them (`_streamedTo`); here is the edge where the one becomes the other. Facts that have a default may
be missing in a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self, TypedDict, cast

from personalize_nb.local.state.versions import Replacement

if TYPE_CHECKING:
    from types_boto3_personalize.type_defs import MetricAttributeTypeDef


class TrialFacts(TypedDict):
    """One training of a search for hyperparameters; what is measured is in its name."""

    hyperParameters: dict[str, str]
    normalized_discounted_cumulative_gain_at_25: float


class FactChanges(TypedDict, total=False):
    """Facts that change after a resource is made; None removes one."""

    model: str
    former: str | None
    schemas: dict[str, str]
    streamed_to: int
    metrics: dict[str, float] | list[MetricAttributeTypeDef]
    trials: list[TrialFacts]
    update: Update | None


@dataclass(frozen=True)
class Changes:
    """What a resource gets: members of its body, where a value of None removes its key, and facts.

    `data` are the files that become those of datasets in the same commit.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    facts: FactChanges = field(default_factory=FactChanges)
    data: tuple[Replacement, ...] = ()

    def __or__(self, later: Changes) -> Changes:
        return Changes({**self.body, **later.body}, self.facts | later.facts, self.data + later.data)


@dataclass(frozen=True)
class Update:
    """An update under way: the member of Describe that shows it, and what the resource gets once it is done."""

    member: str
    changes: Changes


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Of kinds without facts of their own."""

    @classmethod
    def read(cls, hidden: Mapping[str, Any]) -> Self:
        """Return the facts of a row."""
        names = [known.name for known in fields(cls) if _key(known.name) in hidden]
        return cls(**{name: _READ.get(name, _same)(hidden[_key(name)]) for name in names})

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """Return the facts as they are after a change."""
        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class Updatable(Facts):
    """Of kinds that go on serving while they are updated."""

    update: Update | None = None


@dataclass(frozen=True, kw_only=True)
class InGroup(Facts):
    """`group` is the name of the dataset group, under which its files lie."""

    group: str


@dataclass(frozen=True, kw_only=True)
class TransferFacts(InGroup):
    """Of imports and exports: the type of the dataset and the text of its schema."""

    type: str
    schema: str


@dataclass(frozen=True, kw_only=True)
class DataFacts(InGroup):
    """`schemas` are the texts of the group's schemas by dataset type, as they were when the resource was made."""

    schemas: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ModelFacts(DataFacts):
    """Of what has or asks a model: its recipe, its name on disk, and the last event that its training saw."""

    recipe: str
    model: str
    streamed_to: int = 0


@dataclass(frozen=True, kw_only=True)
class SolutionFacts(InGroup, Updatable):
    """Settings that are checked and complete."""

    recipe: str
    hyperparameters: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class VersionFacts(ModelFacts):
    """Of a solution version; metrics, and trials of a search, are there after the training."""

    hyperparameters: dict[str, str]
    metrics: dict[str, float] | None = None
    trials: list[TrialFacts] | None = None


@dataclass(frozen=True, kw_only=True)
class RecommenderFacts(ModelFacts, Updatable):
    """Of a recommender; `former` is the model before the present one."""

    event_type: str | None = None
    former: str | None = None
    metrics: dict[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class JobFacts(ModelFacts):
    """Of a batch job: how many results it gives, and the text of its filter as it was when the job was made."""

    num_results: int
    filter_expression: str | None = None


@dataclass(frozen=True, kw_only=True)
class InferenceFacts(JobFacts):
    """Of a batch inference job; `mode` is said even when the request left it out."""

    mode: str


@dataclass(frozen=True, kw_only=True)
class AttributionFacts(Facts):
    """Of a metric attribution, whose metrics have a List operation of their own."""

    metrics: list[MetricAttributeTypeDef]


def facts_of(facts: Facts) -> dict[str, Any]:
    """Return facts by their names."""
    return {known.name: getattr(facts, known.name) for known in fields(facts)}


def to_row(body: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return body and facts, by their names, as one JSON object."""
    return {**body, **{_key(name): _written(value) for name, value in facts.items()}}


def from_row(row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the body, and what is hidden beside it, still under the row's names."""
    body = {key: value for key, value in row.items() if not key.startswith("_")}
    return body, {key: value for key, value in row.items() if key.startswith("_")}


def _key(name: str) -> str:
    first, *others = name.split("_")
    return f"_{first}" + "".join(word.capitalize() for word in others)


def _name(key: str) -> str:
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", key.removeprefix("_"))


def _written(value: Any) -> Any:
    if isinstance(value, Update):
        return {"member": value.member, "changes": to_row(value.changes.body, value.changes.facts)}
    return value


def _update(written: Mapping[str, Any]) -> Update:
    body, hidden = from_row(written["changes"])
    facts = cast(FactChanges, {_name(key): value for key, value in hidden.items()})
    return Update(written["member"], Changes(body, facts))


def _same(written: Any) -> Any:
    return written


# facts that are no plain JSON, and how they are read
_READ: dict[str, Callable[[Any], Any]] = {"update": _update}
