"""A run: several jobs that are one to the user, for input that one job may not take.

Input is cut into files, one job each; as many jobs as quotas want are under way at a time, and the queue is kept
here, on the client's side. Nothing but the manifest in S3 is needed to go on, so any kernel can: `pnb.attach(name)`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs import failed_parts, manifests
from personalize_nb.jobs.arguments import RepeatParameters, with_parameters
from personalize_nb.jobs.job import AnyJob
from personalize_nb.jobs.manifests import Manifest, RunPart
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.jobs.room import Room
from personalize_nb.jobs.run_outcome import RunOutcome
from personalize_nb.jobs.run_states import JobStates, described, in_words, unstarted
from personalize_nb.session import waiting
from personalize_nb.session.progress import Counting, Progress, choose
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from personalize_nb.jobs.following import Ending
    from personalize_nb.results.results import Results
    from personalize_nb.results.side_by_side import SideBySide

log = logging.getLogger(__name__)


@public
class Run(RunOutcome):
    """Several jobs with the face of one. It lives on when this object or the kernel does not.

    A job that waits for room is started by `wait()` or `advance()`, of this kernel or of another one that attached.

    Parameters
    ----------
    manifest
        What the run consists of.
    session
        Where it runs.
    new
        Whether it has just been stored: its jobs' names are new, there is nothing to look for yet.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> run = pnb.attach("side-by-side")
    >>> run.name, len(run), run.status, run.describe()["done"], len(run.jobs)
    ('side-by-side', 4, 'ACTIVE', 2, 2)
    >>> run.was_begun, run.without_room(), run.request.num_results, len(list(run.asked())), len(run.outputs())
    (True, '', 2, 2, 2)
    >>> run.wait(progress=False).recommendations().groupby("filter", dropna=False)["rank"].count().tolist()
    [4, 4]
    >>> len(run.errors()), run.results().answered, run.to_parquet("run.parquet")
    (0, 4, 'run.parquet')
    >>> run.arrow().recommendations().num_rows, run.polars().recommendations().height
    (8, 8)
    >>> sum(len(frame) for frame in run.blocks()), len(run.only(prefix="r01").recommendations())
    (8, 4)
    >>> run.renew() is run.advance() is run.retry() is run.retry_failed() is run  # there is nothing to do
    True
    >>> run.begin(), run.on_end(lambda run: None).join()
    ([], True)
    >>> run.repeat(num_results=1).wait(progress=False).recommendations()["rank"].max()
    np.int64(1)

    Readers of other kinds say what there is:

    >>> run.themes()
    Traceback (most recent call last):
    ...
    personalize_nb.errors.NotFoundError: ...
    >>> run.segments()
    Traceback (most recent call last):
    ...
    personalize_nb.errors.NotFoundError: ...
    """

    def __init__(self, manifest: Manifest, session: Session, *, new: bool = False):
        self.session = session
        self._manifest = manifest
        self._states = JobStates(manifest, session, looked=new)
        self._results: Results | SideBySide | None = None
        self._room = Room(session, set(manifest.job_names), manifest.at_once, manifest.kind)
        self._full: errors.QuotaError | None = None  # why the last try to start a job had no room

    @property
    def was_begun(self) -> bool:
        """Whether any job is known to have been started; nobody is asked."""
        return bool(self._states.started)

    @property
    def name(self) -> str:
        """The run's name."""
        return self._manifest.name

    @property
    def request(self) -> AnyRequest:
        """What every job is asked; its paths are the folders of all input and all output."""
        return self._manifest.request

    @property
    def jobs(self) -> list[AnyJob]:
        """The jobs that were started, in the order of the input."""
        self._states.look(self._manifest)
        started = set(self._states.started)
        return [self._states.job(name) for name in self._manifest.job_names if name in started]

    def asked(self) -> Iterator[tuple[AnyRequest, list[RunPart]]]:
        """Yield each question with its jobs, also those that ask failed lines again.

        Yields
        ------
        tuple of request and list of RunPart
            A question, and the parts of the run that ask it.
        """
        for number, one in enumerate(self._manifest.groups):
            yield one.request, [part for part in self._manifest.parts if part.group == number]

    def describe(self) -> dict[str, Any]:
        """Return the state of the run.

        Returns
        -------
        dict
            `status`; `jobs`, of which so many are `done`, `failed`, `running` and `waiting`; `others`, the jobs of
            others; `ended`.
        """
        self._states.look(self._manifest)
        return self._described()

    @property
    def status(self) -> str:
        """The status of all jobs together, in the words of a single job; looking starts nothing.

        `PAUSED: ...` when jobs wait and none is running: `.wait()` or `.advance()` starts them.
        """
        status: str = self.describe()["status"]
        return status

    def advance(self) -> Run:
        """Start waiting jobs as far as there is room, and return the run; `wait()` does it by itself.

        A job that the service refuses to start is one that failed: the others go on, `retry()` tries it again.

        Returns
        -------
        Run
            Itself.
        """
        self._states.look(self._manifest)
        self._start()
        self._note_refused()
        return self

    def begin(self) -> list[errors.PersonalizeError]:
        """Start the first jobs of a run that is new; return why some could not be started.

        Where the first ones are refused, one after the other, it is not for what is their own: no more are tried.

        Returns
        -------
        list of PersonalizeError
            Why some could not be started; empty where all were.
        """
        refused = self._start(limits.MAX_JOBS_IN_PROGRESS)
        if refused and self.was_begun:
            self._note_refused()
        return refused

    def without_room(self) -> str:
        """Tell why nothing could be started, where that is for want of room; nobody is asked.

        Returns
        -------
        str
            A sentence; empty where there was room.
        """
        if self._states.by_name:
            return ""
        others = self._room.others
        taken = f"{counted(others, 'other job')} {verb(others, 'takes', 'take')} it." if others else ""
        return str(self._full) if self._full else taken

    def _start(self, most_refused: int | None = None) -> list[errors.PersonalizeError]:
        """Start waiting jobs as far as there is room; return why some are refused."""
        running = len(self._states.running)
        waiting_parts = [n for n, name in enumerate(self._manifest.job_names) if name not in self._states.by_name]
        most = running + (self._room.left(running) if waiting_parts else 0)
        refused: list[errors.PersonalizeError] = []
        self._full = None
        for part in waiting_parts:
            if running >= most or (len(refused) == most_refused and not self.was_begun):
                break
            try:
                error = self._states.create(self._manifest, part)
            except errors.QuotaError as full:
                self._states.calls += full.tries  # botocore's own
                self._full = full
                break  # other work of the account takes the room; the next look tries again
            refused += [error] if error else []
            running = len(self._states.running)
        return refused

    def _note_refused(self) -> None:
        """Let other kernels know which jobs were refused; where that cannot be written, they find out themselves."""
        new = {
            one.job_name: reason
            for one in self._manifest.parts
            if (reason := self._states.refusals.get(one.job_name)) and not one.refused
        }
        if not new:
            return
        try:
            self._take(manifests.changed(self._manifest, self.session, lambda there: there.with_refused(new)))
        except errors.PersonalizeError as error:
            log.info("that jobs of run %r were refused is not stored: %s", self.name, error)

    def renew(self) -> Run:
        """Take over what other kernels have changed in the run since, as by `retry()`.

        Returns
        -------
        Run
            Itself.

        Raises
        ------
        NotFoundError
            Its folder in S3 is gone.
        """
        there = manifests.find(self.session, self.name)
        if there is not None:
            self._take(there)
        return self

    def _take(self, manifest: Manifest) -> None:
        """Go on with a manifest as it is stored now."""
        if manifest.parts == self._manifest.parts:
            return
        self._manifest, self._results = manifest, None
        self._states.take(manifest)
        self._room.own = {*manifest.job_names, *self._room.own}

    def wait(
        self,
        timeout: float | None = waiting.HOURS * 24,
        *,
        progress: Progress | bool | None = None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Run:
        """Start what waits, wait until all jobs have ended, and return the run.

        Ctrl-C and the time limit end the waiting only. Jobs that were started go on; those that wait are started by
        the next `pnb.attach(name).wait()`.

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
        Run
            Itself.

        Raises
        ------
        FailedError
            Jobs failed; all others have ended as well, and their results can be read.
        WaitTimeoutError
            The time limit is over.
        """
        waiting.until_active(
            lambda: self.advance()._described(),
            f"run {self.name!r}",
            manifests.address(self.session, self.name),
            again=f"pnb.attach({self.name!r}).wait()",
            timeout=timeout,
            progress=Counting(choose(progress), self._counts),
            pace=self.session.pace,
            calls=lambda: self._states.calls,
            rest=lambda: unstarted(self._manifest, self._states),
            sleep=sleep,
            clock=clock,
        )
        return self

    def on_end(self, callback: Callable[[Run], object], *, sleep: Callable[[float], bool] | None = None) -> Ending:
        """Call a function with this run when it has ended, well or not; the kernel must live, no cell is blocked.

        Parameters
        ----------
        callback
            Is given the run: `job.on_end(lambda job: print(job.status))`.
        sleep
            Replaced in tests.

        Returns
        -------
        Ending
            `.join(timeout)` waits for the end, `.cancel()` forgets it.
        """
        from personalize_nb.jobs.following import on_end  # it knows jobs and runs

        return on_end(self, callback, sleep)

    def retry(self) -> Run:
        """Start the jobs that failed again, under new names.

        Returns
        -------
        Run
            Itself.
        """
        self.renew()
        self._states.look(self._manifest)
        return self._go_on()

    def retry_failed(self) -> Run:
        """Start jobs that failed again, and send the lines that failed of all others again; return the run.

        Its results are then those of all attempts as one: an answer takes the place of the error that was there.

        Returns
        -------
        Run
            Itself.
        """
        described = self.renew().describe()
        failed_parts.check_ended(f"run {self.name!r}", described["status"])
        more: list[RunPart] = []
        if described["done"]:
            found = self._each(described["ended"], time.sleep)
            more = failed_parts.stored(self._manifest, self.outputs(), found, self.session)
        if not more and not described["failed"]:
            choose().say(f"nothing of run {self.name!r} failed; there is nothing to send again")
            return self
        return self._go_on(more)

    @with_parameters(RepeatParameters)
    def repeat(self, **parameters: Unpack[RepeatParameters]) -> Run:
        """Start a run on the input of this one, with other parameters where some are named; return it.

        Parameters
        ----------
        **parameters
            As for `recommend`.

        Returns
        -------
        Run
            Another one.
        """
        from personalize_nb.jobs import again  # which makes runs

        return again.repeated_run(self, parameters)

    def _go_on(self, more: Sequence[RunPart] = ()) -> Run:
        """Go on with failed jobs under other names, and more jobs; S3 remembers them before any is started."""
        failed = {name: manifests.next_job_name(name, self.name) for name in self._states.failures}
        if failed or more:
            self._take(manifests.changed(self._manifest, self.session, lambda there: there.retried(failed, more)))
        return self.advance()

    def __len__(self) -> int:
        if self._manifest.records is None:
            raise errors.ArgumentError(
                f"nobody has counted the input lines of run {self.name!r}, which lie in S3; len(run.results()) does "
                "once it has ended"
            )
        return self._manifest.records

    def __bool__(self) -> bool:
        return True  # also where nobody has counted the records

    def __repr__(self) -> str:
        return f"<Run {self.name} of {in_words(self._manifest, self._states, self._room.others)}>"  # a repr asks nobody

    def _counts(self) -> tuple[int, int]:
        """Return how many jobs have ended, and of how many."""
        facts = self._described()
        return facts["done"] + facts["failed"], facts["jobs"]

    def _described(self) -> dict[str, Any]:
        return described(self._manifest, self._states, self._room.others)
