"""The lines of a job's input that failed, as they are in its files, to be asked again."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.results import output_files
from personalize_nb.session import s3

if TYPE_CHECKING:
    from personalize_nb.results.rows import Rows


def read(rows: Rows, without: Container[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield the lines that failed or have no row, each with the name of its file.

    A line that was answered with nothing has not failed: the same question has the same answer.

    Parameters
    ----------
    rows
        The rows of the output, and the lines of the input.
    without
        Names of input files to leave out.

    Raises
    ------
    InputError
        The input is gone or cannot be read, so that nobody knows the lines.
    """
    if not rows.failed:
        return
    if not len(rows.asked):
        raise InputError(
            f"{rows.failed:,} lines failed, and the input at {rows.source!r} cannot be read, so that they cannot be "
            "sent again; pnb.recommend() takes the ids of .errors() anew."
        )
    wanted = _places(rows)
    asked = rows.asked.select([c.FILE, c.LINE]).take(wanted)
    numbers: dict[str, set[int]] = {}
    for name, line in zip(asked.column(c.FILE).to_pylist(), asked.column(c.LINE).to_pylist(), strict=True):
        if name not in without:
            numbers.setdefault(name, set()).add(line)
    for file in output_files.input_files(rows.session, rows.source or ()):
        of_file, first = numbers.get(file.name, set()), 1
        for block in s3.line_blocks(rows.session, file.address, whole=file.size) if of_file else ():
            for line in block.removesuffix(b"\n").split(b"\n"):
                if first in of_file:
                    yield file.name, line + b"\n"
                first += 1


def _places(rows: Rows) -> np.ndarray:
    """Return the positions of the lines, in their order."""
    failed = np.flatnonzero(pc.is_valid(rows.table.column("error")).to_numpy())
    answers = np.zeros(0, np.int64) if rows.question is None else rows.question[failed]
    return np.unique(np.concatenate([answers[answers >= 0], rows.unanswered]))
