"""What is done for a column at once comes to the same as the obvious way, value by value."""

import datetime
import enum
import json
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError
from personalize_nb.resources import filter_texts

ODD = ["", " ", "a ", "\ta", "a\n", "\u00a0a", "a\u200b", "\ufeffa", "7.0", "-7.0", "7.00", "a7.0", ".0", "x" * 256]
ODD += [
    "nan",
    "NaN",
    "None",
    "<NA>",
    "null",
    "NaT",
    "nant",
    "ü",
    "üa ",
    "é" * 256,
    "x" * 257,
    "é" * 257,
    'q"',
    "b\\",
    "\x1f",
]
TEXTS = st.one_of(
    st.sampled_from(ODD), st.text("ab1.0 n", max_size=12), st.text(st.characters(codec="utf-8"), max_size=4)
)
FORMS = {
    "list": list,
    "object": lambda texts: pd.Series(texts, dtype=object),
    "str": lambda texts: pd.Series(texts, dtype="str"),
    "string[pyarrow]": lambda texts: pd.Series(texts, dtype="string[pyarrow]"),
    "category": lambda texts: pd.Series(texts, dtype="category"),
    "Arrow": lambda texts: pa.array(texts, pa.string()),
    "large Arrow, sliced": lambda texts: pa.array(["zz", *texts, "zz"], pa.large_string())[1:-1],
    "Arrow in chunks": lambda texts: pa.chunked_array([texts[:1], texts[1:]], pa.string()),
    "Arrow dictionary": lambda texts: pa.array(texts, pa.string()).dictionary_encode(),
    "polars": lambda texts: pl.Series(texts, dtype=pl.String),
}
SPACES = "[ \t\n\r\f\ufeff\u00a0\u200b]"
TOLD = {
    "the id is missing": lambda text: text is None,
    "is an empty text": lambda text: text == "",
    "longer than 256": lambda text: bool(text) and len(text) > 256,
    "a line break at the end": lambda text: bool(text) and text[-1] in "\r\n",
    "space around the id": lambda text: bool(
        text and text[-1] not in "\r\n" and re.search(rf"\A{SPACES}|{SPACES}\Z", text)
    ),
    "text of a float": lambda text: bool(text and re.fullmatch(r"-?[0-9]+\.0", text)),
    "text of a missing value": lambda text: text in ("nan", "NaN", "None", "<NA>", "null", "NaT"),
}


def written(batch):
    return [json.loads(line) for line in batch.lines(len(batch))]


def found(data, make=pnb.users):
    """What is told of data, whether or not it can be used: row and problem."""
    try:
        frame = make(data).findings
    except InputError as error:
        frame = error.findings
    return list(zip(frame["row"], frame["problem"], strict=True))


@pytest.mark.parametrize("form", FORMS)
@given(st.lists(st.one_of(st.none(), TEXTS), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_every_rule_of_ids_is_found_in_its_rows_and_in_no_others(form, texts):
    told = found(FORMS[form](texts))
    for part, applies in TOLD.items():
        rows = [row for row, problem in told if part in problem]
        assert rows == [row for row, text in enumerate(texts) if applies(text)], part


@pytest.mark.parametrize("form", FORMS)
@given(st.data())
@settings(max_examples=25, deadline=None)
def test_the_same_ids_are_found_whatever_their_lengths(form, data):
    # a zero byte at the end, and words that begin alike, are what a hash of bytes may take for one another
    part = st.sampled_from(["a", "b", "a\0", "a\0\0", "12345678", "é"])
    pool = data.draw(st.lists(st.lists(part, min_size=1, max_size=5).map("".join), min_size=1, max_size=6))
    ids = data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=12))
    batch = pnb.users(FORMS[form](ids))
    assert [one["userId"] for one in written(batch)] == list(dict.fromkeys(ids))
    doubles = [row for row, problem in found(FORMS[form](ids)) if "occurs earlier" in problem]
    assert doubles == [row for row, one in enumerate(ids) if one in ids[:row]]


@pytest.mark.parametrize("distinct", [3, 6_000])
def test_many_ids_of_few_or_of_many_kinds_are_sent_once(distinct):
    ids = [f"user{number * 7919 % distinct}" for number in range(9_000)]
    assert [one["userId"] for one in written(pnb.users(ids))] == list(dict.fromkeys(ids))
    records = dict.fromkeys((one, number % 2) for number, one in enumerate(ids))
    batch = pnb.users(ids, filter_values={"G": np.arange(9_000) % 2})
    assert [(one["userId"], int(one["filterValues"]["G"].strip('"'))) for one in written(batch)] == list(records)


