"""Calls that start a job again, as Python text, for forms and receipts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from personalize_nb.contract import parameters
from personalize_nb.contract.job_kinds import INFERENCE, JobKind
from personalize_nb.jobs.job import AnyJob
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.jobs.run import Run
from personalize_nb.notebook.charts import View
from personalize_nb.session import reconnecting
from personalize_nb.session.session import BUCKET, Session
from personalize_nb.text import html
from personalize_nb.text.redact import redact

MASKED = "What is masked here stands in full in form.code."


@dataclass(frozen=True)
class Code:
    """Code that stands in a call as it is, where a value would be shown by its repr."""

    code: str

    def __repr__(self) -> str:
        return self.code


# What a repeated job has of its own, so that no argument repeats it.
_OWN = ("data", "job_name", "output")
PER_RECORD = Code("...")  # a series of filter values, one for each record: legal Python, and plainly a gap


def recommend(source: str, solution: str, given: Mapping[str, Any], kind: JobKind = INFERENCE) -> str:
    """Return a call of `pnb.recommend`, or of what starts another kind of jobs.

    Parameters
    ----------
    source
        The data as code.
    solution
        What finds the solution version.
    given
        The parameters that differ from the defaults.
    kind
        The kind of jobs.

    Examples
    --------
    >>> recommend("data", "books", {"num_results": 10})
    "pnb.recommend(data, 'books', num_results=10)"
    """
    parts = [source, repr(solution), *(f"{name}={value!r}" for name, value in given.items())]
    return f"{kind.call}({', '.join(parts)})"


def of_form(source: str, solution: str, given: Mapping[str, Any], kind: JobKind, suggested: str) -> str:
    """Return the call that does what a form does; a name that the form made up is left out.

    Parameters
    ----------
    source, solution, given, kind
        As for `recommend`.
    suggested
        The name that the form made up.
    """
    kept = {key: value for key, value in given.items() if key != "job_name" or value != suggested}
    if values := kept.get("filter_values"):
        kept["filter_values"] = {key: one if isinstance(one, list) else PER_RECORD for key, one in values.items()}
    return recommend(source, solution, kept, kind)


def again(request: AnyRequest, tags: Mapping[str, str], session: Session) -> str:
    """Return the cell that repeats a job on the input that it left in S3, in a kernel that knows nothing else.

    It needs no name that is masked in a shared notebook: role, keys, folders and what else is masked are the job's own,
    which `repeat` keeps where no argument names them.

    Parameters
    ----------
    request
        The job's request.
    tags
        Its tags, which a request that was read back does not hold.
    session
        Where it was started.
    """
    request, given = request.replace(tags=tags), {}
    for row in parameters.sent(request.job_kind).values():
        value = getattr(request, row.attribute)
        if row.name in _OWN or row.kind.masked or row.name == "role_arn" or not row.is_set(value):
            continue
        short = row.kind.short(value)
        if redact(repr(short)) == repr(short):
            given[row.name] = short
    told = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return _cell(session, f"pnb.attach({request.job_kind.reference(request.job_name)!r}).repeat({told})")


def of_started(job: AnyJob | Run, request: AnyRequest) -> str:
    """Return the cell that repeats what a form has started; nobody is asked.

    Parameters
    ----------
    job
        What was started, or found where what was asked before is used again.
    request
        What was asked.
    """
    if isinstance(job, Run):
        return again_run(job)
    return again(request.replace(job_name=job.name), request.tags, job.session)


def again_run(run: Run) -> str:
    """Return the cell that repeats a run, in a kernel that knows nothing else."""
    session, lines = run.session, []
    stored = session.location() if session.bucket else ""
    if not session.is_local and stored and session.bucket != os.environ.get(BUCKET):
        # what is remembered of a run lies in the bucket, whose name is masked: its first job knows it
        jobs = [part for _, parts in run.asked() for part in parts if part.input_path.startswith(f"{stored}/")]
        lines = [
            f"session.bucket = pnb.attach({part.job_name!r}).request.input_path.split('/')[2]" for part in jobs[:1]
        ]
    return _cell(session, *lines, f"pnb.attach({run.name!r}).repeat()")


def _cell(session: Session, *lines: str) -> str:
    connect = reconnecting.call(session)
    named = any("session." in line for line in lines)
    return "\n".join(("import personalize_nb as pnb", f"session = {connect}" if named else connect, *lines))


def shown(call: str) -> View:
    """Return a form's call as an output of its own, which stays when the form's kernel is gone."""
    masked = redact(call)
    notes = [MASKED] if masked != call else []
    heading = "The same without the form, which lives in a running kernel: run this cell to get it back"
    opening = html.Markup('<details class="pnb-call"><summary data-lm-suppress-shortcuts="true">')
    fragment = opening + html.Markup("{}</summary>{}{}</details>").format(
        heading, html.code(masked), html.lines(*notes)
    )
    return View(fragment, "\n".join([f"{heading}:", masked, *notes]))
