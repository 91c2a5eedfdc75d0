"""The same results as pandas, Arrow and polars frames; the way to each is named once, on results, jobs and runs."""

import json
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import personalize_nb as pnb
from personalize_nb.errors import InputError

ITEMS = pd.DataFrame({"item_id": ["a", "b"], "title": ["Ant", "Bee"], "year": [1901, 1902], "rank": [7, 8]})


@pytest.fixture
def found(tmp_path):
    rows = [
        {
            "input": {"userId": "u", "filterValues": {"G": '"x","y"'}},
            "output": {"recommendedItems": ["a", "c"], "scores": [0.5]},
        },
        {"input": {"userId": "v"}, "output": {"recommendedItems": []}, "error": "User error: x"},
        {"input": {"userId": "w"}, "output": {"recommendedItems": ["b"], "scores": [0.25]}},
    ]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(one['input'])}\n" for one in rows))
    (tmp_path / "in.jsonl.out").write_text("".join(f"{json.dumps(one)}\n" for one in reversed(rows)))
    return pnb.read_results(tmp_path, tmp_path / "in.jsonl")


def test_arrow_tables_hold_what_pandas_frames_hold(found):
    table = found.arrow().recommendations(ITEMS, ["title", "year", "rank"])
    assert isinstance(table, pa.Table)
    assert table.schema.names == ["user_id", "G", "rank", "item_id", "score", "title", "year", "rank_of_item"]
    assert [table.schema.field(name).type for name in ("user_id", "G", "rank", "item_id", "score", "year")] == [
        pa.string(), pa.string(), pa.int64(), pa.string(), pa.float64(), pa.int64()
    ]  # fmt: skip
    assert table["score"].to_pylist() == [0.5, None, 0.25]
    assert table["year"].to_pylist() == [1901, None, 1902]
    assert table["G"].to_pylist() == ["x|y", "x|y", None]
    frame = found.recommendations(ITEMS, ["title", "year", "rank"])
    assert isinstance(frame, pd.DataFrame)
    # what is missing is None in one and NaN in the other with an older pandas
    alike = [one.astype(object).where(one.notna(), None) for one in (table.to_pandas(), frame)]
    pd.testing.assert_frame_equal(*alike, check_dtype=False)
    assert found.arrow().errors().to_pydict() == {
        "user_id": ["v"], "G": [None], "error": ["User error: x"], "line": [2], "file": ["in.jsonl.out"]
    }  # fmt: skip


def test_polars_frames_hold_the_same(found):
    frame = found.polars().recommendations(items=ITEMS)
    assert isinstance(frame, pl.DataFrame)
    assert (
        frame.to_arrow()
        .cast(found.arrow().recommendations(items=ITEMS).schema)
        .equals(found.arrow().recommendations(items=ITEMS))
    )
    assert found.polars().errors()["user_id"].to_list() == ["v"]


@pytest.mark.parametrize("form", ["arrow", "polars"])
def test_blocks_are_of_the_same_kind(found, form):
    blocks = list(getattr(found, form)().blocks(items=ITEMS, rows=1))
    whole = getattr(found, form)().recommendations(items=ITEMS)
    assert [len(block) for block in blocks] == [2, 0, 1]
    assert (pa.concat_tables(blocks) if form == "arrow" else pl.concat(blocks)).equals(whole)


def test_themes_and_segments_come_in_every_form(tmp_path):
    themed = {
        "input": {"itemId": "a"},
        "output": {"recommendedItems": ["b"], "theme": "Insects.", "itemsThemeRelevanceScores": [0.5]},
    }
    (tmp_path / "t.out").write_text(json.dumps(themed))
    (tmp_path / "s.out").write_text(json.dumps({"input": {"itemId": "a"}, "output": {"usersList": ["u"]}}))
    table = pnb.read_results(tmp_path / "t.out").arrow().themes(ITEMS, minimum_items=0)
    names = ["item_id", "theme", "rank", "item_title", "recommended_item_id", "relevance", "title"]
    assert table.to_pylist() == [dict(zip(names, ["a", "Insects", 1, "Ant", "b", 0.5, "Bee"], strict=True))]
    assert pnb.read_results(tmp_path / "s.out").polars().segments().rows() == [("a", 1, "u")]


def test_items_that_arrow_cannot_hold_are_refused_in_words(found):
    with pytest.raises(InputError, match="cannot become an Arrow column.*columns="):
        found.arrow().recommendations(ITEMS.assign(title=["Ant", 5], year=[object(), 1]), ["title", "year"])


def test_without_polars_the_way_out_is_named(found, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match=r"polars is not installed: pip install polars, or take \.arrow\(\)"):
        found.polars().recommendations()


def test_a_filter_value_never_takes_the_name_of_another_column(tmp_path):
    asked = {"userId": "u", "filterValues": {"rank": '"x"', "user_id": "5"}}
    (tmp_path / "in.jsonl").write_text(json.dumps(asked))
    (tmp_path / "in.jsonl.out").write_text(json.dumps({"input": asked, "output": {"recommendedItems": ["a"]}}))
    found = pnb.read_results(tmp_path, tmp_path / "in.jsonl").recommendations()
    assert found.drop(columns="score").to_dict("records") == [
        {"user_id": "u", "rank_of_filter": "x", "user_id_of_filter": "5", "rank": 1, "item_id": "a"}
    ]
