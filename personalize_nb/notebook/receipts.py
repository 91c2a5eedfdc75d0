"""The receipt of a job or run: an output that is rewritten in place and stays readable when the kernel is gone.

A form is for doing, a receipt is for remembering. It is plain HTML under a `display_id`, so it is saved with the
notebook, survives restart and sharing, and carries the lines of code that find the job again and repeat it. A daemon
thread rewrites it until the job has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from personalize_nb.contract import limits
from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.jobs.following import follow
from personalize_nb.jobs.job import AnyJob
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.runs import attach
from personalize_nb.notebook import console_links, output_facts, receipt_facts
from personalize_nb.notebook.charts import View
from personalize_nb.notebook.output_facts import OutputFacts
from personalize_nb.session.answers import Described
from personalize_nb.session.session import Session
from personalize_nb.text import html
from personalize_nb.text.public import public

# of the element that holds a receipt: tells in a saved notebook whose it is
NAME = "data-pnb-name"
# of the same element: by it a form's script knows whether a record that is on the page tells what the form does
STATUS = "data-pnb-status"
_LINE = "\n"


def rendered(facts: Mapping[str, str], name: str = "") -> View:
    """Return a receipt's facts as something to look at, which says whose they are."""
    return _recorded(_told(facts, OutputFacts(), {}), name, facts.get("Status", ""))


def _told(facts: Mapping[str, str], output: OutputFacts, links: Mapping[str, str]) -> View:
    """Return what a receipt says: its facts, the first rows of the output, where to look further."""
    width = max(map(len, facts))
    # code of several lines: as they are to be copied, or in one, which a column of labels does not cut up
    lines = [f"{label:<{width}}  {value.replace(_LINE, '; ')}" for label, value in facts.items()]
    cells = [(label, html.code(value) if _LINE in value else value) for label, value in facts.items()]
    anchors = html.join([html.link(address, text) for text, address in links.items()], ", ")
    rows = html.Markup('<div style="margin-top:.6em">{}</div>').format(output.table) if output.rows else ""
    fragment = html.join([html.table(cells), rows, html.lines(anchors)])
    return View(fragment, "\n".join([*lines, *([output.text] if output.text else [])]))


def _recorded(view: View, name: str, status: str) -> View:
    """Return what a receipt says as an output that says whose it is, and how that stands."""
    mark = html.Markup('<div class="pnb-receipt" {}="{}" {}="{}">{}</div>')
    return View(mark.format(NAME, name, STATUS, status, view.html), view.text)


@dataclass(frozen=True)
class JobState:
    """How a job or run stands.

    Parameters
    ----------
    name, reference, status
        The job's; by the reference `pnb.attach` finds it.
    seconds
        How long it goes on, or took.
    share
        How much is done, of how much, where that is known.
    lines
        How many input lines were answered, in words, once it has ended.
    reason
        Why it failed; nothing where it did not.
    view
        All that its receipt says.
    """

    name: str
    reference: str
    status: str
    seconds: float
    share: tuple[int, int] | None
    lines: str
    reason: str
    view: View

    @property
    def ended(self) -> bool:
        """Whether nothing comes after it."""
        return self.status in limits.TERMINAL


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
        What the service does not tell of it; see `receipt_facts.summary`. Without them tags and the call are looked up.
    sleep
        Waits a number of seconds or until told to stop, and answers whether it was told; replaced in tests.
    told
        Is told at every look how the job stands, until it has ended.
    """

    def __init__(
        self,
        job: AnyJob | Run,
        details: Mapping[str, str] | None = None,
        sleep: Callable[[float], bool] | None = None,
        told: Callable[[JobState], None] = lambda state: None,
    ):
        self.job = job
        self._told = told
        self._output = OutputFacts()
        self._links: dict[str, str] | None = None
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
        bundle = self.bundle()
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
        state = self._state(job)
        if self._handle is not None:
            self._handle.update(_recorded(state.view, state.reference, state.status)._repr_mimebundle_(), raw=True)
        return state.status

    def _state(self, job: BatchJob | Run) -> JobState:
        described, now = job.describe(), datetime.now(UTC)
        if described["status"] in limits.TERMINAL and not self._output.facts:
            self._output = output_facts.found(job)
        details = {**(self._details or {}), **self._output.facts}
        if isinstance(job, Run):
            facts = receipt_facts.run_summary(described, [one for one, _ in job.asked()], now, details)
            began, share = datetime.fromisoformat(described["created"]), None
            if described["jobs"] > 1:
                share = (described["done"] + described["failed"], described["jobs"])
        else:
            facts = receipt_facts.summary(described, now, details)
            began = described["creationDateTime"]
            share = described.how_far if isinstance(described, Described) else None
        end = described.get("ended") or described.get("lastUpdatedDateTime")
        ended = described["status"] in limits.TERMINAL
        seconds = ((end if ended and end else now) - began).total_seconds()
        view = _told(facts, self._output, self._links or {})
        lines = facts.get(OutputFacts.LABELS[0], "")
        reference = job.name if isinstance(job, Run) else job.reference
        state = JobState(job.name, reference, described["status"], seconds, share, lines, facts.get("Reason", ""), view)
        self._told(state)
        return state

    def bundle(self) -> dict[str, str]:
        """Return what it shows, as the job stands now."""
        if self._details is None:
            self._details = receipt_facts.looked_up(self.job)
        if self._links is None:
            self._links = console_links.links(self.job)
        state = self._state(self.job)
        return _recorded(state.view, state.reference, state.status)._repr_mimebundle_()

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
        return joined(newest)


def joined(bundles: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return several receipts as one output."""
    found = {"text/plain": "\n\n".join(bundle["text/plain"] for bundle in bundles)}
    if bundles:
        found["text/html"] = "".join(bundle.get("text/html", "") for bundle in bundles)
    return found


class _Place:
    """A receipt's place on a board, with the `update` of a display handle."""

    def __init__(self, board: Board, number: int):
        self._board, self._number = board, number

    def update(self, bundle: Mapping[str, str], raw: bool) -> None:
        self._board.put(self._number, bundle)


@public
def watch(job: AnyJob | Run | str, session: Session | None = None) -> Receipt:
    """Show the receipt of a job or run and keep it up to date while the notebook stays open; the cell is not blocked.

    In a notebook that is opened again it shows the outcome, in the output of its own cell; earlier receipts are
    rewritten while their page stays open. `pnb.refresh_receipts(path)` rewrites all receipts of a saved notebook.
    Waiting jobs of a run are started as others end.

    Parameters
    ----------
    job
        A job or run, its name or its ARN.
    session
        Where to look; by default the session of `pnb.connect()`.

    Returns
    -------
    Receipt
        It has been shown, and is rewritten until the job has ended.

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
    >>> receipt = pnb.watch("weekly")  # of a job that has ended, a table of how
    Job ...
    """
    found = attach(job, session) if isinstance(job, str) else job
    return Receipt(found).show().start()
