"""Times of any kind as the epoch seconds that Personalize wants.

A number is a time in seconds, which is what is documented. Another unit is taken only where nothing else is possible:
the one unit in which every time lies in years that interactions come from. Otherwise the column is refused.
"""

from __future__ import annotations

import re
import time
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.inputs.ids import Findings
from personalize_nb.training import arrow_columns, time_units

# In seconds, this is 1973: what is smaller may be a time in any unit
_SURELY_A_TIME = 1e8
_SHORT_FLOATS = ("float32", "float16", "float[", "halffloat[")
_EXACT_IN_SHORT = 2.0**24  # above it a float32 is no longer every whole number
_EXPONENT = re.compile(r"\s*[+-]?\d(\.(?P<rest>\d*))?[eE]\+?(?P<power>\d{1,3})\s*")
_END_OF_9999 = (253_402_300_799, 9999)  # metadata may say "never" in this way


def to_epoch_seconds(
    series: pd.Series, column: str, findings: Findings, *, required: bool, now: float | None = None
) -> pa.Array:
    """Return times as whole seconds since 1970, UTC.

    Parameters
    ----------
    series
        Datetimes (without a zone they count as UTC), dates, numbers or text of either. Milliseconds and finer are
        divided where their size leaves no doubt.
    column
        The column's name in findings.
    findings
        Receives rows that are no time, and notes when numbers were divided or lie in unlikely years.
    required
        Whether a missing time is a finding, as in interactions; their times also lie in the last decades.
    now
        What counts as now, in epoch seconds; by default the clock says it.
    """
    present = series.notna().to_numpy()
    if _no_time(series.dtype):
        problem = f"a column of {series.dtype} holds no times; give datetimes or epoch seconds"
        findings.error(present, column, series.array, problem)
        return pa.nulls(len(series), pa.int64())
    now = time.time() if now is None else now
    years = time_units.likely(now, of_events=required)
    numbers = _numbers(series)
    if numbers is None:
        seconds, read = _of_dates(series, column, findings, required)
    else:
        read = np.isfinite(numbers)
        doubt = time_units.doubt(numbers[read], years, f"frame[{column!r}]") if read.any() else ""
        doubt = doubt or _short(series, numbers[read], column)
        if doubt:
            findings.error(read, column, series.array, doubt)
            return pa.nulls(len(series), pa.int64())
        seconds = _of_numbers(series, numbers, read, column, findings, years)
        _find_lost(series, numbers, read, column, findings)
    if required:
        unlikely = (seconds < years.first) | (seconds > years.last)
    else:  # items may be older than computers; but few came up in the first years after 1970, and numbers do
        unlikely = (seconds > 0) & (seconds < _SURELY_A_TIME) & (numbers is not None)
    _note_years(seconds, read & unlikely, column, series, findings, now)
    if required:
        repair = f"drop such rows: frame.dropna(subset=[{column!r}])"
        findings.error(~present, column, series.array, f"the time is missing; {repair}")
    findings.error(present & ~read, column, series.array, "the value is no time; give a datetime or epoch seconds")
    return pa.array(seconds, pa.int64(), mask=~read)


def _short(series: pd.Series, numbers: np.ndarray, column: str) -> str:
    """Return why floats of few bits are no times; empty for all else."""
    if not str(series.dtype).lower().startswith(_SHORT_FLOATS) or np.all(np.abs(numbers) <= _EXACT_IN_SHORT):
        return ""
    step = int(np.spacing(np.float32(np.abs(numbers).max())))
    return (
        f"the times are {series.dtype}, which holds only every {step}th of such numbers, so that their last digits are "
        "lost; read the file again with whole numbers (Int64), or, if steps are good enough, frame["
        f"{column!r}] = frame[{column!r}].astype('float64').astype('Int64')"
    )


def _find_lost(series: pd.Series, numbers: np.ndarray, read: np.ndarray, column: str, findings: Findings) -> None:
    """Find times whose last digits an exponent has cut, and note a column whose steps speak for that."""
    if pd.api.types.is_object_dtype(series.dtype) or isinstance(series.dtype, pd.StringDtype):
        parts = series.astype(object).map(_cut_digits).to_numpy(float)
        cut = read & (parts > 0) & (10.0**parts > time_units.per_second(numbers))
        told = "the last digits of the time are lost in its exponent; write and read the file again with all digits"
        findings.error(cut, column, series.array, told)
        if cut.any():
            return
    step = time_units.lost(numbers[read])
    if step:
        first = read & (np.cumsum(read) == 1)
        told = (
            f"the times lie in steps of {step:,}, as numbers do that lost their last digits on the way (a float32, or "
            "1.7e+09 in a file); kept as they are"
        )
        findings.note(first, column, series.array, told)


