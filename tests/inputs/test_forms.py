"""Every form of data that the README of the room names, read through the public door; all else is refused by type."""

import bz2
import collections
import datetime
import decimal
import enum
import gzip
import io
import json
import lzma
import re
import tarfile
import uuid
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from botocore.response import StreamingBody
from hypothesis import given
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import InputError
from personalize_nb.inputs import forms

IDS = ["007", "u-2", "102549393865421555310"]
README = Path(forms.__file__).parent / "README.md"


def written(batch):
    return [json.loads(line) for line in batch.lines(len(batch))]


def users(data, **arguments):
    return [one["userId"] for one in written(pnb.users(data, **arguments))]


def interactions():
    return pd.DataFrame({"user_id": IDS, "item_id": ["a", "b", "c"], "timestamp": [1, 2, 3]})


class Capsule:
    """A library's frame that Arrow can read and nobody knows."""

    def __init__(self, data):
        self._data = data

    def __arrow_c_stream__(self, requested_schema=None):
        return self._data.__arrow_c_stream__(requested_schema)


class Array:
    """The same for an array."""

    def __arrow_c_array__(self, requested_schema=None):
        return pa.array(IDS).__arrow_c_array__(requested_schema)


class Unreadable:
    """What has a `read()` of another kind."""

    def read(self):
        return 5


class OldFrame:
    """A library's frame that becomes an Arrow table when it is asked."""

    def __init__(self, data):
        self._data = data

    def to_arrow(self):
        return self._data


class Named(io.BytesIO):
    """A buffer with a name, as what is opened from an archive or a web page has one."""

    def __init__(self, content, name):
        super().__init__(content)
        self.name = name


def csv(frame):
    return frame.to_csv(index=False).encode()


def json_lines(frame):
    return "".join(json.dumps(row) + "\n" for row in frame.to_dict("records")).encode()


def parquet(frame):
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()


def by_arrow(codec):
    def packed(content):
        stream = pa.BufferOutputStream()
        with pa.CompressedOutputStream(stream, codec) as file:
            file.write(content)
        return stream.getvalue().to_pybytes()

    return packed


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("inner", content)
    return file.getvalue()


def tarred(content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        entry = tarfile.TarInfo("inner")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


PACKED = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": by_arrow("zstd"),
    "lz4": by_arrow("lz4"),
    "zip": zipped,
    "tar.gz": tarred,
}
WRITTEN = {
    "csv": csv,
    "tsv": lambda frame: frame.to_csv(index=False, sep="\t").encode(),
    "jsonl": json_lines,
    "json": lambda frame: json.dumps(frame.to_dict("records")).encode(),
    "parquet": parquet,
}


def saved(folder, name, content):
    (folder / name).write_bytes(content)
    return folder / name


def several(frame, folder):
    for number in range(len(frame)):
        saved(folder, f"part-{number}.csv", csv(frame.iloc[number : number + 1]))
    return folder / "part-*.csv"


def arrow(frame):
    return pa.Table.from_pandas(frame, preserve_index=False)


