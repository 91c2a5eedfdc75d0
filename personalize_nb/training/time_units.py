"""What numbers may mean as times: units since 1970, and the scales of other systems that look like them.

The same number is a moment on several scales: 638,000,000,000,000,000 is a day of 1990 in nanoseconds and one of 2022
in .NET's ticks. So a unit is taken where one reading alone lies in likely years, and no other system's does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

# A number this large is no time in seconds (the year 5138), but a common one in milli-, micro- or nanoseconds.
LATEST = 1e11
_YEAR = 31_556_952
_DAY = 86_400
_1990, _1601, _0001 = 631_152_000, -11_644_473_600, -62_135_596_800
_SPREADSHEET = -25_569 * _DAY  # 1899-12-30


@dataclass(frozen=True)
class Unit:
    """A unit of time since 1970, without a name for seconds; `above` is where its numbers begin."""

    name: str
    per_second: int
    above: float


SECONDS = Unit("", 1, 0.0)
_FINER = (
    Unit("nanoseconds", 10**9, 1e17),
    Unit("microseconds", 10**6, 1e14),
    Unit("milliseconds", 10**3, LATEST),
)


@dataclass(frozen=True)
class _Scale:
    """How another system counts: `value` is `each` seconds after `begin`; `repair` makes datetimes of a column."""

    name: str
    each: float
    begin: float
    repair: str


_SYSTEMS = (
    _Scale(".NET ticks", 1e-7, _0001, "pd.to_datetime(({0} - 621355968000000000) * 100, utc=True)"),
    _Scale("Windows file times", 1e-7, _1601, "pd.to_datetime(({0} - 116444736000000000) * 100, utc=True)"),
    _Scale(
        "microseconds since 1601 (WebKit)", 1e-6, _1601, "pd.to_datetime({0} - 11644473600000000, unit='us', utc=True)"
    ),
    _Scale("days of a spreadsheet", _DAY, _SPREADSHEET, "pd.to_datetime({0}, unit='D', origin='1899-12-30')"),
)
_COARSER = (("days", _DAY), ("hours", 3600), ("minutes", 60))


@dataclass(frozen=True)
class Years:
    """From when to when times are likely, as epoch seconds."""

    first: float
    last: float

    @property
    def not_within(self) -> str:
        """What a time outside of them is, in words."""
        return f"not between {year_of(self.first)} and {year_of(self.last)}"

    def hold(self, seconds: np.ndarray) -> bool:
        """Tell whether nearly every time lies within; single wrong ones are found row by row."""
        return bool(np.median((seconds >= self.first) & (seconds <= self.last)) > 0)


def likely(now: float, *, of_events: bool) -> Years:
    """Return the years that interactions come from, 1990 to a year from now; or, more of them, items."""
    return Years(_1990, now + _YEAR) if of_events else Years(-70 * _YEAR, now + 10 * _YEAR)


def year_of(seconds: float) -> int:
    """Return the year of a time."""
    return int(1970 + seconds // _YEAR) if abs(seconds) > 6e10 else datetime.fromtimestamp(seconds, UTC).year


def per_second(numbers: np.ndarray) -> np.ndarray:
    """Return by the size of each number how many of its unit are a second."""
    size = np.nan_to_num(np.abs(numbers), posinf=0.0)
    units = np.ones(len(size), np.int64)
    for unit in reversed(_FINER):
        units[size > unit.above] = unit.per_second
    return units


def unit_of(numbers: np.ndarray) -> Unit:
    """Return the unit that the size of most numbers says; seconds where they are small."""
    typical = float(np.median(np.abs(numbers)))
    return next((unit for unit in _FINER if typical > unit.above), SECONDS)


def doubt(numbers: np.ndarray, years: Years, column: str) -> str:
    """Return why numbers cannot be taken for times, with the repair; empty where their unit is clear.

    Parameters
    ----------
    numbers
        Finite numbers.
    years
        Likely years.
    column
        What the repair calls the column.
    """
    unit = unit_of(numbers)
    written = _written(numbers, years, column)
    if written:
        return written
    if unit is SECONDS:
        return _small_doubt(numbers, years, column)
    typical = np.array([np.median(numbers)])
    read = [scale for scale in _SYSTEMS if years.hold(_seconds(typical, scale))]
    fits = years.hold(typical / unit.per_second)
    if fits and not read:
        return ""
    others = " or ".join(scale.name for scale in read)
    repair = f"{column} = {(read[0].repair if read else 'pd.to_datetime({0}, unit=...)').format(column)}"
    if fits:
        return f"the times may be {unit.name} or {others}; say which, with datetimes: {repair}"
    what = f"they look like {others}" if read else "their unit is unknown"
    return f"the times are no seconds, and in {unit.name} they are {years.not_within}; {what}: {repair}"


def _small_doubt(numbers: np.ndarray, years: Years, column: str) -> str:
    """Tell numbers that count a spreadsheet's days: 46053.5."""
    days = _SYSTEMS[-1]
    moments = _seconds(numbers, days)
    if np.all((moments >= years.first) & (moments <= years.last)) and np.all(moments >= 0):
        return f"the times look like {days.name}, since 1899-12-30; {column} = {days.repair.format(column)}"
    return ""


