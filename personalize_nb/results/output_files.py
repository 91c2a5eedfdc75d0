"""Lines of job output and of job input as Arrow tables, block by block, and output put into input order.

Blocks are parsed by Arrow with the known schema; only a block that does not parse is read line by line, so that one
bad line costs one row and not the table.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from personalize_nb.contract import columns as c
from personalize_nb.errors import NotFoundError
from personalize_nb.session import s3

if TYPE_CHECKING:
    from personalize_nb.session.s3 import Stored
    from personalize_nb.session.session import Session

KEYS = {key: pa.list_(pa.string()) if key == "itemList" else pa.string() for key in c.JSON_KEYS}
SUFFIX = ".out"
NO_ROW = "the output has no row for this input line"
NO_ITEMS = "answered without an item: the filter, or the recipe, leaves none for this line"
_PARSED_AT_ONCE = 2 << 20

_ITEMS = "recommendedItems"
_OUTPUT = pa.struct(
    [
        (_ITEMS, pa.list_(pa.string())),
        ("scores", pa.list_(pa.float64())),
        ("theme", pa.string()),
        ("itemsThemeRelevanceScores", pa.list_(pa.float64())),
    ]
)


def input_schema(session: Session | None, address: str) -> pa.DataType:
    """Return the struct type of a job's input records: the keys, and the placeholders that its first block uses."""
    names: list[str] = []
    for source in input_files(session, address):
        for block in s3.line_blocks(session, source.address, 1 << 20):
            names = sorted(_placeholders_of(block))
            break
        break
    return record_type(names)


def record_type(placeholders: Sequence[str]) -> pa.DataType:
    """Return the struct type of an input record with these filter values."""
    values = [("filterValues", pa.struct([(name, pa.string()) for name in placeholders]))] if placeholders else []
    return pa.struct([*KEYS.items(), *values])


def input_files(session: Session | None, address: str) -> list[Stored]:
    """List what a job with this input path reads: the object of that name, else all whose keys begin with it."""
    found = [one for one in s3.stored(session, address) if not one.name.endswith((SUFFIX, "_CHECK"))]
    return [one for one in found if one.address == address] or found


def output_files(session: Session | None, address: str, source: str | None) -> list[Stored]:
    """List a job's output: the `.out` objects below an address that are named after its input.

    Other jobs may have written to the same folder. Without an input all `.out` objects count.

    Raises
    ------
    NotFoundError
        There are none, or only those of other jobs.
    """
    found = [one for one in s3.stored(session, address) if one.name.endswith(SUFFIX)]
    if not found:
        raise NotFoundError(f"There is no output ending in {SUFFIX} at {address!r}; is the job ACTIVE?")
    if not source or [one.address for one in found] == [address]:
        return found
    # named after the input file, or after its path below the input's folder where two folders hold one name
    folder = len(source.rpartition("/")[0]) + 1
    asked = input_files(session, source)
    named = {f"{name}{SUFFIX}" for one in asked for name in (one.name, one.address[folder:])}
    named = named or {f"{source[folder:]}{SUFFIX}"}  # the input is gone
    top = address.rstrip("/") if s3.is_s3(address) else found[0].address.rpartition("/")[0]
    many = source.endswith("/")  # several files; the jobs of a run have a folder of output each
    own = [one for one in found if one.address.removeprefix(top).lstrip("/") in named or (many and one.name in named)]
    if own or (many and not asked):
        return own or found
    raise NotFoundError(
        f"The output at {address!r} is not of this job: there is {_few([one.name for one in found])}, and the input "
        f"{source!r} leads to {_few(sorted(named))}; pnb.read_results({address!r}) reads all that is there."
    )


def _few(names: list[str], most: int = 3) -> str:
    return ", ".join(map(repr, names[:most])) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def output_tables(session: Session | None, files: Iterable[Stored], record: pa.DataType) -> Iterator[pa.Table]:
    """Yield the rows of `.out` objects; columns `input`, `output`, `error`, `file`, `line`."""
    schema = pa.schema([("input", record), ("output", _OUTPUT), ("error", pa.string())])
    for one in files:
        yield from _tables(session, one, schema, _output_row)


def input_tables(session: Session | None, address: str, record: pa.DataType) -> Iterator[pa.Table]:
    """Yield the records of a job's input; columns are the keys, `file` and `line`."""
    schema = pa.schema([pa.field(one.name, one.type) for one in record])
    for one in input_files(session, address):
        yield from _tables(session, one, schema, _record)


def keys_of(records: pa.StructArray | pa.Table) -> pa.Array:
    """Return one text per record, equal where the records are."""
    parts = []
    for name in (one.name for one in records.type) if isinstance(records, pa.StructArray) else records.column_names:
        if name in (c.FILE, c.LINE):
            continue
        column = pc.struct_field(records, name) if isinstance(records, pa.StructArray) else _chunk(records, name)
        if name == "filterValues":
            parts += [pc.struct_field(column, one.name) for one in column.type]
        else:
            parts.append(pc.binary_join(column, "\x1e") if pa.types.is_list(column.type) else column)
    texts = [pc.fill_null(pc.cast(part, pa.large_string()), "") for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar("\x1f", pa.large_string()))


