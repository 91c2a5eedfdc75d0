"""Asked again: only what failed, or the same with other parameters. Any job will do, whoever started it and how."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits, parameters
from personalize_nb.jobs import beginning, costs, manifests, runs, stored_values
from personalize_nb.jobs.arguments import RepeatParameters, check_names, names_of
from personalize_nb.jobs.batch_job import input_keys
from personalize_nb.jobs.failed_parts import check_ended
from personalize_nb.jobs.job import AnyJob, job_of, new_job_name
from personalize_nb.jobs.manifests import Manifest, RunGroup, RunPart
from personalize_nb.jobs.questions import judge
from personalize_nb.jobs.request import KIND_OF_KEYS, AnyRequest
from personalize_nb.jobs.rules import RequestContext
from personalize_nb.jobs.run import Run
from personalize_nb.resources.filter_texts import targets
from personalize_nb.resources.filters import find_filter
from personalize_nb.resources.solutions import find_solution_version
from personalize_nb.results import output_files
from personalize_nb.session import owners
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.elements import is_list

_LONGEST = 63
_REPEATED = RepeatParameters.__annotations__


def failed_of_job(arn: str, session: Session) -> AnyJob | Run:
    """Send the lines of a job that failed again; see `BatchInferenceJob.retry_failed`."""
    started = job_of(arn, session)
    described = started.describe()
    check_ended(f"job {started.name!r}", described["status"])
    name = _name_of_retries(started.name)
    if (known := manifests.find(session, name)) is not None:
        return Run(known, session).retry_failed()
    if described["status"] == limits.ACTIVE and not started.results().failed:
        choose().say(f"no line of job {started.name!r} failed; there is nothing to send again")
        return started
    request = _tagged(started)
    part = RunPart(started.name, request.input_path, request.output_path)
    created = f"{described['creationDateTime']:%Y-%m-%dT%H:%M:%SZ}"
    manifest = Manifest(name, (RunGroup(request),), (part,), limits.MAX_JOBS_IN_PROGRESS, created)
    return Run(manifest, session).retry_failed()


def _name_of_retries(name: str) -> str:
    """Return the name of the run of a job and its retries, the same from any kernel."""
    found = f"{name}-retried"
    return found if len(found) <= _LONGEST else f"{name[: _LONGEST - 17]}-{zlib.crc32(name.encode()):08x}-retried"


def repeated(arn: str, session: Session, given: RepeatParameters) -> AnyJob | Run:
    """Start a job on the input of another one; see `BatchInferenceJob.repeat`."""
    started = job_of(arn, session)
    before = _tagged(started)
    _check(given, before)
    name = given.get("job_name") or _new_name(started.name)
    request = _changed(before, name, given, session)
    context = _context(request, before, session)
    _check_input(request, session)
    costs.check([(request, None, context.recipe)], session, given.get("max_cost"))
    return beginning.begin(request, None, context, session)


def repeated_run(run: Run, given: RepeatParameters) -> Run:
    """Start a run on the input of another one; see `Run.repeat`."""
    manifest, session = run._manifest, run.session
    _check(given, manifest.request)
    _check_labels(given, manifest)
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
        first = [part for part in manifest.parts if part.group == number and not part.covers]
        groups.append(RunGroup(request, _labels(one, given, names[len(stored)], session)))
        for place, part in enumerate(first):
            output = f"{request.output_path}{manifests.label(place, len(first))}/"
            stored.append(replace(part, job_name=names[len(stored)], output_path=output, refused=""))
    for part in stored:
        _check_input(groups[part.group].request.replace(input_path=part.input_path), session)
    if given.get("max_cost") is not None:
        asked = [groups[part.group].request.replace(input_path=part.input_path) for part in stored]
        costs.check([(one, None, _recipe(one, session)) for one in asked], session, given["max_cost"])
    new = replace(manifest, name=name, groups=tuple(groups), parts=tuple(stored), created=runs.now())
    new.save(session)
    return runs.begun(new, session)


def _new_name(name: str) -> str:
    return new_job_name(manifests.base_of(name))


def _labels(group: RunGroup, given: RepeatParameters, job: str, session: Session) -> dict[str, str | None]:
    """Return what tells a group's results from others', where its job and perhaps the model or filter are others."""
    told = {**group.labels}
    if "job" in told:
        told["job"] = job
    if (model := given.get("solution_version")) is not None and "solution_version" in told:
        told["solution_version"] = find_solution_version(model, session).name
    if "filter" in given and "filter" in told:
        chosen = given["filter"]
        told["filter"] = None if chosen is None else find_filter(chosen, session).name
    return told


def _check_labels(given: RepeatParameters, manifest: Manifest) -> None:
    """Refuse the one model, or the one filter, for questions that differ in it: they would be one, paid twice.

    Raises
    ------
    InputError
        It is given.
    """
    for name in ("solution_version", "filter"):
        values = list(dict.fromkeys(one.labels[name] for one in manifest.groups if name in one.labels))
        if len(values) > 1 and (name == "filter" or given.get(name) is not None) and name in given:
            raise errors.InputError(
                f"Run {manifest.name!r} asks {len(values)} questions that differ in {name!r} "
                f"({', '.join(map(str, values))}); with one for all of them, {given.get(name)!r}, they would be the "
                f"same. Repeat it without {name!r}, or ask anew: pnb.recommend(ids, model, ...)."
            )


def _check(given: RepeatParameters, before: AnyRequest) -> None:
    """Refuse what jobs of the kind do not take, and several models or filters.

    Raises
    ------
    ArgumentError
        The kind has no such parameter.
    InputError
        A list is given where one is taken.
    """
    kind = before.job_kind
    legal = [row.name for row in parameters.PARAMETERS if kind in row.jobs and row.name in _REPEATED]
    check_names(given, f"repeat of a {kind.noun}", legal)
    for name in ("solution_version", "filter"):
        if is_list(given.get(name)):
            raise errors.InputError(
                f"'{name}' must be one here, got {given.get(name)!r}. A job for each: "
                f"[job.repeat({name}=one) for one in ...]; side by side they are asked anew, by {kind.call}."
            )


def _changed(request: AnyRequest, name: str, given: Mapping[str, Any], session: Session) -> AnyRequest:
    """Return a request with other parameters, named as `recommend` names them."""
    rows = {row.attribute: row for row in parameters.sent(request.job_kind).values()}
    changes: dict[str, Any] = {name: given[row.name] for name, row in rows.items() if row.name in given}
    changes.pop("solution_version_arn", None)
    if (model := given.get("solution_version")) is not None:
        changes["solution_version_arn"] = find_solution_version(model, session).arn
    if (chosen := given.get("filter")) is not None:
        changes["filter_arn"] = find_filter(chosen, session).arn
    changes = {attribute: rows[attribute].kind.filled(value) for attribute, value in changes.items()}
    output = given.get("output") or (
        beginning.own_output(name, session) if session.bucket else f"{request.output_path.rstrip('/')}/{name}/"
    )
    return request.replace(**{**changes, "job_name": name, "output_path": output})


def _context(request: AnyRequest, before: AnyRequest, session: Session) -> RequestContext:
    """Return what is known of the world around a request whose input another one has had."""
    kind = KIND_OF_KEYS.get(input_keys(before, session))
    known = RequestContext(recipe=_recipe(request, session), region=session.region, kind=kind)
    if request.filter_arn is not None and request.filter_arn != before.filter_arn:
        with suppress(errors.AccessError):
            chosen = find_filter(request.filter_arn, session)
            known = replace(
                known,
                filter_targets=targets(chosen.expression),
                **stored_values.known(chosen.required, request.input_path, session),
            )
    return replace(known, names=names_of(request.job_kind))


def _recipe(request: AnyRequest, session: Session) -> str | None:
    with suppress(errors.AccessError, errors.NotFoundError):
        return find_solution_version(request.solution_version_arn, session).recipe
    return None


def _check_input(request: AnyRequest, session: Session) -> None:
    """Refuse to start a job whose input is gone, which would be found out minutes later."""
    try:
        there = output_files.input_files(session, request.input_path)
    except errors.AccessError:
        return  # the service role may read it all the same
    if not there:
        raise errors.NotFoundError(
            f"The input {request.input_path!r} is gone, so the job cannot be repeated; "
            f"{request.job_kind.call}(ids, model) takes the ids anew."
        )


def _tagged(started: AnyJob) -> AnyRequest:
    """Return the request of a job with its tags; the mark of who made it is not copied."""
    request: AnyRequest = started.request
    return request if request.tags else request.replace(tags=_tags(started))


def _tags(started: AnyJob) -> dict[str, str]:
    try:
        answer = started.session.call("list_tags_for_resource", resourceArn=started.arn)
    except errors.PersonalizeError:
        return {}  # also those may repeat a job who may not read its tags
    tags: dict[str, str] = parameters.named("tags").kind.from_wire(answer.get("tags", ()))
    return {name: value for name, value in tags.items() if name != owners.OWNER}
