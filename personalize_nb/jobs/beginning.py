"""How what was asked begins: one question as a job, or as a run where a job may not take it; several as a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import SEGMENTS
from personalize_nb.jobs import runs
from personalize_nb.jobs.job import AnyJob, check_name, refuse, start
from personalize_nb.jobs.parts import QUOTAS, InputLimits, batch_is_over
from personalize_nb.jobs.questions import JobQuestion
from personalize_nb.jobs.request import AnyRequest, JobRequest
from personalize_nb.jobs.rules import RequestContext
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.uploads import upload
from personalize_nb.session import s3, waiting
from personalize_nb.session.progress import choose, showing
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.inputs.batch import Batch


def makes_run(request: JobRequest, batch: Batch | None, limit: InputLimits = QUOTAS) -> bool:
    """Tell whether a request takes several jobs: more records or bytes than one takes, 100 items with themes."""
    return batch is not None and batch_is_over(batch, request.mode, limit)


def begin(
    request: AnyRequest,
    batch: Batch | None,
    context: RequestContext,
    session: Session,
    *,
    at_once: int = limits.MAX_JOBS_IN_PROGRESS,
    limit: InputLimits = QUOTAS,
) -> AnyJob | Run:
    """Start what a request asks for: one job, or a run of several; parameters as for `submit` and `start_run`."""
    question = JobQuestion(request, batch, context)
    if request.job_kind == SEGMENTS:  # whose input is spread over the files of one job
        return submit(question, session, at_once=at_once)
    question = question.sized(session, limit)
    if not question.is_over(limit):
        return submit(question, session, at_once=at_once, most_bytes=limit.max_bytes)
    if question.files:
        choose().say(f"the input at {request.input_path} is more than one job takes; it is stored again in parts")
    return begin_several(request.job_name, [question], session, at_once=at_once, limit=limit)


def begin_several(
    name: str,
    questions: Sequence[JobQuestion],
    session: Session,
    *,
    at_once: int = limits.MAX_JOBS_IN_PROGRESS,
    limit: InputLimits = QUOTAS,
) -> Run:
    """Start several questions as one run, each in as many jobs as its input takes; parameters as for `start_run`."""
    asked = []
    for one in questions:
        output = one.request.output_path
        if output == own_output(one.request.job_name, session):
            output = session.location("runs", name, "output") + "/"
        else:
            output = "/".join((output.rstrip("/"), name, "output", ""))
        asked.append(replace(one.sized(session, limit), request=one.request.replace(output_path=output)))
    return runs.start_run(name, asked, session, limit=limit, at_once=at_once)


def own_output(name: str, session: Session) -> str:
    """Return the folder of a job's output where none is named."""
    return session.location("jobs", name, "output") + "/"


def submit(
    question: JobQuestion,
    session: Session,
    *,
    at_once: int = limits.MAX_JOBS_IN_PROGRESS,
    most_bytes: int = limits.MAX_INPUT_BYTES,
) -> AnyJob | Run:
    """Check a request, upload its input and start it; a refused job leaves nothing behind.

    Where other work of the account takes all the room there is, nothing is waited for: the job is kept as a run of one
    job, which starts it as soon as it is waited for and there is room.

    Parameters
    ----------
    question
        The request with its input, which is written to `input_path`, and the world around.
    session
        Where to work.
    at_once
        The most jobs to have pending or in progress, where the job has to wait.
    most_bytes
        What a job takes of input.
    """
    request, files = _stored(question.request, question.batch, question.context, session, most_bytes)
    try:
        return start(request, context=question.context, session=session)
    except errors.PersonalizeError as error:
        if isinstance(error, errors.QuotaError) and not waiting.passing(error):
            return _kept(replace(question, request=request), files, session, at_once, error)
        _take_back(error, request, files, session)
        raise


def _stored(
    request: AnyRequest, batch: Batch | None, context: RequestContext, session: Session, most_bytes: int
) -> tuple[AnyRequest, list[str]]:
    """Store the input of a request that is right; return the request with where it lies, and the files there."""
    if batch is None:
        return request, []
    refuse(request, context)
    check_name(request.job_name, session, request.job_kind)
    with showing():
        stored = upload(request, batch, context, session, most_bytes)
    return request.replace(input_path=stored.path), stored.files


def _take_back(error: errors.PersonalizeError, request: AnyRequest, files: list[str], session: Session) -> None:
    """Remove the input of a job that was not started; where an answer was lost, nobody knows whether it was."""
    if files and waiting.passing(error):
        error.add(f"Whether the job was started is not known: pnb.attach({request.job_name!r}) tells it.")
    elif files:
        s3.delete(session, files)  # nothing half done stays behind


def _kept(question: JobQuestion, files: list[str], session: Session, at_once: int, full: errors.QuotaError) -> Run:
    """Keep a job for which there is no room as a run, and say so; where no run can be kept, the refusal stands."""
    request = question.request
    try:
        run = runs.queue(request.job_name, [question], session, at_once=at_once, start=False)
    except errors.PersonalizeError:
        if files:
            s3.delete(session, files)
        raise full from None
    choose().say(
        f"there is no room for job {request.job_name!r} now: {full} It is kept and not started; .wait() starts it as "
        f"soon as there is room, in another kernel pnb.attach({request.job_name!r}).wait()"
    )
    return run
