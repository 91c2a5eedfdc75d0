"""Any Python value in a message or in code, whether it stands for a missing one, and whether a text is whole.

None of them asks the value more than it must.
"""

from __future__ import annotations

import decimal
import numbers
import unicodedata
from collections.abc import Mapping
from typing import Any

_SHOWN_CHARACTERS = 80
# Marks that turn the direction of what stands behind them, and with it the rest of a line.
_TURNS = dict.fromkeys([0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
# Control characters, halves of characters, and ends of lines and paragraphs.
_BREAKS = ("Cc", "Cs", "Zl", "Zp")
_MISSING_MOMENTS = ("NaTType", "datetime64", "timedelta64")


def shown(value: object) -> str:
    """Return the beginning of a value's text as Python writes it, which is valid Unicode; its type where it has none.

    Examples
    --------
    >>> shown(b"u1")
    "b'u1'"
    """
    try:
        return repr(value)[:_SHOWN_CHARACTERS].encode("utf-8", "backslashreplace").decode()
    except Exception:  # the method of anybody's class
        return f"<{type(value).__name__}>"


def is_unicode(text: str) -> bool:
    r"""Tell a text that a file can hold from one with half of a character, a surrogate.

    Examples
    --------
    >>> is_unicode("nice"), is_unicode("nice \ud83d")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def one_line(value: object) -> str:
    r"""Return a value's text on one line and whole: what breaks a line, or turns the direction of others, is left out.

    Examples
    --------
    >>> one_line("Léon:\n The \u202eProfessional")
    'Léon: The Professional'
    """
    turned = str(value).translate(_TURNS)
    kept = (" " if unicodedata.category(letter) in _BREAKS else letter for letter in turned)
    return " ".join("".join(kept).split())


def missing(value: Any) -> bool:
    """Tell None, every kind of not-a-number, NaT, pandas' NA and what numpy masks from all else.

    Examples
    --------
    >>> missing(float("nan")), missing(0)
    (True, False)
    """
    if value is None:
        return True
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    if isinstance(value, numbers.Real) or type(value).__name__ in _MISSING_MOMENTS:
        return bool(value != value)
    return type(value).__name__ in ("NAType", "MaskedConstant")  # do not say whether they differ from themselves


def python(value: Any) -> Any:
    """Return a value whose repr is plain Python: `0.3`, not `np.float64(0.3)`."""
    if isinstance(value, Mapping):
        return {python(key): python(one) for key, one in value.items()}
    if isinstance(value, str):
        return str(value)
    return value.item() if callable(getattr(value, "item", None)) and not isinstance(value, type) else value
