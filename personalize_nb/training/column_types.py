"""A column of metadata, of any of pandas' many types, as one of the few that a schema knows.

Whole numbers are `long`, other numbers `double`, moments epoch seconds, everything else text. The values count, not how
pandas holds them: a missing value turns whole numbers into floats, and a database gives decimals as objects, and
neither may change the schema, because another schema is another dataset group.
"""

from __future__ import annotations

import decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings
from personalize_nb.training import arrow_columns, timestamps
from personalize_nb.training.texts import to_texts

_EXACT = 2.0**53  # above it a float is no longer every whole number

_SHORT_FLOATS = ("float32", "float16", "float[", "halffloat[")

_REPAIRS = {
    "timedelta": "give numbers, for example frame[{0!r}].dt.total_seconds()",
    "period": "give moments, for example frame[{0!r}].dt.to_timestamp()",
    "interval": "give text, for example frame[{0!r}].astype(str)",
    "calendar interval": "give numbers, for example of its days",
    "union": "give values of one type, for example text",
    "complex": "give its parts as two columns of numbers",
    "bytes": "decode them, for example frame[{0!r}].str.decode('utf-8')",
    "time": "give numbers or text, for example frame[{0!r}].astype(str)",
    "dictionaries": "schemas are flat. Give each key a column, or drop it",
}


def typed(series: pd.Series, name: str, findings: Findings) -> pa.Array:
    """Return a column as an Arrow array of int64, float64 or text.

    Parameters
    ----------
    series
        Any column.
    name
        The schema's name of it.
    findings
        Receives values that cannot be imported.

    Raises
    ------
    InputError
        No schema takes values of this type; the message says what to make of them.
    """
    if isinstance(series.array, pd.arrays.SparseArray):
        series = pd.Series(series.array.to_dense(), index=series.index, name=series.name)
    kind = _kind(series)
    if kind in _REPAIRS:
        raise InputError(
            f"Column {name.lower()!r} holds {kind} values ({series.dtype}), which no schema takes: "
            f"{_REPAIRS[kind].format(name.lower())}."
        )
    if kind == "boolean":  # filters know the texts "True" and "False", not booleans
        return pc.if_else(pa.array(series.astype("boolean"), from_pandas=True), "True", "False")
    if kind == "time of day and date":
        return timestamps.to_epoch_seconds(series, name.lower(), findings, required=False)
    if kind == "integer":
        return _whole(series, name, findings)
    if kind == "number":
        return _whole_if_all_are(numbers(series, name, findings), name, findings)
    return to_texts(series, name.lower(), findings)


def numbers(series: pd.Series, name: str, findings: Findings) -> pa.Array:
    """Return numbers as floats; infinite ones are found, and those that a float holds only nearly are noted."""
    array = pa.array(_doubles(series), pa.float64(), from_pandas=True)
    column = name.lower()
    findings.error(pc.fill_null(pc.is_inf(array), False), column, array, "the number is infinite")
    if pd.api.types.is_object_dtype(series.dtype):
        near = np.array([_is_rounded(one) for one in series], bool)
        findings.note(near, column, list(series), "the number has more digits than a double holds; it is rounded")
    return pc.add(array, 0.0)  # -0.0 becomes 0.0: they are equal, and would be two texts


def _doubles(series: pd.Series) -> pd.Series | np.ndarray:
    """Return numbers as doubles; short floats by their digits, so that 0.1 is 0.1 in a filter too."""
    if str(series.dtype).lower().startswith(_SHORT_FLOATS):
        size = "float16" if "16" in str(series.dtype) or "half" in str(series.dtype) else "float32"
        short: np.ndarray = series.to_numpy(size, na_value=np.nan).astype(str).astype("float64")
        return short
    return series.astype("float64")


