"""Which other inputs a theme job's themes are kept apart from: the other files of the job, and those of its run.

A run's jobs are named with a number at the end, and its input lies in one folder, a numbered file per job, all of it
stored before the first job begins. So every job can see what the others ask, and each chooses among the same themes in
the same way, whichever of them is done first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from personalize_nb.local.tasks import input_files

if TYPE_CHECKING:
    from personalize_nb.local.s3.store import ObjectStore

JOB_OF_RUN = re.compile(r".+-[0-9a-f]{4}-\d{3,}(-r\d+)?")
PART = re.compile(r"(?P<folder>(?:.*/)?)(?P<number>\d{3,})(?P<ending>\.jsonl?)")
FILES = 10  # that are kept apart together: what each costs is a proposal for each line of the others


def beside(objects: ObjectStore, bucket: str, keys: list[str], job_name: str) -> list[str]:
    """Return the keys of the input files from whose themes those of a job's files are kept apart, theirs among them.

    Parameters
    ----------
    objects
        Where the input is.
    bucket, keys
        The job's own input.
    job_name
        Its name, which tells whether it is of a run.
    """
    part = PART.fullmatch(keys[0]) if len(keys) == 1 else None
    if part is None or JOB_OF_RUN.fullmatch(job_name) is None:
        return keys[:FILES]
    found = input_files.at(objects, bucket, part["folder"]).sizes
    parts = sorted(key for key in found if (other := PART.fullmatch(key)) and other["folder"] == part["folder"])
    start = parts.index(keys[0]) // FILES * FILES  # the same ten for each of the ten
    return parts[start : start + FILES]
