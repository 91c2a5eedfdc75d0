"""A dataset as CSV text that an import can read again: the way back of `csv_files`.

Text that needs it stands in double quotes, with a backslash before each double quote and backslash.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.local.data import datasets
from personalize_nb.local.data.schema import Schema

BULK, PUT, ALL = "BULK", "PUT", "ALL"
_ROWS = 65_536
_SPECIAL = r'[",\\\r\n]'


def exported_rows(root: Path, group: str, schema: Schema, mode: str) -> pa.Table:
    """Return what an export job writes.

    Parameters
    ----------
    root
        The service's folder.
    group
        Name of the dataset group.
    schema
        The dataset's schema.
    mode
        `BULK` for imported rows, `PUT` for streamed ones, `ALL` for both.
    """
    table = datasets.rows(root, group, schema, with_imported=mode != PUT, with_streamed=mode != BULK)
    return pa.table({field.name: [] for field in schema.fields}) if table is None else table


def csv_blocks(table: pa.Table) -> Iterator[bytes]:
    """Yield the CSV text of a table, its header first."""
    yield (",".join(table.column_names) + "\n").encode()
    for batch in table.to_batches(max_chunksize=_ROWS):
        if batch.num_rows:
            lines = pc.binary_join_element_wise(*(_texts(column) for column in batch.columns), ",")
            yield ("\n".join(lines.to_pylist()) + "\n").encode()


def _texts(values: pa.Array) -> pa.Array:
    texts = values.cast(pa.string())
    if pa.types.is_string(values.type):
        special = pc.fill_null(pc.match_substring_regex(texts, _SPECIAL), False)
        if pc.any(special).as_py():
            escaped = pc.replace_substring_regex(texts, r'(["\\])', r"\\\1")
            texts = pc.if_else(special, pc.binary_join_element_wise('"', escaped, '"', ""), texts)
    return pc.fill_null(texts, "")
