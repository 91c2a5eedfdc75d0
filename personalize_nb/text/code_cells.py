"""Where a code cell may be masked so that it still runs: in its strings, comments, numbers and magics.

Names of Python are never masked, whatever else they name. IPython's own transformers say which lines are magics and
commands of the shell: they are text, and stand for a number while the rest is read as Python.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from IPython.core import inputtransformer2

from personalize_nb.text.readings import Span

# An account that is a number stays one: of Amazon's documentation, so that code which counts with it runs.
NUMBER = "111122223333"
_PYTHON_MAGICS = re.compile(r"%%(?:time|timeit|capture|prun|debug|px|memit|mprun|python3?)\b[^\n]*")
_STRING = re.compile(r"(?P<prefix>[A-Za-z]{0,3})(?P<quote>\"\"\"|'''|\"|')")
_FIELD = re.compile(r"\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\}|[{}]")


class Area(NamedTuple):
    """A part of a cell that may be masked."""

    start: int
    end: int
    is_number: bool


def areas(source: str) -> list[Area] | None:
    """Return the parts of a cell's source that may be masked, in order; None for all of it, where it is no Python.

    Examples
    --------
    >>> source = "role = 'AcmeRole'  # of 12"
    >>> [source[start:end] for start, end, _ in areas(source)]
    ['AcmeRole', '# of 12']
    """
    head = _PYTHON_MAGICS.match(source)
    if source.lstrip().startswith("%%") and head is None:
        return None
    python = source if head is None else " " * head.end() + source[head.end() :]
    if head is not None:
        python = "#" + python[1:]
    found: list[Area] = [] if head is None else [Area(0, head.end(), False)]
    try:
        python, magics = _without_magics(python)
        ast.parse(python)
        found += magics
        found += [one for one in _of_python(python) if not any(area.start <= one.start < area.end for area in found)]
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, IndexError):
        return None
    return sorted(found)


def within(span: Span, allowed: Sequence[Area], *, is_account: bool) -> list[Span]:
    """Return what of a span lies where a cell may be masked, with what takes its place there."""
    parts = []
    for area in allowed[max(0, bisect_right(allowed, span.start, key=lambda area: area.start) - 1) :]:
        if area.start >= span.end:
            break
        if not area.is_number and area.end > span.start:
            parts.append(Span(max(span.start, area.start), min(span.end, area.end), span.instead))
        elif is_account and span.start <= area.start and area.end <= span.end:
            parts.append(Span(area.start, area.end, NUMBER))
    return parts


def _without_magics(source: str) -> tuple[str, list[Area]]:
    """Return a cell with a number in place of each magic and command, each character where it was."""
    manager = inputtransformer2.TransformerManager()
    found: list[Area] = []
    for _ in range(source.count("\n") + 1):
        lines = source.splitlines(keepends=True)
        tokens = inputtransformer2.make_tokens_by_line(lines)
        kinds: list[Any] = manager.token_transformers
        candidates = [one for one in (kind.find(tokens) for kind in kinds) if one]
        if not candidates:
            return source, found
        first = min(candidates, key=lambda one: (one.start_line, one.start_col))
        last = inputtransformer2.find_end_of_continued_line(lines, first.start_line)
        line = lines[first.start_line]
        column = len(line) - len(line.lstrip()) if isinstance(first, inputtransformer2.HelpEnd) else first.start_col
        start = sum(map(len, lines[: first.start_line])) + column
        end = sum(map(len, lines[: last + 1]))
        end -= len(source[start:end]) - len(source[start:end].rstrip("\r\n"))
        if end <= start:
            return source, found
        blank = re.sub(r"[^\r\n]", " ", source[start:end])
        blank = "0" + (blank[1:].replace("\n", " ").replace("\r", " "))
        source = source[:start] + blank + source[end:]
        found.append(Area(start, end, False))
    return source, found


def _of_python(source: str) -> Iterator[Area]:
    starts, total = [0], 0
    for line in source.splitlines(keepends=True) if "\r" not in source else io.StringIO(source, newline=""):
        total += len(line)
        starts.append(total)
    fields = getattr(tokenize, "FSTRING_MIDDLE", None)
    middle: int | None = None
    for token in tokenize.generate_tokens(io.StringIO(source, newline="").readline):
        start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        if middle is not None:  # from Python 3.12 on: until the next token, for doubled brackets are one
            yield from _fields(source, middle, start)
            middle = None
        if token.type == tokenize.COMMENT:
            yield Area(start, end, False)
        elif token.type == tokenize.NUMBER and token.string.replace("_", "").isdigit():
            yield Area(start, end, True)
        elif token.type == fields:
            middle = start
        elif token.type == tokenize.STRING:
            opened = _STRING.match(token.string)
            if opened is None:
                continue
            start, end = start + opened.end(), end - len(opened["quote"])
            if "f" in opened["prefix"].lower():
                yield from _fields(source, start, end)
            else:
                yield Area(start, end, False)


def _fields(source: str, start: int, end: int) -> Iterator[Area]:
    """Return what of an f-string is text: what stands in brackets is code."""
    for field in _FIELD.finditer(source, start, end):
        if start < field.start():
            yield Area(start, field.start(), False)
        start = field.end()
    if start < end:
        yield Area(start, end, False)
