"""Arrow data of any library as frames of Arrow's types, so that no value changes on the way."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.errors import InputError
from personalize_nb.inputs.given import Given

_TABLES = (pa.Table, pa.RecordBatch, pa.RecordBatchReader)
_ARRAYS = (pa.Array, pa.ChunkedArray)


def is_arrow(data: Any) -> bool:
    """Tell data of pyarrow, or of a library that hands over Arrow data by the PyCapsule interface."""
    kind = type(data)
    return hasattr(kind, "__arrow_c_stream__") or hasattr(kind, "__arrow_c_array__") or is_dataset(data)


def is_dataset(data: Any) -> bool:
    """Tell a dataset of pyarrow or a scan of one, which hold their rows in files."""
    return type(data).__module__ == "pyarrow._dataset" and hasattr(data, "to_table")


def is_lazy(data: Any) -> bool:
    """Tell a lazy frame of polars."""
    polars = sys.modules.get("polars")  # whoever has a frame of polars has imported it
    return polars is not None and isinstance(data, polars.LazyFrame)


def collected(data: Any) -> Any:
    """Return the frame of a lazy one.

    Raises
    ------
    InputError
        Its query ends in an error.
    """
    try:
        return data.collect()
    except Exception as error:  # a query runs code of others, and polars has no root of its errors
        raise InputError(
            f"The polars LazyFrame cannot be collected: {type(error).__name__}: {error}. Correct its query until "
            "data.collect() works, and pass it again."
        ) from error


def read(data: Any) -> Given:
    """Read a table, batch, reader, dataset or array.

    Raises
    ------
    InputError
        It has a type that Arrow does not know, or ends in an error of its own.
    """
    try:
        found = _framed(_imported(data))
    except Exception as error:  # it is the code of another library that runs here
        raise InputError(
            f"The {type(data).__module__.partition('.')[0]} {type(data).__name__} cannot be read through Arrow: "
            f"{error}. Cast the column to text and pass it again."
        ) from error
    name = getattr(data, "name", None)
    if isinstance(found, pd.Series):
        return Given(found.rename(name if isinstance(name, str) and name else None))
    return Given(found)


def _framed(found: pa.Table | pa.ChunkedArray) -> pd.DataFrame | pd.Series:
    if isinstance(found, pa.Table):
        columns = [_plain(column) for column in found.columns]
        table = pa.Table.from_arrays(columns, names=found.column_names)
        frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
        return frame
    return pd.Series(pd.arrays.ArrowExtensionArray(_plain(found)))


def _imported(data: Any) -> pa.Table | pa.ChunkedArray:
    """Return data as a table where it has columns, else as the array that it is."""
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if isinstance(data, pa.RecordBatchReader):
        return data.read_all()
    if is_dataset(data):
        return data.to_table()
    if isinstance(data, pa.ChunkedArray) or hasattr(type(data), "__arrow_c_stream__"):
        array = data if isinstance(data, pa.ChunkedArray) else pa.chunked_array(data)
    else:
        array = pa.chunked_array([data if isinstance(data, pa.Array) else pa.array(data)])
    return pa.Table.from_struct_array(array) if pa.types.is_struct(array.type) else array


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in a type that pandas works with; values are the same."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid":
            texts = [None if one is None else str(one) for one in column.to_pylist()]
            return pa.chunked_array([pa.array(texts, pa.string())])
        return _plain(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))
    if pa.types.is_run_end_encoded(kind):
        return _plain(pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks], kind.value_type))
    if pa.types.is_dictionary(kind) and not pa.types.is_string(kind.value_type):
        values = kind.value_type if not pa.types.is_string_view(kind.value_type) else pa.large_string()
        chunks = [chunk.dictionary.cast(values).take(chunk.indices) for chunk in column.chunks]
        return _plain(pa.chunked_array(chunks, values))
    known = _without_views(kind)
    return column if known == kind else column.cast(known)


def _without_views(kind: pa.DataType) -> pa.DataType:
    """Return a type whose texts, at any depth of lists, are ordinary ones: pandas reads no lists of views."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = _without_views(kind.value_type)
        return kind if inner == kind.value_type else pa.large_list(inner)
    return kind
