"""Batch jobs: start, attach by name or ARN, list."""

from __future__ import annotations

import re
import secrets
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import FrameType
from typing import TYPE_CHECKING, TypeAlias, overload

from personalize_nb import errors
from personalize_nb.contract import job_kinds
from personalize_nb.contract.job_kinds import JobKind
from personalize_nb.contract.parameters import THEME_GENERATION, named
from personalize_nb.errors import Problem
from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.jobs.outcomes import ItemsOutcome
from personalize_nb.jobs.repeatable import Repeatable
from personalize_nb.jobs.request import AnyRequest, JobRequest, SegmentRequest
from personalize_nb.jobs.rules import RequestContext, errors_of, problems
from personalize_nb.jobs.segment_job import BatchSegmentJob
from personalize_nb.session import creating, s3
from personalize_nb.session.connection import current
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    pass

KIND = job_kinds.INFERENCE.resource
_TOLERANCE = timedelta(seconds=60)  # between the clocks of AWS's machines
_LONGEST_NAME = 49  # of the names that we make: 63 are legal


@public
class BatchInferenceJob(BatchJob, ItemsOutcome, Repeatable):
    """A job of the service, found by its ARN; it lives on when this object or the kernel does not.

    Parameters
    ----------
    arn
        The job's ARN.
    session
        Where it runs.

    References
    ----------
    Amazon Personalize: CreateBatchInferenceJob, DescribeBatchInferenceJob.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> job = pnb.attach("weekly")
    >>> job.name, job.status, job.reader, job.attached
    ('weekly', 'ACTIVE', '.recommendations(items=...)', "pnb.attach('weekly')")
    >>> job.reference, job.request.num_results, job.describe()["jobName"]
    ('weekly', 2, 'weekly')
    >>> job.wait(progress=False).recommendations()
      user_id  rank item_id     score
    0  r01349     1   b0433  0.01...
    1  r01349     2   b0328  0.01...
    2  r00469     1   b0283  0.01...
    3  r00469     2   b0414  0.01...
    >>> len(job.errors()), job.results().answered
    (0, 2)
    >>> pnb.attach("shelves").themes(minimum_items=2).columns.tolist()
    ['item_id', 'theme', 'rank', 'recommended_item_id', 'relevance']

    In other forms, in parts, and again:

    >>> job.arrow().recommendations().num_rows, job.polars().recommendations().height
    (4, 4)
    >>> [len(frame) for frame in job.blocks(rows=1)]
    [2, 2]
    >>> len(job.only(prefix="r01").recommendations()), job.to_parquet("weekly.parquet")
    (2, 'weekly.parquet')
    >>> job.retry_failed().name  # no line failed
    'weekly'
    >>> job.on_end(lambda job: None).join()
    True
    >>> job.repeat(num_results=3).wait(progress=False).recommendations()["rank"].max()
    np.int64(3)
    """

    kind = job_kinds.INFERENCE

    @property
    def request(self) -> JobRequest:
        """The request that made the job; `pnb.start(job.request.replace(job_name=...))` runs it again."""
        return JobRequest.from_api(self.describe())

    @property
    def reader(self) -> str:
        """The method that reads what it wrote, as code."""
        themes = named("mode").taken(self._described) == THEME_GENERATION
        return ".themes(items=...)" if themes else ".recommendations(items=...)"


AnyJob: TypeAlias = BatchInferenceJob | BatchSegmentJob


def job_of(arn: str, session: Session) -> AnyJob:
    """Return the job of an ARN, of its kind."""
    if job_kinds.kind_of_arn(arn) == job_kinds.SEGMENTS:
        return BatchSegmentJob(arn, session)
    return BatchInferenceJob(arn, session)


@overload
def start(
    request: JobRequest, *, context: RequestContext | None = None, session: Session | None = None
) -> BatchInferenceJob: ...


@overload
def start(
    request: SegmentRequest, *, context: RequestContext | None = None, session: Session | None = None
) -> BatchSegmentJob: ...


@public
def start(request: AnyRequest, *, context: RequestContext | None = None, session: Session | None = None) -> AnyJob:
    """Check a request against every rule of the API, send it and return the job.

    Parameters
    ----------
    request
        A `JobRequest` or `SegmentRequest`; its input lies in S3.
    context
        What is known of recipe, region and input; looked up where it is not given.
    session
        Where to work; by default the session of `pnb.connect()`.

    Returns
    -------
    BatchInferenceJob or BatchSegmentJob
        `.wait()` waits for its end.

    Raises
    ------
    RequestError
        The request breaks rules; nothing was sent.
    AlreadyExistsError
        The job's name was used before; the message proposes a free one.

    References
    ----------
    Amazon Personalize: CreateBatchInferenceJob, CreateBatchSegmentJob.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> last = pnb.attach("weekly").request
    >>> request = last.replace(job_name="weekly-again", num_results=1, output_path=f"{last.output_path}again/")
    >>> len(pnb.start(request).wait(progress=False).recommendations())
    2
    """
    session = current(session)
    context = context or RequestContext(region=session.region)
    refuse(request, context)
    warn(problems(request, _with_input_looked_at(request, context, session)))
    began = time.monotonic()

    def create() -> AnyJob:
        answer = session.call(request.job_kind.create, **request.to_api())
        return job_of(answer[request.job_kind.arn_member], session)

    try:
        return creating.made(create, lambda: _started(request, session, began), f"starting job {request.job_name!r}")
    except errors.AlreadyExistsError as error:
        raise _name_taken(request.job_name, request.job_kind) from error


