"""What a frame holds arrives exactly in the dataset, or is refused with column, rows and a repair that works."""

import datetime
import decimal
import enum
import io
import json
import pathlib
import re
import uuid

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.errors import InputError
from personalize_nb.inputs.ids import Findings
from personalize_nb.local.data.csv_files import read_csv_files
from personalize_nb.local.data.schema import Schema
from personalize_nb.training import schemas, timestamps

CUT = json.loads('"nice \\ud83d"')  # the first half of an emoji
NOW = 1_790_000_000.0
SECOND = 1_700_000_000
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12)


class Colour(enum.Enum):
    RED = 1


def items(values, name="x", dtype=object):
    frame = pd.DataFrame({"item_id": [f"i{number}" for number in range(len(values))], "n": range(len(values))})
    frame[name] = pd.Series(values, dtype=dtype)
    return frame


def imported(frame, kind="ITEMS", **options):
    """Return the rows as the service reads them from the file that a training uploads."""
    dataset = schemas.prepare(kind, frame, **options)
    file = io.BytesIO()
    dataset.write_csv(file)
    file.seek(0)
    return pa.Table.from_batches(
        read_csv_files([("rows.csv", lambda: file)], Schema.from_avro(kind, dataset.schema))
    ), dataset


def refused(frame, kind="ITEMS"):
    with pytest.raises(InputError) as caught:
        schemas.prepare(kind, frame)
    return caught.value


@given(st.lists(ANY_TEXT, min_size=3, max_size=6))
def test_any_text_arrives_or_its_rows_are_named(texts):
    halves = [row for row, text in enumerate(texts) if any(0xD800 <= ord(one) <= 0xDFFF for one in text)]
    if halves:
        error = refused(items(texts))
        found = error.findings[error.findings["column"] == "x"]
        assert found["row"].tolist() == halves
        assert "half of a character" in str(error)
        return
    # an import has no line breaks and tabs in a text, and no difference between an empty one and none
    expected = [re.sub(r"[\r\n\t]+", " ", text) or None for text in texts]
    table, _ = imported(items(texts), categorical=["x"], textual=False)
    assert table.column("X").to_pylist() == expected


@given(st.lists(ANY_TEXT, min_size=2, max_size=5, unique=True))
def test_any_id_arrives_or_its_rows_are_named(ids):
    frame = pd.DataFrame({"item_id": pd.Series(ids, dtype=object), "n": range(len(ids))})
    try:
        table, _ = imported(frame)
    except InputError as error:
        assert set(error.findings["column"]) == {"item_id"}
        assert len(error.findings)
    else:
        assert table.column("ITEM_ID").to_pylist() == ids


@pytest.mark.parametrize("column", ["user_id", "item_id", "event_type", "device"])
def test_half_a_character_is_found_in_every_column_of_interactions(column):
    frame = pd.DataFrame({"user_id": ["u"] * 3, "item_id": ["i"] * 3, "timestamp": SECOND}).assign(
        event_type="e", device=["a", "b", "c"]
    )
    frame[column] = pd.Series(["x", CUT, "y"], dtype=object)
    error = refused(frame, "INTERACTIONS")
    assert error.findings[["row", "column"]].to_numpy().tolist() == [[1, column]]


def test_the_repair_of_half_a_character_works():
    frame = items([CUT, None, "whole \N{GRINNING FACE}"])
    repair = re.search(r"(frame\['x'\] = .*?'ignore'\), na_action='ignore'\))", str(refused(frame)))[1]
    exec(repair, {"frame": frame})
    table, _ = imported(frame, categorical=["x"])
    assert table.column("X").to_pylist() == ["nice ", None, "whole \N{GRINNING FACE}"]


