"""Output of segment jobs, in every form that AWS's pages and recordings show."""

import json

import pytest

import personalize_nb as pnb
from personalize_nb.errors import NotFoundError

ATTRIBUTES = 'ITEMS.GENRE = "Comedy" AND ITEMS.YEAR = 1990'


@pytest.fixture
def read(tmp_path):
    def write(*rows, asked=()):
        (tmp_path / "in.json.out").write_text("".join(f"{json.dumps(one)}\n" for one in rows))
        (tmp_path / "in.json").write_text("".join(f"{json.dumps(one)}\n" for one in asked))
        return pnb.read_results(tmp_path, tmp_path / "in.json" if asked else None)

    return write


def row(asked, users, member="usersList", error=None):
    return {"input": asked, "output": {member: users}, "error": error}


@pytest.mark.parametrize("member", ["usersList", "recommendedUsers"])
def test_segments_are_read_in_input_order(read, member):
    rows = [row({"itemId": "i2"}, ["u3"], member), row({"itemId": "i1"}, ["u1", "u2"], member)]
    found = read(*rows, asked=[{"itemId": "i1"}, {"itemId": "i2"}])
    assert found.has_segments
    assert found.segments().to_dict("list") == {
        "item_id": ["i1", "i1", "i2"],
        "rank": [1, 2, 1],
        "user_id": ["u1", "u2", "u3"],
    }
    titled = found.segments(items={"i1": "One", "i2": "Two"})
    assert titled["title"].tolist() == ["One", "One", "Two"]
    assert found.errors().empty and found.errors().columns[0] == "item_id"
    assert repr(found) == "<Results of 2 rows, 0 with errors: .segments(), .errors()>"


@pytest.mark.parametrize(
    "asked", [{"input": {"itemAttributes": ATTRIBUTES}}, {"itemAttributes": ATTRIBUTES}], ids=["recorded", "documented"]
)
def test_segments_by_attributes_name_what_was_asked(read, asked):
    found = read({**asked, "output": {"usersList": ["u1"]}}).segments()
    assert found.to_dict("records") == [{"item_attributes": ATTRIBUTES, "rank": 1, "user_id": "u1"}]


def test_filter_values_of_segments_are_columns(read):
    asked = {"itemId": "i", "filterValues": {"AGE": "30"}}
    assert read(row(asked, ["u"]), asked=[asked]).segments()["AGE"].tolist() == ["30"]


def test_segments_are_no_recommendations_and_these_are_no_segments(read):
    found = read(row({"itemId": "i1"}, ["u1"]))
    for other in (found.recommendations, found.themes):
        with pytest.raises(NotFoundError, match=r"segments of users.*\.segments\(\) reads"):
            other()
    recommended = read({"input": {"userId": "u"}, "output": {"recommendedItems": ["a"]}})
    assert not recommended.has_segments
    with pytest.raises(NotFoundError, match=r"no segments of users; \.recommendations\(\)"):
        recommended.segments()
    themed = read({"input": {"itemId": "i"}, "output": {"recommendedItems": ["a"], "theme": "T"}})
    with pytest.raises(NotFoundError, match=r"no segments of users; \.themes\(\)"):
        themed.segments()


def test_lines_without_users_are_told_in_their_own_words(read, capsys):
    found = read(
        row({"itemId": "i1"}, []), row({"itemId": "i2"}, [], error="User error: x"), row({"itemId": "i3"}, ["u"])
    )
    assert found.segments()["item_id"].tolist() == ["i3"]
    told = capsys.readouterr().err
    assert "1 input line has no segment" in told and "1 input line was answered without a user" in told
    assert [text.partition(":")[0] for text in found.errors()["error"]] == ["answered without a user", "User error"]
    assert (found.failed, found.empty) == (1, 1)
    assert "1 without a user: .segments()" in repr(found)


def test_where_every_segment_failed_there_are_columns(read):
    found = read(row({"itemId": "i1"}, [], error="User error: x"))
    assert found.segments().columns.tolist() == ["item_id", "rank", "user_id"]
    assert found.errors()["item_id"].tolist() == ["i1"]


def test_one_bad_line_of_segments_costs_itself(read):
    rows = [row({"itemId": "i1"}, ["u1"]), row({"itemId": "i2"}, "u2"), row({"itemId": "i3"}, ["u3", None])]
    found = read(*rows, asked=[one["input"] for one in rows])
    assert found.segments()["user_id"].tolist() == ["u1"]
    assert found.errors()[["item_id", "line"]].to_numpy().tolist() == [["i2", 2], ["i3", 3]]
