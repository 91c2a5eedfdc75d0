"""What `preflight` is asked about, as a request: a request of either kind, boto3's arguments, or data and a model.

The data and the model are put together as `pnb.recommend` and `pnb.segments` do it, up to the point where they would
upload and start. What keeps a job from being made at all (ids that cannot be used, a filter that is not there) is
noted, not raised.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits, parameters, releases
from personalize_nb.contract.job_kinds import JobKind
from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.contract.recipes import recipe_of
from personalize_nb.errors import WARNING, Problem
from personalize_nb.inputs.batch import Batch
from personalize_nb.inputs.forms import given as read_once
from personalize_nb.jobs import api_arguments, batches, costs, recommend, side_by_side, theme_columns
from personalize_nb.jobs.arguments import JobParameters, check_types, names_of
from personalize_nb.jobs.request import AnyRequest, JobRequest, SegmentRequest
from personalize_nb.jobs.rules import RequestContext
from personalize_nb.resources import estimate
from personalize_nb.resources.estimate import Estimate
from personalize_nb.resources.filters import Filter, find_filter
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.session import s3
from personalize_nb.session.session import Session

# what a call without its required arguments lacks; the rules then tell of it
_NOTHING: dict[str, Any] = {
    "jobName": "",
    "solutionVersionArn": "",
    "roleArn": "",
    "jobInput": {"s3DataSource": {"path": ""}},
    "jobOutput": {"s3DataDestination": {"path": ""}},
}
_HOW = (
    "pnb.preflight takes a JobRequest or SegmentRequest, the arguments of create_batch_inference_job or "
    "create_batch_segment_job, or ids with their model"
)


@dataclass(frozen=True)
class Subject:
    """A job that somebody means to start.

    Parameters
    ----------
    request
        The request.
    context
        What is known of the input.
    uploads
        Whether the input is still to be uploaded.
    problems
        What keeps the input or the filter from being used, and what is worth a look.
    label
        Which of several it is that are asked side by side; empty for one alone.
    estimate
        What it would come to, where that is limited.
    judged
        Whether the problems are all there are with the request, so that it is not judged again.
    """

    request: AnyRequest
    context: RequestContext = field(default_factory=RequestContext)
    uploads: bool = False
    problems: tuple[Problem, ...] = ()
    label: str = ""
    estimate: Estimate | None = None
    judged: bool = False


def from_request(request: Any, session: Session) -> Subject:
    """Return what is meant by a request, or refuse what is none.

    Parameters
    ----------
    request
        A `JobRequest` or `SegmentRequest`, or a mapping of boto3's arguments; also the description of a job.
    session
        Where to look for the model: of which kind a mapping is, its recipe tells.

    Raises
    ------
    RequestError
        It is something else, or has keys that the API does not know.
    """
    if isinstance(request, JobRequest | SegmentRequest):
        return Subject(request)
    if not isinstance(request, Mapping):
        size = f" of {len(request):,}" if hasattr(request, "__len__") and not isinstance(request, str) else ""
        shown = repr(request) if isinstance(request, str) else f"a {type(request).__name__}{size}"
        text = f"{_HOW}: pnb.preflight(ids, model, num_results=10). Got {shown} without a model."
        raise errors.RequestError([Problem("solution_version", text)])
    shape = api_arguments.shape_of(request, session)
    kind, model = shape.job_kind, limits.service_model()
    legal = dict(model.shape_for(f"Create{kind.operations}Request").members)
    answered = model.shape_for(kind.operations).members
    wrong = [
        problem
        for key, value in request.items()
        if key in legal or key not in answered
        for problem in _wrong(str(key), value, legal, kind)
    ]
    if wrong:
        raise errors.RequestError(wrong)
    try:
        return Subject(shape.from_api({**_NOTHING, **request}))
    except (TypeError, ValueError, KeyError) as error:  # numbers and tags that are none
        raise errors.RequestError(
            [Problem("batchInferenceJobConfig", f"{_HOW}. Got {dict(request)!r}: {error}.")]
        ) from error


def _wrong(key: str, value: Any, known: Mapping[str, Any], asked: JobKind, within: str = "") -> Iterator[Problem]:
    """Unknown keys, at any depth, and values of another kind than the API takes."""
    path, kind = f"{within}{key}", known[key].type_name if key in known else ""
    if not kind:
        names = {name.lower(): name for name in known}
        if newer := releases.lacking(f"Create{asked.operations}", path):
            yield Problem(path, f"{path!r} {newer}.")
            return
        near = difflib.get_close_matches(key.replace("_", "").lower(), names, n=1)
        meant = f" (did you mean {names[near[0]]!r}?)" if near else ""
        yield Problem(path, f"{_HOW}. Got the key {path!r}{meant}; legal here: {', '.join(known)}.")
    elif kind == "structure" and isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _wrong(name, inner, known[key].members, asked, f"{path}.")
        for name in known[key].required_members:
            if name not in value:
                yield Problem(f"{path}.{name}", f"{path!r} lacks {name!r}, got {dict(value)!r}.")
    elif kind in ("structure", "map") and not isinstance(value, Mapping):
        legal = ", ".join(known[key].members) if kind == "structure" else "of the developer guide"
        yield Problem(path, f"{path!r} must be a mapping with the keys {legal}, got {value!r}.")
    elif kind == "string" and not isinstance(value, str):
        yield Problem(path, f"{path!r} must be a string, got {value!r}.")


def from_data(
    data: Any,
    solution_version: SolutionVersion | str | Sequence[SolutionVersion | str],
    session: Session,
    given: JobParameters,
) -> list[Subject]:
    """Return what `pnb.recommend`, or `pnb.segments`, would start with the same arguments: one, or several at once.

    Raises
    ------
    InputError
        A list of models or filters is empty, or names one twice.
    NotFoundError
        There is no such solution version, or the session has no bucket.
    ArgumentError
        The call that takes the model has no such parameter.
    """
    if isinstance(data, JobRequest | SegmentRequest):
        raise errors.ArgumentError(
            f"a {type(data).__name__} holds its model and parameters already: pnb.preflight(request)"
        )
    check_types(given)
    models, several_models = side_by_side.listed(solution_version, "solution_version")
    wanted, several_filters = side_by_side.listed(given.get("filter"), "filter")
    versions = [find_solution_version(one, session) for one in models]
    filters = [_filter(one, session) for one in wanted]
    found = [chosen for chosen, problems in filters if not problems]
    side_by_side.labels(versions, found)  # refuses what is there twice
    if len(versions) * len(filters) > 1 and not isinstance(data, (str, Batch)):
        with suppress(errors.InputError):  # each of them tells of it
            data = _read_once(data, versions)
    subjects = []
    for version, names in zip(versions, side_by_side.labels(versions, [None]), strict=True):
        for one, (chosen, problems) in zip(wanted, filters, strict=True):
            own = given.copy()
            own["filter"], own["filter_values"] = one, side_by_side.values_of(given.get("filter_values"), chosen, found)
            label = [str(names["solution_version"])] if several_models else []
            label += [_named(one)] if several_filters else []
            several = several_models or several_filters
            subjects.append(_subject(data, version, chosen, session, own, problems, ", ".join(label), several))
    return _within(given.get("max_cost"), subjects)


def _read_once(data: Any, versions: Sequence[SolutionVersion]) -> Any:
    """Return data of which nothing is lost when it is read for the first of several; queries are read as they are."""
    by_attributes = any(row is not None and row.by_attributes for row in (recipe_of(one.recipe) for one in versions))
    return data if by_attributes else read_once(data)


def _named(chosen: Any) -> str:
    return "no filter" if chosen is None else f"filter {chosen.name if isinstance(chosen, Filter) else chosen}"


def _within(most: float | None, subjects: list[Subject]) -> list[Subject]:
    """Return what is asked, the first with what is wrong with the cost of all together."""
    known = [one.estimate for one in subjects if one.estimate is not None]
    if most is None or len(known) < len(subjects):
        return subjects
    first, *others = subjects
    return [replace(first, problems=(*first.problems, *estimate.problems(estimate.total(known), most))), *others]


def _subject(
    data: Any,
    version: SolutionVersion,
    chosen: Filter | None,
    session: Session,
    given: JobParameters,
    known: Sequence[Problem],
    label: str,
    several: bool,
) -> Subject:
    """Return what is asked of one model with one filter."""
    shape = recommend.shape_for(version)
    rows = [row for row in parameters.PARAMETERS if shape.job_kind in row.jobs]
    legal = [row.name for row in rows if row.name not in ("data", "session")]
    if unknown := sorted(set(given) - set(legal)):
        call = shape.job_kind.call
        raise errors.ArgumentError(
            f"{call} has no parameter {unknown[0]!r}{errors.meant(unknown[0], legal)}, so pnb.preflight neither; "
            f"legal are {legal}"
        )
    problems = list(known)
    if several and shape is SegmentRequest:
        text = f"{shape.job_kind.call} takes one model and one filter; call it for each, got {label!r} among several."
        problems.append(Problem("solution_version", text))
    source = data if isinstance(data, str) and s3.is_s3(data) else None
    batch = None if source else _batch(data, version, chosen, given, problems)
    if given.get("mode") == THEME_GENERATION:
        given = _with_item_name(given, version, problems)
    request = _request(version, source, chosen, session, given)
    context = recommend.request_context(version, batch, chosen)
    context = replace(context, names=names_of(shape.job_kind))
    if (
        isinstance(request, JobRequest) and request.mode == THEME_GENERATION and batch is not None
    ):  # more items become several jobs
        context = replace(context, per_file=min(len(batch), limits.MAX_THEME_RECORDS_PER_FILE))
    cost = None
    if given.get("max_cost") is not None and (batch is not None or source is not None):
        cost = costs.of_request(request, batch, version.recipe, session)
    return Subject(request, context, source is None, tuple(problems), label, cost)


def _filter(wanted: Any, session: Session) -> tuple[Filter | None, list[Problem]]:
    """Return a filter, or what is wrong with it."""
    if wanted is None:
        return None, []
    if not isinstance(wanted, (Filter, str)):
        text = f"'filter' must be a filter, its name, its ARN, or a list of these, got {wanted!r}."
        return None, [Problem("filter", text)]
    try:
        return find_filter(wanted, session), []
    except errors.NotFoundError as error:
        return None, [Problem("filter", str(error))]


def _batch(
    data: Any, version: SolutionVersion, chosen: Filter | None, given: JobParameters, problems: list[Problem]
) -> Batch | None:
    lost = chosen is None and given.get("filter") is not None  # its values are of no filter then
    try:
        batch = batches.batch_for(data, version, chosen, None if lost else given.get("filter_values"))
    except (errors.InputError, errors.NotFoundError, errors.RequestError) as error:
        problems.append(Problem("input", str(error)))
        return None
    problems += [Problem("filter_values", note, WARNING) for note in batch.notes_on_values]
    return batch


def _with_item_name(given: JobParameters, version: SolutionVersion, problems: list[Problem]) -> JobParameters:
    named = given.copy()
    try:
        named["item_name"] = theme_columns.name_column(version, given.get("item_name"))
    except errors.NotFoundError as error:
        problems.append(Problem("item_name", str(error)))
    return named


def _request(
    version: SolutionVersion, source: str | None, chosen: Filter | None, session: Session, given: JobParameters
) -> AnyRequest:
    """Return the request; a role that is missing is not refused here: the rules tell of it with everything else."""
    role = given.get("role_arn") or session.role_arn or ""
    filled = given.copy()
    filled["role_arn"] = role or "-"
    shape = recommend.shape_for(version)
    request: AnyRequest = recommend.request_for(version, source, chosen, session, filled, shape)
    return request.replace(role_arn=role)
