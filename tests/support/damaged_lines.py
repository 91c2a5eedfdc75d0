"""Lines of JSON files that somebody damaged, as strategies of hypothesis; without their newlines."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

MARK = "\ufeff".encode()

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["", "\u2028", "\x85", "\x00", "\x1e\x1f", "é", "\ufffd", "9" * 30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def nested(depth: int) -> st.SearchStrategy[str]:
    """Draw lists or objects in each other."""
    return st.sampled_from(["[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth])


numbers = st.integers(1, 6000).flatmap(
    lambda digits: st.sampled_from(["9" * digits, "-" + "1" * digits, f"0.{'3' * digits}", f"1e{digits}"])
)
halves = st.sampled_from([r'"a\ud800b"', r'"\udfff"', r'"\ud83d\u0041"', r'"\ude00\ud83d"', r'"\\ud800\ud800"'])
oddities = numbers | halves | st.integers(1, 4000).flatmap(nested) | st.sampled_from(["NaN", "-Infinity", "Inf", ""])


@st.composite
def members(draw, keys):
    """Draw the text of an object: any values and oddities under its keys, a key perhaps twice, spaces anywhere."""
    space = st.sampled_from(["", "", " ", "\t", "\r"])
    pairs = [
        f"{draw(space)}{json.dumps(key)}:{draw(space)}{draw(oddities | values.map(json.dumps))}{draw(space)}"
        for key in draw(st.lists(st.sampled_from([*keys, "other"]), min_size=1, max_size=3))
    ]
    return ("{" + ",".join(pairs) + "}").encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw, whole):
    """Draw a line from a good one: cut off, with bytes changed, put in, or twice."""
    line = draw(whole)
    place = draw(st.integers(0, len(line)))
    noise = draw(
        st.binary(max_size=4) | st.sampled_from([b"\x00", b"\r", MARK, b"\xed\xa0\x80", b"\xfc", "\u2028".encode()])
    )
    kind = draw(st.sampled_from(["cut", "put in", "changed", "twice"]))
    made = {
        "cut": line[:place],
        "put in": line[:place] + noise + line[place:],
        "changed": line[:place] + noise + line[place + len(noise) :],
        "twice": line + noise + line,
    }[kind]
    return made.replace(b"\n", b"")


def lines(keys, good):
    """Draw any line: of these keys, of the good ones damaged, or bytes that were never JSON."""
    noise = st.binary(max_size=30).map(lambda found: found.replace(b"\n", b""))
    of_keys = members(keys)
    return of_keys | damaged(good) | damaged(of_keys) | noise | values.map(lambda value: json.dumps(value).encode())


def many(strategy, count):
    """Return what a strategy draws, the same in every run: lines for one job, which takes too long for each alone."""
    found = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None)
    @given(strategy)
    def draw(one):
        found.append(one)

    draw()
    return found


def is_blank(line):
    """Tell whether a line holds nothing that a reader of JSON lines counts."""
    return not line.strip(b" \t\r")


def is_json(line):
    """Tell whether a line is a JSON object in UTF-8, for a reader without limits of its own."""
    try:
        return isinstance(json.loads(line.strip(b" \t\r").decode(), parse_int=str), dict)
    except (ValueError, RecursionError):
        return False
