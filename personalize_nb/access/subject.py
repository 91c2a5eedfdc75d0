"""What `preflight` is asked about, as a request: a `JobRequest`, boto3's arguments, or data and a model.

The data and the model are put together as `pnb.recommend` does it, up to the point where it would upload and start.
What keeps a job from being made at all (ids that cannot be used, a filter that is not there) is noted, not raised.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits, parameters, releases
from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.errors import WARNING, Problem
from personalize_nb.inputs.batch import Batch
from personalize_nb.jobs import costs, recommend
from personalize_nb.jobs.arguments import JobParameters
from personalize_nb.jobs.request import JobRequest, RequestContext
from personalize_nb.resources import estimate
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
_HOW = "pnb.preflight takes a JobRequest, the arguments of create_batch_inference_job, or ids with their model"


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
    """

    request: JobRequest
    context: RequestContext = field(default_factory=RequestContext)
    uploads: bool = False
    problems: tuple[Problem, ...] = ()


def from_request(request: Any) -> Subject:
    """Return what is meant by a request, or refuse what is none.

    Parameters
    ----------
    request
        A `JobRequest`, or a mapping of boto3's arguments; also what `describe_batch_inference_job` answers.

    Raises
    ------
    RequestError
        It is something else, or has keys that the API does not know.
    """
    if isinstance(request, JobRequest):
        return Subject(request)
    if not isinstance(request, Mapping):
        size = f" of {len(request):,}" if hasattr(request, "__len__") and not isinstance(request, str) else ""
        shown = repr(request) if isinstance(request, str) else f"a {type(request).__name__}{size}"
        text = f"{_HOW}: pnb.preflight(ids, model, num_results=10). Got {shown} without a model."
        raise errors.RequestError([Problem("solution_version", text)])
    model = limits.service_model()
    legal = dict(model.shape_for("CreateBatchInferenceJobRequest").members)
    answered = model.shape_for("BatchInferenceJob").members
    wrong = [
        problem
        for key, value in request.items()
        if key in legal or key not in answered
        for problem in _wrong(str(key), value, legal)
    ]
    if wrong:
        raise errors.RequestError(wrong)
    try:
        return Subject(JobRequest.from_api({**_NOTHING, **request}))
    except (TypeError, ValueError, KeyError) as error:  # numbers and tags that are none
        raise errors.RequestError(
            [Problem("batchInferenceJobConfig", f"{_HOW}. Got {dict(request)!r}: {error}.")]
        ) from error


def _wrong(key: str, value: Any, known: Mapping[str, Any], within: str = "") -> Iterator[Problem]:
    """Unknown keys, at any depth, and values of another kind than the API takes."""
    path, kind = f"{within}{key}", known[key].type_name if key in known else ""
    if not kind:
        names = {name.lower(): name for name in known}
        if newer := releases.lacking("CreateBatchInferenceJob", path):
            yield Problem(path, f"{path!r} {newer}.")
            return
        near = difflib.get_close_matches(key.replace("_", "").lower(), names, n=1)
        meant = f" (did you mean {names[near[0]]!r}?)" if near else ""
        yield Problem(path, f"{_HOW}. Got the key {path!r}{meant}; legal here: {', '.join(known)}.")
    elif kind == "structure" and isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _wrong(name, inner, known[key].members, f"{path}.")
        for name in known[key].required_members:
            if name not in value:
                yield Problem(f"{path}.{name}", f"{path!r} lacks {name!r}, got {dict(value)!r}.")
    elif kind in ("structure", "map") and not isinstance(value, Mapping):
        legal = ", ".join(known[key].members) if kind == "structure" else "of the developer guide"
        yield Problem(path, f"{path!r} must be a mapping with the keys {legal}, got {value!r}.")
    elif kind == "string" and not isinstance(value, str):
        yield Problem(path, f"{path!r} must be a string, got {value!r}.")


def from_data(data: Any, solution_version: SolutionVersion | str, session: Session, given: JobParameters) -> Subject:
    """Return what `pnb.recommend` would start with the same arguments.

    Raises
    ------
    NotFoundError
        There is no such solution version, or the session has no bucket.
    TypeError
        `pnb.recommend` has no such parameter.
    """
    legal = parameters.names("data", "session")
    if unknown := sorted(set(given) - set(legal)):
        raise TypeError(f"pnb.recommend has no parameter {unknown[0]!r}, so pnb.preflight neither; legal are {legal}")
    if isinstance(data, JobRequest):
        raise TypeError("a JobRequest holds its model and parameters already: pnb.preflight(request)")
    version = find_solution_version(solution_version, session)
    problems: list[Problem] = []
    chosen = _filter(given, session, problems)
    source = data if isinstance(data, str) and s3.is_s3(data) else None
    batch = None if source else _batch(data, version, chosen, given, problems)
    if given.get("mode") == THEME_GENERATION:
        given = _with_item_name(given, version, problems)
    request = _request(version, source, chosen, session, given)
    context = recommend.request_context(version, batch, chosen)
    context = replace(context, names={row.attribute: row.name for row in parameters.sent().values()})
    if request.mode == THEME_GENERATION and batch is not None:  # more items become several jobs
        context = replace(context, per_file=min(len(batch), limits.MAX_THEME_RECORDS_PER_FILE))
    most = given.get("max_cost")
    if most is not None and (batch is not None or source is not None):
        problems += estimate.problems(costs.of_request(request, batch, version.recipe, session), most)
    return Subject(request, context, uploads=source is None, problems=tuple(problems))


def _filter(given: JobParameters, session: Session, problems: list[Problem]) -> Filter | None:
    wanted = given.get("filter")
    if wanted is None:
        return None
    try:
        return find_filter(wanted, session)
    except errors.NotFoundError as error:
        problems.append(Problem("filter", str(error)))
        return None


def _batch(
    data: Any, version: SolutionVersion, chosen: Filter | None, given: JobParameters, problems: list[Problem]
) -> Batch | None:
    lost = chosen is None and given.get("filter") is not None  # its values are of no filter then
    try:
        batch = recommend.batch_for(data, version, chosen, None if lost else given.get("filter_values"))
    except (errors.InputError, errors.NotFoundError, errors.RequestError) as error:
        problems.append(Problem("input", str(error)))
        return None
    problems += [Problem("filter_values", note, WARNING) for note in batch.notes_on_values]
    return batch


def _with_item_name(given: JobParameters, version: SolutionVersion, problems: list[Problem]) -> JobParameters:
    named = given.copy()
    try:
        named["item_name"] = recommend.name_column(version, given.get("item_name"))
    except errors.NotFoundError as error:
        problems.append(Problem("item_name", str(error)))
    return named


def _request(
    version: SolutionVersion, source: str | None, chosen: Filter | None, session: Session, given: JobParameters
) -> JobRequest:
    """Return the request; a role that is missing is not refused here: the rules tell of it with everything else."""
    role = given.get("role_arn") or session.role_arn or ""
    filled = given.copy()
    filled["role_arn"] = role or "-"
    return recommend.request_for(version, source, chosen, session, filled).replace(role_arn=role)
