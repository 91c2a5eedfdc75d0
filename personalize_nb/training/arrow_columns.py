"""Columns of Arrow's types as pandas can work with them: every value exact, or refused with its rows.

pandas makes floats of a list of whole numbers with a gap, gives up on views and narrow decimals, and trusts the bytes
of others' files to be UTF-8. So lists become Python's own here, and texts and moments are looked at first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings

_NO_UTF8 = (
    "the text is not valid UTF-8, as of a file in another encoding; read the file again with its own, for example "
    "encoding='latin-1'"
)
_NO_YEAR = "the time lies beyond the years 1 to 9999, as a unit mistaken for another makes it; give it in its own unit"
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # what Python's datetimes hold, in epoch seconds
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def readable(series: pd.Series, column: str, findings: Findings) -> pd.Series:
    """Return a column that holds the same values in a type that pandas works with; others as they are.

    Parameters
    ----------
    series
        Any column.
    column
        Its name in findings.
    findings
        Receives texts that are no UTF-8, and moments that no calendar has.

    Raises
    ------
    InputError
        It holds lists of what is no value of a schema, or of what Python cannot hold.
    """
    if not isinstance(series.dtype, pd.ArrowDtype):
        return series
    array = _unpacked(pa.chunked_array(pa.array(series.array)))
    if pa.types.is_interval(_leaf(array.type)) and is_list(array.type):
        raise InputError(f"Column {column!r} holds lists of calendar intervals, which no schema takes: give numbers.")
    if is_list(array.type):
        return pd.Series(_lists(array, column, findings), index=series.index, name=series.name, dtype=object)
    if is_text(array.type):
        array = _valid(array, column, findings)
    elif pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        array = _within(array, column, findings)
    return pd.Series(pd.arrays.ArrowExtensionArray(array), index=series.index, name=series.name)


def elements(array: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return values as Python's own; short floats with the few digits that they have."""
    array = _unpacked(array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array]))
    short = {pa.float32(): np.float32, pa.float16(): np.float16}.get(_leaf(array.type))
    values: list[Any] = array.to_pylist()
    return _mapped(values, short) if short is not None else values


def is_list(kind: pa.DataType) -> bool:
    """Tell a type of lists, of any of Arrow's layouts."""
    types = pa.types
    tests = (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_list_view, types.is_large_list_view)
    return any(test(kind) for test in tests)


def is_text(kind: pa.DataType) -> bool:
    """Tell a type of texts."""
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def is_bytes(kind: pa.DataType) -> bool:
    """Tell a type of bytes."""
    types = pa.types
    tests = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def _unpacked(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return an array without what only says how its values are kept."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _unpacked(pa.chunked_array([chunk.storage for chunk in array.chunks], kind.storage_type))
    if pa.types.is_run_end_encoded(kind):
        return _unpacked(pa.chunked_array([pc.run_end_decode(chunk) for chunk in array.chunks], kind.value_type))
    if pa.types.is_dictionary(kind):
        whole = _whole_type(kind.value_type)
        return _unpacked(
            pa.chunked_array([chunk.dictionary.cast(whole).take(chunk.indices) for chunk in array.chunks], whole)
        )
    whole = _whole_type(kind)
    return array if whole == kind else array.cast(whole)


def _whole_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of the same values without views, for which Arrow has few functions."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def _leaf(kind: pa.DataType) -> pa.DataType:
    while is_list(kind):
        kind = kind.value_type
    return kind


def _mapped(values: Any, change: Any) -> Any:
    """Return values, at any depth of lists, changed."""
    if isinstance(values, list):
        return [_mapped(one, change) for one in values]
    return None if values is None else change(values)


def _lists(array: pa.ChunkedArray, column: str, findings: Findings) -> list[Any]:
    try:
        return elements(array)
    except UnicodeDecodeError:
        cells, wrong = [], np.zeros(len(array), bool)
        for row, cell in enumerate(array):
            try:
                cells.append(cell.as_py())
            except UnicodeDecodeError:
                wrong[row] = True
                cells.append(None)
        findings.error(wrong, column, cells, _NO_UTF8)
        return cells
    except (pa.ArrowException, OverflowError, ValueError) as error:
        raise InputError(
            f"Column {column!r} holds lists ({array.type}) that cannot be read: {error}. Give texts or numbers."
        ) from error


def _valid(array: pa.ChunkedArray, column: str, findings: Findings) -> pa.ChunkedArray:
    """Return texts, those that are no UTF-8 found and missing."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        contents = array.cast(pa.large_binary()).to_pylist()
        texts = [None if one is None else _decoded(one) for one in contents]
        wrong = np.array([one is not None and text is None for one, text in zip(contents, texts, strict=True)], bool)
        findings.error(wrong, column, contents, _NO_UTF8)
        return pa.chunked_array([pa.array(texts, pa.large_string())])
    return array


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _within(array: pa.ChunkedArray, column: str, findings: Findings) -> pa.ChunkedArray:
    """Return moments, those beyond Python's calendar found and missing."""
    kind = array.type
    if pa.types.is_date(kind):
        days = pa.types.is_date32(kind)
        numbers = array.cast(pa.int32()).cast(pa.int64()) if days else array.cast(pa.int64())
        first, last = (_FIRST // 86_400, _LAST // 86_400) if days else (_FIRST * 1000, _LAST * 1000)
    else:
        numbers, per_second = array.cast(pa.int64()), _PER_SECOND[kind.unit]
        first, last = max(_FIRST * per_second, -(2**63)), min(_LAST * per_second, 2**63 - 1)
    wrong = pc.fill_null(pc.or_(pc.less(numbers, first), pc.greater(numbers, last)), False)
    if not pc.any(wrong).as_py():
        return array
    findings.error(wrong, column, numbers, _NO_YEAR)
    return pc.if_else(wrong, pa.scalar(None, kind), array)
