"""Columns of the user's items keep their values, whether or not every recommended item is among them."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import personalize_nb as pnb

KINDS = ["int8", "uint8", "int16", "int32", "int64", "uint64", "Int64", "object", "int64[pyarrow]"]


def joined(folder, items, listed, **more):
    row = {"input": {"userId": "u"}, "output": {"recommendedItems": listed}}
    (folder / "a.out").write_text(json.dumps(row))
    return pnb.read_results(folder / "a.out").recommendations(items, **more)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(KINDS), st.data(), st.booleans())
def test_whole_numbers_are_exact(tmp_path, kind, data, gap):
    least, most = (-(2**63), 2**63 - 1)
    if kind.startswith(("int", "uint")) and "[" not in kind:
        least, most = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    values = data.draw(st.lists(st.integers(least, most), min_size=1, max_size=4))
    ids = [f"i{number}" for number in range(len(values))]
    items = pd.DataFrame({"item_id": ids, "sku": pd.Series(values, dtype=kind)})
    found = joined(tmp_path, items, [*ids, *["unknown"] * gap], columns=["sku"])["sku"]
    known = found.iloc[: len(values)].tolist()
    assert known == values and not any(isinstance(one, float) for one in known)
    assert found.iloc[len(values) :].isna().tolist() == [True] * gap
    if not gap:
        assert found.dtype == kind


@pytest.mark.parametrize("given_", [{"a": 2**60 + 1, "b": None}, {"a": 2**60 + 1}, {"a": 2**60 + 1, "b": float("nan")}])
def test_numbers_of_a_mapping_are_exact(tmp_path, given_):
    assert joined(tmp_path, given_, ["a", "b", "c"])["title"].tolist()[0] == 2**60 + 1


def test_other_kinds_stay_what_they_are(tmp_path):
    items = pd.DataFrame({"item_id": ["a"], "flag": [True], "price": [0.5], "day": [pd.Timestamp("2026-01-01")]})
    found = joined(tmp_path, items, ["a", "b"], columns=["flag", "price", "day"])
    assert found.loc[0, ["flag", "price", "day"]].tolist() == [True, 0.5, pd.Timestamp("2026-01-01")]
    assert found["price"].dtype == "float64" and found["day"].dtype == items["day"].dtype


def test_blocks_with_and_without_gaps_make_one_column(tmp_path, monkeypatch):
    monkeypatch.setattr("personalize_nb.results.results_as.ROWS", 1)
    items = pd.DataFrame({"item_id": ["a"], "sku": [2**60 + 1]})
    rows = [{"input": {"userId": one}, "output": {"recommendedItems": [one]}} for one in "ab"]
    (tmp_path / "a.out").write_text("\n".join(map(json.dumps, rows)))
    found = pnb.read_results(tmp_path / "a.out").recommendations(items, columns=["sku"])["sku"]
    assert found.dtype == "Int64" and found.iloc[0] == 2**60 + 1
