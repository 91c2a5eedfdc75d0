"""Training frames become what an import takes: an Avro schema and CSV in Amazon's dialect.

Types are read off the values (`column_types`): dates become epoch seconds, text with `|` or few distinct values is
categorical, one long text column of the items is textual, names of items stay plain text. Column names become upper
case.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits
from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings, to_strings
from personalize_nb.resources import known_values
from personalize_nb.training import arrow_columns, column_types, csv_text, number_texts, row_numbers, timestamps

INTERACTIONS, ITEMS, USERS = "INTERACTIONS", "ITEMS", "USERS"

_REQUIRED = c.REQUIRED_COLUMNS
_MOST_METADATA = {INTERACTIONS: 5, ITEMS: 100, USERS: 25}
_RESERVED_TEXT = {"EVENT_TYPE", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"}
_RESERVED = {INTERACTIONS: {*_RESERVED_TEXT, "EVENT_VALUE"}, ITEMS: {"CREATION_TIMESTAMP"}, USERS: set()}
# Names that Personalize knows, in whatever dataset: no metadata.
RESERVED = frozenset().union(*_RESERVED.values())
_TIMES = {"TIMESTAMP", "CREATION_TIMESTAMP"}

# A text column is a category when its values repeat; it is the description when its values are long and do not.
_REPEATS = 1.5
_LONG_TEXT = 60
_LONGEST_NAME = 150


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
        for block in csv_text.blocks(self.table):
            file.write(block)
            digest.update(block)
        return digest.hexdigest()

    def categories(self) -> dict[str, list[str]]:
        """Return the values of each column of categories of items and users, the most frequent first."""
        if self.type == INTERACTIONS:
            return {}  # long, and no filter needs its categories suggested
        named = [str(one["name"]) for one in self.schema["fields"] if one.get("categorical")]
        return {name: known_values.by_frequency(_counts(self.table.column(name))) for name in named}

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
    named, notes = _upper(frame, kind)
    wanted = {amazon_name(one) for one in categorical}
    _known(wanted, named, "categorical")
    findings = Findings()
    wholly: list[str] = []  # what is wrong with columns as a whole
    columns: dict[str, pa.Array] = {}
    for name in named.columns:
        try:
            columns[name] = _typed(name, named[name], findings, kind)
        except InputError as error:
            wholly.append(str(error))
    _refuse(wholly, findings, len(named), kind)
    own = [name for name in columns if name not in (*_REQUIRED[kind], *_RESERVED[kind])]
    description = _description(columns, textual) if kind == ITEMS else None
    for name in own:
        if name in wanted:
            columns[name] = pc.cast(columns[name], pa.string())  # years and codes may be categories too
        elif name != description and pa.types.is_string(columns[name].type):
            number_texts.note(columns[name], named[name], name.lower(), findings)
    if kind != INTERACTIONS:
        _find_repeated(columns[_REQUIRED[kind][0]], _spelled(frame, _REQUIRED[kind][0]), findings)
    _refuse([], findings, len(named), kind)
    fields = [_field(name, column, kind, description, wanted) for name, column in columns.items()]
    _check_metadata(kind, [one for one in fields if one["name"] in own])
    schema = {
        "type": "record",
        "name": kind.capitalize(),
        "namespace": "com.amazonaws.personalize.schema",
        "fields": fields,
        "version": "1.0",
    }
    notes += [f"{kind.lower()}, {sentence}" for sentence in findings.sentences(len(named))]
    return Dataset(kind, schema, pa.table(columns), tuple(notes))


def _refuse(wholly: Sequence[str], findings: Findings, rows: int, kind: str) -> None:
    """Raise what is wrong with whole columns, and with rows, as one error."""
    try:
        findings.raise_errors(rows, f"rows of {kind.lower()}")
    except InputError as error:
        raise InputError("\n".join([*wholly, str(error)]), findings=error.findings) from None
    if wholly:
        raise InputError("\n".join(wholly))


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


def _upper(frame: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, list[str]]:
    frame = _with_key_levels(frame, kind)
    if frame.empty:
        raise InputError(f"The {kind.lower()} frame is empty (columns {list(frame.columns)}, 0 rows).")
    frame, notes = row_numbers.without(frame, kind.lower())
    names = _names(frame)
    seen: dict[str, object] = {}
    for name, original in zip(names, frame.columns, strict=True):
        plain = name.replace("_", "")
        _check_name(name, original, kind)
        if plain in seen:
            raise InputError(
                f"Columns {seen[plain]!r} and {original!r} of the {kind.lower()} would both be {name!r}: rename."
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
    return frame.set_axis(names, axis=1)[ordered].reset_index(drop=True), notes


def _check_name(name: str, original: object, kind: str) -> None:
    """Refuse names that cannot be a schema's, or can be only with a part of them lost."""
    text = str(original)
    told = f"Column {original!r} of the {kind.lower()} "
    if any(0xD800 <= ord(one) <= 0xDFFF for one in text):
        told += "has half of a character (a surrogate, as of a cut emoji) in its name"
    elif not name:
        told += "has no letter or digit in its name that Amazon's names may have (A-Z, 0-9)"
    elif len(name) > _LONGEST_NAME:
        told += f"has a name of {len(name)} characters; at most {_LONGEST_NAME} are legal"
    else:
        return
    raise InputError(f"{told}: rename it, frame.rename(columns={{{original!r}: '...'}}).")


def _typed(name: str, series: pd.Series, findings: Findings, kind: str) -> pa.Array:
    series = arrow_columns.readable(series, name.lower(), findings)
    if name in ("USER_ID", "ITEM_ID"):
        ids = to_strings(series, name.lower(), findings)
        broken = pc.fill_null(pc.match_substring_regex(ids, r"[\r\n\t]"), False)
        findings.error(broken, name.lower(), ids, "the id holds a line break or tab, which an import cannot take")
        return ids
    if name in _TIMES:
        return timestamps.to_epoch_seconds(series, name.lower(), findings, required=name == "TIMESTAMP")
    if name == "EVENT_VALUE":
        try:
            numbers = pd.to_numeric(series, errors="coerce")
        except (TypeError, NotImplementedError):  # lists, structs and the like, which pandas will not even look at
            numbers = pd.Series(np.nan, index=series.index)
        findings.error(
            (numbers.isna() & series.notna()).to_numpy(), "event_value", series.array, "the value is no number"
        )
        return column_types.numbers(numbers, name, findings)
    column = column_types.typed(series, name, findings)
    if name in _RESERVED_TEXT and kind == INTERACTIONS:
        column = column if pa.types.is_string(column.type) else pc.cast(column, pa.string())
        if name == "EVENT_TYPE" and column.null_count:
            given = series.notna().to_numpy() & np.array([not _is_empty(one) for one in series.astype(object)], bool)
            findings.error(~given, "event_type", column, "the event type is missing")
    return column


def _is_empty(value: Any) -> bool:
    return isinstance(value, str) and value == ""


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


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    """Return how often each category occurs; several in a text are separated by `|`."""
    counts: dict[str, int] = {}
    for one in pc.value_counts(column).to_pylist():
        for part in str(one["values"] if one["values"] is not None else "").split("|"):
            if part:
                counts[part] = counts.get(part, 0) + one["counts"]
    return counts


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
