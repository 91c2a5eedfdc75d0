"""One line of JSON, whatever it holds: what it says of its input, what it answers, and why it cannot be read.

Arrow reads whole blocks of lines (`lines`); what it cannot is read here. Numbers that stand for ids keep their digits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from personalize_nb.results.members import IDS, KEYS, RELEVANCE, SCORES, THEME, VALUES


class UnreadableError(ValueError):
    """A line that is not what a job writes."""


class _Digits(str):
    """A number as it is written."""


class _Members(dict[str, Any]):
    """A JSON object that knows which keys it was given twice."""

    def __init__(self, pairs: list[tuple[str, Any]]):
        super().__init__(pairs)
        times = Counter(key for key, _ in pairs) if len(self) < len(pairs) else Counter[str]()
        self.twice = {key for key, count in times.items() if count > 1}


_DECODER = json.JSONDecoder(object_pairs_hook=_Members, parse_int=_Digits, parse_float=_Digits)


def members_of(line: bytes) -> _Members:
    """Return the object that a line is, or refuse what is none."""
    try:
        whole = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        raise UnreadableError("it is not UTF-8 text") from None
    except RecursionError:
        raise UnreadableError("it is nested too deeply") from None
    except ValueError as error:
        raise UnreadableError(f"it is not valid JSON: {error}") from None
    if not isinstance(whole, _Members):
        raise UnreadableError("it is not a JSON object")
    return whole


def check_once(members: _Members, keys: Iterable[str]) -> None:
    """Refuse an object that was given one of these keys twice."""
    if twice := members.twice.intersection(keys):
        raise UnreadableError(f"it has {sorted(twice)[0]!r} twice")


def error_of(value: Any) -> str | None:
    """Return the text of an error, None for none."""
    if value is None:
        return None
    try:
        text = value if isinstance(value, str) else json.dumps(value)
    except RecursionError:
        text = "an error that is nested too deeply to be shown"
    return text.encode(errors="replace").decode()


def output_of(value: Any) -> dict[str, Any] | None:
    """Return the known members of an answer, or refuse one whose members are of other kinds."""
    if value is None:
        return None
    if not isinstance(value, _Members):
        raise UnreadableError("its output is not a JSON object")
    check_once(value, (*IDS, SCORES, RELEVANCE, THEME))
    found: dict[str, Any] = {name: _list(value, name, _id, "ids") for name in IDS}
    found |= {name: _list(value, name, _number, "numbers") for name in (SCORES, RELEVANCE)}
    theme = value.get(THEME)
    if theme is not None and (not isinstance(theme, str) or isinstance(theme, _Digits) or not _is_text(theme)):
        raise UnreadableError(f"{THEME} must be a text")
    return {**found, THEME: theme}


def _list(members: Mapping[str, Any], name: str, read: Any, what: str) -> list[Any] | None:
    values = members.get(name)
    if values is None:
        return None
    if not isinstance(values, list):
        raise UnreadableError(f"{name} must be a list of {what}")
    try:
        return [read(value) for value in values]
    except ValueError:
        raise UnreadableError(f"{name} must be a list of {what}") from None


def _is_text(text: str) -> bool:
    # half of a surrogate pair is no character
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _id(value: Any) -> str:
    if isinstance(value, str) and _is_text(value):
        return str(value)
    raise ValueError


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, (_Digits, float)):
        return None if value is None else float(value)
    raise ValueError


def exact(record: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the known keys of an answered record; those that are asked for must be usable."""
    known = cleaned(record)
    if not isinstance(record, _Members) or not known or all(known.get(key) is None for key in KEYS):
        raise UnreadableError("it does not say which input it answers")
    check_once(record, names)
    for key, value in record.items():
        # filter values are compared where they are told as they were given, and need not be told at all
        if key in names and key != VALUES and _lost(value, known.get(key)):
            raise UnreadableError(f"{key} of its input holds what is no text")
    return known


def _lost(given: Any, kept: Any) -> bool:
    """Tell whether a value, or one in it, became missing."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return any(_lost(value, kept.get(name)) for name, value in given.items())
    if isinstance(given, list) and isinstance(kept, list):
        return any(map(_lost, given, kept))
    return given is not None and kept is None


def cleaned(record: Any) -> dict[str, Any] | None:
    """Return the known keys of a record with every id as text; None for what is none."""
    if not isinstance(record, dict):
        return None
    known: dict[str, Any] = {}
    for key, value in record.items():
        if key == VALUES and isinstance(value, dict):
            known[key] = {name: _text(one) for name, one in value.items() if _is_text(name)}
        elif key == "itemList" and isinstance(value, list):
            known[key] = [_text(one) for one in value]
        elif key in KEYS and key != "itemList":
            known[key] = _text(value)
    return known


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str) and _is_text(value) else None


def shown(line: bytes) -> str:
    """Return the beginning of a line for a message."""
    text = line.decode(errors="replace")
    return text if len(text) <= 80 else f"{text[:77]}..."
