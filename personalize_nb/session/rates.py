"""What things cost, as the user has read it: a table in which every price has a source and a date.

None is shipped: what is published of Amazon Personalize's prices disagrees, in figures and in what is counted. Without
a table the toolkit tells quantities, and the user's own table decides which of them are billed.
"""

from __future__ import annotations

import csv
import math
import numbers
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from personalize_nb import errors
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "PERSONALIZE_NB_RATES"

RECORDS, RECOMMENDATIONS, THEMES = "records", "recommendations", "themes"
SEGMENT_USERS = "segment_users"
IMPORTED, INTERACTIONS, HOURS = "imported_gb", "interactions", "training_hours"
# what is counted, with what one of it is called, and several
QUANTITIES = {
    RECORDS: ("record", "records"),
    RECOMMENDATIONS: ("recommendation", "recommendations"),
    THEMES: ("theme", "themes"),
    SEGMENT_USERS: ("user in segments", "users in segments"),
    IMPORTED: ("GB imported", "GB imported"),
    INTERACTIONS: ("interaction", "interactions"),
    HOURS: ("training hour", "training hours"),
}
# Of each line one price is enough, because the sources disagree on what of it is counted. The first tells the line
# from others: records are read for recommendations as well as for segments, and the price of one is none of the other.
BILLED = ((RECOMMENDATIONS, RECORDS), (SEGMENT_USERS, RECORDS), (THEMES,), (IMPORTED,), (INTERACTIONS, HOURS))

_COLUMNS = ("quantity", "price", "per", "currency", "source", "date")
_EXAMPLE = (
    "[{'quantity': 'recommendations', 'price': 0.05, 'per': 1000, 'currency': 'USD', 'source': 'our contract', "
    "'date': '2026-11-01'}]"
)


@dataclass(frozen=True)
class Rate:
    """One price.

    Parameters
    ----------
    quantity
        What is counted, one of `QUANTITIES`.
    price
        What `per` of it cost.
    per
        How many have that price.
    currency
        For example `USD`.
    source
        Where the price was read.
    date
        When, as ISO text.
    """

    quantity: str
    price: float
    per: float
    currency: str
    source: str
    date: str


@public
class Rates:
    """A table of prices, each with its source and date; `session.rates = ...` takes whatever makes one.

    Every quantity that has a row is billed. The sources disagree on whether a line of input or a recommended item is
    counted, and whether a training is billed by hours or by interactions: give the row that your bill has.

    Parameters
    ----------
    table
        A frame, a list of mappings, or the path of a CSV file, with `quantity` (`records`, `recommendations`, `themes`,
        `segment_users`, `imported_gb`, `interactions`, `training_hours`), `price`, `per` (1 where it is left out),
        `currency`, `source`, `date`.

    Raises
    ------
    InputError
        Rows are no prices; the message names every one.

    References
    ----------
    Amazon Personalize's pricing page; what it and the Price List API say disagrees, so no prices are shipped.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> row = {"quantity": "recommendations", "price": 0.05, "per": 1000, "currency": "USD"}
    >>> rates = pnb.Rates([{**row, "source": "our contract", "date": "2026-11-01"}])
    >>> rates
    <Rates in USD: recommendations 0.05 per 1,000 (our contract, 2026-11-01)>
    >>> job = {"records": 200, "recommendations": 5000}
    >>> rates.cost(job), rates.sources(job)
    (0.25, 'our contract, 2026-11-01')
    >>> rates.unpriced({"themes": 12})
    ['themes']
    >>> pnb.Rates.of(None) is None
    True
    """

    def __init__(self, table: Rates | pd.DataFrame | Iterable[Mapping[str, Any]] | str | Path):
        wrong: list[str] = []
        self.rows: tuple[Rate, ...] = table.rows if isinstance(table, Rates) else tuple(_read(table, wrong))
        names = [one.quantity for one in self.rows]
        wrong += [f"{name!r} has {names.count(name)} rows; one price is legal." for name in _twice(names)]
        currencies = sorted({one.currency for one in self.rows})
        if len(currencies) > 1:
            wrong.append(f"The prices are in {', '.join(currencies)}; one currency is legal.")
        if not self.rows and not wrong:
            wrong.append("The table has no rows.")
        if wrong:
            raise errors.InputError("\n".join([*wrong, f"Rates are made of rows such as {_EXAMPLE}."]))
        self.currency = currencies[0]

    @classmethod
    def of(cls, table: Rates | pd.DataFrame | Iterable[Mapping[str, Any]] | str | Path | None) -> Self | None:
        """Return a table of whatever makes one.

        Parameters
        ----------
        table
            As for `Rates`; None for none.

        Returns
        -------
        Rates or None
            None of nothing.

        Raises
        ------
        InputError
            Rows are no prices; the message names every one.
        """
        return table if table is None or isinstance(table, cls) else cls(table)

    def cost(self, quantities: Mapping[str, float]) -> float | None:
        """Return what quantities cost.

        Parameters
        ----------
        quantities
            How much of each, by the names of `quantity`: `{"records": 200}`.

        Returns
        -------
        float or None
            In `currency`; None where the table prices none of them.
        """
        prices = [one.price * quantities[one.quantity] / one.per for one in self.rows if one.quantity in quantities]
        return math.fsum(prices) if prices else None

    def unpriced(self, quantities: Mapping[str, float]) -> list[str]:
        """Return what is billed of quantities and has no price here.

        Parameters
        ----------
        quantities
            How much of each, by name.

        Returns
        -------
        list of str
            The names of rows that would price it.
        """
        priced = {one.quantity for one in self.rows}
        lacking = [line for line in BILLED if _is_billed(line, quantities) and not priced & {*line}]
        told = (" or ".join(name for name in QUANTITIES if name in line and quantities.get(name)) for line in lacking)
        return list(dict.fromkeys(told))

    def sources(self, quantities: Mapping[str, float]) -> str:
        """Return where the prices of quantities were read, and when.

        Parameters
        ----------
        quantities
            How much of each, by name.

        Returns
        -------
        str
            Sources with their dates, each once.
        """
        used = dict.fromkeys(f"{one.source}, {one.date}" for one in self.rows if one.quantity in quantities)
        return "; ".join(used)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rates) and self.rows == other.rows

    def __hash__(self) -> int:
        return hash(self.rows)

    def __repr__(self) -> str:
        told = (
            f"{one.quantity} {one.price:g}{'' if one.per == 1 else f' per {one.per:,g}'} ({one.source}, {one.date})"
            for one in self.rows
        )
        return f"<Rates in {self.currency}: {'; '.join(told)}>"


