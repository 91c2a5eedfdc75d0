"""The receipt of a job or run: an output that is rewritten in place and stays readable when the kernel is gone.

A form is for doing, a receipt is for remembering. It is plain HTML under a `display_id`, so it is saved with the
notebook, survives restart and sharing, and carries the lines of code that find the job again and repeat it. A daemon
thread rewrites it until the job has ended.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.job_kinds import SEGMENTS
from personalize_nb.contract.parameters import THEME_GENERATION, named
from personalize_nb.jobs import costs
from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.jobs.estimates import of_run, recipe_of
from personalize_nb.jobs.following import follow
from personalize_nb.jobs.job import AnyJob
from personalize_nb.jobs.request import AnyRequest, JobRequest, SegmentRequest, rows_of
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.runs import attach
from personalize_nb.notebook import code
from personalize_nb.notebook.charts import View
from personalize_nb.resources import durations
from personalize_nb.session import explanations, owners
from personalize_nb.session.session import Session
from personalize_nb.text import html
from personalize_nb.text.counts import counted, verb
from personalize_nb.text.redact import redact

REPEAT, COST, EXPECTED, OWNER = "Repeat it", "Cost", "Expected end", "Owner"
_NAMED = 6  # of questions that differ in a line


def summary(
    described: Mapping[str, Any], checked: datetime, details: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what a receipt says of a job, label by label, with accounts and buckets masked.

    Parameters
    ----------
    described
        The service's description of the job.
    checked
        When it was given.
    details
        What the service does not tell, by label: the input, filter values, tags, the call that repeats the job.
    """
    ended = described["lastUpdatedDateTime"] if described["status"] in limits.TERMINAL else None
    segments = SEGMENTS.arn_member in described
    request = SegmentRequest.from_api(described) if segments else JobRequest.from_api(described)
    facts = {
        "Job": described["jobName"],
        **_state(described),
        **_asked([request], details or {}),
        **_around(details or {}),
        "Started": _time(described["creationDateTime"]),
        **_looked_at(ended, checked, described["creationDateTime"], details or {}),
        **_next(described["jobName"], described["status"], _reader(request)),
    }
    return _closed(facts, details or {})


