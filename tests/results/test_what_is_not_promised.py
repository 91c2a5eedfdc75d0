"""What AWS does not promise of its output changes nothing: echoes, spelling, order, parts, repeats."""

from __future__ import annotations

import gzip
import json
import random

import pytest

import personalize_nb as pnb
from personalize_nb.results import parts

VALUES = [{"GENRE": '"a","b"', "YEAR": "1990"}, {"GENRE": '"c"', "YEAR": "2001.5"}]


def lines_of(count=6, values=True):
    """Return input lines: two of each user, with other values each."""
    return [
        {
            "userId": f"u{number // 2}" if values else f"u{number}",
            **({"filterValues": VALUES[number % 2]} if values else {}),
        }
        for number in range(count)
    ]


def row(asked, item, **more):
    return {"input": asked, "output": {"recommendedItems": [item], "scores": [0.5]}, "error": None, **more}


@pytest.fixture
def read(tmp_path):
    """Write input and output lines, out of order, and read them as results."""

    def write(asked, rows, seed=7):
        rows = list(rows)
        random.Random(seed).shuffle(rows)
        (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in asked))
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        texts = [one if isinstance(one, str) else json.dumps(one) for one in rows]
        (out / "in.jsonl.out").write_text("".join(f"{one}\n" for one in texts))
        return pnb.read_results(out, tmp_path / "in.jsonl")

    return write


# echoes that say what the line says, in other words


def escaped(asked):
    return "".join(f"\\u{ord(one):04x}" if one.isalnum() else one for one in asked)


SAME = {
    "spaces": lambda one: {**one, "filterValues": {k: v.replace(",", " , ") for k, v in one["filterValues"].items()}},
    "no quotes": lambda one: {**one, "filterValues": {k: v.replace('"', "") for k, v in one["filterValues"].items()}},
    "other quotes": lambda one: {
        **one,
        "filterValues": {k: v.replace('"', "'") for k, v in one["filterValues"].items()},
    },
    "reordered": lambda one: {
        "filterValues": dict(reversed(one["filterValues"].items())),
        "more": {"context": 1},
        "userId": one["userId"],
    },
}


@pytest.mark.parametrize("echo", SAME.values(), ids=SAME.keys())
def test_values_in_other_words_are_the_lines_own(read, echo):
    asked = lines_of()
    found = read(asked, [row(echo(one), f"i{place}") for place, one in enumerate(asked)])
    frame = found.recommendations()
    assert frame["item_id"].tolist() == [f"i{place}" for place in range(6)]
    assert frame["user_id"].tolist() == ["u0", "u0", "u1", "u1", "u2", "u2"]
    assert frame["GENRE"].tolist() == ["a|b", "c"] * 3
    assert found.errors().empty


def test_letters_may_be_escaped(read):
    asked = [{"userId": "zoë"}, {"userId": "a/b"}]
    rows = ['{"input":{"userId":"zo\\u00eb"},"output":{"recommendedItems":["1"]}}']
    rows += ['{"input":{"userId":"a\\/b"},"output":{"recommendedItems":["2"]}}']
    found = read(asked, rows)
    assert found.recommendations()["item_id"].tolist() == ["1", "2"] and found.errors().empty


@pytest.mark.parametrize(
    ("given", "echoed"),
    [("1", "1.0"), ('"1"', "1.0"), ("1.0", '"1"'), ("1", '"1.0"'), ("12345678901", "1.2345678901E10"), ("2.50", "2.5")],
)
def test_numbers_may_be_written_in_another_form(read, tmp_path, given, echoed):
    asked = [{"userId": "u"}]
    found = read(
        asked, [f'{{"input":{{"userId":{echoed}}},"output":{{"recommendedItems":["1"]}}}}', row(asked[0], "2")]
    )
    (tmp_path / "in.jsonl").write_text(f'{{"userId":{given}}}\n{{"userId":"u"}}\n')
    assert found.recommendations()["item_id"].tolist() == ["1", "2"]
    assert found.recommendations()["user_id"].tolist() == [given.strip('"'), "u"]
    assert found.errors().empty


def test_ids_that_are_numbers_to_the_eye_are_not_mixed(read):
    asked = [{"userId": one} for one in ("1", "1.0", "01", "1e0")]
    found = read(asked, [row(one, f"i{place}") for place, one in enumerate(asked)])
    assert found.recommendations()["item_id"].tolist() == ["i0", "i1", "i2", "i3"]


# echoes that say less

LESS = {
    "absent": lambda one: {"userId": one["userId"]},
    "null": lambda one: {"userId": one["userId"], "filterValues": None},
    "empty": lambda one: {"userId": one["userId"], "filterValues": {}},
    "lists": lambda one: {"userId": one["userId"], "filterValues": {"GENRE": ["a"], "YEAR": [1]}},
    "text": lambda one: {"userId": one["userId"], "filterValues": "a"},
    "others": lambda one: {"userId": one["userId"], "filterValues": {"GENRE": '"x"'}},
}


@pytest.mark.parametrize("echo", LESS.values(), ids=LESS.keys())
def test_values_need_not_be_echoed(read, echo):
    asked = [{"userId": f"u{number}", "filterValues": VALUES[number % 2]} for number in range(6)]
    rows = [row(echo(one), f"i{place}") for place, one in enumerate(asked)]
    rows[3] |= {"error": "User error: x", "output": {"recommendedItems": []}}
    found = read(asked, rows)
    frame = found.recommendations()
    assert frame["item_id"].tolist() == ["i0", "i1", "i2", "i4", "i5"]
    assert frame["GENRE"].tolist() == ["a|b", "c", "a|b", "a|b", "c"]
    errors = found.errors()
    assert errors[["user_id", "GENRE", "error"]].to_numpy().tolist() == [["u3", "c", "User error: x"]]


