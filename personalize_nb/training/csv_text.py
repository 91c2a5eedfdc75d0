"""Typed columns become CSV in Amazon's dialect, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_ROWS = 200_000


def blocks(table: pa.Table) -> Iterator[bytes]:
    """Yield a table as CSV text, the header first."""
    yield (",".join(table.column_names) + "\n").encode()
    for start in range(0, table.num_rows, _ROWS):
        part = table.slice(start, _ROWS)
        cells = [_cells(column.combine_chunks()) for column in part.itercolumns()]
        lines = pc.binary_join_element_wise(*cells, pa.scalar(",", pa.large_string()))
        yield _joined(lines)


def _cells(column: Any) -> pa.Array:
    """Return a column as CSV text in Amazon's dialect: text in double quotes, a backslash before quotes and itself."""
    array = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    text = pc.cast(array, pa.large_string())
    if pa.types.is_string(array.type):
        text = pc.replace_substring_regex(text, r"[\r\n\t]+", " ")
        text = pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')
        quote, nothing = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
        text = pc.binary_join_element_wise(quote, text, quote, nothing)
    return pc.fill_null(text, "")


def _joined(lines: pa.Array) -> bytes:
    """Return the lines one after the other: the data buffer of their array."""
    ended = pc.binary_join_element_wise(lines, pa.scalar("\n", pa.large_string()), pa.scalar("", pa.large_string()))
    _, offsets, data = ended.buffers()
    ends = memoryview(offsets).cast("q")
    return bytes(memoryview(data)[ends[ended.offset] : ends[ended.offset + len(ended)]])
