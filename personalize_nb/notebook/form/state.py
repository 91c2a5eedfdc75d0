"""What a form's fields amount to: the parameters, the request, its input, and everything wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from personalize_nb import errors
from personalize_nb.contract import limits, parameters
from personalize_nb.contract.parameters import BATCH_INFERENCE
from personalize_nb.contract.recipes import recipe_of
from personalize_nb.errors import WARNING, Problem
from personalize_nb.inputs.batch import Batch
from personalize_nb.jobs import beginning, costs, recommend
from personalize_nb.jobs.arguments import JobParameters
from personalize_nb.jobs.job import AnyJob
from personalize_nb.jobs.parts import LIMITS, limits_in
from personalize_nb.jobs.questions import JobQuestion
from personalize_nb.jobs.request import AnyRequest, JobRequest
from personalize_nb.jobs.reuse import once
from personalize_nb.jobs.rules import RequestContext, problems
from personalize_nb.jobs.run import Run
from personalize_nb.notebook.form import fields, filter_fields
from personalize_nb.notebook.form.fields import DATA, FILTER, MODE
from personalize_nb.notebook.form.input import Source, size
from personalize_nb.notebook.form.options import Options
from personalize_nb.notebook.form.stored import InputInS3
from personalize_nb.notebook.receipt_facts import RECIPE
from personalize_nb.resources.estimate import Estimate
from personalize_nb.resources.estimate import problems as problems_of_cost
from personalize_nb.resources.filters import Filter
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, verb


@dataclass(frozen=True)
class FormState:
    """A form as it stands.

    Parameters
    ----------
    request, batch
        What would be sent; None where the fields do not amount to it.
    context
        What is known around the request.
    problems
        Errors and warnings in the form's words.
    notes
        What happens at the start that no field says.
    subject
        What a check of access is about; equal while the same would be found.
    estimate
        What it comes to; None of input that lies in S3.
    """

    request: AnyRequest | None
    batch: Batch | None
    context: RequestContext
    problems: list[Problem]
    notes: tuple[str, ...] = ()
    subject: Any = None
    estimate: Estimate | None = None


def given_by(
    widgets: Mapping[str, Any], filter_values: Mapping[str, Any], without_field: Mapping[str, Any]
) -> tuple[JobParameters, list[Problem]]:
    """Return what differs from the defaults, as `pnb.recommend` takes it, and the fields that make no sense.

    Parameters
    ----------
    widgets
        The form's widgets by name; disabled ones do not count.
    filter_values
        Texts of fields, or series, by placeholder.
    without_field
        Parameters that code gave and no field shows.
    """
    wrong: list[Problem] = []
    mode = widgets[MODE].value
    given: dict[str, Any] = {**without_field, FILTER: widgets[FILTER].chosen}
    given[MODE] = mode if mode != BATCH_INFERENCE else None
    for name, field in fields.text_fields().items():
        if widgets[name].disabled:
            continue
        value = field.parsed(widgets[name].value, wrong)
        if not field.part:
            given[name] = value
        elif value is not None:
            given.setdefault(field.row.name, {})[field.part] = value
    values = {
        name: fields.filter_text(value) if isinstance(value, str) else value for name, value in filter_values.items()
    }
    given["filter_values"] = {name: value for name, value in values.items() if value is not None}
    names = [row.name for row in parameters.PARAMETERS if row.mode in (None, mode)]
    return cast(JobParameters, {name: given[name] for name in names if not _is_empty(given.get(name))}), wrong


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, Mapping)) and not value)


def state_of(
    given: JobParameters,
    wrong: list[Problem],
    version: SolutionVersion,
    chosen: Filter | None,
    source: Source | InputInS3 | None,
    session: Session,
    options: Options,
) -> FormState:
    """Return what would be sent for parameters, and every problem with it.

    Parameters
    ----------
    given, wrong
        What `given_by` returned.
    version, chosen
        The model and the filter.
    source
        The data, or input in S3, or None where it is still to be named.
    session, options
        Where to work, and what is known there.
    """
    wrong, batch = list(wrong), None
    wrong += _idle_limits(given, version)
    values = given.get("filter_values")
    if isinstance(values, Mapping):
        told = filter_fields.problems(values, chosen, options.known_values(version, chosen))
        wrong += told
        given = {**given, "filter_values": filter_fields.usable(values, told)}
    if isinstance(source, Source):
        batch = _batch(source, version, chosen, given, wrong)
    context = recommend.request_context(version, batch, chosen)
    if isinstance(source, InputInS3):
        wrong += source.problems()
        context = _of_stored(context, source, chosen)
    if source is None or (isinstance(source, Source) and batch is None):
        return FormState(None, None, context, wrong)
    address = source.address if isinstance(source, InputInS3) else None
    try:
        shape = recommend.shape_for(version)
        request: AnyRequest = recommend.request_for(version, address, chosen, session, given, shape)
    except errors.NotFoundError as error:
        return FormState(None, batch, context, [*wrong, Problem("role_arn", str(error))])
    run, judged = False, context
    if isinstance(request, JobRequest):
        run, most = beginning.makes_run(request, batch, limits_in(given)), limits_in(given).records(request.mode)
        # a run cuts its input, so the limit of a file is kept by itself
        judged = replace(context, per_file=most if run else None, most_per_file=most)
    rules = [problem for problem in problems(request, judged) if problem.field != "filter_values"]
    wrong += [replace(problem, text=fields.spoken(problem.text)) for problem in rules]
    wrong += _lacking_values(context, wrong)
    wrong += _missing_buckets(request, source, options)
    name = given.get("job_name", "")
    if name and options.taken(name, run, request.job_kind):
        wrong.append(Problem("job_name", _taken(name)))
    estimate = _estimate(request, batch, source, version, given, session)
    if estimate is not None:
        took = options.expected(version, costs.mode_of(request), request.job_kind)
        estimate = replace(estimate, one_job=took, at_once=_at_once(given))
        wrong += problems_of_cost(estimate, given.get("max_cost"))
    subject = request.replace(input_path=address or "", job_name=name)
    notes = (*_notes(given, batch, run), *_costs(estimate))
    return FormState(request, batch, context, wrong, notes, (subject, context), estimate)


def _idle_limits(given: JobParameters, version: SolutionVersion) -> list[Problem]:
    """Refuse limits that a segment job would not keep: its input is one job's, spread over files."""
    facts = recipe_of(version.recipe)
    if facts is None or not facts.segments:
        return []
    names = [name for name in LIMITS if given.get(name) is not None]
    text = (
        "{!r} is for jobs that recommend, and would not be kept: a segment job of {} takes all of its input at once. "
        "Make the form without it, and give fewer rows."
    )
    return [Problem(name, text.format(name, version.recipe)) for name in names]


