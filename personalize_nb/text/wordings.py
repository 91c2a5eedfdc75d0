"""What a value looks like: words, a place on a scale, an example of documentation, a name, or letters at random."""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """Return the words of a text, for tables of them."""
    return frozenset(text.split())


_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+|[^A-Za-z\d]+")
_PLACEHOLDER = re.compile(
    r"(?i)(?:(?:my|your|the|some|a|this|that|example|doc-example|amzn-s3-demo|source|destination|target)?[-_ ]?"
    r"(?:s3)?[-_ ]?(?:bucket|role|user|name|secret|password|token|key)s?(?:[-_ ]?name)?\d?"
    r"|(?:your|insert|replace|enter|put|todo)[-_ ].{0,60}|change[-_ ]?me.{0,20}|example|placeholder|redacted|xxx+)"
)
_DOCUMENTED = re.compile(
    r"123456789012|1234[- _]5678[- _]9012|123_456_789_012|111122223333|1111[- _]2222[- _]3333|111_122_223_333"
    r"|444455556666|555566667777|777788889999|999988887777|A[A-Z]{3}[A-Z0-9]{5,12}EXAMPLE|[\w/+]{20,30}EXAMPLEKEY"
)
_SCALE = words(
    "low lower mid middle medium high higher top bottom very small large big tiny huge x xl xs xxl s m l value "
    "values income age price new old young light heavy casual frequent rare popular niche long short tail head "
    "early late cold warm hot active inactive churned loyal user users item items none other others unknown under "
    "over less more than and or to up plus first last never always weekly daily monthly yearly morning noon evening "
    "night weekday weekend cheap expensive free premium gold silver bronze budget mass risk spender spenders "
    "quality engagement class recent a b c d e f g h i j k n o p q r t u v w y z child children teen teens adult "
    "adults senior seniors kids"
)


def is_of_scale(value: str) -> bool:
    """Tell whether a value is a place on a scale, as features have that are cut into buckets: `18-29`, `x-large`.

    Examples
    --------
    >>> [is_of_scale(value) for value in ("18-29", "high-value", "acme-films", "films")]
    [True, True, False, False]
    """
    parts = re.split(r"[-_. +]+", value.lower())
    return all(part in _SCALE or part.isdigit() or part == "" for part in parts)


def is_placeholder(value: str) -> bool:
    """Tell whether a value stands for another: `bucket`, `your-bucket`, `changeme`.

    Examples
    --------
    >>> [is_placeholder(value) for value in ("bucket", "YOUR_BUCKET", "films-bucket")]
    [True, True, False]
    """
    return _PLACEHOLDER.fullmatch(value) is not None


def is_distinctive(value: str) -> bool:
    """Tell whether a name can be no word that stands elsewhere by chance: it has a hyphen, a digit, a dot or two words.

    Examples
    --------
    >>> [is_distinctive(value) for value in ("AcmeRole", "films-raw", "Admin", "books", "high-value")]
    [True, True, False, False, False]
    """
    return not is_of_scale(value) and re.search(r"[-.\d_@]|[a-z][A-Z]|[A-Z]{2}[a-z]", value) is not None


def is_random(value: str) -> bool:
    """Tell whether a text is made of letters and digits that make no words.

    Examples
    --------
    >>> [is_random(value) for value in ("Ring2024Edition", "R2-D2-C3PO", "qH7xkd93aJdR0pLmZ2", "correcthorsebattery")]
    [False, False, True, False]
    """
    if len(value) < 12 or " " in value or not re.search(r"\d", value):
        return False
    pieces = [piece for piece in _PIECE.findall(value) if piece[0].isalnum()]
    return len(pieces) > 4 and sum(map(len, pieces)) / len(pieces) < 3.5


def is_documented(value: str) -> bool:
    """Tell whether a value is one of Amazon's documentation: an account or a key that is nobody's.

    Examples
    --------
    >>> [is_documented(value) for value in ("111122223333", "AKIAIOSFODNN7EXAMPLE", "210987654321")]
    [True, True, False]
    """
    return _DOCUMENTED.fullmatch(value) is not None
