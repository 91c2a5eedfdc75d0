"""What each call of the Personalize API means: one file per resource family.

Importing this package registers every operation; `Control.call` runs them. What is done where the API's behaviour is
not documented is told in `personalize_nb.local.choices`. Local service, over floor 0.
"""

from __future__ import annotations

from personalize_nb.local.operations import (
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
from personalize_nb.local.operations.control import OPERATIONS, RECORDED, Control

FAMILIES = (
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

__all__ = ["FAMILIES", "OPERATIONS", "RECORDED", "Control"]
