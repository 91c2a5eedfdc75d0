"""CSV import: what becomes of cells, what fails with which reason, and that a failure leaves no trace."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.contract import limits
from personalize_nb.local.data import datasets
from personalize_nb.local.data.schema import Schema
from personalize_nb.local.errors import WorkError
from personalize_nb.local.state import layout, versions


def schema(dataset_type, *fields):
    def avro(field):
        name, kind, *marks = field.split()
        declared = ["null", kind.rstrip("?")] if kind.endswith("?") else kind
        return {"name": name, "type": declared, **dict.fromkeys(marks, True)}

    return Schema.from_avro(dataset_type, {"type": "record", "fields": [avro(field) for field in fields]})


ITEMS = schema(
    "Items",
    "ITEM_ID string",
    "PRICE float?",
    "GENRES string? categorical",
    "ABOUT string? textual",
    "STOCKED boolean?",
)
INTERACTIONS = schema("INTERACTIONS", "USER_ID string", "ITEM_ID string", "TIMESTAMP long")


def file(text, name="items.csv"):
    data = text.encode() if isinstance(text, str) else text
    return name, lambda: io.BytesIO(data)


def interactions(rows, start=0):
    lines = [f"u{row % 30},i{row % 40},{start + rows - row}" for row in range(rows)]
    return file("USER_ID,ITEM_ID,TIMESTAMP\n" + "\n".join(lines) + "\n", "interactions.csv")


@pytest.fixture
def items(tmp_path):
    """Import item files and return what a training would see."""

    def run(*texts, mode="FULL"):
        datasets.import_files(tmp_path, "group", ITEMS, [file(text) for text in texts], mode)
        return datasets.load(tmp_path, "group", {"ITEMS": ITEMS}).items.to_pylist()

    return run


def item(item_id, price=None, genres=None, about=None, stocked=None):
    return {"ITEM_ID": item_id, "PRICE": price, "GENRES": genres, "ABOUT": about, "STOCKED": stocked}


def test_columns_come_in_any_order_with_a_byte_order_mark_and_strangers(items):
    text = '\ufeffSTOCKED,EXTRA,ABOUT,GENRES,ITEM_ID,PRICE\r\ntrue,x,"a, b",Drama|War,007,9.99\r\n'
    assert items(text) == [item("007", 9.99, "Drama|War", "a, b", True)]


def test_backslashes_escape_quotes_and_backslashes(items):
    text = 'ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,,,"She said \\"no\\" to C:\\\\temp, and ""yes""",\n'
    assert items(text)[0]["ABOUT"] == 'She said "no" to C:\\temp, and "yes"'


def test_empty_cells_and_nan_are_null_but_other_words_are_text(items):
    text = 'ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\nNA,NaN,null,"",\nb,,"",None,false\n'
    assert items(text) == [item("NA", genres="null"), item("b", about="None", stocked=False)]


def test_markup_and_line_breaks_leave_the_text(items):
    text = 'ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,,,"<b>Bold</b>\nand\tbrave<br/>if 1 < 2 > 0",\n'
    assert items(text)[0]["ABOUT"] == "Bold and brave if 1 < 2 > 0"


def test_long_text_is_cut_but_a_long_category_fails(items):
    assert len(items("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,,," + "x" * 30_000 + ",\n")[0]["ABOUT"]) == 20_000
    with pytest.raises(WorkError, match="^Length cannot be more than 1000 characters for GENRES"):
        items("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,," + "x" * 1001 + ",,\n")
    with pytest.raises(WorkError, match="^Length cannot be more than 256 characters for ITEM_ID"):
        items("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n" + "x" * 257 + ",,,,\n")


