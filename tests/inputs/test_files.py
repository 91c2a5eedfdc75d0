"""Files of ids: exact, or refused with every line that cannot be read; headers are never taken for ids in silence."""

import glob
import io
import json
import pathlib
import re
import tarfile
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError

NAMES = ["", "ids.csv", "ids.tsv", "ids.jsonl", "ids.json", "ids.parquet", "ids.txt", "ids.csv.gz"]
BEGINNINGS = [b"", b"user_id\n", b'{"userId":', b"[", b"PAR1", b"\x1f\x8b", b"BZh91AY&SY", b"\xfd7zXZ\x00"]
BEGINNINGS += [
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"PK\x03\x04",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe\x00\x00",
    b'"',
]


class Named(io.BytesIO):
    """A buffer with the name of a file."""

    def __init__(self, content, name):
        super().__init__(content)
        self.name = name


def users(batch):
    return [json.loads(line)["userId"] for line in batch.lines(len(batch))]


@given(st.sampled_from(BEGINNINGS), st.binary(max_size=40), st.sampled_from(NAMES))
def test_any_bytes_are_read_or_refused(beginning, rest, name):
    try:
        assert len(pnb.users(Named(beginning + rest, name)))
    except InputError as error:
        assert str(error)


def test_all_bad_lines_are_told_each_with_its_cause():
    lines = [
        b'{"userId": "a"}',
        b"{oops",
        b'\xff{"userId": "b"}',
        b'{"userId": "c", "userId": "d"}',
        b"",
        b"[" * 100_000,
    ]
    with pytest.raises(InputError) as caught:
        pnb.users(Named(b"\n".join(lines), "ids.jsonl"))
    found = caught.value.findings
    assert found["line"].tolist() == [2, 3, 4, 6]
    causes = ("no JSON", "not UTF-8", "'userId' stands there twice", "too deep")
    assert all(cause in told for cause, told in zip(causes, found["problem"], strict=True))


def test_all_lines_that_are_no_text_are_told():
    with pytest.raises(InputError, match="line 2: not UTF-8.*line 4: holds a zero byte") as caught:
        pnb.users(Named(b"user_id\n\xe4\nb\nc\x00\n", "ids.csv"))
    assert caught.value.findings["line"].tolist() == [2, 4]
    text = io.TextIOWrapper(io.BytesIO(b"user_id\n\xe4\n"), encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match="line 2: not UTF-8"):
        pnb.users(text)


def test_all_lines_with_more_cells_than_the_first_are_told():
    with pytest.raises(InputError, match="line 2: 3 cells, the first line has 2.*line 4") as caught:
        pnb.users(Named(b"user_id,age\na,1,2\nb,1\nc,1,2\n", "ids.csv"))
    assert caught.value.findings["line"].tolist() == [2, 4]


@pytest.mark.parametrize("text", ['user_id\n"a"b\n', 'user_id\n"a\n'])
def test_uneven_quotes_are_refused_and_even_ones_read(text):
    with pytest.raises(InputError, match="line 2: .*Within quotes, write a quote twice"):
        pnb.users(io.StringIO(text))
    assert users(pnb.users(io.StringIO('user_id\n"a""b"\nc"d\n"e,f"\n'))) == ['a"b', 'c"d', "e,f"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1), min_size=1, unique=True))
def test_ids_that_are_written_as_csv_come_back(ids):
    import csv

    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["user_id"], *([one] for one in ids)])
    assert users(pnb.users(io.StringIO(file.getvalue()))) == ids


HALVES = [
    '{"userId": "a\\ud800b"}\n{"userId": "c"}\n',
    '[{"userId": "u\\ud83d1"}, {"userId": "c"}]',
    '["\\udc00", "c"]',
]


@pytest.mark.parametrize("text", HALVES)
def test_half_of_a_character_is_refused_with_its_row(text):
    with pytest.raises(InputError, match="not valid Unicode") as caught:
        pnb.users(io.StringIO(text))
    assert caught.value.findings["row"].tolist() == [0]
    assert users(pnb.users(io.StringIO('{"userId": "\\ud83d\\ude00"}'))) == ["\U0001f600"]


@pytest.mark.parametrize("number", ["1.0", "1e3", "9007199254740993.0", "Infinity"])
def test_numbers_with_a_point_are_no_ids(number):
    with pytest.raises(InputError, match="the id is a float"):
        pnb.users(io.StringIO(f'{{"userId": {number}}}'))


