"""Batch segment jobs: users for items or for attributes of items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from personalize_nb.contract import job_kinds
from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.jobs.repeatable import Repeatable
from personalize_nb.jobs.request import SegmentRequest
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.results.titles import Items


@public
class BatchSegmentJob(BatchJob, Repeatable):
    """A batch segment job, which `pnb.segments` starts; it lives on when this object or the kernel does not.

    Parameters
    ----------
    arn
        The job's ARN.
    session
        Where it runs.
    """

    kind = job_kinds.SEGMENTS

    @property
    def request(self) -> SegmentRequest:
        """The request that made the job; `pnb.start(job.request.replace(job_name=...))` runs it again."""
        return SegmentRequest.from_api(self.describe())

    @property
    def reader(self) -> str:
        """The method that reads what it wrote, as code."""
        return ".segments()"

    def segments(self, items: Items | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the segments, a row per user, in input order; see `Results.segments`."""
        return self.results().segments(items, columns)
