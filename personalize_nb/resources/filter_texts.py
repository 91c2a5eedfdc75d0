"""What filter expressions say of their placeholders, and values quoted as a batch line wants them.

AWS wants each value of a placeholder inside escaped double quotes, comma separated, in one string. Nobody should
write that by hand: `quoted(["comedy", "drama"])` is the whole rule.
"""

from __future__ import annotations

import re
from typing import Any

from personalize_nb.resources.value_texts import texts
from personalize_nb.text.elements import is_list
from personalize_nb.text.values import missing

_PLACEHOLDER = re.compile(r"\$([A-Za-z0-9_]+)")


# a placeholder beside <, <=, > or >=; = and IN take text as well
_ORDERED = re.compile(r"[<>]=?\s*[\"']?\$([A-Za-z0-9_]+)")


_FIELD = re.compile(r"(?i)\b(Items|Interactions|Users|CurrentUser)\s*\.\s*([A-Za-z_]\w*)")


_STRINGS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")


_PART = r"\"(?:[^\"\\]|\\.)*\""


_READY = re.compile(rf"\s*{_PART}(?:\s*,\s*{_PART})*\s*", re.DOTALL)


def quoted(value: object) -> str | None:
    """Return filter values as the one string a batch line holds, or None for a missing value.

    Parameters
    ----------
    value
        A text, number, bool, date or a list of them. A text alone, `"Action|Comedy"`, is two values, as in Amazon's
        data, and one that is quoted already is kept; in a list each text is one value exactly as it is.

    Raises
    ------
    InputError
        It is of another type, or infinite.

    Examples
    --------
    >>> quoted(["comedy", "drama"])
    '"comedy","drama"'
    >>> quoted(9.0)
    '"9"'
    >>> quoted(["rock|pop", "Paris, London"])
    '"rock|pop","Paris, London"'
    """
    if isinstance(value, str):
        if _READY.fullmatch(value):
            return value
        parts = [part.strip() for part in value.split("|")] if "|" in value else texts(value)
    else:
        parts = texts(value)
    return ",".join(f'"{_escaped(text)}"' for text in parts if text) or None


def values(text: str) -> list[str]:
    r"""Return the values of a quoted string; a text that is not quoted is the only one.

    Examples
    --------
    >>> values('"comedy","rock|pop"')
    ['comedy', 'rock|pop']
    """
    if not _READY.fullmatch(text):
        return [text] if text else []
    return [re.sub(r"\\(.)", r"\1", part[1:-1], flags=re.DOTALL) for part in re.findall(_PART, text, re.DOTALL)]


def unquoted(text: str) -> str:
    r"""Return the values of a quoted string, joined by `|` as Amazon's data joins them.

    Where that would be read as other values, the text stays as it is.

    Examples
    --------
    >>> unquoted('"comedy","drama"')
    'comedy|drama'
    >>> unquoted('"rock|pop"')
    '"rock|pop"'
    """
    parts = values(text)
    joined = "|".join(parts)
    return joined if values(quoted(joined) or "") == parts else text


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def lacks_parts(value: Any) -> bool:
    """Tell a list in which a value is missing or empty; it is left out."""
    if isinstance(value, str) or not is_list(value):
        return False
    return any(missing(one) or (isinstance(one, str) and not one) for one in value)


def placeholders(expression: str) -> tuple[str, ...]:
    """Return the names of an expression's placeholders, in order, without the `$`.

    Examples
    --------
    >>> placeholders('INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.PRICE <= $PRICE')
    ('GENRE', 'PRICE')
    """
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(_bare(expression))))


def number_placeholders(expression: str) -> tuple[str, ...]:
    """Return the placeholders that stand for one number, because `<`, `<=`, `>` or `>=` compares with them.

    Examples
    --------
    >>> number_placeholders('INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) AND Items.PRICE <= $PRICE')
    ('PRICE',)
    """
    return tuple(dict.fromkeys(_ORDERED.findall(_bare(expression))))


def fields(expression: str) -> tuple[tuple[str, str], ...]:
    """Return dataset and column of each field of an expression, in upper case and in order.

    Examples
    --------
    >>> fields('INCLUDE ItemID WHERE Items.GENRE IN ($GENRE) IF CurrentUser.AGE > 17')
    (('ITEMS', 'GENRE'), ('USERS', 'AGE'))
    """
    found = ((kind.upper(), column.upper()) for kind, column in _FIELD.findall(_bare(expression)))
    return tuple(dict.fromkeys(("USERS" if kind == "CURRENTUSER" else kind, column) for kind, column in found))


def targets(expression: str) -> frozenset[str]:
    """Return what a filter chooses from: `items`, `users` or `actions`.

    Examples
    --------
    >>> sorted(targets('EXCLUDE UserID WHERE Users.AGE < 18'))
    ['users']
    """
    found = re.findall(r"(?i)\b(?:INCLUDE|EXCLUDE)\s+(Item|User|Action)ID\b", _bare(expression))
    return frozenset(f"{one.lower()}s" for one in found)


def uses_events(expression: str) -> bool:
    """Tell whether a filter looks at what users did.

    Examples
    --------
    >>> uses_events('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")')
    True
    """
    return re.search(r"(?i)\binteractions\s*\.", _bare(expression)) is not None


def _bare(expression: str) -> str:
    """Return an expression without its texts; one that is just a placeholder stays: AWS writes `("$CATEGORY")` too."""
    return _STRINGS.sub(lambda found: found[0] if _PLACEHOLDER.fullmatch(found[0][1:-1]) else '""', expression)


def required_placeholders(expression: str) -> tuple[str, ...]:
    """Return the placeholders that every line must fill: those of the INCLUDE parts."""
    parts = re.split(r"(?i)(?=\b(?:INCLUDE|EXCLUDE)\s+(?:Item|User|Action)ID\b)", expression)
    needed = (name for part in parts if part.upper().startswith("INCLUDE") for name in placeholders(part))
    return tuple(dict.fromkeys(needed))
