"""Times of any kind as the epoch seconds that Personalize wants. Floor 2."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.identifiers import Findings

# A number this large is no time in seconds (the year 5138), but a common one in milli-, micro- or nanoseconds.
_FINER = ((1e17, 10**9, "nanoseconds"), (1e14, 10**6, "microseconds"), (1e11, 10**3, "milliseconds"))


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
        Whether a missing time is a fault.
    """
    present = series.notna().to_numpy()
    numbers = _numbers(series)
    if numbers is None:
        moments = pd.to_datetime(series, utc=True, errors="coerce", format=_format(series))
        read = moments.notna().to_numpy()
        seconds = np.zeros(len(series), np.int64)
        seconds[read] = moments[read].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64)
    else:
        read = np.isfinite(numbers)
        divisor, unit = _finer(numbers[read])
        seconds = np.zeros(len(series), np.int64)
        seconds[read] = np.floor_divide(numbers[read], divisor).astype(np.int64)
        if unit:
            findings.note(read, column, list(series), f"the time is in {unit}; it is imported in seconds")
    findings.fault(present & ~read, column, list(series), "the value is no time; give a datetime or epoch seconds")
    if required:
        findings.fault(~present, column, list(series), "the time is missing")
    return pa.array(seconds, pa.int64(), mask=~read)


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