def _kind(series: pd.Series) -> str:
    """Tell what the values are: a key of `_REPAIRS`, or one of those that `typed` takes; `text` for all others."""
    dtype, types = series.dtype, pd.api.types
    if isinstance(dtype, pd.CategoricalDtype):
        return "text"  # whoever made it a category means the values as names
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow_kind(dtype.pyarrow_dtype)
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_integer_dtype(dtype):
        return "integer"
    if types.is_float_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "time of day and date"
    if types.is_object_dtype(dtype):
        return _object_kind(series)
    for kind, held in (("period", pd.PeriodDtype), ("interval", pd.IntervalDtype)):
        if isinstance(dtype, held):
            return kind
    return {"m": "timedelta", "c": "complex"}.get(dtype.kind, "text")


def _arrow_kind(arrow: pa.DataType) -> str:
    tests = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "number"),
        (pa.types.is_decimal, "number"),
        (pa.types.is_duration, "timedelta"),
        (pa.types.is_time, "time"),
        (pa.types.is_interval, "calendar interval"),
        (pa.types.is_temporal, "time of day and date"),
        (arrow_columns.is_bytes, "bytes"),
        (pa.types.is_union, "union"),
        (pa.types.is_struct, "dictionaries"),
        (pa.types.is_map, "dictionaries"),
    )
    return next((kind for test, kind in tests if test(arrow)), "text")


def _object_kind(series: pd.Series) -> str:
    inferred = pd.api.types.infer_dtype(series, skipna=True)
    kinds = {
        "boolean": "boolean",
        "integer": "integer",
        "floating": "number",
        "mixed-integer-float": "number",
        "decimal": "number",
        "date": "time of day and date",
        "datetime": "time of day and date",
        "datetime64": "time of day and date",
        "timedelta64": "timedelta",
    }
    if inferred.startswith("mixed") and all(_is_number(one) for one in series if not _is_missing(one)):
        return "number"
    return kinds.get(inferred, inferred if inferred in _REPAIRS else "text")


def _is_number(value: Any) -> bool:
    return isinstance(value, (Real, decimal.Decimal)) and not isinstance(value, (bool, np.bool_))


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _whole(series: pd.Series, name: str, findings: Findings) -> pa.Array:
    """Return whole numbers as they are; as text, with a note, when a `long` cannot hold them all."""
    objects = pd.api.types.is_object_dtype(series.dtype)
    array = pa.array([None if pd.isna(one) else str(int(one)) for one in series], pa.string()) if objects else None
    array = pa.array(series, from_pandas=True) if array is None else array
    try:
        return pc.cast(array, pa.int64())
    except pa.ArrowInvalid:
        texts = pc.cast(array, pa.string())
        beyond = np.array([one is not None and not -(2**63) <= int(one) < 2**63 for one in texts.to_pylist()], bool)
        told = "the whole number is beyond 64 bits, which no number of a schema holds; the column is imported as text"
        findings.note(beyond, name.lower(), texts, told)
        return texts


def _whole_if_all_are(array: pa.Array, name: str, findings: Findings) -> pa.Array:
    """Return floats as whole numbers if they are nothing else, as pandas makes of whole numbers with a gap."""
    values = array.to_numpy(zero_copy_only=False)
    there = values[~np.isnan(values)]
    if not len(there) or not np.all(there == np.floor(there)):
        return array
    beyond = np.abs(np.nan_to_num(values)) > _EXACT
    if not beyond.any():
        return pc.cast(array, pa.int64())
    told = "a whole number this large in a float may have lost digits when it was read; read the column as Int64"
    findings.note(beyond, name.lower(), array, told)
    return array


def _is_rounded(number: Any) -> bool:
    """Tell a number whose digits a double does not keep: a long decimal, a whole number among fractions."""
    if isinstance(number, (float, np.floating)) or pd.isna(number):
        return False
    exact = decimal.Decimal(int(number)) if isinstance(number, Integral) else number
    return isinstance(exact, decimal.Decimal) and exact.is_finite() and decimal.Decimal(repr(float(exact))) != exact