# How dates are written as one number, and in how many digits.
_FORMS = (
    *(("%Y", 4), ("%Y%m", 6), ("%y%m%d", 6), ("%Y%j", 7), ("%Y%m%d", 8), ("%d%m%Y", 8), ("%m%d%Y", 8)),
    *(("%Y%m%d%H", 10), ("%y%m%d%H%M", 10), ("%Y%m%d%H%M", 12), ("%y%m%d%H%M%S", 12), ("%Y%m%d%H%M%S", 14)),
    ("%Y%m%d%H%M%S%f", 17),
)
_SAMPLE = 1000


def _written(numbers: np.ndarray, years: Years, column: str) -> str:
    """Tell numbers that are dates, written one part after the other: 20260131, 2026, 202601, 2026013123."""
    numbers = numbers[numbers != 0]
    if not len(numbers) or np.any(numbers != np.floor(numbers)) or numbers.min() < 0 or numbers.max() >= 1e17:
        return ""
    likely_units = years.hold(numbers / unit_of(numbers).per_second)
    some = pd.Series([str(int(one)) for one in numbers[:: max(1, len(numbers) // _SAMPLE)]])
    least, most = some.str.len().min(), some.str.len().max()
    for form, width in _FORMS:
        whole = form.startswith("%Y")  # else a zero at the front is lost
        if most > width or least < width - (not whole) or ("%Y" not in form and likely_units):
            continue
        moments = pd.to_datetime(some.str.zfill(width), format=form, errors="coerce")
        if moments.dt.year.between(1900, 2100).all():
            texts = f"{column}.astype('Int64').astype('string'){'' if whole else f'.str.zfill({width})'}"
            what = "year" if form == "%Y" else "date written as one number"
            return f"the time is a {what}; {column} = pandas.to_datetime({texts}, format='{form}')"
    return ""


def lost(numbers: np.ndarray) -> int:
    """Return the step in which times lie that lost their last digits; 0 where nothing speaks for that.

    A time in four digits and an exponent is one of every million seconds, one in a short float of every 128th. Hours
    and days are steps too, but of no such size.
    """
    distinct = np.unique(numbers[(numbers == np.floor(numbers)) & (np.abs(numbers) < 2.0**53)]).astype(np.int64)
    if len(distinct) < _FEWEST_STEPS:
        return 0
    step = int(np.gcd.reduce(distinct))
    return step if (step >= 64 and step & (step - 1) == 0) or step in _TENS else 0


_FEWEST_STEPS = 20
_TENS = frozenset(10**power for power in range(3, 12))


def hint(seconds: np.ndarray, now: float) -> str:
    """Return in what coarser unit numbers taken for seconds would lie in likely years."""
    years = likely(now, of_events=True)
    meant = [name for name, each in _COARSER if years.hold(seconds * float(each))]
    return f" (are they {' or '.join(meant)} since 1970?)" if meant else ""


def _seconds(numbers: np.ndarray, scale: _Scale) -> np.ndarray:
    return numbers * scale.each + scale.begin
