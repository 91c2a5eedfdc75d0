"""The rows that a job wrote, matched with the lines of its input: read once, kept as Arrow.

Large outputs are spooled to a temporary file that is mapped, not loaded, so that any size is walked in bounded memory.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.errors import AccessError, InputError, NotFoundError
from personalize_nb.results import lines, matching, output_files
from personalize_nb.results.lines import flat
from personalize_nb.results.matching import Matched
from personalize_nb.results.members import IDS, ITEMS, KEYS, THEME, USERS
from personalize_nb.session.progress import choose
from personalize_nb.session.transfers import Transfer
from personalize_nb.text.counts import counted, verb

if TYPE_CHECKING:
    from personalize_nb.results.output_files import Places
    from personalize_nb.session.s3 import Stored
    from personalize_nb.session.session import Session

IN_MEMORY = 256 << 20
MOST_RESULTS = 1_000_000  # of a block
# keys that become columns; a list to rank is told by the ranks of its items
_KEYS = [key for key in c.JSON_KEYS if not pa.types.is_list(KEYS[key])]


class Rows:
    """The rows of a job's output and the lines of its input.

    Parameters
    ----------
    output
        Where the job wrote.
    source
        Where its input is, if that is known.
    session
        Reads `s3://` addresses.
    input_keys
        Asked which keys a line of the input has, where no line of input or output tells.
    superseded
        What the addresses of output begin with whose rows with errors do not count: others answer their lines.
    reasons
        Why there is no row, by the name of the input file; under an empty name for all others.
    """

    def __init__(
        self,
        output: Places,
        source: Places | None,
        session: Session | None,
        input_keys: Callable[[], Sequence[str]],
        superseded: tuple[str, ...] = (),
        reasons: Mapping[str, str] = MappingProxyType({}),
    ):
        self.output, self.source = output, source
        self.session, self._input_keys = session, input_keys
        self._superseded, self._reasons = superseded, reasons

    @property
    def were_read(self) -> bool:
        """Whether the output was read already."""
        return "table" in self.__dict__

    @cached_property
    def asked(self) -> pa.Table:
        """The input's records with their lines; empty when there is no input to read."""
        try:
            return lines.input_table(self.session, [] if self.source is None else self._read)
        except (InputError, AccessError) as error:  # the output is worth reading without it
            choose().say(f"The input cannot be read, so results come in the order of the output. {error}")
            return lines.input_table(self.session, [])

    @cached_property
    def _read(self) -> list[Stored]:
        return output_files.input_files(self.session, self.source or ())

    @cached_property
    def record(self) -> pa.DataType:
        """The type of a record: the keys, and the filter values of any line of the input."""
        return pa.struct([one for one in self.asked.schema if one.name not in (c.FILE, c.LINE)])

    @cached_property
    def table(self) -> pa.Table:
        """The rows, in the order of the output."""
        read: list[pa.Table] = []
        tables = self._tables()
        size = 0
        for table in tables:
            read.append(table)
            size += table.nbytes
            if size > IN_MEMORY:
                return _spooled(itertools.chain(read, tables))
        if read or self.asked.num_rows or self._reasons:
            return pa.concat_tables(read or [lines.no_rows(self.record)])
        raise NotFoundError(f"The output at {self.output!r} is empty.")

    def _tables(self) -> Iterator[pa.Table]:
        if isinstance(self.output, list) and not self.output:
            return  # all jobs of a part of a run failed
        files = output_files.output_files(self.session, self.output, self.source, self.__dict__.get("_read"))
        old = [one for one in files if one.address.startswith(self._superseded)] if self._superseded else []
        with Transfer("reading the output", sum(one.size for one in files)) as transfer:
            for table in lines.output_tables(self.session, old, self.record, transfer.add):
                yield table.filter(pc.is_null(table.column("error")))
            new = [one for one in files if one not in old]
            yield from lines.output_tables(self.session, new, self.record, transfer.add)

    @property
    def question(self) -> np.ndarray | None:
        """For each row the position of the input line that it answers, or -1; None where no input was read."""
        return None if self._matched is None else self._matched.question

    @cached_property
    def _matched(self) -> Matched | None:
        if not self.asked.num_rows:
            return None
        chunks = [matching.keys_of(batch.column("input")) for batch in self._batches]
        keys = pa.chunked_array(chunks, pa.large_string())
        found = matching.matched(self.asked, self.table, keys, self.record)
        if found.untold:
            rows, have = counted(found.untold, "row"), verb(found.untold, "has", "have")
            choose().say(
                f"{rows} of the output {have} no filter values, and lines of the input differ in these alone: the "
                "columns of the values are empty there"
            )
        return found

    @cached_property
    def unanswered(self) -> np.ndarray:
        """The positions of input lines that no row answers."""
        if self.question is None:
            return np.zeros(0, np.int64)
        silent = np.ones(len(self.asked), bool)
        silent[self.question[self.question >= 0]] = False
        if silent.any():  # one row may answer a line that is there twice
            silent &= ~matching.answered_before(self.asked, self.record, self.question)
        return np.flatnonzero(silent)

    @cached_property
    def order(self) -> np.ndarray | None:
        """The rows in the order of the input; None when they have it already. A row that nobody asked for stays."""
        if self.question is None:
            return None
        place = np.where(self.question >= 0, self.question, np.arange(len(self.question)))
        return None if bool(np.all(place[1:] >= place[:-1])) else np.argsort(place, kind="stable")

    def ordered(self, start: int, count: int) -> pa.Table:
        """Return some rows in the order of the input."""
        if self.order is None:
            return self._told(self.table.slice(start, count), np.arange(start, min(start + count, len(self.table))))
        return self.taken(self.order[start : start + count])

    def taken(self, places: np.ndarray) -> pa.Table:
        """Return rows by position, from the batches they lie in: `Table.take` would first join the whole table."""
        if not len(places):
            return self.table.slice(0, 0)
        which = np.searchsorted(self._starts, places, side="right") - 1
        order = np.argsort(which, kind="stable")
        numbers, firsts = np.unique(which[order], return_index=True)
        pieces = [
            self._batches[number].take(pa.array(places[chosen] - self._starts[number]))
            for number, chosen in zip(numbers, np.split(order, firsts[1:]), strict=True)
        ]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        found = pa.Table.from_batches(pieces, self.table.schema).combine_chunks().take(pa.array(back))
        return self._told(found, places)

    def _told(self, rows: pa.Table, places: np.ndarray) -> pa.Table:
        """Return rows with what their lines say where they echo less."""
        if self._matched is None or not self._matched.borrowed[places].any():
            return rows
        records = self._lines(flat(rows.column("input")), places, self._matched.borrowed[places])
        return rows.set_column(rows.schema.get_field_index("input"), "input", records)

    @cached_property
    def without_results(self) -> pa.ChunkedArray:
        """Which rows have no error and no item or user either."""
        found = pc.is_null(self.table.column("error"))
        return pc.and_not(found, pc.or_(self._lists((ITEMS,)), self._lists(USERS)))

    @cached_property
    def with_items(self) -> int:
        """How many rows list items."""
        return int(pc.sum(self._lists((ITEMS,))).as_py() or 0)

    @cached_property
    def with_users(self) -> int:
        """How many rows list users."""
        return int(pc.sum(self._lists(USERS)).as_py() or 0)

    def _lists(self, names: Sequence[str]) -> pa.ChunkedArray:
        """Return which rows have anything in one of these lists."""
        output = self.table.column("output")
        lengths = [pc.fill_null(pc.list_value_length(pc.struct_field(output, name)), 0) for name in names]
        found = pc.greater(lengths[0], 0)
        for more in lengths[1:]:
            found = pc.or_(found, pc.greater(more, 0))
        return found

    @cached_property
    def results(self) -> np.ndarray:
        """How many items and users each row lists, in the order of the input."""
        found = np.zeros(len(self.table), np.int64)
        for name in IDS:
            lists = pc.struct_field(self.table.column("output"), name)
            found += pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        return found if self.order is None else found[self.order]

    def blocks(self, lines: int) -> Iterator[tuple[int, int]]:
        """Yield where blocks of rows begin and how many rows they have, at least one block.

        Parameters
        ----------
        lines
            The most of a block; fewer where they have more than `MOST_RESULTS` together, but at least one.
        """
        ends = np.cumsum(self.results)
        start = 0
        while start == 0 or start < len(self.table):
            before = ends[start - 1] if start else 0
            full = int(np.searchsorted(ends, before + MOST_RESULTS, side="right"))
            count = max(1, min(lines, full - start))
            yield start, count
            start += count

    def part(self, chosen: np.ndarray, asked: np.ndarray) -> Rows:
        """Return some rows with some lines of the input, as if no others had been there.

        Parameters
        ----------
        chosen, asked
            Which rows of `table`, and which lines of `asked`.
        """
        keys = self.answered_keys(IDS)  # of a part that is empty nothing tells them
        part = Rows(self.output, self.source, self.session, lambda: keys, reasons=self._reasons)
        part.asked = self.asked.filter(pa.array(asked))
        part.lineless = {}
        part.table = self.table.filter(pa.array(chosen))
        return part

    @cached_property
    def failed(self) -> int:
        """How many input lines have an error or no row."""
        return len(self.table) - int(self.table.column("error").null_count) + len(self.unanswered)

    @cached_property
    def answered(self) -> int:
        """How many rows have an item or a user."""
        return int(self.table.column("error").null_count) - self.empty

    @cached_property
    def empty(self) -> int:
        """How many rows have no error and nothing else either."""
        return int(pc.sum(self.without_results).as_py() or 0)

    @cached_property
    def has_themes(self) -> bool:
        """Whether any row has a theme."""
        return self._any_has(THEME)

    @cached_property
    def has_segments(self) -> bool:
        """Whether any row has a list of users."""
        return any(map(self._any_has, USERS))

    @cached_property
    def has_lists(self) -> bool:
        """Whether any row is a list of items, be it an empty one; one of users that has such a member is none."""
        given = pc.is_valid(pc.struct_field(self.table.column("output"), ITEMS))
        empty = pc.and_not(given, self._lists(USERS))
        return self.with_items > 0 or bool(pc.any(empty).as_py())

    def _any_has(self, member: str) -> bool:
        return bool(pc.any(pc.is_valid(pc.struct_field(self.table.column("output"), member))).as_py())

    def answered_keys(self, names: Sequence[str]) -> list[str]:
        """Return the keys of the lines that got such lists.

        A line with a wrong key, or of another kind, must not rename everyone's columns.
        """
        answered = pc.and_(pc.is_null(self.table.column("error")), self._lists(names))
        keys = [key for key in _KEYS if pc.any(pc.and_(answered, self._given(key))).as_py()]
        return keys or self._expected_keys or self.all_keys

    @cached_property
    def all_keys(self) -> list[str]:
        """The keys of any line, so that a frame of errors has their columns, an empty one as well."""
        asked = self.asked
        given = [key for key in _KEYS if pc.any(self._given(key)).as_py() or asked.column(key).null_count < len(asked)]
        return given or self._expected_keys or [_KEYS[1 if self.has_segments or self.has_themes else 0]]

    @cached_property
    def _expected_keys(self) -> list[str]:
        wanted = self._input_keys()
        return [key for key in _KEYS if key in wanted]

    def _given(self, key: str) -> pa.ChunkedArray:
        return pc.is_valid(pc.struct_field(self.table.column("input"), key))

    @cached_property
    def lineless(self) -> dict[str, str]:
        """Why there is no row of an input file that has no line either, by its name: it is empty, or not there."""
        if not self._reasons:
            return {}
        there = set(pc.unique(self.asked.column(c.FILE)).to_pylist())
        return {name: why for name, why in self._reasons.items() if (name not in there if name else not there)}

    def unsuccessful(self) -> pa.Table:
        """Return the input lines that got nothing; columns `input`, `error`, `line`, `file`."""
        failed = np.flatnonzero(pc.or_(pc.is_valid(self.table.column("error")), self.without_results).to_numpy())
        if self.order is not None:
            place = np.empty(len(self.order), np.int64)
            place[self.order] = np.arange(len(self.order))
            failed = failed[np.argsort(place[failed])]
        rows = self.taken(failed)
        wanted = pc.is_valid(pc.struct_field(flat(rows.column("output")), ITEMS))
        users = pc.and_not(pa.scalar(self.has_segments), wanted)
        nothing = pc.if_else(users, output_files.NO_USERS, output_files.NO_ITEMS)
        columns = [
            self._records(flat(rows.column("input")), failed),
            pc.coalesce(flat(rows.column("error")), nothing),
            flat(rows.column(c.LINE)),
            flat(rows.column(c.FILE)),
        ]
        silent = self.asked.take(pa.array(self.unanswered))
        names = flat(silent.column(c.FILE))
        otherwise = self._reasons.get("", output_files.NO_ROW)
        no_row = pa.array([self._reasons.get(name, otherwise) for name in names.to_pylist()], pa.string())
        unread = [
            matching.records_of(silent, self.record),
            no_row,
            flat(silent.column(c.LINE)),
            names,
        ]
        number = len(self.lineless)
        absent = [
            pa.nulls(number, columns[0].type),
            pa.array(self.lineless.values(), pa.string()),
            pa.nulls(number, pa.int64()),
            pa.array(self.lineless, pa.string()),
        ]
        whole = [pa.concat_arrays(each) for each in zip(columns, unread, absent, strict=True)]
        return pa.table(whole, ["input", c.ERROR, c.LINE, c.FILE])

    def _records(self, echoed: pa.StructArray, places: np.ndarray) -> pa.StructArray:
        """Return what rows echo, or the line of the input where the echo has no key."""
        if self.question is None:
            return echoed
        question = self.question[places]
        silent = matching.keys_of(echoed).is_null().to_numpy(zero_copy_only=False)
        return self._lines(echoed, places, (question >= 0) & silent)

    def _lines(self, echoed: pa.StructArray, places: np.ndarray, borrowed: np.ndarray) -> pa.StructArray:
        """Return what rows echo, some of them replaced by their lines of the input."""
        if self.question is None:
            return echoed
        question = self.question[places]
        asked = matching.records_of(self.asked.take(pa.array(question[borrowed])), self.record)
        index = np.arange(len(echoed))
        index[borrowed] = len(echoed) + np.arange(borrowed.sum())
        return pa.concat_arrays([echoed, asked]).take(pa.array(index))

    @cached_property
    def _batches(self) -> list[pa.RecordBatch]:
        batches: list[pa.RecordBatch] = self.table.to_batches()
        return batches

    @cached_property
    def _starts(self) -> np.ndarray:
        lengths = [batch.num_rows for batch in self._batches]
        return np.cumsum([0, *lengths[:-1]])


def _spooled(tables: Iterator[pa.Table]) -> pa.Table:
    """Return the tables as one that lies in a temporary file, mapped; the file goes with the table.

    A system that cannot remove a file while it is mapped keeps it until it clears its temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="personalize_nb.", ignore_cleanup_errors=True) as folder:
        file = os.path.join(folder, "rows.arrow")
        first = next(tables)
        with pa.ipc.new_file(file, first.schema) as writer:
            for table in itertools.chain([first], tables):
                writer.write_table(table)
        return pa.ipc.open_file(pa.memory_map(file)).read_all()  # the mapping outlives the name