def _of_stored(context: RequestContext, source: InputInS3, chosen: Filter | None) -> RequestContext:
    """Return what is known of a request whose input lies in S3, as far as its first lines tell."""
    context = replace(context, kind=source.kind, input_listed=source.files == 1)
    if chosen is None or not source.lines:
        return context
    there = {name.lower() for name in source.placeholders}
    missing = {name: 0 for name in chosen.required if name.lower() in there}
    return replace(context, required_values=chosen.required, missing_values=missing)


def _missing_buckets(request: AnyRequest, source: Source | InputInS3, options: Options) -> list[Problem]:
    """Return which buckets are not there, that of the output and that of data to be stored; each is told once."""
    places = {"output": request.output_path}
    if isinstance(source, Source):
        places[DATA] = request.input_path
    found: dict[str, Problem] = {}
    for name, address in places.items():
        if missing := options.missing_bucket(address):
            label = parameters.named(name).label
            why = f"{missing[0].upper()}{missing[1:]} for the {label.lower()}"
            text = f"{why}: name one that is there, in {address!r} or in pnb.connect(bucket=...)."
            found.setdefault(missing, Problem(name, text))
    return list(found.values())


def _estimate(
    request: AnyRequest,
    batch: Batch | None,
    source: Source | InputInS3,
    version: SolutionVersion,
    given: JobParameters,
    session: Session,
) -> Estimate | None:
    """Return what it comes to; of input in S3 once its records were counted: no key press may cost a call."""
    limit = limits_in(given)
    if batch is not None:
        return costs.of_request(request, batch, version.recipe, session, limit)
    if isinstance(source, InputInS3) and source.amount is not None:
        mode = costs.mode_of(request)
        return costs.of_amount(source.amount, mode, request.num_results, version.recipe, session.rates, limit)
    return None


def _at_once(given: JobParameters) -> int:
    value = given.get("at_once")
    return value if isinstance(value, int) else limits.MAX_JOBS_IN_PROGRESS


def _costs(estimate: Estimate | None) -> list[str]:
    """Return what a job comes to, and how long it takes."""
    if estimate is None:
        return ["Cost: not known before the records in S3 are counted."]
    unknown = "" if estimate.rates is not None else " (no rates are set, so no price is known)"
    took = estimate.expected
    time = f" It ends {took.told(datetime.now(UTC))}." if took is not None else ""
    return [f"Cost: {estimate.text}{unknown}.{time}"]


