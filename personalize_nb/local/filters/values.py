"""The `filterValues` of an input line: one string per placeholder, holding quoted values between commas."""

from __future__ import annotations

import re
from functools import lru_cache

from personalize_nb.contract import limits

_VALUE = re.compile(
    r"""\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))\s*(,|$)"""
)


class FilterValueError(ValueError):
    """Values that a row cannot be filtered by; the text becomes the row's error."""


@lru_cache(maxsize=65536)
def parse_values(text: str) -> tuple[str, ...]:
    r"""Split `"\"horror\",\"comedy\""` into its values; plain numbers may stand without quotes.

    Raises
    ------
    FilterValueError
        The text is not a list of quoted values or numbers.
    """
    if len(text) > limits.MAX_FILTER_VALUE_CHARACTERS:
        raise FilterValueError(f"has {len(text)} characters; at most {limits.MAX_FILTER_VALUE_CHARACTERS} are allowed")
    values = []
    position = 0
    while True:
        match = _VALUE.match(text, position)
        if match is None:
            raise FilterValueError(
                f'is {text!r}; legal are values in escaped double quotes with commas between, as in "\\"a\\",\\"b\\""'
            )
        double, single, number, separator = match.groups()
        values.append(number if number is not None else re.sub(r"\\(.)", r"\1", double if single is None else single))
        if not separator:
            return tuple(values)
        position = match.end()
