"""IDs become job input exactly as given, and what cannot is named row by row."""

import datetime
import decimal
import fractions
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


def records(batch, tmp_path):
    return [json.loads(line) for line in batch.to_jsonl(tmp_path / "in.jsonl").read_bytes().splitlines()]


def written(batch):
    return [json.loads(line) for line in batch.lines(len(batch))]


@pytest.mark.parametrize(
    "data",
    [
        ["12", "7"],
        ("12", "7"),
        (one for one in ["12", "7"]),
        [12, 7],
        np.array([12, 7]),
        pd.Series(["12", "7"]),
        pd.Series([12, 7], dtype="Int64"),
        pd.Series(["12", "7"], dtype="category"),
        pd.Series([12, 7], dtype="category"),
        pd.Series(["12", "7"], dtype="string"),
        pd.Index(["12", "7"]),
        pd.DataFrame({"USER_ID": ["12", "7"]}),
        pd.DataFrame({"userId": ["12", "7"], "age": [1, 2]}),
        pd.DataFrame({"who": [12, 7]}),
        pa.table({"user_id": ["12", "7"]}),
        pd.Series([12, 7], dtype="int64[pyarrow]"),
        pd.Series(["12", "7"], dtype=pd.ArrowDtype(pa.large_string())),
        pd.Series(["12", "7"], dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
        pd.Series(pd.arrays.SparseArray([12, 7])),
        pd.DataFrame({"user_id": ["12", "7"]}, index=[0, 0]),
        pd.DataFrame({"age": [1, 2]}, index=pd.Index([12, 7], name="USER_ID")),
        pd.MultiIndex.from_tuples([("12", "x"), ("7", "y")], names=["userId", None]),
        pd.DataFrame({"user_id": ["12", "12", "7"]}).groupby("user_id").size().to_frame("visits"),
    ],
)
def test_every_kind_of_input_gives_the_same_records(data, tmp_path):
    assert records(pnb.users(data), tmp_path) == [{"userId": "12"}, {"userId": "7"}]


def test_a_file_is_input_too(tmp_path):
    path = tmp_path / "users.csv"
    path.write_bytes("\ufeffUSER_ID,name\n007,Ä\n7.0,B\n".encode())
    assert written(pnb.users(path)) == [{"userId": "007"}, {"userId": "7.0"}]
    pd.DataFrame({"item_id": [2**60, 1]}).to_parquet(tmp_path / "items.parquet")
    assert written(pnb.items(str(tmp_path / "items.parquet")))[0] == {"itemId": str(2**60)}


@given(st.lists(TEXTS, min_size=1, unique=True))
def test_any_text_comes_back_exactly(ids):
    assert [one["userId"] for one in written(pnb.users(ids))] == ids


@given(st.lists(st.integers(), min_size=1, unique=True))
def test_whole_numbers_of_any_size_keep_every_digit(ids):
    assert [one["itemId"] for one in written(pnb.items(ids))] == [str(one) for one in ids]


def test_64_bit_ids_keep_every_digit():
    ids = [-2996180203100007228, 2**63 - 1]
    assert [one["userId"] for one in written(pnb.users(pd.DataFrame({"user_id": ids})))] == [str(one) for one in ids]
    assert written(pnb.users(np.array([2**64 - 1], dtype="uint64"))) == [{"userId": str(2**64 - 1)}]


def test_a_float_column_is_refused_with_the_repair():
    with pytest.raises(InputError, match=r"dtype=\{'user_id': 'string'\}") as caught:
        pnb.users(pd.DataFrame({"user_id": [233, None, 7]}))
    assert "nothing was sent" in str(caught.value)
    assert caught.value.findings["row"].tolist() == [0, 1, 2]
    assert caught.value.findings["value"].tolist() == ["233.0", None, "7.0"]


def test_each_unusable_row_is_named():
    with pytest.raises(InputError) as caught:
        pnb.users(["a", None, "", 2.5, True, ["x"], b"x", "y" * 257, "\ud800"])
    findings = caught.value.findings
    assert findings["row"].tolist() == list(range(1, 9))
    told = str(caught.value)
    for part in ("missing", "empty text", "float", "True and False", "list", "bytes", "longer than 256", "Unicode"):
        assert part in told, part


def test_duplicates_are_sent_once_and_noted():
    batch = pnb.users(["a", "b", "a"])
    assert len(batch) == 2
    assert batch.findings[["row", "value"]].to_numpy().tolist() == [[2, "a"]]
    assert repr(batch) == "<Batch of 2 users, 1 note in .findings: pnb.recommend(batch, solution_version)>"


def test_suspicious_ids_are_kept_and_noted():
    batch = pnb.users([" 7", "233.0", "nan"])
    assert [one["userId"] for one in written(batch)] == [" 7", "233.0", "nan"]
    assert batch.findings["row"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([], "no users"),
        (pd.DataFrame({"user_id": []}), "no users"),
        (pd.DataFrame({"a": ["1"], "b": ["2"]}), "takes a column 'user_id'; the frame has"),
        (pd.DataFrame({"ITEM_ID": ["1"]}), "takes a column 'user_id'; the frame has \\['ITEM_ID'\\]"),
        (pd.DataFrame([["1", "2"]], columns=["user_id", "userId"]), "twice"),
        ("42", r"no file '42'; name a file with ids. A single id is given as a list: \['42'\]"),
        ({"user_id": ["1"]}, "frame, a series, a list"),
        (7, "got int"),
        (pd.Series([True, False]), "bool"),
        (pd.Series(pd.to_datetime(["2026-01-01"])), "datetime"),
        (pd.Series(pd.to_timedelta([1], unit="D")), "timedelta"),
        (pd.Series([1], dtype=pd.ArrowDtype(pa.duration("s"))), "duration"),
        (pd.Series(pd.period_range("2026", periods=1, freq="M")), "period"),
        (pd.Series([1 + 2j]), "complex"),
        (pd.Series([decimal.Decimal("7.00")]), r"the id is a Decimal; .* by \.map\(int\) or \.map\(str\)"),
        (pd.Series([decimal.Decimal("7.00")], dtype=pd.ArrowDtype(pa.decimal128(5, 2))), "the id is a Decimal"),
        ([fractions.Fraction(1, 2)], "the id is a Fraction"),
        ([datetime.timedelta(days=1)], "the id is a timedelta"),
        ([datetime.date(2026, 1, 1)], "the id is a date"),
        ([pd.Timestamp("2026-01-01")], "the id is a Timestamp"),
        (pd.MultiIndex.from_tuples([("a", "b")]), "takes a column 'user_id'"),
        (pd.Series(["u", "u"]).rename("user_id").value_counts(), "named 'count' and its index 'user_id'"),
    ],
)
def test_what_is_no_input_says_why(data, told):
    with pytest.raises(InputError, match=told):
        pnb.users(data)


