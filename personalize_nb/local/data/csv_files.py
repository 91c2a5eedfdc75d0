"""CSV files as Amazon's import reads them: batches of typed rows, or the reason why not.

The rules are the fact sheet's (section 7.2): a header with the schema's names in any order, UTF-8, backslash
escapes, an empty cell is null where the type allows it, limits on characters. Numbers of metadata are read by
`loose_numbers`. One block of a file is in memory at a time.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from personalize_nb.contract import limits
from personalize_nb.local.data.lines import place
from personalize_nb.local.data.loose_numbers import Missing, is_loose
from personalize_nb.local.data.schema import Field, Schema
from personalize_nb.local.errors import WorkError

BLOCK_BYTES = 4 << 20
_HEADER_BYTES = 1 << 20
# files that a failure names
_SHOWN_NAMES = 5
_ID_COLUMNS = frozenset({"USER_ID", "ITEM_ID", "ACTION_ID"})

# Amazon strips markup, tabs and newlines from text before it uses it.
_MARKUP = r"<[/!]?[A-Za-z][^<>]*>"
_WHITE_SPACE = r"\s+"

# how files begin that are often given in the place of CSV
_NO_CSV = {
    b"\x1f\x8b": "compressed with gzip",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a Parquet file",
    b"\xff\xfe": "UTF-16 text, not UTF-8",
    b"\xfe\xff": "UTF-16 text, not UTF-8",
}

_ARROW_TYPES = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int64(),
    "long": pa.int64(),
    # doubles for both, so that a price of 9.99 still equals 9.99 in a filter
    "float": pa.float64(),
    "double": pa.float64(),
}


def arrow_schema(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of a dataset's imported rows."""
    return pa.schema([pa.field(column.name, _ARROW_TYPES[column.type]) for column in schema.fields])


Opener = Callable[[], BinaryIO]


def read_csv_files(files: Iterable[tuple[str, Opener]], schema: Schema) -> Iterator[pa.RecordBatch]:
    """Read CSV files one after the other, block by block.

    A file without a record is none the worse for it beside others: Spark writes such parts.

    Parameters
    ----------
    files
        Name, for messages, and opener of each file.
    schema
        The columns to keep; other columns of the files are ignored.

    Yields
    ------
    pyarrow.RecordBatch
        Rows with the columns of `arrow_schema(schema)`, in the schema's order.

    Raises
    ------
    WorkError
        A file breaks a rule, or no file has a record; nothing of them should be kept.
    """
    listed, found = list(files), False
    for name, opener in listed:
        with opener() as stream:
            try:
                for batch in _read_csv(stream, schema, name, len(listed)):
                    found = True
                    yield batch
            except WorkError:
                # a file that was damaged on the disk says so at its end, and is not blamed for it
                stream.seek(0)
                while stream.read(BLOCK_BYTES):
                    pass
                raise
    if not found:
        shown = ", ".join(name for name, _ in listed[:_SHOWN_NAMES]) + (", ..." if len(listed) > _SHOWN_NAMES else "")
        raise WorkError(f"Input CSV {shown} has no records. It needs a header row and at least one record.")


def _read_csv(stream: BinaryIO, schema: Schema, name: str, files: int) -> Iterator[pa.RecordBatch]:
    head = stream.read(_HEADER_BYTES)
    header = _checked_header(head, schema, name, files)
    if header is None:
        return
    source = pa.PythonFile(_Rejoined(head, stream), mode="r")
    record, missing = 1, Missing()
    try:
        for batch in pyarrow.csv.open_csv(
            source,
            # one thread: it is what makes pyarrow name the row of a bad value
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=pyarrow.csv.ParseOptions(escape_char="\\", double_quote=True, newlines_in_values=True),
            convert_options=_convert_options(schema),
        ):
            checked = _checked(batch, schema, missing, record)
            record += batch.num_rows
            if batch.num_rows:
                yield checked
    except pa.ArrowInvalid as error:
        raise WorkError(_reason(str(error), name, header, schema, stream)) from error
    except _BadRecord as error:
        at = f"Input CSV {name} has in {place(stream, error.record)}, {error.column}, {error.problem}"
        raise WorkError(f"{error.rule} {at}".lstrip()) from error
    missing.tell(stream, name)


class _BadRecord(Exception):
    """A record that fails an import: its number from 1, the column, the rest of the sentence, and Amazon's rule."""

    def __init__(self, record: int, column: str, problem: str, rule: str = ""):
        self.record, self.column, self.problem, self.rule = record, column, problem, rule


def _convert_options(schema: Schema) -> pyarrow.csv.ConvertOptions:
    types = {
        column.name: pa.binary() if is_loose(column, schema) else _ARROW_TYPES[column.type] for column in schema.fields
    }
    return pyarrow.csv.ConvertOptions(
        include_columns=list(types),
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        true_values=["true", "True", "TRUE"],
        false_values=["false", "False", "FALSE"],
    )


