"""Any value as the texts that a filter compares, exactly; what is not known is refused by its type."""

from __future__ import annotations

import datetime
import decimal
import math
import numbers
import uuid
from typing import Any

import numpy as np

from personalize_nb.errors import InputError
from personalize_nb.text.elements import elements, is_list, plain
from personalize_nb.text.values import missing, shown

_LEGAL = "A filter value is text, a number, a date or a list of them"


def texts(value: Any) -> list[str]:
    """Return a value as a text, a list as one for each element; a missing value has none.

    Raises
    ------
    InputError
        It is of another type, or infinite.

    Examples
    --------
    >>> texts([9.0, 0.5, "a|b"])
    ['9', '0.5', 'a|b']
    """
    value = plain(value)
    if isinstance(value, str):
        return [str.__str__(value)]
    if type(value) is int:
        return [_whole(value)]
    if missing(value):
        return []
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return texts(value[()])
    if is_list(value):
        return [text for one in map(plain, elements(value)) for text in texts(_single(one))]
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if isinstance(value, bool) or (isinstance(value, numbers.Integral) and kind != "m"):  # numpy's durations are whole
        return [_whole(value)]
    if isinstance(value, (decimal.Decimal, numbers.Real)) and kind != "m":
        return [_number(value)]
    if isinstance(value, uuid.UUID):
        return [str(value)]
    if isinstance(value, (datetime.datetime, datetime.date)):
        moment = value if isinstance(value, datetime.datetime) else datetime.datetime.combine(value, datetime.time())
        utc = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        return [str(int(utc.timestamp()))]
    if kind == "M":
        moment = value.astype("datetime64[us]").item()  # finer ones would become whole numbers
        if isinstance(moment, datetime.datetime):
            return texts(moment)
    elif kind == "b":
        return [str(bool(value))]
    raise InputError(f"{_LEGAL}, got {type(value).__name__} {shown(value)}.")


def _single(value: Any) -> Any:
    """Return an element of a list, which is no list itself: it may be meant for one record of several."""
    if is_list(value):
        raise InputError(
            f"{_LEGAL}, got a list within a list, {shown(value)}. Values that differ by record are a Series with one "
            "for each: pandas.Series([[...], [...]])."
        )
    return value


def _whole(value: Any) -> str:
    try:
        return str(value if isinstance(value, bool) else int(value))
    except ValueError:  # Python writes no number of so many digits
        raise InputError(f"{_LEGAL}, got a whole number of thousands of digits.") from None


def _number(value: Any) -> str:
    """Return a number with its shortest digits; one that is whole without a point."""
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            raise InputError(f"A filter value must be finite, got {value}.")
        return str(value)
    try:
        as_float = float(value)
    except OverflowError:
        as_float = math.inf
    if math.isinf(as_float):
        raise InputError("A filter value must be finite, got an infinite number.")
    if as_float.is_integer() and as_float == value:
        return str(int(value))
    if as_float != value:
        if hasattr(value, "dtype"):
            return str(value)  # more digits than a float has
        raise InputError(f"{_LEGAL}; {value!r} is no number with a point. Give float(value) or text.")
    # a short float of numpy has its own digits: 0.1, not 0.10000000149011612
    return str(value) if hasattr(value, "dtype") else repr(as_float)