SCALARS = st.one_of(
    st.text("ab|\\\"' ,", max_size=4),
    st.integers(),
    st.floats(allow_infinity=False),
    st.booleans(),
    st.none(),
    st.dates(),
    st.uuids(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
)
ODD = st.one_of(
    st.builds(object),
    st.just(Colour.RED),
    st.just(pathlib.PurePosixPath("/x")),
    st.binary(max_size=3),
    st.lists(st.text(max_size=2), min_size=1, max_size=2),
    st.dictionaries(st.text(max_size=1), st.integers(), max_size=2),
    st.complex_numbers(),
    st.timedeltas(),
)


@given(st.lists(st.lists(SCALARS, max_size=4), min_size=3, max_size=5))
def test_a_list_is_its_elements_or_is_refused(cells):
    texts = [[str(one) for one in cell if one is not None and one == one and str(one)] for cell in cells]
    barred = [row for row, cell in enumerate(texts) if any("|" in one for one in cell)]
    if barred:
        error = refused(items(cells))
        bars = error.findings["problem"].str.contains("'|', which separates", regex=False)
        assert error.findings.loc[bars, "row"].tolist() == barred
        return
    table, dataset = imported(items(cells), categorical=["x"], textual=False)
    assert [[] if one is None else one.split("|") for one in table.column("X").to_pylist()] == texts
    gaps = any(len(kept) < len(cell) for kept, cell in zip(texts, cells, strict=True))
    assert gaps == any("elements of the list are left out" in note for note in dataset.notes)


@given(st.lists(st.one_of(SCALARS, ODD, st.lists(st.one_of(SCALARS, ODD), max_size=2)), min_size=2, max_size=5))
def test_no_object_becomes_its_own_name(values):
    try:
        table, _ = imported(items([*values, "text"]))
    except InputError as error:
        assert "x" in str(error)
    else:
        for cell in table.column("X").to_pylist():
            assert not re.search(r" at 0x|Colour\.|PurePosixPath|\[|\{|b'", str(cell))


def test_sets_have_one_order_so_that_the_file_stays():
    frame = items([{"b", "a", "c"}, frozenset("ca"), {"a"}])
    assert schemas.prepare("ITEMS", frame).table.column("X").to_pylist() == ["a|b|c", "a|c", "a"]


def test_a_category_of_lists_that_hold_bars_names_the_repair_that_works():
    frame = items([["rock|pop", "jazz"], None, ["jazz"]])
    repair = re.search(r"(frame\['x'\] = .*? na_action='ignore'\))", str(refused(frame)))[1]
    exec(repair, {"frame": frame})
    assert schemas.prepare("ITEMS", frame).table.column("X").to_pylist() == ["rock/pop|jazz", None, "jazz"]


@given(st.lists(st.one_of(st.integers(), st.none()), min_size=3, max_size=6).filter(lambda some: any(some)))
def test_whole_numbers_keep_every_digit(numbers):
    table, dataset = imported(items(numbers), categorical=["n"])
    assert [None if one is None else int(one) for one in table.column("X").to_pylist()] == numbers
    beyond = [row for row, one in enumerate(numbers) if one is not None and not -(2**63) <= one < 2**63]
    noted = [note for note in dataset.notes if "beyond 64 bits" in note]
    assert len(noted) == bool(beyond)
    assert all(f"{len(beyond)} of {len(numbers)} rows, counted from 0: {beyond[0]}: " in note for note in noted)


def test_numbers_that_a_double_rounds_are_noted():
    for value in (decimal.Decimal("1.234567890123456789"), 2**70):
        notes = schemas.prepare("ITEMS", items([value, 1.5, 2.5])).notes
        assert any("more digits than a double holds; it is rounded (1 of 3 rows" in note for note in notes)
    assert schemas.prepare("ITEMS", items([decimal.Decimal("0.1"), decimal.Decimal("9.99"), 2])).notes == ()
    assert "read the column as Int64" in schemas.prepare("ITEMS", items([2.0**60, None, 1.0], dtype=float)).notes[0]


def test_short_floats_keep_their_digits_and_zero_has_no_sign():
    for dtype in ("float32", "float16", "Float32", "float[pyarrow]"):
        table, _ = imported(items([0.1, -0.0, 2.5], dtype=dtype))
        assert table.column("X").to_pylist() == [0.1, 0.0, 2.5]
        assert not np.signbit(table.column("X").to_numpy()).any()


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([*map(str, range(1990, 1999)), "2006\N{EN DASH}2007"], r"no number while .*1 of 10 rows, .*9: '2006.2007'"),
        ([*map(str, range(1990, 1999)), "n/a"], r"errors='coerce'\), .*9: 'n/a'"),
        ([*map(str, range(1990, 1999)), ""], r"an empty text is no number .*errors='coerce'\), .*9: ''"),
        ([*map(str, range(1990, 1999)), " "], r"no number while .*9: ' '"),
        ([*map(str, range(9)), "1,200"], r"a number with separators .*9: '1,200'"),
        ([*map(str, range(9)), "1 200"], r"a number with separators .*9: '1 200'"),
    ],
)
def test_cells_that_make_a_column_of_numbers_text_are_named(texts, told):
    (note,) = schemas.prepare("ITEMS", items(texts)).notes
    assert re.search(told, note)
    assert schemas.prepare("ITEMS", items(texts), categorical=["x"]).notes == ()  # then it is meant
    repaired = items(texts)
    exec("frame['x'] = pd.to_numeric(frame['x'], errors='coerce')", {"frame": repaired, "pd": pd})
    assert schemas.prepare("ITEMS", repaired).table.column("X").null_count == 1


