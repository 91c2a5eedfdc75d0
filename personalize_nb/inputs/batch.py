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

import pandas as pd
import pyarrow as pa

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.inputs import json_lines
from personalize_nb.inputs.filter_columns import FilterValues, find_no_numbers
from personalize_nb.inputs.ids import Findings
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
    r"""Checked job input: one record per line of the file that a job reads.

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

    References
    ----------
    The JSON lines of "Preparing batch input" in Amazon Personalize's developer guide.

    Examples
    --------
    >>> import io
    >>> import pandas as pd
    >>> import personalize_nb as pnb
    >>> wishes = pd.DataFrame({"user_id": ["12", "7", "12"], "GENRE": ["drama", None, "drama"]})
    >>> batch = pnb.users(wishes, filter_values=["GENRE"])
    >>> batch.size, batch.placeholders, batch.missing_values("GENRE")
    ('2 users', ('GENRE',), 1)
    >>> batch.lines(1)
    ['{"userId":"12","filterValues":{"GENRE":"\\"drama\\""}}']
    >>> len(batch.notes), len(batch.notes_on_values)
    (1, 0)
    >>> file = io.BytesIO()
    >>> batch.write(file)
    >>> batch.to_jsonl("input.jsonl").read_bytes() == file.getvalue()
    True
    >>> batch.fit(None, numbers=()) is batch
    True
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
        """Return how many records have no value for a placeholder.

        Parameters
        ----------
        placeholder
            Its name, without the `$`.

        Returns
        -------
        int
            Records, not rows of the frame.
        """
        return int(self.table.column(f"${placeholder}").null_count)

    @property
    def notes_on_values(self) -> tuple[str, ...]:
        """The notes that are about filter values."""
        return tuple(note for note in self.notes if note.partition(":")[0] in self.placeholders)

    def fit(self, filter_values: FilterValues | None, numbers: Collection[str]) -> Batch:
        """Return the batch itself, where it brings its own values and those that must be numbers are.

        Parameters
        ----------
        filter_values
            Must be None: a batch has its values.
        numbers
            Names of placeholders whose value must be one number.

        Returns
        -------
        Batch
            Itself.

        Raises
        ------
        InputError
            Values are given twice, or one that must be a number is none.
        """
        if filter_values:
            raise InputError(f"Give 'filter_values' to pnb.{self.kind}(..., filter_values=...) when you pass a batch.")
        findings = Findings()
        find_no_numbers({name: self.table.column(name) for name in self.table.column_names}, numbers, findings)
        findings.raise_errors(len(self), self.kind)
        return self

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def write(self, file: IO[bytes]) -> None:
        """Write all records as JSON lines.

        Parameters
        ----------
        file
            An open file of bytes.
        """
        for block in json_lines.encoded(self.table):
            file.write(block)

    def to_jsonl(self, path: str | os.PathLike[str]) -> Path:
        """Write the records to a JSON lines file.

        Parameters
        ----------
        path
            The file; one that is there is replaced.

        Returns
        -------
        pathlib.Path
            Its path.
        """
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

        Returns
        -------
        str
            The object's address.

        Raises
        ------
        InputError
            There are more bytes than a job takes.
        AccessError, NotFoundError
            The bucket refuses, or is not there.

        Examples
        --------
        >>> import personalize_nb as pnb
        >>> session = pnb.connect()
        >>> pnb.users(["12", "7"]).upload(session, session.location("input", "two.jsonl"))
        's3://personalize-nb-.../personalize_nb/input/two.jsonl'
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
        """Return the first lines as a job reads them.

        Parameters
        ----------
        most
            How many.

        Returns
        -------
        list of str
            JSON, a record each.
        """
        text = b"".join(json_lines.encoded(self.table.slice(0, most))).decode()
        return text.split("\n")[:-1]  # not splitlines(): an id may hold a separator of Unicode's

    def __repr__(self) -> str:
        notes = f", {counted(len(self.findings), 'note')} in .findings" if len(self.findings) else ""
        step = "pnb.segments" if self.kind == "queries" else "pnb.recommend"
        return f"<Batch of {self.size}{notes}: {step}(batch, solution_version)>"
