"""Job output becomes frames: input order, every row accounted for, titles on request, any size."""

import json
import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError, NotFoundError
from personalize_nb.notebook.shop import show_themes
from personalize_nb.results import matching, output_files, rows
from personalize_nb.results.theme_quality import theme_quality
from personalize_nb.session import s3

ASKED = [{"userId": one} for one in ("5023", "5866", "4016", "2755")]


def row(asked, items=("1", "2"), scores=(0.5, 3.773e-4), **more):
    output = {"recommendedItems": list(items), "scores": list(scores)}
    return {"input": asked, "output": output | more, "error": None}


@pytest.fixture
def read(tmp_path):
    """Write output rows (and input records) to files and read them as results."""

    def write(rows, asked=None, name="in.jsonl"):
        lines = [one if isinstance(one, str) else json.dumps(one, separators=(",", ":")) for one in rows]
        (tmp_path / f"{name}.out").write_text("".join(f"{one}\n" for one in lines))
        (tmp_path / "_CHECK").write_text("")
        source = None
        if asked is not None:
            (tmp_path / "asked").mkdir(exist_ok=True)
            source = tmp_path / "asked" / name
            source.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in asked))
        return pnb.read_results(str(tmp_path), None if source is None else str(source))

    return write


def test_rows_follow_the_input(read):
    found = read([row(ASKED[place]) for place in (2, 3, 1, 0)], ASKED).recommendations()
    assert found.columns.tolist() == ["user_id", "rank", "item_id", "score"]
    assert found["user_id"].tolist() == ["5023", "5023", "5866", "5866", "4016", "4016", "2755", "2755"]
    assert found["rank"].tolist() == [1, 2] * 4
    assert found["item_id"].tolist() == ["1", "2"] * 4
    assert found["score"].tolist() == [0.5, 3.773e-4] * 4


def test_no_errors_is_an_empty_frame(read):
    failed = read([row(one) for one in ASKED], ASKED).errors()
    assert failed.empty
    assert failed.columns.tolist() == ["user_id", "error", "line", "file"]
    items = read([row({"itemId": "a"})]).errors()
    assert items.empty
    assert items.columns.tolist() == ["item_id", "error", "line", "file"]


def test_without_input_rows_keep_their_order(read):
    found = read([row(ASKED[1]), row(ASKED[0])]).recommendations()
    assert found["user_id"].unique().tolist() == ["5866", "5023"]


def chunked(texts):
    return pa.chunked_array([pa.array(texts, pa.large_string())])


@given(st.lists(st.sampled_from("abc"), max_size=12), st.randoms())
def test_the_nth_answer_goes_to_the_nth_question(asked, chance):
    order = list(range(len(asked)))
    chance.shuffle(order)
    place = matching.positions(chunked(asked), chunked([asked[one] for one in order]))
    assert sorted(place) == list(range(len(asked)))
    assert [asked[one] for one in place] == [asked[one] for one in order]


def test_lines_without_a_row_are_errors(read, capsys):
    found = read(
        [row(ASKED[2]), {"input": ASKED[0], "output": {"recommendedItems": []}, "error": "User error: x"}], ASKED
    )
    assert found.errors().to_dict("list") == {
        "user_id": ["5023", "5866", "2755"],
        "error": ["User error: x", output_files.NO_ROW, output_files.NO_ROW],
        "line": [2, 2, 4],
        "file": ["in.jsonl.out", "in.jsonl", "in.jsonl"],
    }
    assert found.recommendations()["user_id"].unique().tolist() == ["4016"]
    assert "3 input lines have no recommendations" in capsys.readouterr().err


def test_lines_answered_without_an_item_are_counted_and_listed(read, capsys):
    asked = [{"userId": f"u{number}"} for number in range(10_000)]
    nothing = {"recommendedItems": [], "scores": []}
    rows = [row(one) for one in asked]
    for number in range(100, 137):
        rows[number] = {"input": asked[number], "output": nothing, "error": None}
    found = read(rows[::-1], asked)
    assert found.recommendations()["user_id"].nunique() == 10_000 - 37
    assert "37 input lines were answered without an item; .errors() lists them" in capsys.readouterr().err
    assert (found.failed, found.empty) == (0, 37)
    assert repr(found).startswith("<Results of 10,000 rows, 0 with errors, 37 without an item: .recommendations(")
    listed = found.errors()
    assert listed["user_id"].tolist() == [f"u{number}" for number in range(100, 137)]
    assert listed["error"].unique().tolist() == [output_files.NO_ITEMS]
    assert listed["line"].tolist() == [10_000 - number for number in range(100, 137)]


