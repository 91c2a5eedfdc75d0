"""Calls that start a job again, as Python text, for forms and receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from personalize_nb.contract import parameters
from personalize_nb.contract.job_kinds import INFERENCE, JobKind
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.notebook.charts import View
from personalize_nb.text import html
from personalize_nb.text.redact import redact

MASKED = "What is masked here stands in full in form.code."


@dataclass(frozen=True)
class Code:
    """Code that stands in a call as it is, where a value would be shown by its repr."""

    code: str

    def __repr__(self) -> str:
        return self.code


# What a repeated job has of its own, or what finds it, so that no argument repeats it.
_OWN = ("data", "solution_version", "job_name", "output")
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


def again(request: AnyRequest, tags: Mapping[str, str], own_role: str | None = None) -> str:
    """Return the call that repeats a job on the input that it left in S3; nothing in it needs to be masked.

    Parameters
    ----------
    request
        The job's request.
    tags
        Its tags, which a request that was read back does not hold.
    own_role
        The session's role, which a call takes without naming it.
    """
    past = f"pnb.attach({request.job_name!r}).request"
    request, given = request.replace(tags=tags), {}
    for row in parameters.sent(request.job_kind).values():
        value = getattr(request, row.attribute)
        if row.name in _OWN or not row.is_set(value) or (row.name == "role_arn" and own_role in (None, value)):
            continue
        given[row.name] = Code(f"{past}.{row.attribute}") if row.kind.masked else row.kind.short(value)
    solution = parameters.named("solution_version").kind.short(request.solution_version_arn)
    return recommend(f"{past}.input_path", solution, given, request.job_kind)


def shown(call: str) -> View:
    """Return a form's call as an output of its own, which stays when the form's kernel is gone."""
    masked = redact(call)
    notes = [MASKED] if masked != call else []
    heading = "The same without the form, which lives in a running kernel: run this cell to get it back"
    fragment = html.Markup('<details class="pnb-call"><summary>{}</summary>{}{}</details>').format(
        heading, html.code(masked), html.lines(*notes)
    )
    return View(fragment, "\n".join([f"{heading}:", masked, *notes]))
