"""JSON lines of job input, written column by column with Arrow.

The text of a whole block is one string array whose data buffer is the file's content: no Python loop over records. What
stands between two ids, the end of one line and the begin of the next, is one text; where records have filter values,
there is such a text for each combination of values that occurs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.inputs import distinct, text_bytes

ROWS = 1 << 17


def encoded(table: pa.Table, rows: int = ROWS) -> Iterator[bytes | memoryview]:
    """Yield the records as UTF-8 JSON lines, piece by piece.

    Parameters
    ----------
    table
        A column `user_id` or `item_id`, then perhaps `item_list`, and columns `$NAME` of filter values, whose texts are
        a dictionary; a null filter value is left out.
    rows
        Records per block.
    """
    key, *others = table.column_names
    begin = f'{{"{c.JSON_NAMES[key]}":"'
    for start in range(0, table.num_rows, rows):
        block = table.slice(start, rows)
        ids = escaped(_large(block.column(key)))
        yield begin.encode()
        if others:
            ends = _ends(block.select(others), "}\n" + begin)
            yield _buffer(_joined(ids, ends))[: -len(begin.encode())]
        else:
            whole = pa.LargeListArray.from_arrays(pa.array([0, len(ids)], pa.int64()), ids)
            yield _buffer(pc.binary_join(whole, _text('"}\n' + begin)))
            yield b'"}\n'


def escaped(texts: pa.Array) -> pa.Array:
    r"""Return texts as they stand within the quotes of JSON.

    Examples
    --------
    >>> escaped(pa.array(['a"b', "c"])).to_pylist()
    ['a\\"b', 'c']
    """
    for character in text_bytes.special(texts):
        texts = pc.replace_substring(texts, character, json.dumps(character)[1:-1])
    return texts


def _ends(block: pa.Table, between: str) -> pa.Array:
    """Return what follows the id in each line, with the begin of the next line."""
    closing, parts = '"', []
    for name in block.column_names:
        if not name.startswith("$"):
            parts += [f'{closing},"{c.JSON_NAMES[name]}":["', _items(text_bytes.one_array(block.column(name)))]
            closing = '"]'
    values = block.select([name for name in block.column_names if name.startswith("$")])
    if not values.column_names:
        return _joined(*parts, closing + between)
    found = distinct.together(distinct.firsts(column) for column in values.columns)
    rows, places = distinct.numbered(found)
    ends = _joined(closing, _values(values.take(pa.array(rows))), between)
    ends = ends if len(rows) == len(found) else ends.take(pa.array(places))
    return _joined(*parts, ends) if parts else ends


def _items(lists: pa.ListArray) -> pa.Array:
    """Return the items of each list, with what stands between two of them."""
    items = escaped(_large(lists.flatten()))
    return pc.binary_join(pa.LargeListArray.from_arrays(_places(lists), items), _text('","'))


def _places(lists: pa.ListArray) -> pa.Array:
    places = lists.offsets.cast(pa.int64())
    return pc.subtract(places, places[0])


def _values(values: pa.Table) -> pa.Array:
    """Return the member of filter values of each record, after a comma; nothing where all are missing."""
    members = [
        _joined(f',{json.dumps(name[1:])}:"', escaped(_large(values.column(name))), '"') for name in values.column_names
    ]
    text = _joined(*(pc.fill_null(member, "") for member in members))
    inner = pc.utf8_slice_codeunits(text, 1)  # without the first comma
    return pc.if_else(pc.equal(text, _text("")), _text(""), _joined(',"filterValues":{', inner, "}"))


def _joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*(_text(part) if isinstance(part, str) else part for part in parts), _text(""))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _large(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return pc.cast(text_bytes.one_array(column), pa.large_string())


def _buffer(lines: pa.Array) -> memoryview:
    """Return the data buffer of a string array: the lines one after the other."""
    _, offsets, data = lines.buffers()
    ends = memoryview(offsets).cast("q")
    return memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]]
