"""What a run has written, as Dask DataFrames: a partition for each file of output, read where it is needed.

The client lists files and reads none of them. A line that failed and was asked again is answered in a file of its own,
so that the answers of all files together are those of the run.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from personalize_nb import errors
from personalize_nb.contract import recipes
from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.distributed.tasks import needed
from personalize_nb.inputs.forms import given
from personalize_nb.jobs import runs
from personalize_nb.jobs.run import Run
from personalize_nb.resources.filter_texts import quoted
from personalize_nb.resources.filters import find_filter
from personalize_nb.resources.solutions import find_solution_version
from personalize_nb.results.output_files import input_files
from personalize_nb.results.parts import input_name, is_output
from personalize_nb.results.results import Results
from personalize_nb.session import s3, waiting
from personalize_nb.session.portable import WORKERS, PortableSession, portable
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from dask.dataframe import DataFrame

    from personalize_nb.jobs.manifests import RunPart
    from personalize_nb.jobs.request import AnyRequest
    from personalize_nb.jobs.run_results import GroupOutput
    from personalize_nb.results.titles import Items
    from personalize_nb.session.progress import Progress

_NAMES = {"userId": "u", "itemId": "i", "itemList": ["i"]}


@dataclass(frozen=True)
class OutputPart:
    """A file of output with the file of input that it answers.

    Parameters
    ----------
    output
        Where it lies; None where the job failed.
    source
        The input.
    keys
        What the recipe reads of a line.
    labels
        What tells its rows from those of other questions: columns and their values.
    reason
        Why the job failed.
    """

    output: str | None
    source: str
    keys: tuple[str, ...]
    labels: Mapping[str, str | None] = field(default_factory=dict)
    reason: str = ""

    def results(self, session: Session | None) -> Results:
        """Return what it holds."""
        reasons = {"": self.reason} if self.reason else None
        output = [] if self.output is None else self.output
        return Results(output, self.source or None, session, input_keys=lambda: self.keys, reasons=reasons)

    def labelled(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame of its rows that says which question they are of."""
        for place, (name, text) in enumerate(self.labels.items()):
            frame.insert(place, name, pd.Series([text] * len(frame), index=frame.index, dtype="str"))
        return frame


def _once(items: Items | None) -> Any:
    """Return items as they can be sent: of a generator or an open file nothing is left the second time."""
    return items if items is None or isinstance(items, Mapping) else given(items)


@dataclass(frozen=True)
class _ReadLists:
    """How recommendations are read."""

    items: Any = None
    columns: Sequence[str] | None = None

    def __call__(self, results: Results) -> pd.DataFrame:
        return results.recommendations(self.items, self.columns)

    def example(self, results: Results) -> pd.DataFrame:
        """Return the same, and say nothing of an item that is none."""
        return next(results.blocks(self.items, self.columns))


@dataclass(frozen=True)
class _ReadThemes:
    """How themes are read."""

    items: Any = None
    columns: Sequence[str] | None = None

    def __call__(self, results: Results) -> pd.DataFrame:
        return results.themes(self.items, self.columns)

    example = __call__


@dataclass(frozen=True)
class _ReadFailures:
    """How lines are read that got nothing."""

    def __call__(self, results: Results) -> pd.DataFrame:
        return results.errors()

    example = __call__


_Read: TypeAlias = "_ReadLists | _ReadThemes | _ReadFailures"


def read_part(part: OutputPart, where: PortableSession, read: _Read, shape: pd.DataFrame) -> pd.DataFrame:
    """Return one partition, with the columns and types that all have."""
    found = part.labelled(read(part.results(where.session())))
    return found.reindex(columns=shape.columns).astype(shape.dtypes.to_dict())


