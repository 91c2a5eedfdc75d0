"""Lists of items to rank: digits and separators stay, and no two lists are taken for one."""

import array
import ast
import collections
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError

ITEMS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=4), min_size=1, max_size=4)
JOINTS = st.lists(st.text('ab\x1f\x1e,|"\\', min_size=1, max_size=3), min_size=1, max_size=3)


def lists(cells):
    frame = pd.DataFrame({"user_id": ["u"] * len(cells), "item_list": pd.Series(cells, dtype=object)})
    batch = pnb.rankings(frame)
    return [json.loads(line)["itemList"] for line in batch.lines(len(batch))]


@given(st.lists(JOINTS, min_size=1, max_size=5, unique_by=tuple))
def test_whatever_separates_the_letters_of_ids_lists_stay_apart(cells):
    assert lists(cells) == cells


@settings(max_examples=20)
@given(st.lists(ITEMS, min_size=5, max_size=5, unique_by=tuple))
def test_a_list_is_the_same_as_its_own_text(cells):
    for form in (list, tuple, lambda items: np.array(items, object), pa.array, json.dumps):
        assert lists([form(items) for items in cells]) == cells


@pytest.mark.parametrize("text", ["['27', '886']", '["27", "886"]', "[27, 886]", "27|886", "['27', '886',]"])
def test_texts_of_lists_are_lists(text):
    assert lists([text]) == [["27", "886"]]


@given(st.lists(st.integers(), min_size=1, max_size=3))
def test_numbers_in_the_text_of_a_list_keep_every_digit(numbers):
    assert lists([str(numbers)]) == [[str(one) for one in numbers]]


ODD = ["['27' '886']", "[1_000]", "[0x1F]", "[27.0]", "[1e3]", '["a", null]', "[true]", "[b'a']", "('a', 'b')", "{'a'}"]
ODD += [
    "27,886",
    "[a|b]",
    "[['a']]",
    "[",
    "",
    "|",
    None,
    float("nan"),
    b"27|886",
    {"a": 1},
    5,
    np.array([[1]]),
    object,
]


@pytest.mark.parametrize("cell", ODD, ids=str)
def test_what_is_no_list_is_refused_with_its_row(cell):
    with pytest.raises(InputError) as caught:
        lists(["27|886", cell])
    assert caught.value.findings["row"].tolist() == [1]


def test_an_empty_place_between_bars_is_told():
    batch = pnb.rankings(pd.DataFrame({"user_id": ["u"], "item_list": ["27||886|"]}))
    assert json.loads(batch.lines()[0])["itemList"] == ["27", "886"]
    assert "an empty place between bars is left out" in batch.notes[0]


FORMS = {
    "deque": collections.deque,
    "iterator": iter,
    "map": lambda items: map(str, items),
    "generator": lambda items: (one for one in items),
    "keys": lambda items: dict.fromkeys(items).keys(),
    "values": lambda items: dict(enumerate(items)).values(),
    "polars": lambda items: pl.Series(items, dtype=pl.String),
    "pandas": lambda items: pd.array(items, dtype="string"),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=20)
@given(
    st.lists(
        st.lists(st.text("ab|,'\\\n", min_size=1, max_size=4), min_size=1, max_size=4, unique=True),
        min_size=5,
        max_size=5,
        unique_by=tuple,
    )
)
def test_whatever_iterates_over_items_is_their_list(form, cells):
    assert lists([FORMS[form](items) for items in cells]) == cells


def test_numbers_that_iterate_are_their_list():
    assert lists([range(3), array.array("q", [7, 2**62])]) == [["0", "1", "2"], ["7", str(2**62)]]


@pytest.mark.parametrize(
    "cell", [pd.DataFrame({"a": ["b"]}), pl.DataFrame({"a": ["b"]}), pl.LazyFrame({"a": ["b"]}), {"a": "b"}, b"a", 7]
)
def test_what_is_no_list_is_refused_by_its_type(cell):
    with pytest.raises(InputError, match=rf"item_list: the list is of the type {type(cell).__name__}"):
        lists([["a"], cell])


@given(st.text("ab'\"|, \\\n", min_size=1, max_size=4), st.sampled_from(["array", "Index", "deque", "pd.Index"]))
def test_the_text_of_an_object_is_no_item(item, name):
    for text in (f"{name}([{item!r}])", f"frozenset({{{item!r}}})", f"dict_keys([{item!r}])", f"{{{item!r}}}"):
        with pytest.raises(InputError, match="the text of an object that is no list; give the list itself"):
            lists([text])


@pytest.mark.parametrize("one", [iter([]), np.array(["a"]).data, pa.array(["a"]), (x for x in "a"), object()])
def test_the_text_of_an_object_with_an_address_is_no_item(one):
    with pytest.raises(InputError, match="the text of an object that is no list"):
        lists([repr(one) if "0x" in repr(one) else f"<{one}>"])


@pytest.mark.parametrize("text", ["Rocky (1976)", "(27)", "<b>", "array", "{c7b1}", "f(x)"])
def test_items_with_brackets_of_their_own_are_items(text):
    assert lists([text, f"{text}|b"]) == [[text], [text, "b"]]


@given(st.text("ab'\"\\xuU0\n\r\0[],|", max_size=8))
def test_a_text_that_begins_as_a_list_is_that_list_or_refused(inner):
    text = f"['{inner}']"
    try:
        found = lists([text])
    except InputError:
        return
    try:
        assert found == [json.loads(text)]
    except ValueError:
        assert found == [list(ast.literal_eval(text))]


@pytest.mark.parametrize("text", ["['a', None]", '["a", null]', "['a', nan]", "[None, None]", "['a', <NA>]"])
def test_a_missing_item_in_the_text_of_a_list_is_said_to_be_missing_and_its_row_counted_once(text):
    with pytest.raises(InputError, match=r"the id is missing.*\(1 of 2 rows, counted from 0: 1: None"):
        lists(["a", text])


@pytest.mark.skipif(int(pd.__version__[0]) < 3, reason="pandas 2 looks into the cells of a series itself")
def test_text_of_arrow_that_is_no_utf8_is_refused_by_row():
    texts = pa.Array.from_buffers(pa.string(), 2, pa.array([b"a", b"\xff"]).buffers())
    table = pa.table(
        {"user_id": ["u", "v"], "item_list": pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), texts)}
    )
    with pytest.raises(InputError, match=r"not valid Unicode \(1 of 2 rows") as refusal:
        pnb.rankings(table)
    assert refusal.value.findings["row"].tolist() == [1]
    with pytest.raises(InputError, match="not valid Unicode"):
        lists([["a"], texts])
