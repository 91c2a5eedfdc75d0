"""Many at once: requests as they are in a queue under the quota, and one wait for several jobs and runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs import costs, job, runs
from personalize_nb.jobs.estimates import recipe_of
from personalize_nb.jobs.job import AnyJob, new_job_name
from personalize_nb.jobs.questions import JobQuestion, judge
from personalize_nb.jobs.request import AnyRequest, BatchRequest
from personalize_nb.jobs.rules import RequestContext
from personalize_nb.jobs.run import Run
from personalize_nb.resources.solutions import SolutionVersion
from personalize_nb.session import waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import Counting, Progress, choose
from personalize_nb.session.session import Session
from personalize_nb.text.counts import counted
from personalize_nb.text.public import public


@public
def run(
    requests: Iterable[AnyRequest] | AnyRequest,
    *,
    name: str | None = None,
    at_once: int = limits.MAX_JOBS_IN_PROGRESS,
    max_cost: float | None = None,
    session: Session | None = None,
) -> Run:
    """Start many requests as one run: a few at a time, the others wait in a queue.

    Each job keeps its name and its folders; the column `job` of the results says which is which.

    Parameters
    ----------
    requests
        What `pnb.start` takes, with names and output of their own; their input lies in S3.
    name
        The run's name, for `pnb.attach`; by default made from the time.
    at_once
        The most jobs to have pending or in progress; AWS's quota is 5.
    max_cost
        The most that all of them may cost by `session.rates`; what would cost more is not started.
    session
        Where to work; by default that of `pnb.connect()`.

    Returns
    -------
    Run
        `.wait()` starts what waits for room.

    Raises
    ------
    RequestError
        Requests break rules, or would cost more than `max_cost`; nothing was sent.
    AlreadyExistsError
        A name is taken; nothing was sent.
    InputError
        There are no requests.

    References
    ----------
    Amazon Personalize: CreateBatchInferenceJob, CreateBatchSegmentJob, a call each.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> request = pnb.attach("weekly").request
    >>> out = pnb.connect().location("variants")
    >>> few, more = (request.replace(job_name=f"n-{n}", num_results=n, output_path=f"{out}/{n}/") for n in (1, 2))
    >>> run = pnb.run([few, more], name="one-or-two")
    >>> run.wait(progress=False).recommendations().groupby("job")["rank"].count()
    job
    n-1    2
    n-2    4
    Name: rank, dtype: int64
    """
    session = current(session)
    asked: list[AnyRequest] = [requests] if isinstance(requests, BatchRequest) else list(requests)
    wrong = next((one for one in asked if not isinstance(one, BatchRequest)), None)
    if wrong is not None:
        raise errors.ArgumentError(
            f"'requests' must be a list of pnb.JobRequest, or of pnb.SegmentRequest, got {wrong!r} among them"
        )
    if not asked:
        raise errors.InputError("'requests' must hold at least one pnb.JobRequest, got none.")
    if len({one.job_kind for one in asked}) > 1:
        raise errors.InputError(
            "'requests' must be of one kind, as each has a quota of its own, got pnb.JobRequest and "
            "pnb.SegmentRequest; pnb.run() each kind by itself, and pnb.wait([run, other]) waits for both."
        )
    runs.check_at_once(at_once)
    context = RequestContext(region=session.region)
    judge([(one, context) for one in asked])
    _check_apart(asked)
    name = name or new_job_name("run")
    judge([(asked[0].replace(job_name=name), context)])
    runs.check_free(name, session)
    for one in asked:
        job.check_name(one.job_name, session, one.job_kind)
    costs.check([(one, None, recipe_of(one, session)) for one in asked], session, max_cost)
    questions = [JobQuestion(one, None, context, {"job": one.job_name}) for one in asked]
    return runs.queue(name, questions, session, at_once=at_once)


def _check_apart(requests: Sequence[AnyRequest]) -> None:
    """Refuse requests that would be one job, or write over each other."""
    names = [one.job_name for one in requests]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise errors.InputError(
            f"Each request needs a name of its own, and {', '.join(map(repr, twice))} is there more than once: "
            "request.replace(job_name=...)."
        )
    written: dict[tuple[str, str], str] = {}
    for one in requests:
        place = one.output_path.rstrip("/"), one.input_path.rpartition("/")[2]
        if place in written:
            raise errors.InputError(
                f"Jobs {written[place]!r} and {one.job_name!r} would write over each other's output: both have the "
                f"output folder {one.output_path!r} and input of one name. Give each a folder: "
                "request.replace(output_path=...)."
            )
        written[place] = one.job_name


Waited = AnyJob | Run | SolutionVersion


@public
def wait(
    jobs: Iterable[Waited | str],
    timeout: float | None = waiting.HOURS * 24,
    *,
    progress: Progress | bool | None = None,
    session: Session | None = None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[Waited]:
    """Wait until several jobs and runs have all ended, and return them in their order.

    Ctrl-C and the time limit end the waiting only. Jobs of runs that wait for room are started meanwhile.

    Parameters
    ----------
    jobs
        Jobs, runs, solution versions, or names that `pnb.attach` finds.
    timeout
        Seconds; None for no limit.
    progress
        False for silence, or a display of your own.
    session
        Where to look names up.
    sleep, clock
        Replaced in tests.

    Returns
    -------
    list
        What `jobs` names, in its order; names as what `pnb.attach` returns.

    Raises
    ------
    FailedError
        Some failed, and the message says which; all have ended, and the results of the others can be read.
    WaitTimeoutError
        The time limit is over.

    References
    ----------
    Amazon Personalize has no waiters: DescribeBatchInferenceJob and its like are asked, less and less often.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.wait(["weekly", "side-by-side"], progress=False)
    [<BatchInferenceJob weekly ACTIVE: ...>, <Run side-by-side of 4 records in 2 jobs, 2 done, 0 failed: ...>]
    """
    if isinstance(jobs, str) or not isinstance(jobs, Iterable):
        raise errors.ArgumentError(f"'jobs' must be a list of jobs, runs or names, got {jobs!r}; one alone has .wait()")
    given = list(jobs)
    if given and any(isinstance(one, str) for one in given):
        session = current(session)
    found: list[Any] = [runs.attach(one, session) if isinstance(one, str) else one for one in given]
    for one in found:
        if not hasattr(one, "describe"):
            raise errors.ArgumentError(f"'jobs' must be a list of jobs, runs or names, got {one!r} among them")
    waiting.check_timeout(timeout)
    if not found:
        return found
    states: list[dict[str, Any]] = [{"status": limits.PENDING} for _ in found]

    def look() -> dict[str, Any]:
        for number, one in enumerate(found):
            if states[number]["status"] not in limits.TERMINAL:
                states[number] = (one.advance() if isinstance(one, Run) else one).describe()
        return _together(found, states)

    names = ", ".join(repr(one.name) for one in found)
    what = f"the work on {names if len(found) < 4 else counted(len(found), 'job')}"
    waiting.until_active(
        look,
        what,
        "",
        again=f"pnb.wait([{names}])",
        timeout=timeout,
        progress=Counting(choose(progress), lambda: (_ended(states), len(states))),
        pace=max(one.session.pace for one in found),
        calls=lambda: len(states) - _ended(states),
        sleep=sleep,
        clock=clock,
    )
    return found


def _ended(states: Sequence[dict[str, Any]]) -> int:
    return sum(one["status"] in limits.TERMINAL for one in states)


def _together(found: Sequence[Any], states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the state of several as that of one."""
    if _ended(states) < len(states):
        return {"status": limits.IN_PROGRESS}
    failed = [
        (one.name, state.get("failureReason") or "the service gave no reason")
        for one, state in zip(found, states, strict=True)
        if state["status"] != limits.ACTIVE
    ]
    if not failed:
        return {"status": limits.ACTIVE}
    told = "; ".join(f"{name!r}: {reason.rstrip('.')}" for name, reason in failed)
    return {"status": limits.FAILED, "failureReason": f"{len(failed)} of {len(states)} failed: {told}."}
