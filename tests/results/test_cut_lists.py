"""The fast road reads what the parser of JSON reads, and leaves to it what it does not prove."""

import json

import numpy as np
import pyarrow as pa
import pytest
from damaged_lines import damaged
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.results import cut_lists, lines

RECORD = lines.record_type({"GENRE", "scores"})
ids = st.text(st.sampled_from('ab7é界 ,:[]{}\\"\x7f😀'), max_size=4) | st.sampled_from(["NaN", "Infinity", "null", ""])
numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["0", "-0", "-0.0", "0.0", "3.773E-4", "1e5", "1E+5", "2.5e-07", "null", "0.1234567890123456789"]),
    st.sampled_from(
        ["01", "-01", ".5", "1.", "1.e5", "+1", "1e", "1e+", "--1", "1-2", "1.2.3", "1e400", "1e-400", "0x1"]
    ),
    st.sampled_from(["inf", "nan", "NaN", "Infinity", "true", '"1"', "1 2", " 1", "1 ", "nul", "", "[1]", "{}", "1_0"]),
)
likely = st.floats(0, 1).map(lambda score: f"{score:.7f}") | st.sampled_from(["3.773E-4", "0.5", "1", "null"])
separators = st.sampled_from([",", ", ", ",", ",", " ,", ",\t", ",,", "\t", ",  "])
strange = st.one_of(likely, likely, likely, numbers)


@st.composite
def lists(draw, elements, likely_form):
    values = draw(st.lists(elements, max_size=5))
    separator = ", " if likely_form == "spaced" else draw(separators) if likely_form == "strange" else ","
    return f"[{separator.join(values)}]"


@st.composite
def rows(draw):
    form = draw(st.sampled_from(["dense", "dense", "spaced", "strange"]))
    colon, comma = (": ", ", ") if form == "spaced" else (":", ",")
    texts = ids.map(lambda one: json.dumps(one, ensure_ascii=draw(st.booleans())))
    members = {name: draw(lists(texts, form)) for name in draw(st.sets(st.sampled_from([*cut_lists.IDS, "itemList"])))}
    members |= {
        name: draw(lists(strange if form == "strange" else likely, form))
        for name in draw(st.sets(st.sampled_from([cut_lists.SCORES, cut_lists.RELEVANCE, "others"])))
    }
    record = {"userId": json.dumps(draw(ids), ensure_ascii=False)}
    if "itemList" in members:
        record["itemList"] = members.pop("itemList")
    if draw(st.booleans()):
        record["filterValues"] = json.dumps({"GENRE": draw(ids), "scores": draw(ids)}, ensure_ascii=False)
    pairs = list(members.items())
    if form == "strange" and pairs and draw(st.booleans()):
        pairs.append(draw(st.sampled_from([*pairs, (pairs[0][0], "null"), ("more", f'{{"{pairs[0][0]}":[]}}')])))
    inner = [f'"{name}"{colon}{value}' for name, value in pairs]
    output = draw(st.sampled_from([f"{{{comma.join(inner)}}}"] * 5 + ["null"]))
    told = [f'"{name}"{colon}{value}' for name, value in record.items()]
    return f'{{"input"{colon}{{{comma.join(told)}}}{comma}"output"{colon}{output}{comma}"error"{colon}null}}'.encode()


def read(block, kind):
    table, places, count = lines._parsed((block, kind))
    table.validate(full=True)
    return table, places.tolist(), count


@settings(max_examples=150)
@given(st.lists(rows() | damaged(rows()), min_size=1, max_size=6), st.booleans())
def test_a_block_of_any_lines_is_read_as_if_the_fast_road_were_not_there(drawn, ended):
    block = b"\n".join(drawn) + b"\n" * ended
    kind = lines._Answers(RECORD)
    fast, *places = read(block, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut_lists, "parsed", lambda *given: None)
        slow, *expected = read(block, kind)
    assert places == expected
    assert fast.schema == slow.schema
    assert repr(fast.to_pylist()) == repr(slow.to_pylist())  # a minus before a zero counts, NaN is NaN


@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("error", [False, True])
def test_what_jobs_write_takes_the_fast_road(space, error):
    """Or the property above would compare the parser with itself."""
    output = {
        "recommendedItems": ["a[b", "é", "NaN"], "scores": [0.5, 3.773e-4, None],
        "theme": "Films [2020]", "itemsThemeRelevanceScores": [],
    }  # fmt: skip
    written = [
        {"input": {"userId": f"u{number}", "itemList": ["x", "y"]}, "output": output, "error": None}
        for number in range(3)
    ]
    if error:
        written[1] |= {"output": {"recommendedItems": []}, "error": "User error: no [list]"}
    style = {"separators": (f",{space}", f":{space}"), "ensure_ascii": False}
    block = "\n".join(json.dumps(one, **style) for one in written).encode()
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    kind = lines._Answers(lines.record_type(()))
    found = cut_lists.parsed(block, ends, lambda text: lines._parsed_by_arrow(text, kind))
    assert found is not None
    rows = found.to_pylist()
    assert [one["error"] for one in rows] == [one["error"] for one in written]
    assert [one["input"]["itemList"] for one in rows] == [["x", "y"]] * 3
    told = [{name: value for name, value in one["output"].items() if value is not None} for one in rows]
    assert told == [one["output"] for one in written]
    assert found.column("output").type.field("scores").type == pa.list_(pa.float64())


def test_one_bad_line_of_many_costs_one_row(tmp_path):
    good = b'{"input":{"userId":"%d"},"output":{"recommendedItems":["a","b"],"scores":[0.5,0.25]},"error":null}\n'
    written = [good % number for number in range(100_000)]
    written[70_000] = b'{"input":{"userId":"70000"},"output":{"recommendedItems":["a","b"],"scores":[0.5,.25]}}\n'
    (tmp_path / "a.out").write_bytes(b"".join(written))
    found = pnb.read_results(tmp_path)
    assert found.errors()["line"].tolist() == [70_001]
    listed = found.recommendations()
    expected = np.repeat(np.delete(np.arange(100_000), 70_000), 2).astype(str)
    assert (listed["user_id"].to_numpy() == expected).all()
    assert (listed["score"].to_numpy().reshape(-1, 2) == [0.5, 0.25]).all()
