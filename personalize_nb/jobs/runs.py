"""Runs that begin, and runs and jobs that are found again: by `start_run` and `pnb.attach`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.contract import limits, parameters
from personalize_nb.jobs import job, manifests
from personalize_nb.jobs.job import AnyJob
from personalize_nb.jobs.manifests import Manifest
from personalize_nb.jobs.request import JobRequest, RequestContext, problems
from personalize_nb.jobs.run import Run
from personalize_nb.session import waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.inputs.batch import Batch


def start_run(
    request: JobRequest,
    batch: Batch,
    context: RequestContext,
    session: Session,
    *,
    size: int = limits.MAX_THEME_RECORDS_PER_FILE,
    at_once: int = limits.MAX_JOBS_IN_PROGRESS,
) -> Run:
    """Cut a batch into parts, store them, and start the first jobs.

    Parameters
    ----------
    request
        What every job is asked. Its name becomes the run's; its input path is not used; its output path holds a folder
        for each part.
    batch
        The whole input.
    context
        What is known of the world around the request.
    session
        Where to work.
    size
        Records per part.
    at_once
        The most jobs to have pending or in progress.

    Raises
    ------
    RequestError
        The request breaks rules; nothing was sent.
    AlreadyExistsError
        A run or a job has this name.
    """
    for problem in parameters.named("at_once").kind.problems("at_once", at_once):
        raise errors.InputError(problem)
    request = request.replace(input_path=session.location(manifests.FOLDER, request.job_name, "input") + "/")
    parts = [replace(batch, table=batch.table.slice(begin, size)) for begin in range(0, len(batch), size)]
    manifest = Manifest(
        request=request,
        job_names=manifests.new_job_names(request.job_name, len(parts)),
        records=tuple(map(len, parts)),
        at_once=int(at_once),
        created=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    )
    context = replace(context, per_file=size)
    job.refuse(manifest.part(0), context)
    job.warn(problems(manifest.part(0), context))
    _check_free(request.job_name, session)
    run = Run(manifest, session)
    try:
        for part, address in zip(parts, manifest.inputs, strict=True):
            part.upload(session, address, request.input_kms_key_arn)
        manifest.save(session)
    except errors.PersonalizeError:
        manifest.discard(session)
        raise
    run._looked = True  # its names are new: there is nothing to look for yet
    try:
        run.advance()
    except errors.PersonalizeError as error:
        if not run._states and not waiting.passing(error):
            manifest.discard(session)
            raise
        # a job whose answer was lost may be under way: its name is this run's, and the next look finds it
        choose().say(f"run {run.name!r} is stored, and not all of its jobs are started: {error} .wait() goes on")
    return run


def attach(name: str, session: Session | None = None) -> AnyJob | Run:
    """Return a job by its name or ARN, or a run by its name, from any kernel, whenever it was started.

    Raises
    ------
    NotFoundError
        There is neither; the message names near ones.
    AccessError
        There is no job of this name, and whether there is a run may not be read.
    """
    if not isinstance(name, str):
        raise TypeError(f"'name' must be a job's or run's name or ARN, got {type(name).__name__}")
    session = current(session)
    try:
        manifest = None if name.startswith("arn:") else manifests.find(session, name)
    except errors.AccessError as refused:
        with suppress(errors.NotFoundError):
            return job.attach(name, session)
        refused.add(f"There is no job {name!r}, and whether there is a run of that name cannot be read.")
        raise
    if manifest is None:
        return job.attach(name, session)
    run = Run(manifest, session)
    run.describe()
    return run


def _check_free(name: str, session: Session) -> None:
    job.check_name(name, session)
    try:
        there = manifests.find(session, name) is not None
    except errors.AccessError as refused:
        # who may not list a bucket is refused what is not there: the jobs of a run tell of it as well
        try:
            there = any(manifests.may_be_of(name, one) for one in job.all_names(session))
        except errors.AccessError:
            refused.add(
                f"So it cannot be told whether there is a run named {name!r}, which this one would write over; with "
                "s3:ListBucket or personalize:ListBatchInferenceJobs it can."
            )
            raise refused from refused.__cause__
    if there:
        raise errors.AlreadyExistsError(
            f"A run named {name!r} exists. Leave out 'job_name', or take {job.new_job_name(name)!r}; "
            f"pnb.attach({name!r}) returns the run there is."
        )
