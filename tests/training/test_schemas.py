"""Frames become Avro schemas and CSV: types read off the data, times in seconds, text escaped as Amazon wants it."""

import datetime
import decimal
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import reading_world

from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings
from personalize_nb.local.data.csv_files import read_csv_files
from personalize_nb.local.data.schema import Schema
from personalize_nb.training import amounts, schemas, timestamps

SECONDS = 1_767_225_600
LONG = "A long story of ships and sailors that nobody has told before, number {}."


def roles(dataset):
    return dict(part.split(" ") for part in dataset.described().split(", "))


def csv(dataset):
    file = io.BytesIO()
    dataset.write_csv(file)
    return file.getvalue().decode()


def items(**columns):
    return pd.DataFrame({"item_id": [f"i{number}" for number in range(6)]} | columns)


def test_item_columns_find_their_roles():
    frame = items(
        title=[f"T{number}" for number in range(6)],
        author=["A", "A", "B", "B", "C", "C"],
        subjects=["sea|war", "sea", "war", "art", "tea", "law"],
        blurb=[LONG.format(number) for number in range(6)],
        code=[f"c{number}" for number in range(6)],
        publishedYear=range(1900, 1906),
        price=[1.5, None, 2, 3, 4, 5],
        inPrint=[True, False] * 3,
        tags=[["x", "y"], ["x"], [], None, ["z"], ["y"]],
        kind=pd.Categorical(["p", "q"] * 3),
        creation_timestamp=pd.date_range("2020-01-01", periods=6),
    )
    dataset = schemas.prepare("ITEMS", frame)
    assert roles(dataset) == {
        "ITEM_ID": "string",
        "TITLE": "string",
        "AUTHOR": "categorical",
        "SUBJECTS": "categorical",
        "BLURB": "textual",
        "CODE": "string",
        "PUBLISHED_YEAR": "long",
        "PRICE": "double",
        "IN_PRINT": "categorical",
        "TAGS": "categorical",
        "KIND": "categorical",
        "CREATION_TIMESTAMP": "long",
    }
    assert dataset.schema["name"] == "Items"
    written = pd.read_csv(io.StringIO(csv(dataset)), dtype=str).iloc[0]
    assert written[["IN_PRINT", "TAGS", "KIND", "CREATION_TIMESTAMP"]].tolist() == ["True", "x|y", "p", "1577836800"]


def test_metadata_may_be_null_so_that_the_schema_stays():
    full, holed = items(price=[1.0] * 6), items(price=[1.0, None] * 3)
    assert schemas.prepare("ITEMS", full).schema == schemas.prepare("ITEMS", holed).schema


WHOLE = [1900, None, 1902, 1903, 1904, 1905]


@pytest.mark.parametrize(
    ("values", "role"),
    [
        (range(6), "long"),
        (WHOLE, "long"),
        (pd.Series(WHOLE, dtype="Int64"), "long"),
        (pd.Series(WHOLE, dtype="Float64"), "long"),
        (pd.Series(WHOLE, dtype="double[pyarrow]"), "long"),
        (pd.Series(WHOLE, dtype=object), "long"),
        (pd.arrays.SparseArray([0, 0, 1] * 2), "long"),
        ([2**60 + 1] * 6, "long"),
        ([decimal.Decimal(1), None] * 3, "long"),
        ([decimal.Decimal("1.5"), None] * 3, "double"),
        (pd.Series(["1.5", None] * 3).astype(pd.ArrowDtype(pa.decimal128(4, 2))), "double"),
        (pd.Series([1.5, None] * 3, dtype=object), "double"),
        ([1.5, 2, 3, 4, 5, 6], "double"),
        ([2.0**60] * 6, "double"),
        (pd.Series([2**64 - 1, 1] * 3, dtype="uint64"), "categorical"),
        ([2**70] * 6, "categorical"),
        ([True, None, False] * 2, "categorical"),
        (pd.Series([True, None, False] * 2, dtype="boolean"), "categorical"),
        (pd.Series([True, None, False] * 2, dtype="bool[pyarrow]"), "categorical"),
        (pd.Categorical([True, False, True] * 2), "categorical"),
        (pd.Categorical([1, 2, 3] * 2), "categorical"),
        (pd.Series([["a", "b"], ["b"], None] * 2, dtype=pd.ArrowDtype(pa.list_(pa.string()))), "categorical"),
        (pd.Series(["a", "b", None] * 2, dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))), "categorical"),
        ([datetime.date(2026, 1, 1)] * 6, "long"),
        (pd.Series(pd.date_range("2026-01-01", periods=6)).astype(pd.ArrowDtype(pa.timestamp("us"))), "long"),
    ],
)
def test_the_values_make_the_type_however_pandas_holds_them(values, role):
    dataset = schemas.prepare("ITEMS", items(n=range(6), x=values))
    assert roles(dataset)["X"] == role
    assert dataset.schema["fields"][-1]["type"] == ["null", "string" if role == "categorical" else role]
    assert dataset.table.num_rows == 6


