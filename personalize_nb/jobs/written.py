"""The output of a job that has ended: whether it is there yet, and whether it is still the job's own.

An object may be seen a moment after its job is ACTIVE, and later be copied in place (other encryption, a restore, a
replica): neither is a fault. Only another job that wrote to the same names makes an output another's.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs.request import AnyRequest, JobRequest, SegmentRequest
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.session.s3 import Stored

PAUSES = (1, 2, 4, 8, 15)  # seconds between looks for output that is not there yet
YOUNG = timedelta(minutes=5)  # an output that is not there so long after its job will not come


def await_output(
    session: Session,
    output: str | list[str],
    source: str | list[str],
    ended: datetime,
    sleep: Callable[[float], object],
    without: Container[str] = (),
) -> None:
    """Wait a moment for output that is not there although its job has just ended; what is missing then is missing.

    Parameters
    ----------
    session
        Where the job ran.
    output, source
        Where output and input lie.
    ended
        When the job ended.
    sleep
        What waits.
    without
        Names of input files that have no output.
    """
    from personalize_nb.results.output_files import few, unwritten

    for pause in PAUSES if datetime.now(UTC) - ended < YOUNG else ():
        missing = [one for one in unwritten(session, output, source) if one not in without]
        if not missing:
            return
        if pause == PAUSES[0]:
            choose().say(
                f"the output of {few(missing)} is not there yet; it is looked for again, for {sum(PAUSES)} seconds"
            )
        sleep(pause)


def check_own(session: Session, arn: str, request: AnyRequest, ended: datetime) -> None:
    """Refuse output that another job wrote over after the job had ended.

    Raises
    ------
    NotFoundError
        It is another job's, or there is none.
    """
    from personalize_nb.results.output_files import output_files

    name = request.job_name
    try:
        files = output_files(session, request.output_path, request.input_path)
    except errors.NotFoundError as error:
        error.add(f"Job {name!r} is ACTIVE: its output was deleted or moved.")
        raise
    late = [one for one in files if one.modified is not None and one.modified > ended]
    if not late:
        return
    try:
        other = _writer(session, arn, request, ended, late)
    except errors.AccessError:
        choose().say(
            f"{late[0].address} was written after job {name!r} had ended; whether by another job cannot be told, as "
            "jobs may not be listed"
        )
        return
    if other:
        raise errors.NotFoundError(
            f"The output of job {name!r} is gone: {late[0].address} was written over at "
            f"{late[0].modified:%Y-%m-%d %H:%M:%S} UTC, after the job had ended, by job {other!r} with the same output "
            f"folder and input name. pnb.read_results({request.output_path!r}) reads what is there now."
        )


def _writer(session: Session, arn: str, request: AnyRequest, ended: datetime, late: Sequence[Stored]) -> str | None:
    """Return the name of another job, of either kind, that can have written these objects after a time."""
    last = max(one.modified for one in late if one.modified) + timedelta(seconds=1)  # S3 tells whole seconds
    for shape in (JobRequest, SegmentRequest):
        kind = shape.job_kind
        for entry in session.pages(*kind.listing):
            at_work = entry["creationDateTime"] <= last and entry["lastUpdatedDateTime"] > ended
            if entry[kind.arn_member] == arn or entry["status"] == limits.FAILED or not at_work:
                continue
            described = session.call(kind.describe, **{kind.arn_member: entry[kind.arn_member]})[kind.answer]
            if _same_names(request, shape.from_api(described)):
                return str(entry["jobName"])
    return None


def _same_names(one: AnyRequest, other: AnyRequest) -> bool:
    """Tell whether two jobs write to the same names; the files of a folder can have any."""
    names = [request.input_path.rpartition("/")[2] for request in (one, other)]
    return one.output_path.rstrip("/") == other.output_path.rstrip("/") and (names[0] == names[1] or "" in names)
