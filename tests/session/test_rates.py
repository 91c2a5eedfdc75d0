"""Rates are the user's own table: every price has a source and a date, and what is no price is told row by row."""

import pandas as pd
import pytest

import personalize_nb as pnb
from personalize_nb.errors import InputError
from personalize_nb.session.rates import QUANTITIES
from personalize_nb.session.session import Session

ROW = {
    "quantity": "recommendations",
    "price": 0.05,
    "per": 1000,
    "currency": "USD",
    "source": "bill",
    "date": "2026-11-01",
}
SECOND = {**ROW, "quantity": "themes", "price": 0.5, "per": 10}


def test_a_table_is_the_same_in_every_form(tmp_path):
    rows = [ROW, SECOND]
    path = tmp_path / "rates.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    expected = pnb.Rates(rows)
    dated = pd.DataFrame(rows).assign(date=pd.to_datetime(["2026-11-01", "2026-11-01"]))
    for table in (pd.DataFrame(rows), dated, path, str(path), expected, tuple(rows)):
        assert pnb.Rates(table) == expected
    assert (
        repr(expected)
        == "<Rates in USD: recommendations 0.05 per 1,000 (bill, 2026-11-01); themes 0.5 per 10 (bill, 2026-11-01)>"
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"quantity": "lines"}, "'quantity' must be one of records, "),
        *(
            ({"price": value}, f"'price' must be a number of 0 or more, got {value!r}")
            for value in (-1, "x", None, True)
        ),
        ({"price": float("nan")}, "'price' must be a number"),
        ({"price": float("inf")}, "'price' must be a number"),
        ({"per": 0}, "'per' must be a number over 0, got 0"),
        ({"currency": " "}, "'currency' must be text, got ' '"),
        ({"source": None}, "'source' must be text, got None"),
        ({"date": "yesterday"}, "'date' must be a day such as '2026-11-01', got 'yesterday'"),
        ({"date": None}, "'date' must be a day"),
        ({"Price": 1}, "there is no column 'Price'"),
    ],
)
def test_what_is_no_price_is_told(change, told):
    with pytest.raises(InputError, match="Row 2: ") as found:
        pnb.Rates([SECOND, {**ROW, **change}])
    assert told in str(found.value) and "Rates are made of rows such as" in str(found.value)


@pytest.mark.parametrize("table", [[], {}, 3, [3], [ROW, ROW], [ROW, {**SECOND, "currency": "EUR"}]])
def test_what_is_no_table_is_refused(table):
    with pytest.raises(InputError, match="Rates are made of rows"):
        pnb.Rates(table)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read as CSV"):
        pnb.Rates(tmp_path / "none.csv")


def test_what_is_billed_and_has_no_price_is_named():
    rates = pnb.Rates([ROW])
    assert rates.unpriced({"records": 5, "recommendations": 10}) == []
    assert rates.unpriced({"records": 5, "recommendations": 10, "themes": 5}) == ["themes"]
    assert rates.unpriced({"imported_gb": 1, "interactions": 5}) == ["imported_gb", "interactions"]
    assert rates.cost({"records": 1}) is None and rates.cost({"recommendations": 2000, "records": 9}) == 0.1
    assert set(QUANTITIES) >= {"records", "recommendations", "themes"}


def test_a_session_takes_rates_from_its_environment_until_it_is_given_some(local_service, tmp_path, monkeypatch):
    path = tmp_path / "rates.csv"
    pd.DataFrame([ROW]).to_csv(path, index=False)
    monkeypatch.setenv("PERSONALIZE_NB_RATES", str(path))
    session = Session.local(local_service.path)
    assert session.rates == pnb.Rates([ROW])
    session.rates = [SECOND]
    assert session.rates == pnb.Rates([SECOND])
    session.rates = None
    assert session.rates is None
