"""Training frames become what an import takes: an Avro schema and CSV in Amazon's dialect.

Types are read off the values (`column_types`): dates become epoch seconds, text with `|` or few distinct values is
categorical, one long text column of the items is textual, names of items stay plain text. Column names become upper
case.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.training import column_types, timestamps

INTERACTIONS, ITEMS, USERS = "INTERACTIONS", "ITEMS", "USERS"
ROWS = 200_000

_REQUIRED = {INTERACTIONS: ("USER_ID", "ITEM_ID", "TIMESTAMP"), ITEMS: ("ITEM_ID",), USERS: ("USER_ID",)}
_MOST_METADATA = {INTERACTIONS: 5, ITEMS: 100, USERS: 25}
_RESERVED_TEXT = {"EVENT_TYPE", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"}
_RESERVED = {INTERACTIONS: {*_RESERVED_TEXT, "EVENT_VALUE"}, ITEMS: {"CREATION_TIMESTAMP"}, USERS: set()}
_TIMES = {"TIMESTAMP", "CREATION_TIMESTAMP"}

# A text column is a category when its values repeat; it is the description when its values are long and do not.
_REPEATS = 1.5
_LONG_TEXT = 60


@dataclass(frozen=True)
class Dataset:
    """One dataset ready to import: its type, Avro schema and typed rows; `notes` say what was found and done."""

    type: str
    schema: dict[str, Any]
    table: pa.Table
    notes: tuple[str, ...] = ()

    def write_csv(self, file: IO[bytes]) -> str:
        """Write the rows as CSV and return the hash of what was written."""
        digest = hashlib.sha256()
        for block in _csv_blocks(self.table):
            file.write(block)
            digest.update(block)
        return digest.hexdigest()

    def described(self) -> str:
        """Return the schema in a line: each column with its role."""
        return ", ".join(f"{one['name']} {role(one)}" for one in self.schema["fields"])


def prepare(
    kind: str,
    frame: pd.DataFrame,
    *,
    textual: str | bool | None = None,
    categorical: Collection[str] = (),
) -> Dataset:
    """Check a frame and return it as a dataset.

    Parameters
    ----------
    kind
        `INTERACTIONS`, `ITEMS` or `USERS`.
    frame
        Columns in any spelling: `user_id`, `userId`, `USER_ID`.
    textual
        For items: the column of descriptions; None finds it (long text that does not repeat), False uses none.
    categorical
        Columns that are categories, beside those that are found.

    Raises
    ------
    InputError
        A column is missing or rows cannot be used; `.findings` says which.
    """
    named = _upper(frame, kind)
    wanted = {amazon_name(one) for one in categorical}
    _known(wanted, named, "categorical")
    findings = Findings()
    columns = {name: _typed(name, named[name], findings, kind) for name in named.columns}
    for name in wanted - set(_REQUIRED[kind]) - _RESERVED[kind]:
        columns[name] = pc.cast(columns[name], pa.string())  # years and codes may be categories too
    if kind != INTERACTIONS:
        _find_repeated(columns[_REQUIRED[kind][0]], _spelled(frame, _REQUIRED[kind][0]), findings)
    description = _description(columns, textual) if kind == ITEMS else None
    fields = [_field(name, column, kind, description, wanted) for name, column in columns.items()]
    findings.raise_errors(len(named), f"rows of {kind.lower()}")
    _check_metadata(kind, [one for one in fields if one["name"] not in _RESERVED[kind] | set(_REQUIRED[kind])])
    schema = {
        "type": "record",
        "name": kind.capitalize(),
        "namespace": "com.amazonaws.personalize.schema",
        "fields": fields,
        "version": "1.0",
    }
    found = findings.frame().groupby(["column", "problem"], sort=False)["row"].agg(["size", "min"])
    notes = tuple(
        f"{kind.lower()}, {column}: {problem} (rows: {size:,}, the first: {first})"
        for (column, problem), (size, first) in zip(found.index, found.to_numpy(), strict=True)
    )
    return Dataset(kind, schema, pa.table(columns), notes)


def check_enough(dataset: Dataset, event_type: str | None = None) -> None:
    """Refuse interactions that are too few for any training, before minutes are spent on an import."""
    table = dataset.table
    if event_type is not None:
        if not isinstance(event_type, str):
            raise InputError(f"'event_type' must be text, as the column 'event_type' holds it, got {event_type!r}.")
        if "EVENT_TYPE" not in table.column_names:
            raise InputError(f"'event_type' is {event_type!r}, but the interactions have no column 'event_type'.")
        table = table.filter(pc.equal(table.column("EVENT_TYPE"), event_type))
    of = f" of event type {event_type!r}" if event_type else ""
    if table.num_rows < limits.MIN_INTERACTIONS:
        raise InputError(
            f"A training needs at least {limits.MIN_INTERACTIONS:,} interactions{of}, got {table.num_rows:,}."
        )
    counts = pc.value_counts(table.column("USER_ID")).field("counts")
    active = pc.sum(pc.greater_equal(counts, 2)).as_py() or 0
    if active < limits.MIN_USERS_WITH_TWO_INTERACTIONS:
        raise InputError(
            f"A training needs at least {limits.MIN_USERS_WITH_TWO_INTERACTIONS} users with 2 or more interactions"
            f"{of}, got {active}."
        )


def unmatched(datasets: Sequence[Dataset]) -> list[str]:
    """Return notes on ids of the interactions that the items or users have no row for; none at all is refused."""
    notes = []
    interactions, *others = datasets
    for one in others:
        key = _REQUIRED[one.type][0]
        known, used = one.table.column(key), pc.unique(interactions.table.column(key))
        missing = used.filter(pc.invert(pc.is_in(used, known.combine_chunks())))
        if len(missing) == len(used):
            raise InputError(
                f"No {key.lower()} of the interactions is among the {one.type.lower()}: {used[0].as_py()!r} and so on "
                f"there, {known[0].as_py()!r} and so on here. Were both read as the same type?"
            )
        if len(missing):
            notes.append(
                f"{len(missing):,} of {len(used):,} ids in {key.lower()} of the interactions have no row among the "
                f"{one.type.lower()}, the first is {missing[0].as_py()!r}"
            )
    return notes


def avro(dataset: Dataset) -> str:
    """Return the schema's text."""
    return json.dumps(dataset.schema)


