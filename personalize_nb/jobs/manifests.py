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
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import SEGMENTS, JobKind
from personalize_nb.jobs.request import AnyRequest, JobRequest, SegmentRequest
from personalize_nb.session import s3
from personalize_nb.session.connection import current
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import pandas as pd

FOLDER, FILE = "runs", "manifest.json"
VERSION = 2
_TOKEN = 4  # characters
_OF_RUN = re.compile(rf"(?P<base>.*)-[0-9a-f]{{{_TOKEN}}}-(?P<number>\d{{3,}})(-r\d+)?")
_LATER = re.compile(rf".*-[0-9a-f]{{{_TOKEN}}}(-\d{{3,}})?-r\d+")


@dataclass(frozen=True)
class RunGroup:
    """What one question is: all its jobs are asked the same, of parts of one input.

    Parameters
    ----------
    request
        What every job is asked; its paths are the folders of all input and all output, or those of its only job.
    labels
        What tells its results from those of other groups: columns and their values.
    """

    request: AnyRequest
    labels: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class RunPart:
    """One job of a run.

    Parameters
    ----------
    job_name
        The job's name; of its last attempt where there were several.
    input_path, output_path
        Its own.
    records
        The number of its input lines, None where nobody has counted them.
    group
        The number of the group that it belongs to, from 0.
    covers
        Names of jobs whose failed lines are asked again by this one; none for a first part.
    """

    job_name: str
    input_path: str
    output_path: str
    records: int | None = None
    group: int = 0
    covers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """One run.

    Parameters
    ----------
    name
        The run's name.
    groups
        What is asked: one thing, or several side by side.
    parts
        The jobs, in the order of the groups and of their input.
    at_once
        The most jobs to have pending or in progress.
    created
        When the run was started, as ISO text.
    """

    name: str
    groups: tuple[RunGroup, ...]
    parts: tuple[RunPart, ...]
    at_once: int
    created: str

    @property
    def request(self) -> AnyRequest:
        """What every job is asked, of several groups the first; its name is the run's."""
        return self.groups[0].request.replace(job_name=self.name)

    @property
    def kind(self) -> JobKind:
        """The kind of its jobs, which all are of one."""
        return self.groups[0].request.job_kind

    @property
    def job_names(self) -> tuple[str, ...]:
        """The name of each part's job."""
        return tuple(one.job_name for one in self.parts)

    @property
    def records(self) -> int | None:
        """The number of input lines, None where nobody has counted them."""
        counts = [one.records for one in self.parts if not one.covers]
        return None if None in counts else sum(count or 0 for count in counts)

    @property
    def models(self) -> list[str]:
        """The ARNs of all solution versions."""
        return list(dict.fromkeys(one.request.solution_version_arn for one in self.groups))

    def part(self, part: int) -> AnyRequest:
        """Return the request of one part."""
        own = self.parts[part]
        request = self.groups[own.group].request
        return request.replace(job_name=own.job_name, input_path=own.input_path, output_path=own.output_path)

    def save(self, session: Session) -> None:
        """Write the manifest, in place of an earlier one."""
        values = {
            "version": VERSION,
            "name": self.name,
            "kind": self.kind.resource,
            "groups": [{"labels": dict(one.labels), "request": one.request.to_api()} for one in self.groups],
            "parts": [asdict(one) for one in self.parts],
            "at_once": self.at_once,
            "created": self.created,
        }
        text = io.BytesIO(json.dumps(values, indent=1).encode())
        s3.upload(session, text, address(session, self.name), self.request.input_kms_key_arn)

    def discard(self, session: Session) -> None:
        """Remove what a run that never began has stored, its input and this; what cannot be removed stays."""
        own = session.location(FOLDER, self.name) + "/"
        inputs = dict.fromkeys(one.input_path for one in self.parts if one.input_path.startswith(own))
        s3.delete(session, [*inputs, address(session, self.name)])


def label(number: int, count: int) -> str:
    """Return the name of the files of a part by its number from 0, of so many; labels sort as parts do."""
    return f"{number + 1:0{max(3, len(str(count)))}d}"


def new_job_names(run: str, count: int) -> tuple[str, ...]:
    """Return names that no job had before: a job that bears one is a job of this run."""
    token, width = secrets.token_hex(_TOKEN // 2), max(3, len(str(count)))
    base = run[: _longest_base(width)]
    return tuple(f"{base}-{token}-{number:0{width}d}" for number in range(1, count + 1))


def may_be_of(run: str, job_name: str) -> bool:
    """Tell whether a job's name is one that `new_job_names` and `next_job_name` give jobs of this run."""
    found = _OF_RUN.fullmatch(job_name)
    return found is not None and found["base"] == run[: _longest_base(len(found["number"]))]


def base_of(name: str) -> str:
    """Return the beginning of a name that says what it is about, without time, random characters and attempts.

    Examples
    --------
    >>> base_of("books-20261123-101502-ab12"), base_of("books-20261123-101502-ab12-7f3c-001-r2"), base_of("weekly")
    ('books', 'books', 'weekly')
    """
    return re.sub(rf"(-\d{{8}}-\d{{6}}-[0-9a-f]{{4}})?(-[0-9a-f]{{{_TOKEN}}}-\d{{3,}})?(-r\d+)?$", "", name) or name


def _longest_base(width: int) -> int:
    # besides the token there are two hyphens, and room for the mark of a later attempt
    return (limits.string_rule("Name").max_length or 0) - width - _TOKEN - 6


def next_job_name(name: str) -> str:
    """Return the name of a job's next attempt: `x-001`, `x-001-r2`, `x-001-r3`; of a name not ours, one never used."""
    if _LATER.fullmatch(name):
        base, _, attempt = name.rpartition("-r")
        return f"{base}-r{int(attempt) + 1}"
    if not _OF_RUN.fullmatch(name):
        name = f"{name[: _longest_base(0)]}-{secrets.token_hex(_TOKEN // 2)}"
    return f"{name}-r2"


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
            ", ".join(dict.fromkeys(arn.split(":solution/", 1)[-1].split("/", 1)[0] for arn in one.models)),
            one.records,
            len(one.parts),
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
        if values["version"] == 1:
            return _of_first_version(values)
        if values["version"] != VERSION:
            raise ValueError(f"version {values['version']}, known is {VERSION}; use a newer personalize_nb")
        shape = SegmentRequest if values.get("kind") == SEGMENTS.resource else JobRequest
        return Manifest(
            name=str(values["name"]),
            groups=tuple(RunGroup(shape.from_api(one["request"]), one["labels"]) for one in values["groups"]),
            parts=tuple(RunPart(**{**one, "covers": tuple(one["covers"])}) for one in values["parts"]),
            at_once=int(values["at_once"]),
            created=str(values["created"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise errors.InputError(f"{where} is not the manifest of a run: {error!r}") from error


def _of_first_version(values: Mapping[str, Any]) -> Manifest:
    """Read a manifest of the time when all jobs of a run were asked the same."""
    request, names = JobRequest.from_api(values["request"]), values["job_names"]
    parts = []
    for number, (name, records) in enumerate(zip(names, values["records"], strict=True)):
        own = label(number, len(names))
        parts.append(RunPart(name, f"{request.input_path}{own}.jsonl", f"{request.output_path}{own}/", records))
    run, at_once, created = request.job_name, int(values["at_once"]), str(values["created"])
    return Manifest(run, (RunGroup(request),), tuple(parts), at_once, created)
