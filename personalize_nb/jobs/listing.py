"""Jobs of the account as a table, all of them or those that one has started; and the runs of a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import job_kinds, limits
from personalize_nb.contract.job_kinds import JobKind
from personalize_nb.contract.parameters import BATCH_SEGMENT, named
from personalize_nb.jobs import manifests
from personalize_nb.resources.solutions import SolutionVersion, find_solution_version, recipes_of_solutions
from personalize_nb.session import owners
from personalize_nb.session.connection import current
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd


@public
def list_jobs(
    solution_version: SolutionVersion | str | None = None,
    session: Session | None = None,
    *,
    mine: bool = False,
    details: int | None = 25,
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
    details
        Of how many of the newest jobs `filter` and `results` are told, at a call each; None is all.

    Returns
    -------
    pandas.DataFrame
        Columns `name`, `status`, `mode` (of segment jobs `BATCH_SEGMENT`), `solution`, `recipe`, `filter`, `results`
        (per record; what AWS applies where the request does not say), `created`, `updated` (UTC, to the second),
        `duration` (of jobs that have ended), `failure_reason`. What is not known is missing.

    Raises
    ------
    AccessError
        `mine` is asked, and who you are or the tags of jobs may not be read.
    InputError
        `details` is no whole number from 0.

    References
    ----------
    Amazon Personalize: ListBatchInferenceJobs, ListBatchSegmentJobs; of the newest DescribeBatchInferenceJob.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.list_jobs().set_index("name").loc[["weekly", "audience"], ["mode", "recipe"]]
                         mode                    recipe
    name
    weekly    BATCH_INFERENCE  aws-user-personalization
    audience    BATCH_SEGMENT         aws-item-affinity
    """
    import pandas as pd

    from personalize_nb.text.listings import Listing

    if details is not None and (not isinstance(details, int) or isinstance(details, bool) or details < 0):
        raise errors.InputError(f"'details' must be a whole number from 0, or None for all jobs, got {details!r}.")
    session = current(session or getattr(solution_version, "session", None))
    only = (
        {} if solution_version is None else {"solutionVersionArn": find_solution_version(solution_version, session).arn}
    )
    found = [
        (kind, entry)
        for kind in job_kinds.JOB_KINDS
        for entry in _entries(kind, session, only)
        if not mine or _is_mine(entry[kind.arn_member], session)
    ]
    found.sort(key=lambda one: one[1]["creationDateTime"], reverse=True)
    recipes = _recipes(session) if found else {}
    described = _described(found[:details], session)
    rows = [
        (
            entry["jobName"],
            entry["status"],
            _mode(kind, entry),
            entry["solutionVersionArn"].split(":solution/", 1)[-1].split("/", 1)[0],
            recipes.get(entry["solutionVersionArn"].rsplit("/", 1)[0]) or None,
            *described.get(entry[kind.arn_member], (None, None)),
            entry["creationDateTime"],
            entry["lastUpdatedDateTime"],
            entry["lastUpdatedDateTime"] - entry["creationDateTime"] if entry["status"] in limits.TERMINAL else None,
            entry.get("failureReason", ""),
        )
        for kind, entry in found
    ]
    names = ["name", "status", "mode", "solution", "recipe", "filter", "results", "created", "updated", "duration"]
    frame = Listing(rows, columns=[*names, "failure_reason"])
    frame["results"] = frame["results"].astype("Int64")
    for column in ("created", "updated"):
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.floor("s")
    frame["duration"] = pd.to_timedelta(frame["duration"]).dt.round("s")
    return frame


@public
def list_runs(session: Session | None = None) -> pd.DataFrame:
    """Return the runs below the session's prefix, newest first; `pnb.attach(name)` returns one.

    Parameters
    ----------
    session
        Where to look; by default the session of `pnb.connect()`.

    Returns
    -------
    pandas.DataFrame
        Columns `name`, `mode`, `solution`, `records` (missing where nobody has counted them), `jobs`, `created` (UTC).

    Raises
    ------
    AccessError
        The bucket may not be listed.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.list_runs().set_index("name").loc["side-by-side", ["records", "jobs"]].tolist()
    [4, 2]
    """
    import pandas as pd

    from personalize_nb.text.listings import Listing

    rows = [
        (
            one.name,
            one.request.mode,
            ", ".join(dict.fromkeys(arn.split(":solution/", 1)[-1].split("/", 1)[0] for arn in one.models)),
            one.records,
            len(one.parts),
            pd.Timestamp(one.created),
        )
        for one in manifests.every(current(session))
    ]
    frame = Listing(rows, columns=["name", "mode", "solution", "records", "jobs", "created"])
    frame["records"] = frame["records"].astype("Int64")  # of some runs nobody has counted them
    return frame.sort_values("created", ascending=False, kind="stable", ignore_index=True)


def _recipes(session: Session) -> dict[str, str]:
    try:
        return recipes_of_solutions(session)
    except errors.AccessError as error:
        choose().say(f"recipes are not listed: {error}")
        return {}


def _described(found: Sequence[tuple[JobKind, dict[str, Any]]], session: Session) -> dict[str, tuple[Any, Any]]:
    """Return filter and number of results of jobs by their ARN; who may describe none, or one that is gone, is told."""
    told: dict[str, tuple[Any, Any]] = {}
    for kind, entry in found:
        arn = entry[kind.arn_member]
        try:
            job = session.call(kind.describe, **{kind.arn_member: arn})[kind.answer]
        except errors.NotFoundError:  # deleted since it was listed
            continue
        except errors.AccessError as error:
            choose().say(f"filters and numbers of results are not told: {error}")
            break
        told[arn] = (
            job.get("filterArn", "").rsplit("/", 1)[-1] or None,
            job.get("numResults", limits.DEFAULT_NUM_RESULTS),
        )
    return told


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
