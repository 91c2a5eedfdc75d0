"""What a job wrote, as frames: recommendations, themes, errors, in input order, with titles on request.

Output is read in blocks, matched with the input by its echo, and kept as Arrow; large outputs are spooled to a
temporary file that is mapped, not loaded, so `blocks()` walks any size in bounded memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import NotFoundError
from personalize_nb.resources import filters
from personalize_nb.results import output_files
from personalize_nb.results.titles import Titles
from personalize_nb.session import s3
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session, current
from personalize_nb.text.counts import counted, verb

if TYPE_CHECKING:
    from personalize_nb.results.titles import Items

IN_MEMORY = 256 << 20
ROWS = 50_000
_KEYS = [key for key in c.JSON_KEYS if not pa.types.is_list(output_files.KEYS[key])]


class Results:
    """The rows a job wrote. `recommendations()`, `themes()` and `errors()` are frames; `blocks()` streams.

    Parameters
    ----------
    output
        The job's output folder or an `.out` object, in S3 or on disk.
    source
        The job's input, which gives the order and says which `.out` objects of a shared folder are the job's; without
        it all rows come, in the order of the output.
    session
        Reads `s3://` addresses.
    """

    def __init__(self, output: str, source: str | None = None, session: Session | None = None):
        self.output = output
        self.source = source
        self._session = session

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    def __repr__(self) -> str:
        if "_rows" not in self.__dict__:  # a repr reads nothing
            return "<Results not read yet: .recommendations(items=...), .themes(items=...), .errors(), .blocks()>"
        kind = "themes" if self.has_themes else "recommendations"
        empty = f", {self.empty:,} without an item" if self.empty else ""
        rows = counted(len(self), "row")
        return f"<Results of {rows}, {self.failed:,} with errors{empty}: .{kind}(items=...), .errors()>"

    @property
    def failed(self) -> int:
        """How many input lines have an error or no row."""
        return len(self) - int(self._rows.column("error").null_count) + len(self._unanswered)

    @property
    def empty(self) -> int:
        """How many input lines were answered without any item, as when a filter leaves none; `.errors()` has them."""
        return int(pc.sum(self._without_items).as_py() or 0)

    @property
    def has_themes(self) -> bool:
        """Whether a theme job wrote these rows."""
        return bool(pc.any(pc.is_valid(pc.struct_field(self._rows.column("output"), "theme"))).as_py())

    def recommendations(self, items: Items | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return all recommendations, one row per recommended item, in input order.

        Columns are the input's keys (`user_id`; filter values under their names), `rank` from 1, `item_id` and
        `score` (NaN where the recipe gives none). Where the input is items, the recommended one is
        `recommended_item_id`.

        Parameters
        ----------
        items
            A frame with `item_id` (as column or index), or ids mapped to titles: joined to the recommended items.
        columns
            Which columns of `items` to join; by default its title column, or all when it has none. One that the result
            has already comes as `<name>_of_item`. Of several rows of an id the first counts.
        """
        joined = Titles(items, columns)
        self._tell_failed()
        found = list(self._frames(joined, ROWS))
        joined.tell_unmatched()
        return pd.concat(found, ignore_index=True) if len(found) > 1 else found[0]

    def blocks(
        self, items: Items | None = None, columns: Sequence[str] | None = None, rows: int = ROWS
    ) -> Iterator[pd.DataFrame]:
        """Return `recommendations()` in frames of `rows` input lines each, in bounded memory; at least one frame."""
        if rows < 1:
            raise ValueError(f"'rows' must be 1 or more, got {rows!r}")
        return self._frames(Titles(items, columns), rows)

    def _frames(self, joined: Titles, rows: int) -> Iterator[pd.DataFrame]:
        for start in range(0, max(len(self), 1), rows):
            yield _recommendations(self._ordered(start, rows), joined, self._answered_keys)

    def themes(
        self,
        items: Items | None = None,
        columns: Sequence[str] | None = None,
        *,
        threshold: float | None = limits.THEME_RELEVANCE_THRESHOLD,
        minimum_items: int = limits.THEME_MINIMUM_ITEMS,
    ) -> pd.DataFrame:
        """Return themes, one row per item of a theme: `item_id`, `theme`, `rank`, `recommended_item_id`, `relevance`.

        Values of a filter's placeholders stand between `item_id` and `theme`, under their names.

        Parameters
        ----------
        items, columns
            As for `recommendations`; the title of the item a theme was made for comes as `item_title`.
        threshold
            Least relevance of an item to be listed (AWS advises 0.1); None keeps all.
        minimum_items
            Least number of such items for a theme to be listed (AWS's sample uses 3); 0 keeps all.

        Raises
        ------
        NotFoundError
            The job made no themes.
        """
        if len(self) and not self.has_themes and self.failed < len(self):
            raise NotFoundError("This output holds no themes: run pnb.themes(items, solution_version, item_name=...).")
        frame, owner = _themes(self._ordered(0, len(self)), Titles(items, columns))
        self._tell_failed()
        fits = np.full(len(frame), True) if threshold is None else frame[c.RELEVANCE].to_numpy() >= threshold
        kept = fits & (np.bincount(owner, fits)[owner] >= minimum_items)  # of each answer: an item may be asked twice
        hidden = len(np.unique(owner)) - len(np.unique(owner[kept]))
        if hidden:
            choose().say(
                f"{counted(hidden, 'theme')} {verb(hidden, 'is', 'are')} left out: "
                f"fewer than {minimum_items} items of relevance {threshold} or more; "
                "threshold=None, minimum_items=0 lists them"
            )
        listed: pd.DataFrame = frame[kept]
        return listed.reset_index(drop=True)

    def errors(self) -> pd.DataFrame:
        """Return the input lines that got nothing: the input's keys, `error`, `line` and `file` (of the output).

        Every input line is here or in `recommendations()`: beside those that failed, lines without any row in the
        output, and lines answered without an item, which the service calls no error.
        """
        empty = self._without_items
        failed = np.flatnonzero(pc.or_(pc.is_valid(self._rows.column("error")), empty).to_numpy())
        order = self._matched[0]
        if order is not None:
            place = np.empty(len(order), np.int64)
            place[order] = np.arange(len(order))
            failed = failed[np.argsort(place[failed])]
        rows = self._taken(failed)
        frame = _keys(rows.column("input"), np.arange(rows.num_rows), self._all_keys)
        frame[c.ERROR] = pc.fill_null(rows.column("error"), output_files.NO_ITEMS).to_pandas()
        frame[c.LINE], frame[c.FILE] = rows.column(c.LINE).to_pandas(), rows.column(c.FILE).to_pandas()
        if not len(self._unanswered):
            return frame
        asked = self._asked.take(pa.array(self._unanswered))
        records = _struct(asked.select([one.name for one in self._record]))
        silent = _keys(records, np.arange(len(records)), self._all_keys)
        silent[c.ERROR] = output_files.NO_ROW
        silent[c.LINE], silent[c.FILE] = asked.column(c.LINE).to_pandas(), asked.column(c.FILE).to_pandas()
        return silent if frame.empty else pd.concat([frame, silent], ignore_index=True)

    def _tell_failed(self) -> None:
        if self.failed:
            lines, have = counted(self.failed, "input line"), verb(self.failed, "has", "have")
            choose().say(f"{lines} {have} no recommendations; .errors() says why")
        if self.empty:
            lines, were = counted(self.empty, "input line"), verb(self.empty, "was", "were")
            choose().say(f"{lines} {were} answered without an item; .errors() lists them")

    @cached_property
    def _without_items(self) -> pa.ChunkedArray:
        """Which rows have no error and no item either."""
        output = self._rows.column("output")
        lengths = pc.fill_null(pc.list_value_length(pc.struct_field(output, "recommendedItems")), 0)
        return pc.and_(pc.is_null(self._rows.column("error")), pc.equal(lengths, 0))

    @cached_property
    def _answered_keys(self) -> list[str]:
        """The keys of the lines that were answered: one line with a wrong key must not rename everyone's columns."""
        answered = pc.is_null(self._rows.column("error"))
        keys = [key for key in _KEYS if pc.any(pc.and_(answered, self._given(key))).as_py()]
        return keys or self._all_keys

    @cached_property
    def _all_keys(self) -> list[str]:
        """The keys of any line, so that a frame of errors has their columns, an empty one as well."""
        asked = self._asked
        return [key for key in _KEYS if pc.any(self._given(key)).as_py() or asked.column(key).null_count < len(asked)]

    def _given(self, key: str) -> pa.ChunkedArray:
        return pc.is_valid(pc.struct_field(self._rows.column("input"), key))

    @cached_property
    def _record(self) -> pa.DataType:
        return output_files.input_schema(self._session, self.source) if self.source else output_files.record_type(())

    @cached_property
    def _asked(self) -> pa.Table:
        """The input's records with their lines; empty when there is no input to read."""
        empty = pa.schema(
            [*((one.name, one.type) for one in self._record), (c.FILE, pa.string()), (c.LINE, pa.int64())]
        )
        tables = list(output_files.input_tables(self._session, self.source, self._record)) if self.source else []
        return pa.concat_tables(tables) if tables else empty.empty_table()

    @cached_property
    def _rows(self) -> pa.Table:
        files = output_files.output_files(self._session, self.output, self.source)
        tables = output_files.output_tables(self._session, files, self._record)
        if sum(one.size for one in files) > IN_MEMORY:
            return _spooled(tables)
        read = list(tables)
        if read:
            return pa.concat_tables(read)
        raise NotFoundError(f"The output at {self.output!r} is empty.")

    @cached_property
    def _matched(self) -> tuple[np.ndarray | None, np.ndarray]:
        """The order of rows that follows the input (None when they follow it already), and unanswered positions."""
        if not self._asked.num_rows:
            return None, np.zeros(0, np.int64)
        asked = pa.chunked_array([output_files.keys_of(self._asked)])
        chunks = (batch.column("input") for batch in self._batches)
        answered = pa.chunked_array([output_files.keys_of(chunk) for chunk in chunks], pa.large_string())
        place, unanswered = output_files.positions(asked, answered)
        ordered = bool(np.all(place[1:] >= place[:-1]))
        return (None if ordered else np.argsort(place, kind="stable")), unanswered

    @property
    def _unanswered(self) -> np.ndarray:
        return self._matched[1]

    def _ordered(self, start: int, rows: int) -> pa.Table:
        order = self._matched[0]
        if order is None:
            return self._rows.slice(start, rows)
        return self._taken(order[start : start + rows])

    def _taken(self, places: np.ndarray) -> pa.Table:
        """Return rows by position, from the batches they lie in: `Table.take` would first join the whole table."""
        if not len(places):
            return self._rows.slice(0, 0)
        which = np.searchsorted(self._starts, places, side="right") - 1
        order = np.argsort(which, kind="stable")
        numbers, firsts = np.unique(which[order], return_index=True)
        pieces = [
            self._batches[number].take(pa.array(places[chosen] - self._starts[number]))
            for number, chosen in zip(numbers, np.split(order, firsts[1:]), strict=True)
        ]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.Table.from_batches(pieces, self._rows.schema).combine_chunks().take(pa.array(back))

    @cached_property
    def _batches(self) -> list[pa.RecordBatch]:
        batches: list[pa.RecordBatch] = self._rows.to_batches()
        return batches

    @cached_property
    def _starts(self) -> np.ndarray:
        lengths = [batch.num_rows for batch in self._batches]
        return np.cumsum([0, *lengths[:-1]])


