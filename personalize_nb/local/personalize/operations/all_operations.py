"""Every operation of the Personalize API: importing this registers them, file by file."""

from __future__ import annotations

from personalize_nb.local.personalize.operations import (
    batch_inference_jobs,
    batch_segment_jobs,
    campaigns,
    data_deletion_jobs,
    dataset_groups,
    datasets,
    event_trackers,
    export_jobs,
    filters,
    import_jobs,
    metric_attributions,
    recipes,
    recommenders,
    schemas,
    solution_versions,
    solutions,
    tags,
)
from personalize_nb.local.personalize.operations.control import OPERATIONS, RECORDED, find_operation

MODULES = (
    batch_inference_jobs,
    batch_segment_jobs,
    campaigns,
    data_deletion_jobs,
    dataset_groups,
    datasets,
    event_trackers,
    export_jobs,
    filters,
    import_jobs,
    metric_attributions,
    recipes,
    recommenders,
    schemas,
    solution_versions,
    solutions,
    tags,
)

__all__ = ["MODULES", "OPERATIONS", "RECORDED", "find_operation"]
