"""IDs from frames, lists and files become a batch of job input, checked row by row.

IDs are strings exactly as given: whole numbers keep every digit, floats are refused with the repair named. Everything
is columnar, up to the JSON lines (`json_lines`) that a job reads.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.inputs import files, json_lines
from personalize_nb.inputs.frames import ToArrow
from personalize_nb.inputs.ids import Findings, to_lists, to_strings
from personalize_nb.resources import filters
from personalize_nb.session import s3
from personalize_nb.text.counts import counted

if TYPE_CHECKING:
    from personalize_nb.session.session import Session

KEYS = {"users": (c.USER_ID,), "items": (c.ITEM_ID,), "rankings": (c.USER_ID, c.ITEM_LIST)}
MAX_SHOWN_LINES = 3
_NUMBER = r'^\s*"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"\s*$'

Data: TypeAlias = pd.DataFrame | pd.Series | pd.Index | pa.Table | ToArrow | Iterable[object] | str | os.PathLike[str]
FilterValues: TypeAlias = Mapping[str, Any] | Sequence[str]


@dataclass(frozen=True, repr=False)
class Batch:
    """Checked job input: one record per line of the file that a job reads.

    Parameters
    ----------
    kind
        `users`, `items` or `rankings`.
    table
        The key columns, then one column `$NAME` of quoted text per filter placeholder.
    findings
        What was found, one row each: `row` (position from 0), `column`, `value`, `problem`. These are notes; what
        stops a job raises `InputError`, which carries the same frame.
    notes
        The same in a sentence for each kind, to be told when a job starts.
    """

    kind: str
    table: pa.Table
    findings: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the filter values that come with the records."""
        return tuple(name[1:] for name in self.table.column_names if name.startswith("$"))

    def missing_values(self, placeholder: str) -> int:
        """Return how many records have no value for a placeholder."""
        return int(self.table.column(f"${placeholder}").null_count)

    def fit(self, filter_values: FilterValues | None, numbers: Collection[str]) -> Batch:
        """Return the batch itself, where it brings its own values and those that must be numbers are."""
        if filter_values:
            raise InputError(f"Give 'filter_values' to pnb.{self.kind}(..., filter_values=...) when you pass a batch.")
        findings = Findings()
        _find_no_numbers({name: self.table.column(name) for name in self.table.column_names}, numbers, findings)
        findings.raise_errors(len(self), self.kind)
        return self

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def write(self, file: IO[bytes]) -> None:
        """Write all records as JSON lines."""
        for block in json_lines.encoded(self.table):
            file.write(block)

    def to_jsonl(self, path: str | os.PathLike[str]) -> Path:
        """Write the records to a JSON lines file and return its path."""
        target = Path(path).expanduser()
        with target.open("wb") as file:
            self.write(file)
        return target

    def upload(self, session: Session, address: str) -> str:
        """Store the records as one S3 object and return its address; nothing is stored when writing fails."""
        import tempfile

        with tempfile.TemporaryFile() as file:
            self.write(file)
            if file.tell() > limits.MAX_INPUT_BYTES:
                raise InputError(
                    f"The input would be {file.tell():,} bytes; a job takes {limits.MAX_INPUT_BYTES:,} at most. "
                    "Split the frame."
                )
            file.seek(0)
            s3.upload(session, file, address)
        return address

    def lines(self, most: int = MAX_SHOWN_LINES) -> list[str]:
        """Return the first lines as a job reads them."""
        text = b"".join(json_lines.encoded(self.table.slice(0, most))).decode()
        return text.split("\n")[:-1]  # not splitlines(): an id may hold a separator of Unicode's

    def __repr__(self) -> str:
        notes = f", {counted(len(self.findings), 'note')} in .findings" if len(self.findings) else ""
        size = counted(len(self), self.kind.removesuffix("s"))
        return f"<Batch of {size}{notes}: pnb.recommend(batch, solution_version)>"


def users(data: Data, *, filter_values: FilterValues | None = None) -> Batch:
    """Return users as job input, for User-Personalization and Popularity-Count.

    Parameters
    ----------
    data
        A frame with a column or index `user_id` (`USER_ID`, `userId`), a Series, Index or list of ids, or the path of a
        CSV, Parquet or JSON lines file. One id twice is one record.
    filter_values
        Values for a filter's placeholders: `{"GENRE": ["comedy", "drama"]}` gives every record the same values;
        a Series or array gives each record its own; `["GENRE"]` takes the column of that name, any case.

    Raises
    ------
    InputError
        Rows cannot be used; `.findings` is a frame that says which and why.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.users(["12", "7", "12"])
    <Batch of 2 users, 1 note in .findings: pnb.recommend(batch, solution_version)>
    """
    return make_batch("users", data, filter_values)


def items(data: Data, *, filter_values: FilterValues | None = None) -> Batch:
    """Return items as job input, for Similar-Items, SIMS and themes; arguments as for `users`."""
    return make_batch("items", data, filter_values)