def run_summary(
    described: Mapping[str, Any],
    requests: Sequence[JobRequest],
    checked: datetime,
    details: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return what a receipt says of a run: as for a job, and how many of its jobs are done.

    Parameters
    ----------
    described
        What `Run.describe()` answers.
    requests
        What its jobs are asked: one thing, or several.
    checked, details
        As for `summary`.
    """
    jobs = ", ".join(f"{described[state]:,} {state}" for state in ("done", "running", "waiting", "failed"))
    left, began = described["waiting"], datetime.fromisoformat(described["created"])
    others = described.get("others", 0) if left else 0
    jobs += f"; {counted(others, 'other job')} {verb(others, 'takes', 'take')} room" if others else ""
    wait = f"; {verb(left, 'it starts', 'those start')} while this kernel or a .wait() in another one runs"
    records = described["records"]
    size = {} if records is None else {"Input": counted(records, "record")}  # of input in S3 nobody has counted them
    facts = {
        "Run": f"{described['name']} of {counted(described['jobs'], 'job')}",
        **_state(described),
        "Jobs": jobs + (wait if left else ""),
        **_asked(requests, {**size, **_outputs(described["name"], requests), **(details or {})}),
        **_around(details or {}),
        "Started": _time(began),
        **_looked_at(described.get("ended"), checked, began, details or {}),
        **_next(described["name"], described["status"], _reader(requests[0]), run=True, some=bool(described["done"])),
    }
    return _closed(facts, details or {})


def _state(described: Mapping[str, Any]) -> dict[str, str]:
    facts = {"Status": described["status"]}
    if described["status"] == limits.FAILED:
        facts["Reason"] = explanations.told(described.get("failureReason"))
    return facts


def _asked(requests: Sequence[AnyRequest], details: Mapping[str, str]) -> dict[str, str]:
    """Return what was asked, line by line; what only who started the job knows stands in the details."""
    told = [_lines(one) for one in requests]
    facts = {label: details.get(label) or _together([one[label] for one in told]) for label in told[0]}
    return {label: value for label, value in facts.items() if value}


def _together(texts: Iterable[str]) -> str:
    """Return what several questions say in a line: once what is the same, else each of it."""
    several = list(dict.fromkeys(texts))
    if len(several) == 1:
        return several[0]
    more = f" and {len(several) - _NAMED:,} more" if len(several) > _NAMED else ""
    return "; ".join(text or "none" for text in several[:_NAMED]) + more


def _outputs(name: str, requests: Sequence[JobRequest]) -> dict[str, str]:
    """Return where several questions have their output: below which folder, and what tells each."""
    paths = {one.output_path for one in requests}
    if len(paths) == 1:
        return {}
    common = os.path.commonprefix(sorted(paths)).rpartition("/")[0] + "/"
    where = common if common.count("/") > 2 else "several buckets"
    return {"Output": f"{where} (in full: [job.request.output_path for job in pnb.attach({name!r}).jobs])"}


def _lines(request: AnyRequest) -> dict[str, str]:
    lines: dict[str, list[str]] = {}
    asked = [(row.line, row, value) for row, value in rows_of(request) if row.line is not None]
    for line, row, value in sorted(asked, key=lambda one: one[0].place):
        told = lines.setdefault(line.label or row.label, [])
        if not row.kind.is_empty(value):
            told.append(line.text.format(row.kind.told(value), job=request.job_name))
    return {label: ", ".join(told) for label, told in lines.items()}


def _around(details: Mapping[str, str]) -> dict[str, str]:
    """Return what it comes to, and whose it is."""
    return {label: details[label] for label in (COST, OWNER) if details.get(label)}


def _looked_at(
    ended: datetime | None, checked: datetime, began: datetime, details: Mapping[str, str]
) -> dict[str, str]:
    """When it ended and how long it took; or when it will, and how old the news of it is."""
    if ended:
        return {"Ended": _time(ended), "Took": durations.spoken((ended - began).total_seconds())}
    expected = {EXPECTED: details[EXPECTED]} if details.get(EXPECTED) else {}
    return {**expected, "Checked": _time(checked)}


def _reader(request: AnyRequest) -> str:
    """Return the method that reads what was asked for."""
    if isinstance(request, SegmentRequest):
        return "segments"
    return "themes" if request.mode == THEME_GENERATION else "recommendations"


def _next(name: str, status: str, reader: str, run: bool = False, some: bool = False) -> dict[str, str]:
    if status == limits.ACTIVE:
        return {"Read it": f"pnb.attach({name!r}).{reader}()"}
    if status == limits.FAILED and run:
        retry = f"pnb.attach({name!r}).retry()"
        whole = f"mend what the reason names, then {retry} starts the jobs again"
        return {"Next": f"{retry} starts the jobs that failed again, .errors() says why" if some else whole}
    if status == limits.FAILED:
        return {"Next": "mend what the reason names, then start again under a new name"}
    later = f"pnb.watch({name!r}) shows the outcome, also when this notebook is opened again"
    return {"Follow it": f"pnb.attach({name!r}).wait()", "Later": later}


def _closed(facts: dict[str, str], details: Mapping[str, str]) -> dict[str, str]:
    call = details.get(REPEAT, "")
    masked = {label: redact(value) for label, value in facts.items()}
    if call:
        masked[REPEAT] = redact(call)
        masked |= {"": code.MASKED} if masked[REPEAT] != call else {}
    return masked


def rendered(facts: Mapping[str, str]) -> View:
    """Return a receipt's facts as something to look at."""
    width = max(map(len, facts))
    text = "\n".join(f"{label:<{width}}  {value}" for label, value in facts.items())
    return View(html.Markup('<div class="pnb-receipt">{}</div>').format(html.table(facts.items())), text)


def displayed(bundle: Mapping[str, str], name: str = "") -> Any:
    """Show a bundle as a new output of the running cell, and return the handle that rewrites it.

    Parameters
    ----------
    bundle
        What is shown.
    name
        What it is shown as: earlier outputs of that name are rewritten with it, while their page is open.
    """
    from IPython.display import display  # loaded already wherever this is called

    return display(bundle, raw=True, display_id=f"personalize-nb-{name}" if name else True)


class Receipt:
    """Shows a job or a run and follows it; a run's waiting jobs are started while it does.

    Parameters
    ----------
    job
        The job or run.
    details
        What the service does not tell of it; see `summary`. Without them tags and the call are looked up.
    sleep
        Waits a number of seconds or until told to stop, and answers whether it was told; replaced in tests.
    """

    def __init__(
        self,
        job: AnyJob | Run,
        details: Mapping[str, str] | None = None,
        sleep: Callable[[float], bool] | None = None,
    ):
        self.job = job
        self._details = details
        self._ended = threading.Event()
        self._sleep = sleep or self._ended.wait
        self._handle: Any = None
        self._thread: threading.Thread | None = None

    def show(self, place: Any = None) -> Receipt:
        """Display the receipt as the job stands now.

        Parameters
        ----------
        place
            What to rewrite, with the `update` of a display handle; by default a new output below the running cell.
        """
        if self._details is None:
            self._details = _looked_up(self.job)
        bundle, _ = self._bundle(self.job)
        if place is None:
            self._handle = displayed(bundle, self.job.name)
            if self._handle is not None:
                self._handle.update(bundle, raw=True)  # earlier receipts of this job tell the same now
        else:
            self._handle = place
            place.update(bundle, raw=True)
        return self

    def follow(self) -> None:
        """Rewrite the receipt until the job has ended or `close()` is called; a lost connection is waited out."""
        # where it cannot be looked at, the receipt keeps the last state it could reach, with its time
        follow(self.job, self._rewritten, self._sleep)

    def _rewritten(self, job: BatchJob | Run) -> str:
        bundle, status = self._bundle(job)
        if self._handle is not None:
            self._handle.update(bundle, raw=True)
        return status

    def _bundle(self, job: BatchJob | Run) -> tuple[dict[str, str], str]:
        described, now = job.describe(), datetime.now(UTC)
        if isinstance(job, Run):
            facts = run_summary(described, [one for one, _ in job.asked()], now, self._details)
        else:
            facts = summary(described, now, self._details)
        return rendered(facts)._repr_mimebundle_(), described["status"]

    def start(self) -> Receipt:
        """Follow the job in a thread of its own, which ends with the kernel."""
        self._thread = threading.Thread(target=self.follow, name=f"receipt of {self.job.name}", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop following; the job goes on."""
        self._ended.set()

    def __repr__(self) -> str:
        return f"<Receipt of {self.job!r}>"


class Board:
    """One output that holds several receipts, the newest first, because a form's later jobs have no cell of their own.

    Attributes
    ----------
    handle
        The display handle of the output, or None while it is shown nowhere.
    """

    def __init__(self) -> None:
        self.handle: Any = None
        self._bundles: dict[int, Mapping[str, str]] = {}
        self._lock = threading.Lock()

    def display(self) -> None:
        """Show the board as a new output of the running cell; later changes go there."""
        self.handle = displayed(self._joined())

    def place(self) -> Any:
        """Return a new place on the board, which a receipt rewrites as it would an output."""
        number = len(self._bundles)
        self._bundles[number] = {"text/plain": ""}
        return _Place(self, number)

    def put(self, number: int, bundle: Mapping[str, str]) -> None:
        """Put a receipt in its place."""
        with self._lock:  # every receipt has a thread
            self._bundles[number] = bundle
            if self.handle is not None:
                self.handle.update(self._joined(), raw=True)

    def _joined(self) -> dict[str, str]:
        newest = [self._bundles[number] for number in sorted(self._bundles, reverse=True)]
        joined = {"text/plain": "\n\n".join(bundle["text/plain"] for bundle in newest)}
        if newest:
            joined["text/html"] = "".join(bundle.get("text/html", "") for bundle in newest)
        return joined


class _Place:
    """A receipt's place on a board, with the `update` of a display handle."""

    def __init__(self, board: Board, number: int):
        self._board, self._number = board, number

    def update(self, bundle: Mapping[str, str], raw: bool) -> None:
        self._board.put(self._number, bundle)


def watch(job: AnyJob | Run | str, session: Session | None = None) -> Receipt:
    """Show the receipt of a job or run and keep it up to date while the notebook stays open; the cell is not blocked.

    In a notebook that is opened again it shows the outcome; earlier receipts on the same page are rewritten too.
    Waiting jobs of a run are started as others end.

    Parameters
    ----------
    job
        A job or run, its name or its ARN.
    session
        Where to look; by default the session of `pnb.connect()`.

    Examples
    --------
    In a notebook::

        pnb.watch("books-20261123-101502-ab12")
    """
    found = attach(job, session) if isinstance(job, str) else job
    return Receipt(found).show().start()


def _looked_up(job: AnyJob | Run) -> dict[str, str]:
    """Find out what a receipt without a form can tell: tags, and the call that repeats the job on its stored input."""
    several = [dict(one.tags) for one, _ in job.asked()] if isinstance(job, Run) else [_tags(job)]
    owner = "; ".join(dict.fromkeys(tags.pop(owners.OWNER, "") for tags in several))
    found = {
        "Tags": _together(named("tags").kind.told(tags) if tags else "" for tags in several),
        OWNER: owner if owner != job.session.owner else "",
    }
    if isinstance(job, Run):
        return {**found, **_amounts_of_run(job), REPEAT: f"pnb.attach({job.name!r}).repeat()"}
    return {**found, **_amounts(job), REPEAT: code.again(job.request, several[0], job.session.role_arn)}


def _amounts(job: AnyJob) -> dict[str, str]:
    """Return what the job comes to and when it ends, each as far as the caller may look."""
    found, request = {}, job.request
    with suppress(errors.PersonalizeError):
        found[COST] = costs.of_request(request, None, recipe_of(request, job.session), job.session).text
    with suppress(errors.PersonalizeError):
        described = job.describe()
        took = durations.expected(job.session, costs.mode_of(request), request.solution_version_arn)
        if took is not None:
            found[EXPECTED] = took.told(described["creationDateTime"])
    return found


def _amounts_of_run(run: Run) -> dict[str, str]:
    """Return what all questions of a run come to, and when the jobs end that have not, so many at a time."""
    found = {}
    with suppress(errors.PersonalizeError):
        estimate = of_run(run)
        found[COST] = estimate.text
        described = run.describe()
        left = replace(estimate, jobs=described["running"] + described["waiting"], of_one=1).expected
        if left is not None:
            found[EXPECTED] = left.told(datetime.now(UTC))
    return found


def _tags(job: AnyJob) -> dict[str, str]:
    if job.request.tags:
        return dict(job.request.tags)
    try:
        answer = job.session.call("list_tags_for_resource", resourceArn=job.arn)
    except errors.PersonalizeError:
        return {}  # a receipt is shown also to those who may not read tags
    tags: dict[str, str] = named("tags").kind.from_wire(answer.get("tags", ()))
    return tags


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