def begun(
    request: AnyRequest,
    batch: Batch | None,
    context: RequestContext,
    given: JobParameters,
    chosen: Filter | None,
    session: Session,
) -> AnyJob | Run:
    """Start what a form asks for, or return what was asked the same, where code wants that."""
    costs.check([(request, batch, context.recipe)], session, given.get("max_cost"))
    limit = limits_in(given)
    at_once = given.get("at_once", parameters.named("at_once").default)

    def start() -> AnyJob | Run:
        return beginning.begin(request, batch, context, session, at_once=at_once, limit=limit)

    question, wanted = JobQuestion(request, batch, context), given.get("reuse", False)
    return once([question], [chosen], session, name=request.job_name, wanted=wanted, start=start)


def _batch(
    source: Source, version: SolutionVersion, chosen: Filter | None, given: JobParameters, wrong: list[Problem]
) -> Batch | None:
    try:
        batch = source.batch(version, chosen, given.get("filter_values"))
    except (errors.InputError, errors.NotFoundError) as error:
        wrong.append(Problem(DATA, str(error)))
    except errors.RequestError as error:  # a recipe without batch jobs
        wrong += error.problems
    else:
        wrong += source.warnings(batch)
        return batch
    return None


def details(state: FormState, given: JobParameters, chosen: Filter | None) -> dict[str, str]:
    """Return what a receipt shows of a started form beyond what the service knows."""
    values = given.get("filter_values")
    shown = {
        name: ", ".join(value) if isinstance(value, list) else "a value for each record"
        for name, value in (values.items() if isinstance(values, Mapping) else ())
    }
    placeholders = chosen.placeholders if chosen else ()
    shown |= {name: "from the records" for name in placeholders if name not in shown}
    told = "; ".join(f"${name}: {value}" for name, value in shown.items())
    return {
        "Input": size(state.batch) if state.batch is not None else "",
        "Filter": f"{chosen.name}{' with ' + told if told else ''}" if chosen else "",
        "Tags": parameters.named("tags").kind.told(given.get("tags") or {}),
        "Service role": given.get("role_arn") or "",
        RECIPE: state.context.recipe or "",
        "Cost": state.estimate.text if state.estimate is not None else "",
        "Expected end": _expected_end(state.estimate),
    }


def _expected_end(estimate: Estimate | None) -> str:
    return "" if estimate is None or estimate.expected is None else estimate.expected.told(datetime.now(UTC))


def idle_values(names: Iterable[str], chosen: Filter | None) -> list[Problem]:
    """Return which filter values given in code are not sent, because the filter does not ask for them."""
    whose = f"filter {chosen.name!r} has no such placeholder" if chosen else "no filter is chosen"
    idle = sorted(set(names) - set(chosen.placeholders if chosen else ()))
    return [Problem("filter_values", f"Values for ${name} are not sent: {whose}.", WARNING) for name in idle]


def _lacking_values(context: RequestContext, told: list[Problem]) -> list[Problem]:
    """Return what `jobs.rules.problems` says of filter values, in the words of a form: fields, not arguments."""
    if context.missing_values is None:
        return []
    wrong = {problem.text.partition(" ")[0] for problem in told if problem.field == "filter_values"}
    lacking = []
    for name in context.required_values:
        absent = context.missing_values.get(name)
        if absent is None and f"${name}" not in wrong:
            where = f"fill the field ${name}" if context.records is not None else "no line in S3 brings 'filterValues'"
            lacking.append(f"The filter needs values for ${name}: {where}.")
        elif absent:
            have = f"{absent:,} of {counted(context.records or 0, 'record')} {verb(absent, 'has', 'have')}"
            lacking.append(f"{have} no value for the filter's ${name}.")
    return [Problem("filter_values", text) for text in lacking]


def _taken(name: str) -> str:
    return (
        f"Job name {name!r} is taken: names of batch jobs can never be used again. Take another, or empty the field: "
        "a name is made then."
    )


def _notes(given: JobParameters, batch: Batch | None, run: bool) -> list[str]:
    notes = []
    if run and batch is not None:
        most = limits.MAX_THEME_RECORDS_PER_FILE
        jobs = counted(-(-len(batch) // most), "job")
        notes.append(f"{counted(len(batch), 'item')} become a run of {jobs} of at most {most} items each.")
    if "job_name" not in given:
        notes.append("Job name: empty, so one is made from the solution's name and the time at the start.")
    return notes
