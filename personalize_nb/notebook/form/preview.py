"""What a form shows of its input before it is sent: the first lines as a job reads them, and rows that are odd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from personalize_nb.inputs.batch import Batch
from personalize_nb.notebook.form.stored import InputInS3
from personalize_nb.text import html
from personalize_nb.text.counts import counted

if TYPE_CHECKING:
    import pandas as pd

_LINES = 5
_LONGEST = 300
_ROWS = 10


def of_batch(batch: Batch) -> html.Markup:
    """Return the first lines of a batch and what was found in its rows."""
    parts = [_lines(batch.lines(_LINES), len(batch), "record")]
    if len(batch.findings):
        parts.append(of_findings(batch.findings))
    return html.join(parts)


def of_findings(findings: pd.DataFrame) -> html.Markup:
    """Return which rows were found odd and why."""
    shown = findings.head(_ROWS)[["row", "column", "value", "problem"]]
    rows = [(row, column, _short(str(value)), problem) for row, column, value, problem in shown.itertuples(index=False)]
    note = f"{len(rows)} of {len(findings):,}" if len(rows) < len(findings) else ""
    table = html.table(rows, ("row", "column", "value", "what was found"), numeric=[0], note=note)
    return html.details(f"Which rows: {counted(len(findings), 'finding')}", table)


def of_stored(stored: InputInS3) -> html.Markup:
    """Return the first lines of input in S3, and those of them that are odd."""
    if not stored.lines:
        return html.Markup("")
    parts = [_lines(stored.lines, stored.amount.records if stored.amount else 0, "record")]
    if stored.odd:
        rows = [(number, _short(line), wrong) for number, line, wrong in stored.odd]
        parts.append(html.details("Lines that are odd", html.table(rows, ("line", "text", "what was found"), [0])))
    return html.join(parts)


def _lines(lines: Sequence[str], of: int, noun: str) -> html.Markup:
    some = f" of {counted(of, noun)}" if of > len(lines) else ""
    return html.details(
        f"The first {counted(len(lines), 'line')}{some}, as the job reads them",
        html.code("\n".join(map(_short, lines))),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"