def test_whole_numbers_keep_every_digit_and_gaps_stay_gaps():
    dataset = schemas.prepare("ITEMS", items(year=WHOLE, code=pd.Series([2**60 + 1, None] * 3, dtype="Int64")))
    assert csv(dataset).splitlines()[1:3] == [f'"i0",{2**60 + 1},1900', '"i1",,']


@pytest.mark.parametrize("kind", ["ITEMS", "USERS"])
def test_an_id_with_two_rows_is_refused_with_the_repair(kind):
    key = f"{kind[:-1].title()}_ID"
    frame = pd.DataFrame({key: ["a", "b", "a", "a"], "n": [1, 2, 3, 3]}, index=[7, 7, 8, 9])
    with pytest.raises(InputError, match=rf"frame.drop_duplicates\('{key}', keep='last'\) \(2 of 4 rows") as caught:
        schemas.prepare(kind, frame)
    assert caught.value.findings[["row", "column", "value"]].to_numpy().tolist() == [[2, key, "a"], [3, key, "a"]]
    repaired = schemas.prepare(kind, frame.drop_duplicates(key, keep="last"))
    assert repaired.table.column("N").to_pylist() == [2, 3]


def test_what_was_found_and_done_is_noted():
    frame = pd.DataFrame({"user_id": [" u", "v"], "item_id": ["1.0", "2.0"], "timestamp": [SECONDS * 1000] * 2})
    assert schemas.prepare("INTERACTIONS", frame).notes == (
        "interactions, user_id: space around the id; kept, but it must be so in the training data too (1 of 2 rows, "
        "counted from 0: 0: ' u')",
        "interactions, item_id: text of a float; kept, but the id was probably a whole number (2 of 2 rows, counted "
        "from 0: 0: '1.0', 1: '2.0')",
        "interactions, timestamp: the times are in milliseconds; they are imported in seconds (1 of 2 rows, counted "
        f"from 0: 0: '{SECONDS * 1000}')",
    )


def test_milliseconds_read_as_seconds_are_told_by_row():
    wrong = np.array([SECONDS, SECONDS * 1000, SECONDS], dtype="datetime64[s]")  # as pandas reads them without a word
    frame = pd.DataFrame({"user_id": ["u", "v", "w"], "item_id": ["a", "b", "c"], "timestamp": wrong})
    told = r"timestamp: the time is after the year 5138, .* epoch seconds, .*unit='ms'\) \(1 of 3 rows.*: 1: "
    with pytest.raises(InputError, match=told) as caught:
        schemas.prepare("INTERACTIONS", frame)
    assert caught.value.findings["row"].tolist() == [1]
    with pytest.raises(InputError, match="after the year 9999"):
        schemas.prepare("ITEMS", items(until=np.repeat(wrong, 2)))
    never = schemas.prepare("ITEMS", items(until=np.array(["9999-12-31"] * 6, dtype="datetime64[s]")))
    assert never.table.column("UNTIL").to_pylist() == [253_402_214_400] * 6


def test_roles_can_be_given():
    frame = items(code=[f"c{number}" for number in range(6)], blurb=[LONG.format(number) for number in range(6)])
    chosen = schemas.prepare("ITEMS", frame, textual="code", categorical=["blurb"])
    assert roles(chosen) == {"ITEM_ID": "string", "CODE": "textual", "BLURB": "categorical"}
    assert roles(schemas.prepare("ITEMS", frame, textual=False, categorical=["Code"]))["BLURB"] == "string"
    with pytest.raises(InputError, match="'textual' names .*PLOT"):
        schemas.prepare("ITEMS", frame, textual="plot")
    with pytest.raises(InputError, match="'categorical' names .*PLOT"):
        schemas.prepare("ITEMS", frame, categorical=["plot"])
    with pytest.raises(InputError, match="is no text column"):
        schemas.prepare("ITEMS", items(year=range(6)), textual="year")