def test_an_unreadable_csv_says_how_to_read_it(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes(b"user_id\n\xe4\xf6\n")
    with pytest.raises(InputError, match="encoding='latin-1'"):
        pnb.users(path)


def test_rankings_from_rows_keep_order():
    frame = pd.DataFrame({"user_id": ["u2", "u1", "u2", "u2"], "item_id": [3, 1, 2, 3]})
    batch = pnb.rankings(frame)
    assert written(batch) == [{"userId": "u2", "itemList": ["3", "2"]}, {"userId": "u1", "itemList": ["1"]}]
    assert batch.findings["row"].tolist() == [3]


def test_rankings_from_an_index():
    index = pd.MultiIndex.from_tuples([("u", 2), ("u", 1)], names=["user_id", "item_id"])
    for data in (index, pd.DataFrame({"score": [0.5, 0.4]}, index=index)):
        assert written(pnb.rankings(data)) == [{"userId": "u", "itemList": ["2", "1"]}]


def test_rankings_from_lists():
    frame = pd.DataFrame({"user_id": ["u", "v"], "item_list": ["3|2", [1, 'a"b']]})
    assert [one["itemList"] for one in written(pnb.rankings(frame))] == [["3", "2"], ["1", 'a"b']]


def test_rankings_from_texts():
    frame = pd.DataFrame({"user_id": list("uvw"), "item_list": ["3|2", "['3', '2']", '["3", "2"]']})
    assert [one["itemList"] for one in written(pnb.rankings(frame))] == [["3", "2"]] * 3
    with pytest.raises(InputError, match=r"(?s)separated by '\|'.*1: '3,2'.*begins as a list.*2: '\[3'"):
        pnb.rankings(frame.assign(item_list=["3", "3,2", "[3"]))


def test_a_user_with_two_filter_values_has_two_lists():
    frame = pd.DataFrame({"user_id": list("uuu"), "item_id": list("abb"), "year": [1800, 1900, 1800]})
    assert written(pnb.rankings(frame, filter_values=["year"])) == [
        {"userId": "u", "itemList": ["a", "b"], "filterValues": {"year": '"1800"'}},
        {"userId": "u", "itemList": ["b"], "filterValues": {"year": '"1900"'}},
    ]


def test_rankings_name_bad_rows():
    with pytest.raises(InputError) as caught:
        pnb.rankings(pd.DataFrame({"user_id": ["u", "v"], "item_list": [[], ["a", 2.5]]}))
    assert caught.value.findings["row"].tolist() == [0, 1]
    with pytest.raises(InputError, match="'item_id'.*or 'item_list'"):
        pnb.rankings(pd.DataFrame({"user_id": ["u"], "x": [1]}))


def test_filter_values_come_from_columns():
    frame = pd.DataFrame({"user_id": ["u", "v", "w"], "genre": ["A|B", 'x"y', None], "price": [1.5, 2, 3]})
    values = [one.get("filterValues") for one in written(pnb.users(frame, filter_values=["GENRE", "PRICE"]))]
    assert values == [
        {"GENRE": '"A","B"', "PRICE": '"1.5"'},
        {"GENRE": '"x\\"y"', "PRICE": '"2"'},
        {"PRICE": '"3"'},
    ]


def test_filter_values_for_all_or_for_each():
    assert written(pnb.items(["a"], filter_values={"G": ["x", "y"]}))[0]["filterValues"] == {"G": '"x","y"'}
    each = written(pnb.items(["a", "b"], filter_values={"G": np.array(["x", "y"])}))
    assert [one["filterValues"]["G"] for one in each] == ['"x"', '"y"']
    same_id = pd.DataFrame({"item_id": ["a", "a", "a"], "G": ["x", "y", "x"]})
    assert len(pnb.items(same_id, filter_values=["G"])) == 2
    assert written(pnb.items(["a"], filter_values={"G": None})) == [{"itemId": "a"}]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["H"], r"No column for filter values \['H'\]"),
        ({"G": pd.Series(["x"])}, "1 values for 2 records"),
        ({"G": pd.Series(["x", "y"], index=[1, 0])}, r"another order; .*values.reindex\(frame.index\)"),
        ({f"G{number}": "x" for number in range(26)}, "At most 25"),
        ({"G": "x" * 1001}, "longer than 1000"),
    ],
)
def test_filter_values_that_cannot_be_used(values, told):
    with pytest.raises(InputError, match=told):
        pnb.users(["a", "b"], filter_values=values)


