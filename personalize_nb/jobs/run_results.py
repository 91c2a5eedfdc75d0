"""What the jobs of a run wrote, as one: of each group the parts together, of several groups side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs import written
from personalize_nb.jobs.batch_job import input_keys
from personalize_nb.jobs.manifests import Manifest, RunPart
from personalize_nb.session import s3
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.results.results import Results


class GroupOutput:
    """Where one group of a run has its input and output, and what became of its jobs.

    Parameters
    ----------
    manifest
        The run.
    group
        The group's number.
    failures
        Why jobs failed, by their names.
    ended
        The names of jobs that are done, failed or not.
    session
        Where it ran.
    """

    def __init__(
        self, manifest: Manifest, group: int, failures: Mapping[str, str], ended: Collection[str], session: Session
    ):
        self.request, self.labels = manifest.groups[group].request, manifest.groups[group].labels
        self._manifest, self._group, self._session = manifest, group, session
        self._failures = failures
        parts = [one for one in manifest.parts if one.group == group]
        self.first = [one for one in parts if not one.covers]
        self.again = [one for one in parts if one.covers]
        self._done = {name for name in ended if name not in failures}

    @property
    def done(self) -> list[RunPart]:
        """The parts that wrote something, later attempts at failed lines behind the first ones."""
        return [one for one in (*self.first, *self.again) if one.job_name in self._done]

    @property
    def failed_again(self) -> bool:
        """Whether a job failed that asks failed lines again: they are its own until it is done."""
        return any(one.job_name in self._failures for one in self.again)

    @property
    def failed_files(self) -> set[str]:
        """The names of the input files of jobs that failed; an empty one stands for all of a folder."""
        return set(self._reasons())

    def results(self, ended: datetime, sleep: Callable[[float], object], *, gone_is_told: bool = False) -> Results:
        """Return what the group's jobs wrote; the lines of jobs that failed are among the errors.

        Parameters
        ----------
        ended
            When the run ended.
        sleep
            What waits for output that is not there yet.
        gone_is_told
            Whether lines whose output is gone are among the errors as well, where all of the group's is.
        """
        from personalize_nb.results.results import Results  # pandas and pyarrow, not needed to start or watch a run

        outputs, inputs = self._places()
        if outputs:
            written.await_output(self._session, outputs, inputs, ended, sleep, self.failed_files)
        gone = self._gone(outputs, inputs) if gone_is_told and outputs else ""
        if gone:
            outputs = []
        later = [one for one in self.again if one.job_name in self._done]
        for one in later:
            written.await_output(self._session, one.output_path, one.input_path, ended, sleep)
        covered = {name for one in later for name in one.covers}
        return Results(
            [*([outputs] if isinstance(outputs, str) else outputs), *(one.output_path for one in later)]
            if later or not outputs
            else outputs,
            inputs,
            self._session,
            input_keys=lambda: input_keys(self.request, self._session),
            superseded=[_own_output(one) for one in self.done if one.job_name in covered],
            reasons=self._reasons(gone),
        )

    def _gone(self, outputs: str | list[str], inputs: str | list[str]) -> str:
        """Return why there is no output at all, nothing where there is any."""
        from personalize_nb.results.output_files import output_files

        try:
            output_files(self._session, outputs, inputs)
        except errors.NotFoundError as error:
            return str(error)
        return ""

    def reason(self, part: RunPart) -> str:
        """Return why the job of a part failed; nothing where it did not."""
        why = self._failures.get(part.job_name)
        return "" if why is None else f"job {part.job_name!r} failed: {why}"

    def _reasons(self, gone: str = "") -> dict[str, str]:
        """Return why there is no output, by the names of input files; of all jobs, where that of all is gone."""
        told = {
            one: self.reason(one) or f"job {one.job_name!r} is done, and its output is gone: {gone}"
            for one in self.first
            if gone or one.job_name in self._failures
        }
        return {name: why for one, why in told.items() for name in self._files(one)}

    def _files(self, part: RunPart) -> list[str]:
        """Return the names of a part's input files: of its folder, where it is one of several and may be listed."""
        if not _file(part) and len(self.first) > 1:
            try:
                return [one.name for one in s3.stored(self._session, part.input_path)]
            except errors.AccessError:
                pass
        return [_file(part)]

    def _places(self) -> tuple[str | list[str], str | list[str]]:
        """Return where output and input lie: two folders; each file by its name for those who may not list them."""
        done = [one for one in self.first if one.job_name in self._done]
        if not done:
            return [], [one.input_path for one in self.first]
        if len(self.first) == 1:
            return self.first[0].output_path, self.first[0].input_path
        folders = self.request.output_path, self.request.input_path
        try:
            for folder in folders:
                s3.stored(self._session, folder)
        except errors.AccessError:
            return [f"{one.output_path}{_file(one)}.out" for one in done], [one.input_path for one in self.first]
        return folders


def _file(part: RunPart) -> str:
    return part.input_path.rpartition("/")[2]


def _own_output(part: RunPart) -> str:
    """Return what the addresses of a part's output begin with; its folder may hold other jobs' as well."""
    return f"{part.output_path.rstrip('/')}/{_file(part)}"


def reasons(states: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return why jobs failed, by their names, of states by names."""
    return {
        name: state.get("failureReason") or f"the service gave no reason ({state['status']})"
        for name, state in states.items()
        if state["status"] in limits.TERMINAL and state["status"] != limits.ACTIVE
    }