def test_a_number_of_thousands_of_digits_is_too_long_for_an_id():
    with pytest.raises(InputError, match="longer than 256 characters"):
        pnb.users(io.StringIO(f'{{"userId": {"9" * 6000}}}'))


@pytest.mark.parametrize(
    "header",
    [
        "user_id",
        "userId",
        "USER ID",
        "customer_id",
        "customerId",
        "CustomerID",
        "Customer Number",
        "SKU",
        "visitor",
        "ids",
    ],
)
def test_a_known_name_in_the_first_line_is_a_header(header):
    batch = pnb.users(io.StringIO(f"{header}\na\nb\n"))
    assert users(batch) == ["a", "b"]
    known = header.replace("_", "").replace(" ", "").lower() == "userid"
    assert known or any(repr(header) in note for note in batch.notes)


def test_a_first_line_without_digits_above_ids_with_some_is_a_header():
    batch = pnb.users(io.StringIO("Kunde\nk1\nk2\n"))
    assert users(batch) == ["k1", "k2"]
    assert "the first line 'Kunde' is taken as header" in batch.notes[0]


@pytest.mark.parametrize("ids", [["madrid", "rome"], ["klant", "a", "b"], ["u1"], ["a1", "b"], ["android-7", "x"]])
def test_any_other_first_line_is_an_id_and_that_is_told(ids):
    batch = pnb.users(Named("\n".join(ids).encode(), "ids.txt"))
    assert users(batch) == ids
    assert batch.notes[0] == f"ids.txt has no header that is known; its first line {ids[0]!r} is taken as an id"


def test_a_header_that_occurs_again_is_told():
    batch = pnb.users(io.StringIO("user_id\na\nuser_id\nb\n"))
    assert users(batch) == ["a", "user_id", "b"]
    assert "its header again as a row, 1 time, first as row 1" in batch.notes[0]


def test_files_of_a_pattern_are_read_in_order_as_one(tmp_path):
    for number in (2, 1, 3):
        (tmp_path / f"ids-{number}.csv").write_text(f"user_id\nu{number}\n")
    assert users(pnb.users(tmp_path / "ids-*.csv")) == ["u1", "u2", "u3"]
    (tmp_path / "ids-4.csv").write_text("item_id,x\na,1\n")
    with pytest.raises(InputError, match=r"ids-1\.csv has .*ids-4\.csv has"):
        pnb.users(str(tmp_path / "ids-*.csv"))
    (tmp_path / "a[1].csv").write_text("user_id\nbrackets\n")  # a file of that name comes before a pattern
    assert users(pnb.users(tmp_path / "a[1].csv")) == ["brackets"]


def test_records_of_several_json_files_may_lack_a_key(tmp_path):
    (tmp_path / "1.jsonl").write_text('{"userId": "a"}\n')
    (tmp_path / "2.jsonl").write_text('{"userId": "b", "filterValues": {"G": "x"}}\n')
    batch = pnb.users(tmp_path / "*.jsonl", filter_values=["G"])
    assert [json.loads(line) for line in batch.lines()] == [
        {"userId": "a"},
        {"userId": "b", "filterValues": {"G": '"x"'}},
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"userId": "a", "filterValues": "x"}', "must be an object of texts by placeholder, got str"),
        ('{"userId": "a", "G": "x", "filterValues": {"G": "y"}}', "both as keys and within"),
        ('{"userId": "a"}\n"b"', "record 1, counted from 0, is a str"),
        ('{"userId": "a", "user_id": "b"}', "occur twice"),
        ("[]", "empty"),
    ],
)
def test_records_that_contradict_themselves_are_refused(text, told):
    with pytest.raises(InputError, match=told):
        pnb.users(io.StringIO(text))


def test_a_record_may_have_several_lines():
    assert users(pnb.users(io.StringIO('{\n "userId": "a"\n}\n'))) == ["a"]
    assert users(pnb.users(io.StringIO('[\n{"userId": "a"},\n{"userId": 18446744073709551617}\n]'))) == [
        "a",
        "18446744073709551617",
    ]


HEADERS = st.sampled_from(["user_id", "USER_ID", "userId", "User Id", "item_id"])


