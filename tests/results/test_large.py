"""Large results: written to Parquet block by block, read in blocks, and in part."""

from __future__ import annotations

import io
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError
from personalize_nb.results import rows as stored_rows

USERS = [f"{letter}{number}" for letter in "abc" for number in range(4)]
ITEMS = pd.DataFrame({"item_id": ["i0", "i1"], "title": ["None", "One"]})


def lists(user):
    return {"input": {"userId": user}, "output": {"recommendedItems": ["i0", "i1"], "scores": [0.5, 0.25]}}


def segments(item):
    return {"input": {"itemId": item}, "output": {"usersList": [f"{item}-u", "u"]}}


def themes(item):
    output = {"recommendedItems": ["i0", "i1", "i2"], "itemsThemeRelevanceScores": [0.5, 0.4, 0.2], "theme": "Sea"}
    return {"input": {"itemId": item}, "output": output}


def failed(user):
    return {"input": {"userId": user}, "output": {}, "error": "no such user"}


@pytest.fixture
def results(tmp_path):
    def write(*rows, asked=None):
        (tmp_path / "in.jsonl.out").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        source = [row["input"] for row in rows] if asked is None else asked
        (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in source))
        return pnb.read_results(tmp_path / "in.jsonl.out", tmp_path / "in.jsonl")

    return write


def whole(found):
    """Return the frame that the results are read as."""
    if found.has_themes:
        return found.themes(items=ITEMS)
    return found.segments(items=ITEMS) if found.has_segments else found.recommendations(items=ITEMS)


@pytest.mark.parametrize("kind", [lists, segments, themes])
def test_the_file_holds_the_frame(results, tmp_path, kind):
    found = results(*map(kind, USERS), failed("z"))
    path = found.to_parquet(tmp_path / "all.parquet", items=ITEMS)
    assert path == str(tmp_path / "all.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(path), whole(found), check_dtype=False)


def test_it_is_written_block_by_block(results, tmp_path, monkeypatch):
    monkeypatch.setattr(stored_rows, "MOST_RESULTS", 5)
    found = results(*map(lists, USERS))
    file = pq.ParquetFile(found.to_parquet(tmp_path / "all.parquet"))
    groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    assert groups == [4] * 6, "two lines of two items: three would have six"
    assert [len(block) for block in found.blocks()] == groups
    pd.testing.assert_frame_equal(pd.concat(found.blocks(), ignore_index=True), found.recommendations())


def test_one_line_of_more_than_a_block_is_a_block(results, tmp_path, monkeypatch):
    monkeypatch.setattr(stored_rows, "MOST_RESULTS", 1)
    found = results(*map(segments, USERS))
    assert pq.ParquetFile(found.to_parquet(tmp_path / "all.parquet")).metadata.num_row_groups == len(USERS)


def test_nothing_is_a_file_with_columns(results, tmp_path):
    path = results(failed("z")).to_parquet(tmp_path / "none.parquet")
    assert pd.read_parquet(path).columns.tolist() == ["user_id", "rank", "item_id", "score"]


def test_it_goes_to_s3_and_back(results, tmp_path, session):
    results(*map(lists, USERS))
    found = pnb.read_results(tmp_path / "in.jsonl.out", session=session)
    address = f"s3://{session.bucket}/large/all.parquet"
    assert found.to_parquet(address) == address
    stored = session.s3.get_object(Bucket=session.bucket, Key="large/all.parquet")["Body"].read()
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(stored)), found.recommendations(), check_dtype=False)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("{}", "got the folder"),
        ("{}/new/", "got the folder"),
        ("{}/nowhere/x.parquet", "cannot be written: No such file"),
        ("s3://bucket/folder/", "got the folder"),
        ("s3://bucket", "got the folder"),
        (7, "got 7"),
    ],
)
def test_what_names_no_file_is_refused(results, tmp_path, path, told):
    found = results(lists("a"))
    with pytest.raises(InputError, match=told):
        found.to_parquet(path.format(tmp_path) if isinstance(path, str) else path)


def test_what_fails_leaves_the_old_file(results, tmp_path, monkeypatch):
    target = tmp_path / "all.parquet"
    target.write_text("old")
    found = results(*map(lists, USERS))
    monkeypatch.setattr(stored_rows.Rows, "ordered", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        found.to_parquet(target)
    assert target.read_text() == "old"
    assert {one.name for one in tmp_path.iterdir()} == {"all.parquet", "in.jsonl", "in.jsonl.out"}


# in part


BEGINNINGS = st.lists(st.sampled_from(["a", "b1", "c", "z", "a1", "a0", ""]), min_size=1, max_size=3)


@settings(max_examples=25)
@given(begins=BEGINNINGS, order=st.permutations(range(len(USERS))), bad=st.sets(st.sampled_from(USERS)))
def test_a_part_is_what_the_whole_has_of_it(tmp_path_factory, begins, order, bad):
    folder = tmp_path_factory.mktemp("part")
    rows = [(failed if USERS[place] in bad else lists)(USERS[place]) for place in order]
    (folder / "in.jsonl.out").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "in.jsonl").write_text("".join(f'{{"userId": "{user}"}}\n' for user in [*USERS, "a9"]))
    found = pnb.read_results(folder / "in.jsonl.out", folder / "in.jsonl")
    if "" in begins:
        with pytest.raises(InputError, match="'prefix' must be"):
            found.only(prefix=begins)
        return
    part = found.only(prefix=begins)
    for mine, all_of_it in ((part.recommendations(), found.recommendations()), (part.errors(), found.errors())):
        wanted = all_of_it[all_of_it["user_id"].str.startswith(tuple(begins))].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, wanted, check_dtype=False)


def test_a_part_comes_in_every_form_and_by_ids(results, tmp_path):
    found = results(*map(lists, USERS))
    assert found.only(ids=["a1", "nobody"]).arrow().recommendations().column("user_id").to_pylist() == ["a1", "a1"]
    assert found.arrow().only(prefix="b").recommendations().num_rows == 8
    assert found.only(ids=pd.DataFrame({"USER_ID": ["c3"]})).polars().recommendations().shape == (2, 4)
    assert len(pd.read_parquet(found.only(prefix="b").to_parquet(tmp_path / "b.parquet"))) == 8
    assert len(found.only(prefix=["b", "c"]).only(prefix="b").recommendations()) == 8
    assert found.only(prefix="x").recommendations().columns.tolist() == ["user_id", "rank", "item_id", "score"]


def test_segments_are_chosen_by_what_was_asked(results):
    found = results(segments("a1"), segments("b1"))
    assert found.only(prefix="b").segments()["user_id"].tolist() == ["b1-u", "u"]


def test_a_part_without_input_to_read(results, tmp_path):
    results(*map(lists, USERS))
    assert len(pnb.read_results(tmp_path / "in.jsonl.out").only(prefix="c").recommendations()) == 8


@pytest.mark.parametrize("how", [{}, {"prefix": "a", "ids": ["a"]}, {"prefix": 7}, {"prefix": []}, {"prefix": [7]}])
def test_a_part_is_named_in_one_way(results, how):
    with pytest.raises(InputError, match="prefix"):
        results(lists("a")).only(**how)
