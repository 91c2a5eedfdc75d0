"""What a job comes to: records, recommendations and themes, counted in its input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from personalize_nb.contract import columns as c
from personalize_nb.contract import limits, recipes
from personalize_nb.contract.parameters import BATCH_SEGMENT, THEME_GENERATION
from personalize_nb.jobs import job_counts
from personalize_nb.jobs.parts import QUOTAS, InputLimits
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.jobs.stored_amounts import Amount, amount
from personalize_nb.resources.estimate import Estimate, refuse, total
from personalize_nb.session.rates import RECOMMENDATIONS, RECORDS, SEGMENT_USERS, THEMES, Rates
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.inputs.batch import Batch


def of_batch(
    batch: Batch,
    mode: str,
    num_results: int | None,
    recipe: str | None,
    rates: Rates | None = None,
    limit: InputLimits = QUOTAS,
) -> Estimate:
    """Return what a job comes to whose input is at hand.

    Parameters
    ----------
    batch
        The input.
    mode, num_results
        As for `recommend`.
    recipe
        The model's; None where it is not known.
    rates
        Prices.
    limit
        What a job takes.
    """
    listed = 0
    if c.ITEM_LIST in batch.table.column_names:
        import pyarrow.compute as pc  # a batch is at hand, so Arrow is as well

        listed = pc.sum(pc.list_value_length(batch.table.column(c.ITEM_LIST))).as_py() or 0
    found = of_amount(Amount(len(batch), listed), mode, num_results, recipe, rates, limit)
    return found if mode == BATCH_SEGMENT else replace(found, jobs=job_counts.of_batch(batch, mode, limit))


def of_amount(
    counted: Amount,
    mode: str,
    num_results: int | None,
    recipe: str | None,
    rates: Rates | None = None,
    limit: InputLimits = QUOTAS,
) -> Estimate:
    """Return what a job comes to that has so much input; parameters as for `of_batch`."""
    facts = recipes.recipe_of(recipe) if recipe else None
    each = limits.DEFAULT_NUM_RESULTS if num_results is None else num_results
    made = counted.listed if facts is not None and facts.ranks_lists else counted.records * each
    quantities: dict[str, float] = {RECORDS: counted.records, RECOMMENDATIONS: made}
    if mode == BATCH_SEGMENT:
        quantities = {RECORDS: counted.records, SEGMENT_USERS: made}
    if mode == THEME_GENERATION:
        quantities[THEMES] = counted.records
    jobs = (
        1 if mode == BATCH_SEGMENT else job_counts.of_records(counted.records, mode, limit)
    )  # its input has many files
    return Estimate(quantities, rates, counted.exact, jobs)


def mode_of(request: AnyRequest) -> str:
    """Return the mode of a request; `BATCH_SEGMENT` for segments, which have no other."""
    return request.mode


def of_request(
    request: AnyRequest, batch: Batch | None, recipe: str | None, session: Session, limit: InputLimits = QUOTAS
) -> Estimate:
    """Return what a request comes to by the session's rates; its input is at hand, or else lies in S3."""
    mode = mode_of(request)
    if batch is not None:
        return of_batch(batch, mode, request.num_results, recipe, session.rates, limit)
    return of_amount(amount(session, request.input_path), mode, request.num_results, recipe, session.rates, limit)


def check(asked: Iterable[tuple[AnyRequest, Batch | None, str | None]], session: Session, most: float | None) -> None:
    """Refuse what would cost more, all of it together; nothing is counted where there is no limit.

    Parameters
    ----------
    asked
        Requests, each with its input, or None where that lies in S3, and the recipe of its model.
    session
        Has the rates.
    most
        The limit, or None.
    """
    if most is not None:
        refuse(total(of_request(request, batch, recipe, session) for request, batch, recipe in asked), most)
