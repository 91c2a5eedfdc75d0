"""Filters: values quoted for the user, placeholders read off the expression, the service's own answers."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.errors import AlreadyExistsError, InputError, NotFoundError, ServiceError
from personalize_nb.resources import filter_texts

SHELF = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("comedy", '"comedy"'),
        (["comedy", "drama"], '"comedy","drama"'),
        ("Action|Comedy", '"Action","Comedy"'),
        ('say "hi" \\ bye', '"say \\"hi\\" \\\\ bye"'),
        ('"ready","made"', '"ready","made"'),
        (5, '"5"'),
        (5.0, '"5"'),
        (1.5, '"1.5"'),
        (np.int64(5), '"5"'),
        (np.float32(0.5), '"0.5"'),
        (True, '"True"'),
        (pd.Timestamp("2026-01-01"), '"1767225600"'),
        (datetime.date(2026, 1, 1), '"1767225600"'),
        (None, None),
        (float("nan"), None),
        (pd.NaT, None),
        (pd.NA, None),
        (np.array(["a", "b"], dtype=object), '"a","b"'),
        (pd.Series([1, None], dtype="Int64"), '"1"'),
        (np.datetime64("2026-01-01", "ns"), '"1767225600"'),
        (decimal.Decimal("1.50"), '"1.50"'),
        ([], None),
        ("", None),
    ],
)
def test_quoted(value, text):
    assert filter_texts.quoted(value) == text


@pytest.mark.parametrize("value", [b"x", {"a": 1}, pd.Timedelta(days=1), [float("inf")]])
def test_what_is_no_filter_value(value):
    with pytest.raises(InputError, match="A filter value"):
        filter_texts.quoted(value)


@given(
    st.lists(
        st.text(st.characters(exclude_characters="|"), min_size=1).filter(lambda one: one == one.strip()), min_size=1
    )
)
def test_unquoted_is_the_inverse(values):
    assume(len(values) > 1 or not values[0].startswith('"'))  # one quoted text is kept as it is
    assert filter_texts.unquoted(filter_texts.quoted(values)) == "|".join(values)


@pytest.mark.parametrize(
    ("expression", "names", "needed"),
    [
        (SHELF, ("SHELF",), ("SHELF",)),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("$CATEGORY")', ("CATEGORY",), ("CATEGORY",)),
        ('INCLUDE ItemID WHERE Items.A IN ("costs $5")', (), ()),
        ("EXCLUDE ItemID WHERE Items.A IN ($A) IF CurrentUser.AGE = $AGE", ("A", "AGE"), ()),
        ("include itemid where Items.A in ($A) | exclude itemid where Items.B in ($B)", ("A", "B"), ("A",)),
        ("INCLUDE ItemID WHERE Items.P < $P AND Items.P > $P", ("P",), ("P",)),
    ],
)
def test_placeholders(expression, names, needed):
    assert filter_texts.placeholders(expression) == names
    assert filter_texts.required_placeholders(expression) == needed


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("INCLUDE ItemID WHERE Items.P < $MOST AND Items.P >= $LEAST AND Items.G IN ($G)", ("MOST", "LEAST")),
        ('EXCLUDE ItemID WHERE Items.G IN ($G) IF CurrentUser.AGE >"$AGE"', ("AGE",)),
        ("INCLUDE ItemID WHERE Items.P = $P AND Items.Q != $Q", ()),
        ('INCLUDE ItemID WHERE Items.G IN ("a < $b") AND Items.P <= 5', ()),
    ],
)
def test_placeholders_that_stand_for_a_number(expression, names):
    assert filter_texts.number_placeholders(expression) == names


@pytest.fixture(scope="module")
def shelf_filter(readers_model, session):
    return pnb.create_filter("client-shelf", SHELF, readers_model, progress=False, session=session)


def test_a_filter_names_its_placeholders(shelf_filter):
    assert shelf_filter.status == "ACTIVE"
    assert shelf_filter.placeholders == ("SHELF",)
    assert repr(shelf_filter) == (
        "<Filter client-shelf ACTIVE: pnb.recommend(..., filter='client-shelf', filter_values={'SHELF': ...})>"
    )


def test_the_same_filter_again_is_used(shelf_filter, readers_model, session, capsys):
    assert pnb.create_filter("client-shelf", SHELF, readers_model, session=session) == shelf_filter
    assert "exists already" in capsys.readouterr().err


def test_another_expression_under_the_same_name_is_refused(shelf_filter, readers_model, session):
    with pytest.raises(AlreadyExistsError, match="'client-shelf' exists with another expression"):
        pnb.create_filter("client-shelf", SHELF.replace("INCLUDE", "EXCLUDE"), readers_model, session=session)


def test_a_bad_expression_is_told_by_the_service(readers_model, session):
    with pytest.raises(ServiceError, match="CreateFilter: .*InvalidInputException") as caught:
        pnb.create_filter("client-bad", "INCLUDE ItemID WHERE", readers_model, session=session)
    assert caught.value.code == "InvalidInputException"


def test_an_unknown_filter_names_near_ones(shelf_filter, session):
    with pytest.raises(NotFoundError, match="no filter 'client-shelv'; there is 'client-shelf'"):
        pnb.find_filter("client-shelv", session)
    assert pnb.find_filter(shelf_filter.arn, session) == shelf_filter


def test_filters_are_listed(shelf_filter, session):
    listed = pnb.list_filters(session).set_index("name")
    assert listed.loc["client-shelf", ["status", "expression", "placeholders"]].tolist() == ["ACTIVE", SHELF, "SHELF"]
