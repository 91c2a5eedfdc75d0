"""Batch jobs for Dask DataFrames: partitions become part files in S3 on the workers, output a Dask DataFrame.

    import personalize_nb as pnb
    run = pnb.distributed.recommend(users, model)       # users: a Dask DataFrame
    lists = run.wait().recommendations()                # a Dask DataFrame, a partition for each part of the output
    pnb.distributed.evaluate(lists, truth).compute()

It needs the extra `distributed`. Any scheduler of Dask does; `distributed.Client(...)` chooses a cluster. A partition
goes the road of `checking`, `repeats` and `storing`; `asking` makes a run of all, whose `output` is read by partitions
and taken together by `measures`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personalize_nb.distributed.asking import recommend
from personalize_nb.distributed.measures import coverage, evaluate
from personalize_nb.distributed.output import DistributedRun, attach
from personalize_nb.text.public import no_attribute

__all__ = ["DistributedRun", "attach", "coverage", "evaluate", "recommend"]


if not TYPE_CHECKING:  # a type checker would take any name to be there

    def __getattr__(name):
        raise no_attribute("pnb.distributed", name, __all__)


def __dir__() -> list[str]:
    return __all__
