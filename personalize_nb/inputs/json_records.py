"""JSON of ids as a frame: a record per line, or one list of them; every digit stays.

Python's own reader is used, because it alone has whole numbers of any size, and each line is judged by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError
from personalize_nb.inputs.given import JSON, Given
from personalize_nb.inputs.lines import BadLines, no_utf8

_FORM = 'UTF-8 JSON lines, one object like {"userId": "12"} per line'
_REPAIR = (
    "Correct these lines, or read the file yourself, for example with json.loads for each line, and pass the frame."
)
_MOST_DIGITS = 4_000  # Python makes no number of more; as text it is found to be too long for an id


def read(content: bytes, name: str) -> Given:
    """Read JSON lines, or one list of records or ids.

    Raises
    ------
    InputError
        Lines are no JSON, or name a key twice; all of them are told.
    """
    bad = BadLines(name, _FORM, _REPAIR)
    records = _whole(content)
    if records is None:
        records = list(_by_line(content, bad))
        bad.raise_any()
    return Given(_table(records, name), JSON)


def _whole(text: bytes) -> list[Any] | None:
    """Return the records of a file that is one JSON value over several lines; None where it is not."""
    start = text.lstrip()[:1]
    several = b"\n" in text.strip()
    if start != b"[" and not (start == b"{" and several):
        return None
    try:
        value = _loaded(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list):
        return value if start == b"[" else None
    return [value]


def _by_line(text: bytes, bad: BadLines) -> Iterator[Any]:
    for number, line in enumerate(text.split(b"\n"), 1):
        stripped = line.removeprefix(b"\xef\xbb\xbf")  # of a file that others were appended to
        if not stripped.strip():
            continue
        try:
            yield _loaded(stripped)
        except RecursionError:
            bad.add(number, line, "nested too deep")
        except json.JSONDecodeError as error:
            bad.add(number, line, f"no JSON ({error.msg}, character {error.pos + 1} of the line)")
        except UnicodeDecodeError as error:
            bad.add(number, line, no_utf8(error))
        except InputError as error:
            bad.add(number, line, str(error))


def _loaded(text: bytes) -> Any:
    return _DECODER.decode(text.decode())


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InputError(f"the key {twice!r} stands there twice")
    return record


_DECODER = json.JSONDecoder(parse_int=_whole_number, object_pairs_hook=_record)  # once: it costs more than a line


def _table(records: list[Any], name: str) -> pd.DataFrame | pd.Series:
    objects = [one for one in records if isinstance(one, dict)]
    if records and all(isinstance(one, list) and len(one) == 1 for one in records):  # a table of one column
        records = [one[0] for one in records]
    if not objects:
        return pd.Series(records, dtype=object)
    if len(objects) < len(records):
        row, other = next((row, one) for row, one in enumerate(records) if not isinstance(one, dict))
        raise InputError(
            f"{name} holds records and others; record {row}, counted from 0, is a {type(other).__name__}. Give each an "
            'object like {"userId": "12"}.'
        )
    return _with_values(_columns(objects))


def _columns(records: list[dict[str, Any]], index: pd.Index | None = None) -> pd.DataFrame:
    names: Iterable[str] = dict.fromkeys(key for record in records for key in record)
    # as objects: of 1 and None, pandas would make 1.0 and NaN
    return pd.DataFrame(
        {name: pd.Series([record.get(name) for record in records], dtype=object) for name in names}, index=index
    )


def _with_values(read: pd.DataFrame) -> pd.DataFrame:
    """Give the filter values of a job's input, as AWS writes it, columns of their own."""
    name = next((column for column in read.columns if c.canonical(column) == c.FILTER_VALUES), None)
    if name is None:
        return read
    cells = [{} if cell is None else cell for cell in read[name]]
    for row, cell in enumerate(cells):
        if not isinstance(cell, dict):
            raise InputError(
                f"{name!r} of record {row}, counted from 0, must be an object of texts by placeholder, got "
                f"{type(cell).__name__} {str(cell)[:80]!r}."
            )
    values = _columns(cells, read.index)
    doubled = sorted(set(values.columns) & set(read.columns))
    if doubled:
        raise InputError(f"Records have {doubled} both as keys and within {name!r}; keep one of each.")
    return pd.concat([read.drop(columns=name), values], axis=1)
