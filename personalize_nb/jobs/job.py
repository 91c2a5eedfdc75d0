"""Batch inference jobs: start, attach by name or ARN, watch, wait, list."""

from __future__ import annotations

import re
import secrets
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.parameters import THEME_GENERATION, named
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.errors import Problem
from personalize_nb.jobs import written
from personalize_nb.jobs.request import JobRequest, RequestContext, errors_of, problems
from personalize_nb.resources.solutions import find_solution_version
from personalize_nb.session import creating, explanations, s3, waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import Progress, choose
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from personalize_nb.jobs.following import Ending
    from personalize_nb.results.results import Results, ResultsAs
    from personalize_nb.results.titles import Items

KIND = "batch-inference-job"
LIST = ("list_batch_inference_jobs", "batchInferenceJobs")
_TOLERANCE = timedelta(seconds=60)  # between the clocks of AWS's machines
_LONGEST_NAME = 49  # of the names that we make: 63 are legal


class BatchInferenceJob:
    """A job of the service, found by its ARN; it lives on when this object or the kernel does not.

    Parameters
    ----------
    arn
        The job's ARN.
    session
        Where it runs.
    """

    def __init__(self, arn: str, session: Session):
        self.arn = arn
        self.session = session
        self._described: dict[str, Any] = {}
        self._results: Results | None = None

    @property
    def name(self) -> str:
        """The job's name."""
        return self.arn.rsplit("/", 1)[-1]

    def describe(self) -> dict[str, Any]:
        """Return the service's description of the job; asked again until the job has ended."""
        if self._described.get("status") not in limits.TERMINAL:
            answer = self.session.call("describe_batch_inference_job", batchInferenceJobArn=self.arn)
            self._described = answer["batchInferenceJob"]
        return self._described

    @property
    def status(self) -> str:
        """The status now: `CREATE PENDING`, `CREATE IN_PROGRESS`, `ACTIVE` (finished) or `CREATE FAILED`."""
        status: str = self.describe()["status"]
        return status

    @property
    def request(self) -> JobRequest:
        """The request that made the job; `pnb.start(job.request.replace(job_name=...))` runs it again."""
        return JobRequest.from_api(self.describe())

    def wait(
        self,
        timeout: float | None = waiting.HOURS * 3,
        *,
        progress: Progress | bool | None = None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> BatchInferenceJob:
        """Wait until the job has ended and return it, so that `.wait().recommendations()` reads well.

        Ctrl-C and the time limit end the waiting only; the job goes on and `pnb.attach(name).wait()` waits again.

        Parameters
        ----------
        timeout
            Seconds; None for no limit.
        progress
            False for silence, or a display of your own.
        sleep, clock
            Replaced in tests.

        Raises
        ------
        FailedError
            The job failed; `.reason` is the service's text.
        WaitTimeoutError
            The time limit is over.
        """
        waiting.until_active(
            self.describe,
            f"job {self.name!r}",
            self.arn,
            again=f"pnb.attach({self.name!r}).wait()",
            timeout=timeout,
            progress=choose(progress),
            pace=self.session.pace,
            sleep=sleep,
            clock=clock,
        )
        return self

    def on_end(
        self, callback: Callable[[BatchInferenceJob], object], *, sleep: Callable[[float], bool] | None = None
    ) -> Ending:
        """Call a function with this job when it has ended, well or not; the kernel must live, no cell is blocked.

        Parameters
        ----------
        callback
            Is given the job: `job.on_end(lambda job: print(job.status))`.
        sleep
            Replaced in tests.
        """
        from personalize_nb.jobs.following import on_end  # it knows jobs and runs

        return on_end(self, callback, sleep)

    def results(self, *, sleep: Callable[[float], object] = time.sleep) -> Results:
        """Return what the job wrote.

        Output may appear a moment after the end of its job: for half a minute it is looked for again.

        Parameters
        ----------
        sleep
            Replaced in tests.

        Raises
        ------
        FailedError
            The job failed; `.reason` is the service's text.
        NotFoundError
            The job has not ended, or its output is gone.
        """
        described = self.describe()
        status = described["status"]
        if status in limits.TERMINAL and status != limits.ACTIVE:
            reason = described.get("failureReason") or "the service gave no reason"
            told = explanations.told(described.get("failureReason"))
            raise errors.FailedError(f"Job {self.name!r} ended in {status}: {told}", arn=self.arn, reason=reason)
        if status != limits.ACTIVE:
            raise errors.NotFoundError(f"Job {self.name!r} is {status}; it has results once it is ACTIVE: job.wait().")
        if self._results is None:
            from personalize_nb.results.results import Results  # pandas and pyarrow, not needed to start or watch a job

            request = self.request
            ended = described["lastUpdatedDateTime"]
            written.await_output(self.session, request.output_path, request.input_path, ended, sleep)
            written.check_own(self.session, self.name, request, ended)
            self._results = Results(
                request.output_path,
                request.input_path,
                self.session,
                input_keys=lambda: input_keys(request, self.session),
            )
        return self._results

    def recommendations(self, items: Items | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the recommendations in input order; see `Results.recommendations`."""
        return self.results().recommendations(items, columns)

    def themes(
        self,
        items: Items | None = None,
        columns: Sequence[str] | None = None,
        *,
        threshold: float | None = limits.THEME_RELEVANCE_THRESHOLD,
        minimum_items: int = limits.THEME_MINIMUM_ITEMS,
    ) -> pd.DataFrame:
        """Return the themes of a theme job; see `Results.themes`."""
        return self.results().themes(items, columns, threshold=threshold, minimum_items=minimum_items)

    def arrow(self) -> ResultsAs[pa.Table]:
        """Return the results as Arrow tables, `job.arrow().recommendations()`; see `Results.arrow`."""
        return self.results().arrow()

    def polars(self) -> ResultsAs[pl.DataFrame]:
        """Return the results as polars' frames, `job.polars().recommendations()`; see `Results.polars`."""
        return self.results().polars()

    def errors(self) -> pd.DataFrame:
        """Return the input lines that failed or got no item, with the reason; see `Results.errors`."""
        return self.results().errors()

    def __repr__(self) -> str:
        status = self._described.get("status")
        if status is None:  # a repr asks nobody
            return f"<BatchInferenceJob {self.name}: .status tells how it stands, .wait() waits for its end>"
        step = ".wait() to wait"
        if status == limits.ACTIVE:
            themes = named("mode").taken(self._described) == THEME_GENERATION
            step = ".themes(items=...) to read" if themes else ".recommendations(items=...) to read"
        elif status in limits.TERMINAL:
            step = self._described.get("failureReason", "no reason given")
        return f"<BatchInferenceJob {self.name} {status}: {step}>"


def input_keys(request: JobRequest, session: Session) -> tuple[str, ...]:
    """Return the keys that the request's recipe reads of an input line; none where the model is gone."""
    try:
        recipe = find_solution_version(request.solution_version_arn, session).recipe
    except errors.PersonalizeError:
        return ()
    return RECIPES[recipe].input_keys if recipe in RECIPES else ()


def start(
    request: JobRequest, *, context: RequestContext | None = None, session: Session | None = None
) -> BatchInferenceJob:
    """Check a request against every rule of the API, send it and return the job.

    Raises
    ------
    RequestError
        The request breaks rules; nothing was sent.
    AlreadyExistsError
        The job's name was used before; the message proposes a free one.
    """
    session = current(session)
    context = context or RequestContext(region=session.region)
    refuse(request, context)
    warn(problems(request, _with_input_looked_at(request, context, session)))
    began = time.monotonic()

    def create() -> BatchInferenceJob:
        answer = session.call("create_batch_inference_job", **request.to_api())
        return BatchInferenceJob(answer["batchInferenceJobArn"], session)

    try:
        return creating.made(create, lambda: _started(request, session, began), f"starting job {request.job_name!r}")
    except errors.AlreadyExistsError as error:
        raise _name_taken(request.job_name) from error


def _started(request: JobRequest, session: Session, began: float) -> BatchInferenceJob | None:
    """Return the job of this name when it does what is asked and is not older than the call that may have made it."""
    job = BatchInferenceJob(session.arn(KIND, request.job_name), session)
    try:
        answer = session.call("describe_batch_inference_job", batchInferenceJobArn=job.arn)
    except errors.NotFoundError:
        return None
    described = answer["batchInferenceJob"]
    sent = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    # by the service's clock, which may differ from ours
    now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
    youngest = now - timedelta(seconds=time.monotonic() - began) - _TOLERANCE
    there, asked = JobRequest.from_api(described), request
    same = [(one.solution_version_arn, one.input_path, one.output_path.rstrip("/")) for one in (there, asked)]
    if same[0] != same[1] or described["creationDateTime"] < youngest:
        raise _name_taken(request.job_name)
    return job


def attach(name: str, session: Session | None = None) -> BatchInferenceJob:
    """Return a job by its name or ARN, from any kernel, whenever it was started.

    Raises
    ------
    NotFoundError
        There is no such job; the message names near ones.
    """
    session = current(session)
    job = BatchInferenceJob(name if name.startswith("arn:") else session.arn(KIND, name), session)
    try:
        job.describe()
    except errors.NotFoundError as error:
        names = session.names(*LIST, "jobName")
        raise errors.NotFoundError(
            f"There is no job {name!r}{errors.there_is(name, names)} pnb.list_jobs() lists all jobs."
        ) from error
    return job


def all_names(session: Session) -> Iterator[str]:
    """Yield the names of all jobs."""
    return (entry["jobName"] for entry in session.pages(*LIST))


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


def _with_input_looked_at(request: JobRequest, context: RequestContext, session: Session) -> RequestContext:
    """Return the context that knows of an input which is one object, though its name looks like a folder's."""
    looks_like_a_folder = "." not in request.input_path.rsplit("/", 1)[-1]
    if looks_like_a_folder and s3.is_s3(request.input_path) and s3.looked_at(session, request.input_path):
        return replace(context, input_listed=True)
    return context


def refuse(request: JobRequest, context: RequestContext) -> None:
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


def check_name(name: str, session: Session) -> None:
    """Refuse a taken name before any input is uploaded, because its folder is another job's."""
    try:
        session.call("describe_batch_inference_job", batchInferenceJobArn=session.arn(KIND, name))
    except errors.NotFoundError:
        return
    raise _name_taken(name)


def _name_taken(name: str) -> errors.AlreadyExistsError:
    return errors.AlreadyExistsError(
        f"A job named {name!r} exists, and names of batch jobs can never be used again. Leave out 'job_name', or take "
        f"{new_job_name(name)!r}; pnb.attach({name!r}) returns the job there is."
    )