def test_interactions_keep_amazons_names():
    frame = pd.DataFrame(
        {
            "eventValue": [1, 2],
            "userId": [7, 8],
            "ITEM_ID": ["a", "b"],
            "timestamp": [10, 20],
            "event_type": "e",
            "device": "tv",
        }
    )
    dataset = schemas.prepare("INTERACTIONS", frame)
    assert [one["name"] for one in dataset.schema["fields"]] == [
        "USER_ID", "ITEM_ID", "TIMESTAMP", "DEVICE", "EVENT_TYPE", "EVENT_VALUE"
    ]  # fmt: skip
    assert roles(dataset)["EVENT_VALUE"] == "float"
    assert roles(dataset)["EVENT_TYPE"] == "string"
    assert csv(dataset).splitlines()[1] == '"7","a",10,"tv","e",1'


def test_text_survives_the_import():
    texts = ['say "hi", \\ bye', "line\nbreak\ttab", "ünï", "'", None, ",;"]
    dataset = schemas.prepare("ITEMS", items(note=texts), categorical=["note"])
    schema = Schema.from_avro("ITEMS", dataset.schema)
    imported = next(read_csv_files([("items.csv", lambda: io.BytesIO(csv(dataset).encode()))], schema))
    assert imported.column("NOTE").to_pylist() == ['say "hi", \\ bye', "line break tab", "ünï", "'", None, ",;"]


def test_the_same_content_has_the_same_hash():
    dataset = schemas.prepare("ITEMS", reading_world.items())
    first, again, other = (schemas.prepare("ITEMS", frame).write_csv(io.BytesIO()) for frame in (
        reading_world.items(), reading_world.items(), reading_world.items().iloc[::-1]
    ))  # fmt: skip
    assert first == again == dataset.write_csv(io.BytesIO()) != other


@pytest.mark.parametrize(
    ("kind", "frame", "told"),
    [
        ("INTERACTIONS", pd.DataFrame({"user_id": ["u"], "item_id": ["i"]}), "timestamp missing among"),
        ("INTERACTIONS", pd.DataFrame({"user_id": [], "item_id": [], "timestamp": []}), "empty"),
        (
            "INTERACTIONS",
            pd.DataFrame({"user_id": ["u"], "item_id": ["i"], "timestamp": ["soon"]}),
            "the value is no time",
        ),
        (
            "INTERACTIONS",
            pd.DataFrame({"user_id": ["u"], "item_id": ["i"], "timestamp": [None]}),
            "the time is missing",
        ),
        ("INTERACTIONS", pd.DataFrame({"user_id": [1.0], "item_id": ["i"], "timestamp": [1]}), "ids are float64"),
        ("INTERACTIONS", pd.DataFrame({"user_id": ["u"], "item_id": ["a\nb"], "timestamp": [1]}), "line break"),
        (
            "INTERACTIONS",
            pd.DataFrame({"user_id": ["u"], "item_id": ["i"], "timestamp": [1], "event_type": [None]}),
            "event type is missing",
        ),
        (
            "INTERACTIONS",
            pd.DataFrame({"user_id": ["u"], "item_id": ["i"], "timestamp": [1], "event_value": ["much"]}),
            "value is no number",
        ),
        (
            "INTERACTIONS",
            pd.DataFrame(
                {"user_id": ["u"], "item_id": ["i"], "timestamp": [1]} | {f"m{number}": [1] for number in range(6)}
            ),
            "at most 5 columns of metadata, got 6",
        ),
        ("ITEMS", items(), "a column that a model can learn from"),
        ("ITEMS", items(code=[f"c{number}" for number in range(6)]), "a column that a model can learn from"),
        ("ITEMS", items(genre_1=range(6), genre1=range(6)), "would both be"),
        ("ITEMS", items(price=[np.inf] * 6), "infinite"),
        ("ITEMS", items(fact=[{"a": 1}] * 6), "holds dictionaries"),
        ("ITEMS", items(x=pd.Series([{"a": 1}] * 6, dtype=pd.ArrowDtype(pa.struct([("a", pa.int8())])))), "flat"),
        ("ITEMS", items(x=pd.to_timedelta(range(6), unit="D")), r"timedelta .*frame\['x'\].dt.total_seconds\(\)"),
        ("ITEMS", items(x=pd.period_range("2026", periods=6, freq="M")), "dt.to_timestamp"),
        ("ITEMS", items(x=pd.interval_range(0, 6)), "interval"),
        ("ITEMS", items(x=[b"a"] * 6), "str.decode"),
        ("ITEMS", items(x=[1j] * 6), "complex"),
        ("ITEMS", items(year=range(6), x=["x" * 1001] * 6), "texts of up to 1,001 characters"),
    ],
)
def test_what_cannot_be_trained_on_says_why(kind, frame, told):
    with pytest.raises(InputError, match=told):
        schemas.prepare(kind, frame)