def _checked_header(head: bytes, schema: Schema, name: str, files: int) -> list[str] | None:
    """Return the names in a file's first row, or refuse the file for them; None where no record follows."""
    for beginning, kind in _NO_CSV.items():
        if head.startswith(beginning):
            raise WorkError(f"Input CSV {name} is {kind}. Imports read plain CSV files: save it as one.")
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").split(b"\n", 1)[0].rstrip(b"\r")
    if not line:
        return None
    try:
        header = next(csv.reader([line.decode("utf-8")]))
    except UnicodeDecodeError as error:
        raise WorkError(f"The header of input CSV {name} is not UTF-8. Save the file as UTF-8.") from error
    except csv.Error as error:
        raise WorkError(
            f"The header of input CSV {name} cannot be read: {error}. Lines must end with a line feed, or with "
            "carriage return and line feed."
        ) from error
    missing = [column for column in schema.names if column not in header]
    if missing:
        # of one file Amazon's words say all
        which = (
            f" The file is {name}, one of {files} of the import: correct its header, or take it away from there if it "
            "is no data."
            if files > 1
            else ""
        )
        raise WorkError(f"Input CSV is missing the following columns:[{', '.join(missing)}].{which}")
    twice = sorted({column for column in schema.names if header.count(column) > 1})
    if twice:
        raise WorkError(f"Input CSV {name} has the following columns more than once:[{', '.join(twice)}].")
    return header if b"\n" in head.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n") else None


def _checked(batch: pa.RecordBatch, schema: Schema, missing: Missing, first_record: int) -> pa.RecordBatch:
    columns = []
    for column in schema.fields:
        values = batch.column(column.name)
        if is_loose(column, schema):
            columns.append(missing.numbers(values, column, first_record))
            continue
        if column.type in ("float", "double"):
            # "NaN" in a file is how many tools write an empty number
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
            _refuse(pc.is_inf(values), column, first_record, "an infinite value; numbers are finite.")
        elif column.type == "int":
            beyond = pc.or_(pc.less(values, -(2**31)), pc.greater(values, 2**31 - 1))
            _refuse(beyond, column, first_record, "a value that an int of 32 bits cannot hold; declare it long.")
        elif column.type == "string":
            values = _checked_text(values, column, first_record)
        if column.name in _ID_COLUMNS:
            _refuse(pc.is_null(values), column, first_record, "no value. IDs can not be empty.")
        elif not column.nullable:
            repair = "no value. Give each record a value, or allow null in the schema."
            _refuse(pc.is_null(values), column, first_record, repair)
        columns.append(values)
    return pa.record_batch(columns, schema=arrow_schema(schema))


def _refuse(wrong: pa.Array, column: Field, first_record: int, problem: str, rule: str = "") -> None:
    if pc.any(wrong).as_py():
        raise _BadRecord(first_record + pc.index(wrong, True).as_py(), column.name, problem, rule)


def _checked_text(values: pa.Array, column: Field, first_record: int) -> pa.Array:
    if column.textual:
        values = pc.replace_substring_regex(values, _MARKUP, " ")
        values = pc.utf8_trim_whitespace(pc.replace_substring_regex(values, _WHITE_SPACE, " "))
        return pc.utf8_slice_codeunits(values, 0, limits.MAX_TEXTUAL_CHARACTERS)
    most = limits.MAX_ID_CHARACTERS if column.name in _ID_COLUMNS else limits.MAX_CATEGORICAL_CHARACTERS
    lengths = pc.fill_null(pc.utf8_length(values), 0)
    _refuse(
        pc.greater(lengths, most),
        column,
        first_record,
        "the first value that is longer.",
        f"Length cannot be more than {most} characters for {column.name}. If no values exceed the character "
        "limit, make sure your data follows the formatting guidelines: text in double quotes, with a "
        "backslash before each double quote and backslash inside it.",
    )
    return values


def _reason(message: str, name: str, header: list[str], schema: Schema, stream: BinaryIO) -> str:
    """Say what pyarrow says, by the file's own names; its rows count the header as the first."""
    row = re.search(r"Row #(\d+): ", message)
    where = "" if row is None else place(stream, int(row[1]) - 1)
    bad = re.search(r"column #(\d+): (?:Row #\d+: )?CSV conversion error to \w+: (.*)", message, re.DOTALL)
    column = schema.field(header[int(bad[1])]) if bad and int(bad[1]) < len(header) else None
    if bad and column is not None:
        at = f"{where}, {column.name}" if where else column.name
        if bad[2].startswith("invalid UTF8"):
            return f"Input CSV {name} is not UTF-8 in {at}. Save the file as UTF-8."
        return f"Input CSV {name} has in {at}, the {bad[2][:200]}; the schema says that it is {column.type}."
    # pyarrow quotes the whole row, which after a broken quotation mark is the rest of the file
    text = re.sub(r"\s+", " ", message if row is None else f"in {where}, {message[row.end() :]}")
    if len(text) > 300:
        text = text[:300] + "..."
    return f"Input CSV {name} can not be read: {text}"


class _Rejoined(io.RawIOBase):
    """A stream whose head was read already, as one stream again."""

    def __init__(self, head: bytes, rest: BinaryIO):
        self._head, self._rest = io.BytesIO(head), rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._head.read(size) or self._rest.read(size)
