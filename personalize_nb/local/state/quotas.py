"""The quotas of Amazon Personalize on its resources and their data, as one table that a local user may raise.

Values from the developer guide's page on endpoints and quotas. Where a service starts with the environment variable
`PERSONALIZE_NB_QUOTAS`, for example `dataset_group=50,items_considered=100000`, those limits are used in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from personalize_nb.contract.limits import ACTIVE, MAX_EVENT_TYPES_AND_COLUMNS, MAX_JOBS_IN_PROGRESS
from personalize_nb.local.state.lifecycle import UNFINISHED

VARIABLE = "PERSONALIZE_NB_QUOTAS"


@dataclass(frozen=True)
class Quota:
    """How many resources of one kind may exist at once.

    Parameters
    ----------
    limit
        The number that is still allowed.
    per_group
        Counted within a dataset group, not within the account's region.
    unfinished
        Only work that is pending or in progress counts.
    """

    limit: int
    per_group: bool = False
    unfinished: bool = False

    @property
    def statuses(self) -> tuple[str, ...] | None:
        """The statuses that count; None counts schemas too, which have none."""
        return UNFINISHED if self.unfinished else None

    def message(self, noun: str) -> str:
        """Return the refusal in AWS's words, and what raises a quota here that does not pass by itself."""
        article = "an" if noun[0] in "aeiou" else "a"
        if self.unfinished:
            return (
                f"Cannot create {article} {noun}. More than {self.limit} resources with PENDING or IN_PROGRESS status."
            )
        return (
            f"Cannot create {article} {noun}. More than {self.limit} resources in {ACTIVE} state. "
            "Please delete some and try again. This local service allows more when it starts with, for example, "
            f"{VARIABLE}={noun.replace(' ', '_')}={10 * self.limit}."
        )


QUOTAS: dict[str, Quota] = {
    "dataset_group": Quota(5),
    "schema": Quota(500),
    "dataset_import_job": Quota(MAX_JOBS_IN_PROGRESS, unfinished=True),
    # the guide names no number for exports; as for imports
    "dataset_export_job": Quota(MAX_JOBS_IN_PROGRESS, unfinished=True),
    "data_deletion_job": Quota(5, per_group=True, unfinished=True),
    "solution": Quota(10, per_group=True),
    "solution_version": Quota(20, unfinished=True),
    "filter": Quota(30, per_group=True),
    "batch_inference_job": Quota(MAX_JOBS_IN_PROGRESS, unfinished=True),
    "batch_segment_job": Quota(MAX_JOBS_IN_PROGRESS, unfinished=True),
    "campaign": Quota(5, per_group=True),
    "recommender": Quota(5, per_group=True),
    "event_tracker": Quota(1, per_group=True),
    # the model allows a list of them; the guide speaks of one for a dataset group
    "metric_attribution": Quota(1, per_group=True),
}

# of the data of one dataset group, by what counts
DATA_QUOTAS: dict[str, int] = {
    # what a training reads; the recipes whose names end with -v2 have numbers of their own
    "interactions_considered": 500_000_000,
    "interactions_considered_v2": 3_000_000_000,
    "items_considered": 750_000,
    "items_considered_v2": 5_000_000,
    "items_considered_semantic": 10_000_000,
    # different event types together with the schema's metadata columns
    "event_types_and_columns": MAX_EVENT_TYPES_AND_COLUMNS,
}


def configured(environment: Mapping[str, str]) -> dict[str, Quota]:
    """Return Amazon's quotas on resources with the limits that the environment sets in place of its own.

    Raises
    ------
    ValueError
        The variable is not a list of `kind=number`.
    """
    given = _given(environment)
    return {kind: replace(quota, limit=given.get(kind, quota.limit)) for kind, quota in QUOTAS.items()}


def configured_data(environment: Mapping[str, str]) -> dict[str, int]:
    """Return Amazon's quotas on data, likewise."""
    given = _given(environment)
    return {kind: given.get(kind, limit) for kind, limit in DATA_QUOTAS.items()}


def _given(environment: Mapping[str, str]) -> dict[str, int]:
    limits = {}
    for entry in filter(None, environment.get(VARIABLE, "").replace(" ", "").split(",")):
        kind, _, number = entry.partition("=")
        if kind not in QUOTAS.keys() | DATA_QUOTAS.keys() or not number.isdecimal():
            raise ValueError(
                f"{VARIABLE} holds {entry!r}; legal are entries such as dataset_group=50, between commas, "
                f"with one of {', '.join([*QUOTAS, *DATA_QUOTAS])}"
            )
        limits[kind] = int(number)
    return limits
