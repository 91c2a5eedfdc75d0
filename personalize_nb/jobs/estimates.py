"""`pnb.estimate_cost`: what a job, or several, would come to; nothing is uploaded or started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Unpack

from personalize_nb import errors
from personalize_nb.contract import limits, recipes
from personalize_nb.contract.parameters import BATCH_INFERENCE, BATCH_SEGMENT
from personalize_nb.errors import Problem
from personalize_nb.inputs.batch import Batch
from personalize_nb.inputs.forms import given as read_once
from personalize_nb.jobs import api_arguments, batches, costs, job_counts, side_by_side, stored_amounts
from personalize_nb.jobs.arguments import JobParameters, with_parameters
from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.jobs.parts import limits_in
from personalize_nb.jobs.request import AnyRequest, BatchRequest, JobRequest, SegmentRequest
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.runs import check_at_once
from personalize_nb.jobs.stored_amounts import Amount
from personalize_nb.resources import durations, estimate, standing_costs
from personalize_nb.resources.estimate import Estimate
from personalize_nb.resources.filters import find_filter
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.session import s3
from personalize_nb.session.connection import current
from personalize_nb.session.rates import Rates
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from personalize_nb.inputs.forms import Data
    from personalize_nb.jobs.job import AnyJob

    Table = Rates | pd.DataFrame | Sequence[Mapping[str, Any]] | str | Path

    Asked = AnyRequest | AnyJob | Run | Mapping[str, Any]

_HOW = (
    "pnb.estimate_cost takes ids with their model, pnb.estimate_cost(ids, model, num_results=10), or a JobRequest, a "
    "job, a run, the arguments of create_batch_inference_job or create_batch_segment_job, or a list of such"
)


@public
@with_parameters(JobParameters)
def estimate_cost(
    request: Asked | Sequence[Asked] | Data | Batch,
    solution_version: SolutionVersion | str | Sequence[SolutionVersion | str] | None = None,
    *,
    rates: Table | None = None,
    session: Session | None = None,
    **parameters: Unpack[JobParameters],
) -> Estimate:
    """Return what a job would come to: records, recommendations, themes, their cost, and when it would end.

    Costs are told by the rates that you give, because what is published of AWS's prices disagrees. The time is learnt
    from the account's earlier jobs of the kind.

    Parameters
    ----------
    request
        What `pnb.recommend` takes, with the model beside it; or a `JobRequest`, a job, a run, or the arguments of
        boto3's `create_batch_inference_job`; or a list of these, whose sum it is then.
    solution_version
        The model, where `request` is data: as for `pnb.recommend`. Of several models it is the sum.
    rates
        Prices in place of `session.rates`; whatever makes a `pnb.Rates`.
    session
        Where the job would run; by default the solution version's session, else that of `pnb.connect()`.
    **parameters
        As for `pnb.recommend`, where `request` is data: `num_results`, `filter`, `mode`, ...

    Returns
    -------
    Estimate
        Shows quantities, cost and the expected end; `.frame()` has the quantities one by one.

    Raises
    ------
    InputError
        Rows of the data, or of the rates, cannot be used.
    RequestError
        `request` is neither of these, or `max_cost` is exceeded.

    References
    ----------
    What Amazon Personalize bills of CreateBatchInferenceJob and CreateBatchSegmentJob; see `Rates`.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> rate = {"quantity": "recommendations", "price": 0.05, "per": 1000, "currency": "USD"}
    >>> rates = pnb.Rates([{**rate, "source": "our contract", "date": "2026-11-01"}])
    >>> pnb.estimate_cost(["r01349", "r00469"], "books", num_results=500, rates=rates).text
    '2 records, 1,000 recommendations: 0.05 USD by the rates of our contract, 2026-11-01'
    """
    models = _models(solution_version)
    session = current(session or getattr(models[0] if models else request, "session", None))
    prices = session.rates if rates is None else Rates.of(rates)
    if models:
        parts = list(_of_data(request, models, session, parameters))
    elif parameters:
        raise errors.ArgumentError(
            f"{sorted(parameters)} go with ids and their model: pnb.estimate_cost(ids, model, ...)"
        )
    else:
        parts = [_of_request(one, session) for one in _requests(request)]
    known = replace(estimate.total(parts), rates=prices)
    estimate.refuse(known, parameters.get("max_cost"))
    return replace(known, standing=_standing(session))


def _models(solution_version: SolutionVersion | str | Sequence[SolutionVersion | str] | None) -> list[Any]:
    if solution_version is None:
        return []
    return [solution_version] if isinstance(solution_version, (SolutionVersion, str)) else list(solution_version)


def _requests(request: Any) -> list[Any]:
    if isinstance(request, (BatchRequest, BatchJob, Run, Mapping)):
        return [request]
    several = list(request) if isinstance(request, (list, tuple)) else []
    if not several or not all(isinstance(one, (BatchRequest, BatchJob, Run, Mapping)) for one in several):
        size = f" of {len(request):,}" if hasattr(request, "__len__") and not isinstance(request, str) else ""
        shown = repr(request) if isinstance(request, str) else f"a {type(request).__name__}{size}"
        raise errors.RequestError([Problem("solution_version", f"{_HOW}. Got {shown} without a model.")])
    return several


def _of_data(data: Any, models: Sequence[Any], session: Session, given: JobParameters) -> Iterator[Estimate]:
    """Yield what each model comes to, with each filter."""
    num_results, limit = given.get("num_results"), limits_in(given)
    at_once = given.get("at_once", limits.MAX_JOBS_IN_PROGRESS)
    check_at_once(at_once)
    wanted, _ = side_by_side.listed(given.get("filter"), "filter")
    filters = [None if one is None else find_filter(one, session) for one in wanted]
    read: dict[str, Amount] = {}
    source = data
    for version in [find_solution_version(model, session) for model in models]:
        facts = recipes.recipe_of(version.recipe)
        if not isinstance(source, (str, Batch)) and not (facts is not None and facts.by_attributes):
            source = read_once(source)  # of a generator nothing is left for the next
        mode = BATCH_SEGMENT if facts is not None and facts.segments else given.get("mode", BATCH_INFERENCE)
        took = durations.expected(session, mode, version.arn)
        for chosen in filters:
            if isinstance(source, str) and s3.is_s3(source):
                read[source] = read.get(source) or stored_amounts.amount(session, source)
                found = costs.of_amount(read[source], mode, num_results, version.recipe, limit=limit)
                if mode != BATCH_SEGMENT:
                    found = replace(found, jobs=job_counts.of_stored(session, source, read[source], mode, limit))
            else:
                values = side_by_side.values_of(given.get("filter_values"), chosen, filters)
                batch = batches.batch_for(source, version, chosen, values)
                found = costs.of_batch(batch, mode, num_results, version.recipe, limit=limit)
            yield replace(found, one_job=took, at_once=at_once)


def _of_request(given: Any, session: Session) -> Estimate:
    """Return what a request comes to whose input lies in S3, or what a job or run did."""
    if isinstance(given, Run):
        return of_run(given)
    session = given.session if isinstance(given, BatchJob) else session
    request = _request(given, session)
    took = durations.expected(session, costs.mode_of(request), request.solution_version_arn)
    return replace(_of_amount(stored_amounts.amount(session, request.input_path), request, session), one_job=took)


def of_run(run: Run) -> Estimate:
    """Return what a run comes to by its session's rates: all its questions, and what was asked again."""
    return replace(estimate.total(_of_groups(run)), rates=run.session.rates)


