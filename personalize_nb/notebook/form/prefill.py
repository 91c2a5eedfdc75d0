"""A form that begins as a job or run that is there: everything that was asked, ready to be asked again with changes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import job_kinds, limits, parameters
from personalize_nb.errors import WARNING, Problem
from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.jobs.job import AnyJob, new_job_name
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.runs import attach
from personalize_nb.resources.filters import find_filter
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.session import owners
from personalize_nb.session.session import Session


@dataclass(frozen=True)
class Prefill:
    """What a form begins with.

    Parameters
    ----------
    address
        Where the input lies.
    solution_version
        The model; None where it is gone.
    given
        Parameters as `pnb.recommend` takes them.
    notes
        What is not as it was.
    """

    address: str
    solution_version: SolutionVersion | None
    given: dict[str, Any]
    notes: list[Problem] = field(default_factory=list)


def started(data: Any, session: Session | None) -> AnyJob | Run | None:
    """Return the job or run that is meant by what a form is made of; None for data.

    Parameters
    ----------
    data
        What the form is given; of texts the ARN of a job means one.
    session
        Where such a job is.
    """
    if isinstance(data, (BatchJob, Run)):
        return data  # type: ignore[return-value]  # of the kinds that there are
    if isinstance(data, str) and any(f":{kind.resource}/" in data for kind in job_kinds.JOB_KINDS):
        return attach(data, session)
    return None


def of(job: AnyJob | Run) -> Prefill:
    """Return what a form begins with that asks what a job or run was asked, whoever started it and how."""
    session, notes = job.session, list[Problem]()
    request: AnyRequest = job.request
    if isinstance(job, Run):
        asked = list(job.asked())
        request = asked[0][0]
        if len(asked) > 1:
            text = (
                f"Run {job.name!r} asks {len(asked)} questions side by side; this is the first of them. "
                f"pnb.attach({job.name!r}).repeat() asks all again."
            )
            notes.append(Problem("data", text, WARNING))
    given: dict[str, Any] = {}
    for row in parameters.sent(request.job_kind).values():
        value = getattr(request, row.attribute)
        if row.is_set(value) and not row.kind.is_empty(value):
            given[row.name] = value
    for name in ("data", "solution_version", "job_name", "filter"):
        given.pop(name, None)
    given["tags"] = _tags(job, request)
    if given.get("role_arn") == session.role_arn:
        del given["role_arn"]
    _settle_output(given, request, session)
    if (chosen := _filter(request, session, notes)) is not None:
        given["filter"] = chosen
    return Prefill(
        request.input_path,
        _model(request, session, notes),
        {name: value for name, value in given.items() if value not in (None, {})},
        notes,
    )


def _settle_output(given: dict[str, Any], request: AnyRequest, session: Session) -> None:
    """Give the job an output of its own: in the folder of the first one its results would be written over."""
    del given["output"]
    if not session.bucket:
        given["output"] = f"{request.output_path.rstrip('/')}/{new_job_name('again')}/"


def _tags(job: AnyJob | Run, request: AnyRequest) -> dict[str, str]:
    tags = dict(request.tags)
    if not tags and not isinstance(job, Run):
        with suppress(errors.PersonalizeError):  # also those may repeat a job who may not read its tags
            tags = owners.tags_of(job.session, job.arn)
    return {name: value for name, value in tags.items() if name != owners.OWNER}


def _filter(request: AnyRequest, session: Session, notes: list[Problem]) -> Any:
    if request.filter_arn is None:
        return None
    try:
        found = find_filter(request.filter_arn, session)
    except errors.NotFoundError:
        name = request.filter_arn.rsplit("/", 1)[-1]
        notes.append(Problem("filter", f"The job's filter {name!r} is gone: choose another one.", WARNING))
        return None
    return found


def _model(request: AnyRequest, session: Session, notes: list[Problem]) -> SolutionVersion | None:
    """Return the model of a request, or a newer version of its solution, or none where that is gone, too."""
    arn = request.solution_version_arn
    told = arn.split(":solution/", 1)[-1]
    with suppress(errors.NotFoundError):
        found = find_solution_version(arn, session)
        if found.status == limits.ACTIVE:
            return found
    with suppress(errors.NotFoundError):
        newer = find_solution_version(arn.rsplit("/", 1)[0], session)
        if newer.status == limits.ACTIVE:
            text = f"The job's solution version {told!r} is gone; the newest one of its solution is chosen."
            notes.append(Problem("solution_version", text, WARNING))
            return newer
    notes.append(
        Problem("solution_version", f"The job's solution version {told!r} is gone; another one is chosen.", WARNING)
    )
    return None
