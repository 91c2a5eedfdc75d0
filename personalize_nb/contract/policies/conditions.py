"""Conditions of policy statements: operators of the IAM reference over the facts of one request.

A condition that is not met makes its statement not apply, whatever the statement's effect. A key that the request
does not have fails the plain operators and passes the negated ones and those with `IfExists`.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

# What is known of a request: values by condition key, the keys in lower case.
Facts = Mapping[str, tuple[str, ...]]
Test = Callable[[str, str], bool]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = {"*": "*", "?": "?", "$": "$"}


@dataclass(frozen=True)
class PolicyCondition:
    """One operator applied to one key: `StringLike` on `aws:sourcearn` with its legal values."""

    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: str = ""
    if_exists: bool = False

    def met(self, facts: Facts, has_variables: bool = True) -> bool:
        """Tell whether the request's facts fulfil the condition."""
        given = facts.get(self.key)
        if self.operator == "Null":
            return (given is None) in {value.lower() == "true" for value in self.values}
        test, negated = _OPERATORS[self.operator]
        if given is None:
            return negated or self.if_exists or self.quantifier == "ForAllValues"
        expand = has_variables and self.operator.startswith(("String", "Arn"))
        legal = [one for value in self.values if (one := expanded(value, facts) if expand else value) is not None]

        def fits(one: str) -> bool:
            return any(_tried(test, one, value) for value in legal) is not negated

        if self.quantifier == "ForAllValues":
            return all(map(fits, given))
        # a negated operator means none of the given values, the others mean one of them
        return all(map(fits, given)) if negated and not self.quantifier else any(map(fits, given))


def read_conditions(found: Any) -> tuple[PolicyCondition, ...]:
    """Read a statement's `Condition`; ValueError names what AWS would refuse."""
    if not isinstance(found, dict):
        raise ValueError(f"Condition is a JSON object, got {type(found).__name__}")
    conditions = []
    for spelled, keys in found.items():
        quantifier, _, rest = spelled.rpartition(":")
        if_exists = rest.endswith("IfExists")
        name = rest.removesuffix("IfExists")
        if name not in _OPERATORS and name != "Null" or quantifier not in ("", "ForAllValues", "ForAnyValue"):
            legal = ", ".join([*_OPERATORS, "Null"])
            raise ValueError(f"Invalid condition operator {spelled!r}; legal: {legal}")
        if not isinstance(keys, dict):
            raise ValueError(f"Condition {spelled!r} needs an object of condition keys")
        for key, values in keys.items():
            texts = tuple(_text(value) for value in (values if isinstance(values, list) else [values]))
            conditions.append(PolicyCondition(name, key.lower(), texts, quantifier, if_exists))
    return tuple(conditions)


def expanded(text: str, facts: Facts) -> str | None:
    """Replace `${...}` by the request's facts; None when one of them is not known.

    What comes from the request is taken literally: a `*` or `?` in it is marked, so that it is no wildcard.
    """
    if "${" not in text:
        return text
    missing = False

    def replace(match: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = match[1].partition(",")
        if match[1] in _LITERALS:
            return _escaped(match[1])
        values = facts.get(name.strip().lower())
        if values is not None and len(values) == 1:
            return _escaped(values[0])
        missing = missing or not default
        return _escaped(default.strip().strip("'"))

    replaced = _VARIABLE.sub(replace, text)
    return None if missing else replaced


@lru_cache(maxsize=4096)
def _pattern(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = re.split(r"(\*|\?|\x00.)", pattern, flags=re.DOTALL)
    regex = "".join(
        ".*" if part == "*" else "." if part == "?" else re.escape(part.removeprefix("\x00")) for part in parts
    )
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def like(text: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Tell whether the whole text fits a pattern of `*` (any characters) and `?` (any one)."""
    return _pattern(pattern, ignore_case).fullmatch(text) is not None


def arn_like(arn: str, pattern: str) -> bool:
    """Compare ARNs part by part, so that a `*` does not reach over a colon before the resource."""
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    if pattern == "*":
        return True
    return len(parts) == len(patterns) == 6 and all(map(like, parts, patterns))


def _escaped(text: str) -> str:
    """Mark the wildcards of a text as plain characters."""
    return re.sub(r"([*?])", "\x00\\1", text)


def _unescaped(text: str) -> str:
    return text.replace("\x00", "")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise ValueError(f"A condition's values are texts, numbers or booleans, got {value!r}")
    return str(value)


def _tried(test: Test, given: str, value: str) -> bool:
    """Try a value; one of the wrong kind fits nothing."""
    try:
        return test(given, value)
    except (ValueError, OverflowError, OSError, binascii.Error):  # also of dates beyond the calendar
        return False


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compared(kind: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Test:
    return lambda given, value: compare(kind(given), kind(value))


def _in_network(given: str, value: str) -> bool:
    return ipaddress.ip_address(given) in ipaddress.ip_network(value, strict=False)


def _plain(text: str) -> str:
    return _unescaped(text)


def _folded(text: str) -> str:
    return _unescaped(text).casefold()


def _orders(name: str, kind: Callable[[str], Any]) -> dict[str, tuple[Test, bool]]:
    words: Sequence[tuple[str, Callable[[Any, Any], bool]]] = (
        ("Equals", operator.eq),
        ("LessThan", operator.lt),
        ("LessThanEquals", operator.le),
        ("GreaterThan", operator.gt),
        ("GreaterThanEquals", operator.ge),
    )
    found = {name + word: (_compared(kind, compare), False) for word, compare in words}
    return found | {f"{name}NotEquals": (_compared(kind, operator.eq), True)}


_OPERATORS: dict[str, tuple[Test, bool]] = {
    "StringEquals": (_compared(_plain, operator.eq), False),
    "StringNotEquals": (_compared(_plain, operator.eq), True),
    "StringEqualsIgnoreCase": (_compared(_folded, operator.eq), False),
    "StringNotEqualsIgnoreCase": (_compared(_folded, operator.eq), True),
    "StringLike": (like, False),
    "StringNotLike": (like, True),
    "ArnEquals": (arn_like, False),
    "ArnLike": (arn_like, False),
    "ArnNotEquals": (arn_like, True),
    "ArnNotLike": (arn_like, True),
    "Bool": (_compared(str.lower, operator.eq), False),
    "BinaryEquals": (_compared(base64.b64decode, operator.eq), False),
    "IpAddress": (_in_network, False),
    "NotIpAddress": (_in_network, True),
    **_orders("Numeric", float),
    **_orders("Date", _moment),
}
