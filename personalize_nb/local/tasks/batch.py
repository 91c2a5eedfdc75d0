"""A batch inference job: input objects in, one `.out` object each and `_CHECK` out, in bounded memory.

Choices where Amazon's pages say nothing:

* A path that names an object takes that object alone; any other path is a prefix (`input_files`).
* An output path without `/` at its end is a folder all the same. Inputs of equal file name keep their path below the
  input's folder, so that none overwrites another.
* Rows come in input order. A line that is not a JSON object, or that some JSON readers
  refuse, is echoed as a JSON string.
* The placeholders of User-Personalization-v2 have the score 0. Its reasons, whose JSON no page shows, are left out.
* `_CHECK` is empty and is written before the first result.
* A theme job also writes `<name>.themes.json` (`theme_notes`) beside each `.out`, whose rows have exactly AWS's keys.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa

from personalize_nb.contract import limits
from personalize_nb.contract.parameters import BATCH_INFERENCE, THEME_GENERATION
from personalize_nb.contract.recipes import Recipe
from personalize_nb.local.data.allowed import Allowed
from personalize_nb.local.errors import WorkError
from personalize_nb.local.recipes.base import Model, Queries, Ranked
from personalize_nb.local.tasks import input_files, theme_neighbours, theme_notes
from personalize_nb.local.tasks.input_lines import ITEM_LIST, Block, Lines, Wanted, parse_lines, read_lines
from personalize_nb.local.tasks.output_rows import good_rows, merge, row_bytes, theme_row
from personalize_nb.local.tasks.stretches import pieces

if TYPE_CHECKING:
    from personalize_nb.local.filters.bound import BoundFilter
    from personalize_nb.local.s3.store import ObjectStore
    from personalize_nb.local.tasks.spread import Spread
    from personalize_nb.local.themes.maker import ThemeMaker

CHECK = "_CHECK"

# What a block may hold at once: values of a filter's masks, results, lines.
_MAX_CELLS, _MAX_RESULTS, _MAX_LINES = 32_000_000, 1_000_000, 8192
# how every gzip file begins
_GZIP = b"\x1f\x8b"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class BatchSpec:
    """The parameters of one job, as the worker needs them."""

    job_name: str
    input_path: str
    output_path: str
    num_results: int = limits.DEFAULT_NUM_RESULTS
    exploration_weight: float | None = None
    exploration_cut_off_days: float | None = None
    ranking_influence: Mapping[str, float] | None = None
    mode: str = BATCH_INFERENCE
    theme_items_per_file: int = limits.MAX_THEME_RECORDS_PER_FILE

    @property
    def seed(self) -> int:
        """The same job name explores the same way."""
        return zlib.crc32(self.job_name.encode())


def run(
    spec: BatchSpec,
    *,
    objects: ObjectStore,
    model: Model,
    facts: Recipe,
    bound_filter: BoundFilter | None = None,
    theme_maker: ThemeMaker | None = None,
    progress: Progress = lambda done, total: None,
    spread: Spread | None = None,
) -> None:
    """Answer every line of the input.

    Parameters
    ----------
    spec
        The job's parameters.
    objects
        Where input and output are.
    model
        The trained solution version.
    facts
        What its recipe reads and gives.
    bound_filter
        The job's filter, bound to `model.item_ids`.
    theme_maker
        Needed when the mode is THEME_GENERATION.
    progress
        Told after each block how many lines are done, of how many.
    spread
        Lets other machines answer; themes of a file are made together and stay here.

    Raises
    ------
    WorkError
        The job cannot be done at all; problems of single lines become error rows.
    """
    bucket, names = find_inputs(objects, spec.input_path)
    themes = spec.mode == THEME_GENERATION
    most = spec.theme_items_per_file if themes else limits.MAX_RECORDS_PER_FILE
    total = count_records(objects, bucket, list(names), most, "themes" if themes else "batch inference")
    out_bucket, folder = split_path(spec.output_path, "output")
    folder = folder if not folder or folder.endswith("/") else f"{folder}/"
    if not objects.has_bucket(out_bucket):
        raise WorkError(f"Invalid S3 output path. There is no bucket {out_bucket!r}.")
    objects.put(out_bucket, f"{folder}{CHECK}", b"")
    if themes or objects.seals(out_bucket):  # what is encrypted lies in no part in plain text
        spread = None
    runner = _BatchRunner(spec, model, facts, bound_filter, theme_maker)
    done = 0
    if spread is not None:
        outputs = {key: (out_bucket, f"{folder}{name}.out") for key, name in names.items()}
        for count in spread.answer(runner, bucket, outputs):
            done += count
            progress(done, total)
        return
    asked: dict[str, list[tuple[str, list[str]]]] = {}
    if runner.theme_maker is not None:
        files = theme_neighbours.beside(objects, bucket, list(names), spec.job_name)
        for key in files if len(files) > 1 else ():
            with objects.open(bucket, key) as source:
                asked[key] = runner.asked(source)
    for key, name in names.items():
        runner.beside = [pair for other, pairs in asked.items() if other != key for pair in pairs]
        with objects.open(bucket, key) as source, objects.writer(out_bucket, f"{folder}{name}.out") as out:
            for count, text in runner.answer(source):
                out.write(text)
                done += count
                progress(done, total)
        if runner.theme_maker is not None:
            notes = theme_notes.encoded(spec.job_name, key, runner.notes)
            objects.put(out_bucket, f"{folder}{name}{theme_notes.SUFFIX}", notes, "application/json")


def split_path(path: str, which: str) -> tuple[str, str]:
    """Return bucket and key of an S3 path; WorkError in Amazon's words when it is none."""
    scheme, _, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise WorkError(f"Invalid S3 {which} path. {path!r} is not of the form s3://bucket/key.")
    return bucket, key


