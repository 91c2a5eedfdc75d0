"""Output of several kinds of jobs in one place: the frame of its kind reads every line, and the others are told."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import NotFoundError
from personalize_nb.results import output_files

LINES = {
    "list": ("userId", {"recommendedItems": ["a", "b"], "scores": [0.5, 0.25]}),
    "segment": ("itemId", {"usersList": ["v", "w", "x"]}),
    "guide": ("itemAttributes", {"recommendedUsers": ["y"]}),
    "theme": ("itemId", {"recommendedItems": ["a"], "theme": "Sea", "itemsThemeRelevanceScores": [0.5]}),
    "nothing": ("userId", {"recommendedItems": []}),
    "nobody": ("itemId", {"usersList": []}),
    "failed": ("userId", None),
}
LISTS, SEGMENTS = ("list", "theme"), ("segment", "guide")


def written(folder, kinds):
    made = []
    for number, kind in enumerate(kinds):
        key, output = LINES[kind]
        error = {"error": "User error: x"} if output is None else {}
        made.append({"input": {key: f"{number}"}, "output": output, **error})
    (folder / "a.out").write_text("".join(f"{json.dumps(one)}\n" for one in made))
    return pnb.read_results(folder / "a.out")


def asked(frame):
    keys = [name for name in ("user_id", "item_id", "item_attributes") if name in frame.columns]
    return set(frame[keys].bfill(axis=1).iloc[:, 0].tolist())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(list(LINES)), min_size=1, max_size=7))
def test_every_line_is_in_the_frame_of_its_kind(tmp_path, kinds):
    found = written(tmp_path, kinds)
    lists, segments = (
        {f"{number}" for number, kind in enumerate(kinds) if kind in names} for names in (LISTS, SEGMENTS)
    )
    seen = set()
    if lists or "nothing" in kinds:
        frame = found.recommendations()
        keyed = frame.drop(columns="item_id") if "user_id" in frame and "recommended_item_id" not in frame else frame
        assert asked(keyed) == lists
        assert len(frame) == sum(2 if kind == "list" else kind == "theme" for kind in kinds)
        seen |= lists
    elif segments:
        with pytest.raises(NotFoundError, match=r"segments of users, no recommendations: \.segments\(\)"):
            found.recommendations()
    if segments or "nobody" in kinds:
        frame = found.segments()
        assert asked(frame.drop(columns="user_id")) == segments
        assert len(frame) == sum({"segment": 3, "guide": 1}.get(kind, 0) for kind in kinds)
        seen |= segments
    elif lists:
        with pytest.raises(NotFoundError, match="no segments of users"):
            found.segments()
    failed = found.errors()
    seen |= {f"{line - 1}" for line in failed["line"]}
    assert seen == {f"{number}" for number in range(len(kinds))}
    if "theme" in kinds:
        themes = found.themes(threshold=None, minimum_items=0)
        assert asked(themes) == {f"{number}" for number, kind in enumerate(kinds) if kind == "theme"}


def test_lines_of_other_kinds_are_told(tmp_path, capsys):
    found = written(tmp_path, ["list", "segment", "list", "theme", "nothing", "nobody"])
    assert "row" not in repr(found)
    assert found.recommendations().columns.tolist() == ["user_id", "item_id", "rank", "recommended_item_id", "score"]
    assert "1 line is a segment of users; .segments() reads it" in capsys.readouterr().err
    assert found.segments().columns.tolist() == ["item_id", "rank", "user_id"]
    told = capsys.readouterr().err
    assert "3 lines have items, no segment; .recommendations() reads them" in told
    assert "2 input lines were answered without an item or a user; .errors() lists them" in told
    found.themes(minimum_items=1)
    told = capsys.readouterr().err
    assert "2 lines have items, no theme; .recommendations() reads them" in told and "left out" not in told
    list(found.blocks(rows=1))
    assert "1 line is a segment of users" in capsys.readouterr().err
    assert found.errors()["error"].tolist() == [output_files.NO_ITEMS, output_files.NO_USERS]
    assert "2 without an item or a user: .themes(items=...), .segments()" in repr(found)


def test_columns_are_those_of_the_lines_of_a_kind(tmp_path):
    found = written(tmp_path, ["segment", "list", "guide"])
    assert found.recommendations().columns.tolist() == ["user_id", "rank", "item_id", "score"]
    assert found.segments().columns.tolist() == ["item_id", "item_attributes", "rank", "user_id"]
