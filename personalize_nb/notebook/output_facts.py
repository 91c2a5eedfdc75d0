"""What a receipt tells of the output of a job or run that has ended: how many lines were answered, and the first rows.

A receipt may be shown often and must never cost much: output that is small is read and counted, of all other the
beginning is read. It is shown also where the output may not be read, or is gone, or is not what a job writes.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from personalize_nb.contract import limits
from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.jobs.run import Run
from personalize_nb.results import output_files
from personalize_nb.session import progress, s3
from personalize_nb.text import html
from personalize_nb.text.counts import counted, size
from personalize_nb.text.redact import redact

if TYPE_CHECKING:
    import pandas as pd

    from personalize_nb.results.results import Results
    from personalize_nb.results.side_by_side import SideBySide
    from personalize_nb.session.session import Session

log = logging.getLogger(__name__)

MOST_BYTES = 8 << 20  # of input and output together, that are read to be counted
MOST_JOBS = 20  # of a run: each of them has to be listed
ROWS = 5
_BEGINNING = 64 << 10  # bytes, of output that is too large to be counted
_WIDEST = 60  # characters of a cell


@dataclass(frozen=True)
class OutputFacts:
    """What was found in an output.

    Parameters
    ----------
    lines
        How many input lines were answered, failed and were answered with nothing, in words; or why that is not known.
    failure
        Why the first line failed, where one did.
    columns, rows
        The first rows, as texts that tell no account and no bucket.
    """

    lines: str = ""
    failure: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    LABELS: ClassVar[tuple[str, ...]] = ("Lines", "First failure")

    @property
    def facts(self) -> dict[str, str]:
        """Lines of a receipt, by the `LABELS`."""
        return {label: text for label, text in zip(self.LABELS, (self.lines, self.failure), strict=True) if text}

    @property
    def table(self) -> html.Markup:
        """The first rows as a table; nothing where there are none."""
        return html.table(self.rows, self.columns, note=self._note) if self.rows else html.Markup("")

    @property
    def text(self) -> str:
        """The first rows as text."""
        if not self.rows:
            return ""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (self.columns, *self.rows)]
        return "\n".join([*lines, self._note])

    @property
    def _note(self) -> str:
        return (
            "The first row of the output" if len(self.rows) == 1 else f"The first {len(self.rows)} rows of the output"
        )


def found(job: BatchJob | Run) -> OutputFacts:
    """Return what there is to tell of the output; nothing while the job goes on, or where it cannot be read.

    Parameters
    ----------
    job
        The job or run.
    """
    try:
        with progress.showing(False):  # nobody asked for words about it
            return _found(job)
    except Exception as error:  # whatever the output holds: how the job stands is told all the same
        log.info("the output of %s is not shown: %s", job.name, error)
        return OutputFacts()


def _found(job: BatchJob | Run) -> OutputFacts:
    described = job.describe()
    if isinstance(job, Run):
        if described["status"] not in limits.TERMINAL or not described["done"]:
            return OutputFacts()
        if described["jobs"] > MOST_JOBS:
            return OutputFacts(f"not counted here: {described['jobs']:,} jobs wrote them; {_counting(job)} counts")
        places = [(part.output_path, part.input_path) for one in job.outputs() for part in one.done]
    else:
        if described["status"] != limits.ACTIVE:
            return OutputFacts()
        places = [(job.request.output_path, job.request.input_path)]
    written = [one for out, source in places for one in output_files.output_files(job.session, out, source)]
    read = [one for _, source in places for one in output_files.input_files(job.session, source)]
    if sum(one.size for one in (*written, *read)) <= MOST_BYTES:
        return _counted(job)
    whole = size(sum(one.size for one in written))
    told = f"not counted here: {counted(len(written), 'file')} of {whole}; {_counting(job)} counts"
    columns, rows = _beginning(job.session, written)
    return OutputFacts(told, columns=columns, rows=rows)


def _counting(job: BatchJob | Run) -> str:
    return f"pnb.attach({job.name!r}).errors()"


def _counted(job: BatchJob | Run) -> OutputFacts:
    results = job.results(sleep=lambda seconds: None)  # who looks at a receipt does not wait for S3
    told = f"{results.answered:,} answered, {results.failed:,} failed, {results.empty:,} empty"
    failure = ""
    if results.failed or results.empty:
        failure = _short(str(results.errors()["error"].iloc[0]), 4 * _WIDEST)
    return OutputFacts(told, failure, *_first_rows(results))


def _beginning(session: Session, written: Sequence[s3.Stored]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    from personalize_nb.results.reading import read_results  # pandas and Arrow, not needed while a job goes on

    first = max(written, key=lambda one: one.size)
    whole, _, _ = s3.beginning(session, first.address, _BEGINNING).rpartition(b"\n")
    return _first_rows(read_results(io.BytesIO(whole + b"\n")))


def _first_rows(results: Results | SideBySide) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    if not results.answered:
        frame: pd.DataFrame = results.errors()
    elif results.has_themes:
        frame = results.themes(threshold=None, minimum_items=0)
    else:
        frame = next(iter(results.blocks(rows=len(results))))
    rows = frame.head(ROWS).astype(object)
    columns = tuple(_short(str(name), _WIDEST) for name in rows.columns)
    return columns, tuple(tuple(map(_cell, row)) for row in rows.itertuples(index=False))


def _cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else _short(str(value), _WIDEST)


def _short(text: str, most: int) -> str:
    """Return a text for a cell: masked, on one line, and not without end."""
    shown = redact("".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text[: 10 * most]))
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
