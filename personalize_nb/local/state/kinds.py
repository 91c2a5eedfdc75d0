"""The kinds of resources, by the names that rows, quotas and messages give them, with the types of what they hold.

The body of a resource is what Describe answers, in the shape that the API's model gives it; its facts are in `facts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from personalize_nb.local.state.facts import (
    AttributionFacts,
    DataFacts,
    Facts,
    InferenceFacts,
    JobFacts,
    RecommenderFacts,
    SolutionFacts,
    TransferFacts,
    Updatable,
    VersionFacts,
)

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

Body = TypeVar("Body", bound=Mapping[str, Any], covariant=True)
Own = TypeVar("Own", bound=Facts, covariant=True)


class ResourceKind(str, Generic[Body, Own]):
    """The name of a kind; its type says what the body and the facts of such a resource are."""

    facts: type[Own]

    def __new__(cls, name: str, facts: type[Own]) -> Self:
        kind = super().__new__(cls, name)
        kind.facts = facts
        return kind


DATASET_GROUP: ResourceKind[shapes.DatasetGroupTypeDef, Facts] = ResourceKind("dataset_group", Facts)
SCHEMA: ResourceKind[shapes.DatasetSchemaTypeDef, Facts] = ResourceKind("schema", Facts)
DATASET: ResourceKind[shapes.DatasetTypeDef, Updatable] = ResourceKind("dataset", Updatable)
# what an event tracker makes beside itself: described and deleted as a dataset, and never listed as one
EVENT_INTERACTIONS: ResourceKind[shapes.DatasetTypeDef, Facts] = ResourceKind("event_interactions_dataset", Facts)
DATASET_IMPORT_JOB: ResourceKind[shapes.DatasetImportJobTypeDef, TransferFacts] = ResourceKind(
    "dataset_import_job", TransferFacts
)
DATASET_EXPORT_JOB: ResourceKind[shapes.DatasetExportJobTypeDef, TransferFacts] = ResourceKind(
    "dataset_export_job", TransferFacts
)
DATA_DELETION_JOB: ResourceKind[shapes.DataDeletionJobTypeDef, DataFacts] = ResourceKind("data_deletion_job", DataFacts)
SOLUTION: ResourceKind[shapes.SolutionTypeDef, SolutionFacts] = ResourceKind("solution", SolutionFacts)
SOLUTION_VERSION: ResourceKind[shapes.SolutionVersionTypeDef, VersionFacts] = ResourceKind(
    "solution_version", VersionFacts
)
FILTER: ResourceKind[shapes.FilterTypeDef, Facts] = ResourceKind("filter", Facts)
BATCH_INFERENCE_JOB: ResourceKind[shapes.BatchInferenceJobTypeDef, InferenceFacts] = ResourceKind(
    "batch_inference_job", InferenceFacts
)
BATCH_SEGMENT_JOB: ResourceKind[shapes.BatchSegmentJobTypeDef, JobFacts] = ResourceKind("batch_segment_job", JobFacts)
CAMPAIGN: ResourceKind[shapes.CampaignTypeDef, Updatable] = ResourceKind("campaign", Updatable)
RECOMMENDER: ResourceKind[shapes.RecommenderTypeDef, RecommenderFacts] = ResourceKind("recommender", RecommenderFacts)
EVENT_TRACKER: ResourceKind[shapes.EventTrackerTypeDef, Facts] = ResourceKind("event_tracker", Facts)
METRIC_ATTRIBUTION: ResourceKind[shapes.MetricAttributionTypeDef, AttributionFacts] = ResourceKind(
    "metric_attribution", AttributionFacts
)

AnyKind = ResourceKind[Mapping[str, Any], Facts]

KINDS: dict[str, AnyKind] = {
    kind: kind
    for kind in (
        DATASET_GROUP,
        SCHEMA,
        DATASET,
        EVENT_INTERACTIONS,
        DATASET_IMPORT_JOB,
        DATASET_EXPORT_JOB,
        DATA_DELETION_JOB,
        SOLUTION,
        SOLUTION_VERSION,
        FILTER,
        BATCH_INFERENCE_JOB,
        BATCH_SEGMENT_JOB,
        CAMPAIGN,
        RECOMMENDER,
        EVENT_TRACKER,
        METRIC_ATTRIBUTION,
    )
}
