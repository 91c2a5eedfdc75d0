"""Lines of JSON files as Arrow tables, block by block: the rows of a job's output, the records of its input.

A block is parsed by Arrow with the known schema. One that does not parse so is parsed in pieces, and only a piece that
does not parse either is read line by line, so that a bad line costs itself and not the others, whatever bytes it holds.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from personalize_nb.contract import columns as c
from personalize_nb.results import cut_lists, parts
from personalize_nb.results.members import (
    DAMAGED,
    IDS,
    KEYS,
    MOST_PLACEHOLDERS,
    RELEVANCE,
    SCORES,
    THEME,
    VALUES,
)
from personalize_nb.results.single_lines import (
    UnreadableError,
    check_once,
    cleaned,
    error_of,
    exact,
    members_of,
    output_of,
    shown,
)
from personalize_nb.session.ahead import ahead, in_order

if TYPE_CHECKING:
    from personalize_nb.session.s3 import Stored
    from personalize_nb.session.session import Session

_OUTPUT = pa.struct(
    [
        *((name, pa.list_(pa.string())) for name in IDS),
        *((name, pa.list_(pa.float64())) for name in (SCORES, RELEVANCE)),
        (THEME, pa.string()),
    ]
)
_BLOCK = 4 << 20
_PARSED_AT_ONCE = 2 << 20
_LINES_OF_A_PIECE = 500
_SPACE = b" \t\r"
_MARK = b"\xef\xbb\xbf"


def record_type(placeholders: Iterable[str]) -> pa.DataType:
    """Return the struct type of an input record with these filter values."""
    values = [(name, pa.string()) for name in sorted(placeholders)]
    return pa.struct([*KEYS.items(), *([(VALUES, pa.struct(values))] if values else [])])


def output_tables(
    session: Session | None, files: Iterable[Stored], record: pa.DataType, told: Callable[[int], None]
) -> Iterator[pa.Table]:
    """Yield the rows of `.out` objects, parts of one as one.

    Columns are `input`, `output`, `error`, `damaged`, `file`, `line`;
    `damaged` are lines that cannot be read; their error says why.
    `told` is called with the bytes of each block that has come.
    """
    for name, its_parts in parts.outputs(files):
        yield from _tables(session, name, its_parts, _Answers(record), told)


def input_table(session: Session | None, files: Iterable[Stored]) -> pa.Table:
    """Return the records of a job's input; columns are the keys, filter values where there are any, `file`, `line`."""
    kind = _Questions()
    tables = [table for one in files for table in _tables(session, one.name, [one], kind)]
    schema = pa.schema([*record_type(kind.placeholders), (c.FILE, pa.string()), (c.LINE, pa.int64())])
    return pa.concat_tables([_widened(table, schema) for table in tables]) if tables else schema.empty_table()


def no_rows(record: pa.DataType) -> pa.Table:
    """Return the table of an output without rows."""
    return pa.schema([*_Answers(record).schema, (c.FILE, pa.string()), (c.LINE, pa.int64())]).empty_table()


