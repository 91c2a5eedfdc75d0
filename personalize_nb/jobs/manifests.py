"""What is remembered of a run in S3, so that any kernel can go on with it: a small JSON file beside its input.

    runs/<name>/manifest.json  input/001.jsonl ...  output/001/001.jsonl.out ...

It is written after the whole input and before the first job. The state of the jobs is not in it: the service knows
that.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import SEGMENTS, JobKind
from personalize_nb.jobs.request import AnyRequest, JobRequest, SegmentRequest
from personalize_nb.session import s3
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import forget, going_on

if TYPE_CHECKING:
    pass

FOLDER, FILE = "runs", "manifest.json"
VERSION = 2
_CHANGED = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409")
_TRIES = 5
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
    refused
        Why its job could not be started; empty where nobody was refused it.
    """

    job_name: str
    input_path: str
    output_path: str
    records: int | None = None
    group: int = 0
    covers: tuple[str, ...] = ()
    refused: str = ""


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

    def retried(self, failed: Mapping[str, str], more: Sequence[RunPart]) -> Manifest:
        """Return the manifest with other names for jobs that failed, and with more jobs, as far as it lacks them."""
        there = set(self.job_names)
        parts = [
            replace(one, job_name=failed[one.job_name], refused="") if one.job_name in failed else one
            for one in self.parts
        ]
        return replace(self, parts=(*parts, *(one for one in more if one.job_name not in there)))

    def with_refused(self, reasons: Mapping[str, str]) -> Manifest:
        """Return the manifest with the reasons why jobs could not be started, by their names."""
        return replace(
            self, parts=tuple(replace(one, refused=reasons.get(one.job_name, one.refused)) for one in self.parts)
        )

    def _text(self) -> bytes:
        values = {
            "version": VERSION,
            "name": self.name,
            "kind": self.kind.resource,
            "groups": [{"labels": dict(one.labels), "request": one.request.to_api()} for one in self.groups],
            "parts": [asdict(one) for one in self.parts],
            "at_once": self.at_once,
            "created": self.created,
        }
        return json.dumps(values, indent=1).encode()

    @property
    def _noted(self) -> tuple[str, str]:
        return f"run {self.name!r}", f"pnb.attach({self.name!r})"

    def save(self, session: Session) -> None:
        """Write the manifest, in place of an earlier one."""
        with going_on(*self._noted):
            s3.upload(session, io.BytesIO(self._text()), address(session, self.name), self.request.input_kms_key_arn)

    def replaces(self, session: Session, tag: str) -> bool:
        """Write the manifest in place of the one that has this ETag; tell whether that was still there.

        Parameters
        ----------
        session
            Where to write it.
        tag
            Empty where there must be none.
        """
        where, key = address(session, self.name), self.request.input_kms_key_arn
        bucket, name = s3.split(where)
        shape = session.s3.meta.service_model.operation_model("PutObject").input_shape
        more: dict[str, Any] = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        if shape is None or not set(more) <= set(shape.members):  # of a botocore that is older than the condition
            self.save(session)
            return True
        more |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
        text = self._text()
        try:
            session.answer("PutObject", lambda: session.s3.put_object(Bucket=bucket, Key=name, Body=text, **more))
        except errors.PersonalizeError as error:
            if error.code in _CHANGED:
                return False
            if error.code != "NotImplemented":
                raise
            self.save(session)  # a store that speaks S3 without the condition
        return True

    def discard(self, session: Session) -> None:
        """Remove what a run that never began has stored, its input and this; what cannot be removed stays."""
        forget(self._noted[0])
        own = session.location(FOLDER, self.name) + "/"
        inputs = dict.fromkeys(one.input_path for one in self.parts if one.input_path.startswith(own))
        s3.delete(session, [*inputs, address(session, self.name)])


def label(number: int, count: int) -> str:
    """Return the name of the files of a part by its number from 0, of so many; labels sort as parts do."""
    return f"{number + 1:0{max(3, len(str(count)))}d}"


def new_job_names(run: str, count: int, token: str = "") -> tuple[str, ...]:
    """Return names that no job had before, but for a token that is given: one who bears such a name is of this run."""
    token, width = token or secrets.token_hex(_TOKEN // 2), max(3, len(str(count)))
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


def next_job_name(name: str, run: str = "") -> str:
    """Return the name of a job's next attempt: `x-001`, `x-001-r2`, `x-001-r3`.

    A name not ours gets a token as well: made for a run, the same from every kernel, else one never used.
    """
    if _LATER.fullmatch(name):
        base, _, attempt = name.rpartition("-r")
        return f"{base}-r{int(attempt) + 1}"
    if not _OF_RUN.fullmatch(name):
        token = token_of(f"{run}\n{name}") if run else secrets.token_hex(_TOKEN // 2)
        name = f"{name[: _longest_base(0)]}-{token}"
    return f"{name}-r2"


def token_of(text: str) -> str:
    """Return the token of names that are to be the same wherever they are made."""
    return hashlib.sha256(text.encode()).hexdigest()[:_TOKEN]


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


def changed(own: Manifest, session: Session, change: Callable[[Manifest], Manifest]) -> Manifest:
    """Change the manifest of a run as it is stored now, and return it; what others change meanwhile stays.

    Parameters
    ----------
    own
        What is changed where none is stored.
    session
        Where it is stored.
    change
        Returns the new one, and what it is given where nothing is to be changed.
    """
    where = address(session, own.name)
    for _ in range(_TRIES):
        # the tag first: of content that is newer than it, the writing is refused
        tag = _tag(session, where)
        there = _read(session, where) if tag else own
        new = change(there)
        if (tag and new.parts == there.parts) or new.replaces(session, tag):
            return new
    raise errors.ServiceError(f"Run {own.name!r} is being changed by others; try again in a moment.")


def _tag(session: Session, where: str) -> str:
    """Return the ETag of an object, empty where there is none."""
    bucket, key = s3.split(where)
    try:
        return str(session.answer("HeadObject", lambda: session.s3.head_object(Bucket=bucket, Key=key))["ETag"])
    except errors.NotFoundError:
        return ""


def names(session: Session) -> set[str]:
    """Return the names of all runs below the session's prefix, without reading their manifests."""
    found = s3.stored(session, session.location(FOLDER) + "/")
    return {one.address.rsplit("/", 2)[-2] for one in found if one.name == FILE}


def every(session: Session) -> Iterator[Manifest]:
    """Yield the manifests of all runs below the session's prefix; those that cannot be read are named and left out."""
    for found in s3.stored(session, session.location(FOLDER) + "/"):
        if found.name != FILE:
            continue
        try:
            yield _read(session, found.address)
        except (errors.InputError, errors.AccessError, errors.NotFoundError) as error:
            choose().say(f"run {found.address.rsplit('/', 2)[-2]!r} is left out: {error}")


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
