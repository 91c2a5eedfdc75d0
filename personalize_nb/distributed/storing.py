"""Part files: which job each belongs to, and how a worker writes those of its partition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.distributed.checking import Checked, PartitionQuestion
from personalize_nb.inputs.batch import Batch
from personalize_nb.jobs import manifests
from personalize_nb.jobs.parts import InputLimits


@dataclass(frozen=True)
class PartFile:
    """One file of input.

    Parameters
    ----------
    partition
        The number of the partition that it is written from.
    records, size
        Lines and bytes, at most.
    job
        The number of the job that reads it.
    address
        Where it lies; empty until that is known.
    """

    partition: int
    records: int
    size: int
    job: int
    address: str = ""


def grouped(each: Sequence[Checked], mode: str, limit: InputLimits, *, alone: bool) -> list[PartFile]:
    """Return the files of all partitions, as many together in a job as the quotas allow, in the order of partitions.

    Parameters
    ----------
    each
        What is told of the partitions.
    mode
        The mode of the jobs.
    limit
        What a job takes.
    alone
        Whether the limit of a file is that of the job as well, as with themes: nobody says that a job takes several
        files of so many.
    """
    found: list[PartFile] = []
    job = size = files = records = 0
    for number, one in enumerate(each):
        for own_records, own_size in one.cuts:
            over = size + own_size > limit.max_bytes or files == limit.max_files
            if files and (over or (alone and records + own_records > limit.records(mode))):
                job, size, files, records = job + 1, 0, 0, 0
            found.append(PartFile(number, own_records, own_size, job))
            size, files, records = size + own_size, files + 1, records + own_records
    return found


def placed(files: Sequence[PartFile], folder: str) -> list[PartFile]:
    """Return the files with their addresses below a folder: one folder for each job, names that sort as they do."""
    jobs = files[-1].job + 1 if files else 0
    names = (f"part-{manifests.label(number, len(files))}.jsonl" for number in range(len(files)))
    return [
        replace(one, address=job_folder(folder, one.job, jobs) + name) for one, name in zip(files, names, strict=True)
    ]


def job_folder(folder: str, job: int, jobs: int) -> str:
    """Return the folder of a job's input."""
    return f"{folder}{manifests.label(job, jobs)}/"


def store(
    checked: Checked,
    files: Sequence[PartFile],
    without: np.ndarray | None,
    question: PartitionQuestion,
    kms_key_arn: str | None,
) -> list[int]:
    """Write the files of a partition, and return how many records each has; one without any is not written.

    Parameters
    ----------
    checked
        The partition.
    files
        Its files.
    without
        The records to leave out, as an earlier partition has them.
    question
        Says where.
    kms_key_arn
        The key that encrypts the files.
    """
    counts = []
    for file, table in zip(files, _tables(checked, files, without), strict=True):
        counts.append(table.num_rows)
        if table.num_rows:
            batch = Batch(checked.kind, table, pd.DataFrame())
            batch.upload(question.where.session(), file.address, kms_key_arn, question.limit.max_bytes)
    return counts


def _tables(checked: Checked, files: Sequence[PartFile], without: np.ndarray | None) -> Iterator[pa.Table]:
    table = checked.table
    if table is None:
        return
    kept = np.ones(table.num_rows, bool)
    if without is not None:
        kept[without] = False
    begin = 0
    for file in files:
        part = table.slice(begin, file.records)
        yield part if without is None else part.filter(pa.array(kept[begin : begin + file.records]))
        begin += file.records