def _widened(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give a table the filter values that only later blocks have."""
    if table.schema.equals(schema) or VALUES not in schema.names:
        return table
    missing = pa.nulls(table.num_rows, pa.string())
    has = {}
    if VALUES in table.column_names:
        column = flat(table.column(VALUES))
        has = {one.name: pc.struct_field(column, one.name) for one in column.type}
    kind = schema.field(VALUES).type
    values = pa.StructArray.from_arrays([has.get(one.name, missing) for one in kind], fields=list(kind))
    return pa.table([values if name == VALUES else table.column(name) for name in schema.names], schema)


def flat(column: Any) -> Any:
    """Return a column as one array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:  # combining one copies it
        return column.chunk(0)
    array = column.combine_chunks()
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


class _Kind(Protocol):
    """What the lines of a file are."""

    @property
    def schema(self) -> pa.Schema: ...

    def prepared(self, text: bytes) -> _Kind:
        """Return what the lines of a block are, with a schema that holds all of it."""
        ...

    def sound(self, table: pa.Table) -> bool:
        """Tell whether what Arrow parsed holds only what lines may hold."""
        ...

    def row(self, line: bytes) -> dict[str, Any]:
        """Read one line; whatever it holds, a row comes back."""
        ...


def _tables(
    session: Session | None,
    name: str,
    source: Sequence[Stored],
    kind: _Kind,
    told: Callable[[int], None] = lambda count: None,
) -> Iterator[pa.Table]:
    """Yield the lines of a file: while some blocks are parsed the next ones come."""
    first = 1
    blocks = ahead(parts.line_blocks(session, source, _BLOCK))
    for table, places, count in in_order(_parsed, _prepared(blocks, kind, told), pa.cpu_count()):
        named = pa.DictionaryArray.from_arrays(pa.array(np.zeros(table.num_rows, np.int32)), pa.array([name]))
        yield table.append_column(c.FILE, pc.cast(named, pa.string())).append_column(c.LINE, pa.array(places + first))
        first += count


def _prepared(blocks: Iterator[bytes], kind: _Kind, told: Callable[[int], None]) -> Iterator[tuple[bytes, _Kind]]:
    for number, block in enumerate(blocks):
        told(len(block))
        text = block if number else block.removeprefix(_MARK)
        yield text, kind.prepared(text)


def _parsed(given: tuple[bytes, _Kind]) -> tuple[pa.Table, np.ndarray, int]:
    """Return the rows of a block, for each on which of its lines it stands, from 0, and how many lines end."""
    block, kind = given
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    table = None
    if _is_an_object_a_line(block, ends) and _is_utf8(block):
        table = cut_lists.parsed(block, ends, lambda text: _parsed_by_arrow(text, kind))
        table = _parsed_by_arrow(block, kind) if table is None else table
    count = len(ends) + (not block.endswith(b"\n"))
    if table is not None and table.num_rows == count:
        return table, np.arange(count), len(ends)
    lines = [line.strip(_SPACE).removeprefix(_MARK) for line in block.split(b"\n")]  # files may have been joined
    places = [place for place, line in enumerate(lines) if line]
    pieces = [places[start : start + _LINES_OF_A_PIECE] for start in range(0, len(places), _LINES_OF_A_PIECE)]
    tables = [_piece([lines[place] for place in piece], kind) for piece in pieces]
    table = pa.concat_tables(tables).combine_chunks() if tables else kind.schema.empty_table()
    return table, np.array(places, np.int64), len(ends)


def _is_an_object_a_line(block: bytes, ends: np.ndarray) -> bool:
    """Tell whether each line begins and ends with a brace: it neither continues another one nor is continued."""
    text = np.frombuffer(block, np.uint8)
    inner = ends[:-1] if block.endswith(b"\n") else ends
    begins = block.startswith(b"{") and bool((text[inner + 1] == ord("{")).all())
    return begins and bool((text[ends - 1] == ord("}")).all()) and block.endswith((b"}", b"}\n"))


def _piece(lines: Sequence[bytes], kind: _Kind) -> pa.Table:
    if all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
        table = _parsed_by_arrow(b"\n".join(lines), kind)
        if table is not None and table.num_rows == len(lines):
            return table
    return pa.Table.from_pylist([kind.row(line) for line in lines], kind.schema)


def _parsed_by_arrow(text: bytes, kind: _Kind) -> pa.Table | None:
    # Arrow takes bytes that are no UTF-8, and numbers that JSON has not
    if not _is_utf8(text) or b"NaN" in text or b"Inf" in text:
        return None
    schema = kind.schema
    options = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    for size in (_PARSED_AT_ONCE, len(text) + 1):  # a line longer than the first size needs the second
        try:
            read = pa.json.ReadOptions(use_threads=False, block_size=size)  # other blocks are read beside this one
            table = pa.json.read_json(io.BytesIO(text), read, options)
        except pa.ArrowException:
            continue
        table = table.select([name for name in schema.names if name != DAMAGED]).combine_chunks()
        if DAMAGED in schema.names:
            table = table.append_column(DAMAGED, pa.repeat(pa.scalar(False), table.num_rows))
        return table if kind.sound(table) else None
    return None


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


class _Answers:
    """The lines of a job's output."""

    def __init__(self, record: pa.DataType):
        self._names = [one.name for one in record]
        self.schema = pa.schema([("input", record), ("output", _OUTPUT), ("error", pa.string()), (DAMAGED, pa.bool_())])

    def prepared(self, text: bytes) -> _Kind:
        """Return itself: what output holds is known."""
        return self

    def sound(self, table: pa.Table) -> bool:
        output = table.column("output")
        nameless = pc.is_null(table.column("error"))
        for key in KEYS:
            nameless = pc.and_(nameless, pc.is_null(pc.struct_field(table.column("input"), key)))
        missing = (pc.list_flatten(pc.struct_field(output, name)).null_count for name in IDS)
        return not pc.any(nameless).as_py() and not any(missing)

    def row(self, line: bytes) -> dict[str, Any]:
        record: Any = None
        error: str | None = None
        try:
            whole = members_of(line)
            # the developer guide shows rows without `input`, that name their item attributes beside `output`
            record = whole if "input" not in whole and "output" in whole else whole.get("input")
            error = error_of(whole.get("error"))
            check_once(whole, ("input", "output", "error", *KEYS))
            output = output_of(whole.get("output"))
            if error is None:
                return {"input": exact(record, self._names), "output": output, "error": None, DAMAGED: False}
        except UnreadableError as reason:
            if error is None:  # what the service says of its line is worth more than what its row looks like
                error = f"the output line cannot be read: {reason}; it is {shown(line)}"
                return {"input": cleaned(record), "output": None, "error": error, DAMAGED: True}
            output = None
        return {"input": cleaned(record), "output": output, "error": error, DAMAGED: False}


class _Questions:
    """The lines of a job's input. Those that are no record of known keys are empty records."""

    def __init__(self, placeholders: Iterable[str] = ()) -> None:
        self.placeholders = set(placeholders)

    @property
    def schema(self) -> pa.Schema:
        return pa.schema(list(record_type(self.placeholders)))

    def prepared(self, text: bytes) -> _Kind:
        """Learn which filter values lines of a block give."""
        if f'"{VALUES}"'.encode() in text:
            options = pa.json.ParseOptions(explicit_schema=self.schema, unexpected_field_behavior="infer")
            try:
                size = pa.json.ReadOptions(block_size=len(text) + 1)
                found = pa.json.read_json(io.BytesIO(text), size, options).schema
                values = found.field(VALUES).type if VALUES in found.names else pa.null()
                names = [one.name for one in values] if pa.types.is_struct(values) else []
            except (pa.ArrowException, UnicodeDecodeError):
                names = [name for line in text.split(b"\n") for name in (self.row(line).get(VALUES) or {})]
            room = MOST_PLACEHOLDERS - len(self.placeholders)
            self.placeholders |= set(sorted({*names} - self.placeholders)[:room])
        return _Questions(self.placeholders)  # while its lines are read, those of later blocks are learnt

    def sound(self, table: pa.Table) -> bool:
        return True

    def row(self, line: bytes) -> dict[str, Any]:
        try:
            whole = members_of(line)
            check_once(whole, KEYS)
        except UnreadableError:
            return {}
        return cleaned(whole) or {}
