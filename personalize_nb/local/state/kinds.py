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


class Kind(str, Generic[Body, Own]):
    """The name of a kind; its type says what the body and the facts of such a resource are."""

    facts: type[Own]

    def __new__(cls, name: str, facts: type[Own]) -> Self:
        kind = super().__new__(cls, name)
        kind.facts = facts
        return kind


DATASET_GROUP: Kind[shapes.DatasetGroupTypeDef, Facts] = Kind("dataset_group", Facts)
SCHEMA: Kind[shapes.DatasetSchemaTypeDef, Facts] = Kind("schema", Facts)
DATASET: Kind[shapes.DatasetTypeDef, Updatable] = Kind("dataset", Updatable)
DATASET_IMPORT_JOB: Kind[shapes.DatasetImportJobTypeDef, TransferFacts] = Kind("dataset_import_job", TransferFacts)
DATASET_EXPORT_JOB: Kind[shapes.DatasetExportJobTypeDef, TransferFacts] = Kind("dataset_export_job", TransferFacts)
DATA_DELETION_JOB: Kind[shapes.DataDeletionJobTypeDef, DataFacts] = Kind("data_deletion_job", DataFacts)
SOLUTION: Kind[shapes.SolutionTypeDef, SolutionFacts] = Kind("solution", SolutionFacts)
SOLUTION_VERSION: Kind[shapes.SolutionVersionTypeDef, VersionFacts] = Kind("solution_version", VersionFacts)
FILTER: Kind[shapes.FilterTypeDef, Facts] = Kind("filter", Facts)
BATCH_INFERENCE_JOB: Kind[shapes.BatchInferenceJobTypeDef, InferenceFacts] = Kind("batch_inference_job", InferenceFacts)
BATCH_SEGMENT_JOB: Kind[shapes.BatchSegmentJobTypeDef, JobFacts] = Kind("batch_segment_job", JobFacts)
CAMPAIGN: Kind[shapes.CampaignTypeDef, Updatable] = Kind("campaign", Updatable)
RECOMMENDER: Kind[shapes.RecommenderTypeDef, RecommenderFacts] = Kind("recommender", RecommenderFacts)
EVENT_TRACKER: Kind[shapes.EventTrackerTypeDef, Facts] = Kind("event_tracker", Facts)
METRIC_ATTRIBUTION: Kind[shapes.MetricAttributionTypeDef, AttributionFacts] = Kind(
    "metric_attribution", AttributionFacts
)

AnyKind = Kind[Mapping[str, Any], Facts]

KINDS: dict[str, AnyKind] = {
    kind: kind
    for kind in (
        DATASET_GROUP,
        SCHEMA,
        DATASET,
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
