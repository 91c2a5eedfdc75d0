"""The quotas of Amazon Personalize that concern batch work, as one table.

Values from the developer guide's page on endpoints and quotas. A local user who needs more passes another table to
`Control`. Local service, over floor 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from personalize_nb.limits import ACTIVE, MAX_JOBS_IN_PROGRESS
from personalize_nb.local.lifecycle import UNFINISHED


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
        """Return the refusal in AWS's words."""
        if self.unfinished:
            return f"Cannot create a {noun}. More than {self.limit} resources with PENDING or IN_PROGRESS status."
        return (
            f"Cannot create a {noun}. More than {self.limit} resources in {ACTIVE} state. "
            "Please delete some and try again."
        )


QUOTAS: dict[str, Quota] = {
    "dataset_group": Quota(5),
    "schema": Quota(500),
    "dataset_import_job": Quota(MAX_JOBS_IN_PROGRESS, unfinished=True),
    "solution": Quota(10, per_group=True),
    "solution_version": Quota(20, unfinished=True),
    "filter": Quota(30, per_group=True),
    "batch_inference_job": Quota(MAX_JOBS_IN_PROGRESS, unfinished=True),
}