def rankings(data: Data, *, filter_values: FilterValues | None = None) -> Batch:
    """Return users with items to rank, for Personalized-Ranking.

    Parameters
    ----------
    data
        A frame with `user_id` and `item_id`, one row per item, or with `user_id` and `item_list` (lists, or text such
        as `"27|886|101"` or `'["27", "886"]'`). Order of users and of items is kept.
    filter_values
        As for `users`; in the long form a user with two values of a filter has a list for each.
    """
    return make_batch("rankings", data, filter_values)


def frame(data: Data, column: str) -> pd.DataFrame:
    """Return any accepted data as a frame whose key columns have our names.

    Parameters
    ----------
    data
        See `users`.
    column
        The column that a bare list or series is.
    """
    if isinstance(data, (str, os.PathLike)):
        read = files.read(data, column)
        if not len(read.columns):
            raise InputError(f"{Path(data).name} is empty.")
        return _named(read, column)
    if isinstance(data, pd.DataFrame):
        return _named(data, column)
    if isinstance(data, pd.MultiIndex):
        return _named(data.to_frame(index=False, allow_duplicates=True), column)
    if isinstance(data, (pd.Series, pd.Index)):
        if isinstance(data, pd.Series) and c.canonical(data.name) != column and column in _levels(data.index):
            raise InputError(
                f"The series is named {data.name!r} and its index {column!r}: which of them are the ids? Pass "
                f"series.index for those of the index, or series.rename({column!r}) for the values."
            )
        if c.canonical(data.name) in set(c.JSON_NAMES) - {column}:
            raise InputError(
                f"The recipe takes {column!r}, the {type(data).__name__.lower()} is named {data.name!r}. If it holds "
                f"those ids, rename it: series.rename({column!r})."
            )
        return data.to_frame(index=False, name=column) if isinstance(data, pd.Index) else data.to_frame(name=column)
    if isinstance(data, ToArrow):
        data = data.to_arrow()
    if isinstance(data, pa.Table):
        return _named(data.to_pandas(types_mapper=pd.ArrowDtype), column)
    if isinstance(data, Mapping) or not isinstance(data, Iterable):
        raise InputError(f"Input must be a frame, a series, a list of ids or a file's path, got {type(data).__name__}.")
    # object dtype, so that pandas does not turn 1 and None into 1.0 and NaN
    return pd.DataFrame({column: pd.Series(list(data), dtype=object)})


def _levels(index: pd.Index) -> list[str]:
    return [c.canonical(name) for name in index.names]


def _named(data: pd.DataFrame, column: str) -> pd.DataFrame:
    columns = {c.canonical(name) for name in data.columns}
    levels = [number for number, name in enumerate(_levels(data.index)) if name in set(c.JSON_NAMES) - columns]
    renamed = data.reset_index(level=levels) if levels else data  # as groupby() and set_index() leave a frame
    renamed = renamed.rename(columns=c.canonical)
    names = list(renamed.columns)
    doubled = {name for name in names if names.count(name) > 1}
    if doubled & {column, c.USER_ID, c.ITEM_ID, c.ITEM_LIST}:
        raise InputError(
            f"Columns {sorted(map(str, doubled))} occur twice among {list(data.columns)}; keep one of each."
        )
    if column not in names and len(names) == 1 and names[0] not in c.JSON_NAMES:
        return renamed.set_axis([column], axis=1)
    if column not in names:
        raise InputError(
            f"The recipe takes a column {column!r}; the frame has {list(data.columns)}. If one of them holds those "
            f"ids, rename it: frame.rename(columns={{...: {column!r}}})."
        )
    return renamed


def make_batch(
    kind: str, data: Data, filter_values: FilterValues | None = None, numbers: Collection[str] = ()
) -> Batch:
    """Return data of one kind as a batch.

    Parameters
    ----------
    kind
        `users`, `items` or `rankings`.
    data, filter_values
        As for `users`.
    numbers
        The placeholders whose value must be one number.
    """
    source = frame(data, KEYS[kind][0])
    if source.empty:
        raise InputError(f"There are no {kind} in the input (columns {list(source.columns)}, 0 rows).")
    findings = Findings()
    notes = _note_of_taken(data, KEYS[kind][0]) if isinstance(data, pd.DataFrame) else []
    values = _filter_columns(source, filter_values or {}, findings)
    _find_no_numbers(values, numbers, findings)
    if kind == "rankings":
        table = _ranking_table(source, values, findings)
    else:
        ids = to_strings(source[KEYS[kind][0]], KEYS[kind][0], findings)
        table = pa.table({KEYS[kind][0]: ids, **values})
    findings.raise_errors(len(source), kind)
    distinct = _distinct(table, findings)
    return Batch(kind, distinct, findings.frame(), (*notes, *findings.sentences(len(source))))


