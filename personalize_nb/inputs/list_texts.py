"""Texts that Python's and others' lists have in files: read where they are exact, told where they are not."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

# As Python writes a list of texts and numbers. Its own reader would take 1_000 for 1000 and 'a' 'b' for 'ab'.
_ESCAPE = r"\\(?:[\\'\"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4})"
_TEXT = rf"'(?:[^'\\\x00-\x1f]|{_ESCAPE})*'|\"(?:[^\"\\\x00-\x1f]|{_ESCAPE})*\""
_NO_TEXT = {"None": None, "nan": None, "NaN": None, "<NA>": None, "NaT": None, "True": True, "False": False}
_ELEMENT = rf"(?:{_TEXT}|-?\d+(?:\.\d+(?:e[+-]\d+)?)?|{'|'.join(_NO_TEXT)})"
_PYTHON = re.compile(rf"\[\s*{_ELEMENT}(?:\s*,\s*{_ELEMENT})*\s*,?\s*\]")
# array(['a']), Index(['a']), frozenset({'a'}), dict_keys(['a']), <pyarrow.lib.StringArray object at 0x7f>
_CALL = re.compile(r"\s*[A-Za-z_][\w.]*\(\s*[\[({<].*\)\s*", re.DOTALL)
_OBJECT = re.compile(r"\s*<(?:[\w.]+ )?[\w.<>]+ (?:object |at |\S+ at ).*0x[0-9a-fA-F]+>.*", re.DOTALL)
_BRACES = re.compile(r"\s*(?:[({]\s*['\"].*[)}]|\{\d+\})\s*", re.DOTALL)


def listed(text: str) -> list[Any] | None:
    """Return the list that a text is, as JSON and `to_csv` write one, with all digits; None where it is no list.

    Examples
    --------
    >>> listed("['a', 27]"), listed('["a", null]'), listed("['a' 'b']")
    (['a', '27'], ['a', None], None)
    """
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text, parse_int=str)
    except (ValueError, RecursionError):
        if not _PYTHON.fullmatch(text.strip()):
            return None
        return [_element(match.group()) for match in re.finditer(_ELEMENT, text)]
    return found if isinstance(found, list) else None


def is_text_of_another(text: str) -> bool:
    """Tell the text of an array, a set or any object, which files hold where nobody meant it, from items.

    Examples
    --------
    >>> is_text_of_another("array(['27'])"), is_text_of_another("Rocky (1976)")
    (True, False)
    """
    return any(pattern.fullmatch(text) for pattern in (_CALL, _OBJECT, _BRACES))


def _element(text: str) -> Any:
    if text[0] in "'\"":
        return ast.literal_eval(text)
    return _NO_TEXT[text] if text in _NO_TEXT else float(text) if "." in text else text
