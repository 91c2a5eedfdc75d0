"""What is remembered of a run in S3, so that any kernel can go on with it: a small JSON file beside its input.

    runs/<name>/manifest.json  input/001.jsonl ...  output/001/001.jsonl.out ...

It is written after the whole input and before the first job. The state of the jobs is not in it: the service knows
that.
"""

from __future__ import annotations

import io
import json
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs.request import JobRequest
from personalize_nb.session import s3
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import pandas as pd

FOLDER, FILE = "runs", "manifest.json"
VERSION = 1
_TOKEN = 4  # characters
_OF_RUN = re.compile(rf"(?P<base>.*)-[0-9a-f]{{{_TOKEN}}}-(?P<number>\d{{3,}})(-r\d+)?")


@dataclass(frozen=True)
class Manifest:
    """One run.

    Parameters
    ----------
    request
        What every job is asked; its name is the run's, its paths are the folders of all input and all output.
    job_names
        The name of each part's job.
    records
        The number of input lines of each part.
    at_once
        The most jobs to have pending or in progress.
    created
        When the run was started, as ISO text.
    """

    request: JobRequest
    job_names: tuple[str, ...]
    records: tuple[int, ...]
    at_once: int
    created: str

    @property
    def name(self) -> str:
        """The run's name."""
        return self.request.job_name

    @property
    def inputs(self) -> list[str]:
        """The address of each part's input."""
        return [self.part(number).input_path for number in range(len(self.records))]

    def label(self, part: int) -> str:
        """Return the name of a part's files; labels sort as parts do."""
        return f"{part + 1:0{max(3, len(str(len(self.records))))}d}"

    def part(self, part: int) -> JobRequest:
        """Return the request of one part."""
        label = self.label(part)
        return self.request.replace(
            job_name=self.job_names[part],
            input_path=f"{self.request.input_path}{label}.jsonl",
            output_path=f"{self.request.output_path}{label}/",
        )

    def files(self, session: Session, failed: Collection[str]) -> tuple[str | list[str], str | list[str]]:
        """Return where output and input lie: two folders; each file by its name for those who may not list them.

        Parameters
        ----------
        session
            Where they are.
        failed
            Names of jobs that have written nothing.
        """
        folders = self.request.output_path, self.request.input_path
        try:
            for folder in folders:
                s3.stored(session, folder)
        except errors.AccessError:
            parts = [self.part(number) for number in range(len(self.records))]
            done = [one for one in parts if one.job_name not in failed]
            return [f"{one.output_path}{one.input_path.rpartition('/')[2]}.out" for one in done], self.inputs
        return folders

    def save(self, session: Session) -> None:
        """Write the manifest, in place of an earlier one."""
        values = {
            "version": VERSION,
            "request": self.request.to_api(),
            "job_names": self.job_names,
            "records": self.records,
            "at_once": self.at_once,
            "created": self.created,
        }
        text = io.BytesIO(json.dumps(values, indent=1).encode())
        s3.upload(session, text, address(session, self.name), self.request.input_kms_key_arn)

    def discard(self, session: Session) -> None:
        """Remove what a run that never began has stored, its input and this; what cannot be removed stays."""
        s3.delete(session, [*self.inputs, address(session, self.name)])


def new_job_names(run: str, count: int) -> tuple[str, ...]:
    """Return names that no job had before: a job that bears one is a job of this run."""
    token, width = secrets.token_hex(_TOKEN // 2), max(3, len(str(count)))
    base = run[: _longest_base(width)]
    return tuple(f"{base}-{token}-{number:0{width}d}" for number in range(1, count + 1))


def may_be_of(run: str, job_name: str) -> bool:
    """Tell whether a job's name is one that `new_job_names` and `next_job_name` give jobs of this run."""
    found = _OF_RUN.fullmatch(job_name)
    return found is not None and found["base"] == run[: _longest_base(len(found["number"]))]


def _longest_base(width: int) -> int:
    # besides the token there are two hyphens, and room for the mark of a later attempt
    return (limits.string_rule("Name").max_length or 0) - width - _TOKEN - 6


def next_job_name(name: str) -> str:
    """Return the name of a job's next attempt: `x-001`, `x-001-r2`, `x-001-r3`."""
    base, mark, attempt = name.rpartition("-r")
    return f"{base}-r{int(attempt) + 1}" if mark and attempt.isdecimal() else f"{name}-r2"


def address(session: Session, name: str) -> str:
    """Return where the manifest of a run lies."""
    return session.location(FOLDER, name, FILE)


def find(session: Session, name: str) -> Manifest | None:
    """Return the manifest of a run, or None where there is none.

    Raises
    ------
    AccessError
        It may not be read. Without s3:ListBucket, S3 answers so where there is none as well.
    """
    if not session.bucket:
        return None
    try:
        return _read(session, address(session, name))
    except errors.NotFoundError:
        return None


def names(session: Session) -> set[str]:
    """Return the names of all runs below the session's prefix, without reading their manifests."""
    found = s3.stored(session, session.location(FOLDER) + "/")
    return {one.address.rsplit("/", 2)[-2] for one in found if one.name == FILE}


def every(session: Session) -> Iterator[Manifest]:
    """Yield the manifests of all runs below the session's prefix."""
    for found in s3.stored(session, session.location(FOLDER) + "/"):
        if found.name == FILE:
            yield _read(session, found.address)


def list_runs(session: Session | None = None) -> pd.DataFrame:
    """Return the runs below the session's prefix, newest first; `pnb.attach(name)` returns one.

    Returns
    -------
    pandas.DataFrame
        Columns `name`, `mode`, `solution`, `records`, `jobs`, `created`.
    """
    import pandas as pd

    rows = [
        (
            one.name,
            one.request.mode,
            one.request.solution_version_arn.split(":solution/", 1)[-1].split("/", 1)[0],
            sum(one.records),
            len(one.job_names),
            pd.Timestamp(one.created),
        )
        for one in every(current(session))
    ]
    frame = pd.DataFrame(rows, columns=["name", "mode", "solution", "records", "jobs", "created"])
    return frame.sort_values("created", ascending=False, kind="stable", ignore_index=True)


def _read(session: Session, where: str) -> Manifest:
    text = b"".join(s3.line_blocks(session, where))
    try:
        values = json.loads(text)
        if values["version"] != VERSION:
            raise ValueError(f"version {values['version']}, known is {VERSION}; use a newer personalize_nb")
        return Manifest(
            request=JobRequest.from_api(values["request"]),
            job_names=tuple(values["job_names"]),
            records=tuple(values["records"]),
            at_once=int(values["at_once"]),
            created=str(values["created"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise errors.InputError(f"{where} is not the manifest of a run: {error!r}") from error