def test_blocks_of_lines_are_what_json_writes(tmp_path):
    rows = 132_000  # more than a block
    ids = [f'u"{number}\\' if number % 1_000 == 0 else f"u{number}é" for number in range(rows)]
    shelves = [None if number % 7 == 0 else f'she"lf{number % 5}' for number in range(rows)]
    frame = pd.DataFrame({"user_id": ids, "SHELF": shelves, "PRICE": range(rows)})
    for names in (["SHELF"], ["SHELF", "PRICE"]):
        path = pnb.users(frame, filter_values=names).to_jsonl(tmp_path / "in.jsonl")
        lines = []
        for number, (one, shelf) in enumerate(zip(ids, shelves, strict=True)):
            values = {} if shelf is None else {"SHELF": f'"she\\"lf{number % 5}"'}
            values |= {"PRICE": f'"{number}"'} if "PRICE" in names else {}
            lines.append({"userId": one, **({"filterValues": values} if values else {})})
        wanted = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
        assert path.read_text(encoding="utf-8") == wanted


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=5, unique=True), st.data())
@settings(max_examples=50, deadline=None)
def test_lines_with_values_and_lists_are_what_json_writes(items, data):
    items = [item[:256] for item in items]
    users = [f"u{number}" for number in range(len(items))]
    values = data.draw(st.lists(st.one_of(st.none(), TEXTS), min_size=len(users), max_size=len(users)))
    frame = pd.DataFrame(
        {"user_id": users, "item_list": pd.Series([items[: place + 1] for place in range(len(items))])}
    )
    batch = pnb.rankings(frame, filter_values={'G"': pd.Series(values, dtype=object)})
    for place, line in enumerate(batch.lines(len(batch))):
        sent = filter_texts.quoted(values[place])
        rest = {} if sent is None else {"filterValues": {'G"': sent}}
        record = {"userId": users[place], "itemList": items[: place + 1], **rest}
        assert line == json.dumps(record, ensure_ascii=False, separators=(",", ":"))


VALUES = {
    "texts": st.one_of(st.none(), TEXTS, st.text('a|,["\\ ', max_size=5)),
    "whole numbers": st.integers(-(2**63), 2**63 - 1),
    "floats": st.one_of(st.floats(allow_infinity=False), st.sampled_from([0.0, -0.0, 1e15, 1e-3, 1e16, 1e-5, 0.1])),
    "moments": st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1)),
    "truth": st.booleans(),
}


def forms_of_values(values, kind):
    yield pd.Series(values, dtype=object)
    yield np.array([*values, None], object)[:-1]
    yield pd.Series(values, dtype=object).astype("category")
    yield pa.array(values)
    yield pl.Series(values)
    if kind == "texts":
        yield pd.Series(values, dtype="str")
    else:
        yield np.array(values)
        yield pd.Series(values)


@pytest.mark.parametrize("kind", VALUES)
@given(st.data())
@settings(max_examples=25, deadline=None)
def test_values_of_a_column_are_what_each_alone_is(kind, data):
    values = data.draw(st.lists(VALUES[kind], min_size=1, max_size=6))
    values += values[:2]  # some twice
    ids = [str(number) for number in range(len(values))]
    wanted = [filter_texts.quoted(value) for value in values]
    for form in forms_of_values(values, kind):
        batch = pnb.users(ids, filter_values={"G": form})
        sent = [line.get("filterValues", {}).get("G") for line in written(batch)]
        assert sent == wanted, type(form)


def test_values_that_python_finds_equal_stay_apart():
    values = pd.Series([1, True, 1.0, "1", "True", np.float32(0.1), 0.1, None], dtype=object)
    batch = pnb.users([str(number) for number in range(len(values))], filter_values={"G": values})
    sent = [line.get("filterValues", {}).get("G") for line in written(batch)]
    assert sent == ['"1"', '"True"', '"1"', '"1"', '"True"', '"0.1"', '"0.1"', None]