def read_results(output: str, source: str | None = None, session: Session | None = None) -> Results:
    """Return the results of any batch job, ours or not, from its output folder or a downloaded `.out` file.

    Parameters
    ----------
    output
        `s3://bucket/folder/`, an `.out` object, or a path on disk.
    source
        The job's input, to get its order and the lines without an answer.
    session
        Reads `s3://` addresses; by default the session of `pnb.connect()`.
    """
    needed = s3.is_s3(output) or (source is not None and s3.is_s3(source))
    return Results(output, source, current(session) if needed or session else None)


def _recommendations(rows: pa.Table, titles: Titles, keys: Sequence[str]) -> pd.DataFrame:
    output = _column(rows, "output")
    lists = pc.struct_field(output, "recommendedItems")
    owner, rank, flat = _exploded(lists)
    inputs = _column(rows, "input")
    frame = _keys(inputs, owner, keys)
    frame[c.RANK] = rank
    frame[c.RECOMMENDED_ITEM_ID if c.ITEM_ID in frame.columns else c.ITEM_ID] = flat.to_pandas()
    frame[c.SCORE] = _aligned(pc.struct_field(output, "scores"), owner, rank)
    return titles.join(frame, flat)


def _themes(rows: pa.Table, titles: Titles) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the frame of themes, and for each of its rows the position of the answer it belongs to."""
    output, inputs = _column(rows, "output"), _column(rows, "input")
    owner, rank, flat = _exploded(pc.struct_field(output, "recommendedItems"))
    seeds = pc.struct_field(inputs, "itemId").take(pa.array(owner))
    themes = pc.utf8_rtrim(pc.struct_field(output, "theme"), ".").take(pa.array(owner))
    frame = _keys(inputs, owner, ["itemId"]).assign(**{c.THEME: themes.to_pandas(), c.RANK: rank})
    frame = titles.join(frame, seeds, "item_")
    frame[c.RECOMMENDED_ITEM_ID] = flat.to_pandas()
    frame[c.RELEVANCE] = _aligned(pc.struct_field(output, "itemsThemeRelevanceScores"), owner, rank)
    return titles.join(frame, flat), owner


def _keys(inputs: Any, owner: np.ndarray, keys: Sequence[str]) -> pd.DataFrame:
    """Return the input's key columns, repeated for the rows that belong to each record."""
    records = _flat(inputs)
    chosen = pa.array(owner)
    frame: dict[str, Any] = {c.JSON_KEYS[key]: pc.struct_field(records, key).take(chosen).to_pandas() for key in keys}
    if any(one.name == "filterValues" for one in records.type):
        values = pc.struct_field(records, "filterValues")
        for one in values.type:
            texts = pc.dictionary_encode(pc.struct_field(values, one.name))
            plain = pa.array([filters.unquoted(text) for text in texts.dictionary.to_pylist()], pa.string())
            frame[one.name] = plain.take(texts.indices).take(chosen).to_pandas()
    return pd.DataFrame(frame, index=pd.RangeIndex(len(owner)))


