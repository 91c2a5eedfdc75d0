"""IDs from frames, lists and files become a batch of job input, checked row by row.

IDs are strings exactly as given: whole numbers keep every digit, floats are refused with the repair named. Everything
is columnar, up to the JSON lines (`json_lines`) that a job reads.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.inputs import distinct, json_lines
from personalize_nb.inputs.filter_columns import FilterValues, filter_columns, find_no_numbers
from personalize_nb.inputs.forms import Data, given
from personalize_nb.inputs.given import Given
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.inputs.item_lists import to_lists
from personalize_nb.inputs.key_columns import frame, note_of_header, note_of_taken
from personalize_nb.session import s3
from personalize_nb.text.counts import counted
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from personalize_nb.session.session import Session

KEYS = {
    "users": (c.USER_ID,),
    "items": (c.ITEM_ID,),
    "rankings": (c.USER_ID, c.ITEM_LIST),
    "queries": (c.ITEM_ATTRIBUTES,),
}
_ONE = {"users": "user", "items": "item", "rankings": "ranking", "queries": "query"}
MAX_SHOWN_LINES = 3
REPEATED = "the same record occurs earlier; it is sent once"


@public
@dataclass(frozen=True, repr=False)
class Batch:
    """Checked job input: one record per line of the file that a job reads.

    Parameters
    ----------
    kind
        `users`, `items`, `rankings` or `queries`.
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
    def size(self) -> str:
        """How many records it holds, in words: `5 users`."""
        return counted(len(self), _ONE[self.kind], self.kind)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the filter values that come with the records."""
        return tuple(name[1:] for name in self.table.column_names if name.startswith("$"))

    def missing_values(self, placeholder: str) -> int:
        """Return how many records have no value for a placeholder."""
        return int(self.table.column(f"${placeholder}").null_count)

    @property
    def notes_on_values(self) -> tuple[str, ...]:
        """The notes that are about filter values."""
        return tuple(note for note in self.notes if note.partition(":")[0] in self.placeholders)

    def fit(self, filter_values: FilterValues | None, numbers: Collection[str]) -> Batch:
        """Return the batch itself, where it brings its own values and those that must be numbers are."""
        if filter_values:
            raise InputError(f"Give 'filter_values' to pnb.{self.kind}(..., filter_values=...) when you pass a batch.")
        findings = Findings()
        find_no_numbers({name: self.table.column(name) for name in self.table.column_names}, numbers, findings)
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

    def upload(
        self,
        session: Session,
        address: str,
        kms_key_arn: str | None = None,
        most_bytes: int = limits.MAX_INPUT_BYTES,
    ) -> str:
        """Store the records as one S3 object and return its address; nothing is stored when writing fails.

        Parameters
        ----------
        session
            Where to store them.
        address
            The object's `s3://` address.
        kms_key_arn
            The key that encrypts it, instead of the bucket's default.
        most_bytes
            What a job takes of input.
        """
        import tempfile

        with tempfile.TemporaryFile() as file:
            self.write(file)
            if file.tell() > most_bytes:
                raise InputError(
                    f"The input would be {file.tell():,} bytes; a job takes {most_bytes:,} at most. "
                    "pnb.recommend(batch, model) splits it into jobs."
                )
            file.seek(0)
            s3.upload(session, file, address, kms_key_arn)
        return address

    def lines(self, most: int = MAX_SHOWN_LINES) -> list[str]:
        """Return the first lines as a job reads them."""
        text = b"".join(json_lines.encoded(self.table.slice(0, most))).decode()
        return text.split("\n")[:-1]  # not splitlines(): an id may hold a separator of Unicode's

    def __repr__(self) -> str:
        notes = f", {counted(len(self.findings), 'note')} in .findings" if len(self.findings) else ""
        step = "pnb.segments" if self.kind == "queries" else "pnb.recommend"
        return f"<Batch of {self.size}{notes}: {step}(batch, solution_version)>"


@public
def users(data: Data, *, filter_values: FilterValues | None = None) -> Batch:
    """Return users as job input, for User-Personalization and Popularity-Count.

    Parameters
    ----------
    data
        A frame of pandas, polars or Arrow with a column or index `user_id` (`USER_ID`, `userId`); a series, array, list
        or generator of ids; or a file: its path, a pattern such as `ids-*.csv`, or what is open, CSV, TSV, JSON or
        Parquet, plain or compressed. The README of `personalize_nb/inputs` has the whole table. One id twice is one
        record.
    filter_values
        Values for a filter's placeholders: `{"GENRE": ["comedy", "drama"]}` gives every record the same values;
        a Series or array gives each record its own; `["GENRE"]` takes the column of that name, any case. A text alone
        is split at `|`; the texts of a list are values exactly as they are.

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


