"""The elements of a list of any library as Python's values, each exactly what was written there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


def is_list(value: Any) -> bool:
    """Tell lists, arrays and series of values from mappings, frames, files and bytes, which hold other things."""
    if isinstance(value, (str, bytes, bytearray, memoryview, Mapping)) or hasattr(value, "read"):
        return False
    # asked of the type: a lazy frame warns where it is asked for its columns
    if any(hasattr(type(value), name) for name in ("columns", "schema")) or getattr(value, "ndim", 1) == 0:
        return False
    return isinstance(value, (Collection, Iterator)) or hasattr(value, "to_pylist") or hasattr(value, "to_list")


def elements(value: Any) -> list[Any]:
    """Return the elements of a list, array or series.

    A float of 16 or 32 bits stays one, because it has digits of its own: 0.1, not 0.10000000149011612. Text of Arrow
    that is no UTF-8 becomes text that is no Unicode, so that it is found in its row.

    Parameters
    ----------
    value
        What `is_list` tells.

    Examples
    --------
    >>> elements(pd.Series([0.1], dtype="float32"))
    [np.float32(0.1)]
    """
    if isinstance(value, pa.Array | pa.ChunkedArray):
        return _of_arrow(value)
    if isinstance(value, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        return _of_pandas(value)
    if hasattr(type(value), "__arrow_c_stream__") or hasattr(type(value), "__arrow_c_array__"):
        try:
            stream = hasattr(type(value), "__arrow_c_stream__")
            return _of_arrow(pa.chunked_array(value) if stream else pa.array(value))
        except Exception:  # a series of objects that Arrow does not know is a list of them
            return list(value)
    return list(value)


def plain(value: Any) -> Any:
    """Return a scalar of Arrow as Python's value, all else as it is."""
    return _of_scalar(value, value.type) if isinstance(value, pa.Scalar) else value


def _of_pandas(value: Any) -> list[Any]:
    dtype = value.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return _of_arrow(pa.array(value))
    if isinstance(dtype, pd.CategoricalDtype):
        known = [*elements(dtype.categories), None]  # the code of a missing value is -1
        return [known[code] for code in pd.Categorical(value).codes]
    inner = getattr(dtype, "subtype", dtype) if isinstance(dtype, pd.SparseDtype) else dtype
    inner = getattr(inner, "numpy_dtype", inner)
    if isinstance(inner, np.dtype) and _is_short(inner):
        return [None if one is pd.NA else inner.type(one) for one in value]
    return list(value)


def _is_short(dtype: np.dtype) -> bool:
    return dtype.kind == "f" and dtype.itemsize < np.dtype(float).itemsize


def _of_arrow(array: pa.Array | pa.ChunkedArray) -> list[Any]:
    if not _has_short(array.type):
        try:
            return list(array.to_pylist())
        except UnicodeDecodeError:
            pass
    return [_of_scalar(one, array.type) for one in array]


def _has_short(kind: pa.DataType) -> bool:
    """Tell types with a short float at any depth."""
    inner = [kind.field(place).type for place in range(kind.num_fields)]
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        inner = [kind.value_type]
    return pa.types.is_float16(kind) or pa.types.is_float32(kind) or any(map(_has_short, inner))


def _of_scalar(one: pa.Scalar, kind: pa.DataType) -> Any:
    if not one.is_valid:
        return None
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain(one.value)
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return (np.float16 if pa.types.is_float16(kind) else np.float32)(one.as_py())
    if isinstance(one, pa.ListScalar):  # of every kind of list
        return elements(one.values)
    if isinstance(one, pa.StructScalar):
        return {field.name: plain(one[place]) for place, field in enumerate(kind)}
    try:
        return one.as_py()
    except UnicodeDecodeError:
        return one.as_buffer().to_pybytes().decode("utf-8", "surrogateescape")