def _exploded(lists: pa.ListArray) -> tuple[np.ndarray, np.ndarray, pa.Array]:
    """Return for each item of all lists: its list's position, its rank from 1, and the item."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    owner = np.repeat(np.arange(len(lists)), lengths)
    starts = np.repeat(lengths.cumsum() - lengths, lengths)
    return owner, np.arange(len(owner)) - starts + 1, lists.flatten()


def _aligned(lists: pa.ListArray, owner: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return the number beside each item; NaN where a record has none or fewer numbers than items."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = pc.cast(lists.flatten(), pa.float64()).to_numpy(zero_copy_only=False)
    place = (lengths.cumsum() - lengths)[owner] + rank - 1
    present = rank <= lengths[owner]
    result = np.full(len(owner), np.nan)
    result[present] = flat[place[present]]
    return result


def _column(rows: pa.Table, name: str) -> Any:
    return _flat(rows.column(name))


def _flat(column: Any) -> Any:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


def _struct(table: pa.Table) -> pa.StructArray:
    return pa.StructArray.from_arrays([_flat(table.column(name)) for name in table.column_names], table.column_names)


def _spooled(tables: Iterator[pa.Table]) -> pa.Table:
    """Return the tables as one that lies in a temporary file, mapped; the file goes with the table.

    A system that cannot remove a file while it is mapped keeps it until it clears its temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="personalize_nb.", ignore_cleanup_errors=True) as folder:
        file = os.path.join(folder, "rows.arrow")
        writer = None
        for table in tables:
            writer = writer or pa.ipc.new_file(file, table.schema)
            writer.write_table(table)
        if writer is None:
            raise NotFoundError("The output is empty.")
        writer.close()
        return pa.ipc.open_file(pa.memory_map(file)).read_all()  # the mapping outlives the name
