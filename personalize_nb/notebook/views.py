"""A job at a glance: its parameters and state as a `View`, a table in notebooks and the same content as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalize_nb.jobs.runs import attach
from personalize_nb.notebook.charts import View
from personalize_nb.text import html
from personalize_nb.text.public import public
from personalize_nb.text.redact import redact

if TYPE_CHECKING:
    from personalize_nb.jobs.job import AnyJob
    from personalize_nb.jobs.run import Run
    from personalize_nb.session.session import Session


@public
def show_job(job: AnyJob | Run | str, session: Session | None = None) -> View:
    """Show a job's parameters and state, account masked.

    Parameters
    ----------
    job
        A job or run, its name or its ARN.
    session
        Where to look for a name; by default the session of `pnb.connect()`.

    Returns
    -------
    View
        Shows a table in a notebook; printed, the same in text.

    Raises
    ------
    NotFoundError
        There is no job or run of this name; the message names near ones.

    References
    ----------
    Amazon Personalize: DescribeBatchInferenceJob, DescribeBatchSegmentJob.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> print(pnb.show_job("weekly"))
    jobName                           weekly
    ...
    """
    found = attach(job, session) if isinstance(job, str) else job
    rows = [(name, redact(str(value))) for name, value in _facts(found.describe()).items()]
    width = max(len(name) for name, _ in rows)
    return View(html.table(rows), "\n".join(f"{name:<{width}}  {value}" for name, value in rows))


def _facts(description: dict[str, Any]) -> dict[str, Any]:
    """Return the members worth a reader's time, nested ones flattened to dotted names."""
    flat: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and value:
            for name, inner in value.items():
                walk(f"{prefix}.{name}" if prefix else name, inner)
        elif prefix != "ResponseMetadata":
            flat[prefix] = f"{value:%Y-%m-%d %H:%M:%S %Z}" if hasattr(value, "strftime") else value

    walk("", {name: value for name, value in description.items() if name != "ResponseMetadata"})
    return flat