# for each form, ways to hold a frame in it
TABLES = {
    "pandas DataFrame": [
        lambda frame, _: frame,
        lambda frame, _: frame.set_index("user_id"),
        lambda frame, _: frame.astype("category"),
    ],
    "pandas MultiIndex": [lambda frame, _: pd.MultiIndex.from_frame(frame)],
    "numpy array": [lambda frame, _: frame.to_records(), lambda frame, _: np.array(frame.to_records(index=False))],
    "polars LazyFrame": [lambda frame, _: pl.from_pandas(frame).lazy()],
    "pyarrow": [
        lambda frame, _: arrow(frame),
        lambda frame, _: pa.RecordBatch.from_pandas(frame),
        lambda frame, _: arrow(frame).to_reader(max_chunksize=1),
        lambda frame, _: pl.from_pandas(frame),
        lambda frame, _: pl.from_pandas(frame).with_columns(pl.col("user_id").cast(pl.Categorical)),
        lambda frame, _: Capsule(arrow(frame)),
        lambda frame, folder: pa.dataset.dataset(saved(folder, "set.parquet", parquet(frame))),
    ],
    "path": [
        *(lambda frame, folder, form=form: saved(folder, f"ids.{form}", WRITTEN[form](frame)) for form in WRITTEN),
        *(lambda frame, folder, form=form: saved(folder, "ids", WRITTEN[form](frame)) for form in WRITTEN),
        lambda frame, folder: str(saved(folder, "ids.csv", csv(frame))),
        several,
        lambda frame, folder: str(several(frame, folder)),
    ],
    "open file": [
        *(lambda frame, _, form=form: io.BytesIO(WRITTEN[form](frame)) for form in WRITTEN),
        *(lambda frame, _, form=form: Named(WRITTEN[form](frame), f"ids.{form}") for form in WRITTEN),
        lambda frame, _: io.StringIO(frame.to_csv(index=False)),
        lambda frame, _: StreamingBody(io.BytesIO(csv(frame)), len(csv(frame))),
        lambda frame, _: pa.parquet.ParquetFile(io.BytesIO(parquet(frame))),
    ],
    "object with": [lambda frame, _: OldFrame(arrow(frame))],
    "list, tuple": [
        lambda frame, _: [frame.iloc[:1], frame.iloc[1:]],
        lambda frame, _: (frame.iloc[number : number + 1] for number in range(len(frame))),
        lambda frame, _: arrow(frame).to_batches(max_chunksize=2),
        lambda frame, _: pd.read_csv(io.BytesIO(csv(frame)), dtype=str, chunksize=1),
        lambda frame, _: pd.read_json(io.BytesIO(json_lines(frame)), lines=True, chunksize=2, dtype=False),
        lambda frame, folder: sorted(several(frame, folder).parent.glob("part-*")),
        lambda frame, _: [io.BytesIO(csv(frame.iloc[:2])), io.BytesIO(csv(frame.iloc[2:]))],
    ],
}
# and to hold ids alone
BARE = {
    "pandas Series": [
        pd.Series,
        pd.Index,
        lambda ids: pd.Series(ids, name="userId"),
        lambda ids: pd.Series(ids, dtype=object),
    ],
    "pandas array": [pd.array, pd.Categorical],
    "numpy array": [np.array, lambda ids: np.array(ids, dtype=object)],
    "pyarrow": [
        pa.array,
        lambda ids: pa.chunked_array([ids[:1], ids[1:]]),
        lambda ids: pa.array(ids).dictionary_encode(),
        lambda ids: pa.array(ids, pa.string_view()),
        lambda ids: pl.Series("user_id", ids),
        lambda ids: Capsule(pl.Series(ids)),
        lambda ids: Array(),
    ],
    "open file": [
        lambda ids: io.StringIO("\n".join(["user_id", *ids])),
        lambda ids: io.BytesIO(json.dumps(ids).encode()),
    ],
    "list, tuple": [
        list,
        tuple,
        iter,
        collections.deque,
        lambda ids: [pa.scalar(one) for one in ids],
        lambda ids: [pd.Series(ids[:2]), pd.Series(ids[2:])],
        lambda ids: [*ids[:2], int(ids[2])],
        lambda ids: dict.fromkeys(ids).keys(),
    ],
}


def each(ways):
    return [pytest.param(way, id=f"{form}-{number}") for form, all in ways.items() for number, way in enumerate(all)]