@public
class DistributedRun:
    """A run whose results are Dask DataFrames; all else is as of the `Run` in `.run`.

    Parameters
    ----------
    run
        The run.
    where
        Its session, as workers get it.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> run = pnb.distributed.attach("side-by-side")
    >>> run.name, run.status
    ('side-by-side', 'ACTIVE')
    >>> len(run.wait(progress=False).recommendations().compute()), len(run.retry().errors().compute())
    (8, 0)
    >>> run.themes()
    Traceback (most recent call last):
    ...
    personalize_nb.errors.NotFoundError: ...
    """

    def __init__(self, run: Run, where: PortableSession):
        self.run = run
        self._where = where

    @property
    def name(self) -> str:
        """The run's name: `pnb.distributed.attach(name)` returns it in any kernel."""
        return self.run.name

    @property
    def status(self) -> str:
        """The status of all jobs together; see `Run.status`."""
        return self.run.status

    def wait(
        self, timeout: float | None = waiting.HOURS * 24, *, progress: Progress | bool | None = None
    ) -> DistributedRun:
        """Start what waits, and wait until all jobs have ended.

        Parameters
        ----------
        timeout, progress
            As for `Run.wait`.

        Returns
        -------
        DistributedRun
            Itself.

        Raises
        ------
        FailedError
            Jobs failed; all others have ended as well.
        WaitTimeoutError
            The time limit is over; the jobs go on.
        """
        self.run.wait(timeout, progress=progress)
        return self

    def retry(self) -> DistributedRun:
        """Start the jobs that failed again; see `Run.retry`.

        Returns
        -------
        DistributedRun
            Itself.
        """
        self.run.retry()
        return self

    def recommendations(self, items: Items | None = None, columns: Sequence[str] | None = None) -> DataFrame:
        """Return all recommendations as a Dask DataFrame, a partition for each file of output; nothing is read yet.

        Texts have Dask's own type for them. What is to be told of a partition, its worker writes into its log.

        Parameters
        ----------
        items, columns
            As for `Results.recommendations`; the frame goes to every worker.

        Returns
        -------
        dask.dataframe.DataFrame
            Columns as of `Results.recommendations`.
        """
        return self._frame(_ReadLists(_once(items), columns), "read-output", self._answered())

    def themes(self, items: Items | None = None, columns: Sequence[str] | None = None) -> DataFrame:
        """Return all themes as a Dask DataFrame.

        Parameters
        ----------
        items, columns
            As for `Results.themes`; the frame goes to every worker.

        Returns
        -------
        dask.dataframe.DataFrame
            Columns as of `Results.themes`.

        Raises
        ------
        NotFoundError
            The jobs made no themes.
        """
        return self._frame(_ReadThemes(_once(items), columns), "read-themes", self._answered())

    def errors(self) -> DataFrame:
        """Return the input lines that got nothing as a Dask DataFrame, those of failed jobs too; see `Run.errors`.

        Returns
        -------
        dask.dataframe.DataFrame
            Columns as of `Results.errors`.
        """
        return self._frame(_ReadFailures(), "read-errors", self._unanswered())

    def __len__(self) -> int:
        return len(self.run)

    def __bool__(self) -> bool:
        return True  # also where nobody has counted the records

    def __repr__(self) -> str:
        return repr(self.run).replace("<Run ", "<DistributedRun ", 1)

    def _frame(self, read: _Read, name: str, found: Iterator[OutputPart]) -> DataFrame:
        with needed():
            import dask.dataframe as frames
        shape = self._shape(read)
        pieces = list(found)
        made: DataFrame = (
            frames.from_pandas(shape, npartitions=1)
            if not pieces
            else frames.from_map(
                read_part,
                pieces,
                where=self._where,
                read=read,
                shape=shape,
                meta=shape,
                label=name,
                enforce_metadata=False,
            )
        )
        return made

    def _shape(self, read: _Read) -> pd.DataFrame:
        """Return the frame without rows that has the columns of every partition: a line of each question is read."""
        frames = []
        with tempfile.TemporaryDirectory() as folder:
            for number, one in enumerate(self.run.outputs()):
                file, source = Path(folder, f"{number}.jsonl.out"), Path(folder, f"{number}.jsonl")
                line = self._example(one.request, isinstance(read, _ReadFailures))
                source.write_text(json.dumps(line["input"]) + "\n", encoding="utf-8")  # it tells of filter values
                file.write_text(json.dumps(line) + "\n", encoding="utf-8")
                part = OutputPart(str(file), str(source), self._keys(one.request), one.labels)
                frames.append(part.labelled(read.example(part.results(None))).iloc[:0])
        shape: pd.DataFrame = pd.concat(frames, ignore_index=True)
        return shape

    def _example(self, request: AnyRequest, failed: bool) -> dict[str, Any]:
        """Return a line of output as a job with this request writes it."""
        facts = recipes.recipe_of(find_solution_version(request.solution_version_arn, self.run.session).recipe)
        asked: dict[str, Any] = {key: _NAMES[key] for key in (*self._keys(request),)}
        if request.filter_arn:
            names = find_filter(request.filter_arn, self.run.session).placeholders
            if names:
                asked["filterValues"] = {name: quoted("v") for name in names}
        if failed:
            return {"input": asked, "output": None, "error": "e"}
        scores = {"scores": [0.5]} if facts is None or facts.scores else {}
        output: dict[str, Any] = {"recommendedItems": ["i"], **scores}
        if request.mode == THEME_GENERATION:
            output = {"recommendedItems": ["i"] * 9, "theme": "t", "itemsThemeRelevanceScores": [0.5] * 9}
        return {"input": asked, "output": output, "error": None}

    def _keys(self, request: AnyRequest) -> tuple[str, ...]:
        facts = recipes.recipe_of(find_solution_version(request.solution_version_arn, self.run.session).recipe)
        return tuple(facts.input_keys) if facts is not None else ("userId",)

    def _answered(self) -> Iterator[OutputPart]:
        """Yield every file of output of jobs that are done."""
        self.run.results()  # refuses a run that has none yet, and waits until what was written is listed
        for one in self.run.outputs():
            for part in one.done:
                yield from self._files(part, one, one.labels)

    def _unanswered(self) -> Iterator[OutputPart]:
        """Yield the files that may hold failures, once each: not those whose failed lines were asked again."""
        self.run.results()
        for one in self.run.outputs():
            labels = one.labels
            done = {part.job_name for part in one.done}
            covered = {name for part in one.again if part.job_name in done for name in part.covers}
            for part in one.done:
                if part.job_name not in covered:
                    yield from self._files(part, one, labels)
            for part in one.first:
                if reason := one.reason(part):
                    for file in input_files(self.run.session, part.input_path):
                        yield OutputPart(None, file.address, self._keys(one.request), labels, reason)

    def _files(self, part: RunPart, group: GroupOutput, labels: Mapping[str, str | None]) -> Iterator[OutputPart]:
        keys = self._keys(group.request)
        folder = part.input_path if part.input_path.endswith("/") else part.input_path.rpartition("/")[0] + "/"
        for file in s3.stored(self.run.session, part.output_path):
            source = folder + input_name(file.name)
            if is_output(file.name) and (folder == part.input_path or source == part.input_path):
                yield OutputPart(file.address, source, keys, labels)


@public
def attach(name: str, session: Session | None = None, credentials: str = WORKERS) -> DistributedRun:
    """Return a run by its name, from any kernel, with results that are Dask DataFrames.

    Parameters
    ----------
    name
        The run's name.
    session
        Where to look; by default that of `pnb.connect()`.
    credentials
        As for `pnb.distributed.recommend`.

    Returns
    -------
    DistributedRun
        As if it had been started here.

    Raises
    ------
    NotFoundError
        There is none.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.distributed.attach("side-by-side").status
    'ACTIVE'
    """
    found = runs.attach(name, session)
    if not isinstance(found, Run):
        raise errors.NotFoundError(
            f"{name!r} is a job, not a run: pnb.attach({name!r}) returns it, and its results are frames of pandas."
        )
    return DistributedRun(found, portable(found.session, credentials))
