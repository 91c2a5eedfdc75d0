"""The values of a column, each once: what is done about a value is done for few of them and not in each row.

Values are told apart by what memory holds of them, never by whether Python finds them equal: True is not 1, and 0.0 is
not -0.0. Where a column has no such form, each row has a value of its own.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.inputs import distinct, text_bytes
from personalize_nb.text.elements import elements

_OF_PANDAS = (pd.Series, pd.Index)
_KINDS = "biufmM"  # numpy's kinds whose values are numbers of a fixed size, in memory


def known(column: Any) -> tuple[Any, np.ndarray]:
    """Return the values of a series or array of any library as they come, and each row's place among them.

    Examples
    --------
    >>> values, places = known(pd.Series(["x", "y", "x"]))
    >>> values.tolist(), places.tolist()
    (['x', 'y'], [0, 1, 0])
    """
    if hasattr(type(column), "__arrow_c_stream__") and not isinstance(column, _OF_PANDAS):
        with suppress(Exception):  # another library's code; a series of objects that Arrow does not know is a list
            column = pa.chunked_array(column)
            if pa.types.is_string_view(column.type):  # which Arrow does not take rows of
                column = column.cast(pa.large_string())
    found = _firsts(column)
    if found is None:
        return column, np.arange(len(column))
    rows, places = distinct.numbered(found)
    return _at(column, rows), places


def taken(values: Any, rows: np.ndarray) -> list[Any]:
    """Return values of some rows as Python's."""
    return elements(values if len(rows) == len(values) else _at(values, rows))


def _at(values: Any, rows: np.ndarray) -> Any:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.take(pa.array(rows))
    return values.iloc[rows] if isinstance(values, pd.Series) else values[rows]


def _firsts(column: Any) -> np.ndarray | None:
    """Return the first row with the value of each row; None where values cannot be told apart so."""
    if type(column) is np.ndarray:
        return _firsts_of_numpy(column)
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return _firsts_of_arrow(column)
    return _firsts_of_pandas(column) if isinstance(column, _OF_PANDAS) else None


def _firsts_of_pandas(column: pd.Series | pd.Index) -> np.ndarray | None:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return distinct.firsts_of_numbers(pd.Categorical(column).codes)
    if isinstance(dtype, np.dtype) and dtype.kind in _KINDS:
        return _firsts_of_numpy(column.to_numpy())
    if isinstance(dtype, pd.ArrowDtype):
        return _firsts_of_arrow(pa.array(column))
    is_text = isinstance(dtype, pd.StringDtype) or (
        pd.api.types.is_object_dtype(dtype) and pd.api.types.infer_dtype(column, skipna=True) == "string"
    )
    if not is_text:
        return None
    try:
        return _firsts_of_arrow(pa.array(column, pa.large_string(), from_pandas=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return None


def _firsts_of_arrow(column: pa.Array | pa.ChunkedArray) -> np.ndarray | None:
    array, kind = text_bytes.one_array(column), column.type
    if pa.types.is_dictionary(kind):
        indices = array.indices
        return distinct.firsts_of_numbers(indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        texts = array.cast(pa.large_string())
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            return None
        return distinct.firsts(texts)
    if pa.types.is_primitive(kind) and not array.null_count and kind.bit_width in (8, 16, 32, 64):
        bits = np.frombuffer(array.buffers()[1], f"i{kind.bit_width // 8}")
        return distinct.firsts_of_numbers(bits[array.offset : array.offset + len(array)])
    return None


def _firsts_of_numpy(column: np.ndarray) -> np.ndarray | None:
    if column.dtype.kind in "OU":
        return _firsts_of_pandas(pd.Series(column, dtype=object))
    if column.dtype.kind not in _KINDS or column.dtype.itemsize > np.dtype(np.int64).itemsize:
        return None
    return distinct.firsts_of_numbers(np.ascontiguousarray(column).view(f"i{column.dtype.itemsize}"))