def test_the_last_row_of_an_item_counts_also_across_files_and_imports(items, tmp_path):
    head = "ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n"
    assert items(head + "b,1,,,\na,1,,,\nb,2,,,\n", head + "a,3,,,\n") == [item("a", 3.0), item("b", 2.0)]
    assert items(head + "b,5,,,\nc,6,,,\n", mode="INCREMENTAL") == [
        item("a", 3.0),
        item("b", 5.0),
        item("c", 6.0),
    ]
    assert items(head + "a,8,,,\n", mode="INCREMENTAL")[0] == item("a", 8.0)
    full = datasets.load(tmp_path, "group", {"ITEMS": ITEMS}, with_incremental=False).items.to_pylist()
    assert full == [item("a", 3.0), item("b", 2.0)]
    assert items(head + "d,7,,,\n") == [item("d", 7.0)]
    assert len(list((tmp_path / "datasets" / "group").iterdir())) == 1


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("stranger", ["# What lies here\n\nParts.\n", "s3://b/k\n", "ITEM_ID,PRICE\n1,2\n", "\x00\x01"])
def test_of_several_files_the_one_without_the_columns_is_named(tmp_path, stranger, place):
    head = "ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n"
    files = [file(f"{head}{n},,,,\n", f"in/part-{n}") for n in range(2)]
    files.insert(place, file(stranger, "in/other"))
    with pytest.raises(WorkError, match=r"^Input CSV is missing the following columns:\[.*\]\. The file is in/other, "):
        datasets.import_files(tmp_path, "group", ITEMS, files, "FULL")


@pytest.mark.parametrize("before", [0, 1, 40_000])
def test_a_value_that_is_too_long_is_found_in_its_file_and_line(tmp_path, before):
    rows = "".join(f"{n},,{'y' * 200},,\n" for n in range(before))
    files = [file("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n" + rows + "x" * 257 + ",,,,\n", "in/long")]
    with pytest.raises(WorkError, match=rf"^Length cannot .* Input CSV in/long has in line {before + 2}, ITEM_ID, "):
        datasets.import_files(tmp_path, "group", ITEMS, files, "FULL")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ITEM_ID,GENRES,STOCKED\n1,x,true\n", r"Input CSV is missing the following columns:\[PRICE, ABOUT\]\."),
        ("ITEM_ID,ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,2,,,,\n", r"more than once:\[ITEM_ID\]"),
        ("", "has no records"),
        ("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED", "no records"),
        ("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n", "no records"),
        ("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,2\n", "in line 2, Expected 5 columns, got 2"),
        ("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,,,,\n,2,,,\n", "in line 3, ITEM_ID, no value. IDs can not be empty"),
        (b"ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,,caf\xe9,,\n", "not UTF-8 in line 2, GENRES"),
        (b"ITEM_ID,PRICE,GENRES,\xe9,STOCKED\n1,,,,\n", "not UTF-8"),
        (
            "STRANGER,ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\nx,1,,,,yes\n",
            "in line 2, STOCKED, the invalid value 'yes'; .* boolean",
        ),
        ("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\r1,1,,,\r", "cannot be read.*Lines must end with a line feed"),
        (gzip.compress(b"ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,1,,,\n", mtime=0), "compressed with gzip"),
        ("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,1,,,\n".encode("utf-16"), "is UTF-16 text"),
        (b"PAR1 and more", "a Parquet file"),
    ],
)
def test_a_bad_file_fails_with_a_reason_and_changes_nothing(items, tmp_path, text, reason):
    before = items("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\nkept,,,,\n")
    with pytest.raises(WorkError, match=reason):
        items(text)
    assert datasets.load(tmp_path, "group", {"ITEMS": ITEMS}).items.to_pylist() == before
    assert len(list((tmp_path / "datasets" / "group").iterdir())) == 1


@pytest.mark.parametrize(("value", "fits"), [(2**31 - 1, True), (-(2**31), True), (2**31, False), (-(2**63), False)])
def test_an_int_has_32_bits_and_a_long_64(tmp_path, value, fits):
    lines = [f"u{row},i{row},{row},{value if row == 7 else 1},{value}" for row in range(1000)]
    text = "USER_ID,ITEM_ID,TIMESTAMP,SEAT,TICKET\n" + "\n".join(lines) + "\n"
    seats = schema("Interactions", "USER_ID string", "ITEM_ID string", "TIMESTAMP long", "SEAT int", "TICKET long")
    if fits:
        datasets.import_files(tmp_path, "g", seats, [file(text)])
        row = datasets.load(tmp_path, "g", {"INTERACTIONS": seats}).interactions.to_pylist()[7]
        assert (row["SEAT"], row["TICKET"]) == (value, value)
    else:
        with pytest.raises(WorkError, match="in line 9, SEAT, a value that an int of 32 bits cannot hold"):
            datasets.import_files(tmp_path, "g", seats, [file(text)])


