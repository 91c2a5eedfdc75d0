"""A run: several jobs that are one to the user, for input that one job may not take.

Input is cut into files, one job each; as many jobs as quotas want are under way at a time, and the queue is kept
here, on the client's side. Nothing but the manifest in S3 is needed to go on, so any kernel can: `pnb.attach(name)`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.jobs import failed_parts, manifests, run_results
from personalize_nb.jobs.arguments import RepeatParameters, with_parameters
from personalize_nb.jobs.job import KIND, BatchInferenceJob
from personalize_nb.jobs.manifests import Manifest, RunPart
from personalize_nb.jobs.outcomes import ItemsOutcome
from personalize_nb.jobs.request import JobRequest
from personalize_nb.jobs.room import Room
from personalize_nb.jobs.run_results import GroupOutput
from personalize_nb.session import explanations, waiting
from personalize_nb.session.progress import Counting, Progress, choose
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, verb

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.jobs.following import Ending
    from personalize_nb.results.results import Results
    from personalize_nb.results.side_by_side import SideBySide


class Run(ItemsOutcome):
    """Several jobs with the face of one. It lives on when this object or the kernel does not.

    A job that waits for room is started by `wait()` or `advance()`, of this kernel or of another one that attached.

    Parameters
    ----------
    manifest
        What the run consists of.
    session
        Where it runs.
    """

    def __init__(self, manifest: Manifest, session: Session):
        self.session = session
        self._manifest = manifest
        self._states: dict[str, dict[str, Any]] = {}  # by name of a job that was started: status, failureReason
        self._looked = False
        self._calls, self._pages = 0, 1  # calls of the last look, pages of the list of jobs
        self._results: Results | SideBySide | None = None
        self._room = Room(session, set(manifest.job_names), manifest.at_once)

    @classmethod
    def new(cls, manifest: Manifest, session: Session) -> Run:
        """Return a run that has just been stored: its jobs' names are new, there is nothing to look for yet."""
        run = cls(manifest, session)
        run._looked = True
        return run

    @property
    def was_begun(self) -> bool:
        """Whether any job is known to have been started; nobody is asked."""
        return bool(self._states)

    @property
    def name(self) -> str:
        """The run's name."""
        return self._manifest.name

    @property
    def request(self) -> JobRequest:
        """What every job is asked; its paths are the folders of all input and all output."""
        return self._manifest.request

    @property
    def jobs(self) -> list[BatchInferenceJob]:
        """The jobs that were started, in the order of the input."""
        self._look()
        return [self._job(name) for name in self._manifest.job_names if name in self._states]

    def asked(self) -> Iterator[tuple[JobRequest, list[RunPart]]]:
        """Yield each question with its jobs, without those that ask failed lines again."""
        for number, one in enumerate(self._manifest.groups):
            yield one.request, [part for part in self._manifest.parts if part.group == number and not part.covers]

    def describe(self) -> dict[str, Any]:
        """Return the state of the run: `status`, how many jobs are done, failed, running and waiting, and the end."""
        self._look()
        return self._described()

    @property
    def status(self) -> str:
        """The status of all jobs together, in the words of a single job; looking starts nothing.

        `PAUSED: ...` when jobs wait and none is running: `.wait()` or `.advance()` starts them.
        """
        status: str = self.describe()["status"]
        return status

    def advance(self) -> Run:
        """Start waiting jobs as far as there is room, and return the run; `wait()` does it by itself."""
        self._look()
        running = sum(state["status"] not in limits.TERMINAL for state in self._states.values())
        waiting_parts = [(n, name) for n, name in enumerate(self._manifest.job_names) if name not in self._states]
        most = running + (self._room.left(running) if waiting_parts else 0)
        for part, name in waiting_parts:
            if running >= most:
                break
            try:
                self.session.call("create_batch_inference_job", **self._manifest.part(part).to_api())
            except errors.AlreadyExistsError as error:
                # another kernel was faster, or the answer to our own call was lost
                self._states[name] = self._ours(part, error)
            except errors.QuotaError as error:
                self._calls += error.tries  # botocore's own
                break  # other work of the account takes the room; the next look tries again
            else:
                self._states[name] = {"status": limits.PENDING}
            running += self._states[name]["status"] not in limits.TERMINAL
        return self

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
            calls=lambda: self._calls,
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
        """
        from personalize_nb.jobs.following import on_end  # it knows jobs and runs

        return on_end(self, callback, sleep)

    def retry(self) -> Run:
        """Start the jobs that failed again, under new names, and return the run."""
        self._look()
        return self._go_on(self._retried())

    def retry_failed(self) -> Run:
        """Start jobs that failed again, and send the lines that failed of all others again; return the run.

        Its results are then those of all attempts as one: an answer takes the place of the error that was there.
        """
        described = self.describe()
        failed_parts.check_ended(f"run {self.name!r}", described["status"])
        more: list[RunPart] = []
        if described["done"]:
            found = self._each(described["ended"], time.sleep)
            more += failed_parts.stored(self._manifest, self.outputs(), found, self.session)
        if not more and not described["failed"]:
            choose().say(f"nothing of run {self.name!r} failed; there is nothing to send again")
            return self
        return self._go_on([*self._retried(), *more])

    @with_parameters(RepeatParameters)
    def repeat(self, **parameters: Unpack[RepeatParameters]) -> Run:
        """Start a run on the input of this one, with other parameters where some are named; return it.

        Parameters
        ----------
        **parameters
            As for `recommend`.
        """
        from personalize_nb.jobs import again  # which makes runs

        return again.repeated_run(self, parameters)

    def _retried(self) -> list[RunPart]:
        """Return the parts, those whose job failed with the name of another attempt."""
        failed = self._failures()
        return [
            replace(one, job_name=manifests.next_job_name(one.job_name)) if one.job_name in failed else one
            for one in self._manifest.parts
        ]

    def _go_on(self, parts: Sequence[RunPart]) -> Run:
        """Go on with other parts in place of those there are, which S3 remembers before any job is started."""
        if tuple(parts) != self._manifest.parts:
            manifest = replace(self._manifest, parts=tuple(parts))
            manifest.save(self.session)
            self._manifest, self._results = manifest, None
            self._states = {name: state for name, state in self._states.items() if name in manifest.job_names}
            self._room.own = {*manifest.job_names, *self._room.own}
        return self.advance()

    def results(self, *, sleep: Callable[[float], object] = time.sleep) -> Results | SideBySide:
        """Return what all jobs wrote, as one; the input of jobs that failed is among the errors."""
        described = self.describe()
        if described["status"] not in limits.TERMINAL:
            raise errors.NotFoundError(
                f"Run {self.name!r} is {described['status']}, {described['done']} of {described['jobs']} jobs are "
                "done; it has results once all have ended: run.wait()."
            )
        if described["failed"] == described["jobs"]:
            reason = described["failureReason"]
            told = explanations.told(reason)
            raise errors.FailedError(f"Run {self.name!r} ended in {limits.FAILED}: {told}", reason=reason)
        if self._results is None:
            found = self._each(described["ended"], sleep)
            if not any(one.labels for one in self._manifest.groups):
                self._results = found[0]
            else:
                from personalize_nb.results.side_by_side import SideBySide

                self._results = SideBySide(found, [one.labels for one in self._manifest.groups])
        return self._results

    def _each(self, ended: datetime, sleep: Callable[[float], object]) -> list[Results]:
        return [one.results(ended, sleep) for one in self.outputs()]

    def outputs(self) -> list[GroupOutput]:
        """Return where each question's jobs have input and output, and what is known of their ends; nobody is asked."""
        failures = self._failures()
        ended = [name for name, state in self._states.items() if state["status"] in limits.TERMINAL]
        groups = range(len(self._manifest.groups))
        return [GroupOutput(self._manifest, group, failures, ended, self.session) for group in groups]

    def errors(self) -> pd.DataFrame:
        """Return the input lines that failed or got no item, and why, also of failed jobs; see `Results.errors`."""
        return self.results().errors()

    def __len__(self) -> int:
        return sum(one.records or 0 for one in self._manifest.parts if not one.covers)

    def __bool__(self) -> bool:
        return True  # also where nobody has counted the records

    def __repr__(self) -> str:
        facts = self._described() if self._states else None  # a repr asks nobody
        size = counted(len(self._manifest.parts), "job")
        if self._manifest.records is not None:
            size = f"{counted(self._manifest.records, 'record')} in {size}"
        if facts is None:
            return f"<Run {self.name} of {size}: .status tells how it stands, .wait() starts what waits>"
        step = ".wait() to wait"
        if facts["waiting"]:
            waiting = (
                f"{counted(facts['waiting'], 'job')} {verb(facts['waiting'], 'waits and starts', 'wait and start')}"
            )
            step = f"{waiting} only while .wait() runs, in any kernel"
        if facts["status"] == limits.ACTIVE:
            themes = self.request.mode == THEME_GENERATION
            step = ".themes(items=...) to read" if themes else ".recommendations(items=...) to read"
        elif facts["status"] in limits.TERMINAL:
            step = ".retry() to start those that failed again, .errors() says why"
        return f"<Run {self.name} of {size}, {facts['done']} done, {facts['failed']} failed: {step}>"

    def _job(self, name: str) -> BatchInferenceJob:
        return BatchInferenceJob(self.session.arn(KIND, name), self.session)

    def _ours(self, part: int, taken: Exception) -> dict[str, Any]:
        """Return the state of a job that was started already; refuse one of another's that has its name."""
        asked = self._manifest.part(part)
        try:
            described = self._job(asked.job_name).describe()
        except (errors.NotFoundError, errors.AccessError):
            return {"status": limits.PENDING}  # the next look tells how it stands
        there = JobRequest.from_api(described)
        if (there.input_path, there.output_path) != (asked.input_path, asked.output_path):
            raise errors.AlreadyExistsError(
                f"Job {asked.job_name!r} of run {self.name!r} cannot be started: somebody else's job has that name, "
                f"with the input {there.input_path!r}. Ask it again under another name: "
                f"pnb.run([request.replace(job_name={manifests.next_job_name(asked.job_name)!r})])."
            ) from taken
        return described

    def _look(self) -> None:
        """Learn the state of every job: the first time from the list, later of those that have not ended."""
        running = [name for name, state in self._states.items() if state["status"] not in limits.TERMINAL]
        if self._looked and len(running) <= self._pages:
            self._calls = len(running)
            for name in running:
                self._states[name] = self._job(name).describe()
            unfinished = any(state["status"] not in limits.TERMINAL for state in self._states.values())
            if unfinished or len(self._states) in (0, len(self._manifest.job_names)):
                return
            # none is running and some wait, as far as is known here: another kernel may have started them
        # one call tells of a hundred jobs; what AWS does not list yet stays as it was
        wanted = set(self._manifest.job_names)
        models = self._manifest.models
        only = {"solutionVersionArn": models[0]} if len(models) == 1 else {}
        entries = list(self.session.pages("list_batch_inference_jobs", "batchInferenceJobs", **only))
        self._states |= {entry["jobName"]: entry for entry in entries if entry["jobName"] in wanted}
        self._calls = self._pages = 1 + len(entries) // 100
        self._looked = True

    def _counts(self) -> tuple[int, int]:
        """Return how many jobs have ended, and of how many."""
        facts = self._described()
        return facts["done"] + facts["failed"], facts["jobs"]

    def _failures(self) -> dict[str, str]:
        return run_results.reasons(self._states)

    def _described(self) -> dict[str, Any]:
        total, started = len(self._manifest.job_names), len(self._states)
        failures = self._failures()
        ended = sum(state["status"] in limits.TERMINAL for state in self._states.values())
        status = limits.IN_PROGRESS if started else limits.PENDING
        if ended == total:
            status = limits.FAILED if failures else limits.ACTIVE
        elif started and ended == started:
            # nothing goes on by itself: only a kernel that waits starts the others
            status = f"PAUSED: {total - started} of {total} jobs {verb(total - started, 'waits', 'wait')} for .wait()"
        counts = {"jobs": total, "done": ended - len(failures), "failed": len(failures)}
        counts |= {"running": started - ended, "waiting": total - started}
        described = {
            "name": self.name,
            "status": status,
            "records": self._manifest.records,
            "created": self._manifest.created,
        }
        described |= {**counts, "others": self._room.others}
        if ended == total:
            described["ended"] = max(state["lastUpdatedDateTime"] for state in self._states.values())
        if failures:
            name, reason = next((name, failures[name]) for name in self._manifest.job_names if name in failures)
            described["failureReason"] = (
                f"{len(failures)} of {total} jobs failed, {name!r} first: {reason} The others' results can be read; "
                "run.retry() starts those that failed again."
            )
        return described
