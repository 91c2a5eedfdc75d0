"""Where a record of a CSV file stands: the line that an editor shows, the header's being the first."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


def place(stream: BinaryIO, record: int) -> str:
    """Name the line where a record begins, such as `line 4`.

    Blank lines are no records, and a quoted text may go over several lines, so that the number of the record alone
    would mislead who looks for it.

    Parameters
    ----------
    stream
        The file, which is read again from its start.
    record
        Its number among the records after the header, from 1.
    """
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding="latin-1", newline="")
    try:
        with _long_fields():
            found = 0
            reader = csv.reader(text, escapechar="\\")
            before = 0
            for row in reader:
                if row and found == record:
                    return f"line {before + 1}"
                found += bool(row)
                before = reader.line_num
    except csv.Error:
        # a file that this parser does not understand to the end
        pass
    finally:
        text.detach()
    return f"record {record}"


@contextmanager
def _long_fields() -> Iterator[None]:
    usual = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(usual)
