"""Every form of data that is taken, in one table, and the one door by which it comes in.

Whatever takes ids or frames asks `given`, which reads data exactly once. What is in no row of the table is refused by
its type: the text of an object that nobody knows is never an id.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pandas as pd
import pyarrow as pa

from personalize_nb.errors import InputError
from personalize_nb.inputs import arrow, files
from personalize_nb.inputs.given import Given, joined
from personalize_nb.text.values import shown


@runtime_checkable
class ToArrow(Protocol):
    """A frame of another library that becomes an Arrow table."""

    def to_arrow(self) -> pa.Table:
        """Return the frame as an Arrow table."""


class ArrowStream(Protocol):
    """A frame or series of another library that hands over Arrow data."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return a capsule of Arrow's PyCapsule interface."""


class Readable(Protocol):
    """An open file, a buffer, or what stands for one."""

    def read(self) -> Any:
        """Return the rest of the content."""


Data: TypeAlias = (
    pd.DataFrame
    | pd.Series
    | pd.Index
    | pa.Table
    | ArrowStream
    | ToArrow
    | Readable
    | Iterable[object]
    | str
    | os.PathLike[str]
)


_WANTED = "Input must be a frame, a series, a list of ids or a file's path"


class Form(NamedTuple):
    """A form of data: its name in words, how it is read, how it is recognised, and its reader."""

    name: str
    how: str
    known: Callable[[Any], bool]
    read: Callable[[Any], Given]


def given(data: Data | Given, wanted: str = _WANTED) -> Given:
    """Return data of any form, read once; what was read already is returned as it is.

    Parameters
    ----------
    data
        See `FORMS`.
    wanted
        The beginning of messages: what the data must be.

    Raises
    ------
    InputError
        It is of no form that is known, or cannot be read as what it is.

    Examples
    --------
    >>> given([7, 8]).values.tolist()
    [7, 8]
    """
    if isinstance(data, Given):
        return data
    form = next((form for form in FORMS if form.known(data)), None)
    if form is None:
        raise _refusal(data, wanted)
    return form.read(data)


def is_data(value: Any) -> bool:
    """Tell data of any form from a single id; a text is one."""
    return not isinstance(value, str) and any(form.known(value) for form in FORMS)


def _is_columnar(data: Any) -> bool:
    """Tell frames, series and arrays of any library from values, paths and all else, without reading them."""
    return isinstance(data, (pd.DataFrame, pd.Series, pd.Index)) or arrow.is_lazy(data) or arrow.is_arrow(data)


def _refusal(data: Any, wanted: str = _WANTED) -> InputError:
    """Return the error for data of no form that is known: its type, what is taken, and what to make of it."""
    kind = type(data)
    if isinstance(data, (bytes, bytearray, memoryview)):
        return InputError(
            f"{wanted}, got {kind.__name__} {shown(data)}: the content of a file is given as io.BytesIO(data), an id "
            "in bytes as [data.decode()]."
        )
    legal = ", ".join(form.name for form in FORMS)
    repair = next((text for known, text in _REPAIRS if known(data)), "Make one of these of it")
    return InputError(f"{wanted}, got {kind.__name__}. {repair}. Taken are: {legal}.")


_REPAIRS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (lambda data: isinstance(data, Mapping), "A mapping of columns is given as pandas.DataFrame(data)"),
    (lambda data: isinstance(data, np.ndarray), "An array of ids has one dimension: array.ravel() or array[:, 0]"),
    (lambda data: hasattr(data, "toPandas"), "Pass data.toPandas()"),
    (lambda data: hasattr(data, "to_pandas"), "Pass data.to_pandas()"),
    (lambda data: hasattr(data, "compute"), "Pass data.compute()"),
    (lambda data: np.isscalar(data), "A single id is given as a list: [id]"),
)


# the forms, one reader each


def _is_file(data: Any) -> bool:
    return callable(getattr(data, "read", None))


def _is_iterable(data: Any) -> bool:
    """Tell iterables of values from what iterates over the names of its parts: mappings, frames of other libraries."""
    named = isinstance(data, (Mapping, bytes, bytearray, memoryview, np.ndarray)) or any(
        hasattr(data, name) for name in ("keys", "columns", "to_pandas", "toPandas", "__dataframe__")
    )
    return isinstance(data, Iterable) and not named


def _array(data: np.ndarray) -> Given:
    if data.dtype.names:
        return Given(pd.DataFrame({str(name): _field(data[name]) for name in data.dtype.names}))
    masked = isinstance(data, np.ma.MaskedArray)
    if masked or data.dtype.kind in "OUSVT":  # text and objects are judged one by one; a mask is a missing value
        return Given(pd.Series(data.tolist(), dtype=object))
    return Given(pd.Series(data.astype(data.dtype.newbyteorder("="), copy=False)))