def test_many_blocks_are_one_file(tmp_path):
    ids = np.arange(450_000)
    lines = pnb.users(ids).to_jsonl(tmp_path / "big.jsonl").read_bytes().splitlines()
    assert len(lines) == len(ids)
    assert lines[-1] == b'{"userId":"449999"}'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bare.txt", "r1\nr2\n"),
        ("headed.csv", "USER_ID,age\nr1,5\nr2,6\n"),
        ("headed.tsv", "age\tuserId\n5\tr1\n6\tr2\n"),
        ("aws.jsonl", '{"userId": "r1"}\n{"userId": "r2"}\n'),
        ("list.json", '[{"userId": "r1"}, {"userId": "r2"}]'),
    ],
)
def test_files_of_every_form_keep_every_id(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert [one["userId"] for one in written(pnb.users(tmp_path / name))] == ["r1", "r2"]


def test_filter_values_in_a_file_as_aws_writes_it_are_columns(tmp_path):
    values = {"SHELF": '"sea","war"'}
    lines = [{"userId": "r1", "filterValues": values}, {"userId": "r2"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert written(pnb.users(tmp_path / "in.jsonl", filter_values=["SHELF"])) == lines


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.csv", b"", "empty.csv is empty"),
        ("empty.jsonl", b"", "empty.jsonl is empty"),
        ("headed.csv", b"user_id\n", "There are no users in the input"),
        ("bad.jsonl", b'{"userId": "r1"}\n{oops\n', "one object like .* per line: .*json.loads"),
        ("bad.parquet", b"PAR1", "cannot be read as Parquet"),
    ],
)
def test_files_without_usable_ids_say_why(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told):
        pnb.users(tmp_path / name)


@pytest.mark.parametrize("text", ["r1;5\nr2;6\n", "r1\t5\nr2\t6\n", "a,b\n1,2\n"])
def test_files_that_name_no_id_column_are_refused(tmp_path, text):
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(InputError, match="names no column 'user_id'"):
        pnb.users(tmp_path / "f.csv")


def test_a_series_of_item_ids_is_not_taken_for_users():
    with pytest.raises(InputError, match="takes 'user_id', the series is named 'ITEM_ID'"):
        pnb.users(pd.Series(["b1"], name="ITEM_ID"))
