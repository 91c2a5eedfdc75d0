"""The rows that a job wrote, as frames of one kind: pandas, Arrow or polars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic

import pyarrow as pa

from personalize_nb.contract import limits
from personalize_nb.errors import NotFoundError, Problem, RequestError
from personalize_nb.results import parquet, selection, shapes
from personalize_nb.results.forms import ARROW, POLARS, Frame, ResultForm
from personalize_nb.results.members import ITEMS, USERS
from personalize_nb.results.rows import Rows
from personalize_nb.results.shapes import Shape
from personalize_nb.results.titles import Titles
from personalize_nb.session.ahead import in_order
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, verb

if TYPE_CHECKING:
    import os

    import polars as pl

    from personalize_nb.inputs.forms import Data
    from personalize_nb.results.titles import Items

ROWS = 50_000  # input lines of a block, at most


class ResultsAs(Generic[Frame]):
    """The rows a job wrote, read as frames of one kind; `blocks()` streams.

    Parameters
    ----------
    rows, form
        The rows, and the kind of frame.
    """

    def __init__(self, rows: Rows, form: ResultForm[Frame]):
        self._rows = rows
        self._form = form

    def __len__(self) -> int:
        return int(self._rows.table.num_rows)

    def __repr__(self) -> str:
        if not self._rows.were_read:  # a repr reads nothing
            return (
                "<Results not read yet: .recommendations(items=...), .themes(items=...), .segments(), .errors(), "
                ".blocks(), .to_parquet(path)>"
            )
        steps = [".themes(items=...)" if self.has_themes else ".recommendations(items=...)"]
        if self.has_segments:
            steps = [*(steps if self._rows.has_lists else []), ".segments()"]
        step = ", ".join(steps)
        empty = f", {self.empty:,} without {' or '.join(self._nothing())}" if self.empty else ""
        rows = counted(len(self), "row")
        return f"<Results of {rows}, {self.failed:,} with errors{empty}: {step}, .errors()>"

    def _nothing(self) -> list[str]:
        """Return what a line without an answer lacks, by the kinds of lines there are."""
        users, items = self.has_segments, not self.has_segments or self._rows.has_lists
        return ["an item"] * items + ["a user"] * users

    @property
    def failed(self) -> int:
        """How many input lines have an error or no row."""
        return self._rows.failed

    @property
    def answered(self) -> int:
        """How many input lines were answered with an item or a user."""
        return self._rows.answered

    @property
    def empty(self) -> int:
        """How many input lines were answered with nothing, as when a filter leaves none; `.errors()` has them."""
        return self._rows.empty

    @property
    def has_themes(self) -> bool:
        """Whether any row has a theme."""
        return self._rows.has_themes

    @property
    def has_segments(self) -> bool:
        """Whether any row is a segment of users."""
        return self._rows.has_segments

    def recommendations(self, items: Items | None = None, columns: Sequence[str] | None = None) -> Frame:
        """Return all recommendations, one row per recommended item, in input order.

        Columns are the input's keys (`user_id`; filter values under their names), `rank` from 1, `item_id` and
        `score` (missing where the recipe gives none). Where the input is items, the recommended one is
        `recommended_item_id`.

        Parameters
        ----------
        items
            A frame with `item_id` (as column or index), or ids mapped to titles: joined to the recommended items.
        columns
            Which columns of `items` to join; by default its title column, or all when it has none. One that the result
            has already comes as `<name>_of_item`. Of several rows of an id the first counts.

        Returns
        -------
        Frame
            The columns above; `score` is between 0 and 1, and sums to 1 over all items for User-Personalization.

        Raises
        ------
        NotFoundError
            There are segments of users and nothing else.
        """
        self._refuse_segments("no recommendations")
        joined = Titles(items, columns)
        self._tell_failed("recommendations", "an item")
        self._tell_segments()
        found = self._form.frame(shapes.joined(list(self._shapes(self._rows.blocks(ROWS)))), joined)
        joined.tell_unmatched()
        return found

    def blocks(
        self, items: Items | None = None, columns: Sequence[str] | None = None, rows: int | None = None
    ) -> Iterator[Frame]:
        """Return `recommendations()`, or `segments()` where there are none, in frames of some input lines each.

        Memory is bounded; there is at least one frame.

        Parameters
        ----------
        items, columns
            As for `recommendations`.
        rows
            Input lines in a frame; by default as many as have a million results together, from 1 to 50,000.

        Returns
        -------
        iterator of Frame
            Columns as of `recommendations` or `segments`.

        Raises
        ------
        RequestError
            `rows` is no whole number from 1.
        """
        if rows is not None and rows < 1:
            raise RequestError([Problem("rows", f"'rows' must be 1 or more, got {rows!r}")])
        if not self._only_segments:
            self._tell_segments()
        joined = Titles(items, columns)
        return (
            self._form.frame(shape, joined)
            for shape in self._shapes(self._rows.blocks(ROWS) if rows is None else _every(rows, len(self)))
        )

    def to_parquet(
        self,
        path: str | os.PathLike[str],
        items: Items | None = None,
        columns: Sequence[str] | None = None,
        *,
        kms_key_arn: str | None = None,
    ) -> str:
        """Write the results to a Parquet file in bounded memory, and return its path or address.

        It holds what `recommendations()`, `themes()` or `segments()` gives, whichever the output is. A file that is
        there is replaced once the new one is whole.

        Parameters
        ----------
        path
            A file on disk, or an `s3://` address.
        items, columns
            As for `recommendations`.
        kms_key_arn
            The key that encrypts a file in S3, instead of the bucket's default.

        Returns
        -------
        str
            The path or address.

        Raises
        ------
        InputError
            The path names a folder, or one that is not there.
        """
        return parquet.write(self._tables(items, columns), path, self._rows.session, kms_key_arn)

    def _tables(self, items: Items | None, columns: Sequence[str] | None) -> Iterator[pa.Table]:
        """Yield what `to_parquet` writes, block by block; at least one table."""
        if self.has_themes:
            yield ResultsAs(self._rows, ARROW).themes(items, columns)
            return
        joined = Titles(items, columns)
        self._tell_failed(*(("segment", "a user") if self._only_segments else ("recommendations", "an item")))
        if not self._only_segments:
            self._tell_segments()
        for shape in self._shapes(self._rows.blocks(ROWS)):
            yield ARROW.frame(shape, joined)
        joined.tell_unmatched()

    def _empty_table(self, items: Items | None, columns: Sequence[str] | None) -> pa.Table:
        """Return a table without rows that has the columns of `_tables`."""
        if self.has_themes:
            return ResultsAs(self._rows, ARROW).themes(items, columns)[:0]
        return ARROW.frame(next(self._shapes([(0, min(1, len(self)))])), Titles(items, columns))[:0]

    @property
    def session(self) -> Session | None:
        """What reads `s3://` addresses."""
        return self._rows.session

    def only(self, *, prefix: str | Sequence[str] | None = None, ids: Data | None = None) -> ResultsAs[Frame]:
        """Return the results of some input lines only, by the user or item that they ask for.

        Parameters
        ----------
        prefix
            How its id begins, `"r01"`, or a list of such beginnings.
        ids
            The ids, as a list or frame.

        Returns
        -------
        ResultsAs
            The same methods, of these lines.

        Raises
        ------
        InputError
            Neither is given, or both are.
        """
        return ResultsAs(selection.selected(self._rows, prefix, ids), self._form)

    def _shapes(self, blocks: Iterable[tuple[int, int]]) -> Iterator[Shape]:
        """Yield the shapes of blocks of input lines."""
        segments, ordered = self._only_segments, self._rows.ordered
        keys = self._segment_keys if segments else self._rows.answered_keys((ITEMS,))
        made = shapes.segments if segments else shapes.recommendations
        self._rows.order  # noqa: B018  # found once, before threads ask for it
        return in_order(lambda block: made(ordered(*block), keys), blocks, pa.cpu_count())

    @property
    def _only_segments(self) -> bool:
        return self.has_segments and not self._rows.has_lists

    @property
    def _segment_keys(self) -> list[str]:
        return [key for key in self._rows.answered_keys(USERS) if key != "userId"] or ["itemId"]

    def _refuse_segments(self, absent: str) -> None:
        if self._only_segments:
            raise NotFoundError(f"This output holds segments of users, {absent}: .segments() reads it.")

    def _tell_segments(self) -> None:
        if number := self._rows.with_users:
            choose().say(
                f"{counted(number, 'line')} {verb(number, 'is a segment', 'are segments')} of users; .segments() reads "
                f"{verb(number, 'it', 'them')}"
            )

    def themes(
        self,
        items: Items | None = None,
        columns: Sequence[str] | None = None,
        *,
        threshold: float | None = limits.THEME_RELEVANCE_THRESHOLD,
        minimum_items: int = limits.THEME_MINIMUM_ITEMS,
    ) -> Frame:
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

        Returns
        -------
        Frame
            The columns above; `relevance` is between 0 and 1.

        Raises
        ------
        NotFoundError
            The job made no themes.
        """
        self._refuse_segments("no themes")
        if self._are_others(self.has_themes):
            raise NotFoundError("This output holds no themes: run pnb.themes(items, solution_version, item_name=...).")
        rows, plain = shapes.with_themes(self._rows.ordered(0, len(self)))
        shape, hidden = shapes.themes(rows, threshold, minimum_items)
        frame = self._form.frame(shape, Titles(items, columns))
        self._tell_failed("recommendations", "an item")
        self._tell_segments()
        if plain:
            lines, have = counted(plain, "line"), verb(plain, "has", "have")
            choose().say(f"{lines} {have} items, no theme; .recommendations() reads {verb(plain, 'it', 'them')}")
        if hidden:
            choose().say(
                f"{counted(hidden, 'theme')} {verb(hidden, 'is', 'are')} left out: "
                f"fewer than {minimum_items} items of relevance {threshold} or more; "
                "threshold=None, minimum_items=0 lists them"
            )
        return frame

    def segments(self, items: Items | None = None, columns: Sequence[str] | None = None) -> Frame:
        """Return the segments of a batch segment job, one row per user, the likeliest first, in input order.

        Columns are what was asked for, `item_id` or `item_attributes` (filter values under their names), `rank` from 1
        and `user_id`.

        Parameters
        ----------
        items, columns
            As for `recommendations`, joined to the items that were asked for.

        Returns
        -------
        Frame
            The columns above.

        Raises
        ------
        NotFoundError
            The job made no segments.
        """
        if self._are_others(self.has_segments):
            step = ".themes()" if self.has_themes else ".recommendations()"
            raise NotFoundError(f"This output holds no segments of users; {step} reads it.")
        shape = shapes.segments(self._rows.ordered(0, len(self)), self._segment_keys)
        frame = self._form.frame(shape, Titles(items, columns))
        self._tell_failed("segment", "a user")
        if number := self._rows.with_items:
            lines, have = counted(number, "line"), verb(number, "has", "have")
            choose().say(f"{lines} {have} items, no segment; .recommendations() reads {verb(number, 'it', 'them')}")
        return frame

    def arrow(self) -> ResultsAs[pa.Table]:
        """Return the same results with Arrow tables for frames: `results.arrow().recommendations()`.

        Returns
        -------
        ResultsAs
            The same methods; frames are `pyarrow.Table`.
        """
        return ResultsAs(self._rows, ARROW)

    def polars(self) -> ResultsAs[pl.DataFrame]:
        """Return the same results with polars' frames: `results.polars().recommendations()`.

        Returns
        -------
        ResultsAs
            The same methods; frames are `polars.DataFrame`.
        """
        return ResultsAs(self._rows, POLARS)

    def _are_others(self, expected: bool) -> bool:
        """Tell whether the rows are of another kind; where all failed they can be of any."""
        return bool(len(self)) and not expected and self.failed < len(self)

    def errors(self) -> Frame:
        """Return the input lines that got nothing: the input's keys, `error`, `line` and `file` (of the output).

        Every input line is here or among the results: beside those that failed, lines without any row in the output,
        lines answered without an item or user, which the service calls no error, and lines of the output that cannot
        be read.

        Returns
        -------
        Frame
            The columns above; `line` counts from 1 within `file`.
        """
        return self._form.frame(shapes.errors(self._rows.unsuccessful(), self._rows.all_keys), Titles(None, None))

    def _tell_failed(self, what: str, nothing: str) -> None:
        if self.failed:
            lines, have = counted(self.failed, "input line"), verb(self.failed, "has", "have")
            choose().say(f"{lines} {have} no {what}; .errors() says why")
        if self.empty:
            lines, were = counted(self.empty, "input line"), verb(self.empty, "was", "were")
            lacking = " or ".join(self._nothing()) if self._rows.has_lists and self.has_segments else nothing
            choose().say(f"{lines} {were} answered without {lacking}; .errors() lists them")


def _every(lines: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield where blocks of so many lines begin, with their lines; at least one."""
    return ((start, lines) for start in range(0, max(size, 1), lines))