@pytest.mark.parametrize(
    "texts",
    [
        [*(f"0{number}" for number in range(9)), "x"],  # codes
        [*(str(10**15 + number) for number in range(9)), "x"],  # article numbers
        ["PG", "12", "16", "18", "PG", "12"],
        ["a", "b", "c"],
    ],
)
def test_texts_that_are_no_numbers_are_left_alone(texts):
    assert schemas.prepare("ITEMS", items(texts)).notes == ()


def read_times(values, required=True):
    findings = Findings()
    read = timestamps.to_epoch_seconds(pd.Series(values), "t", findings, required=required, now=NOW)
    findings.raise_errors(len(values), "rows")
    return read.to_pylist(), findings.sentences(len(values))


MOMENTS = st.lists(st.integers(1_000_000_000, 1_790_000_000), min_size=1, max_size=5)


@given(MOMENTS, st.sampled_from([1, 10**3, 10**6, 10**9]), st.sampled_from([int, float, str]), st.integers(0, 999))
def test_a_time_in_a_unit_that_is_sure_arrives_to_the_second(moments, unit, kind, rest):
    given_times = [kind(one * unit + rest % unit) for one in moments]
    seconds, notes = read_times(given_times)
    slack = 1 if kind is float and unit == 10**9 else 0  # a float holds such a time to 256 nanoseconds
    assert all(abs(read - one) <= slack for read, one in zip(seconds, moments, strict=True))
    assert bool(notes) == (unit > 1)


SINCE_1601, SINCE_0001 = 11_644_473_600, 62_135_596_800


@given(MOMENTS, st.booleans())
def test_scales_of_other_systems_are_refused_with_a_repair_that_works(moments, required):
    for scale in (
        [(one + SINCE_0001) * 10**7 for one in moments],  # .NET
        [(one + SINCE_1601) * 10**7 for one in moments],  # Windows
        [(one + SINCE_1601) * 10**6 for one in moments],  # WebKit
        [one / 86_400 + 25_569 for one in moments],  # a spreadsheet
    ):
        with pytest.raises(InputError) as caught:
            read_times(scale, required)
        repair = re.search(r"(frame\['t'\] = pd\..*?\)) \(\d", str(caught.value))[1]
        frame = pd.DataFrame({"t": scale})
        exec(repair, {"frame": frame, "pd": pd})
        seconds, _ = read_times(frame["t"], required)
        assert all(abs(read - one) <= 1 for read, one in zip(seconds, moments, strict=True))


@given(st.lists(st.integers(-(10**19), 10**19), min_size=1, max_size=3))
def test_no_number_becomes_an_unlikely_time_in_a_unit_that_was_guessed(numbers):
    try:
        seconds, notes = read_times(numbers)
    except InputError:
        return
    if seconds != numbers:  # divided: then it is likely, and said
        assert any("they are imported in seconds" in note for note in notes)
        assert all(one == 0 or 631_152_000 <= one <= NOW + 366 * 86_400 for one in seconds)
    elif any(not 631_152_000 <= one <= NOW + 366 * 86_400 for one in seconds):
        assert any("kept as it is" in note for note in notes)


def test_small_and_far_seconds_are_kept_and_said():
    for numbers, told in (
        ([0, 5, 1_000_000], "lies in 1970"),
        ([19_000, 19_100], r"are they days since 1970\?"),
        ([472_222, 444_444], r"are they hours since 1970\?"),
        ([18_879_869_184], "lies in 2568"),
        (pd.to_datetime([SECOND]), "lies in 1970"),  # seconds that pandas took for nanoseconds
    ):
        seconds, (note,) = read_times(numbers)
        assert re.search(told, note)
        assert seconds == [1] if not isinstance(numbers, list) else seconds == numbers