def test_numbers_are_categories_where_that_is_wanted():
    dataset = schemas.prepare("ITEMS", items(year=WHOLE, price=[1.5] * 6), categorical=["year"])
    assert roles(dataset) == {"ITEM_ID": "string", "PRICE": "double", "YEAR": "categorical"}
    assert dataset.table.column("YEAR").to_pylist()[:2] == ["1900", None]


@pytest.mark.parametrize("backend", ["pyarrow", "numpy_nullable"])
def test_every_backend_of_pandas_makes_the_same_dataset(backend):
    for kind, frame in (("INTERACTIONS", reading_world.interactions()), ("ITEMS", reading_world.items())):
        given = frame.convert_dtypes(dtype_backend=backend)
        expected = schemas.prepare(kind, frame)
        for other in (given, frame.astype(object), given.set_index(given.columns[0])):
            prepared = schemas.prepare(kind, other)
            assert prepared.schema == expected.schema
            assert prepared.table.equals(expected.table)


def test_ids_in_the_index_are_columns():
    frame = reading_world.interactions()
    for keys in ("user_id", ["item_id", "user_id"]):
        dataset = schemas.prepare("INTERACTIONS", frame.set_index(keys))
        assert dataset.table.equals(schemas.prepare("INTERACTIONS", frame).table)


def test_ids_without_a_row_are_noted():
    interactions = schemas.prepare("INTERACTIONS", reading_world.interactions())
    some = schemas.prepare("ITEMS", reading_world.items().iloc[3:])
    assert amounts.unmatched([interactions, some]) == [
        "3 of 60 ids in item_id of the interactions have no row among the items, the first is 'b0'"
    ]
    assert amounts.unmatched([interactions, schemas.prepare("ITEMS", reading_world.items())]) == []


@pytest.mark.parametrize(
    "values",
    [
        [SECONDS],
        [float(SECONDS)],
        [SECONDS * 1000],
        [SECONDS * 1_000_000],
        [SECONDS * 1_000_000_000],
        [str(SECONDS)],
        ["2026-01-01"],
        ["2026-01-01T00:00:00Z"],
        ["2026-01-01T01:00:00+01:00"],
        [pd.Timestamp("2026-01-01")],
        [pd.Timestamp("2026-01-01", tz="UTC")],
        [pd.Timestamp("2026-01-01 09:00", tz="Asia/Tokyo")],
        [datetime.date(2026, 1, 1)],
        [np.datetime64("2026-01-01", "ms")],
    ],
)
def test_every_kind_of_time_is_the_same_second(values):
    findings = Findings()
    seconds = timestamps.to_epoch_seconds(pd.Series(values), "timestamp", findings, required=True)
    findings.raise_errors(1, "rows")
    assert seconds.to_pylist() == [SECONDS]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([SECONDS, SECONDS, SECONDS * 1000], "another unit than most"),
        ([SECONDS * 1000, SECONDS * 1000, SECONDS], "another unit than most"),
        ([20260131, 20251231], r"pandas.to_datetime\(frame\['t'\]\.astype.*, format='%Y%m%d'\)"),
        (pd.to_timedelta([1], unit="D"), "timedelta.* holds no times"),
        (pd.period_range("2026", periods=1, freq="D"), "period.* holds no times"),
        ([True], "bool holds no times"),
        (pd.Series(["2026-01-01", "2026-01-02", 7], dtype=object), "the value is no time"),
        ([None, SECONDS], r"drop such rows: frame.dropna\(subset=\['t'\]\)"),
    ],
)
def test_what_is_no_time_says_why(values, told):
    findings = Findings()
    timestamps.to_epoch_seconds(pd.Series(values), "t", findings, required=True)
    with pytest.raises(InputError, match=told):
        findings.raise_errors(1, "rows")


def test_times_may_be_missing_where_the_column_is_optional():
    findings = Findings()
    given = pd.Series([pd.NaT, pd.Timestamp("2026-01-01")])
    assert timestamps.to_epoch_seconds(given, "t", findings, required=False).to_pylist() == [None, SECONDS]
    assert findings.frame().empty