def amazon_name(name: object) -> str:
    """Return a column name in Amazon's style: `publishedYear` and `published year` become `PUBLISHED_YEAR`."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(c.canonical(name)))
    text = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").upper()
    return f"_{text}" if text[:1].isdigit() else text


def _with_key_levels(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Make columns of ids that lie in the index, as `set_index` leaves them."""
    wanted = set(_REQUIRED[kind]) - set(_names(frame))
    levels = [number for number, name in enumerate(frame.index.names) if amazon_name(name) in wanted]
    return frame.reset_index(level=levels) if levels else frame


def _names(frame: pd.DataFrame) -> list[str]:
    return [amazon_name(one) for one in frame.columns]


def _upper(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"The {kind.lower()} must be a pandas DataFrame, got {type(frame).__name__}.")
    frame = _with_key_levels(frame, kind)
    if frame.empty:
        raise InputError(f"The {kind.lower()} frame is empty (columns {list(frame.columns)}, 0 rows).")
    names = _names(frame)
    seen: dict[str, object] = {}
    for name, original in zip(names, frame.columns, strict=True):
        plain = name.replace("_", "")
        if plain in seen or not name:
            raise InputError(
                f"Columns {seen.get(plain)!r} and {original!r} of the {kind.lower()} would both be {name!r}: rename."
            )
        seen[plain] = original
    missing = [one for one in _REQUIRED[kind] if one not in names]
    if missing:
        raise InputError(
            f"The {kind.lower()} need columns {', '.join(one.lower() for one in _REQUIRED[kind])}; "
            f"{', '.join(one.lower() for one in missing)} missing among {list(frame.columns)}."
        )
    # by name, so that the same columns in another order are the same schema
    ordered = [*_REQUIRED[kind], *sorted(one for one in names if one not in _REQUIRED[kind])]
    return frame.set_axis(names, axis=1)[ordered].reset_index(drop=True)


def _typed(name: str, series: pd.Series, findings: Findings, kind: str) -> pa.Array:
    if name in ("USER_ID", "ITEM_ID"):
        ids = to_strings(series, name.lower(), findings)
        broken = pc.fill_null(pc.match_substring_regex(ids, r"[\r\n\t]"), False)
        findings.error(broken, name.lower(), ids, "the id holds a line break or tab, which an import cannot take")
        return ids
    if name in _TIMES:
        return timestamps.to_epoch_seconds(series, name.lower(), findings, required=name == "TIMESTAMP")
    if name == "EVENT_VALUE":
        numbers = pd.to_numeric(series, errors="coerce")
        findings.error(
            (numbers.isna() & series.notna()).to_numpy(), "event_value", series.array, "the value is no number"
        )
        return column_types.numbers(numbers, name, findings)
    column = column_types.typed(series, name, findings)
    if name in _RESERVED_TEXT and kind == INTERACTIONS:
        column = column if pa.types.is_string(column.type) else pc.cast(column, pa.string())
        if name == "EVENT_TYPE":
            findings.error(pc.is_null(column), "event_type", column, "the event type is missing")
    return column


def _spelled(frame: pd.DataFrame, name: str) -> Any:
    """Return the user's own name of a column."""
    return next((one for one in frame.columns if amazon_name(one) == name), name.lower())


def _find_repeated(ids: pa.Array, column: Any, findings: Findings) -> None:
    """Find rows of an id that an earlier row describes: which of them counts is not documented, so none is chosen."""
    again = pc.dictionary_encode(ids).indices.to_pandas().duplicated().to_numpy() & pc.is_valid(ids).to_numpy(False)
    findings.error(
        again,
        str(column),
        ids,
        f"the id has an earlier row already; keep one row of each: frame.drop_duplicates({column!r}, keep='last')",
    )


