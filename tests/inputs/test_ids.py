"""Ids of less common types and of lists that were read from files: exact, noted or refused with a repair that fits."""

import decimal
import io
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError

FORMS = [list, pd.Series, pd.Index, np.array, pl.Series, pa.array, iter]


def users(data):
    batch = pnb.users(data)
    return [json.loads(line)["userId"] for line in batch.lines(len(batch))]


@pytest.mark.parametrize("form", FORMS)
@given(st.sampled_from(["user_id", "USER_ID", "userId", "User-ID", "user id", "ITEM_ID", "itemId\n"]))
def test_a_first_id_that_is_a_column_name_is_noted(form, header):
    batch = pnb.users(form([header, "u1"]))
    assert f"the first id, {header!r}, reads as the name of a column" in batch.notes[0]
    assert len(batch) == 2
    assert pnb.users(form(["u1", header.strip()])).notes == ()


def test_a_header_that_was_read_as_a_row_is_noted():
    frame = pd.read_csv(io.StringIO("user_id\nu1\n"), header=None)
    for data in (frame, frame[0]):
        assert any("the first id, 'user_id', reads as" in note for note in pnb.users(data).notes)
    assert pnb.users(frame).notes[0] == "column 0 is taken as 'user_id'"


@given(st.lists(st.text("ab ", min_size=1).filter(str.strip).map(str.strip), min_size=1, max_size=4, unique=True))
def test_line_breaks_of_readlines_are_noted_as_such(ids):
    (note,) = pnb.users(io.StringIO("\n".join(ids) + "\n").readlines()).notes
    assert "a line break at the end of the id, as readlines() leaves it" in note
    assert f"({len(ids)} of {len(ids)} row" in note


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8), min_size=1))
def test_variable_texts_of_numpy_are_ids(ids):
    array = np.array(ids, dtype=np.dtypes.StringDType())
    assert users(array) == list(dict.fromkeys(ids))


@given(st.lists(st.integers(-(10**37), 10**37), min_size=1, max_size=4, unique=True))
def test_whole_numbers_of_databases_keep_every_digit(numbers):
    array = pa.array([decimal.Decimal(one) for one in numbers], pa.decimal128(38, 0))
    for data in (array, pa.table({"user_id": array}), pd.Series(numbers, dtype=pd.ArrowDtype(pa.decimal128(38, 0)))):
        assert users(data) == [str(one) for one in numbers]


def test_decimals_with_a_point_are_refused():
    with pytest.raises(InputError, match="the id is a Decimal"):
        pnb.users(pa.array([decimal.Decimal("7.00")], pa.decimal128(9, 2)))


@given(st.integers(256, 20_000))
def test_numbers_too_long_for_an_id_are_refused(digits):
    for data in ([10**digits], pd.Series([10**digits], dtype=object), np.array([10**digits], dtype=object)):
        with pytest.raises(InputError, match="the id is longer than 256 characters"):
            pnb.users(data)


def test_records_with_fields_of_several_values_are_columns():
    kind = [("user_id", "U3"), ("item_list", "U3", (2,)), ("place", [("x", "i4"), ("y", "f8")])]
    records = np.array([("u", ("a", "b|c"), (1, 2.0)), ("v", ("d", "e"), (3, 4.0))], dtype=kind)
    assert users(records) == ["u", "v"]
    batch = pnb.rankings(records)
    assert [json.loads(line)["itemList"] for line in batch.lines()] == [["a", "b|c"], ["d", "e"]]
    with pytest.raises(InputError, match=r"of the type (dict|list); give one id per row"):
        pnb.users(np.array([((1, 2.0),)], dtype=[("user_id", kind[2][1])]))


def test_a_lazy_frame_that_cannot_be_collected_is_refused():
    lazy = pl.LazyFrame({"user_id": ["a"]})
    with pytest.raises(InputError, match=r"LazyFrame cannot be collected: ColumnNotFoundError.*zzz"):
        pnb.users(lazy.select("zzz"))
    with pytest.raises(InputError, match="LazyFrame cannot be collected"):
        pnb.users(lazy.with_columns(pl.col("user_id").cast(pl.Int64)))


@pytest.mark.parametrize(
    "floats", [pl.DataFrame({"user_id": [1.0, None]}), pa.table({"user_id": [1.0, None]}), pa.array([1.0, None])]
)
def test_the_repair_of_floats_is_one_that_the_library_has(floats):
    with pytest.raises(InputError, match=r"(?s)polars\.Int64.*pyarrow\.int64.*drop_nulls") as refusal:
        pnb.users(floats)
    assert "frame[" not in str(refusal.value)


def test_text_of_arrow_that_is_no_utf8_is_refused_in_every_form():
    texts = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"a"]).buffers())
    for data in (texts, pa.table({"user_id": texts}), texts.dictionary_encode(), [texts[0], texts[1]]):
        with pytest.raises(InputError, match=r"not valid Unicode \(1 of 2 rows, counted from 0: 0") as refusal:
            pnb.users(data)
        assert refusal.value.findings["row"].tolist() == [0]
