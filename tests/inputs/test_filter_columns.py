"""Values of filters arrive exactly, or are refused with their row; what may mean something else is told."""

import ast
import datetime
import fractions
import io
import json
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError
from personalize_nb.resources import filter_texts


def value(given, ids=("u",)):
    lines = pnb.users(list(ids), filter_values={"G": given}).lines(len(ids))
    return [json.loads(line).get("filterValues", {}).get("G") for line in lines]


@pytest.mark.parametrize("text", ["i1,i2", "i1, i2", "Paris, London"])
def test_a_text_with_commas_is_one_value_and_the_list_is_shown(text):
    batch = pnb.users(["u", "v"], filter_values={"G": text})
    assert json.loads(batch.lines()[0])["filterValues"] == {"G": f'"{text}"'}
    assert f"several values are a list, {[part.strip() for part in text.split(',')]}" in batch.notes[0]
    assert batch.notes_on_values == batch.notes
    assert pnb.users(["u"], filter_values={"G": [text]}).notes == ()
    assert (
        batch.notes[0].partition("(")[0]
        == pnb.users(["u"], filter_values={"G": f'"{text}"'}).notes[0].partition("(")[0]
    )


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=1, max_size=4))
def test_elements_of_a_list_are_values_exactly(texts):
    assert [filter_texts.values(one) for one in value(texts)] == [texts]
    assert [filter_texts.values(one) for one in value(pd.Series([texts, texts]), "uv")] == [texts, texts]


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=4))
def test_what_is_shown_of_values_means_the_same_values(texts):
    sent = filter_texts.quoted(texts)
    if sent is not None:
        assert filter_texts.values(filter_texts.quoted(filter_texts.unquoted(sent))) == filter_texts.values(sent)


def test_a_text_alone_is_split_at_bars_and_else_kept():
    assert value("Action|Comedy") == ['"Action","Comedy"']
    assert value(" a ") == ['" a "']


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (np.float32(0.1), "0.1"),
        (np.float16(0.1), "0.1"),
        (0.1, "0.1"),
        (2**70, str(2**70)),
        (np.float32(3), "3"),
        (fractions.Fraction(1, 2), "0.5"),
        (pa.scalar(7), "7"),
        (np.array("x"), "x"),
        (datetime.date(1970, 1, 2), "86400"),
    ],
)
def test_numbers_keep_their_shortest_digits(number, text):
    assert value([number]) == [f'"{text}"']


NO_VALUES = [object(), b"x", {"a": 1}, datetime.time(1), np.timedelta64(5, "ns"), 1j, fractions.Fraction(1, 3), print]
NO_VALUES += [pd.Interval(0, 1), float("inf"), io.StringIO("x"), pd.DataFrame({"a": [1]}), "\ud800", 10**5000]


@pytest.mark.parametrize("one", NO_VALUES, ids=lambda one: type(one).__name__)
def test_what_is_no_filter_value_is_refused_with_its_row(one):
    values = pd.Series(["x", None], dtype=object)
    values[1] = [one]
    with pytest.raises(InputError, match="filter value") as caught:
        value(values, "uv")
    assert caught.value.findings["row"].tolist() == [1]
    with pytest.raises(InputError, match="filter value"):
        value(one)


@pytest.mark.parametrize("gap", [None, float("nan"), pd.NA, ""])
def test_a_value_that_is_missing_within_a_list_is_told(gap):
    batch = pnb.users(["u"], filter_values={"G": ["a", gap]})
    assert "missing or empty within a list is left out" in batch.notes[0]
    assert pnb.users(["u"], filter_values={"G": gap}).notes == ()


@pytest.mark.parametrize("make", [pd.Series, np.array, pa.array, pl.Series, lambda one: pa.chunked_array([one])])
def test_series_and_arrays_of_any_library_have_a_value_for_each_record(make):
    assert value(make(["x", "y"]), "uv") == ['"x"', '"y"']
    with pytest.raises(InputError, match="1 values for 2 records"):
        value(make(["x"]), "uv")