def _description(columns: dict[str, pa.Array], textual: str | bool | None) -> str | None:
    if textual is False:
        return None
    if isinstance(textual, str):
        name = amazon_name(textual)
        _known([name], columns, "textual")
        if not pa.types.is_string(columns[name].type):
            raise InputError(f"'textual' names {textual!r}, which is no text column.")
        return name
    lengths = {
        name: pc.mean(pc.utf8_length(column)).as_py() or 0
        for name, column in columns.items()
        if pa.types.is_string(column.type) and name != "ITEM_ID" and not _repeats(column)
    }
    longest = max(lengths, key=lengths.__getitem__, default=None)
    return longest if longest is not None and lengths[longest] >= _LONG_TEXT else None


def _known(names: Collection[str], columns: Any, argument: str) -> None:
    absent = sorted(name for name in names if name not in columns)
    if absent:
        raise InputError(f"{argument!r} names {absent}; the frame has {sorted(columns)}.")


def _field(
    name: str, column: pa.Array, kind: str, description: str | None, categorical: Collection[str]
) -> dict[str, Any]:
    plain = {pa.int64(): "long", pa.float64(): "float" if name == "EVENT_VALUE" else "double"}.get(
        column.type, "string"
    )
    # Metadata may always be null, so that next week's data has the same schema and lands in the same datasets.
    reserved = name in (*_REQUIRED[kind], *_RESERVED[kind])
    nullable = name not in (*_REQUIRED[kind], "EVENT_TYPE") and (not reserved or column.null_count > 0)
    field: dict[str, Any] = {"name": name, "type": ["null", plain] if nullable else plain}
    if plain != "string" or name in ("USER_ID", "ITEM_ID") or (kind == INTERACTIONS and name in _RESERVED_TEXT):
        return field
    if name == description:
        return {**field, "textual": True}
    longest = pc.max(pc.utf8_length(column)).as_py() or 0
    if longest > limits.MAX_CATEGORICAL_CHARACTERS:
        raise InputError(
            f"Column {name.lower()!r} has texts of up to {longest:,} characters; only a textual column may have more "
            f"than {limits.MAX_CATEGORICAL_CHARACTERS:,}. Name it with textual={name.lower()!r}, shorten or drop it."
        )
    named = name.lower() in c.NAME_COLUMNS and kind == ITEMS
    chosen = name in categorical or (not named and _repeats(column))
    return {**field, "categorical": True} if chosen else field


def _repeats(column: pa.Array) -> bool:
    """Tell a category from free text: several values in a cell, or values that occur again and again."""
    if pc.any(pc.match_substring(column, "|")).as_py():
        return True
    distinct = pc.count_distinct(column).as_py()
    return bool(distinct > 0 and pc.count(column).as_py() >= _REPEATS * distinct)


def _check_metadata(kind: str, columns: list[dict[str, Any]]) -> None:
    most = _MOST_METADATA[kind]
    if len(columns) > most:
        names = [one["name"].lower() for one in columns]
        raise InputError(
            f"{kind.capitalize()} take at most {most} columns of metadata, got {len(names)}: {names}. Drop some."
        )
    trained = [one for one in columns if one.get("categorical") or one.get("textual") or "string" not in one["type"]]
    if kind != INTERACTIONS and not trained:
        key = _REQUIRED[kind][0].lower()
        raise InputError(
            f"The {kind.lower()} need, beside {key!r}, a column that a model can learn from: numbers, a category or "
            f"(items) a description. Name one with categorical=[...], or leave the frame out."
        )


def role(one: Mapping[str, Any]) -> str:
    """Return what a field of a schema is, in a word: `categorical`, `textual`, `name` or its type."""
    plain = one["type"] if isinstance(one["type"], str) else one["type"][-1]
    marks = {"categorical": "categorical", "textual": "textual", "itemName": "name"}
    return next((word for mark, word in marks.items() if one.get(mark)), plain)


def _csv_blocks(table: pa.Table) -> Iterator[bytes]:
    yield (",".join(table.column_names) + "\n").encode()
    for start in range(0, table.num_rows, ROWS):
        part = table.slice(start, ROWS)
        cells = [_csv_cells(column.combine_chunks()) for column in part.itercolumns()]
        lines = pc.binary_join_element_wise(*cells, pa.scalar(",", pa.large_string()))
        yield _joined(lines)


def _csv_cells(column: Any) -> pa.Array:
    """Return a column as CSV text in Amazon's dialect: text in double quotes, a backslash before quotes and itself."""
    array = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    text = pc.cast(array, pa.large_string())
    if pa.types.is_string(array.type):
        text = pc.replace_substring_regex(text, r"[\r\n\t]+", " ")
        text = pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), '"', '\\"')
        quote, nothing = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
        text = pc.binary_join_element_wise(quote, text, quote, nothing)
    return pc.fill_null(text, "")


def _joined(lines: pa.Array) -> bytes:
    """Return the lines one after the other: the data buffer of their array."""
    ended = pc.binary_join_element_wise(lines, pa.scalar("\n", pa.large_string()), pa.scalar("", pa.large_string()))
    _, offsets, data = ended.buffers()
    ends = memoryview(offsets).cast("q")
    return bytes(memoryview(data)[ends[ended.offset] : ends[ended.offset + len(ended)]])