@public
def items(data: Data, *, filter_values: FilterValues | None = None) -> Batch:
    """Return items as job input, for Similar-Items, SIMS and themes; arguments as for `users`."""
    return make_batch("items", data, filter_values)


@public
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


def make_batch(
    kind: str,
    data: Data | Given,
    filter_values: FilterValues | None = None,
    numbers: Collection[str] = (),
    findings: Findings | None = None,
) -> Batch:
    """Return data of one kind as a batch.

    Parameters
    ----------
    kind
        `users`, `items`, `rankings` or `queries`; the last as texts.
    data, filter_values
        As for `users`.
    numbers
        The placeholders whose value must be one number.
    findings
        Receives what is found, also where an error ends in `InputError`.
    """
    read = given(data)
    source = frame(read, KEYS[kind][0])
    if source.empty:
        raise InputError(f"There are no {kind} in the input (columns {list(source.columns)}, 0 rows).")
    findings = Findings() if findings is None else findings
    notes = [*read.notes, *note_of_taken(read, KEYS[kind][0])]
    values = filter_columns(source, filter_values or {}, findings)
    find_no_numbers(values, numbers, findings)
    if kind == "rankings":
        table = _ranking_table(source, values, findings)
    elif kind == "queries":  # texts that were made or checked as such, not ids
        table = pa.table({c.ITEM_ATTRIBUTES: pa.array(source[c.ITEM_ATTRIBUTES], pa.string()), **values})
    else:
        ids = to_strings(source[KEYS[kind][0]], KEYS[kind][0], findings)
        table = pa.table({KEYS[kind][0]: ids, **values})
    findings.raise_errors(len(source), kind)
    notes += note_of_header(table.column(0)[0].as_py(), KEYS[kind][0])
    records = _distinct(table, findings)
    return Batch(kind, records, findings.frame(), (*notes, *findings.sentences(len(source))))


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
    groups = distinct.together(distinct.firsts(keys) for keys in (users, *values.values()))
    if distinct.are_distinct(ranked, groups):
        double = np.zeros(len(groups), bool)
    else:
        double = distinct.repeats(distinct.together([groups, distinct.firsts(ranked)]))
    findings.note(double, c.ITEM_ID, ranked, "the item is in this user's list already; it is listed once")
    # a user with two values of a filter has a list for each
    records, places = distinct.numbered(groups)
    rows = np.flatnonzero(~double)
    owners = places[rows]
    if (owners[1:] < owners[:-1]).any():  # the rows of a user are not together
        order = np.argsort(owners, kind="stable")
        rows, owners = rows[order], owners[order]
    begins = np.searchsorted(owners, np.arange(len(records) + 1))
    lists = pa.ListArray.from_arrays(pa.array(begins, pa.int32()), ranked.take(pa.array(rows)))
    heads = pa.table({c.USER_ID: users, **values}).take(pa.array(records))
    return heads.add_column(1, c.ITEM_LIST, lists)


def _distinct(table: pa.Table, findings: Findings) -> pa.Table:
    double = distinct.repeated(table)
    if not double.any():
        return table
    findings.note(double, table.column_names[0], table.column(0), REPEATED)
    return table.filter(pa.array(~double))
