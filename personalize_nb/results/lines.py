"""Lines of JSON files as Arrow tables, block by block: the rows of a job's output, the records of its input.

A block is parsed by Arrow with the known schema. One that does not parse so is parsed in pieces, and only a piece that
does not parse either is read line by line, so that a bad line costs itself and not the others, whatever bytes it holds.
Numbers that stand for ids keep their digits.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from personalize_nb.contract import columns as c
from personalize_nb.session import s3

if TYPE_CHECKING:
    from personalize_nb.session.s3 import Stored
    from personalize_nb.session.session import Session

ITEMS, SCORES, THEME, RELEVANCE = "recommendedItems", "scores", "theme", "itemsThemeRelevanceScores"
# what the service writes, and what the developer guide says that it writes
USERS = ("usersList", "recommendedUsers")
VALUES = "filterValues"
DAMAGED = "damaged"
# Each becomes a column; no filter expression has as many, but a damaged file can.
MOST_PLACEHOLDERS = 100
KEYS = {key: pa.list_(pa.string()) if key == "itemList" else pa.string() for key in c.JSON_KEYS}

_IDS = (ITEMS, *USERS)
_OUTPUT = pa.struct(
    [
        *((name, pa.list_(pa.string())) for name in _IDS),
        *((name, pa.list_(pa.float64())) for name in (SCORES, RELEVANCE)),
        (THEME, pa.string()),
    ]
)
_PARSED_AT_ONCE = 2 << 20
_LINES_OF_A_PIECE = 500
_SPACE = b" \t\r"
_MARK = b"\xef\xbb\xbf"


def record_type(placeholders: Iterable[str]) -> pa.DataType:
    """Return the struct type of an input record with these filter values."""
    values = [(name, pa.string()) for name in sorted(placeholders)]
    return pa.struct([*KEYS.items(), *([(VALUES, pa.struct(values))] if values else [])])


def output_tables(session: Session | None, files: Iterable[Stored], record: pa.DataType) -> Iterator[pa.Table]:
    """Yield the rows of `.out` objects; columns `input`, `output`, `error`, `damaged`, `file`, `line`.

    `damaged` are lines that cannot be read; their error says why.
    """
    for one in files:
        yield from _tables(session, one, _Answers(record))


def input_table(session: Session | None, files: Iterable[Stored]) -> pa.Table:
    """Return the records of a job's input; columns are the keys, filter values where there are any, `file`, `line`."""
    kind = _Questions()
    tables = [table for one in files for table in _tables(session, one, kind)]
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
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


class _Kind(Protocol):
    """What the lines of a file are."""

    @property
    def schema(self) -> pa.Schema: ...

    def prepare(self, text: bytes) -> None:
        """Learn of a block what the schema has to hold."""
        ...

    def sound(self, table: pa.Table) -> bool:
        """Tell whether what Arrow parsed holds only what lines may hold."""
        ...

    def row(self, line: bytes) -> dict[str, Any]:
        """Read one line; whatever it holds, a row comes back."""
        ...


def _tables(session: Session | None, source: Stored, kind: _Kind) -> Iterator[pa.Table]:
    first = 1
    for block in s3.line_blocks(session, source.address):
        if first == 1:
            block = block.removeprefix(_MARK)
        kind.prepare(block)
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
        table, places = _parsed(block, ends, kind)
        named = pa.DictionaryArray.from_arrays(pa.array(np.zeros(table.num_rows, np.int32)), pa.array([source.name]))
        yield table.append_column(c.FILE, pc.cast(named, pa.string())).append_column(c.LINE, pa.array(places + first))
        first += len(ends)


def _parsed(block: bytes, ends: np.ndarray, kind: _Kind) -> tuple[pa.Table, np.ndarray]:
    """Return the rows of a block with these line ends, and for each on which of its lines it stands, from 0."""
    table = _parsed_by_arrow(block, kind) if _is_an_object_a_line(block, ends) else None
    count = len(ends) + (not block.endswith(b"\n"))
    if table is not None and table.num_rows == count:
        return table, np.arange(count)
    lines = [line.strip(_SPACE).removeprefix(_MARK) for line in block.split(b"\n")]  # files may have been joined
    places = [place for place, line in enumerate(lines) if line]
    pieces = [places[start : start + _LINES_OF_A_PIECE] for start in range(0, len(places), _LINES_OF_A_PIECE)]
    tables = [_piece([lines[place] for place in piece], kind) for piece in pieces]
    table = pa.concat_tables(tables).combine_chunks() if tables else kind.schema.empty_table()
    return table, np.array(places, np.int64)


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
            table = pa.json.read_json(io.BytesIO(text), pa.json.ReadOptions(block_size=size), options)
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

    def prepare(self, text: bytes) -> None:
        """Need to learn nothing."""

    def sound(self, table: pa.Table) -> bool:
        output = table.column("output")
        nameless = pc.is_null(table.column("error"))
        for key in KEYS:
            nameless = pc.and_(nameless, pc.is_null(pc.struct_field(table.column("input"), key)))
        missing = (pc.list_flatten(pc.struct_field(output, name)).null_count for name in _IDS)
        return not pc.any(nameless).as_py() and not any(missing)

    def row(self, line: bytes) -> dict[str, Any]:
        record: Any = None
        error: str | None = None
        try:
            whole = _object(line)
            # the developer guide shows rows without `input`, that name their item attributes beside `output`
            record = whole if "input" not in whole and "output" in whole else whole.get("input")
            error = _error(whole.get("error"))
            _once(whole, ("input", "output", "error", *KEYS))
            output = _output(whole.get("output"))
            if error is None:
                return {"input": _exact(record, self._names), "output": output, "error": None, DAMAGED: False}
        except _UnreadableError as reason:
            if error is None:  # what the service says of its line is worth more than what its row looks like
                error = f"the output line cannot be read: {reason}; it is {_shown(line)}"
                return {"input": _cleaned(record), "output": None, "error": error, DAMAGED: True}
            output = None
        return {"input": _cleaned(record), "output": output, "error": error, DAMAGED: False}


