"""Runs that begin, and runs and jobs that are found again: by `start_run`, `queue` and `pnb.attach`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from personalize_nb import errors
from personalize_nb.contract import parameters
from personalize_nb.jobs import job, manifests
from personalize_nb.jobs.job import AnyJob
from personalize_nb.jobs.manifests import Manifest, RunGroup, RunPart
from personalize_nb.jobs.parts import InputLimits
from personalize_nb.jobs.questions import JobQuestion, judge
from personalize_nb.jobs.request import AnyRequest
from personalize_nb.jobs.run import Run
from personalize_nb.session import s3, waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import choose, showing
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.public import public


def start_run(
    name: str, questions: Sequence[JobQuestion], session: Session, *, limit: InputLimits, at_once: int
) -> Run:
    """Cut the input of questions into parts, store them, and start the first jobs.

    Parameters
    ----------
    name
        The run's name.
    questions
        What is asked; the output path of each request is the folder of all output.
    session
        Where to work.
    limit
        What a job takes of input.
    at_once
        The most jobs to have pending or in progress.

    Raises
    ------
    RequestError
        A request breaks rules; nothing was sent.
    AlreadyExistsError
        A run or a job has this name.
    """
    check_at_once(at_once)
    names = manifests.new_job_names(name, sum(one.most_parts(limit) for one in questions))
    groups = []
    for number, one in enumerate(questions):
        own = f"{number + 1}/" if len(questions) > 1 else ""
        source = f"{session.location(manifests.FOLDER, name, 'input')}/{own}"
        request = one.request.replace(job_name=name, output_path=one.request.output_path + own)
        groups.append(RunGroup(request.replace(input_path=source) if one.is_cut else request, one.labels))
    judge([(_first(group, one, names[0]), one.of_parts(limit)) for group, one in zip(groups, questions, strict=True)])
    check_free(name, session)
    stored: list[RunPart] = []
    try:
        for number, one in enumerate(questions):
            same = next((earlier for earlier in range(number) if one.shares_input(questions[earlier])), None)
            if same is not None:  # it is stored once
                groups[number] = replace(
                    groups[number], request=groups[number].request.replace(input_path=groups[same].request.input_path)
                )
                inputs = [(part.input_path, part.records) for part in stored if part.group == same]
            else:
                with showing():
                    inputs = list(_stored_inputs(one, groups[number], session, limit))
            count = one.most_parts(limit)
            for place, (path, records) in enumerate(inputs):
                output = f"{groups[number].request.output_path}{manifests.label(place, count)}/"
                stored.append(RunPart(names[len(stored)], path, output, records, number))
        manifest = Manifest(name, tuple(groups), tuple(stored), int(at_once), now())
        manifest.save(session)
    except errors.PersonalizeError:
        Manifest(name, tuple(groups), tuple(stored), int(at_once), now()).discard(session)
        raise
    return begun(manifest, session)


def _first(group: RunGroup, question: JobQuestion, name: str) -> AnyRequest:
    """Return the request of a group's first job, which is judged for all of them."""
    path = f"{group.request.input_path}001.jsonl" if question.is_cut else group.request.input_path
    return group.request.replace(job_name=name, input_path=path, output_path=f"{group.request.output_path}001/")


def _stored_inputs(
    question: JobQuestion, group: RunGroup, session: Session, limit: InputLimits
) -> Iterator[tuple[str, int | None]]:
    """Store the parts of a question's input, and yield the address of each and how many lines it has."""
    if not question.is_cut:
        yield group.request.input_path, None
        return
    count = question.most_parts(limit)
    for number, part in enumerate(question.cut(session, limit)):
        path = f"{group.request.input_path}{manifests.label(number, count)}.jsonl"
        s3.upload(session, part.file, path, group.request.input_kms_key_arn)
        yield path, part.records


def queue(name: str, questions: Sequence[JobQuestion], session: Session, *, at_once: int, start: bool = True) -> Run:
    """Return a run of requests as they are, each a job under its own name; their input lies where they say.

    Parameters
    ----------
    name
        The run's name.
    questions
        The requests, which were judged.
    session
        Where to work.
    at_once
        The most jobs to have pending or in progress.
    start
        Whether there may be room for the first ones.
    """
    parts = [
        RunPart(
            one.request.job_name,
            one.request.input_path,
            one.request.output_path,
            None if one.batch is None else len(one.batch),
            number,
        )
        for number, one in enumerate(questions)
    ]
    groups = tuple(RunGroup(one.request, one.labels) for one in questions)
    manifest = Manifest(name, groups, tuple(parts), int(at_once), now())
    manifest.save(session)
    return begun(manifest, session) if start else Run(manifest, session)


def begun(manifest: Manifest, session: Session) -> Run:
    """Start the first jobs of a run that is stored; one of which no job can begin leaves nothing behind."""
    run = Run(manifest, session, new=True)
    try:
        refused = run.begin()
    except errors.PersonalizeError as error:
        if not run.was_begun and not waiting.passing(error):
            manifest.discard(session)
            raise
        # a job whose answer was lost may be under way: its name is this run's, and the next look finds it
        choose().say(f"run {run.name!r} is stored, and not all of its jobs are started: {error} .wait() goes on")
        return run
    if refused and not run.was_begun:
        manifest.discard(session)
        raise refused[0]
    if refused:
        number = len(refused)
        choose().say(
            f"{counted(number, 'job')} of run {run.name!r} {verb(number, 'is', 'are')} refused and "
            f"{verb(number, 'counts', 'count')} as failed, the others go on: {refused[0]}"
        )
    elif reason := run.without_room():
        choose().say(
            f"there is no room for the jobs of run {run.name!r} now: {reason} It is kept and nothing of it is started; "
            f".wait() starts its jobs as soon as there is room, in another kernel pnb.attach({run.name!r}).wait()"
        )
    return run


def check_at_once(at_once: int) -> None:
    """Refuse a number of jobs at a time that is none.

    Raises
    ------
    InputError
        It is no whole number from 1.
    """
    for problem in parameters.named("at_once").kind.problems("at_once", at_once):
        raise errors.InputError(problem)


def now() -> str:
    """Return the time as a manifest has it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


@public
def attach(name: str, session: Session | None = None) -> AnyJob | Run:
    """Return a job by its name or ARN, or a run by its name, from any kernel, whenever it was started.

    Of an inference job and a segment job of one name it is the inference job; `batch-segment-job/name` is the other.

    Parameters
    ----------
    name
        A job's name or ARN, or a run's name.
    session
        Where to look; by default the session of `pnb.connect()`.

    Returns
    -------
    BatchInferenceJob, BatchSegmentJob or Run
        As if it had been started here.

    Raises
    ------
    NotFoundError
        There is neither; the message names near ones.
    AccessError
        There is no job of this name, and whether there is a run may not be read.

    References
    ----------
    Amazon Personalize: DescribeBatchInferenceJob, DescribeBatchSegmentJob.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.attach("weekly")
    <BatchInferenceJob weekly ACTIVE: .recommendations(items=...) to read>
    """
    if not isinstance(name, str):
        raise errors.ArgumentError(f"'name' must be a job's or run's name or ARN, got {type(name).__name__}")
    session = current(session)
    try:
        manifest = None if name.startswith("arn:") or "/" in name else manifests.find(session, name)
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


def check_free(name: str, session: Session) -> None:
    """Refuse the name of a run or job that exists.

    Raises
    ------
    AlreadyExistsError
        It does.
    """
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
