"""What a receipt says of a job or run, line by line: what was asked, how it stands, what it costs, what is next."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import SEGMENTS
from personalize_nb.contract.parameters import THEME_GENERATION, Parameter, named
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.jobs import costs
from personalize_nb.jobs.estimates import of_run, recipe_of
from personalize_nb.jobs.job import AnyJob
from personalize_nb.jobs.request import AnyRequest, JobRequest, SegmentRequest, rows_of
from personalize_nb.jobs.run import Run
from personalize_nb.notebook import code
from personalize_nb.notebook.output_facts import OutputFacts
from personalize_nb.resources import durations
from personalize_nb.session import explanations, owners, progress
from personalize_nb.session.answers import Described
from personalize_nb.text.counts import counted, spoken, verb
from personalize_nb.text.redact import redact

REPEAT, COST, EXPECTED, OWNER = "Repeat it", "Cost", "Expected end", "Owner"
RECIPE = "recipe"  # among the details; no line, but it says which parameters mean anything
_NAMED = 6  # of questions that differ in a line


def summary(
    described: Mapping[str, Any], checked: datetime, details: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what a receipt says of a job, label by label, with accounts and buckets masked.

    Parameters
    ----------
    described
        The service's description of the job.
    checked
        When it was given.
    details
        What the service does not tell, by label: the input, filter values, tags, the call that repeats the job, what
        the output holds; and the `RECIPE`.
    """
    ended = described["lastUpdatedDateTime"] if described["status"] in limits.TERMINAL else None
    segments = SEGMENTS.arn_member in described
    request = SegmentRequest.from_api(described) if segments else JobRequest.from_api(described)
    facts = {
        "Job": described["jobName"],
        **_state(described, details or {}),
        **_asked([request], details or {}),
        **_around(details or {}),
        "Started": _time(described["creationDateTime"]),
        **_looked_at(ended, checked, described["creationDateTime"], details or {}),
        **_next(described["jobName"], described["status"], _reader(request)),
    }
    return _closed(facts, details or {})