def _note_of_taken(data: pd.DataFrame, column: str) -> list[str]:
    """Say so where the only column of a frame is taken for the ids although it has another name."""
    names = [c.canonical(name) for name in data.columns]
    taken = len(names) == 1 and names[0] != column and column not in _levels(data.index)
    return [f"column {data.columns[0]!r} is taken as {column!r}"] if taken else []


def _filter_columns(source: pd.DataFrame, wanted: FilterValues, findings: Findings) -> dict[str, pa.Array]:
    if isinstance(wanted, str):
        wanted = [wanted]
    if not isinstance(wanted, Mapping):
        by_name = {str(name).lower(): name for name in source.columns}
        absent = [name for name in wanted if name.lower() not in by_name]
        if absent:
            raise InputError(f"No column for filter values {absent}; the frame has {list(source.columns)}.")
        wanted = {name: source[by_name[name.lower()]] for name in wanted}
    if len(wanted) > limits.MAX_FILTER_VALUES:
        raise InputError(f"At most {limits.MAX_FILTER_VALUES} filter values per record, got {len(wanted)}.")
    return {f"${name}": _filter_column(name, value, source.index, findings) for name, value in wanted.items()}


def _filter_column(name: str, value: Any, index: pd.Index, findings: Findings) -> pa.Array:
    rows = len(index)
    if hasattr(value, "dtype") and getattr(value, "ndim", 0) == 1:
        if len(value) != rows:
            raise InputError(f"Filter values {name!r}: {len(value)} values for {rows} records; give one for each.")
        own = getattr(value, "index", index)
        if not own.equals(index) and own.symmetric_difference(index).empty:
            raise InputError(
                f"Filter values {name!r} have the index of the records in another order; values go to records by "
                "position. Sort them alike: values.reindex(frame.index)."
            )
        texts = pa.array([filters.quoted(cell) for cell in value], pa.string())
    else:
        texts = pa.array([filters.quoted(value)], pa.string()).take(pa.array([0] * rows, pa.int32()))
    longest = limits.MAX_FILTER_VALUE_CHARACTERS
    long = pc.fill_null(pc.greater(pc.utf8_length(texts), longest), False)
    findings.error(long, name, texts, f"filter values longer than {longest} characters")
    return texts


def _find_no_numbers(values: Mapping[str, Any], numbers: Collection[str], findings: Findings) -> None:
    """Find values that a filter cannot compare by `<` or `>`; the service would fail their lines."""
    for name in numbers:
        texts = values.get(f"${name}")
        if texts is not None:
            wrong = pc.fill_null(pc.invert(pc.match_substring_regex(texts, _NUMBER)), False)
            findings.error(wrong, name, texts, f"the filter compares ${name}: give one number, or a moment in time")


def _ranking_table(source: pd.DataFrame, values: dict[str, pa.Array], findings: Findings) -> pa.Table:
    users = to_strings(source[c.USER_ID], c.USER_ID, findings)
    if c.ITEM_LIST in source.columns:
        return pa.table({c.USER_ID: users, c.ITEM_LIST: to_lists(source[c.ITEM_LIST], findings), **values})
    if c.ITEM_ID not in source.columns:
        raise InputError(
            f"Rankings need {c.USER_ID!r} with {c.ITEM_ID!r} (a row per item) or {c.ITEM_LIST!r}; "
            f"the frame has {list(source.columns)}."
        )
    ranked = to_strings(source[c.ITEM_ID], c.ITEM_ID, findings)
    findings.raise_errors(len(source), "rows")
    rows = pa.table({c.USER_ID: users, c.ITEM_LIST: ranked, **values})
    repeated = pd.DataFrame({name: _codes(rows.column(name)) for name in rows.column_names})
    double = repeated.duplicated().to_numpy()
    findings.note(pa.array(double), c.ITEM_ID, ranked, "the item is in this user's list already; it is listed once")
    # a user with two values of a filter has a list for each
    lists = rows.filter(pa.array(~double)).group_by([c.USER_ID, *values], use_threads=False)
    found = lists.aggregate([(c.ITEM_LIST, "list")])
    return pa.table(
        {
            c.USER_ID: found.column(c.USER_ID),
            c.ITEM_LIST: found.column(f"{c.ITEM_LIST}_list"),
            **{name: found.column(name) for name in values},
        }
    )


def _distinct(table: pa.Table, findings: Findings) -> pa.Table:
    codes = pd.DataFrame({name: _codes(table.column(name)) for name in table.column_names})
    double = codes.duplicated().to_numpy()
    if not double.any():
        return table
    findings.note(double, table.column_names[0], table.column(0), "the same record occurs earlier; it is sent once")
    return table.filter(pa.array(~double))


def _codes(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Return a number per value, equal where the values are."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    flat = pc.binary_join(array, "\x1f") if pa.types.is_list(array.type) else array
    codes: np.ndarray = pc.fill_null(pc.dictionary_encode(flat).indices, -1).to_numpy(zero_copy_only=False)
    return codes