def positions(asked: pa.ChunkedArray, answered: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each answer the position of its question, and the positions of questions without an answer.

    The n-th answer with a key belongs to the n-th question with that key. An answer that nobody asked for keeps the
    position it has.
    """
    both = pa.chunked_array([*asked.chunks, *answered.chunks], asked.type).combine_chunks()
    both = both.chunk(0) if isinstance(both, pa.ChunkedArray) else both
    codes = pc.dictionary_encode(both).indices.to_numpy(zero_copy_only=False).astype(np.int64)
    occurrence = np.empty_like(codes)
    for part in (slice(0, len(asked)), slice(len(asked), None)):
        occurrence[part] = _occurrence(codes[part])
    pair = codes * (int(occurrence.max(initial=0)) + 1) + occurrence
    questions, answers = pair[: len(asked)], pair[len(asked) :]
    order = np.argsort(questions, kind="stable")
    place = np.searchsorted(questions, answers, sorter=order)
    found = order[np.minimum(place, max(len(order) - 1, 0))] if len(order) else np.zeros(len(answers), np.int64)
    matched = (place < len(order)) & (questions[found] == answers if len(order) else False)
    unanswered = np.ones(len(asked), bool)
    unanswered[found[matched]] = False
    return np.where(matched, found, np.arange(len(answers))), np.flatnonzero(unanswered)


def _occurrence(codes: np.ndarray) -> np.ndarray:
    """Return for each value how many equal ones came before it."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]] if len(codes) else np.zeros(0, bool)
    starts = np.maximum.accumulate(np.where(first, np.arange(len(codes)), 0))
    result = np.empty(len(codes), np.int64)
    result[order] = np.arange(len(codes)) - starts
    return result


def _chunk(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name).combine_chunks()
    return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column


def _tables(session: Session | None, source: s3.Stored, schema: pa.Schema, row: Any) -> Iterator[pa.Table]:
    line = 0
    for block in s3.line_blocks(session, source.address):
        table = _parsed(block, schema, row)
        numbers = np.arange(line, line + table.num_rows) + 1
        line += table.num_rows
        named = pa.DictionaryArray.from_arrays(pa.array(np.zeros(table.num_rows, np.int32)), pa.array([source.name]))
        yield table.append_column(c.FILE, pc.cast(named, pa.string())).append_column(c.LINE, pa.array(numbers))


def _parsed(block: bytes, schema: pa.Schema, row: Any) -> pa.Table:
    options = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    block = block.removeprefix(b"\xef\xbb\xbf")
    for size in (_PARSED_AT_ONCE, len(block) + 1):  # a line longer than the first size needs the second
        try:
            table = pa.json.read_json(io.BytesIO(block), pa.json.ReadOptions(block_size=size), options)
        except pa.ArrowInvalid:
            continue
        if table.num_rows == block.count(b"\n") + (not block.endswith(b"\n")):
            return table.select(schema.names).combine_chunks()
        break
    rows = [row(line) for line in block.split(b"\n") if line.strip()]
    return pa.Table.from_pylist(rows, schema)


def _output_row(line: bytes) -> dict[str, Any]:
    try:
        whole = json.loads(line)
        output = whole.get("output") or {}
        return {
            "input": _cleaned(whole["input"]) if isinstance(whole.get("input"), dict) else None,
            "output": {
                **{member.name: output.get(member.name) for member in _OUTPUT},
                _ITEMS: [str(item) for item in output.get(_ITEMS) or ()],
            },
            "error": None if whole.get("error") is None else str(whole["error"]),
        }
    except (ValueError, AttributeError, TypeError) as error:
        return {"input": None, "output": None, "error": f"the output line cannot be read: {error}"}


def _record(line: bytes) -> dict[str, Any]:
    try:
        whole = json.loads(line)
    except ValueError:
        return {}
    return _cleaned(whole) if isinstance(whole, dict) else {}


def _cleaned(record: dict[str, Any]) -> dict[str, Any]:
    """Return the known keys of a record with every id as text."""
    known: dict[str, Any] = {}
    for key, value in record.items():
        if key == "filterValues" and isinstance(value, dict):
            known[key] = {name: _text(one) for name, one in value.items()}
        elif key == "itemList" and isinstance(value, list):
            known[key] = [_text(one) for one in value]
        elif key in KEYS:
            known[key] = None if isinstance(value, (dict, list)) else _text(value)
    return known


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value)


def _placeholders_of(block: bytes) -> set[str]:
    if b'"filterValues"' not in block:
        return set()
    return {name for line in block.split(b"\n") for name in (_record(line).get("filterValues") or {})}
