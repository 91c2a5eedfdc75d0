"""A resource as the store returns it, and the names of the types that operations pass on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

from personalize_nb.local.state.facts import Facts, JobFacts
from personalize_nb.local.state.kinds import Body, Own, ResourceKind

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

    from personalize_nb.local.state.facts import (
        DataFacts,
        InferenceFacts,
        RecommenderFacts,
        SolutionFacts,
        TransferFacts,
        Updatable,
        VersionFacts,
    )


@dataclass(frozen=True)
class Resource(Generic[Body, Own]):
    """One row; `body` is what Describe answers, `facts` what only the service knows."""

    id: int
    arn: str
    kind: ResourceKind[Body, Own]
    name: str
    group_arn: str | None
    parent_arn: str | None
    status: str | None
    failure_reason: str | None
    body: Body = field(repr=False)
    hidden: Mapping[str, Any] = field(repr=False)
    created: float = field(repr=False)
    updated: float = field(repr=False)
    progress: tuple[int, int] | None = None

    @cached_property
    def facts(self) -> Own:
        """Read when they are asked for: what only lists resources needs no facts."""
        return self.kind.facts.read(self.hidden)

    @property
    def label(self) -> str:
        """What tells this resource from each that had its name before it, for files and notes of its work."""
        return f"{self.arn} {self.created}"

    def described(self) -> dict[str, Any]:
        """Return the members an answer may show: the body, status, reason and dates."""
        answer: dict[str, Any] = {**self.body}
        if self.status is not None:
            answer["status"] = self.status
        if self.failure_reason is not None:
            answer["failureReason"] = self.failure_reason
        return answer | {"creationDateTime": self.created, "lastUpdatedDateTime": self.updated}


AnyResource = Resource[Mapping[str, Any], Facts]
JobResource = Resource[Mapping[str, Any], JobFacts]

if TYPE_CHECKING:
    GroupResource = Resource[shapes.DatasetGroupTypeDef, Facts]
    SchemaResource = Resource[shapes.DatasetSchemaTypeDef, Facts]
    DatasetResource = Resource[shapes.DatasetTypeDef, Updatable]
    ImportResource = Resource[shapes.DatasetImportJobTypeDef, TransferFacts]
    ExportResource = Resource[shapes.DatasetExportJobTypeDef, TransferFacts]
    DeletionResource = Resource[shapes.DataDeletionJobTypeDef, DataFacts]
    SolutionResource = Resource[shapes.SolutionTypeDef, SolutionFacts]
    VersionResource = Resource[shapes.SolutionVersionTypeDef, VersionFacts]
    CampaignResource = Resource[shapes.CampaignTypeDef, Updatable]
    RecommenderResource = Resource[shapes.RecommenderTypeDef, RecommenderFacts]
    TrackerResource = Resource[shapes.EventTrackerTypeDef, Facts]
    InferenceResource = Resource[shapes.BatchInferenceJobTypeDef, InferenceFacts]
    SegmentResource = Resource[shapes.BatchSegmentJobTypeDef, JobFacts]
