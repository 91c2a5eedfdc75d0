"""JSON lines of job input, written column by column with Arrow.

The text of a whole block is one string array whose data buffer is the file's content: no Python loop over records. What
stands between two ids, the end of one line and the begin of the next, is one text; where records have filter values,
there is such a text for each combination of values that occurs. Texts become JSON's before they are put together, and
only where they have a character that needs it.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.inputs import distinct, text_bytes

ROWS = 1 << 17
_AHEAD = 2  # blocks that are made while one is written
# what stands in each line: a text of its own, one of a few, or the same in all
_Part: TypeAlias = "pa.Array | tuple[pa.Array, np.ndarray] | str"


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
    blocks = (table.slice(start, rows) for start in range(0, table.num_rows, rows))
    if table.num_rows <= rows:
        for block in blocks:
            yield from _block(block)
        return
    with ThreadPoolExecutor(_AHEAD) as pool:  # Arrow works beside Python
        made: deque[Future[list[bytes | memoryview]]] = deque()
        for block in blocks:
            made.append(pool.submit(_block, block))
            if len(made) > _AHEAD:
                yield from made.popleft().result()
        while made:
            yield from made.popleft().result()


def _block(block: pa.Table) -> list[bytes | memoryview]:
    key, *others = block.column_names
    begin = f'{{"{c.JSON_NAMES[key]}":"'
    ids = escaped(_large(block.column(key)))
    if others:
        lines = _buffer(_woven([ids, *_rest(block.select(others), "}\n" + begin)]))
        return [begin.encode(), lines[: -len(begin)]]
    whole = pa.LargeListArray.from_arrays(pa.array([0, len(ids)], pa.int64()), ids)
    return [begin.encode(), _buffer(pc.binary_join(whole, _text('"}\n' + begin))), b'"}\n']


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


def _rest(block: pa.Table, between: str) -> list[_Part]:
    """Return what follows the id in each line, with the begin of the next line."""
    closing, parts = '"', []
    for name in block.column_names:
        if not name.startswith("$"):
            parts += [f'{closing},"{c.JSON_NAMES[name]}":["', _items(text_bytes.one_array(block.column(name)))]
            closing = '"]'
    values = block.select([name for name in block.column_names if name.startswith("$")])
    if not values.column_names:
        return [*parts, closing + between]
    combined, places = _combined(values)
    return [*parts, (text_bytes.joined(closing, _values(combined), between), places)]


def _combined(values: pa.Table) -> tuple[pa.Table, np.ndarray]:
    """Return combinations of values, all that occur among them, and the place of each row's."""
    columns = [text_bytes.one_array(column) for column in values.columns]
    sizes = [len(column.dictionary) + 1 for column in columns]  # with the one that is missing
    indices = [
        pc.fill_null(column.indices, size - 1).to_numpy(zero_copy_only=False)
        for column, size in zip(columns, sizes, strict=True)
    ]
    if math.prod(sizes) <= values.num_rows // 2:
        every = np.unravel_index(np.arange(math.prod(sizes)), sizes)
        known = [
            column.dictionary.take(pa.array(one, mask=one == size - 1))
            for column, size, one in zip(columns, sizes, every, strict=True)
        ]
        return pa.table(known, values.column_names), np.ravel_multi_index(indices, sizes)
    rows, places = distinct.numbered(distinct.together(map(distinct.firsts_of_numbers, indices)))
    return values.take(pa.array(rows)), places


def _woven(parts: list[_Part]) -> pa.Array:
    """Return the texts of all parts, row by row, one after the other."""
    known, places, size = [], [], 0
    rows = max(len(part) for part in parts if isinstance(part, pa.Array))
    for part in parts:
        texts, own = (
            part
            if isinstance(part, tuple)
            else (pa.array([part], pa.large_string()), np.zeros(rows, np.int64))
            if isinstance(part, str)
            else (part, np.arange(rows))
        )
        known.append(texts)
        places.append(own + size)
        size += len(texts)
    return pc.take(pa.concat_arrays(known), pa.array(np.stack(places, axis=1).ravel()), boundscheck=False)


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
        text_bytes.joined(f',{json.dumps(name[1:])}:"', escaped(_large(values.column(name))), '"')
        for name in values.column_names
    ]
    text = text_bytes.joined(*(pc.fill_null(member, "") for member in members))
    inner = pc.utf8_slice_codeunits(text, 1)  # without the first comma
    return pc.if_else(pc.equal(text, _text("")), _text(""), text_bytes.joined(',"filterValues":{', inner, "}"))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _large(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return pc.cast(text_bytes.one_array(column), pa.large_string())


def _buffer(lines: pa.Array) -> memoryview:
    """Return the data buffer of a string array: the lines one after the other."""
    _, offsets, data = lines.buffers()
    ends = memoryview(offsets).cast("q")
    return memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]]
