"""CSV, TSV and texts with one id per line as frames of text: digits of long ids, and zeros before them, stay."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs.given import TEXT, Given
from personalize_nb.inputs.lines import BadLines, utf8
from personalize_nb.text.counts import counted

# A first line with one of these names is a header.
_COLUMNS = {
    *(name.replace("_", "") for name in c.JSON_NAMES),
    *(name.replace("_", "") for name in (c.RECOMMENDED_ITEM_ID, *c.NAME_COLUMNS)),
    *(c.RANK, c.SCORE, c.THEME, c.RELEVANCE, "timestamp", "eventtype", "eventvalue", "impression"),
}
# What ids are called elsewhere: the last word of such a name, or the whole of it.
_ENDINGS = "number no nr num key code uuid guid sku asin isbn ean upc gtin hash"
_LAST_WORDS = frozenset({"id", "ids", *_ENDINGS.split()})
_NOUNS = (
    "user customer visitor member client subscriber account person buyer shopper viewer reader listener player guest "
    "patron profile contact item product article movie film book song track video show recipient consumer patient "
    "student household device cookie session"
)
_WHOLE_NAMES = frozenset(name for noun in _NOUNS.split() for name in (noun, f"{noun}s"))
_SEPARATORS = ",;\t|"
_REPAIR_QUOTES = "Within quotes, write a quote twice; or write the file with a library, which does so."
_REPAIR_CELLS = "Give each line as many cells as the first; one with a separator in it stands within quotes."
_REPAIR = "Read it yourself, for example with pandas.read_csv(..., encoding='latin-1', dtype=str), and pass the frame."


def read(content: bytes, name: str, separator: str) -> Given:
    """Read a text file whose cells are separated by a character.

    Raises
    ------
    InputError
        It is no UTF-8, its quotes or columns are uneven, or no column has a name that is known.
    """
    bad = BadLines(name, f"UTF-8 {'TSV' if separator == chr(9) else 'CSV'}", _REPAIR)
    text = utf8(content, bad)
    if not text.strip():
        raise InputError(f"{name} is empty.")
    told, separator = separator, _separator(text, separator)
    _check_quotes(text, separator, bad)
    try:
        cells = pd.read_csv(
            io.BytesIO(text),
            sep=separator,
            dtype=str,
            header=None,
            keep_default_na=False,
            na_values=[""],
            encoding="utf-8",
        )
    except pd.errors.EmptyDataError:
        raise InputError(f"{name} is empty.") from None
    except (ValueError, OverflowError) as error:
        _find_uneven(text, separator, bad)
        raise InputError(f"{name} cannot be read as CSV: {error}. {_REPAIR}") from error
    read = _headed(cells, name, separator)
    if separator == told:
        return read
    return Given(read.values, read.origin, (f"{name}: cells are separated by {separator!r}", *read.notes))


def _separator(text: bytes, told: str) -> str:
    """Return what separates the cells: another character than was told where the header has known names by it alone."""
    line = re.match(rb"[\r\n]*([^\r\n]*)", text)
    first = line[1].decode() if line else ""
    try:
        by = {mark: next(csv.reader([first], delimiter=mark), []) for mark in _SEPARATORS}
    except csv.Error:  # a cell longer than any name
        return told
    known = [mark for mark, cells in by.items() if any(_folded(cell) in _COLUMNS for cell in cells)]
    return known[0] if len(known) == 1 and len(by[known[0]]) > 1 else told


def _check_quotes(text: bytes, separator: str, bad: BadLines) -> None:
    """Refuse quotes that end before their cell does: pandas would join what is within with what follows."""
    if b'"' not in text:
        return
    lines = _rows(text, separator)
    try:
        for _ in lines:
            pass
    except csv.Error as error:
        number = max(lines.line_num, 1)
        bad.add(number, text.split(b"\n")[number - 1] if text.count(b"\n") >= number - 1 else b"", str(error))
    bad.repair = _REPAIR_QUOTES
    bad.raise_any()


def _rows(text: bytes, separator: str) -> Any:
    return csv.reader(io.StringIO(text.decode(), newline=""), delimiter=separator, strict=True)


def _find_uneven(text: bytes, separator: str, bad: BadLines) -> None:
    """Refuse lines with more cells than the first, all of them; pandas names one."""
    lines = _rows(text, separator)
    most = 0
    for cells in lines:
        most = most or len(cells)
        if len(cells) > most:
            bad.add(lines.line_num, separator.join(cells), f"{len(cells)} cells, the first line has {most}")
    bad.repair = _REPAIR_CELLS
    bad.raise_any()


def _headed(cells: pd.DataFrame, name: str, separator: str) -> Given:
    """Take the first line as header where it names columns; one bare column is a list of ids."""
    first = ["" if value is None or value != value else str(value) for value in cells.iloc[0]]
    rest = cells.iloc[1:].reset_index(drop=True)
    if any(_folded(cell) in _COLUMNS for cell in first):
        return Given(rest.set_axis(first, axis=1), TEXT, tuple(_repeated(first, rest, name)))
    others = [mark for mark in _SEPARATORS if mark != separator and mark in first[0]] if len(first) == 1 else []
    if len(first) > 1 or others or "{" in first[0]:
        told = f" Its cells may be separated by {others[0]!r}, not {separator!r}." if others else ""
        raise InputError(
            f"{name} begins with {first!r}, which names no column {c.USER_ID!r} or {c.ITEM_ID!r}.{told} Give the "
            "file a header, or read it yourself"
            + (f", for example with pandas.read_csv(..., sep={others[0]!r}, dtype=str)," if others else "")
            + " and pass the frame."
        )
    if _names_ids(first[0]) or _is_other(first[0], rest[0]):
        return Given(rest.set_axis(first, axis=1), TEXT, (f"{name}: the first line {first[0]!r} is taken as header",))
    note = f"{name} has no header that is known; its first line {first[0]!r} is taken as an id"
    return Given(cells[0].rename(None), TEXT, (note,))


def _repeated(header: list[str], rest: pd.DataFrame, name: str) -> Iterator[str]:
    """Say so where the header occurs again, as in files that were put together; it stays what it says."""
    again = np.flatnonzero((rest == header).all(axis=1))
    if len(again):
        times = counted(len(again), "time")
        yield f"{name} has its header again as a row, {times}, first as row {again[0]}, counted from 0"


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _names_ids(text: str) -> bool:
    """Tell a name of a column of ids, `Customer Number` or `visitor`, from an id."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.strip())
    parts = [part.lower() for part in re.split(r"[\s_.\-/#]+", words) if part]
    if not parts or not all(part.isalpha() for part in parts):
        return False
    whole = "".join(parts)
    ended = whole.endswith("id") and whole.removesuffix("id") in _WHOLE_NAMES
    return ended or whole in _WHOLE_NAMES or parts[-1] in _LAST_WORDS


def _is_other(first: str, rest: pd.Series) -> bool:
    """Tell a first line without any digit from ids that all have some."""
    known = rest.dropna()
    digits = known.str.contains(r"[0-9]", regex=True)
    return bool(len(known) and digits.all() and not re.search(r"\d", first) and first)
