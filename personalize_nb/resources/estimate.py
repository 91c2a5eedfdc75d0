"""What work comes to before it is started: quantities, what they cost by the user's rates, and how long it takes.

AWS bills by quantities that the documentation does not pin down, at prices on which what is published disagrees. So
quantities are told as they are, and prices only from a table of the user's own (`session.rates`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.contract import limits, parameters
from personalize_nb.errors import Problem
from personalize_nb.resources.durations import Expected
from personalize_nb.session.rates import QUANTITIES, Rates
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd

MAX_COST = "max_cost"
_NO_RATES = "no price is known: session.rates = pnb.Rates(...) takes yours"


@public
@dataclass(frozen=True, repr=False)
class Estimate:
    """What work comes to; estimates of several jobs can be added.

    Parameters
    ----------
    quantities
        How much of what is made and read: `records`, `recommendations`, `themes`, of trainings `imported_gb`,
        `interactions`, `training_hours`.
    rates
        The prices it is told by; None for none.
    exact
        Whether all quantities were counted, rather than projected.
    jobs
        How many jobs it is.
    one_job
        How long one of them takes, of several kinds the longest; None where nothing tells.
    standing
        What goes on costing beside it, in words.
    at_once
        How many of the jobs are under way at a time.
    of_one
        How often after each other jobs of one part of it start, which takes no more at a time.

    References
    ----------
    What Amazon Personalize bills: see `Rates`.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> row = {"quantity": "recommendations", "price": 0.05, "per": 1000, "currency": "USD"}
    >>> rates = pnb.Rates([{**row, "source": "our contract", "date": "2026-11-01"}])
    >>> one = pnb.Estimate({"records": 200, "recommendations": 5000}, rates)
    >>> one.text
    '200 records, 5,000 recommendations: 0.25 USD by the rates of our contract, 2026-11-01'
    >>> both = one + one
    >>> both.cost, both.currency, both.unpriced, both.jobs, both.rounds, both.expected
    (0.5, 'USD', [], 2, 1, None)
    >>> both.frame()[["quantity", "amount", "cost"]]
              quantity  amount  cost
    0          records     400   NaN
    1  recommendations   10000   0.5
    """

    quantities: Mapping[str, float]
    rates: Rates | None = None
    exact: bool = True
    jobs: int = 1
    one_job: Expected | None = None
    standing: tuple[str, ...] = field(default=())
    at_once: int = limits.MAX_JOBS_IN_PROGRESS
    of_one: int = 1

    @property
    def rounds(self) -> int:
        """How often after each other jobs start, so many at a time."""
        return max(self.of_one, -(-self.jobs // max(1, self.at_once)))

    @property
    def expected(self) -> Expected | None:
        """How long it takes, so many jobs at a time; None where nothing tells."""
        return None if self.one_job is None else self.one_job.times(self.rounds)

    @property
    def cost(self) -> float | None:
        """What it costs by the rates; None where they price nothing of it."""
        return None if self.rates is None else self.rates.cost(self.quantities)

    @property
    def currency(self) -> str:
        """The currency of the rates; empty without rates."""
        return "" if self.rates is None else self.rates.currency

    @property
    def unpriced(self) -> list[str]:
        """What is billed and has no price among the rates, by the names of rows that would price it."""
        return [] if self.rates is None else self.rates.unpriced(self.quantities)

    def __add__(self, other: Estimate) -> Estimate:
        both = Counter(self.quantities)
        both.update(other.quantities)
        longest = max((one for one in (self.one_job, other.one_job) if one), key=lambda one: one.seconds, default=None)
        return Estimate(
            dict(both),
            self.rates,
            self.exact and other.exact,
            self.jobs + other.jobs,
            longest,
            tuple(dict.fromkeys((*self.standing, *other.standing))),
            max(self.at_once, other.at_once),
            max(self.rounds, other.rounds),
        )

    @property
    def text(self) -> str:
        """Quantities and cost in a line."""
        about = "" if self.exact else "about "
        amounts = ", ".join(
            f"{about}{_number(self.quantities[name])} {_noun(name, self.quantities[name])}"
            for name in QUANTITIES
            if name in self.quantities
        )
        if self.rates is None:
            return amounts
        return f"{amounts}: {self._priced(self.rates)}"

    def _priced(self, rates: Rates) -> str:
        if self.cost is None:
            return f"the rates have no price of {', '.join(self.unpriced) or 'it'}"
        told = f"{_money(self.cost)} {rates.currency} by the rates of {rates.sources(self.quantities)}"
        return f"{told}, without {', '.join(self.unpriced)}, of which they have no price" if self.unpriced else told

    def frame(self) -> pd.DataFrame:
        """Return the quantities one by one.

        Returns
        -------
        pandas.DataFrame
            A row for each quantity: `quantity`, `amount`, `price`, `per`, `cost`, `currency`, `source` and `date`.
        """
        import pandas as pd

        prices = {one.quantity: one for one in (self.rates.rows if self.rates else ())}
        names = ["quantity", "amount", "price", "per", "cost", "currency", "source", "date"]
        rows = []
        for name, much in self.quantities.items():
            one = prices.get(name)
            told = (one.price, one.per, one.price * much / one.per, one.currency, one.source, one.date) if one else ()
            rows.append((name, much, *(told or (None,) * 6)))
        return pd.DataFrame(rows, columns=names)

    def __repr__(self) -> str:
        jobs = f" in {self.jobs:,} jobs" if self.jobs > 1 else ""
        lines = [f"<Estimate: {self.text}{jobs}{f'; {_NO_RATES}' if self.rates is None else ''}"]
        if self.expected is not None:
            lines.append(f"Started now it is expected to end {self.expected.told(datetime.now(UTC))}")
        lines += [f"Beside it: {one}" for one in self.standing]
        return "\n  ".join(lines) + ">"


def total(estimates: Iterable[Estimate]) -> Estimate:
    """Return what several jobs come to together; there is one at least."""
    first, *others = estimates
    for one in others:
        first += one
    return first


def problems(estimate: Estimate, max_cost: float | None) -> Iterator[Problem]:
    """Yield why work may not start that is to cost no more than an amount.

    Parameters
    ----------
    estimate
        What it comes to.
    max_cost
        The most it may cost, in the currency of the rates; None for no limit.
    """
    if max_cost is None:
        return
    wrong = list(parameters.named(MAX_COST).kind.problems(MAX_COST, max_cost))
    if wrong:
        yield from (Problem(MAX_COST, text) for text in wrong)
    elif estimate.rates is None or estimate.unpriced or estimate.cost is None:
        lacking = ", ".join(estimate.unpriced) or "what it makes"
        have = f"the rates have no price of {lacking}" if estimate.rates is not None else "the session has no rates"
        text = (
            f"'{MAX_COST}' is {max_cost:g}, and whether it is kept cannot be told: {have}. It would be "
            f"{estimate.text}. Set prices from your bill, session.rates = pnb.Rates([...]), 0 for what costs nothing; "
            f"or leave '{MAX_COST}' out."
        )
        yield Problem(MAX_COST, text)
    elif estimate.cost > max_cost:
        yield Problem(
            MAX_COST,
            f"'{MAX_COST}' is {max_cost:g} {estimate.currency}, and it would be {estimate.text}. Send less, ask for "
            f"fewer results, or raise '{MAX_COST}'.",
        )


def refuse(estimate: Estimate, max_cost: float | None) -> None:
    """Raise `RequestError` where work would cost more than it is allowed to."""
    wrong = list(problems(estimate, max_cost))
    if wrong:
        raise errors.RequestError(wrong)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3g}"


def _noun(name: str, value: float) -> str:
    one, several = QUANTITIES[name]
    return one if value == 1 else several


def _money(amount: float) -> str:
    return f"{amount:,.2f}" if amount >= 1 or not amount else f"{amount:.2g}"
