"""A batch segment job: lines with an item or with item attributes in, lists of users out.

Files, lines, echoes and error rows are those of `batch`; the rows hold `usersList`, best user first. Choices where
Amazon's pages say nothing: an item that no dataset knows, and attributes that no item has, are row errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from personalize_nb.contract import limits
from personalize_nb.local.data.schema import TrainingData
from personalize_nb.local.filters.binding import bind
from personalize_nb.local.filters.expression import parse
from personalize_nb.local.filters.syntax import EQUALS, ITEMS, FilterError, Literal
from personalize_nb.local.recipes.segmentation import UserSegments
from personalize_nb.local.tasks.batch import CHECK, count_records, find_inputs, split_path
from personalize_nb.local.tasks.input_lines import ITEM_ATTRIBUTES, Block, Wanted, parse_lines, read_lines
from personalize_nb.local.tasks.output_rows import USERS_LIST, good_rows, merge, row_bytes

if TYPE_CHECKING:
    from personalize_nb.local.filters.bound import BoundFilter
    from personalize_nb.local.s3.store import ObjectStore

# scores and results held at once
_MAX_CELLS, _MAX_RESULTS = 8_000_000, 1_000_000

_POSITION = re.compile(r" \(position \d+\)| at position \d+")

MOST_LINES = {
    "itemId": limits.MAX_ITEM_SEGMENTS_PER_FILE,
    ITEM_ATTRIBUTES: limits.MAX_ATTRIBUTE_SEGMENTS_PER_FILE,
}


@dataclass(frozen=True)
class SegmentSpec:
    """The parameters of one job, as the worker needs them."""

    input_path: str
    output_path: str
    key: str
    num_results: int


def run(
    spec: SegmentSpec,
    *,
    objects: ObjectStore,
    model: UserSegments,
    data: TrainingData,
    bound_filter: BoundFilter | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Answer every line of the input.

    Parameters
    ----------
    spec
        The job's parameters; `key` is what the recipe reads, `itemId` or `itemAttributes`.
    objects
        Where input and output are.
    model
        The trained solution version.
    data
        The datasets, for the items' attributes.
    bound_filter
        The job's filter on users, bound to `model.user_ids`.
    progress
        Told after each block how many lines are done, of how many.

    Raises
    ------
    WorkError
        The job cannot be done at all; problems of single lines become error rows.
    """
    bucket, names = find_inputs(objects, spec.input_path)
    total = count_records(objects, bucket, list(names), MOST_LINES[spec.key], f"segments by {spec.key}")
    out_bucket, folder = split_path(spec.output_path, "output")
    folder = folder if not folder or folder.endswith("/") else f"{folder}/"
    objects.put(out_bucket, f"{folder}{CHECK}", b"")
    runner = _SegmentRunner(spec, model, data, bound_filter)
    done = 0
    for key, name in names.items():
        with objects.open(bucket, key) as source, objects.writer(out_bucket, f"{folder}{name}.out") as out:
            for count, text in runner.answer(source):
                out.write(text)
                done += count
                progress(done, total)


class _SegmentRunner:
    """One job's way from lines to rows."""

    def __init__(self, spec: SegmentSpec, model: UserSegments, data: TrainingData, bound_filter: BoundFilter | None):
        self.spec, self.model, self.data, self.filter = spec, model, data, bound_filter
        placeholders = () if bound_filter is None else bound_filter.expression.placeholders
        self.wanted = Wanted((spec.key,), (), placeholders)
        self.present = _present(model, data)
        widest = max(1, len(model.user_ids), len(model.item_ids))
        self.rows = max(1, min(_MAX_CELLS // widest, _MAX_RESULTS // min(spec.num_results, widest)))

    def answer(self, source: BinaryIO) -> Iterator[tuple[int, memoryview]]:
        """Yield for each block its number of lines and the text of its rows."""
        for lines in read_lines(source, self.rows):
            block = parse_lines(lines, self.wanted)
            yield len(block), row_bytes(self._rows(block))

    def _rows(self, block: Block) -> pa.StringArray:
        sets = {row: items for row in range(len(block)) if (items := self._items(block, row)) is not None}
        allowed: np.ndarray | None = None
        if self.filter is not None and sets:
            rows = list(sets)
            passed, errors = self.filter.allowed(None, None, [block.filter_values[row] for row in rows])
            for place, text in errors.items():
                block.errors[rows[place]] = text
                del sets[rows[place]]
            kept = np.array([place for place in range(len(rows)) if place not in errors], np.int64)
            allowed = passed.take(kept).cells()
        if self.present is not None:
            allowed = np.tile(self.present, (len(sets), 1)) if allowed is None else allowed & self.present
        good = None
        if sets:
            answered = list(sets)
            users = self.model.segment(self._matrix(list(sets.values())), self.spec.num_results, allowed).items
            good = good_rows(block.inputs.take(pa.array(answered)), users, None, USERS_LIST)
        return merge(good, block.inputs, block.errors, USERS_LIST)

    def _items(self, block: Block, row: int) -> np.ndarray | None:
        """Return the positions of the items that a line is about, or None after noting why there are none."""
        if row in block.errors:
            return None
        text = block.columns[self.spec.key][row].as_py()
        if self.spec.key == ITEM_ATTRIBUTES:
            try:
                items = items_with(text, self.data, self.model.item_ids)
            except FilterError as error:
                text = error.message.removeprefix("Could not create filter. ")
                # positions count from the start of the filter that the text was made into
                block.errors[row] = f"{ITEM_ATTRIBUTES}: {_POSITION.sub('', text)}"
                return None
            problem = "no item has these attributes"
        else:
            codes = self.model.item_codes([text])
            items, problem = codes[codes >= 0], f"no dataset has the item {text!r}"
        if not len(items):
            block.errors[row] = problem
            return None
        return items

    def _matrix(self, sets: list[np.ndarray]) -> sparse.csr_matrix:
        starts = np.concatenate(([0], np.cumsum([len(items) for items in sets])))
        columns = np.concatenate(sets)
        shape = (len(sets), len(self.model.item_ids))
        return sparse.csr_matrix((np.ones(len(columns)), columns, starts), shape=shape)


def _present(model: UserSegments, data: TrainingData) -> np.ndarray | None:
    """Return which users of the model still have data: deleted ones must not appear. None when all have."""
    if data.interactions is None:
        return np.zeros(len(model.user_ids), bool)
    users = pc.unique(data.interactions["USER_ID"].cast(pa.string()))
    present = pc.is_in(model.user_ids, value_set=users).to_numpy(zero_copy_only=False)
    return None if present.all() else present


def items_with(attributes: str, data: TrainingData, item_ids: pa.StringArray) -> np.ndarray:
    """Return the positions of the items that have attributes such as `ITEMS.GENRES = "Comedy" AND ITEMS.YEAR = 1990`.

    Raises
    ------
    FilterError
        The text is more than equalities of Items fields joined with AND, or names no such field.
    """
    # the language of filters holds this one: an INCLUDE of one group of equalities
    expression = parse(f"INCLUDE ItemID WHERE {attributes}")
    clause = expression.clauses[0]
    plain = len(expression.clauses) == 1 and len(clause.any_of) == 1 and not clause.guards and clause.dataset == ITEMS
    if not plain or not all(
        condition.operator == EQUALS and condition.other is None and isinstance(condition.values[0], Literal)
        for condition in clause.conditions
    ):
        raise FilterError('Invalid Expression: legal are only ITEMS.<field> = "<value>", joined with AND.', 0)
    allowed, _ = bind(expression, data, item_ids).allowed(None, None, [None])
    return np.flatnonzero(allowed.cells()[0])