def _of_groups(run: Run) -> Iterator[Estimate]:
    """Yield what each question of a run comes to; input that nobody counted is looked at."""
    took = cache(partial(durations.expected, run.session))  # one look for all questions of a model
    for request, parts in run.asked():
        ranks = _lists(request, run.session)
        amounts = [
            stored_amounts.amount(run.session, part.input_path)
            if ranks or part.records is None
            else Amount(part.records, 0)
            for part in parts
        ]
        exact = all(one.exact for one in amounts)
        found = Amount(sum(one.records for one in amounts), sum(one.listed for one in amounts), exact)
        one_job = took(costs.mode_of(request), request.solution_version_arn)
        estimated, at_once = _of_amount(found, request, run.session), run._manifest.at_once
        yield replace(estimated, jobs=len(parts), one_job=one_job, at_once=at_once)


def _of_amount(amount: Amount, request: AnyRequest, session: Session) -> Estimate:
    return costs.of_amount(amount, costs.mode_of(request), request.num_results, recipe_of(request, session))


def _request(given: Any, session: Session) -> AnyRequest:
    if isinstance(given, (JobRequest, SegmentRequest)):
        return given
    if not isinstance(given, Mapping):
        request: AnyRequest = given.request
        return request
    try:
        return api_arguments.shape_of(given, session).from_api(given)
    except (TypeError, ValueError, KeyError) as error:
        raise errors.RequestError([Problem("request", f"{_HOW}. Got {dict(given)!r}: {error}.")]) from error


def _lists(request: AnyRequest, session: Session) -> bool:
    row = recipes.recipe_of(recipe_of(request, session) or "")
    return row is not None and row.ranks_lists


def recipe_of(request: AnyRequest, session: Session) -> str | None:
    """Return the recipe of a request's model; None where the model is gone."""
    try:
        return find_solution_version(request.solution_version_arn, session).recipe
    except (errors.NotFoundError, errors.AccessError):
        return None


def _standing(session: Session) -> tuple[str, ...]:
    """Return what goes on costing in the account, in words; nothing where it may not be looked at."""
    try:
        return tuple(f"{one.kind} {one.name!r}: {one.why}; {one.stop}" for one in standing_costs.found(session))
    except errors.AccessError:
        return ()
