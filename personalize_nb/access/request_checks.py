"""What Personalize itself says of a job: its model, its rules, its name, its filter, and the work that is under way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from personalize_nb import errors
from personalize_nb.access.checks import Inspection
from personalize_nb.access.report import OK, UNCHECKED, Check
from personalize_nb.contract import limits
from personalize_nb.contract.parameters import THEME_GENERATION, kms_keys
from personalize_nb.errors import ERROR, WARNING, Problem
from personalize_nb.jobs.request import JobRequest
from personalize_nb.jobs.rules import problems
from personalize_nb.resources.filter_texts import targets, uses_events
from personalize_nb.resources.own_quota import own_quota
from personalize_nb.resources.standing_costs import of_solution


def model(job: Inspection) -> Iterator[Check]:
    """Tell whether the solution version is there and trained."""
    arn = job.request.solution_version_arn
    try:
        job.version = job.session.call("describe_solution_version", solutionVersionArn=arn)["solutionVersion"]
    except errors.NotFoundError:
        found = f"There is none of ARN {arn!r} here."
        yield Check("solution version", ERROR, found, "pnb.list_solution_versions()")
        return
    status = job.version["status"]
    if status == limits.ACTIVE:
        yield Check("solution version", OK, f"ACTIVE, recipe {job.recipe}")
    else:
        yield Check("solution version", ERROR, f"Its status is {status}.", "Wait until it is ACTIVE.")


def standing_costs(job: Inspection) -> Iterator[Check]:
    """Warn of a solution that trains again by itself, which is on by default and billed each time."""
    if not job.version:
        return
    arn = job.version["solutionArn"]
    described = job.session.call("describe_solution", solutionArn=arn)["solution"]
    standing = of_solution(arn, described)
    if standing is not None:
        found = f"Of solution {standing.name!r}: {standing.why}. This job does not need it."
        yield Check("auto training", WARNING, found, standing.stop)


def rules(job: Inspection) -> Iterator[Check]:
    """Tell every rule of the API that the request breaks."""
    context = replace(job.subject.context, recipe=job.recipe, region=job.session.region, input_listed=job.input_listed)
    if job.filter:
        context = replace(context, filter_targets=targets(job.filter["filterExpression"]))
    found = [] if job.subject.judged else problems(job.request, context)
    yield from told(job.subject.problems)
    for problem in found:
        yield Check(f"request: {problem.field}", problem.level, problem.text)
    if not found and not (job.subject.judged and job.subject.problems):
        yield Check("request", OK, "It keeps the rules of the API.")


def told(found: Iterable[Problem]) -> Iterator[Check]:
    """Tell problems as checks."""
    for problem in found:
        yield Check(problem.field, problem.level, problem.text)


def places(job: Inspection) -> Iterator[Check]:
    """Tell what the request names that is of another partition, region or account than the session.

    The role is told of with the permissions.
    """
    request, session = job.request, job.session
    named = {
        "solution_version_arn": request.solution_version_arn,
        "filter_arn": request.filter_arn,
        **{row.attribute: getattr(request, row.attribute) for row in kms_keys()},
    }
    here = (session.partition, session.region, session.account)
    keys = {row.attribute for row in kms_keys()}
    for attribute, arn in named.items():
        parts = (arn or "").split(":", 5)
        if len(parts) != 6:
            continue  # the rules tell of it, and a key may be named by its id
        there = (parts[1], parts[3], parts[4])
        other = [
            f"{kind} {found!r}, not {own!r}"
            for kind, found, own in zip(("partition", "region", "account"), there, here, strict=True)
            # keys may be another account's, whose policy then has to allow it
            if found and found != own and not (kind == "account" and attribute in keys)
        ]
        if other:
            found = f"'{attribute}' is of {' and '.join(other)}: {arn}."
            yield Check(
                f"region: {attribute}", ERROR, found, f"Name one of account {session.account} in {session.region}."
            )


def themes(job: Inspection) -> Iterator[Check]:
    """Tell whether the Items schema has what themes are made of."""
    request = job.request
    if not isinstance(request, JobRequest) or request.mode != THEME_GENERATION or not job.version:
        return
    fields = job.reader.item_fields(job.version["datasetGroupArn"])
    names = [one["name"] for one in fields if "string" in one["type"]]
    textual = [one["name"] for one in fields if one.get("textual")]
    if not textual:
        to_do = 'Mark a field of the Items schema "textual": true, import and train again.'
        yield Check("themes", ERROR, "The Items dataset has no textual field.", to_do)
    if request.item_name and request.item_name not in names:
        found = f"The Items schema has no string field {request.item_name!r}."
        yield Check("themes", ERROR, found, f"Legal for 'item_name': {', '.join(names) or 'none'}.")
    elif textual and request.item_name:
        yield Check("themes", OK, f"Textual field {textual[0]}, names in {request.item_name}.")


def name(job: Inspection) -> Iterator[Check]:
    """Tell whether the job's name is free."""
    kind = job.request.job_kind
    try:
        job.session.call(kind.describe, **{kind.arn_member: job.session.arn(kind.resource, job.request.job_name)})
    except errors.NotFoundError:
        yield Check("job name", OK, f"{job.request.job_name!r} is free.")
        return
    found = f"{job.request.job_name!r} is taken; jobs are never deleted, so it stays so."
    yield Check("job name", ERROR, found, "Choose another 'job_name'.")