def test_one_line_is_told_in_the_singular(read, capsys):
    read([row(ASKED[0], items=(), scores=())], ASKED[:2]).recommendations(items={"1": "One"})
    told = capsys.readouterr().err
    assert "1 input line has no recommendations" in told
    assert "1 input line was answered without an item" in told
    read([row(ASKED[0])], ASKED[:1]).recommendations(items={"1": "One"})
    assert "1 of 2 listed items has no row in 'items'" in capsys.readouterr().err


def test_a_line_with_a_wrong_key_renames_no_column(read):
    wrong = {"input": {"itemId": "b"}, "output": {"recommendedItems": []}, "error": "User error: x"}
    found = read([row(ASKED[0]), wrong], [ASKED[0], {"itemId": "b"}])
    assert found.recommendations().columns.tolist() == ["user_id", "rank", "item_id", "score"]
    assert found.errors()[["item_id", "error"]].to_numpy().tolist() == [["b", "User error: x"]]


def test_blocks_have_the_same_columns_when_a_block_has_no_keys(read):
    found = read(["{broken", row(ASKED[0])])
    assert [block.columns[0] for block in found.blocks(rows=1)] == ["user_id", "user_id"]


def test_a_bad_line_costs_one_row(read):
    found = read([row(ASKED[0]), "{broken", row({"userId": 12345678901234567890})])
    assert found.recommendations()["user_id"].unique().tolist() == ["5023", "12345678901234567890"]
    assert found.errors()[["line", "file"]].to_numpy().tolist() == [[2, "in.jsonl.out"]]
    assert found.errors()["error"][0].startswith("the output line cannot be read")


def test_rows_may_lack_output_or_error(read):
    rows = [{"input": ASKED[0], "error": "no"}, {"input": ASKED[1], "output": {"recommendedItems": ["1"]}}]
    found = read(rows, ASKED[:2])
    assert found.recommendations().to_dict("records")[0] | {"score": 0} == {
        "user_id": "5866", "rank": 1, "item_id": "1", "score": 0
    }  # fmt: skip
    assert np.isnan(found.recommendations()["score"][0])
    assert found.errors()["error"].tolist() == ["no"]


def test_ids_that_look_like_dates_or_numbers_stay_text(read):
    asked = [{"userId": "2020-01-01"}, {"userId": "007"}]
    found = read([row(one, items=["2021-02-02T10:00:00Z"], scores=[1]) for one in asked], asked).recommendations()
    assert found["user_id"].tolist() == ["2020-01-01", "007"]
    assert found["item_id"][0] == "2021-02-02T10:00:00Z"


def test_filter_values_come_back_as_columns(read):
    asked = [
        {"userId": "u", "filterValues": {"G": '"a","b"'}},
        {"userId": "u", "filterValues": {"G": '"c"'}},
        {"userId": "u"},
    ]
    found = read(
        [row(one, [name], [1]) for one, name in zip(reversed(asked), "xyz", strict=True)], asked
    ).recommendations()
    assert found["item_id"].tolist() == ["z", "y", "x"]
    assert found["G"].tolist()[:2] == ["a|b", "c"]
    assert found["G"].isna().tolist() == [False, False, True]


def test_rankings(read):
    asked = [{"userId": "u", "itemList": ["1", "2"]}, {"userId": "u", "itemList": ["3"]}]
    found = read([row(asked[1], ["3"], [1]), row(asked[0], ["2", "1"], [0.75])], asked).recommendations()
    assert found["item_id"].tolist() == ["2", "1", "3"]
    assert found["score"].fillna(-1).tolist() == [0.75, -1, 1]


def test_related_items_name_both_items(read):
    found = read([{"input": {"itemId": "a"}, "output": {"recommendedItems": ["b"]}}]).recommendations(
        items={"b": "Bee"}
    )
    assert found.drop(columns="score").to_dict("records") == [
        {"item_id": "a", "rank": 1, "recommended_item_id": "b", "title": "Bee"}
    ]