@given(st.lists(st.sampled_from(["a", "b", "x" * 1001, "Paris, London", "[1]", float("inf")]), min_size=1, max_size=9))
@settings(max_examples=25, deadline=None)
def test_what_is_found_of_a_value_is_found_in_each_of_its_rows(values):
    def told(one):
        return found(one, lambda value: pnb.users(["u"], filter_values={"G": pd.Series([value], dtype=object)}))

    ids = [str(number) for number in range(len(values))]
    column = pd.Series(values, dtype=object)
    rows = {row for row, _ in found(column, lambda one: pnb.users(ids, filter_values={"G": one}))}
    assert rows == {row for row, value in enumerate(values) if told(value)}


class Letter(enum.StrEnum):
    A = "a"


NO_LISTS = [["a", b"b"], [b"b", "a"], [True, 1], [1, np.True_], [1, 1.0], [1.0], ["a", None], [None], [float("nan")]]
NO_LISTS += [np.array(["2026-01-01"], "M8[ns]"), np.array([1], "m8[ns]"), np.array([1.0]), np.array([[1]]), [["a"]]]
NO_LISTS += [
    ["\ud800"],
    [datetime.date(2026, 1, 1)],
    np.array([True]),
    [],
    np.array([], int),
    {"a": 1},
    None,
    ["a", ""],
]


@pytest.mark.parametrize("cell", NO_LISTS, ids=repr)
@pytest.mark.parametrize("beside", [["a"], [7], ("a",), np.array([7]), np.array(["a"])], ids=repr)
def test_one_bad_list_costs_one_row_whatever_stands_beside_it(cell, beside):
    cells = pd.Series([beside, None, beside], dtype=object)
    cells[1] = cell
    with pytest.raises(InputError) as refusal:
        pnb.rankings(pd.DataFrame({"user_id": list("uvw"), "item_list": cells}))
    assert set(refusal.value.findings["row"]) == {1}


@given(st.lists(st.lists(st.one_of(st.integers(-(2**70), 2**70)), min_size=1, max_size=3), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_lists_of_numbers_keep_every_digit_in_every_form(lists):
    users = [f"u{number}" for number in range(len(lists))]
    texts = [[str(one) for one in row] for row in lists]
    cells = [lists, texts, [tuple(row) for row in lists], [np.array(row, object) for row in lists]]
    cells += [["|".join(row) for row in texts], [np.array(row) for row in texts], [[Letter.A, *row] for row in texts]]
    for form in cells:
        frame = pd.DataFrame({"user_id": users, "item_list": pd.Series(form, dtype=object)})
        got = [[one for one in line["itemList"] if one != "a"] for line in written(pnb.rankings(frame))]
        assert got == texts
    for form in (pa.array(texts), pa.array([["no"], *texts], pa.large_list(pa.large_string()))[1:]):
        table = pa.table({"user_id": users, "item_list": form})
        for frame in (table, pl.from_arrow(table)):
            assert [line["itemList"] for line in written(pnb.rankings(frame))] == texts


@given(st.lists(st.tuples(st.sampled_from("uvw"), st.sampled_from(["1", "2", "3"]), st.sampled_from([None, "x", "y"]))))
@settings(max_examples=40, deadline=None)
def test_rows_of_users_become_their_lists(rows):
    rows = [("u", "9", "x"), *rows]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "G"])
    wanted: dict = {}
    for user, item, value in rows:
        wanted.setdefault((user, value), {})[item] = None
    batch = pnb.rankings(frame, filter_values=["G"])
    got = [(line["userId"], line.get("filterValues", {}).get("G"), line["itemList"]) for line in written(batch)]
    assert got == [(user, value and f'"{value}"', list(items)) for (user, value), items in wanted.items()]
    assert batch.findings["row"].tolist() == [row for row, one in enumerate(rows) if one in rows[:row]]


@settings(max_examples=30)
@given(
    st.one_of(
        *(st.lists(st.text("abé7", min_size=size, max_size=most), min_size=1) for size, most in ((2, 2), (1, 3)))
    ),
    st.data(),
)
def test_categories_are_the_texts_that_they_stand_for(texts, data):
    known = list(dict.fromkeys(texts))
    places = data.draw(st.permutations(range(len(known))))
    asked = [known[place] for place in places]
    categories = pd.Categorical.from_codes(places, known)
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, *places]), pa.array(known)).slice(1)
    plain = pnb.users(asked).lines()
    for given_ids in (categories, pd.Series(categories), dictionary, pl.Series(asked, dtype=pl.Categorical)):
        assert pnb.users(given_ids).lines() == plain
