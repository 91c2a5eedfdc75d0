"""Elements of lists of every library: each exactly what was written there."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.text.elements import elements, is_list

NONE_OR_FLOAT = st.lists(st.none() | st.floats(width=16, allow_nan=False, allow_infinity=False), min_size=1, max_size=5)
LIBRARIES = {
    "numpy": lambda floats: np.array([0.0 if one is None else one for one in floats], "float32"),
    "pandas": lambda floats: pd.Series(floats, dtype="Float32"),
    "index": lambda floats: pd.Index(floats, dtype="Float32"),
    "array": lambda floats: pd.array(floats, dtype="Float32"),
    "category": lambda floats: pd.Series(floats, dtype="float32").astype("category"),
    "sparse": lambda floats: pd.Series(pd.arrays.SparseArray(np.array(floats, "float32"))),
    "pandas of Arrow": lambda floats: pd.Series(floats, dtype="float[pyarrow]"),
    "Arrow": lambda floats: pa.array(floats, pa.float32()),
    "Arrow in parts": lambda floats: pa.chunked_array([pa.array(floats, pa.float32())] * 1),
    "Arrow dictionary": lambda floats: pa.array(floats, pa.float32()).dictionary_encode(),
    "polars": lambda floats: pl.Series(floats, dtype=pl.Float32),
}


@pytest.mark.parametrize("library", LIBRARIES)
@given(NONE_OR_FLOAT)
def test_short_floats_stay_short(library, floats):
    found = elements(LIBRARIES[library](floats))
    assert len(found) == len(floats)
    for one, given_one in zip(found, floats, strict=True):
        if given_one is None:
            assert one is None or one is pd.NA or one != one or one == 0
        else:
            assert str(abs(one)) == str(abs(np.float32(given_one)))  # -0.0 and 0.0 are one category


@given(NONE_OR_FLOAT)
def test_short_floats_stay_short_within_lists(floats):
    wanted = [None if one is None else str(np.float32(one)) for one in floats]
    for nested in (
        pa.array([floats, None], pa.list_(pa.float32())),
        pl.Series([floats, None], dtype=pl.List(pl.Float32)),
    ):
        first, second = elements(nested)
        assert [None if one is None else str(one) for one in first] == wanted
        assert second is None


@given(st.binary(min_size=1, max_size=6))
def test_bytes_of_arrow_are_their_text_or_no_unicode(content):
    array = pa.Array.from_buffers(pa.string(), 1, pa.array([content]).buffers())
    (text,) = elements(array)
    assert text.encode("utf-8", "surrogateescape") == content


def test_frames_of_any_library_are_no_lists():
    frame = pd.DataFrame({"a": [1]})
    table = pa.table({"a": [1]})
    for one in (frame, table, table.to_batches()[0], table.to_reader(), pl.from_pandas(frame), pl.LazyFrame(frame)):
        assert not is_list(one)
    for one in (range(2), {}.keys(), iter([]), np.array([1]), pl.Series([1]), pa.array([1]), pd.Index([1])):
        assert is_list(one)
    for one in ("a", b"a", {"a": 1}, 1, np.array(1), None):
        assert not is_list(one)