def find_inputs(objects: ObjectStore, path: str) -> tuple[str, dict[str, str]]:
    """Find the input objects of a path.

    Returns
    -------
    tuple[str, dict[str, str]]
        The bucket, and for each key the name of its output without `.out`.

    Raises
    ------
    WorkError
        There are none, or more than a job may have.
    """
    bucket, prefix = split_path(path, "input")
    if not objects.has_bucket(bucket):
        raise WorkError(f"Invalid S3 input path. There is no bucket {bucket!r}.")
    named = input_files.at(objects, bucket, prefix)
    found = named.sizes
    if not found:
        raise WorkError(
            f"Invalid S3 input path. Bucket {bucket!r} holds no object whose key begins with {prefix!r}{named.beside}."
        )
    if len(found) > limits.MAX_INPUT_FILES:
        raise WorkError(f"The input has {len(found)} files; a batch inference job can have {limits.MAX_INPUT_FILES}.")
    size = sum(found.values())
    if size > limits.MAX_INPUT_BYTES:
        raise WorkError(f"The input has {size} bytes; a batch inference job can have {limits.MAX_INPUT_BYTES}.")
    base = len(prefix.rpartition("/")[0]) + 1 if "/" in prefix else 0
    times = Counter(key.rpartition("/")[2] for key in found)
    names = {key: key.rpartition("/")[2] for key in found}
    return bucket, {key: name if times[name] == 1 else key[base:] for key, name in names.items()}


def count_records(objects: ObjectStore, bucket: str, keys: list[str], most: int, purpose: str) -> int:
    """Count the records of all input files; WorkError when one has too many or is compressed, or none has any."""
    total = 0
    for key in keys:
        with objects.open(bucket, key) as source:
            if source.read(len(_GZIP)) == _GZIP:
                raise WorkError(
                    f"The input file {key!r} is compressed with gzip. Give it as plain text, one JSON object per line."
                )
            records = sum(piece.lines for piece in pieces(source, limits.MAX_RECORDS_PER_FILE))
        if records > most:
            raise WorkError(
                f"The input file {key!r} has {records} records; with {purpose} it can have {most}. "
                "Split it into several files or jobs."
            )
        total += records
    if not total:
        raise WorkError("The input has no records. It must hold one JSON object per line.")
    return total


