"""What jobs of both kinds are: found by an ARN, described, waited for, read.

A job lives on when the object or the kernel does not.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import JobKind
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.jobs import written
from personalize_nb.jobs.outcomes import Outcome
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.resources.solutions import find_solution_version
from personalize_nb.session import explanations, waiting
from personalize_nb.session.progress import Progress, choose
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.jobs.following import Ending
    from personalize_nb.results.results import Results


class BatchJob(Outcome):
    """A job of the service, found by its ARN.

    Parameters
    ----------
    arn
        The job's ARN.
    session
        Where it runs.
    """

    kind: ClassVar[JobKind]

    def __init__(self, arn: str, session: Session):
        if not isinstance(arn, str):
            told = f"{type(self).__name__}() takes a job's ARN as 'arn', got {errors.received(arn)}"
            raise errors.ArgumentError(f"{told}; pnb.attach(name) finds one.")
        self.arn = arn
        self.session = session
        self._described: dict[str, Any] = {}
        self._results: Results | None = None

    @property
    def name(self) -> str:
        """The job's name."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def reference(self) -> str:
        """What `pnb.attach` finds it by in any kernel; no account is in it."""
        return self.kind.reference(self.name)

    @property
    def attached(self) -> str:
        """The code that finds the job again, in any kernel."""
        return f"pnb.attach({self.reference!r})"

    def describe(self) -> dict[str, Any]:
        """Return the service's description of the job; asked again until the job has ended.

        Returns
        -------
        dict
            Members in Amazon's spelling, as DescribeBatchInferenceJob or DescribeBatchSegmentJob has them.

        Raises
        ------
        NotFoundError
            There is no such job any more.
        """
        if self._described.get("status") not in limits.TERMINAL:
            answer = self.session.call(self.kind.describe, **{self.kind.arn_member: self.arn})
            self._described = answer[self.kind.answer]
        return self._described

    @property
    def status(self) -> str:
        """The status now: `CREATE PENDING`, `CREATE IN_PROGRESS`, `ACTIVE` (finished) or `CREATE FAILED`."""
        status: str = self.describe()["status"]
        return status

    @property
    @abstractmethod
    def request(self) -> AnyRequest:
        """The request that made the job; `pnb.start(job.request.replace(job_name=...))` runs it again."""

    @property
    @abstractmethod
    def reader(self) -> str:
        """The method that reads what it wrote, as code."""

    def wait(
        self,
        timeout: float | None = waiting.HOURS * 3,
        *,
        progress: Progress | bool | None = None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
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

        Returns
        -------
        BatchInferenceJob or BatchSegmentJob
            Itself.

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
            again=f"{self.attached}.wait()",
            timeout=timeout,
            progress=choose(progress),
            pace=self.session.pace,
            sleep=sleep,
            clock=clock,
        )
        return self

    def on_end(self, callback: Callable[[Self], object], *, sleep: Callable[[float], bool] | None = None) -> Ending:
        """Call a function with this job when it has ended, well or not; the kernel must live, no cell is blocked.

        Parameters
        ----------
        callback
            Is given the job: `job.on_end(lambda job: print(job.status))`.
        sleep
            Replaced in tests.

        Returns
        -------
        Ending
            `.join(timeout)` waits for the end, `.cancel()` forgets it.
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

        Returns
        -------
        Results
            Reads rows when they are asked for.

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
            written.check_own(self.session, self.arn, request, ended)
            self._results = Results(
                request.output_path,
                request.input_path,
                self.session,
                input_keys=lambda: input_keys(request, self.session),
            )
        return self._results

    def __repr__(self) -> str:
        shown, status = f"{type(self).__name__} {self.name}", self._described.get("status")
        if status is None:  # a repr asks nobody
            return f"<{shown}: .status tells how it stands, .wait() waits for its end>"
        step = ".wait() to wait"
        if status == limits.ACTIVE:
            step = f"{self.reader} to read"
        elif status in limits.TERMINAL:
            step = self._described.get("failureReason", "no reason given")
        return f"<{shown} {status}: {step}>"


def input_keys(request: AnyRequest, session: Session) -> tuple[str, ...]:
    """Return the keys that the request's recipe reads of an input line; none where the model is gone."""
    try:
        recipe = find_solution_version(request.solution_version_arn, session).recipe
    except errors.PersonalizeError:
        return ()
    return RECIPES[recipe].input_keys if recipe in RECIPES else ()
