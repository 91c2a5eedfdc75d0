"""Attributes of items become Amazon's text, and what the service reads of it is what was given."""

from __future__ import annotations

import io

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_nb.errors import InputError
from personalize_nb.inputs import queries
from personalize_nb.local.filters.expression import parse
from personalize_nb.local.filters.syntax import EQUALS, ITEMS

FIELDS = [
    {"name": "ITEM_ID", "type": "string"},
    {"name": "GENRE", "type": ["null", "string"], "categorical": True},
    {"name": "STUDIO", "type": "string"},
    {"name": "YEAR", "type": "int"},
    {"name": "PRICE", "type": ["float", "null"]},
    {"name": "RELEASE_DATE", "type": "long"},
    {"name": "PLOT", "type": "string", "textual": True},
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n|"), min_size=1, max_size=12).filter(
    str.strip
)


def written(data, apart=()):
    """Return the texts that data become."""
    return queries.query_frame(queries.read(data), FIELDS, apart)["item_attributes"].tolist()


def read(text):
    """Return what the service reads: a field and a value for each equality."""
    (clause,) = parse(f"INCLUDE ItemID WHERE {text}").clauses
    assert clause.dataset == ITEMS and len(clause.any_of) == 1 and not clause.guards
    assert all(one.operator == EQUALS for one in clause.conditions)
    return [(one.field.name, one.values[0].text) for one in clause.conditions]


@given(
    genres=st.lists(TEXTS, min_size=1, max_size=3, unique=True),
    studio=st.none() | TEXTS,
    year=st.none() | st.integers(-(2**31), 2**31 - 1),
    price=st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
)
def test_the_service_reads_what_was_given(genres, studio, year, price):
    asked = {"genre": genres, "Studio": studio, "year": year, "PRICE": price}
    wanted = [("GENRE", genre) for genre in genres]
    wanted += [("STUDIO", studio)] if studio is not None else []
    wanted += [("YEAR", str(year))] if year is not None else []
    frame = pd.DataFrame([{**asked, "genre": "x"}, asked], dtype=object)
    for (text,) in (written(asked), written([asked]), written(frame)[1:]):
        found = read(text)
        assert [pair for pair in found if pair[0] != "PRICE"] == wanted
        assert [float(value) for name, value in found if name == "PRICE"] == ([] if price is None else [price])
        assert written(text) == [text], "a text that was written is one that is taken"


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        ({"genre": "Comedy|Drama"}, ['ITEMS.GENRE = "Comedy" AND ITEMS.GENRE = "Drama"']),
        ({"genre": ["Comedy|Drama"]}, ['ITEMS.GENRE = "Comedy|Drama"']),
        ({"studio": "A|B"}, ['ITEMS.STUDIO = "A|B"']),
        ({"year": 1990.0, "price": "9.50"}, ["ITEMS.YEAR = 1990 AND ITEMS.PRICE = 9.50"]),
        ({"release date": pd.Timestamp("1970-01-02", tz="UTC")}, ["ITEMS.RELEASE_DATE = 86400"]),
        ({"genre": "a", "GENRE": "a"}, ['ITEMS.GENRE = "a"']),
        ({"studio": 7}, ['ITEMS.STUDIO = "7"']),
        (pd.DataFrame({"year": [1990, None]}).assign(genre="a"), ["ITEMS.YEAR = 1990", "a"]),
        (pl.DataFrame({"GENRE": ["a", None], "YEAR": [None, 3]}), ['ITEMS.GENRE = "a"', "ITEMS.YEAR = 3"]),
        (pd.Series(["a", "b"], name="Genre"), ['ITEMS.GENRE = "a"', 'ITEMS.GENRE = "b"']),
        (io.StringIO('item_attributes\n"ITEMS.GENRE = ""a"""\n'), ['ITEMS.GENRE = "a"']),
        (io.StringIO('{"itemAttributes": "ITEMS.YEAR = 3"}\n'), ["ITEMS.YEAR = 3"]),
        ("items.genre='a' and Items.YEAR = -1e3", ["items.genre='a' and Items.YEAR = -1e3"]),
    ],
)
def test_forms(data, texts):
    found = written(data)
    assert len(found) == len(texts)
    assert all(wanted in text for wanted, text in zip(texts, found, strict=True))


def test_columns_of_a_filter_stay_apart():
    frame = pd.DataFrame({"genre": ["a"], "age": [30]})
    assert written(frame, ("AGE",)) == ['ITEMS.GENRE = "a"']
    with pytest.raises(InputError, match=r"\['age'\] are none: the items have GENRE, STUDIO"):
        written(frame)
    with pytest.raises(InputError, match="may be attributes of items or values of the filter"):
        written(frame, ("GENRE", "AGE"))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ('ITEMS.GENRE = "a" OR ITEMS.YEAR = 3', "joined with AND"),
        ('ITEMS.GENRE = "a" AND', "joined with AND"),
        ('ITEMS.GENRE = "a" ITEMS.YEAR = 3', "joined with AND"),
        ("ITEMS.YEAR > 3", "joined with AND"),
        ('ITEMS.GENRE IN ("a")', "joined with AND"),
        ("ITEMS.GENRE = $G", "joined with AND"),
        (["Comedy"], "joined with AND"),
        ([7], "a query is a text"),
        ([None], "a query is a text"),
        ([{}], "no attribute with a value"),
        ([{"genre": ""}], "no attribute with a value"),
        ({"gener": "a"}, r"no field 'gener' \(did you mean GENRE\?\)"),
        ("ITEMS.NOPE = 1", "no field 'NOPE'"),
        ("ITEMS.PLOT = 'x'", "PLOT is a textual field"),
        ({"year": 1.5}, "YEAR is a whole number, got '1.5'"),
        ({"year": "late"}, "YEAR is a number, got 'late'"),
        ({"price": "nan"}, "PRICE is a finite number"),
        ({"genre": "\ud800"}, "Unicode"),
        ({"genre": object()}, "got object"),
        (pd.DataFrame({"item_id": ["a"]}), "Ids are for the recipe aws-item-affinity"),
        (pd.DataFrame({"genre": ["a"], "GENRE": ["b"]}), "are one attribute"),
        (pd.DataFrame({"item_attributes": ["ITEMS.YEAR = 3"], "itemAttributes": ["x"]}), "is there twice"),
    ],
)
def test_what_cannot_be_asked_is_told_by_row(data, told):
    with pytest.raises(InputError, match=told):
        written(data)


def test_every_wrong_row_is_told_at_once():
    with pytest.raises(InputError) as refused:
        written([{"genre": "a"}, {"nope": 1}, {"year": "x"}, {"nope": 2}])
    assert refused.value.findings["row"].tolist() == [1, 2, 3]