def test_columns_that_differ_in_case_only_are_asked_about():
    frame = pd.DataFrame([["u", "x", "y"]], columns=["user_id", "shelf", "SHELF"])
    assert json.loads(pnb.users(frame, filter_values=["SHELF"]).lines()[0])["filterValues"] == {"SHELF": '"y"'}
    with pytest.raises(InputError, match="may be any of the columns .'shelf', 'SHELF'."):
        pnb.users(frame, filter_values=["Shelf"])
    with pytest.raises(InputError, match="are a mapping of placeholders to values, or names of columns, got 5"):
        pnb.users(frame, filter_values=5)


SHORT = {
    "pandas": lambda floats: pd.Series(floats, dtype="float32"),
    "pandas with missing": lambda floats: pd.Series(floats, dtype="Float32"),
    "Arrow": lambda floats: pa.array(floats, pa.float32()),
    "polars": lambda floats: pl.Series(floats, dtype=pl.Float32),
    "numpy": lambda floats: np.array(floats, "float32"),
}


@pytest.mark.parametrize("library", SHORT)
@settings(max_examples=20)
@given(st.lists(st.floats(width=16, min_value=0.0625, max_value=1, exclude_max=True), min_size=5, max_size=5))
def test_a_short_float_has_its_own_digits_in_every_library(library, numbers):
    # as values for each record, for all of them, and as a column
    wanted = [f'"{np.float32(number)!s}"' for number in numbers]
    assert value(SHORT[library](numbers), "uvwxy") == wanted
    assert value([np.float32(number) for number in numbers], "uv") == [",".join(wanted)] * 2
    table = pa.table({"user_id": list("uvwxy"), "G": pa.array(numbers, pa.float32())})
    for frame in (table, pl.from_arrow(table), table.to_pandas()):
        lines = pnb.users(frame, filter_values=["G"]).lines(len(numbers))
        assert [json.loads(line)["filterValues"] for line in lines] == [{"G": each} for each in wanted]


@pytest.mark.parametrize(
    "nested", [[["a"], ["b"]], (["a"],), ["a", {"b"}], np.array([["a"], ["b"]]), [pa.array(["a"])], [pl.Series(["a"])]]
)
def test_a_list_within_a_list_is_refused_because_it_may_be_meant_for_one_record(nested):
    with pytest.raises(InputError, match=r"(?s)a list within a list.*a Series with one for each: pandas\.Series"):
        value(nested, "uv")
    assert value(pd.Series([["a"], ["b"]]), "uv") == ['"a"', '"b"']


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table, pa.RecordBatch.from_pydict])
def test_a_frame_is_no_value(make):
    with pytest.raises(InputError, match="G: A filter value is text, a number, a date or a list of them, got"):
        value(make({"a": ["x", "y"]}), "uv")


def test_what_is_masked_is_missing():
    assert value(np.ma.array(["x", "y"], mask=[False, True]), "uv") == ['"x"', None]


@given(st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=4))
def test_text_of_arrow_is_exact_or_refused_by_row(contents):
    texts = pa.Array.from_buffers(pa.string(), len(contents), pa.array(contents).buffers())
    ids = [str(number) for number in range(len(contents))]

    wrong = [row for row, one in enumerate(contents) if one.decode("utf-8", "replace").encode() != one]
    for batch in (
        lambda: pnb.users(ids, filter_values={"G": texts}),
        lambda: pnb.users(pa.table({"user_id": ids, "G": texts}), filter_values=["G"]),
    ):
        if wrong:
            with pytest.raises(InputError, match="not valid Unicode") as refusal:
                batch()
            assert refusal.value.findings["row"].tolist() == wrong
        else:
            assert len(batch()) == len(contents)


@given(
    st.lists(st.text("abc d", min_size=1, max_size=4).map(str.strip).filter(bool), min_size=2, max_size=3, unique=True)
)
def test_the_list_that_a_note_offers_is_the_one_that_was_written(parts):
    for text in (",".join(parts), f'"{", ".join(parts)}"', json.dumps(parts), repr(parts)):
        (note,) = pnb.users(["u"], filter_values={"G": text}).notes
        offered = re.search(r"several values are a list, (\[.*?\]), or '(.*?)' \(", note)
        assert ast.literal_eval(offered[1]) == parts
        assert value(offered[2]) == value(parts)
    assert pnb.users(["u"], filter_values={"G": parts}).notes == ()
