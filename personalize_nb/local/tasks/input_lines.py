"""Input of a batch job: JSON lines in blocks, as columns, with every unusable line explained.

A block is parsed as a whole by pyarrow; only a block that does not parse is read again line by line. UTF-8, a byte
order mark, CRLF and blank lines are accepted. What a line cannot be used for is said in `Block.errors`, and the job
goes on, whatever bytes a line holds.

What is echoed can be read by every JSON reader: a line that some readers refuse (half of a surrogate pair, nesting
deeper than 100, whole numbers of more than 1,000 digits) is an error, and echoed as a text.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from personalize_nb.contract import limits
from personalize_nb.local.tasks.stretches import stretches

ITEM_LIST, FILTER_VALUES, ITEM_ATTRIBUTES = "itemList", "filterValues", "itemAttributes"

# What Ruby's JSON reads in depth, and Java's Jackson in digits: the least of the usual readers of an output.
MAX_DEPTH, MAX_DIGITS = 100, 1000

_JSON_SPACE = " \t\r\n"
# a string, kept; or space outside of strings, dropped
_STRING_OR_SPACE = r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+'
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
# an escape; in the group, one of half a surrogate pair
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


@dataclass(frozen=True)
class Lines:
    """Some lines of a file, trimmed and without blank ones; `undecodable` are the rows that are not UTF-8."""

    texts: pa.StringArray
    undecodable: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """What a job reads from each line.

    Parameters
    ----------
    required
        Keys that the recipe needs: `userId`, `itemId`, `itemList`, `itemAttributes`.
    optional
        Keys that a filter uses where they are given.
    placeholders
        Names in `filterValues` that the filter uses.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return self.required + tuple(key for key in self.optional if key not in self.required)


@dataclass(frozen=True)
class Block:
    """Parsed lines.

    Parameters
    ----------
    inputs
        The JSON text that the output echoes: the line without insignificant space, or, for a line that is not a JSON
        object, the line itself as a JSON string.
    columns
        The wanted keys: strings, and lists of strings for `itemList`. Null where absent or unusable.
    filter_values
        Values by placeholder name.
    errors
        Why a row cannot be used.
    """

    inputs: pa.StringArray
    columns: dict[str, pa.Array]
    filter_values: list[dict[str, str] | None]
    errors: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.inputs)


def read_lines(file: BinaryIO, rows: int) -> Iterator[Lines]:
    """Read a file in blocks of at most `rows` lines, holding some megabytes at a time."""
    for _, text in stretches(file):
        yield from blocks_of(text, rows)


def blocks_of(text: bytes, rows: int) -> Iterator[Lines]:
    """Yield blocks of at most `rows` lines of a stretch."""
    lines = pc.list_flatten(pc.split_pattern(pa.array([text], pa.binary()), b"\n"))
    undecodable: set[int] = set()
    try:
        texts = lines.cast(pa.string())
    except pa.ArrowInvalid:
        decoded = [line.decode(errors="replace") for line in lines.to_pylist()]
        # a replaced character that the line did not have itself marks it
        undecodable = {row for row, line in enumerate(lines.to_pylist()) if decoded[row].encode() != line}
        texts = pa.array(decoded, pa.string())
    texts = pc.utf8_trim(texts, characters=_JSON_SPACE)
    kept = pc.not_equal(texts, "")
    if undecodable:
        numbers = [row for row, keep in enumerate(kept.to_pylist()) if keep]
        undecodable = {place for place, row in enumerate(numbers) if row in undecodable}
    texts = texts.filter(kept)
    for start in range(0, len(texts), rows):
        bad = frozenset(row - start for row in undecodable if start <= row < start + rows)
        yield Lines(texts.slice(start, rows), bad)


def parse_lines(lines: Lines, wanted: Wanted) -> Block:
    """Parse a block of lines; never fails, whatever the lines hold."""
    table = None if lines.undecodable else _parse_all(lines.texts, wanted)
    block = _from_lines(lines, wanted) if table is None else _from_table(lines, table, wanted)
    _check(block, wanted)
    return block


def _schema(wanted: Wanted) -> pa.Schema:
    fields = [(key, pa.list_(pa.string()) if key == ITEM_LIST else pa.string()) for key in wanted.keys]
    if wanted.placeholders:
        fields.append((FILTER_VALUES, pa.struct([(name, pa.string()) for name in wanted.placeholders])))
    return pa.schema(fields)


