"""Work that is paid for once: a job or run of the same input, model and parameters is found again by a fingerprint.

    reuse/<fingerprint>.json  the name of the job or run that was started last with it

Who shares the bucket and the prefix shares what is found. A fingerprint holds what decides the answer: the model, the
filter with its expression, all parameters, and every line of the input; not the names, the role and the tags.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs import beginning, parts, runs
from personalize_nb.jobs.job import BatchInferenceJob
from personalize_nb.jobs.questions import JobQuestion
from personalize_nb.jobs.request import JobRequest
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.segment_job import BatchSegmentJob
from personalize_nb.session import s3
from personalize_nb.session.progress import choose
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    from personalize_nb.resources.filters import Filter

log = logging.getLogger(__name__)

_NOT_ASKED = ("jobName", "roleArn", "tags", "jobInput", "jobOutput")


def fingerprint(questions: Sequence[JobQuestion], filters: Sequence[Filter | None], session: Session) -> str | None:
    """Return what is equal where the same is asked again; None where the input may not be looked at.

    Parameters
    ----------
    questions
        What is asked, in order.
    filters
        The filter of each: its name may have been given to another expression since.
    session
        Looks at input in S3.
    """
    told: list[Any] = []
    inputs: dict[int | str, str] = {}
    for question, chosen in zip(questions, filters, strict=True):
        request = question.request
        source: int | str = request.input_path if question.batch is None else id(question.batch)
        if source not in inputs:
            try:
                inputs[source] = _input(question, session)
            except errors.PersonalizeError as error:
                log.info("whether the same was asked before cannot be told: %s", error)
                return None
        told.append(told_of(request, chosen, inputs[source], session))
    return mark_of(told)


def told_of(request: JobRequest, chosen: Filter | None, source: str, session: Session) -> list[Any]:
    """Return what tells one question from others.

    Parameters
    ----------
    request
        The request.
    chosen
        Its filter.
    source
        What tells its input from others.
    session
        Where it is asked.
    """
    asked = {name: value for name, value in request.to_api().items() if name not in _NOT_ASKED}
    own = request.output_path == beginning.own_output(request.job_name, session)
    keys = request.input_kms_key_arn, request.output_kms_key_arn
    return [asked, chosen.expression if chosen else None, None if own else request.output_path, keys, source]


def mark_of(told: Sequence[Any]) -> str:
    """Return the fingerprint of what is told of questions."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _input(question: JobQuestion, session: Session) -> str:
    """Return what tells an input from others: every line of a batch; of files in S3 size and time."""
    from personalize_nb.results.output_files import input_files

    digest = hashlib.sha256()
    if question.batch is not None:
        for block in parts.batch_blocks(question.batch):
            digest.update(block)
    else:
        for file in input_files(session, question.request.input_path):
            digest.update(f"{file.address}\n{file.size}\n{file.modified}\n".encode())
    return digest.hexdigest()


def once(
    questions: Sequence[JobQuestion],
    filters: Sequence[Filter | None],
    session: Session,
    *,
    wanted: bool,
    start: Callable[[], BatchInferenceJob | Run],
) -> BatchInferenceJob | Run:
    """Start what is asked and note its fingerprint; return what has it already, where that is wanted.

    Parameters
    ----------
    questions, filters, session
        As for `fingerprint`.
    wanted
        Whether a job or run that was asked the same will do.
    start
        Starts it.
    """
    mark = fingerprint(questions, filters, session)
    if wanted and (known := found(mark, session)) is not None:
        return known
    job = start()
    remember(mark, job, session)
    return job


def remember(mark: str | None, job: BatchInferenceJob | Run, session: Session) -> None:
    """Note which job or run has a fingerprint; where that cannot be written, the job is as good without."""
    if mark is None or not session.bucket:
        return
    try:
        s3.upload(session, io.BytesIO(json.dumps({"name": job.name}).encode()), _address(mark, session))
    except errors.PersonalizeError as error:
        log.info("job %r is not found by reuse=True, because it could not be noted: %s", job.name, error)


def found(mark: str | None, session: Session) -> BatchInferenceJob | Run | None:
    """Return the job or run with a fingerprint, and say so; None where there is none that is of use."""
    if mark is None:
        choose().say("whether the same was asked before cannot be told, as the input may not be looked at")
        return None
    if not session.bucket:
        return None
    try:
        name = json.loads(b"".join(s3.line_blocks(session, _address(mark, session))))["name"]
        known = runs.attach(name, session)
        if isinstance(known, BatchSegmentJob):
            return None  # a job of another kind that has the name by now
        described = known.describe()
        status = described["status"]
    except (errors.NotFoundError, errors.AccessError, ValueError, KeyError, TypeError) as error:
        log.info("nothing that can be used again: %s", error)
        return None
    done = described["done"] if isinstance(known, Run) else int(status == limits.ACTIVE)
    if status in limits.TERMINAL and not done:
        return None
    if gone := _gone(known):
        choose().say(f"the same was asked in {name!r}, whose output is gone ({gone}): it is asked again")
        return None
    failed = ", .retry() starts what failed in it again" if isinstance(known, Run) and described["failed"] else ""
    choose().say(f"{name!r} has the same input, model and parameters and is used again; it is {status}{failed}")
    return known


def _gone(known: BatchInferenceJob | Run) -> str:
    """Return where output of jobs that are done is gone, nothing where all is there."""
    if isinstance(known, Run):
        places = [(one.request.output_path, part.output_path) for one in known.outputs() for part in one.done]
    else:
        output = known.request.output_path
        places = [(output, output)] if known.status == limits.ACTIVE else []
    there: dict[str, list[str]] = {}
    for group, own in places:
        folder = group if own.startswith(group) else own
        try:
            if folder not in there:  # one look for all jobs whose folders lie in it
                there[folder] = [one.address for one in s3.stored(known.session, folder) if ".out" in one.name]
        except errors.AccessError:
            return ""  # who may not look cannot say that it is gone
        if not any(one.startswith(own) for one in there[folder]):
            return own
    return ""


def _address(mark: str, session: Session) -> str:
    return session.location("reuse", f"{mark}.json")