def test_the_readme_has_a_row_for_each_form():
    rows = re.findall(r"^\| (.+) \| (.+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)[1:]
    assert rows == [(form.name, form.how) for form in forms.FORMS]


def test_each_form_is_tried():
    tried = {*TABLES, *BARE}
    for form in forms.FORMS:
        assert any(form.name.startswith(beginning) for beginning in tried), form.name


@pytest.mark.parametrize("way", each(TABLES))
def test_a_table_of_any_form_is_the_same_frame(way, tmp_path):
    frame = interactions()
    assert users(way(frame, tmp_path)) == IDS
    lists = written(pnb.rankings(way(frame, tmp_path)))
    assert [(one["userId"], *one["itemList"]) for one in lists] == list(zip(IDS, "abc", strict=True))
    with pytest.raises(InputError, match="at least 1,000 interactions, got 3"):  # so train has read them all
        pnb.train(way(frame, tmp_path))


@pytest.mark.parametrize("way", each(BARE))
def test_ids_of_any_form_are_the_same_users(way):
    assert users(way(IDS)) == IDS


@pytest.mark.parametrize("codec", PACKED)
@pytest.mark.parametrize("form", WRITTEN)
def test_compressed_files_are_read_whatever_their_name_says(form, codec, tmp_path):
    packed = PACKED[codec](WRITTEN[form](interactions()))
    for name in (f"ids.{form}.{codec}", "ids", f"ids.{form}"):
        assert users(saved(tmp_path, name, packed)) == IDS
    assert users(io.BytesIO(packed)) == IDS


@pytest.mark.parametrize("codec", PACKED)
def test_a_file_that_is_cut_off_is_refused(codec, tmp_path):
    packed = PACKED[codec](csv(interactions()) * 50)
    with pytest.raises(InputError, match=r"ids\.csv\.packed.*(cannot be unpacked|cannot be read|damaged)"):
        pnb.users(saved(tmp_path, "ids.csv.packed", packed[: len(packed) // 2]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json"])
def test_byte_order_marks_are_no_part_of_an_id(form, encoding):
    content = WRITTEN[form](interactions().assign(user_id=["é", "b", "c"])).decode().encode(encoding)
    assert users(io.BytesIO(content)) == ["é", "b", "c"]


class Shade(enum.Enum):
    DARK = "x"


class Spoken:
    def __str__(self):
        return "spoken"


class Mute:
    def __repr__(self):
        raise RuntimeError("no text")


NO_IDS = [
    Spoken(),
    Mute(),
    object(),
    Shade.DARK,
    b"u1",
    bytearray(b"u1"),
    memoryview(b"u1"),
    1.0,
    np.float32(2),
    1j,
    True,
    np.True_,
    decimal.Decimal(7),
    datetime.time(1),
    np.timedelta64(5, "ns"),
    np.datetime64("2026-01-01"),
    pd.Interval(0, 1),
    ("u", "i"),
    {"userId": "u"},
    {"u"},
    np.array("u"),
    np.array(["u"]),
    pa.scalar(1.5),
    pa.scalar(b"u"),
    pa.scalar({"user_id": "u"}),
    print,
    int,
    10**5000,
    "\ud800",
]


@pytest.mark.parametrize("value", NO_IDS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("place", [1, 0])
def test_no_object_becomes_the_text_of_an_id(value, place):
    data = ["u"] * 2
    data[place] = value
    for source in (data, (one for one in data)):
        with pytest.raises(InputError) as caught:
            pnb.users(source)
        assert place in caught.value.findings["row"].tolist()


@given(
    st.lists(
        st.one_of(
            st.text(min_size=1, max_size=8),
            st.integers(),
            st.uuids(),
            st.binary(max_size=4),
            st.floats(),
            st.booleans(),
            st.none(),
            st.decimals(),
            st.fractions(),
            st.complex_numbers(),
            st.dates(),
            st.timedeltas(),
            st.tuples(st.text()),
            st.builds(Spoken),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_list_of_anything_arrives_exactly_or_is_refused(values):
    known = [one for one in values if isinstance(one, (str, int, uuid.UUID)) and not isinstance(one, bool)]
    try:
        found = users(values)
    except InputError as error:
        assert error.findings["row"].tolist()
        return
    assert len(known) == len(values)
    assert found == list(dict.fromkeys(map(str, values)))


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), min_size=1, max_size=6, unique=True))
def test_any_text_goes_exactly_through_every_form(ids):
    frame = pd.DataFrame({"user_id": ids})
    for data in (
        arrow(frame),
        arrow(frame).to_batches(max_chunksize=1),
        pl.DataFrame({"user_id": ids}),
        pl.Series(ids).cast(pl.Categorical),
        io.BytesIO(parquet(frame)),
        io.BytesIO(json_lines(frame)),
        io.BytesIO(json.dumps(ids).encode()),
        [pd.Series([one]) for one in ids],
    ):
        assert users(data) == ids


@given(st.lists(st.integers(), min_size=1, max_size=6, unique=True))
def test_any_digits_go_exactly_through_every_form(ids):
    lines = "".join(f'{{"userId": {one}}}\n' for one in ids)
    for data in (
        ids,
        io.StringIO(lines),
        io.StringIO(json.dumps(ids)),
        io.StringIO("user_id\n" + "\n".join(map(str, ids))),
    ):
        assert users(data) == [str(one) for one in ids]
    short = [one for one in ids if -(2**63) <= one < 2**63]
    assert not short or users([pa.scalar(one) for one in short]) == [str(one) for one in short]


def test_what_is_known_too_late_is_named_by_its_part():
    frames = [pd.DataFrame({"user_id": ["a"]}), pd.DataFrame({"user_id": ["b"], "x": [1]})]
    with pytest.raises(InputError, match="part 0 has .'user_id'., part 1 has .'user_id', 'x'."):
        pnb.users(frames)
    with pytest.raises(InputError, match="part 1, counted from 0, is str 'b'"):
        pnb.users([frames[0], "b"])
    with pytest.raises(InputError, match="numbers in part 0 and text in part 1.*dtype=str"):
        pnb.users([pd.DataFrame({"user_id": [7]}), pd.DataFrame({"user_id": ["007"]})])


def test_parts_with_another_order_and_other_types_are_one():
    parts = [
        pd.DataFrame({"user_id": [2**60 + 1], "age": [1]}),
        pd.DataFrame({"age": [1.5], "USER_ID": pd.array([7], "Int64")}),
    ]
    assert users(parts) == [str(2**60 + 1), "7"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"user_id\nu1\n", r"got bytes .*io\.BytesIO\(data\), an id in bytes as \[data\.decode\(\)\]"),
        (bytearray(b"u1"), r"io\.BytesIO\(data\)"),
        ({"user_id": ["a"]}, r"pandas\.DataFrame\(data\)"),
        (np.array([["a"], ["b"]]), r"array\.ravel\(\)"),
        (7, r"got int\. A single id is given as a list"),
        (object(), "Taken are: pandas DataFrame, .*polars DataFrame or Series"),
        (pd.DataFrame({"user_id": ["a"], "g": 1}).groupby("g"), "got DataFrameGroupBy"),
        (OldFrame(5), r"to_arrow\(\) of this OldFrame gave int"),
        ("ids-*.csv", "no file's name matches this pattern"),
        ("s3://bucket/ids.csv", "Download it"),
        ("\0", "There is no file"),
        ("x" * 5000, "There is no file"),
    ],
)
def test_what_is_of_no_form_is_told_what_to_make_of_it(data, told):
    with pytest.raises(InputError, match=told):
        pnb.users(data)


def test_names_are_checked_in_every_library():
    for series in (pd.Series(["a"], name="item_id"), pl.Series("itemId", ["a"])):
        with pytest.raises(InputError, match="takes 'user_id', the series is named"):
            pnb.users(series)


@pytest.mark.parametrize("ids", [pa.array([7, None]), pa.chunked_array([["a"], [None]]), pl.Series(["a", None])])
def test_a_missing_id_is_told_as_such(ids):
    with pytest.raises(InputError, match="the id is missing"):
        pnb.users(ids)
    with pytest.raises(InputError, match="the id is missing"):
        pnb.users(io.BytesIO(b'{"userId": 9007199254740993}\n{"userId": null}\n'))


def test_open_files_are_read_from_where_they_stand(tmp_path):
    path = saved(tmp_path, "ids.csv", b"user_id\na\nb\n")
    with path.open() as text, path.open("rb") as content:
        assert users(text) == users(content) == ["a", "b"]
        with pytest.raises(InputError, match="read to its end already"):
            pnb.users(text)
    with pytest.raises(InputError, match="closed file"):
        pnb.users(text)
    with path.open("w") as file, pytest.raises(InputError, match="Open it for reading"):
        pnb.users(file)
    with pytest.raises(InputError, match="of this Unreadable gave int"):
        pnb.users(Unreadable())