def test_a_broken_quotation_mark_gives_a_short_reason(items):
    rows = "".join(f"{row},,,text,\n" for row in range(50_000))
    with pytest.raises(WorkError) as failure:
        items('ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,,,"open,\n' + rows)
    assert len(failure.value.reason) < 500


def test_interactions_come_back_in_order_of_time_and_need_a_thousand_records(tmp_path):
    assert datasets.import_files(tmp_path, "g", INTERACTIONS, [interactions(1000)]) == 1000
    table = datasets.load(tmp_path, "g", {"INTERACTIONS": INTERACTIONS}).interactions
    assert table.column("TIMESTAMP").to_pylist() == list(range(1, 1001))
    with pytest.raises(WorkError, match="999 interaction records.*1000"):
        datasets.import_files(tmp_path, "g", INTERACTIONS, [interactions(999)])
    datasets.import_files(tmp_path, "g", INTERACTIONS, [interactions(1000, 5000)], "INCREMENTAL")
    assert datasets.load(tmp_path, "g", {"INTERACTIONS": INTERACTIONS}).interactions.num_rows == 2000


def test_a_float_timestamp_is_refused(tmp_path):
    rows = "USER_ID,ITEM_ID,TIMESTAMP\n" + "u,i,964982703.0\n" * limits.MIN_INTERACTIONS
    with pytest.raises(WorkError, match="invalid value '964982703.0'"):
        datasets.import_files(tmp_path, "g", INTERACTIONS, [file(rows)])


def test_rows_are_read_under_a_newer_schema(items, tmp_path):
    items("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,2.5,Drama,text,true\n")
    newer = schema("ITEMS", "ITEM_ID string", "PRICE double?", "YEAR long?")
    rows = datasets.load(tmp_path, "group", {"ITEMS": newer}).items.to_pylist()
    assert rows == [{"ITEM_ID": "1", "PRICE": 2.5, "YEAR": None}]


def test_a_dataset_without_import_is_absent_and_a_deleted_one_gone(items, tmp_path):
    assert datasets.load(tmp_path, "group", {"ITEMS": ITEMS}).items is None
    items("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,,,,\n")
    with versions.DatasetVersions(tmp_path) as data:
        data.replace(versions.Replacement("group", "ITEMS", versions.DataFiles()))
    assert datasets.load(tmp_path, "group", {"ITEMS": ITEMS}).items is None


def test_drafts_of_a_killed_import_are_swept(items, tmp_path):
    items("ITEM_ID,PRICE,GENRES,ABOUT,STOCKED\n1,,,,\n")
    (tmp_path / "datasets" / "group" / "0123.draft").write_bytes(b"half")
    layout.prepare(tmp_path)
    assert len(list((tmp_path / "datasets" / "group").iterdir())) == 1


def test_a_type_that_no_schema_knows_is_refused():
    with pytest.raises(ValueError, match="'A' has type 'bytes'; legal is one of boolean, double"):
        schema("ITEMS", "A bytes")


@settings(max_examples=25)
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
            st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_the_csv_module_writes_with_escapes_comes_back(tmp_path_factory, rows):
    plain = schema("ITEMS", "ITEM_ID string", "PRICE double?")
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, doublequote=False, escapechar="\\")
    out.write("ITEM_ID,PRICE\n")
    writer.writerows((name, "" if price is None else price) for name, price in rows)
    folder = tmp_path_factory.mktemp("csv")
    datasets.import_files(folder, "g", plain, [file(out.getvalue())])
    stored = datasets.load(folder, "g", {"ITEMS": plain}).items.to_pylist()
    assert {row["ITEM_ID"]: row["PRICE"] for row in stored} == dict(rows)