def _field(values: np.ndarray) -> Any:
    """Return a field of records as a column: of fields within it a mapping in each row, of several values a list."""
    if values.dtype.names:
        return pd.Series([dict(zip(values.dtype.names, row, strict=True)) for row in values.tolist()], dtype=object)
    return _array(values).values if values.ndim == 1 else pd.Series(values.tolist(), dtype=object)


def _open(data: Any) -> Given:
    found = files.read_open(data)
    if isinstance(found, Given):
        return found
    if _is_columnar(found):
        return given(found)
    raise InputError(
        f"An open file gives text or bytes, the read() of this {type(data).__name__} gave {type(found).__name__}."
    )


def _to_arrow(data: ToArrow) -> Given:
    found = data.to_arrow()
    if not arrow.is_arrow(found):
        raise InputError(
            f"The to_arrow() of this {type(data).__name__} gave {type(found).__name__}, not an Arrow table."
        )
    return arrow.read(found)


def _parted(data: Any) -> bool:
    """Tell a part of a whole, a frame or file among others, from a value."""
    return _is_columnar(data) or isinstance(data, os.PathLike) or _is_file(data)


def _each(data: Iterable[Any]) -> Given:
    values: Iterator[Any] = iter(data)
    first = list(itertools.islice(values, 1))
    if not first or not _parted(first[0]):
        # object dtype, so that pandas does not turn 1 and None into 1.0 and NaN
        return Given(pd.Series([*first, *values], dtype=object))
    parts, names = [], []
    for number, part in enumerate(itertools.chain(first, values)):
        name = f"part {number}"
        if not _parted(part):
            raise InputError(
                f"Data in parts must be frames, series or files throughout; {name}, counted from 0, is "
                f"{type(part).__name__} {shown(part)}."
            )
        parts.append(given(part))
        names.append(name)
    return joined(parts, names)


FORMS = (
    Form(
        "pandas DataFrame",
        "columns in any spelling, and index levels that have such names",
        lambda data: isinstance(data, pd.DataFrame),
        Given,
    ),
    Form(
        "pandas MultiIndex",
        "levels are columns",
        lambda data: isinstance(data, pd.MultiIndex),
        lambda data: Given(data.to_frame(index=False, allow_duplicates=True)),
    ),
    Form(
        "pandas Series or Index",
        "ids; a name of other ids is refused",
        lambda data: isinstance(data, (pd.Series, pd.Index)),
        Given,
    ),
    Form(
        "pandas array",
        "ids",
        lambda data: isinstance(data, pd.api.extensions.ExtensionArray),
        lambda data: Given(pd.Series(data)),
    ),
    Form(
        "numpy array",
        "ids, in one dimension; the fields of a record array are columns, what is masked is missing",
        lambda data: isinstance(data, np.ndarray) and data.ndim == 1,
        _array,
    ),
    Form(
        "polars LazyFrame",
        "collected once",
        arrow.is_lazy,
        lambda data: arrow.read(arrow.collected(data)),
    ),
    Form(
        "pyarrow Table, RecordBatch, RecordBatchReader, Dataset, Array or ChunkedArray; polars DataFrame or Series; "
        "anything else with the Arrow PyCapsule interface",
        "through Arrow, no value changes; an array or series is ids, its name is checked",
        arrow.is_arrow,
        arrow.read,
    ),
    Form(
        "path",
        "`str` or `Path` of a CSV, TSV, JSON (lines or a list), Parquet or one-id-per-line file, plain or compressed "
        "(gz, bz2, xz, zst, lz4, zip, tar); a pattern such as `ids-*.csv` is several files read as one",
        lambda data: isinstance(data, (str, os.PathLike)),
        files.read_paths,
    ),
    Form(
        "open file or buffer",
        "text or bytes from where it stands, `io.StringIO`, `io.BytesIO`, botocore's `StreamingBody`; its form is told "
        "by its name, else by its content",
        _is_file,
        _open,
    ),
    Form(
        "object with `to_arrow()`",
        "as the Arrow table that it returns",
        lambda data: isinstance(data, ToArrow),
        _to_arrow,
    ),
    Form(
        "list, tuple, set, generator or other iterable",
        "of ids, one a row: text, whole numbers, Arrow scalars, UUIDs; of frames, series, tables or files: read as "
        "one, their columns must agree (the chunks of `pandas.read_csv(..., chunksize=...)` too)",
        _is_iterable,
        _each,
    ),
)