class _Questions:
    """The lines of a job's input. Those that are no record of known keys are empty records."""

    def __init__(self) -> None:
        self.placeholders: set[str] = set()

    @property
    def schema(self) -> pa.Schema:
        return pa.schema(list(record_type(self.placeholders)))

    def prepare(self, text: bytes) -> None:
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

    def sound(self, table: pa.Table) -> bool:
        return True

    def row(self, line: bytes) -> dict[str, Any]:
        try:
            whole = _object(line)
            _once(whole, KEYS)
        except _UnreadableError:
            return {}
        return _cleaned(whole) or {}


class _UnreadableError(ValueError):
    """A line that is not what a job writes."""


class _Digits(str):
    """A number as it is written."""


class _Members(dict[str, Any]):
    """A JSON object that knows which keys it was given twice."""

    def __init__(self, pairs: list[tuple[str, Any]]):
        super().__init__(pairs)
        times = Counter(key for key, _ in pairs) if len(self) < len(pairs) else Counter[str]()
        self.twice = {key for key, count in times.items() if count > 1}


_DECODER = json.JSONDecoder(object_pairs_hook=_Members, parse_int=_Digits, parse_float=_Digits)


def _object(line: bytes) -> _Members:
    try:
        whole = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        raise _UnreadableError("it is not UTF-8 text") from None
    except RecursionError:
        raise _UnreadableError("it is nested too deeply") from None
    except ValueError as error:
        raise _UnreadableError(f"it is not valid JSON: {error}") from None
    if not isinstance(whole, _Members):
        raise _UnreadableError("it is not a JSON object")
    return whole


def _once(members: _Members, keys: Iterable[str]) -> None:
    if twice := members.twice.intersection(keys):
        raise _UnreadableError(f"it has {sorted(twice)[0]!r} twice")


def _error(value: Any) -> str | None:
    if value is None:
        return None
    try:
        text = value if isinstance(value, str) else json.dumps(value)
    except RecursionError:
        text = "an error that is nested too deeply to be shown"
    return text.encode(errors="replace").decode()


def _output(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, _Members):
        raise _UnreadableError("its output is not a JSON object")
    _once(value, (*_IDS, SCORES, RELEVANCE, THEME))
    found: dict[str, Any] = {name: _list(value, name, _id, "ids") for name in _IDS}
    found |= {name: _list(value, name, _number, "numbers") for name in (SCORES, RELEVANCE)}
    theme = value.get(THEME)
    if theme is not None and (not isinstance(theme, str) or isinstance(theme, _Digits) or not _is_text(theme)):
        raise _UnreadableError(f"{THEME} must be a text")
    return {**found, THEME: theme}


def _list(members: Mapping[str, Any], name: str, read: Any, what: str) -> list[Any] | None:
    values = members.get(name)
    if values is None:
        return None
    if not isinstance(values, list):
        raise _UnreadableError(f"{name} must be a list of {what}")
    try:
        return [read(value) for value in values]
    except ValueError:
        raise _UnreadableError(f"{name} must be a list of {what}") from None


def _is_text(text: str) -> bool:
    # half of a surrogate pair is no character
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _id(value: Any) -> str:
    if isinstance(value, str) and _is_text(value):
        return str(value)
    raise ValueError


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, (_Digits, float)):
        return None if value is None else float(value)
    raise ValueError


def _exact(record: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the known keys of an answered record; those that are asked for must be usable."""
    known = _cleaned(record)
    if not isinstance(record, _Members) or not known or all(known.get(key) is None for key in KEYS):
        raise _UnreadableError("it does not say which input it answers")
    _once(record, names)
    for key, value in record.items():
        if key in names and _lost(value, known.get(key)):
            raise _UnreadableError(f"{key} of its input holds what is no text")
    return known


def _lost(given: Any, kept: Any) -> bool:
    """Tell whether a value, or one in it, became missing."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return any(_lost(value, kept.get(name)) for name, value in given.items())
    if isinstance(given, list) and isinstance(kept, list):
        return any(map(_lost, given, kept))
    return given is not None and kept is None


def _cleaned(record: Any) -> dict[str, Any] | None:
    """Return the known keys of a record with every id as text; None for what is none."""
    if not isinstance(record, dict):
        return None
    known: dict[str, Any] = {}
    for key, value in record.items():
        if key == VALUES and isinstance(value, dict):
            known[key] = {name: _text(one) for name, one in value.items() if _is_text(name)}
        elif key == "itemList" and isinstance(value, list):
            known[key] = [_text(one) for one in value]
        elif key in KEYS and key != "itemList":
            known[key] = _text(value)
    return known


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str) and _is_text(value) else None


def _shown(line: bytes) -> str:
    text = line.decode(errors="replace")
    return text if len(text) <= 80 else f"{text[:77]}..."