def _parse_all(texts: pa.StringArray, wanted: Wanted) -> pa.Table | None:
    # One object on each line is what makes rows of the table rows of the file: a line that begins with a brace
    # cannot continue another one, and the count tells of two objects on one line.
    braces = pc.and_(pc.starts_with(texts, "{"), pc.ends_with(texts, "}"))
    if not pc.all(braces).as_py() or pc.any(pc.match_substring_regex(texts, "NaN|Inf")).as_py():
        return None
    # pyarrow takes any depth, and numbers of any length, in what it ignores
    brackets = pc.add(pc.count_substring(texts, "["), pc.count_substring(texts, "{"))
    if pc.any(pc.greater(brackets, MAX_DEPTH)).as_py():
        return None
    long = texts.filter(pc.greater(pc.binary_length(texts), MAX_DIGITS))
    if pc.any(pc.match_substring_regex(long, f"[0-9]{{{MAX_DIGITS}}}")).as_py():
        return None
    text = "\n".join(texts.to_pylist()).encode()
    try:
        table = pyarrow.json.read_json(
            io.BytesIO(text),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=pyarrow.json.ParseOptions(_schema(wanted), unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid:
        return None
    return table if table.num_rows == len(texts) else None


def _from_table(lines: Lines, table: pa.Table, wanted: Wanted) -> Block:
    columns = {key: table[key].combine_chunks() for key in wanted.keys}
    values: list[dict[str, str] | None] = [None] * len(table)
    if wanted.placeholders:
        values = [
            given and {name: value for name, value in given.items() if value is not None}
            for given in table[FILTER_VALUES].to_pylist()
        ]
    return Block(_compact(lines.texts), columns, values)


def _from_lines(lines: Lines, wanted: Wanted) -> Block:
    columns: dict[str, list[Any]] = {key: [] for key in wanted.keys}
    values: list[dict[str, str] | None] = []
    inputs: list[str] = []
    errors: dict[int, str] = {}
    for row, text in enumerate(lines.texts.to_pylist()):
        record: dict[str, Any] = {}
        echo = text
        try:
            if row in lines.undecodable:
                raise _LineError("the line is not UTF-8 text")
            record = _parse_object(text, wanted)
        except _LineError as error:
            plain = _whole_characters(text)
            echo = json.dumps(plain, ensure_ascii=False)
            errors[row] = f"{error}; the line is {_cut(plain)}"
        inputs.append(echo)
        for key in wanted.keys:
            value, problem = _checked_value(key, record.get(key))
            columns[key].append(value)
            if problem:
                errors.setdefault(row, problem)
        given, problem = _checked_filter_values(record.get(FILTER_VALUES), wanted)
        values.append(given)
        if problem:
            errors.setdefault(row, problem)
    schema = _schema(wanted)
    arrays = {key: pa.array(columns[key], schema.field(key).type) for key in wanted.keys}
    return Block(_compact(pa.array(inputs, pa.string())), arrays, values, errors)


class _LineError(ValueError):
    """A line that is not one JSON object, or not one that every reader of the output can read."""


class _Object(dict[str, Any]):
    """A JSON object that knows which keys it was given twice."""

    def __init__(self, pairs: list[tuple[str, Any]]):
        super().__init__(pairs)
        self.twice: set[str] = set()
        if len(self) < len(pairs):
            self.twice = {key for key, times in Counter(key for key, _ in pairs).items() if times > 1}


def _parse_object(text: str, wanted: Wanted) -> dict[str, Any]:
    if _depth(text) > MAX_DEPTH:
        raise _LineError(f"the line is nested too deeply; legal are {MAX_DEPTH} levels")
    try:
        record = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _LineError(f"the line is not valid JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(record, _Object):
        raise _LineError('the line is not a JSON object such as {"userId": "4638"}')
    if _whole_characters(text) != text:
        halves = [
            key for key, value in record.items() if re.search("[\ud800-\udfff]", json.dumps(value, ensure_ascii=False))
        ]
        raise _LineError(
            f"{halves[0] if halves else 'the line'} holds half of a surrogate pair, which is not a character"
        )
    values = record.get(FILTER_VALUES)
    twice = record.twice & {*wanted.keys, *([FILTER_VALUES] if wanted.placeholders else ())}
    if isinstance(values, _Object):
        twice |= values.twice & set(wanted.placeholders)
    if twice:
        raise _LineError(f"the line gives {' and '.join(sorted(twice))} more than once")
    return record


def _depth(text: str) -> int:
    """Count how many brackets of a text are open at once, outside of its strings."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        opening, closing = found.groups()
        depth += bool(opening) - bool(closing)
        deepest = max(deepest, depth)
    return deepest


def _whole_characters(text: str) -> str:
    """Replace escapes of half a surrogate pair, which is no character, as bytes that are no UTF-8 are replaced."""
    return _ESCAPE.sub(lambda found: "\ufffd" if found[1] else found[0], text) if "\\" in text else text


def _whole_number(digits: str) -> float:
    if len(digits.removeprefix("-")) >= MAX_DIGITS:
        raise _LineError(f"the line holds a number of {len(digits):,} digits; legal are fewer than {MAX_DIGITS:,}")
    return int(digits)


def _refuse_constant(name: str) -> None:
    raise _LineError(f"the line is not valid JSON: {name} is not a JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_Object, parse_int=_whole_number, parse_constant=_refuse_constant)


def _checked_value(key: str, value: Any) -> tuple[Any, str | None]:
    if value is None:
        return None, None
    if key == ITEM_LIST:
        # null among the items is found by `_check`, as in a block that is parsed as a whole
        if isinstance(value, list) and all(item is None or isinstance(item, str) for item in value):
            return value, None
        return None, f"{key} must be a list of strings, got {_shown(value)}"
    if not isinstance(value, str):
        return None, f"{key} must be a string, got {_shown(value)}; write it in quotes"
    return value, None


def _checked_filter_values(given: Any, wanted: Wanted) -> tuple[dict[str, str] | None, str | None]:
    if given is None or not wanted.placeholders:
        return None, None
    if not isinstance(given, dict):
        return None, f"{FILTER_VALUES} must be an object of strings by placeholder name, got {_shown(given)}"
    values: dict[str, str] = {}
    for name in wanted.placeholders:
        value = given.get(name)
        if isinstance(value, str):
            values[name] = value
        elif value is not None:
            example = '"\\"comedy\\""'
            return None, f"{name} in {FILTER_VALUES} must be a string such as {example}, got {_shown(value)}"
    return values, None


def _shown(value: Any) -> str:
    return _cut(json.dumps(value))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _check(block: Block, wanted: Wanted) -> None:
    """Note rows without a required key, or with IDs that no dataset can hold."""
    for key in wanted.required:
        for row in _rows(pc.is_null(block.columns[key])):
            block.errors.setdefault(row, f"Required fields for the provided recipe are {', '.join(wanted.required)}")
    for key in wanted.keys:
        column = block.columns[key]
        if key == ITEM_LIST:
            _check_lists(block, column)
            continue
        if key == ITEM_ATTRIBUTES:
            continue
        lengths = pc.utf8_length(column)
        for row in _rows(_illegal(lengths)):
            block.errors.setdefault(row, _length_text(key, lengths[row].as_py()))


def _check_lists(block: Block, column: pa.ListArray) -> None:
    for row in _rows(pc.equal(pc.list_value_length(column), 0)):
        block.errors.setdefault(row, f"{ITEM_LIST} is empty; it must hold the items to rank")
    items, parents = pc.list_flatten(column), pc.list_parent_indices(column)
    for place in _rows(pc.is_null(items)):
        block.errors.setdefault(parents[place].as_py(), f"{ITEM_LIST} must be a list of strings, got null in it")
    lengths = pc.utf8_length(items)
    for place in _rows(_illegal(lengths)):
        text = _length_text(f"an item of {ITEM_LIST}", lengths[place].as_py())
        block.errors.setdefault(parents[place].as_py(), text)


def _illegal(lengths: pa.Array) -> pa.Array:
    return pc.or_(pc.equal(lengths, 0), pc.greater(lengths, limits.MAX_ID_CHARACTERS))


def _length_text(name: str, length: int) -> str:
    return f"{name} has {length} characters; legal are 1 to {limits.MAX_ID_CHARACTERS}"


def _rows(mask: pa.Array) -> Sequence[int]:
    rows: list[int] = pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist()
    return rows


def _compact(texts: pa.StringArray) -> pa.StringArray:
    if not pc.any(pc.match_substring_regex(texts, r"[ \t\r]")).as_py():
        return texts
    return pc.replace_substring_regex(texts, _STRING_OR_SPACE, r"\1")