def test_titles_are_joined_by_id(read):
    items = pd.DataFrame({"ITEM_ID": [2, 1], "title": ["Two", "One"], "year": [1902, 1901]})
    found = read([row(ASKED[0], ["1", "2", "3"], [3, 2, 1])])
    assert found.recommendations(items)["title"].tolist()[:2] == ["One", "Two"]
    assert found.recommendations(items)["title"].isna().tolist() == [False, False, True]
    assert found.recommendations(items, ["year"])["year"].tolist()[:2] == [1901, 1902]
    assert found.recommendations(items.set_index("ITEM_ID")["year"].set_axis(["2", "1"]))["year"].tolist()[:2] == [
        1901,
        1902,
    ]
    with pytest.raises(InputError, match="no column"):
        found.recommendations(items, ["colour"])
    with pytest.raises(InputError, match="needs one column 'item_id'"):
        found.recommendations(items[["title"]])
    with pytest.raises(InputError, match="float"):
        found.recommendations(items.assign(ITEM_ID=[1.0, 2.0]))


def test_items_of_many_forms(read):
    found = read([row(ASKED[0], ["1", "2"])])
    items = pd.DataFrame({"ITEM_ID": ["1", "2"], "title": ["One", "Two"], "rank": [7, 8]})
    for given_ in (items, items.set_index("ITEM_ID"), pa.Table.from_pandas(items), pd.concat([items, items])):
        assert found.recommendations(given_)["title"].tolist() == ["One", "Two"]
    assert found.recommendations(items, "title").columns.tolist()[-1] == "title"
    clash = found.recommendations(items, ["title", "rank"])
    assert clash["rank"].tolist() == [1, 2]
    assert clash["rank_of_item"].tolist() == [7, 8]
    with pytest.raises(InputError, match="pass items=... as well"):
        found.recommendations(columns=["title"])
    for wrong in (["One"], items.assign(item_id="1")):
        with pytest.raises(InputError, match="item_id"):
            found.recommendations(wrong)


def test_items_that_have_no_row_in_the_frame_are_counted(read, capsys):
    found = read([row(ASKED[0], ["01", "02"])])
    assert found.recommendations(pd.DataFrame({"item_id": [1, 2], "title": "x"}))["title"].isna().all()
    assert "2 of 2 listed items have no row in 'items'" in capsys.readouterr().err


THEMED = [
    row({"itemId": "a"}, ["1", "2", "3"], theme="Rise and shine.", itemsThemeRelevanceScores=[0.5, 0.2, 0.15]),
    row({"itemId": "b"}, ["1", "2", "3"], theme="Odd", itemsThemeRelevanceScores=[0.5, 0.2, -0.18]),
]


def test_themes(read, capsys):
    found = read(THEMED)
    frame = found.themes(items={"a": "Ant", "1": "One"})
    assert frame.columns.tolist() == [
        "item_id",
        "theme",
        "rank",
        "item_title",
        "recommended_item_id",
        "relevance",
        "title",
    ]
    assert frame["theme"].unique().tolist() == ["Rise and shine"]
    assert frame["item_title"].unique().tolist() == ["Ant"]
    assert frame["title"][0] == "One"
    assert "1 theme is left out" in capsys.readouterr().err
    assert len(found.themes(threshold=None, minimum_items=0)) == 6
    assert len(found.themes(minimum_items=0)) == 5


