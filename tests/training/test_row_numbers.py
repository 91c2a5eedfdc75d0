"""Row numbers that programs leave in a frame are left out, under any of their names; what people may mean is told."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.errors import InputError
from personalize_nb.training import schemas

INDEX = [
    "index",
    "Index",
    "INDEX",
    "index.1",
    "index_1",
    "__index__",
    "level_0",
    "unnamed_0",
    "unnamed: 0",
    "Unnamed: 0",
]
BY_PLACE = ["X", "X.1", "_c0", "column0", "column_1", "V1", "f0", "0", 0]
NUMBERED = ["row_nr", "rownames", "row number", "RowNo", "row.id"]
WORDS = ["row", "rn", "No.", "No", "Sr. No.", "S.No", "Sl No", "#", "nr", "line"]
OTHERS = ["year", "rank", "x", "columns", "norm", "indexed", "level", "score"]
ORDER = st.integers(2, 9).flatmap(lambda size: st.permutations(range(size)))


def items(name, values):
    return pd.DataFrame({"item_id": [f"i{row}" for row in range(len(values))], "year": 2000, name: values})


def prepared(name, values):
    """Return whether the column stays, and the notes on it."""
    frame = items(name, values) if name != "year" else items("other", values)
    dataset = schemas.prepare("ITEMS", frame)
    return dataset.table.num_columns == 3, [note for note in dataset.notes if "rows" in note or "row numbers" in note]


@given(st.sampled_from([*INDEX, *BY_PLACE, *NUMBERED]), ORDER, st.integers(0, 1), st.sampled_from([int, float, str]))
def test_shuffled_row_numbers_are_left_out_under_any_programs_name(name, order, first, held):
    kept, (note,) = prepared(name, [held(number + first) for number in order])
    assert not kept
    assert "it is left out" in note


@given(st.sampled_from(INDEX), st.sets(st.integers(0, 99), min_size=2))
def test_row_numbers_of_a_filtered_frame_are_left_out(name, rows):
    assert not prepared(name, sorted(rows))[0]


@given(st.sampled_from(["index", "Index", "level_0", "X"]), st.sets(st.integers(10, 99), min_size=3))
def test_what_may_be_row_numbers_of_a_larger_frame_is_told(name, rows):
    ordered = sorted(rows)
    values = ordered if name == "X" else ordered[::-1]
    kept, (note,) = prepared(name, values)
    assert kept
    frame = items(name, values)
    repair = re.search(r"frame\.drop\(columns=.*\)$", note)[0]
    assert eval(repair, {"frame": frame}).columns.tolist() == ["item_id", "year"]


@given(st.sampled_from(WORDS), st.integers(2, 9), st.integers(0, 1))
def test_a_word_of_people_is_kept_and_told(name, size, first):
    if name == "#":  # no schema has such a name
        with pytest.raises(InputError, match="rename"):
            schemas.prepare("ITEMS", items(name, range(first, size + first)))
        return
    kept, (note,) = prepared(name, range(first, size + first))
    assert kept
    assert repr(name) in note


@given(st.sampled_from(OTHERS), ORDER)
def test_other_names_are_nobodys_row_numbers(name, order):
    assert prepared(name, list(order)) == (True, [])


@given(
    st.sampled_from([*INDEX[:-1], *BY_PLACE, *NUMBERED, *WORDS[:-3]]),
    st.lists(st.integers(0, 3), min_size=5, max_size=9),
)
def test_values_that_repeat_are_kept_without_a_word(name, values):
    assert prepared(name, values) == (True, [])


def test_arrow_and_reset_index_say_the_same():
    frame = items("price", np.arange(8.0)).sample(frac=1, random_state=3)
    for shuffled in (frame.reset_index(), frame.rename_axis("level_0").reset_index()):
        for form in (shuffled, shuffled.convert_dtypes(dtype_backend="pyarrow")):
            dataset = schemas.prepare("ITEMS", form)
            assert dataset.table.column_names == ["ITEM_ID", "PRICE", "YEAR"]
    arrow = pd.DataFrame({"item_id": list("abc"), "year": 1, "index": pd.array([2, 0, 1], pd.ArrowDtype(pa.float16()))})
    assert "INDEX" not in schemas.prepare("ITEMS", arrow).table.column_names
