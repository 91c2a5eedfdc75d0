"""Whatever Arrow holds arrives exactly, or is refused with its column: no other error ends a training."""

import collections
import datetime
import decimal
from array import array

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.errors import InputError
from personalize_nb.inputs.frames import table as frames_read
from personalize_nb.training import plan, schemas

pytest.importorskip("pyarrow", minversion="19", reason="every type that Arrow has is tried: narrow decimals, JSON, ...")

ROWS = 6
EVENTS = pd.DataFrame({"user_id": ["u"], "item_id": ["i0"], "timestamp": [1_700_000_000]})
MOMENT = datetime.datetime(2024, 1, 2, 3)
# narrow ones came later
DECIMALS = [getattr(pa, f"decimal{bits}") for bits in (32, 64, 128, 256) if hasattr(pa, f"decimal{bits}")]
PLAIN = {
    pa.int8(): 1,
    pa.int64(): 2**60 + 1,
    pa.uint64(): 2**64 - 1,
    pa.bool_(): True,
    pa.null(): None,
    **dict.fromkeys((pa.float16(), pa.float32(), pa.float64()), 0.1),
    **dict.fromkeys((pa.string(), pa.large_string(), pa.string_view()), "a"),
    **dict.fromkeys((pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(1)), b"a"),
    **dict.fromkeys((pa.timestamp("s"), pa.timestamp("ns", "UTC")), MOMENT),
    **dict.fromkeys((pa.date32(), pa.date64()), MOMENT.date()),
    **dict.fromkeys((pa.time32("s"), pa.time64("ns")), MOMENT.time()),
    pa.duration("us"): datetime.timedelta(1),
    pa.month_day_nano_interval(): (1, 2, 3),
    **{kind(5, 2): decimal.Decimal("1.50") for kind in DECIMALS},
}
NESTED = (pa.int64(), pa.string(), pa.binary(1), pa.timestamp("s"))
LISTS = (pa.list_, pa.large_list, pa.list_view, pa.large_list_view, lambda kind: pa.list_(kind, 1))


def filled(kind, value):
    return pa.array([value] * ROWS, kind)


def no_utf8(kind=None):
    contents = pa.array([b"ok", b"\xff\xfe and more than twelve bytes"] * (ROWS // 2), pa.binary())
    whole = pa.Array.from_buffers(pa.string(), ROWS, contents.buffers())
    return whole if kind is None else whole.cast(kind)


def every_array():
    for kind, value in PLAIN.items():
        yield filled(kind, value)
        for listed in LISTS:
            yield filled(listed(kind), [value])
        yield pa.DictionaryArray.from_arrays(pa.array([0] * ROWS), filled(kind, value))
        if kind in NESTED:
            yield filled(pa.list_(pa.list_(kind)), [[value]])
            yield filled(pa.struct({"a": kind}), {"a": value})
            yield filled(pa.map_(pa.string(), kind), [("k", value)])
            yield pc.run_end_encode(filled(kind, value))
    kinds = [filled(pa.int64(), 1), filled(pa.string(), "x")]
    yield pa.UnionArray.from_sparse(pa.array([0, 1] * (ROWS // 2), pa.int8()), kinds)
    yield pa.UnionArray.from_dense(pa.array([0] * ROWS, pa.int8()), pa.array(range(ROWS), pa.int32()), kinds)
    extensions = {pa.bool8(): 1, pa.json_(): "{}", pa.uuid(): b"0" * 16, pa.opaque(pa.int8(), "t", "v"): 1}
    for extension, value in extensions.items():
        yield pa.ExtensionArray.from_storage(extension, filled(extension.storage_type, value))
    for kind in (None, pa.large_string(), pa.string_view()):
        yield no_utf8(kind)
    yield pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), no_utf8())
    yield pa.array([2**62] * ROWS, pa.timestamp("s"))
    yield pa.array([2**30] * ROWS, pa.int32()).view(pa.date32())


def every_frame(column):
    """Yield what a frame may hold the column as, and the kind and name of that."""
    ids, numbers = pa.array([f"i{row}" for row in range(ROWS)]), pa.array(range(ROWS))
    events = {"user_id": ids, "item_id": ids, "timestamp": pa.array([1_700_000_000] * ROWS)}
    for name in ("user_id", "timestamp", "event_type", "event_value"):
        yield "INTERACTIONS", name, {**events, name: column}
    for name in ("creation_timestamp", "genre", "index"):
        yield "ITEMS", name, {"item_id": ids, "number": numbers, name: column}


@pytest.mark.parametrize("column", list(every_array()), ids=lambda column: f"{type(column).__name__} {column.type}")
def test_any_type_in_any_place_is_taken_or_refused(column):
    for kind, name, columns in every_frame(column):
        arrow = pd.DataFrame({one: pd.Series(pd.arrays.ArrowExtensionArray(values)) for one, values in columns.items()})
        for frame in (read(pa.table(columns), "items") if name == "genre" else None, arrow):
            if frame is None:
                continue
            try:
                dataset = schemas.prepare(kind, frame)
            except InputError as error:
                assert name in str(error).lower()
            else:
                assert dataset.table.num_rows == ROWS


def read(table, name):
    """Return a table as the toolkit reads it; None where it says that another library cannot hand it over."""
    try:
        return frames_read(table, name)
    except InputError as error:
        assert "cannot be read through Arrow" in str(error)
        return None


def items(column):
    return pa.table(
        {"item_id": pa.array([f"i{row}" for row in range(len(column))]), "year": [2000] * len(column), "genre": column}
    )


def imported(frame):
    """Return the column `genre` as a training would import it."""
    made = plan.plan(EVENTS, frame, name="x", recipe="aws-popularity-count")
    return made.datasets[1].table.column("GENRE").to_pylist()


WHOLE = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))


@given(st.lists(st.one_of(st.none(), st.lists(WHOLE, max_size=3)), min_size=2, max_size=5), st.sampled_from(LISTS[:4]))
def test_lists_of_whole_numbers_with_gaps_keep_every_digit(cells, listed):
    expected = ["|".join(str(one) for one in cell or [] if one is not None) or None for cell in cells]
    column = pa.array([*cells, [1], [1]], listed(pa.int64()))
    assert imported(items(column)) == [*expected, "1", "1"]
    if listed is pa.large_list:
        assert imported(pl.from_arrow(items(column))) == [*expected, "1", "1"]


def test_short_floats_in_lists_keep_their_digits():
    for kind in (pa.float32(), pa.float16()):
        assert imported(items(filled(pa.list_(kind), [0.1, None]))) == ["0.1"] * ROWS


def test_texts_that_are_no_utf8_are_told_by_row():
    listed = pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), no_utf8())
    for column in (no_utf8(), no_utf8(pa.string_view()), listed):
        with pytest.raises(InputError, match="valid UTF-8") as caught:
            schemas.prepare("ITEMS", frames_read(items(column), "items"))
        assert caught.value.findings[["row", "column"]].to_numpy().tolist() == [[row, "genre"] for row in (1, 3, 5)]


