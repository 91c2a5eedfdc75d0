"""What each call of the Personalize API means: one file per resource family.

Importing this package registers every operation; `Control.call` runs them. Choices where the API's behaviour is
not documented are noted in the file of the family. Local service, over floor 0.
"""

from __future__ import annotations

from personalize_nb.local.operations import (
    batch_inference_jobs,
    dataset_groups,
    datasets,
    filters,
    import_jobs,
    recipes,
    schemas,
    solution_versions,
    solutions,
    tags,
)
from personalize_nb.local.operations.control import OPERATIONS, Control

FAMILIES = (
    batch_inference_jobs,
    dataset_groups,
    datasets,
    filters,
    import_jobs,
    recipes,
    schemas,
    solution_versions,
    solutions,
    tags,
)

__all__ = ["FAMILIES", "OPERATIONS", "Control"]
