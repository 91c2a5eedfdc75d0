"""Files of ids as frames: Parquet, JSON lines, CSV, TSV, or a text with one id per line.

Everything is read as text where the file holds text: digits of long ids, and zeros before them, stay.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pyarrow as pa

from personalize_nb.contract import columns as c
from personalize_nb.errors import InputError

_JSON = (".jsonl", ".json", ".ndjson")


def read(path: str | os.PathLike[str], column: str) -> pd.DataFrame:
    """Read Parquet, JSON lines, CSV, TSV, or a text with one id per line.

    Parameters
    ----------
    path
        The file; its suffix says what it is.
    column
        The column that a bare list of ids is.

    Raises
    ------
    InputError
        There is no such file, or it cannot be read as what its suffix says.
    """
    file = Path(path).expanduser()
    suffix = file.suffix.lower()
    if not file.is_file():
        what = "a folder" if file.is_dir() else "no file"
        single = "" if suffix or file.is_dir() else f" A single id is given as a list: [{str(path)!r}]."
        raise InputError(f"There is {what} {str(path)!r}; name a file with ids.{single}")
    try:
        if suffix in (".parquet", ".pq"):
            return pd.read_parquet(file, dtype_backend="pyarrow")
        if suffix in _JSON:
            return _with_values(pd.read_json(file, lines=not _is_list(file), dtype=False))
        separator = "\t" if suffix == ".tsv" else ","
        cells = pd.read_csv(
            file, sep=separator, dtype=str, header=None, keep_default_na=False, na_values=[""], encoding="utf-8-sig"
        )
    except pd.errors.EmptyDataError:
        raise InputError(f"{file.name} is empty.") from None
    except (ValueError, OSError, pa.ArrowException) as error:
        form = {".parquet": "Parquet", ".pq": "Parquet"}.get(suffix, f"UTF-8 {suffix.lstrip('.').upper() or 'text'}")
        repair = "pandas.read_csv(..., encoding='latin-1', dtype=str)"
        if suffix in _JSON:
            repair, form = "json.loads for each line", f'{form}, one object like {{"userId": "12"}} per line'
        raise InputError(
            f"{file.name} cannot be read as {form}: {error}. Read it yourself, for example with {repair}, and pass the "
            "frame."
        ) from error
    return _headed(cells, column, file.name)


def _is_list(file: Path) -> bool:
    """Tell a JSON file that is one list of records from one with a record per line."""
    with file.open(encoding="utf-8-sig") as text:
        return text.read(1024).lstrip().startswith("[")


def _with_values(read: pd.DataFrame) -> pd.DataFrame:
    """Give the filter values of a job's input, as AWS writes it, columns of their own."""
    name = next((column for column in read.columns if c.canonical(column) == c.FILTER_VALUES), None)
    if name is None:
        return read
    cells = [cell if isinstance(cell, dict) else {} for cell in read[name]]
    values = pd.DataFrame(cells, index=read.index, dtype=object)
    return pd.concat([read.drop(columns=name), values], axis=1)


def _headed(read: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    """Take the first line as header where it names columns; one bare column is a list of ids."""
    first = [str(value) for value in read.iloc[0]]
    if {c.canonical(value) for value in first} & set(c.JSON_NAMES):
        return read.iloc[1:].set_axis(first, axis=1).reset_index(drop=True)
    if len(first) == 1 and not set(";\t{|") & set(first[0]):
        return read.set_axis([column], axis=1)
    raise InputError(
        f"{name} begins with {first!r}, which names no column {column!r}. Give the file a header, or read it yourself "
        "and pass the frame."
    )