def _is_billed(line: tuple[str, ...], quantities: Mapping[str, float]) -> bool:
    """Tell whether quantities have anything of a line; what lines share is of the one whose first is there."""
    if not any(quantities.get(name) for name in line):
        return False
    sharing = (one[0] for one in BILLED if {*one} & {*line})
    return line[0] in quantities or not any(name in quantities for name in sharing)


def _read(table: Any, wrong: list[str]) -> Iterator[Rate]:
    if isinstance(table, (str, Path)):
        table = _of_file(Path(table).expanduser())
    rows = table.to_dict("records") if hasattr(table, "to_dict") and not isinstance(table, Mapping) else table
    if isinstance(rows, Mapping) or not isinstance(rows, Iterable):
        wrong.append(f"Rates are a frame, a list of mappings, or the path of a CSV file, got {table!r}.")
        return
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            wrong.append(f"Row {number} must be a mapping, got {row!r}.")
            continue
        problems = list(_problems(row))
        wrong += [f"Row {number}: {one}" for one in problems]
        if not problems:
            texts = {name: str(row[name]).strip() for name in ("quantity", "currency", "source")}
            yield Rate(**texts, price=float(row["price"]), per=float(_per(row)), date=_day(row["date"]).isoformat())


def _of_file(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise errors.InputError(f"The table of rates {str(path)!r} cannot be read as CSV: {error}.") from error


def _problems(row: Mapping[str, Any]) -> Iterator[str]:
    unknown = [name for name in row if name not in _COLUMNS]
    if unknown:
        yield f"there is no column {unknown[0]!r}; legal are {', '.join(_COLUMNS)}."
    if row.get("quantity") not in QUANTITIES:
        yield f"'quantity' must be one of {', '.join(QUANTITIES)}, got {row.get('quantity')!r}."
    for name, value, least in (("price", row.get("price"), 0.0), ("per", _per(row), None)):
        number = _number(value)
        if number is None or not (number > 0 if least is None else number >= least):
            yield f"{name!r} must be a number {'over 0' if least is None else 'of 0 or more'}, got {value!r}."
    for name in ("currency", "source"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            yield f"{name!r} must be text, got {row.get(name)!r}."
    try:
        _day(row.get("date"))
    except ValueError:
        yield f"'date' must be a day such as '2026-11-01', got {row.get('date')!r}."


def _per(row: Mapping[str, Any]) -> Any:
    value = row.get("per")
    missing = value is None or value == "" or (isinstance(value, float) and math.isnan(value))
    return 1 if missing else value


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (str, numbers.Real)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _day(value: Any) -> date:
    day = value.date() if hasattr(value, "date") else value  # a datetime, or a frame's timestamp
    return day if isinstance(day, date) else date.fromisoformat(str(value).strip())


def _twice(names: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]
