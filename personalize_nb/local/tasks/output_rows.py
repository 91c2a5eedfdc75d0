"""Output of a batch job: ranked lists to rows of compact JSON, column by column.

The text of a block is made by a handful of pyarrow kernels, whatever its number of items. Scores are written as
Amazon writes them: at most 7 decimals, no trailing zeros, Java's exponent form below 0.001.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ITEMS_LIST, USERS_LIST = "recommendedItems", "usersList"
_UNITS = 10_000_000  # scores are whole multiples of 1E-7
_LOW = 10_000  # the last four decimals; the first three are looked up apart


def java_number(value: float) -> str:
    """Write a number as Java's `Double.toString` does: `0.5`, `1.0`, `7.17E-5`."""
    number = Decimal(repr(float(value))).normalize()
    sign, digits, _ = number.as_tuple()
    text = "".join(map(str, digits))
    prefix = "-" if sign else ""
    if not value:
        return prefix + "0.0"
    point = number.adjusted() + 1  # digits before the decimal point
    if -3 < point <= 7:
        if point <= 0:
            return f"{prefix}0.{'0' * -point}{text}"
        text = text.ljust(point, "0")
        return f"{prefix}{text[:point]}.{text[point:] or '0'}"
    return f"{prefix}{text[0]}.{text[1:] or '0'}E{point - 1}"


@cache
def _score_tables() -> tuple[pa.Array, pa.Array]:
    """First three and last four decimals as text.

    The first table holds the beginnings that more decimals follow, then those that end there. The second holds the
    decimals that follow, then the whole numbers below 0.001, whose beginning is empty.
    """
    open_ended = ["", *(f"0.{high:03d}" for high in range(1, 1000)), "1.000"]
    closed = ["", *(java_number(high / 1000) for high in range(1, 1001))]
    following = ["", *(f"{low:04d}".rstrip("0") for low in range(1, _LOW))]
    alone = [java_number(low / _UNITS) for low in range(_LOW)]
    return pa.array(open_ended + closed), pa.array(following + alone)


def score_texts(scores: pa.Array) -> pa.Array:
    """Write scores in Amazon's format; a missing one is `null`."""
    values = pc.fill_null(scores.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
    units = np.rint(values * _UNITS)
    usual = (units >= 0) & (units <= _UNITS)
    high, low = np.divmod(np.where(usual, units, 0).astype(np.int32), _LOW)
    beginnings, endings = _score_tables()
    texts = pc.binary_join_element_wise(
        beginnings.take(pa.array(high + 1001 * (low == 0))), endings.take(pa.array(low + _LOW * (high == 0))), ""
    )
    if usual.all():
        return texts
    others = ["null" if np.isnan(value) else java_number(round(value, 7)) for value in values[~usual].tolist()]
    return pc.replace_with_mask(texts, pa.array(~usual), pa.array(others, pa.string()))


def _json_list(lists: pa.ListArray, values: pa.Array, opening: str, separator: str, closing: str) -> pa.Array:
    """Join each list's texts to a JSON array."""
    first = lists.offsets[0]
    joined = pc.binary_join(pa.ListArray.from_arrays(pc.subtract(lists.offsets, first), values), separator)
    filled = pc.binary_join_element_wise(opening, joined, closing, "")
    empty = pc.equal(pc.list_value_length(lists), 0)
    return pc.if_else(empty, "[]", filled) if pc.any(empty).as_py() else filled


def id_lists(lists: pa.ListArray) -> pa.Array:
    """Write each list of IDs as a JSON array of strings."""
    ids = lists.flatten().cast(pa.string())
    if _is_plain(ids):
        return _json_list(lists, ids, '["', '","', '"]')
    distinct = ids.dictionary_encode()
    quoted = pa.array([json.dumps(text, ensure_ascii=False) for text in distinct.dictionary.to_pylist()], pa.string())
    return _json_list(lists, quoted.take(distinct.indices), "[", ",", "]")


def _is_plain(ids: pa.StringArray) -> bool:
    """Tell whether JSON needs no escapes for these texts, by their bytes."""
    if not len(ids):
        return True
    _, _, data = ids.buffers()
    start, end = _bounds(ids)
    content = np.frombuffer(data, np.uint8)[start:end] if data is not None else np.empty(0, np.uint8)
    return not ((content < 0x20) | (content == ord('"')) | (content == ord("\\"))).any()


def _bounds(texts: pa.StringArray) -> tuple[int, int]:
    offsets = np.frombuffer(texts.buffers()[1], np.int32)
    return int(offsets[texts.offset]), int(offsets[texts.offset + len(texts)])


def good_rows(
    inputs: pa.StringArray, items: pa.ListArray, scores: pa.ListArray | None, member: str = ITEMS_LIST
) -> pa.StringArray:
    """Make the rows of answered lines, each with its newline.

    Parameters
    ----------
    inputs
        What each row echoes, as JSON text.
    items, scores
        One list per row, best first; None for recipes without scores.
    member
        What the output calls the list.
    """
    parts = ['{"input":', inputs, f',"output":{{"{member}":', id_lists(items)]
    if scores is not None:
        parts += [',"scores":', _json_list(scores, score_texts(scores.flatten()), "[", ",", "]")]
    return pc.binary_join_element_wise(*parts, '},"error":null}\n', "")


def theme_row(echo: str, items: list[str], theme: str, relevance: list[float]) -> str:
    """Make the row of one themed line; relevance scores carry nine significant digits."""
    numbers = ",".join(java_number(float(f"{score:.9g}")) for score in relevance)
    return (
        f'{{"input":{echo},"output":{{"recommendedItems":{_dumps(items)},"theme":{_dumps(theme)},'
        f'"itemsThemeRelevanceScores":[{numbers}]}},"error":null}}\n'
    )


def error_row(echo: str, text: str, member: str = ITEMS_LIST) -> str:
    """Make the row of a line that could not be answered."""
    return f'{{"input":{echo},"output":{{"{member}":[]}},"error":{_dumps(f"User error: {text}")}}}\n'


def merge(
    good: pa.StringArray | None, inputs: pa.StringArray, errors: Mapping[int, str], member: str = ITEMS_LIST
) -> pa.StringArray:
    """Put the rows of answered lines and of errors into input order."""
    if not errors:
        return good
    failed = np.array(sorted(errors), dtype=np.int64)
    echoes = inputs.take(pa.array(failed)).to_pylist()
    pairs = zip(echoes, failed.tolist(), strict=True)
    bad = pa.array([error_row(echo, errors[row], member) for echo, row in pairs])
    if good is None:
        return bad
    answered = np.setdiff1d(np.arange(len(inputs)), failed)
    return pa.concat_arrays([good, bad]).take(pa.array(np.argsort(np.concatenate([answered, failed]))))


def row_bytes(rows: pa.StringArray) -> memoryview:
    """Return the text of all rows, without copying it."""
    start, end = _bounds(rows)
    return memoryview(rows.buffers()[2])[start:end] if end > start else memoryview(b"")


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
