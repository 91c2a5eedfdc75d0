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

    References
    ----------
    Amazon Personalize: CreateBatchSegmentJob, DescribeBatchSegmentJob.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> job = pnb.attach("audience")
    >>> job.name, job.status, job.reader, job.attached
    ('audience', 'ACTIVE', '.segments()', "pnb.attach('batch-segment-job/audience')")
    >>> job.reference, job.request.num_results, job.describe()["jobName"]
    ('batch-segment-job/audience', 3, 'audience')
    >>> job.wait(progress=False).segments()[["item_id", "rank"]]
      item_id  rank
    0   b0001     1
    1   b0001     2
    2   b0001     3
    >>> len(job.errors()), job.results().answered
    (0, 1)

    In other forms, in parts, and again:

    >>> job.arrow().segments().num_rows, job.polars().segments().height
    (3, 3)
    >>> [len(frame) for frame in job.blocks()], len(job.only(ids=["b0001"]).segments())
    ([3], 3)
    >>> job.to_parquet("audience.parquet")
    'audience.parquet'
    >>> job.retry_failed().name  # no line failed
    'audience'
    >>> job.on_end(lambda job: None).join()
    True
    >>> job.repeat(num_results=2).wait(progress=False).segments()["rank"].max()
    np.int64(2)
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
        """Return the segments, a row per user, in input order.

        Parameters
        ----------
        items, columns
            As for `Results.segments`.

        Returns
        -------
        pandas.DataFrame
            Columns as of `Results.segments`: what was asked for, `rank` from 1, `user_id`.
        """
        return self.results().segments(items, columns)