def test_items_may_be_older_than_computers_but_not_of_early_1970_unsaid():
    born = [datetime.datetime(1950, 1, 1, tzinfo=datetime.UTC).timestamp(), 0.0]
    assert read_times(born, required=False) == ([-631_152_000, 0], [])
    assert "are they days" in read_times([19_000, 19_100], required=False)[1][0]


PLAIN = pd.DataFrame({"user_id": [f"u{row}" for row in range(40)], "item_id": "i", "timestamp": SECOND})


def reread(frame, **options):
    return pd.read_csv(io.StringIO(frame.to_csv(**options)))


@given(
    st.sampled_from(["Unnamed: 0", "", "Unnamed: 0.1", "__index_level_0__", "index", "level_0", "row_nr"]),
    st.sampled_from(["whole", "one", "filtered", "shuffled", "twice", "text", "float"]),
)
def test_row_numbers_never_make_another_structure(name, how):
    numbers = np.arange(len(PLAIN))
    if name not in ("index", "level_0", "row_nr"):
        numbers = {"shuffled": numbers[::-1], "twice": np.tile(numbers[:20], 2)}.get(how, numbers)
    if name != "row_nr":
        numbers = {"filtered": np.arange(len(PLAIN)) * 3 + 2}.get(how, numbers)
    numbers = {"one": numbers + 1, "text": numbers.astype(str).astype(object), "float": numbers * 1.0}.get(how, numbers)
    dataset = schemas.prepare("INTERACTIONS", PLAIN.assign(**{name: numbers}))
    assert dataset.schema == schemas.prepare("INTERACTIONS", PLAIN).schema
    assert dataset.notes == (f"column {name!r} of the interactions holds only row numbers; it is left out",)


def test_frames_saved_with_their_index_are_the_same_dataset():
    expected = schemas.prepare("INTERACTIONS", PLAIN)
    for saved in (reread(PLAIN), reread(reread(PLAIN)), PLAIN.reset_index(), PLAIN.reset_index().reset_index()):
        assert schemas.prepare("INTERACTIONS", saved).table.equals(expected.table)
    commas = "\n".join(f"{line}," for line in PLAIN.to_csv(index=False).splitlines())
    dataset = schemas.prepare("INTERACTIONS", pd.read_csv(io.StringIO(commas)))
    assert dataset.notes == ("column 'Unnamed: 3' of the interactions holds nothing; it is left out",)


@pytest.mark.parametrize("values", [["a", "b"] * 20, [7] * 40, [0.5] * 40, pd.date_range("2020", periods=40)])
def test_a_nameless_column_of_something_else_is_refused(values):
    error = refused(PLAIN.assign(**{"Unnamed: 3": values}), "INTERACTIONS")
    assert "has no name and holds" in str(error)
    assert "frame.drop(columns='Unnamed: 3')" in str(error)


def test_a_column_that_is_named_so_by_its_owner_stays():
    for name, values in (("index", [3, 1] * 20), ("row_nr", [5] * 40), ("level_2", [0.5] * 40)):
        assert schemas.amazon_name(name) in schemas.prepare("INTERACTIONS", PLAIN.assign(**{name: values})).described()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a\ud83d", "half of a character"),
        ("\N{CJK UNIFIED IDEOGRAPH-4FA1}", "no letter or digit"),
        ("a" * 151, "151 characters; at most 150"),
    ],
)
def test_names_that_no_schema_can_have_are_refused(name, told):
    names = pd.Index([*PLAIN.columns, name], dtype=object)
    assert told in str(refused(PLAIN.assign(x=1).set_axis(names, axis=1), "INTERACTIONS"))


def test_everything_that_is_wrong_with_a_frame_is_told_at_once():
    frame = items([object(), 1, 2]).assign(a=pd.to_timedelta([1, 2, 3]), b=[1j] * 3, item_id=["i", None, "i"])
    told = str(refused(frame))
    for part in ("'a' holds timedelta", "'b' holds complex", "x: the value is of the type object", "the id is missing"):
        assert part in told


def test_texts_of_many_kinds_are_known():
    values = [uuid.UUID(int=1), datetime.date(2026, 1, 2), decimal.Decimal("1.50"), np.int64(3), True, pa.scalar("s")]
    table, _ = imported(items(values), categorical=["x"])
    assert table.column("X").to_pylist() == [str(uuid.UUID(int=1)), "2026-01-02", "1.50", "3", "True", "s"]
