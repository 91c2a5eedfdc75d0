"""The receipt of a job: one output that is rewritten in place and stays readable when the kernel is gone.

A form is for doing, a receipt is for remembering. It is plain HTML under a `display_id`, so it is saved with the
notebook, survives restart and sharing, and carries the line of code that finds the job again. A daemon thread
rewrites it until the job has ended. Floor 3.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from personalize_nb import errors, limits, markup, waiting
from personalize_nb.charts import View
from personalize_nb.jobs import BatchInferenceJob, attach
from personalize_nb.redact import redact
from personalize_nb.requests import THEME_GENERATION
from personalize_nb.session import Session


def summary(described: Mapping[str, Any], checked: datetime) -> dict[str, str]:
    """Return what a receipt says of a job, label by label, with accounts and buckets masked.

    Parameters
    ----------
    described
        The answer of DescribeBatchInferenceJob.
    checked
        When it was given.
    """
    name, status = described["jobName"], described["status"]
    facts = {"Job": name, "Status": status}
    if status == limits.FAILED:
        facts["Reason"] = described.get("failureReason") or "the service gave none"
    facts["Solution"] = described["solutionVersionArn"].split(":solution/", 1)[-1]
    if described.get("filterArn"):
        facts["Filter"] = described["filterArn"].rsplit("/", 1)[-1]
    if described.get("numResults"):
        facts["Results per line"] = str(described["numResults"])
    themes = described.get("batchInferenceJobMode") == THEME_GENERATION
    if themes:
        facts["Mode"] = THEME_GENERATION
    facts["Output"] = described["jobOutput"]["s3DataDestination"]["path"]
    facts["Started"] = _time(described["creationDateTime"])
    if status in limits.TERMINAL:
        facts["Ended"] = _time(described["lastUpdatedDateTime"])
    else:
        facts["Checked"] = _time(checked)
    if status == limits.ACTIVE:
        facts["Read it"] = f"pnb.attach({name!r}).{'themes' if themes else 'recommendations'}()"
    elif status == limits.FAILED:
        facts["Next"] = "mend what the reason names, then start again under a new name"
    else:
        facts["Follow it"] = f"pnb.attach({name!r}).wait()"
    return {label: redact(value) for label, value in facts.items()}


def rendered(facts: Mapping[str, str]) -> View:
    """Return a receipt's facts as something to look at."""
    width = max(map(len, facts))
    text = "\n".join(f"{label:<{width}}  {value}" for label, value in facts.items())
    return View(markup.Markup('<div class="pnb-receipt">{}</div>').format(markup.table(facts.items())), text)


class Receipt:
    """Shows a job and follows it.

    Parameters
    ----------
    job
        The job.
    sleep
        Waits a number of seconds or until told to stop, and answers whether it was told; replaced in tests.
    """

    def __init__(self, job: BatchInferenceJob, sleep: Callable[[float], bool] | None = None):
        self.job = job
        self._ended = threading.Event()
        self._sleep = sleep or self._ended.wait
        self._handle: Any = None
        self._thread: threading.Thread | None = None

    def show(self, place: Any = None) -> Receipt:
        """Display the receipt as the job stands now.

        Parameters
        ----------
        place
            The display handle of an output to rewrite; by default a new output below the running cell.
        """
        from IPython.display import display  # loaded already wherever this is called

        bundle = _bundle(self.job.describe())
        if place is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle = place
            place.update(bundle, raw=True)
        return self

    def follow(self) -> None:
        """Rewrite the receipt until the job has ended or `close()` is called; a lost connection is waited out."""
        waited = 0.0
        while True:
            pause = max(1.0, waiting.pause(waited))
            if self._sleep(pause):
                return
            waited += pause
            try:
                described = self.job.describe()
            except errors.PersonalizeError:
                continue  # the receipt keeps the last state it could reach, with its time
            if self._handle is not None:
                self._handle.update(_bundle(described), raw=True)
            if described["status"] in limits.TERMINAL:
                return

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


def watch(job: BatchInferenceJob | str, session: Session | None = None) -> Receipt:
    """Show a job's receipt and keep it up to date while the notebook stays open; the cell is not blocked.

    Parameters
    ----------
    job
        A job, its name or its ARN.
    session
        Where to look; by default the session of `pnb.connect()`.

    Examples
    --------
    >>> pnb.watch("books-20261123-101502-ab12")  # doctest: +SKIP
    """
    found = attach(job, session) if isinstance(job, str) else job
    return Receipt(found).show().start()


def _bundle(described: Mapping[str, Any]) -> dict[str, str]:
    return rendered(summary(described, datetime.now(UTC)))._repr_mimebundle_()


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