def _started(request: AnyRequest, session: Session, began: float) -> AnyJob | None:
    """Return the job of this name when it does what is asked and is not older than the call that may have made it."""
    kind = request.job_kind
    job = job_of(session.arn(kind.resource, request.job_name), session)
    try:
        answer = session.call(kind.describe, **{kind.arn_member: job.arn})
    except errors.NotFoundError:
        return None
    described = answer[kind.answer]
    sent = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    # by the service's clock, which may differ from ours
    now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
    youngest = now - timedelta(seconds=time.monotonic() - began) - _TOLERANCE
    there, asked = type(request).from_api(described), request
    same = [(one.solution_version_arn, one.input_path, one.output_path.rstrip("/")) for one in (there, asked)]
    if same[0] != same[1] or described["creationDateTime"] < youngest:
        raise _name_taken(request.job_name, kind)
    return job


def attach(name: str, session: Session | None = None) -> AnyJob:
    """Return a job by its name or ARN, from any kernel, whenever it was started.

    An inference job and a segment job may have one name; then it is the inference job's, and the end of the ARN finds
    the other: `batch-segment-job/name`.

    Raises
    ------
    NotFoundError
        There is no such job; the message names near ones.
    """
    session = current(session)
    if name.startswith(tuple(f"{kind.resource}/" for kind in job_kinds.JOB_KINDS)):
        name = session.arn(*name.split("/", 1))
    arns = [name] if name.startswith("arn:") else [session.arn(kind.resource, name) for kind in job_kinds.JOB_KINDS]
    first, *others = (job_of(arn, session) for arn in arns)
    try:
        first.describe()
    except errors.NotFoundError as error:
        if found := next((other for other in others if _is_there(other)), None):
            return found
        names = [one for kind in job_kinds.JOB_KINDS for one in session.names(*kind.listing, "jobName")]
        raise errors.NotFoundError(
            f"There is no job {name!r}{errors.there_is(name, names)} pnb.list_jobs() lists all jobs."
        ) from error
    with suppress(errors.PersonalizeError):  # the one that is asked for first is there in any case
        for other in filter(_is_there, others):
            choose().say(f"there is a {other.kind.noun} of this name as well: pnb.attach({other.reference!r})")
    return first


def _is_there(job: AnyJob) -> bool:
    """Tell whether there is a job; one that may not be asked for is none to this caller."""
    try:
        job.describe()
    except (errors.NotFoundError, errors.AccessError):
        return False
    return True


def all_names(session: Session) -> Iterator[str]:
    """Yield the names of all inference jobs."""
    return (entry["jobName"] for entry in session.pages(*job_kinds.INFERENCE.listing))


def new_job_name(base: str, now: datetime | None = None) -> str:
    """Return a legal job name that was never used: the base, the time, and four random characters.

    It has at most 49 characters, because pandas cuts longer cells where names are listed.

    Examples
    --------
    >>> from datetime import datetime
    >>> new_job_name("weekly users!", datetime(2026, 11, 23, 10, 15, 2))[:-4]
    'weekly-users-20261123-101502-'
    """
    stamp = f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    clean, room = re.sub(r"[^A-Za-z0-9_-]+", "-", base).strip("-_"), _LONGEST_NAME - len(stamp) - 1
    if len(clean) > room:  # cut between two words where there are several
        clean = (clean[: room + 1].rpartition("-")[0] or clean[:room]).rstrip("-_")
    return f"{clean or 'job'}-{stamp}"


def _with_input_looked_at(request: AnyRequest, context: RequestContext, session: Session) -> RequestContext:
    """Return the context that knows of an input which is one object, though its name looks like a folder's."""
    looks_like_a_folder = "." not in request.input_path.rsplit("/", 1)[-1]
    if looks_like_a_folder and s3.is_s3(request.input_path) and s3.looked_at(session, request.input_path):
        return replace(context, input_listed=True)
    return context


def refuse(request: AnyRequest, context: RequestContext) -> None:
    """Raise `RequestError` with every rule of the API that the request breaks."""
    broken = errors_of(problems(request, context))
    if broken:
        raise errors.RequestError(broken)


def warn(problems: Iterable[Problem]) -> None:
    """Warn of problems at the line of the user's own code, however deep in the toolkit they are met."""
    depth, ours = 2, __name__.split(".")[0]
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] == ours:
        depth, frame = depth + 1, frame.f_back
    for problem in problems:
        warnings.warn(problem.text, UserWarning, stacklevel=depth)


def check_name(name: str, session: Session, kind: JobKind = job_kinds.INFERENCE) -> None:
    """Refuse a taken name before any input is uploaded, because its folder is another job's."""
    try:
        session.call(kind.describe, **{kind.arn_member: session.arn(kind.resource, name)})
    except errors.NotFoundError:
        return
    raise _name_taken(name, kind)


def _name_taken(name: str, kind: JobKind) -> errors.AlreadyExistsError:
    noun = "job" if kind == job_kinds.INFERENCE else kind.noun
    return errors.AlreadyExistsError(
        f"A {noun} named {name!r} exists, and names of batch jobs can never be used again. Leave out 'job_name', or "
        f"take {new_job_name(name)!r}; pnb.attach({name!r}) returns the job there is."
    )
