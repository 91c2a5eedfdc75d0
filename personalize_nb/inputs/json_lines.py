"""JSON lines of job input, written column by column with Arrow.

The text of a whole block is one string array whose data buffer is the file's content: no Python loop over records.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c

ROWS = 200_000
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


def encoded(table: pa.Table, rows: int = ROWS) -> Iterator[memoryview]:
    """Yield the records as UTF-8 JSON lines, block by block.

    Parameters
    ----------
    table
        Columns `user_id`, `item_id`, `item_list` and, for filter values, `$NAME`; a null filter value is left out.
    rows
        Records per block.
    """
    for start in range(0, table.num_rows, rows):
        yield _buffer(_lines(table.slice(start, rows).combine_chunks()))


def _lines(table: pa.Table) -> pa.Array:
    parts: list[pa.Array | str] = ["{"]
    for place, name in enumerate(name for name in table.column_names if not name.startswith("$")):
        column = _chunk(table, name)
        value = _json_list(column) if pa.types.is_list(column.type) else _json_string(column)
        parts += [f'{"," if place else ""}"{c.JSON_NAMES[name]}":', value]
    values = [name for name in table.column_names if name.startswith("$")]
    if values:
        members = [_join([f",{json.dumps(name[1:])}:", _json_string(_chunk(table, name))]) for name in values]
        text = _join([pc.fill_null(member, "") for member in members])
        inner = pc.utf8_slice_codeunits(text, 1)  # without the first comma
        parts.append(pc.if_else(pc.equal(text, _large("")), _large(""), _join([',"filterValues":{', inner, "}"])))
    return _join([*parts, "}\n"])


def _join(parts: list[pa.Array | str]) -> pa.Array:
    return pc.binary_join_element_wise(*(_large(part) for part in parts), _large(""))


def _large(part: pa.Array | str) -> pa.Array | pa.Scalar:
    return pa.scalar(part, pa.large_string()) if isinstance(part, str) else part


def _chunk(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    array = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    return array if pa.types.is_list(array.type) else pc.cast(array, pa.large_string())


def _json_string(array: pa.Array) -> pa.Array:
    """Return JSON texts of strings; only those with a character that JSON escapes pass through Python."""
    special = pc.fill_null(pc.match_substring_regex(array, _NEEDS_ESCAPE), False)
    plain = _join(['"', array, '"'])
    if not pc.any(special).as_py():
        return plain
    escaped = [json.dumps(text, ensure_ascii=False) for text in array.filter(special).to_pylist()]
    return pc.replace_with_mask(plain, special, pa.array(escaped, pa.large_string()))


def _json_list(array: pa.ListArray) -> pa.Array:
    flat = _json_string(pc.cast(array.flatten(), pa.large_string()))
    lengths = pc.list_value_length(array).to_numpy(zero_copy_only=False)
    offsets = pa.array([0, *lengths.cumsum().tolist()], pa.int32())
    return _join(["[", pc.binary_join(pa.ListArray.from_arrays(offsets, flat), _large(",")), "]"])


def _buffer(lines: pa.Array) -> memoryview:
    """Return the data buffer of a string array: the lines one after the other."""
    if not len(lines):
        return memoryview(b"")
    _, offsets, data = lines.buffers()
    ends = memoryview(offsets).cast("q")
    return memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]]
