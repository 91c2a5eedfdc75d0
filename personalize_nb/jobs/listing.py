"""Jobs of the account as a table: all of them, or those that one has started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import job_kinds
from personalize_nb.contract.job_kinds import JobKind
from personalize_nb.contract.parameters import BATCH_SEGMENT, named
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version
from personalize_nb.session import owners
from personalize_nb.session.connection import current
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd


@public
def list_jobs(
    solution_version: SolutionVersion | str | None = None, session: Session | None = None, *, mine: bool = False
) -> pd.DataFrame:
    """Return the jobs of the account and region, of both kinds, whoever started them, newest first.

    Parameters
    ----------
    solution_version
        Only jobs of this one.
    session
        Where to look.
    mine
        Only jobs that you started, as their tag `personalize_nb:owner` tells; each job's tags are read, once.

    Returns
    -------
    pandas.DataFrame
        Columns `name`, `status`, `mode` (of segment jobs `BATCH_SEGMENT`), `solution`, `created`, `updated` (UTC, to
        the second), `failure_reason`.

    Raises
    ------
    AccessError
        `mine` is asked, and who you are or the tags of jobs may not be read.
    """
    import pandas as pd

    session = current(session or getattr(solution_version, "session", None))
    only = (
        {} if solution_version is None else {"solutionVersionArn": find_solution_version(solution_version, session).arn}
    )
    rows = [
        (
            entry["jobName"],
            entry["status"],
            _mode(kind, entry),
            entry["solutionVersionArn"].split(":solution/", 1)[-1].split("/", 1)[0],
            entry["creationDateTime"],
            entry["lastUpdatedDateTime"],
            entry.get("failureReason", ""),
        )
        for kind in job_kinds.JOB_KINDS
        for entry in _entries(kind, session, only)
        if not mine or _is_mine(entry[kind.arn_member], session)
    ]
    names = ["name", "status", "mode", "solution", "created", "updated", "failure_reason"]
    frame = pd.DataFrame(rows, columns=names)
    frame = frame.sort_values("created", ascending=False, kind="stable", ignore_index=True)
    for column in ("created", "updated"):
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.floor("s")
    return frame


def _is_mine(arn: str, session: Session) -> bool:
    if not session.owner:
        raise errors.AccessError(
            f"Who you are may not be asked, so which jobs are yours cannot be told: set {owners.VARIABLE} to your name."
        )
    return session.owner_of(arn) == session.owner


def _mode(kind: JobKind, entry: Mapping[str, Any]) -> str:
    if kind == job_kinds.SEGMENTS:
        return BATCH_SEGMENT
    mode = named("mode")
    return str(mode.taken(entry) or mode.default)


def _entries(kind: JobKind, session: Session, only: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield what the service lists of a kind; who may list inference jobs only, gets those."""
    try:
        yield from session.pages(*kind.listing, **only)
    except errors.AccessError as error:
        if kind == job_kinds.INFERENCE:
            raise
        choose().say(f"{kind.noun}s are not listed: {error}")
