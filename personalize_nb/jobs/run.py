"""A run: several jobs that are one to the user, for input that one job may not take.

Input is cut into files, one job each; as many jobs as quotas want are under way at a time, and the queue is kept
here, on the client's side. Nothing but the manifest in S3 is needed to go on, so any kernel can: `pnb.attach(name)`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.jobs import job, manifests, written
from personalize_nb.jobs.job import KIND, BatchInferenceJob
from personalize_nb.jobs.manifests import Manifest
from personalize_nb.jobs.request import JobRequest
from personalize_nb.jobs.room import Room
from personalize_nb.session import explanations, waiting
from personalize_nb.session.progress import Counting, Progress, choose
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, verb

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from personalize_nb.jobs.following import Ending
    from personalize_nb.results.results import Results, ResultsAs
    from personalize_nb.results.titles import Items


class Run:
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
        self._results: Results | None = None
        self._room = Room(session, set(manifest.job_names), manifest.at_once)

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
            except errors.AlreadyExistsError:
                # another kernel was faster, or the answer to our own call was lost; the next look tells how it stands
                self._states[name] = {"status": limits.PENDING}
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
        failed = {name for name, _ in self._failures()}
        names = tuple(manifests.next_job_name(name) if name in failed else name for name in self._manifest.job_names)
        if failed:
            self._manifest = replace(self._manifest, job_names=names)
            self._manifest.save(self.session)
            self._states = {name: state for name, state in self._states.items() if name not in failed}
            self._results = None
            self._room.own = {*names, *self._room.own}
        return self.advance()

    def results(self, *, sleep: Callable[[float], object] = time.sleep) -> Results:
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
            from personalize_nb.results.results import Results  # pandas and pyarrow, not needed to start or watch a run

            request = self.request
            failures = [name for name, _ in self._failures()]
            failed = {f"{self._label(name)}.jsonl" for name in failures}
            outputs, inputs = self._manifest.files(self.session, failures)
            written.await_output(self.session, outputs, inputs, described["ended"], sleep, failed)
            self._results = Results(
                outputs,
                inputs,
                self.session,
                input_keys=lambda: job.input_keys(request, self.session),
            )
        return self._results

    def recommendations(self, items: Items | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the recommendations of all jobs in input order; see `Results.recommendations`."""
        return self.results().recommendations(items, columns)

    def themes(
        self,
        items: Items | None = None,
        columns: Sequence[str] | None = None,
        *,
        threshold: float | None = limits.THEME_RELEVANCE_THRESHOLD,
        minimum_items: int = limits.THEME_MINIMUM_ITEMS,
    ) -> pd.DataFrame:
        """Return the themes of all jobs in input order; see `Results.themes`."""
        return self.results().themes(items, columns, threshold=threshold, minimum_items=minimum_items)

    def arrow(self) -> ResultsAs[pa.Table]:
        """Return the results as Arrow tables, `run.arrow().recommendations()`; see `Results.arrow`."""
        return self.results().arrow()

    def polars(self) -> ResultsAs[pl.DataFrame]:
        """Return the results as polars' frames, `run.polars().recommendations()`; see `Results.polars`."""
        return self.results().polars()

    def errors(self) -> pd.DataFrame:
        """Return the input lines that failed or got no item, and why, also of failed jobs; see `Results.errors`."""
        from personalize_nb.contract import columns as c
        from personalize_nb.results.output_files import NO_ROW

        frame = self.results().errors()
        reasons = {f"{self._label(name)}.jsonl": f"job {name!r} failed: {reason}" for name, reason in self._failures()}
        told = frame[c.FILE].map(reasons)
        frame[c.ERROR] = frame[c.ERROR].mask((frame[c.ERROR] == NO_ROW) & told.notna(), told)
        return frame

    def __len__(self) -> int:
        return sum(self._manifest.records)

    def __repr__(self) -> str:
        facts = self._described() if self._states else None  # a repr asks nobody
        size = f"{counted(len(self), 'record')} in {counted(len(self._manifest.job_names), 'job')}"
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

    def _label(self, name: str) -> str:
        return self._manifest.label(self._manifest.job_names.index(name))

    def _job(self, name: str) -> BatchInferenceJob:
        return BatchInferenceJob(self.session.arn(KIND, name), self.session)

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
        only = {"solutionVersionArn": self.request.solution_version_arn}
        entries = list(self.session.pages("list_batch_inference_jobs", "batchInferenceJobs", **only))
        self._states |= {entry["jobName"]: entry for entry in entries if entry["jobName"] in wanted}
        self._calls = self._pages = 1 + len(entries) // 100
        self._looked = True

    def _counts(self) -> tuple[int, int]:
        """Return how many jobs have ended, and of how many."""
        facts = self._described()
        return facts["done"] + facts["failed"], facts["jobs"]

    def _failures(self) -> list[tuple[str, str]]:
        ended = ((name, state) for name, state in self._states.items() if state["status"] in limits.TERMINAL)
        return [
            (name, state.get("failureReason") or f"the service gave no reason ({state['status']})")
            for name, state in ended
            if state["status"] != limits.ACTIVE
        ]

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
        described = {"name": self.name, "status": status, "records": len(self), "created": self._manifest.created}
        described |= {**counts, "others": self._room.others}
        if ended == total:
            described["ended"] = max(state["lastUpdatedDateTime"] for state in self._states.values())
        if failures:
            name, reason = failures[0]
            described["failureReason"] = (
                f"{len(failures)} of {total} jobs failed, {name!r} first: {reason} The others' results can be read; "
                "run.retry() starts those that failed again."
            )
        return described
