"""Whatever bytes a line of a job's input holds: the others are answered, and every reader can read its row."""

from __future__ import annotations

import io
import json

import pytest
from damaged_lines import MARK, damaged, is_blank, is_json, lines
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.local.tasks.input_lines import MAX_DEPTH, MAX_DIGITS, Wanted, parse_lines, read_lines
from personalize_nb.local.tasks.output_rows import error_row

WANTED = Wanted(("userId",), ("itemList",), ("G",))
GOOD = b'{"userId":"good"}'
whole = st.sampled_from([b'{"userId":"u1"}', b'{"userId": "u2", "itemList": ["a"], "filterValues": {"G": "\\"x\\""}}'])
any_line = lines(["userId", "itemList", "filterValues", "G"], whole).filter(lambda line: not is_blank(line))


def parsed(text: bytes):
    """Return what is echoed of each line, its error, and what it asks for."""
    told = []
    for part in read_lines(io.BytesIO(text), 1000):
        block = parse_lines(part, WANTED)
        for row in range(len(block)):
            asks = {key: block.columns[key][row].as_py() for key in WANTED.keys}
            error = block.errors.get(row)
            told.append((block.inputs[row].as_py(), error, error or (asks, block.filter_values[row] or {})))
    return told


@settings(max_examples=150)
@given(st.lists(any_line, max_size=5), st.randoms())
def test_each_line_is_one_row_and_says_the_same_alone(drawn, chance):
    file = [*drawn, GOOD, GOOD]
    chance.shuffle(file)
    told = parsed(b"\n".join([GOOD, *file]))[1:]
    assert told == [parsed(GOOD + b"\n" + line)[1] for line in file]
    for line, (echo, error, _) in zip(file, told, strict=True):
        assert error is None if line == GOOD else error or is_json(line)
        row = error_row(echo, error or "")
        assert "\r" not in row and row.count("\n") == 1
        found = json.loads(row)  # without any setting
        json.dumps(found, ensure_ascii=False).encode()  # no half of a pair
        assert isinstance(found["input"], dict) or error


@pytest.mark.parametrize(
    ("line", "error", "shown"),
    [
        (b'{"userId": "m\xfcller"}', "the line is not UTF-8 text", '{"userId": "m\ufffdller"}'),
        (b'{"userId": "\xed\xa0\x80"}', "the line is not UTF-8 text", '{"userId": "\ufffd\ufffd\ufffd"}'),
        (rb'{"userId": "a\ud800b"}', "userId holds half of a surrogate pair", '{"userId": "a\ufffdb"}'),
        (rb'{"userId": "a", "x": "\udc00\ud800"}', "x holds half", '{"userId": "a", "x": "\ufffd\ufffd"}'),
        (rb'{"userId": "a", "\ud800": 1}', "the line holds half", '{"userId": "a", "\ufffd": 1}'),
        (rb'{"userId": "a\ud800b"', "not valid JSON", '{"userId": "a\ufffdb"'),
        (b'{"userId": "a", "x": ' + b"[" * 3000 + b"]" * 3000 + b"}", f"legal are {MAX_DEPTH} levels", None),
        (b'{"userId": "a", "x": ' + b"[" * 3000, f"legal are {MAX_DEPTH} levels", None),
        (b'{"userId": "a", "x": ' + b"9" * 5000 + b"}", "a number of 5,000 digits; legal are fewer than 1,000", None),
        (b'{"userId": ' + b"9" * 5000 + b"}", "a number of 5,000 digits", None),
        (b'{"userId": "a", "userId": "b"}', "the line gives userId more than once", None),
        (b'{"userId": "a", "filterValues": {"G": "1", "G": "2"}}', "gives G more than once", None),
        (b'{"userId": "a\x00"}', "not valid JSON", '{"userId": "a\x00"}'),
        (MARK + b'{"userId": "a"}', "not valid JSON", None),
        (b'{"userId": "a"}\r{"userId": "b"}', "not valid JSON", None),
        (b'{"userId": "a"', "not valid JSON", None),
    ],
)
def test_what_is_wrong_is_said_with_the_line(line, error, shown):
    told = parsed(b"\n".join([GOOD, line, GOOD]))
    assert [one[1] for one in (told[0], told[2])] == [None, None]
    assert error in told[1][1] and "; the line is {" in told[1][1].replace("\ufeff", "")
    assert json.loads(told[1][0]) == (shown or line.decode())


@pytest.mark.parametrize(
    "line",
    [
        b'{"userId": "a", "x": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}",
        b'{"userId": "a", "x": "' + b"[{" * 3000 + b'"}',
        b'{"userId": "a", "x": ' + b"9" * (MAX_DIGITS - 1) + b"}",
        b'{"userId": "a", "x": "' + b"9" * 5000 + b'"}',
        b'{"userId": "a", "x": 1, "x": 2}',
        b'{"userId": "a", "x": "\\ud83d\\ude00 \\\\ud800"}',
        b'\r{"userId": "a"}\r',
    ],
)
def test_what_every_reader_can_read_is_answered(line):
    assert [one[1] for one in parsed(b"\n".join([GOOD, line, b"[]"]))][:2] == [None, None]
    echo = parsed(line)[0][0]
    assert json.loads(echo) == json.loads(line)
    assert "\r" not in echo


@given(damaged(whole))
def test_a_last_line_that_was_cut_off_is_a_line(line):
    told = parsed(GOOD + b"\n" + line)
    assert len(told) == (1 if is_blank(line) else 2)