def test_themes_of_one_item_differ_by_their_filter_values(read, capsys):
    def themed(year, theme, relevance):
        record = {"itemId": "a", "filterValues": {"YEAR": year}}
        return row(record, ["1", "2", "3"], theme=theme, itemsThemeRelevanceScores=relevance)

    rows = [themed("1", "Old", [0.5, 0.2, 0.15]), themed("1850", "New", [0.5, 0.2, 0.05])]
    found = read(rows, [one["input"] for one in rows])
    frame = found.themes(threshold=None, minimum_items=0)
    assert frame.columns.tolist() == ["item_id", "YEAR", "theme", "rank", "recommended_item_id", "relevance"]
    assert frame.groupby(["item_id", "YEAR", "theme"]).size().to_dict() == {
        ("a", "1", "Old"): 3,
        ("a", "1850", "New"): 3,
    }
    assert found.themes()["YEAR"].tolist() == ["1"] * 3
    assert "1 theme is left out" in capsys.readouterr().err
    shown = show_themes(frame, minimum_items=0).text
    assert "Old (from a, YEAR 1)" in shown and "New (from a, YEAR 1850)" in shown
    assert shown.endswith("2 of the 2 themes in this frame shown")
    assert show_themes(frame).text.endswith("1 has fewer than 3 items of relevance 0.1 or more")
    items = pd.DataFrame({"item_id": ["1", "2", "3"], "title": ["Old", "Older", "New"]})
    assert theme_quality(frame, items).themes[["YEAR", "items"]].values.tolist() == [["1", 3], ["1850", 3]]


def test_output_without_themes_says_how_to_get_them(read):
    with pytest.raises(NotFoundError, match="holds no themes: run pnb.themes"):
        read([row(ASKED[0])]).themes()


def test_no_output_is_not_found(tmp_path):
    with pytest.raises(NotFoundError, match="no output ending in .out"):
        pnb.read_results(str(tmp_path)).recommendations()


def test_a_repr_reads_nothing_and_names_the_next_step(read, tmp_path):
    assert repr(pnb.read_results(str(tmp_path / "absent"))).startswith("<Results not read yet: .recommendations")
    found = read(THEMED)
    found.themes()
    assert repr(found) == "<Results of 2 rows, 0 with errors: .themes(items=...), .errors()>"


@pytest.mark.parametrize("in_memory", [0, rows.IN_MEMORY])
def test_any_size_is_streamed_in_input_order(read, monkeypatch, in_memory):
    monkeypatch.setattr(rows, "IN_MEMORY", in_memory)
    monkeypatch.setattr(s3, "BLOCK", 10_000)
    asked = [{"userId": str(number)} for number in range(3000)]
    shuffled = random.Random(7).sample(asked, len(asked))
    found = read([row(one, [one["userId"]], [0.5]) for one in shuffled], asked)
    blocks = list(found.blocks(rows=700))
    assert [len(block) for block in blocks] == [700, 700, 700, 700, 200]
    together = pd.concat(blocks, ignore_index=True)
    assert together["user_id"].tolist() == together["item_id"].tolist() == [one["userId"] for one in asked]
    pd.testing.assert_frame_equal(together, found.recommendations())


def test_several_files_are_one_result(read):
    read([row(ASKED[1])], name="b.jsonl")
    found = read([row(ASKED[0])], name="a.jsonl")
    assert len(found) == 2
    assert found.recommendations()["user_id"].unique().tolist() == ["5023", "5866"]


def test_of_a_shared_folder_only_what_is_named_after_the_input_is_read(read):
    read([row(ASKED[1])], asked=[ASKED[1]], name="other.jsonl")
    found = read([row(ASKED[0])], asked=[ASKED[0]], name="a.jsonl")
    assert found.recommendations()["user_id"].unique().tolist() == ["5023"]
    assert found.errors().empty


def test_output_of_other_jobs_alone_is_refused_by_name(read, tmp_path):
    read([row(ASKED[1])], name="other.jsonl")
    source = tmp_path / "asked.jsonl"
    for _ in range(2):  # with its input, and when that is gone
        source.write_text(json.dumps(ASKED[0])) if not source.exists() else source.unlink()
        with pytest.raises(NotFoundError, match=r"not of this job: there is 'other.jsonl.out'.* 'asked.jsonl.out'"):
            pnb.read_results(str(tmp_path), str(source)).recommendations()


def test_output_outlives_its_input(read, tmp_path):
    read([row(ASKED[1])], name="other.jsonl")
    found = read([row(ASKED[0])], asked=[ASKED[0]], name="a.jsonl")
    (tmp_path / "asked" / "a.jsonl").unlink()
    assert found.recommendations()["user_id"].unique().tolist() == ["5023"]
    of_folder = pnb.read_results(str(tmp_path), f"{tmp_path / 'asked'}/")
    (tmp_path / "asked" / "other.jsonl").unlink(missing_ok=True)
    assert of_folder.recommendations()["user_id"].nunique() == 2