@pytest.mark.parametrize("kind", [pa.binary(1), pa.binary(), pa.large_binary(), pa.binary_view()])
def test_bytes_of_any_layout_are_no_texts(kind):
    frame = pd.DataFrame(
        {"item_id": ["a", "b"], "genre": pd.Series(pd.arrays.ArrowExtensionArray(pa.array([b"a", b"b"], kind)))}
    )
    with pytest.raises(InputError, match="bytes"):
        schemas.prepare("ITEMS", frame)


CELLS = {
    "Arrow array": pa.array(["a", "b"]),
    "Arrow chunks": pa.chunked_array([["a"], ["b"]]),
    "Arrow list": pa.scalar(["a", "b"]),
    "polars series": pl.Series(["a", "b"]),
    "pandas array": pd.array(["a", "b"], dtype="string"),
    "pandas Arrow array": pd.array(["a", "b"], dtype=pd.ArrowDtype(pa.string())),
    "categories": pd.Categorical(["a", "b"]),
    "deque": collections.deque("ab"),
    "keys": {"a": 1, "b": 2}.keys(),
    "masked": np.ma.array(["a", "x", "b"], mask=[False, True, False]),
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_any_list_is_a_cell_of_categories(cell):
    frame = pd.DataFrame({"item_id": ["i", "j"], "genre": pd.Series([None, "a"], dtype=object)})
    frame.at[0, "genre"] = cell
    assert schemas.prepare("ITEMS", frame).table.column("GENRE").to_pylist() == ["a|b", "a"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (pl.Series([0.1], dtype=pl.Float32), "0.1"),
        (pa.array([0.1], pa.float32()), "0.1"),
        (pa.scalar(0.1, pa.float32()), "0.1"),
        (pa.array([2**60 + 1, None]), str(2**60 + 1)),
        (array("q", [2**60 + 1]), str(2**60 + 1)),
        (range(2), "0|1"),
        (np.array("x"), "x"),
        (np.array(np.float32(0.1)), "0.1"),
        (np.ma.masked, None),
    ],
)
def test_a_cell_keeps_its_values_exactly(cell, text):
    values = np.empty(3, object)
    values[:] = ["x", "x", "y"]
    values[0] = cell
    frame = pd.DataFrame({"item_id": ["i", "j", "k"], "genre": pd.Series(values)})
    got = schemas.prepare("ITEMS", frame, categorical=["genre"]).table.column("GENRE").to_pylist()
    assert got == [text, "x", "y"]


def test_what_can_be_read_once_is_no_cell():
    frame = pd.DataFrame({"item_id": ["i", "j"], "genre": [(one for one in "ab"), "a"]})
    with pytest.raises(InputError, match="generator"):
        schemas.prepare("ITEMS", frame)