def _cut_digits(value: Any) -> int:
    """Return how many digits before the point a text with an exponent does not say."""
    known = _EXPONENT.fullmatch(value) if isinstance(value, str) else None
    return int(known["power"]) - len(known["rest"] or "") if known else 0


def _of_dates(series: pd.Series, column: str, findings: Findings, required: bool) -> tuple[np.ndarray, np.ndarray]:
    dates = series.mask(series.map(lambda value: isinstance(value, Number))) if series.dtype == object else series
    moments = pd.to_datetime(dates, utc=True, errors="coerce", format=_format(series))
    read = moments.notna().to_numpy()
    seconds = np.zeros(len(series), np.int64)
    seconds[read] = moments[read].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
    latest, year = (time_units.LATEST, 5138) if required else _END_OF_9999
    problem = (
        f"the time is after the year {year}, as milliseconds read as seconds are; give epoch seconds, or datetimes "
        "made with pandas.to_datetime(..., unit='ms')"
    )
    findings.error(seconds > latest, column, series.array, problem)
    return seconds, read


def _of_numbers(
    series: pd.Series, numbers: np.ndarray, read: np.ndarray, column: str, findings: Findings, years: time_units.Years
) -> np.ndarray:
    seconds = np.zeros(len(series), np.int64)
    if not read.any():
        return seconds
    unit = time_units.unit_of(numbers[read])
    whole = _whole(series)
    if whole is not None:  # floats would round nanoseconds
        seconds[read] = whole[read] // unit.per_second
    else:
        within = read & (np.abs(numbers) < 2.0**63)
        seconds[within] = np.floor_divide(numbers[within], unit.per_second).astype(np.int64)
        findings.error(read & ~within, column, series.array, "the number is no time in any unit; give epoch seconds")
    if unit.name:  # said of the column, not of each of millions of rows
        first = read & (np.cumsum(read) == 1)
        findings.note(first, column, series.array, f"the times are in {unit.name}; they are imported in seconds")
    other = (np.abs(numbers) > _SURELY_A_TIME) & read & (time_units.per_second(numbers) != unit.per_second)
    told = "the time is in another unit than most of the column; give all in seconds"
    findings.error(other, column, series.array, told)
    if unit.name:  # a zero is the same moment in every unit
        outside = read & ~other & (numbers != 0) & ((seconds < years.first) | (seconds > years.last))
        told = f"read in {unit.name}, as most of the column, the time is {years.not_within}; give all in seconds"
        findings.error(outside, column, series.array, told)
    return seconds


def _note_years(
    seconds: np.ndarray,
    unlikely: np.ndarray,
    column: str,
    series: pd.Series,
    findings: Findings,
    now: float,
) -> None:
    unlikely &= np.abs(seconds) <= time_units.LATEST  # others are errors
    if not unlikely.any():
        return
    first, last = (time_units.year_of(int(one)) for one in (seconds[unlikely].min(), seconds[unlikely].max()))
    when = f"in {first}" if first == last else f"in {first} to {last}"
    findings.note(
        unlikely,
        column,
        series.array,
        f"the time lies {when}; kept as it is{time_units.hint(seconds[unlikely], now)}",
    )


def _no_time(dtype: Any) -> bool:
    """Tell columns whose numbers would be taken for times: truth values, durations, periods."""
    if isinstance(dtype, pd.ArrowDtype):
        arrow = dtype.pyarrow_dtype
        types = pa.types
        number = types.is_integer(arrow) or types.is_floating(arrow) or types.is_decimal(arrow)
        moment = types.is_timestamp(arrow) or types.is_date(arrow)
        return not (number or moment or arrow_columns.is_text(arrow) or types.is_null(arrow))
    if isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        return True
    return bool(pd.api.types.is_bool_dtype(dtype) or dtype.kind in "mc")


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


def _whole(series: pd.Series) -> np.ndarray | None:
    """Return whole numbers with every digit, zero for missing ones; None where they are not such."""
    if not pd.api.types.is_numeric_dtype(series.dtype):
        series = pd.to_numeric(series, errors="coerce")
    if not pd.api.types.is_integer_dtype(series.dtype) or pd.api.types.is_unsigned_integer_dtype(series.dtype):
        return None
    exact: np.ndarray = series.fillna(0).to_numpy(np.int64)
    return exact


def _format(series: pd.Series) -> str | None:
    text = pd.api.types.is_string_dtype(series.dtype) and not pd.api.types.is_datetime64_any_dtype(series.dtype)
    return "ISO8601" if text else None
