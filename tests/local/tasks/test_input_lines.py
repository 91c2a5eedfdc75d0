"""The two ways of a line: parsed as a block or by itself, they say the same. Numbers are written as Java does."""

from __future__ import annotations

import io
import json
import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.local.tasks.input_lines import Wanted, parse_lines, read_lines
from personalize_nb.local.tasks.output_rows import good_rows, java_number, row_bytes, score_texts

ids = st.text(max_size=6) | st.integers() | st.none() | st.sampled_from(["1", "é", '"', "\\", "x" * 300])
records = st.fixed_dictionaries(
    {},
    optional={
        "userId": ids,
        "itemList": st.lists(ids, max_size=3) | ids,
        "filterValues": st.dictionaries(st.sampled_from(["G", "other"]), ids, max_size=2) | ids,
        "extra": st.recursive(st.none() | st.floats() | st.text(max_size=3), st.lists, max_leaves=3),
    },
)
written = st.builds(
    lambda record, space, ascii_only: json.dumps(record, separators=space, ensure_ascii=ascii_only),
    records,
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]),
    st.booleans(),
)
noise = st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]), max_size=8)
files = st.lists(written | written.map(lambda line: line[:-1]) | noise, max_size=6)


def blocks(text: str, wanted: Wanted, rows: int = 1000):
    return [parse_lines(lines, wanted) for lines in read_lines(io.BytesIO(text.encode()), rows)]


@settings(max_examples=150)
@given(files)
def test_every_line_gives_the_same_alone_and_in_a_block(lines):
    wanted = Wanted(("userId", "itemList"), placeholders=("G",))
    told = []
    for parsed in (blocks("\n".join(lines), wanted), [one for line in lines for one in blocks(line, wanted, 1)]):
        told.append(
            [
                (
                    block.inputs[row].as_py(),
                    block.errors.get(row),
                    # the values of a line with an error are never read
                    None if row in block.errors else {key: block.columns[key][row].as_py() for key in wanted.keys},
                    None if row in block.errors else block.filter_values[row] or {},
                )
                for block in parsed
                for row in range(len(block))
            ]
        )
    assert told[0] == told[1]
    for echo, error, _, _ in told[0]:
        found = json.loads(echo, parse_constant=pytest.fail)
        assert isinstance(found, dict) or error
    kept = [line.strip(" \t\r\n") for line in lines]
    # a byte order mark opens the first file and, alone, every single line
    assert len(told[0]) == len([line for line in kept if line.removeprefix("\ufeff").strip(" \t\r\n")])


@given(st.lists(st.floats(0, 1) | st.integers(0, 10**7).map(lambda units: units / 1e7), max_size=30))
def test_scores_are_the_java_texts_of_seven_decimals(scores):
    texts = score_texts(pa.array(scores, pa.float64())).to_pylist()
    assert texts == [java_number(round(score * 1e7) / 1e7) for score in scores]
    assert all(abs(float(text) - score) <= 5.0001e-8 for text, score in zip(texts, scores, strict=True))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (1.0, "1.0"),
        (0.5, "0.5"),
        (0.001, "0.001"),
        (0.0015, "0.0015"),
        (0.00037730, "3.773E-4"),
        (0.0000717, "7.17E-5"),
        (1e-7, "1.0E-7"),
        (0.0001, "1.0E-4"),
        (0.0152238, "0.0152238"),
        (-0.188913, "-0.188913"),
        (-0.0004, "-4.0E-4"),
        (100.0, "100.0"),
        (1234567.0, "1234567.0"),
        (9999999.5, "9999999.5"),
        (1e7, "1.0E7"),
        (123456789.5, "1.234567895E8"),
    ],
)
def test_numbers_as_java_writes_them(value, text):
    assert java_number(value) == text
    if abs(value) <= 1:
        assert score_texts(pa.array([value])).to_pylist() == [text]


def test_a_missing_score_is_null_and_unusual_ones_are_written_one_by_one():
    scores = pa.array([0.5, None, math.nan, 2.5, -0.25])
    assert score_texts(scores).to_pylist() == ["0.5", "null", "null", "2.5", "-0.25"]


def test_rows_of_sliced_lists_are_right():
    items = pa.array([["x"], ["a", "b"], [], ["c"]], pa.list_(pa.string())).slice(1)
    scores = pa.array([[1.0], [0.5, 0.25], [], [0.125]], pa.list_(pa.float64())).slice(1)
    inputs = pa.array(["0", "1", "2", "3"]).slice(1)
    rows = bytes(row_bytes(good_rows(inputs, items, scores))).decode().splitlines()
    assert [json.loads(row)["input"] for row in rows] == [1, 2, 3]
    assert [json.loads(row)["output"]["recommendedItems"] for row in rows] == [["a", "b"], [], ["c"]]
    assert [json.loads(row)["output"]["scores"] for row in rows] == [[0.5, 0.25], [], [0.125]]
