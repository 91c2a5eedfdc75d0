"""A partition is checked on its worker, by the same rules as a whole frame, and stays there as a table of records.

What comes back is small: how many rows and records, what was found, how large the part files will be. What is known of
all partitions together is gathered here as well, with rows counted through the whole frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb import errors
from personalize_nb.contract import columns as c
from personalize_nb.contract import recipes
from personalize_nb.inputs.batch import KEYS, REPEATED, Batch
from personalize_nb.inputs.forms import given
from personalize_nb.inputs.given import Given
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.inputs.key_columns import frame as as_frame
from personalize_nb.jobs import parts
from personalize_nb.jobs.batches import batch_for
from personalize_nb.jobs.parts import InputLimits
from personalize_nb.jobs.request import KIND_OF_KEYS
from personalize_nb.resources.filters import Filter
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.session.portable import PortableSession

if TYPE_CHECKING:
    from personalize_nb.inputs.filter_columns import FilterValues


@dataclass(frozen=True)
class PartitionQuestion:
    """What every partition is to become: a worker's own view of a question.

    Parameters
    ----------
    where
        The session, as it can be sent.
    version
        ARN, recipe and dataset group of the solution version.
    chosen
        The filter.
    values
        Its values, the same for every record, or names of columns.
    mode
        The mode of the job.
    limit
        What a job takes.
    """

    where: PortableSession
    version: tuple[str, str, str]
    chosen: Filter | None
    values: FilterValues | None
    mode: str
    limit: InputLimits

    def model(self) -> SolutionVersion:
        """Return the solution version, on this worker."""
        return SolutionVersion(*self.version, self.where.session())


@dataclass(frozen=True)
class Checked:
    """A partition after it was checked.

    Parameters
    ----------
    rows
        Rows of the partition.
    findings
        What was found in them, by their places in the partition.
    kind
        What the records are; empty where there are none.
    table
        The records; None in what is told of them.
    origin
        For each record the row that it comes from, where that is not its own place.
    by_item
        Whether rankings have a row for each item, so that the rows of a user belong together.
    notes
        What was decided in reading.
    fault
        What is wrong with the partition as a whole.
    cuts
        Records and bytes of each part file.
    listed
        Items of all lists to rank.
    missing
        Records without a value, by placeholder.
    digest
        What tells the records from others.
    """

    rows: int
    findings: Findings = field(default_factory=Findings)
    kind: str = ""
    table: pa.Table | None = None
    origin: np.ndarray | None = None
    by_item: bool = False
    notes: tuple[str, ...] = ()
    fault: str = ""
    cuts: tuple[tuple[int, int], ...] = ()
    listed: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    digest: str = ""

    @property
    def records(self) -> int:
        """How many records there are."""
        return sum(records for records, _ in self.cuts)

    def told(self) -> Checked:
        """Return what is told of the partition, without its records."""
        return replace(self, table=None, origin=None)

    def row(self, records: np.ndarray) -> np.ndarray:
        """Return the rows of the partition that records come from."""
        return records if self.origin is None else self.origin[records]


def check(partition: Any, question: PartitionQuestion) -> Checked:
    """Return a partition as records, with all that was found in its rows; nothing is raised for what it holds.

    Parameters
    ----------
    partition
        A frame, a series or a list of ids.
    question
        What it is to become.
    """
    rows, findings = len(partition), Findings()
    if not rows:  # as a filter of the frame leaves some
        return Checked(0)
    try:
        read = given(partition)
        batch = batch_for(read, question.model(), question.chosen, question.values, findings)
    except errors.InputError as error:
        return Checked(rows, findings, _kind(question), fault="" if findings.have_errors else str(error))
    sentences = set(findings.sentences(rows))
    by_item = batch.kind == "rankings" and c.ITEM_LIST not in as_frame(read, c.USER_ID).columns
    cuts, digest = _sized(batch, question)
    listed = pc.sum(pc.list_value_length(batch.table.column(c.ITEM_LIST))).as_py() if batch.kind == "rankings" else 0
    return Checked(
        rows,
        findings,
        batch.kind,
        batch.table,
        _origin(read, batch, by_item),
        by_item,
        tuple(note for note in batch.notes if note not in sentences),
        cuts=cuts,
        listed=listed or 0,
        missing={name: batch.missing_values(name) for name in batch.placeholders},
        digest=digest,
    )


def _kind(question: PartitionQuestion) -> str:
    """Return what the recipe takes."""
    facts = recipes.recipe_of(question.version[1])
    return KIND_OF_KEYS.get(facts.input_keys if facts else (), "users")


def _origin(read: Given, batch: Batch, by_item: bool) -> np.ndarray | None:
    """Return for each record the row that it comes from; None where that is its own place."""
    key = KEYS[batch.kind][0]
    if by_item:  # a list comes from the first row of its user
        users = to_strings(as_frame(read, key)[key], key, Findings())
        return np.asarray(pc.index_in(batch.table.column(key), value_set=users).to_numpy())
    again = batch.findings.loc[batch.findings["problem"] == REPEATED, "row"].to_numpy()
    return np.delete(np.arange(len(batch) + len(again)), again) if len(again) else None


def _sized(batch: Batch, question: PartitionQuestion) -> tuple[tuple[tuple[int, int], ...], str]:
    """Return records and bytes of each part file that the records become, and what tells them from others."""
    digest, limit = hashlib.sha256(), question.limit
    size = 0
    for block in parts.batch_blocks(batch):
        digest.update(block)
        size += len(block)
    if size <= limit.max_bytes and len(batch) <= limit.records(question.mode):
        return ((len(batch), size),), digest.hexdigest()
    cuts = []
    for part in parts.cut(parts.batch_blocks(batch), question.mode, limit):
        cuts.append((part.records, part.file.seek(0, 2)))
    return tuple(cuts), digest.hexdigest()


@dataclass(frozen=True)
class CheckedWhole:
    """What is known of all partitions together.

    Parameters
    ----------
    each
        What is told of each partition, in their order.
    """

    each: Sequence[Checked]

    @property
    def kind(self) -> str:
        """What the records are."""
        return next((one.kind for one in self.each if one.kind), "")

    @property
    def records(self) -> int:
        """How many records there are."""
        return sum(one.records for one in self.each)

    @property
    def listed(self) -> int:
        """How many items all lists to rank have."""
        return sum(one.listed for one in self.each)

    @property
    def missing(self) -> dict[str, int]:
        """How many records have no value, by placeholder."""
        names = dict.fromkeys(name for one in self.each for name in one.missing)
        return {name: sum(one.missing.get(name, 0) for one in self.each) for name in names}

    @property
    def begins(self) -> list[int]:
        """The row of the whole frame that each partition begins with."""
        return [0, *np.cumsum([one.rows for one in self.each])[:-1].tolist()]

    @property
    def rows(self) -> int:
        """How many rows the whole frame has."""
        return sum(one.rows for one in self.each)

    def judged(self, repeats: Mapping[int, Findings]) -> Findings:
        """Return all that was found, with rows of the whole frame.

        Parameters
        ----------
        repeats
            What was found between partitions, by partition.

        Raises
        ------
        InputError
            A partition, or rows, cannot be used.
        """
        if not self.rows:
            raise errors.InputError(f"There are no rows in the frame, in {len(self.each):,} partitions.")
        faults: dict[str, list[int]] = {}
        for number, one in enumerate(self.each):
            if one.fault:
                faults.setdefault(one.fault, []).append(number)
        if faults:
            lines = [
                f"{text} (partition {', '.join(map(str, where[:5]))}{', ...' if len(where) > 5 else ''} of "
                f"{len(self.each)}, counted from 0)"
                for text, where in faults.items()
            ]
            raise errors.InputError("\n".join(lines))
        begins = self.begins
        own = [(one.findings, begin) for one, begin in zip(self.each, begins, strict=True)]
        found = Findings.gathered([*own, *((inner, begins[number]) for number, inner in sorted(repeats.items()))])
        found.raise_errors(self.rows, self.kind or "rows")
        return found
