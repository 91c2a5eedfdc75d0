"""Texts of those filter values that need no thought: whole numbers, usual floats, texts without a character of meaning.

They are made for a column at once. `resources.filters.quoted` says what the text of any value is; here is the part of
it that columns of a million different values have.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.inputs import text_bytes

# bars join values, quotes and backslashes are quoted, commas and brackets may be meant as lists
_MEANING = '|"\\,['
_LEAST_FLOAT, _MOST_FLOAT = 1e-3, 1e9  # between them Python and Arrow write floats without an exponent
_MOST_WHOLE = 1e15


def texts(values: Any) -> pa.Array:
    """Return the text of each value that needs no thought, null for any other.

    Parameters
    ----------
    values
        A series or array of any library, or a list, of which none needs none.

    Examples
    --------
    >>> texts(pd.Series(["x", "y|z", ""])).to_pylist(), texts(np.array([0.5, 7.0, 1e300])).to_pylist()
    (['x', None, None], ['0.5', '7', None])
    """
    array = _array(values)
    if array is None:
        return pa.nulls(len(values), pa.large_string())
    if pa.types.is_integer(array.type):
        return array.cast(pa.large_string())
    return _of_floats(array) if pa.types.is_floating(array.type) else _of_texts(array.cast(pa.large_string()))


def _array(values: Any) -> pa.Array | None:
    """Return whole numbers, floats of 64 bits and texts as an array, whatever else not at all."""
    found = None
    if isinstance(values, pa.Array | pa.ChunkedArray):
        found = values
    elif type(values) is np.ndarray or isinstance(values, pd.Series | pd.Index):
        dtype = values.dtype
        is_number = isinstance(dtype, np.dtype) and dtype.kind in "iuf" and dtype.isnative
        if is_number or isinstance(dtype, pd.StringDtype | pd.ArrowDtype):
            found = pa.array(values)
        elif pd.api.types.is_object_dtype(dtype) and set(map(type, values)) == {str}:
            try:
                found = pa.array(values, pa.large_string())
            except UnicodeEncodeError:  # half of a character is told of its row
                return None
    if found is None:
        return None
    kind, types = found.type, pa.types
    is_known = (types.is_integer, types.is_float64, types.is_string, types.is_large_string, types.is_string_view)
    return text_bytes.one_array(found) if any(tell(kind) for tell in is_known) else None


def _of_floats(array: pa.Array) -> pa.Array:
    numbers = array.to_numpy(zero_copy_only=False)  # what is missing is not a number
    sizes = np.abs(numbers)
    whole = (np.trunc(numbers) == numbers) & (sizes < _MOST_WHOLE)
    usual = (sizes >= _LEAST_FLOAT) & ((sizes < _MOST_FLOAT) | whole)
    numbers = np.where(usual, numbers, 0.5)
    as_whole = pa.array(np.where(whole, numbers, 0).astype(np.int64)).cast(pa.large_string())
    found = pc.if_else(pa.array(whole), as_whole, pa.array(numbers).cast(pa.large_string()))
    return pc.if_else(pa.array(usual), found, pa.scalar(None, pa.large_string()))


def _of_texts(array: pa.Array) -> pa.Array:
    usual = pc.and_(pc.is_valid(array), pc.greater(pc.fill_null(pc.binary_length(array), 0), 0))
    if text_bytes.has_any(array, _MEANING):
        usual = pc.and_not(usual, pc.fill_null(pc.match_substring_regex(array, f"[{re.escape(_MEANING)}]"), False))
    if not text_bytes.is_ascii(array):
        try:
            array.validate(full=True)
        except pa.ArrowInvalid:  # is told of its row
            return pa.nulls(len(array), array.type)
    return pc.if_else(usual, array, pa.scalar(None, array.type))