@given(HEADERS, st.sampled_from(",;\t|"), st.sampled_from(["ids.csv", "ids.tsv", "ids.txt", "ids"]), st.booleans())
def test_the_separator_is_told_by_the_header(header, separator, name, quoted):
    rows = [[header, "x"], ["a", "b c"], ["7", ""]]
    text = "\n".join(separator.join(f'"{cell}"' if quoted else cell for cell in row) for row in rows)
    kind = pnb.items if header == "item_id" else pnb.users
    batch = kind(Named(text.encode(), name))
    assert [list(json.loads(line).values()) for line in batch.lines(2)] == [["a"], ["7"]]


@pytest.mark.parametrize("name", ["ids.csv", "ids.tsv"])
@pytest.mark.parametrize("separator", [";", "|"])
def test_without_a_header_the_separator_is_named_as_the_fault(name, separator):
    with pytest.raises(
        InputError, match=rf"may be separated by '{re.escape(separator)}', not .*sep='{re.escape(separator)}'"
    ):
        pnb.users(Named(f"a{separator}b\nc{separator}d\n".encode(), name))


def test_a_header_that_two_separators_read_is_not_guessed():
    with pytest.raises(InputError, match="names no column"):
        pnb.users(Named(b"y;user_id;y|item_id|y\na;b;c|d|e\n", "ids.csv"))


def packed(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("pack", [packed, tarred])
@pytest.mark.parametrize("other", ["__MACOSX/._ids.csv", "._ids.csv", ".DS_Store", "data/Thumbs.db"])
def test_what_desktops_put_into_archives_does_not_count(pack, other):
    for files in ({"ids.csv": b"user_id\na\n", other: b"x"}, {other: b"x", "ids.csv": b"user_id\na\n"}):
        assert users(pnb.users(Named(pack(files), "ids.bin"))) == ["a"]


@pytest.mark.parametrize("pack", [packed, tarred])
@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({".DS_Store": b"x"}, "an archive without a file of data"),
        ({"a.csv": b"a", "b.csv": b"b"}, r"an archive of 2 files, \['a\.csv', 'b\.csv'\]\. Unpack it"),
        (dict.fromkeys("abcd", b"x"), r"an archive of 4 files, \['a', 'b', 'c'\] and so on"),
        ({"xl/workbook.xml": b"", "x": b""}, r"an Excel file.*read_excel"),
        ({"content.xml": b"", "mimetype": b""}, r"another spreadsheet.*read_excel"),
    ],
)
def test_an_archive_says_what_it_is_and_is_not_called_cut_off(pack, files, told):
    with pytest.raises(InputError, match=told) as refusal:
        pnb.users(Named(pack(files), "ids.bin"))
    assert "cut off" not in str(refusal.value)


def test_an_old_spreadsheet_says_what_it_is():
    with pytest.raises(InputError, match="read_excel"):
        pnb.users(Named(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "ids.xls"))


def test_a_table_of_one_column_in_json_is_its_ids():
    assert users(pnb.users(io.BytesIO(b'[["a"], [12345678901234567890]]'))) == ["a", "12345678901234567890"]


@pytest.mark.parametrize("form", [list, pd.Series, pd.Index, np.array, iter, pl.Series])
def test_names_of_files_are_no_ids(form, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("ids-1.csv", "ids-2.csv"):
        (tmp_path / name).write_text(f"user_id\n{name}\n")
    names = sorted(glob.glob("ids-*.csv"))
    with pytest.raises(InputError, match=r"names of files that exist, \['ids-1\.csv', 'ids-2\.csv'\].*pathlib\.Path"):
        pnb.users(form(names))
    assert users(pnb.users([pathlib.Path(name) for name in names])) == names
    assert users(pnb.users([*names, "u"])) == [*names, "u"]  # not all of them are
    assert users(pnb.users(["gone.csv"])) == ["gone.csv"]


def test_an_open_file_of_another_encoding_is_told_how_to_open_it(tmp_path):
    file = tmp_path / "ids.csv"
    file.write_bytes("user_id\ncafé\n".encode("latin-1"))
    with file.open(encoding="utf-8") as opened, pytest.raises(InputError, match=r"open\(path, encoding='latin-1'\)"):
        pnb.users(opened)
    with file.open(encoding="latin-1") as opened:
        assert users(pnb.users(opened)) == ["café"]