def run_summary(
    described: Mapping[str, Any],
    requests: Sequence[AnyRequest],
    checked: datetime,
    details: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return what a receipt says of a run: as for a job, and how many of its jobs are done.

    Parameters
    ----------
    described
        What `Run.describe()` answers.
    requests
        What its jobs are asked: one thing, or several.
    checked, details
        As for `summary`.
    """
    jobs = ", ".join(f"{described[state]:,} {state}" for state in ("done", "running", "waiting", "failed"))
    left, began = described["waiting"], datetime.fromisoformat(described["created"])
    others = described.get("others", 0) if left else 0
    jobs += f"; {counted(others, 'other job')} {verb(others, 'takes', 'take')} room" if others else ""
    wait = f"; {verb(left, 'it starts', 'those start')} while this kernel or a .wait() in another one runs"
    records = described["records"]
    size = {} if records is None else {"Input": counted(records, "record")}  # of input in S3 nobody has counted them
    facts = {
        "Run": f"{described['name']} of {counted(described['jobs'], 'job')}",
        **_state(described, details or {}),
        "Jobs": jobs + (wait if left else ""),
        **_asked(requests, {**size, **_outputs(described["name"], requests), **(details or {})}),
        **_around(details or {}),
        "Started": _time(began),
        **_looked_at(described.get("ended"), checked, began, details or {}),
        **_next(described["name"], described["status"], _reader(requests[0]), run=True, some=bool(described["done"])),
    }
    return _closed(facts, details or {})


def _state(described: Mapping[str, Any], details: Mapping[str, str]) -> dict[str, str]:
    far = described.how_far if isinstance(described, Described) else None
    share = f", {progress.counted(*far)}" if far is not None else ""
    facts = {"Status": f"{described['status']}{share}"}
    facts |= {label: details[label] for label in OutputFacts.LABELS if details.get(label)}
    if described["status"] == limits.FAILED:
        facts["Reason"] = explanations.told(described.get("failureReason"))
    return facts


def _asked(requests: Sequence[AnyRequest], details: Mapping[str, str]) -> dict[str, str]:
    """Return what was asked, line by line; what only who started the job knows stands in the details."""
    told = [_lines(one, details.get(RECIPE)) for one in requests]
    facts = {label: details.get(label) or _together([one[label] for one in told]) for label in told[0]}
    idle = ", ".join(label for label in _optional(requests[0], details.get(RECIPE)) if not facts[label])
    return {label: value for label, value in facts.items() if value} | (
        {"Not given": f"{idle} (none is the default)"} if idle else {}
    )


def _optional(request: AnyRequest, recipe: str | None) -> list[str]:
    """Return the labels of what may be left out, and would mean something to the recipe."""
    # the service tells no tags, so that without them nobody knows
    rows = [row for row, _ in rows_of(request) if row.line and not row.required and row.name != "tags"]
    return list(dict.fromkeys(row.line.label or row.label for row in rows if row.line and _means(row, request, recipe)))


def _means(row: Parameter, request: AnyRequest, recipe: str | None) -> bool:
    """Tell whether a parameter is known to mean something to a request."""
    if row.mode is not None and row.mode != getattr(request, "mode", None):
        return False
    return row.need is None or (recipe in RECIPES and row.need.met(RECIPES[recipe]))


def _together(texts: Iterable[str]) -> str:
    """Return what several questions say in a line: once what is the same, else each of it."""
    several = list(dict.fromkeys(texts))
    if len(several) == 1:
        return several[0]
    more = f" and {len(several) - _NAMED:,} more" if len(several) > _NAMED else ""
    return "; ".join(text or "none" for text in several[:_NAMED]) + more


def _outputs(name: str, requests: Sequence[AnyRequest]) -> dict[str, str]:
    """Return where several questions have their output: below which folder, and what tells each."""
    paths = {one.output_path for one in requests}
    if len(paths) == 1:
        return {}
    common = os.path.commonprefix(sorted(paths)).rpartition("/")[0] + "/"
    where = common if common.count("/") > 2 else "several buckets"
    return {"Output": f"{where} (in full: [job.request.output_path for job in pnb.attach({name!r}).jobs])"}


def _lines(request: AnyRequest, recipe: str | None) -> dict[str, str]:
    lines: dict[str, list[str]] = {}
    asked = [(row.line, row, value) for row, value in rows_of(request) if row.line is not None]
    for line, row, value in sorted(asked, key=lambda one: one[0].place):
        told = lines.setdefault(line.label or row.label, [])
        if row.is_set(value):
            told.append(line.text.format(row.kind.told(value), job=request.job_name))
        elif row.applied is not None and _means(row, request, recipe):
            told.append(f"{line.text.format(row.kind.told(row.applied))} (default)")
    return {label: ", ".join(told) for label, told in lines.items()}


def _around(details: Mapping[str, str]) -> dict[str, str]:
    """Return what it comes to, and whose it is."""
    return {label: details[label] for label in (COST, OWNER) if details.get(label)}


def _looked_at(
    ended: datetime | None, checked: datetime, began: datetime, details: Mapping[str, str]
) -> dict[str, str]:
    """When it ended and how long it took; or when it will, and how old the news of it is."""
    if ended:
        return {"Ended": _time(ended), "Took": spoken((ended - began).total_seconds())}
    expected = {EXPECTED: details[EXPECTED]} if details.get(EXPECTED) else {}
    return {**expected, "Checked": _time(checked)}


def _reader(request: AnyRequest) -> str:
    """Return the method that reads what was asked for."""
    if isinstance(request, SegmentRequest):
        return "segments"
    return "themes" if request.mode == THEME_GENERATION else "recommendations"


def _next(name: str, status: str, reader: str, run: bool = False, some: bool = False) -> dict[str, str]:
    if status == limits.ACTIVE:
        return {"Read it": f"pnb.attach({name!r}).{reader}()"}
    if status == limits.FAILED and run:
        retry = f"pnb.attach({name!r}).retry()"
        whole = f"mend what the reason names, then {retry} starts the jobs again"
        return {"Next": f"{retry} starts the jobs that failed again, .errors() says why" if some else whole}
    if status == limits.FAILED:
        return {"Next": "mend what the reason names, then start again under a new name"}
    later = f"pnb.watch({name!r}) in a cell shows the outcome; pnb.refresh_receipts(path) writes it here, once saved"
    return {"Follow it": f"pnb.attach({name!r}).wait()", "Later": later}


def _closed(facts: dict[str, str], details: Mapping[str, str]) -> dict[str, str]:
    call = details.get(REPEAT, "")
    masked = {label: redact(value) for label, value in facts.items()}
    if call:
        masked[REPEAT] = redact(call)
        masked |= {"": code.MASKED} if masked[REPEAT] != call else {}
    return masked


def looked_up(job: AnyJob | Run) -> dict[str, str]:
    """Find out what a receipt without a form can tell: tags, and the call that repeats the job on its stored input."""
    several = [dict(one.tags) for one, _ in job.asked()] if isinstance(job, Run) else [_tags(job)]
    owner = "; ".join(dict.fromkeys(tags.pop(owners.OWNER, "") for tags in several))
    found = {
        "Tags": _together(named("tags").kind.told(tags) if tags else "" for tags in several),
        OWNER: owner if owner != job.session.owner else "",
        RECIPE: _recipe(job),
    }
    if isinstance(job, Run):
        return {**found, **_amounts_of_run(job), REPEAT: code.again_run(job)}
    return {**found, **_amounts(job), REPEAT: code.again(job.request, several[0], job.session)}


def _recipe(job: AnyJob | Run) -> str:
    """Return the recipe of all questions; nothing where they differ, or it cannot be looked up."""
    requests = [one for one, _ in job.asked()] if isinstance(job, Run) else [job.request]
    models = {one.solution_version_arn: one for one in requests}
    with suppress(errors.PersonalizeError):
        if len(models) <= _NAMED and len(found := {recipe_of(one, job.session) for one in models.values()}) == 1:
            return found.pop() or ""
    return ""


def _amounts(job: AnyJob) -> dict[str, str]:
    """Return what the job comes to and when it ends, each as far as the caller may look."""
    found, request = {}, job.request
    with suppress(errors.PersonalizeError):
        found[COST] = costs.of_request(request, None, recipe_of(request, job.session), job.session).text
    with suppress(errors.PersonalizeError):
        described = job.describe()
        took = durations.expected(job.session, costs.mode_of(request), request.solution_version_arn)
        if took is not None:
            found[EXPECTED] = took.told(described["creationDateTime"])
    return found


def _amounts_of_run(run: Run) -> dict[str, str]:
    """Return what all questions of a run come to, and when the jobs end that have not, so many at a time."""
    found = {}
    with suppress(errors.PersonalizeError):
        estimate = of_run(run)
        found[COST] = estimate.text
        described = run.describe()
        left = replace(estimate, jobs=described["running"] + described["waiting"], of_one=1).expected
        if left is not None:
            found[EXPECTED] = left.told(datetime.now(UTC))
    return found


def _tags(job: AnyJob) -> dict[str, str]:
    if job.request.tags:
        return dict(job.request.tags)
    try:
        answer = job.session.call("list_tags_for_resource", resourceArn=job.arn)
    except errors.PersonalizeError:
        return {}  # a receipt is shown also to those who may not read tags
    tags: dict[str, str] = named("tags").kind.from_wire(answer.get("tags", ()))
    return tags


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