class _BatchRunner:
    """One job's way from lines to rows."""

    def __init__(
        self,
        spec: BatchSpec,
        model: Model,
        facts: Recipe,
        bound_filter: BoundFilter | None,
        theme_maker: ThemeMaker | None,
    ):
        self.spec, self.model, self.facts, self.filter = spec, model, facts, bound_filter
        if spec.mode == THEME_GENERATION and theme_maker is None:
            raise WorkError("Themes need an Items dataset with a textual field and a field of item names.")
        self.theme_maker = theme_maker if spec.mode == THEME_GENERATION else None
        self.wanted = Wanted(facts.input_keys)
        if bound_filter is not None:
            expression = bound_filter.expression
            self.wanted = Wanted(
                facts.input_keys, ("userId",) if expression.needs_user else (), expression.placeholders
            )
        self.rows = max(1, min(_MAX_LINES, _MAX_RESULTS // max(1, spec.num_results)))
        if self.theme_maker is not None:
            # themes of one file are made together, so that no two of them are the same
            self.rows = max(limits.MAX_THEME_RECORDS_PER_FILE, min(self.rows, spec.theme_items_per_file))
        # of the file that is answered: what was noted of its themes, and the lines before the present block
        self.notes: list[dict[str, Any]] = []
        self.line = 0
        # what other files of the run ask for, from whose themes its own are kept apart
        self.beside: list[tuple[str, list[str]]] = []

    def asked(self, source: BinaryIO) -> list[tuple[str, list[str]]]:
        """Return the input items of a file and what is recommended for each, without themes."""
        pairs = []
        for lines in read_lines(source, self.rows):
            block = parse_lines(lines, self.wanted)
            rows, allowed = self._allowed(block, self._usable(block))
            if len(rows):
                groups = self._rank(block, rows, allowed).items.to_pylist()
                seeds = self._column(block, "itemId", rows) or []
                pairs += [(seed, group) for seed, group in zip(seeds, groups, strict=True) if group]
        return pairs

    def answer(self, source: BinaryIO) -> Iterator[tuple[int, memoryview]]:
        """Yield for each block its number of lines and the text of its rows."""
        self.notes, self.line = [], 0
        for lines in read_lines(source, self.rows):
            count, text = self.answered(lines)
            yield count, text
            self.line += count

    def answered(self, lines: Lines) -> tuple[int, memoryview]:
        """Return how many lines a block has, and the text of its rows."""
        block = parse_lines(lines, self.wanted)
        return len(block), row_bytes(self._rows(block))

    def _rows(self, block: Block) -> pa.StringArray:
        answered = self._usable(block)
        parts = [self._answers(block, answered[part]) for part in self._parts(block, answered)]
        answers = [rows for rows in parts if rows is not None]
        good = answers[0] if len(answers) == 1 else pa.concat_arrays(answers) if answers else None
        return merge(good, block.inputs, block.errors)

    def _usable(self, block: Block) -> np.ndarray:
        rows = np.arange(len(block))
        return rows if not block.errors else np.delete(rows, sorted(block.errors))

    def _parts(self, block: Block, rows: np.ndarray) -> Iterator[slice]:
        """Cut the rows so that the filter's masks fit into memory; themes of a file stay together."""
        if self.filter is None or self.theme_maker is not None or not len(rows):
            return iter([slice(0, len(rows))])
        values = [block.filter_values[row] for row in rows]
        return self.filter.slices(self._column(block, "itemId", rows), values, _MAX_CELLS)

    def _answers(self, block: Block, rows: np.ndarray) -> pa.StringArray | None:
        """Return the output of those of `rows` that can be answered, after noting the errors of the others."""
        rows, allowed = self._allowed(block, rows)
        if not len(rows):
            return None
        ranked = self._rank(block, rows, allowed)
        if self.theme_maker is not None:
            return self._themed(self.theme_maker, block, rows, ranked)
        inputs = block.inputs if len(rows) == len(block) else block.inputs.take(pa.array(rows))
        return good_rows(inputs, ranked.items, ranked.scores if self.facts.scores else None)

    def _allowed(self, block: Block, rows: np.ndarray) -> tuple[np.ndarray, Allowed | None]:
        """Return the rows that a filter can answer with what it allows each, after noting the errors of the others."""
        allowed = None
        if self.filter is not None and len(rows):
            values = [block.filter_values[row] for row in rows]
            users, items = self._column(block, "userId", rows), self._column(block, "itemId", rows)
            allowed, errors = self.filter.allowed(users, items, values)
            if errors:
                kept = np.array([row for row in range(len(rows)) if row not in errors], dtype=np.int64)
                block.errors.update({int(rows[row]): text for row, text in errors.items()})
                allowed, rows = allowed.take(kept), rows[kept]
        return rows, allowed

    def _column(self, block: Block, key: str, rows: np.ndarray) -> list[Any] | None:
        column = block.columns.get(key)
        return None if column is None else column.take(pa.array(rows)).to_pylist()

    def _rank(self, block: Block, rows: np.ndarray, allowed: Allowed | None) -> Ranked:
        spec, keys = self.spec, self.facts.input_keys
        explores = self.facts.exploration
        return self.model.rank(
            Queries(
                users=self._column(block, "userId", rows) if "userId" in keys else None,
                items=self._column(block, "itemId", rows) if "itemId" in keys else None,
                item_lists=self._column(block, ITEM_LIST, rows) if ITEM_LIST in keys else None,
                num_results=spec.num_results,
                allowed=allowed,
                unknown_allowed=self.filter is None or not self.filter.expression.includes,
                exploration_weight=spec.exploration_weight if explores else None,
                exploration_cut_off_days=spec.exploration_cut_off_days if explores else None,
                ranking_influence=dict(spec.ranking_influence)
                if spec.ranking_influence and self.facts.ranking_influence
                else None,
                seed=spec.seed,
            )
        )

    def _themed(self, maker: ThemeMaker, block: Block, rows: np.ndarray, ranked: Ranked) -> pa.StringArray | None:
        groups = ranked.items.to_pylist()
        for row, group in zip(rows.tolist(), groups, strict=True):
            if not group:
                block.errors[row] = "no items are left to make a theme of; use a wider filter or another item"
        seeds = self._column(block, "itemId", rows) or []
        pairs = [(row, seed, group) for row, seed, group in zip(rows.tolist(), seeds, groups, strict=True) if group]
        if not pairs:
            return None
        made = maker.make([seed for _, seed, _ in pairs], [group for _, _, group in pairs], self.beside)
        texts = [
            theme_row(block.inputs[row].as_py(), themed.items, themed.theme, themed.scores)
            for (row, _, _), themed in zip(pairs, made, strict=True)
        ]
        self.notes += [
            theme_notes.note(self.line + row + 1, seed, themed)
            for (row, seed, _), themed in zip(pairs, made, strict=True)
        ]
        return pa.array(texts, pa.string())