def test_what_the_output_does_not_tell_is_not_made_up(read, capsys):
    asked = [*lines_of(4), {"userId": "alone", "filterValues": VALUES[0]}]
    found = read(asked, [row({"userId": one["userId"]}, f"i{place}") for place, one in enumerate(asked)])
    frame = found.recommendations()
    assert frame["user_id"].tolist() == ["u0", "u0", "u1", "u1", "alone"]
    assert frame["GENRE"].isna().tolist() == [True] * 4 + [False]
    assert "4 rows of the output have no filter values" in capsys.readouterr().err
    assert found.errors().empty


def test_lists_to_rank_need_not_be_echoed(read):
    asked = [{"userId": f"u{number}", "itemList": ["a", "b"], "filterValues": VALUES[0]} for number in range(3)]
    found = read(asked, [row({"userId": one["userId"]}, f"i{place}") for place, one in enumerate(asked)])
    assert found.recommendations()["item_id"].tolist() == ["i0", "i1", "i2"]
    assert found.recommendations()["GENRE"].tolist() == ["a|b"] * 3 and found.errors().empty


def test_a_line_that_is_there_twice_may_be_answered_once(read):
    asked = [{"userId": one} for one in ("u0", "u1", "u0", "u2", "u0")]
    found = read(asked, [row({"userId": one}, one) for one in ("u0", "u1")])
    assert found.recommendations()["item_id"].tolist() == ["u0", "u1"]
    assert found.errors()["user_id"].tolist() == ["u2"] and found.failed == 1


@pytest.mark.parametrize("key", ["usersList", "recommendedUsers"])
def test_segments_have_either_spelling(read, key):
    asked = [{"itemId": "a"}, {"itemId": "b"}]
    found = read(asked, [{"input": one, "output": {key: [one["itemId"] * 2]}} for one in asked])
    assert found.segments()["user_id"].tolist() == ["aa", "bb"]


# outputs in parts

NAMES = {
    "padded": lambda number: f"in.jsonl.out.part{number:04d}",
    "plain": lambda number: f"in.jsonl.out.part{number}",
    "dashed": lambda number: f"in.jsonl.out.part-{number:05d}",
    "underlined": lambda number: f"in.jsonl.out.part_{number}",
    "joined": lambda number: f"in.jsonl.out-part-{number}",
    "upper": lambda number: f"in.jsonl.out.PART{number}",
    "of": lambda number: f"in.jsonl.out.part{number}of12",
    "first is plain": lambda number: f"in.jsonl.out.part{number}" if number else "in.jsonl.out",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("cut", ["lines", "ends", "bytes", "gzip"])
def test_parts_are_one_output_in_the_order_of_their_numbers(tmp_path, name, cut):
    asked = [{"userId": f"u{number}"} for number in range(60)]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in asked))
    text = "".join(f"{json.dumps(row(one, one['userId']))}\n" for one in asked)
    out = tmp_path / "out"
    out.mkdir()
    each = -(-len(text) // 12)
    lines = text.splitlines(keepends=True)
    pieces = ["".join(lines[place * 5 : place * 5 + 5]) for place in range(12)]
    if cut == "ends":
        pieces = [piece.rstrip("\n") for piece in pieces]
    elif cut == "bytes":
        pieces = [text[place * each : (place + 1) * each] for place in range(12)]
    for place, piece in enumerate(pieces):
        file = out / (name(place) + (".gz" if cut == "gzip" else ""))
        file.write_bytes(gzip.compress(piece.encode()) if cut == "gzip" else piece.encode())
    (out / "_CHECK").write_text("")
    found = pnb.read_results(out, tmp_path / "in.jsonl")
    assert found.recommendations()["item_id"].tolist() == [one["userId"] for one in asked]
    assert found.errors().empty
    # without the input they come in the order of the parts
    assert pnb.read_results(out).recommendations()["item_id"].tolist() == [one["userId"] for one in asked]


def test_a_bad_line_of_a_part_is_told_by_its_line_of_the_whole(tmp_path):
    (tmp_path / "a.out.part1").write_text(f"{json.dumps(row({'userId': 'u'}, 'i'))}\n")
    (tmp_path / "a.out.part2").write_text("nonsense\n")
    errors = pnb.read_results(tmp_path).errors()
    assert errors[["file", "line"]].to_numpy().tolist() == [["a.out", 2]]


def test_parts_of_several_outputs_are_not_mixed(tmp_path):
    for name in ("b.jsonl.out.part2", "a.jsonl.out.part1", "b.jsonl.out.part1", "a.jsonl.out.part2", "c.jsonl.out"):
        (tmp_path / name).write_text(f"{json.dumps(row({'userId': name}, 'i'))}\n")
    assert pnb.read_results(tmp_path).recommendations()["user_id"].tolist() == sorted(
        file.name for file in tmp_path.iterdir()
    )


@pytest.mark.parametrize("name", ["part-1.jsonl.out", "x.outpart1", "in.out.parts.jsonl", "a.part1", "partial.out"])
def test_other_names_are_no_parts(name):
    assert parts.whole_name(name) in (name, "in.out")
