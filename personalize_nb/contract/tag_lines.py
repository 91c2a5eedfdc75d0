"""Tags as the lines of a text field: `key=value`, each part in JSON's quotes where it could be read otherwise.

A key may hold `=`, and both may begin or end with blanks: what a field shows must come back as it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping


def shown(tags: Mapping[object, object]) -> str:
    """Return tags as lines.

    Examples
    --------
    >>> print(shown({"team": "books", "a=b": " c"}))
    team=books
    "a=b"=" c"
    """
    return "\n".join(f"{_quoted(str(key), '=')}={_quoted(str(tag))}" for key, tag in tags.items())


def parsed(text: str) -> dict[str, str]:
    r"""Return the tags of lines; empty lines are none.

    Raises
    ------
    ValueError
        A line has no `=`, quotes that do not close, or a key that was there before.

    Examples
    --------
    >>> parsed('team = books\n"a=b"=" c"')
    {'team': 'books', 'a=b': ' c'}
    """
    tags: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.split("\n"))):
        key, rest = _part(line, "=")
        if rest[:1] != "=":
            raise ValueError('must be lines of key=value (or "key"="value" where one holds = or blanks at its ends)')
        tag, rest = _part(rest[1:].strip(), "")
        if rest:
            raise ValueError(f"must end a line with the closing quote, {rest!r} follows")
        if key in tags:
            raise ValueError(f"must name each key once, {key!r} is there twice")
        tags[key] = tag
    return tags


def _quoted(text: str, mark: str = "") -> str:
    plain = text == text.strip() and len(text.splitlines()) <= 1 and text[:1] != '"' and not (mark and mark in text)
    return text if plain else json.dumps(text)


def _part(text: str, mark: str) -> tuple[str, str]:
    """Return the part of a line that goes up to a mark, or is quoted, and what follows it."""
    if text[:1] != '"':
        key, found, rest = text.partition(mark) if mark else (text, "", "")
        return key.strip(), f"{found}{rest}"
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except ValueError as error:
        raise ValueError(f"must close the quotes of {text!r}") from error
    return str(value), text[end:].strip()
