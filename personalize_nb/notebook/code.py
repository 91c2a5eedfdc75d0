"""Calls that start a job again, as Python text, for forms and receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from personalize_nb.jobs.request import BATCH_INFERENCE, JobRequest
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


PER_RECORD = Code("...")  # a series of filter values, one for each record: legal Python, and plainly a gap


def recommend(source: str, solution: str, parameters: Mapping[str, Any]) -> str:
    """Return a call of `pnb.recommend`.

    Parameters
    ----------
    source
        The data as code.
    solution
        What finds the solution version.
    parameters
        What differs from the defaults.

    Examples
    --------
    >>> recommend("data", "books", {"num_results": 10})
    "pnb.recommend(data, 'books', num_results=10)"
    """
    parts = [source, repr(solution), *(f"{name}={value!r}" for name, value in parameters.items())]
    return f"pnb.recommend({', '.join(parts)})"


def again(request: JobRequest, tags: Mapping[str, str], own_role: str | None = None) -> str:
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
    other_role = own_role is not None and request.role_arn != own_role
    parameters = {
        "num_results": request.num_results,
        "filter": request.filter_arn and request.filter_arn.rsplit("/", 1)[-1],
        "exploration_weight": request.exploration_weight,
        "exploration_item_age_cut_off": request.exploration_item_age_cut_off,
        "ranking_influence": dict(request.ranking_influence) or None,
        "mode": request.mode if request.mode != BATCH_INFERENCE else None,
        "item_name": request.item_name,
        "tags": dict(tags) or None,
        "role_arn": Code(f"{past}.role_arn") if other_role else None,
        **{
            name: Code(f"{past}.{name}") if getattr(request, name) else None
            for name in ("input_kms_key_arn", "output_kms_key_arn")
        },
    }
    solution = request.solution_version_arn.split(":solution/", 1)[-1]
    given = {name: value for name, value in parameters.items() if value is not None}
    return recommend(f"{past}.input_path", solution, given)


def shown(call: str) -> View:
    """Return a form's call as an output of its own, which stays when the form's kernel is gone."""
    masked = redact(call)
    notes = [MASKED] if masked != call else []
    heading = "The same without the form, which lives in a running kernel: run this cell to get it back"
    fragment = html.Markup('<details class="pnb-call"><summary>{}</summary>{}{}</details>').format(
        heading, html.code(masked), html.lines(*notes)
    )
    return View(fragment, "\n".join([f"{heading}:", masked, *notes]))