def quota(job: Inspection) -> Iterator[Check]:
    """Tell whether there is room for one more job, by the account's own quota where it may be asked."""
    kind = job.request.job_kind
    jobs = job.session.pages(*kind.listing)
    running = sum(entry["status"] not in limits.TERMINAL for entry in jobs)
    known = own_quota(job.session, kind)
    most = limits.MAX_JOBS_IN_PROGRESS if known is None else known
    under_way = f"{running} {kind.noun}s are pending or in progress"
    if known is not None:
        found = f"{under_way}; {most} may be, by the account's quota."
    elif running > most:
        yield Check("quota", UNCHECKED, f"{under_way}, more than the default of {most}: the account's quota is raised.")
        return
    else:
        found = f"{under_way}; {most} may be by default. The account's own quota could not be asked of Service Quotas."
    full = running >= most
    to_do = "Wait for one to end (pnb.list_jobs()), or raise the quota in Service Quotas." if full else ""
    yield Check("quota", ERROR if full else OK, found, to_do)


def filter_found(job: Inspection) -> Iterator[Check]:
    """Tell whether the filter is there, usable and of the model's data."""
    arn = job.request.filter_arn
    if arn is None:
        return
    try:
        described: dict[str, Any] = job.session.call("describe_filter", filterArn=arn)["filter"]
    except errors.NotFoundError:
        yield Check("filter", ERROR, f"There is no filter {arn!r} here.", "pnb.list_filters()")
        return
    group = job.version.get("datasetGroupArn", described["datasetGroupArn"])
    if described["status"] != limits.ACTIVE:
        yield Check("filter", ERROR, f"Its status is {described['status']}.", "Wait until it is ACTIVE.")
    elif described["datasetGroupArn"] != group:
        found = f"It belongs to {described['datasetGroupArn']}, the model to {group}."
        yield Check("filter", ERROR, found, "Create the filter in the model's dataset group.")
    else:
        yield Check("filter", OK, f"{described['name']} is ACTIVE.")
        job.filter = described


def history(job: Inspection) -> Iterator[Check]:
    """Warn where AWS's filters have stopped counting users' events, which nothing else tells."""
    counts_events = job.filter and uses_events(job.filter["filterExpression"])
    last = job.reader.last_import(job.version["datasetGroupArn"]) if counts_events and job.version else None
    if last is not None and datetime.now(UTC) - last >= timedelta(days=limits.FILTER_HISTORY_DAYS):
        found = (
            f"Interactions were last imported on {last:%Y-%m-%d}. On AWS, filters no longer count the events of "
            "users for whom none were imported for three months."
        )
        to_do = "Import the interactions again in full, not only the new ones: create_dataset_import_job."
        yield Check("history", WARNING, found, to_do)
