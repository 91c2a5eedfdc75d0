"""Numbers and dates in texts that anybody may have written: exact, of bounded size, or refused with a ValueError."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from botocore.utils import parse_timestamp

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
# more than any size, offset or count can be, and no more than SQLite keeps
MOST = 2**63 - 1
_SHOWN = 40
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC).timestamp(), datetime(9999, 12, 30, tzinfo=UTC).timestamp()


def whole(text: str) -> int:
    """Return the whole number in a text: ASCII digits, nothing between them, no more than 64 bits."""
    text = text.strip()
    if not _WHOLE.fullmatch(text) or abs(int(text)) > MOST:
        raise ValueError(f"{text[:_SHOWN]!r} is not a whole number of at most 64 bits")
    return int(text)


def capped(digits: str) -> int:
    """Return the number that ASCII digits are, or the most there can be when it is larger."""
    significant = digits.lstrip("0")
    return min(int(significant or "0"), MOST) if len(significant) <= len(str(MOST)) else MOST


def real(text: str) -> float:
    """Return the number in a text; infinities and what is no number are none."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:_SHOWN]!r} is not a finite number")
    return number


def is_date(seconds: float) -> bool:
    """Tell whether epoch seconds are a moment that a calendar has, in whatever time zone."""
    return _FIRST <= seconds <= _LAST


def timestamp(text: str) -> float:
    """Return the epoch seconds of a date in any form that botocore reads, from year 1 to 9999."""
    try:
        seconds = float(parse_timestamp(text).timestamp())
    except (ValueError, RuntimeError, ArithmeticError, OSError) as error:
        raise ValueError(f"{text[:_SHOWN]!r} is not a date") from error
    if not is_date(seconds):
        raise ValueError(f"{text[:_SHOWN]!r} is not a date of the years 1 to 9999")
    return seconds
