"""Asked again: only what failed, or the same with other parameters. Any job will do, whoever started it and how."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits, parameters
from personalize_nb.jobs import beginning, manifests, runs
from personalize_nb.jobs.arguments import RepeatParameters
from personalize_nb.jobs.batch_job import input_keys
from personalize_nb.jobs.failed_parts import check_ended
from personalize_nb.jobs.job import BatchInferenceJob, new_job_name
from personalize_nb.jobs.manifests import Manifest, RunGroup, RunPart
from personalize_nb.jobs.questions import JobQuestion, judge
from personalize_nb.jobs.request import KIND_OF_KEYS, JobRequest, RequestContext
from personalize_nb.jobs.run import Run
from personalize_nb.resources.filters import find_filter
from personalize_nb.resources.solutions import find_solution_version
from personalize_nb.results import output_files
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session

_LONGEST = 63


def failed_of_job(arn: str, session: Session) -> BatchInferenceJob | Run:
    """Send the lines of a job that failed again; see `BatchInferenceJob.retry_failed`."""
    started = BatchInferenceJob(arn, session)
    described = started.describe()
    check_ended(f"job {started.name!r}", described["status"])
    name = _name_of_retries(started.name)
    if (known := manifests.find(session, name)) is not None:
        return Run(known, session).retry_failed()
    if described["status"] == limits.ACTIVE and not started.results().failed:
        choose().say(f"no line of job {started.name!r} failed; there is nothing to send again")
        return started
    request = started.request
    part = RunPart(started.name, request.input_path, request.output_path)
    created = f"{described['creationDateTime']:%Y-%m-%dT%H:%M:%SZ}"
    manifest = Manifest(name, (RunGroup(request),), (part,), limits.MAX_JOBS_IN_PROGRESS, created)
    return Run(manifest, session).retry_failed()


def _name_of_retries(name: str) -> str:
    """Return the name of the run of a job and its retries, the same from any kernel."""
    found = f"{name}-retried"
    return found if len(found) <= _LONGEST else f"{name[: _LONGEST - 17]}-{zlib.crc32(name.encode()):08x}-retried"


def repeated(arn: str, session: Session, given: RepeatParameters) -> BatchInferenceJob | Run:
    """Start a job on the input of another one; see `BatchInferenceJob.repeat`."""
    check_names(given)
    started = BatchInferenceJob(arn, session)
    before = request = started.request
    if not request.tags:
        request = request.replace(tags=_tags(started))
    name = given.get("job_name") or _new_name(started.name)
    request = _changed(request, name, given, session)
    _input_is_there(request, session)
    question = JobQuestion(request, None, _context(request, before, session))
    return beginning.submit(question, session)


def repeated_run(run: Run, given: RepeatParameters) -> Run:
    """Start a run on the input of another one; see `Run.repeat`."""
    check_names(given)
    manifest, session = run._manifest, run.session
    name = given.get("job_name") or _new_name(run.name)
    runs.check_free(name, session)
    names = manifests.new_job_names(name, len(manifest.parts))
    base = given.get("output")
    folder = f"{base.rstrip('/')}/{name}/output" if base else session.location(manifests.FOLDER, name, "output")
    groups: list[RunGroup] = []
    stored: list[RunPart] = []
    for number, one in enumerate(manifest.groups):
        own = f"{number + 1}/" if len(manifest.groups) > 1 else ""
        request = _changed(one.request, name, given, session).replace(output_path=f"{folder}/{own}")
        judge([(request, _context(request, one.request, session))])
        groups.append(replace(one, request=request))
        first = [part for part in manifest.parts if part.group == number and not part.covers]
        for place, part in enumerate(first):
            output = f"{request.output_path}{manifests.label(place, len(first))}/"
            stored.append(replace(part, job_name=names[len(stored)], output_path=output, refused=""))
    for part in stored:
        _input_is_there(groups[part.group].request.replace(input_path=part.input_path), session)
    new = replace(manifest, name=name, groups=tuple(groups), parts=tuple(stored), created=runs.now())
    new.save(session)
    return runs.begun(new, session)


def _new_name(name: str) -> str:
    return new_job_name(manifests.base_of(name))


def _changed(request: JobRequest, name: str, given: Mapping[str, Any], session: Session) -> JobRequest:
    """Return a request with other parameters, named as `recommend` names them."""
    rows = {row.attribute: row for row in parameters.sent().values()}
    changes: dict[str, Any] = {name: given[row.name] for name, row in rows.items() if row.name in given}
    if (model := given.get("solution_version")) is not None:
        changes["solution_version_arn"] = find_solution_version(model, session).arn
    if (chosen := given.get("filter")) is not None:
        changes["filter_arn"] = find_filter(chosen, session).arn
    changes = {attribute: rows[attribute].kind.filled(value) for attribute, value in changes.items()}
    output = given.get("output") or (
        beginning.own_output(name, session) if session.bucket else f"{request.output_path.rstrip('/')}/{name}/"
    )
    return request.replace(**{**changes, "job_name": name, "output_path": output})


def check_names(given: Mapping[str, Any]) -> None:
    """Refuse what a repeated job cannot be given: it has the lines of the first one, and their filter values.

    Raises
    ------
    TypeError
        There is no parameter of this name.
    """
    legal = RepeatParameters.__annotations__
    for name in given:
        if name not in legal:
            of_lines = name in ("data", "filter_values")
            why = "the input stays as it is; pnb.recommend() takes another one" if of_lines else "legal are"
            told = "" if of_lines else f" {', '.join(legal)}"
            raise TypeError(f"repeat() takes no {name!r}: {why}{told}")


def _context(request: JobRequest, before: JobRequest, session: Session) -> RequestContext:
    """Return what is known of the world around a request whose input another one has had."""
    recipe = None
    with suppress(errors.AccessError, errors.NotFoundError):
        recipe = find_solution_version(request.solution_version_arn, session).recipe
    names = {row.attribute: row.name for row in parameters.sent().values()}
    kind = KIND_OF_KEYS.get(input_keys(before, session))
    return RequestContext(recipe=recipe, region=session.region, kind=kind, names=names)


def _input_is_there(request: JobRequest, session: Session) -> None:
    """Refuse to start a job whose input is gone, which would be found out minutes later."""
    try:
        there = output_files.input_files(session, request.input_path)
    except errors.AccessError:
        return  # the service role may read it all the same
    if not there:
        raise errors.NotFoundError(
            f"The input {request.input_path!r} is gone, so the job cannot be repeated; pnb.recommend(ids, model) takes "
            "the ids anew."
        )


def _tags(started: BatchInferenceJob) -> dict[str, str]:
    try:
        answer = started.session.call("list_tags_for_resource", resourceArn=started.arn)
    except errors.PersonalizeError:
        return {}  # also those may repeat a job who may not read its tags
    tags: dict[str, str] = parameters.named("tags").kind.from_wire(answer.get("tags", ()))
    return tags
