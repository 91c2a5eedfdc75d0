"""Times of any kind as the epoch seconds that Personalize wants."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.inputs.ids import Findings

# In seconds, this is 1973: what is smaller may be a time in any unit
_SURELY_A_TIME = 1e8
# A number this large is no time in seconds (the year 5138), but a common one in milli-, micro- or nanoseconds.
_LATEST = 1e11
_END_OF_9999 = (253_402_300_799, 9999)  # metadata may say "never" in this way
_FINER = ((1e17, 10**9, "nanoseconds"), (1e14, 10**6, "microseconds"), (_LATEST, 10**3, "milliseconds"))


def to_epoch_seconds(series: pd.Series, column: str, findings: Findings, *, required: bool) -> pa.Array:
    """Return times as whole seconds since 1970, UTC.

    Parameters
    ----------
    series
        Datetimes (without a zone they count as UTC), dates, numbers or text of either. Milliseconds and finer are
        recognised by their size and divided.
    column
        The column's name in findings.
    findings
        Receives rows that are no time, and a note when numbers were divided.
    required
        Whether a missing time is a finding.
    """
    present = series.notna().to_numpy()
    if _no_time(series.dtype):
        problem = f"a column of {series.dtype} holds no times; give datetimes or epoch seconds"
        findings.error(present, column, series.array, problem)
        return pa.nulls(len(series), pa.int64())
    numbers = _numbers(series)
    if numbers is None:
        dates = series.mask(series.map(lambda value: isinstance(value, Number))) if series.dtype == object else series
        moments = pd.to_datetime(dates, utc=True, errors="coerce", format=_format(series))
        read = moments.notna().to_numpy()
        seconds = np.zeros(len(series), np.int64)
        seconds[read] = moments[read].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
        latest, year = (_LATEST, 5138) if required else _END_OF_9999
        problem = (
            f"the time is after the year {year}, as milliseconds read as seconds are; give epoch seconds, or datetimes "
            "made with pandas.to_datetime(..., unit='ms')"
        )
        findings.error(seconds > latest, column, series.array, problem)
    else:
        read = np.isfinite(numbers)
        divisor, unit = _finer(numbers[read])
        seconds = np.zeros(len(series), np.int64)
        seconds[read] = np.floor_divide(numbers[read], divisor).astype(np.int64)
        if unit:  # said of the column, not of each of millions of rows
            first = read & (np.cumsum(read) == 1)
            findings.note(first, column, series.array, f"the times are in {unit}; they are imported in seconds")
        _find_odd(numbers, divisor, column, findings)
    findings.error(present & ~read, column, series.array, "the value is no time; give a datetime or epoch seconds")
    if required:
        repair = f"drop such rows: frame.dropna(subset=[{column!r}])"
        findings.error(~present, column, series.array, f"the time is missing; {repair}")
    return pa.array(seconds, pa.int64(), mask=~read)


def _no_time(dtype: Any) -> bool:
    """Tell columns whose numbers would be taken for times: truth values, durations, periods."""
    if isinstance(dtype, pd.ArrowDtype):
        arrow = dtype.pyarrow_dtype
        return bool(pa.types.is_boolean(arrow) or pa.types.is_duration(arrow) or pa.types.is_time(arrow))
    if isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        return True
    return bool(pd.api.types.is_bool_dtype(dtype) or dtype.kind in "mc")


def _find_odd(numbers: np.ndarray, divisor: int, column: str, findings: Findings) -> None:
    """Find numbers of another unit than most have, and dates written as one number, 20260131."""
    size = np.nan_to_num(np.abs(numbers), posinf=0.0)
    units = np.ones(len(size), np.int64)
    for bound, finer, _ in reversed(_FINER):
        units[size > bound] = finer
    odd = (units != divisor) & (size > _SURELY_A_TIME)
    findings.error(odd, column, numbers, "the time is in another unit than most of the column; give all in seconds")
    known = size[np.isfinite(numbers)]
    day, month, year = known % 100, known // 100 % 100, known // 10_000
    written = (year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    if len(known) and written.all():
        repair = f"pandas.to_datetime(frame[{column!r}].astype(str), format='%Y%m%d')"
        findings.error(np.isfinite(numbers), column, numbers, f"the time is a date written as one number; {repair}")


def _numbers(series: pd.Series) -> np.ndarray | None:
    """Return the series as numbers with NaN for missing ones, or None when it is not made of numbers."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return None
    if not pd.api.types.is_numeric_dtype(series.dtype):
        converted = pd.to_numeric(series, errors="coerce")
        if converted.notna().sum() < series.notna().sum() / 2:
            return None
        series = converted
    return series.astype("float64").to_numpy()


def _finer(numbers: np.ndarray) -> tuple[int, str]:
    typical = float(np.median(np.abs(numbers))) if len(numbers) else 0.0
    return next(((divisor, unit) for bound, divisor, unit in _FINER if typical > bound), (1, ""))


def _format(series: pd.Series) -> str | None:
    text = pd.api.types.is_string_dtype(series.dtype) and not pd.api.types.is_datetime64_any_dtype(series.dtype)
    return "ISO8601" if text else None
