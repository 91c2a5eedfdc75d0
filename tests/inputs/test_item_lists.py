"""Lists of items to rank: digits and separators stay, and no two lists are taken for one."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
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


@given(ITEMS)
def test_a_list_is_the_same_as_its_own_text(items):
    for cell in (items, tuple(items), np.array(items, object), pa.array(items), json.dumps(items)):
        assert lists([cell]) == [items]


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
