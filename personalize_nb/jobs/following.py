"""Work that is followed beside the user's own: a receipt that is rewritten, a call at the end.

A lost connection is waited out: the work goes on meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.jobs.batch_job import BatchJob
from personalize_nb.jobs.run import Run
from personalize_nb.jobs.runs import attach
from personalize_nb.session import waiting
from personalize_nb.session.progress import choose

log = logging.getLogger(__name__)

Work = BatchJob | Run
Watched = TypeVar("Watched", bound=BatchJob | Run)
Sleep = Callable[[float], bool]


def follow(job: Work, look: Callable[[Work], str], sleep: Sleep) -> bool:
    """Look at a job or run until it has ended; tell whether it has, for one can be told to stop before.

    Parameters
    ----------
    job
        The job or run; waiting jobs of a run are started meanwhile.
    look
        Does with it what is to be done each time, and returns its status.
    sleep
        Waits a number of seconds or until told to stop, and answers whether it was told.
    """
    waited, shown = 0.0, ""
    own: Work | None = None
    while True:
        pause = max(1.0, waiting.pause(waited, job.session.pace, 3 if isinstance(job, Run) else 1))
        if sleep(pause):
            return False
        waited += pause
        try:
            if isinstance(job, Run):
                # one of our own, brought forward: the user's may be waiting in another thread
                own = own or attach(job.name, job.session)
                if isinstance(own, Run):
                    own.renew().advance()
            status = look(own or job)
        except errors.PersonalizeError as error:
            log.info("%s cannot be looked at and is looked at again: %s", job.name, error)
            if not waiting.passing(error) and type(error).__name__ + error.code != shown:
                shown = type(error).__name__ + error.code  # once, and not at every look
                choose().say(f"{job.name} is followed, and cannot be looked at: {error}")
            continue
        if status in limits.TERMINAL:
            return True


class Ending:
    """A call that is made when a job or run has ended, from a thread that ends with the kernel.

    Parameters
    ----------
    job
        The job or run.
    call
        What is called, once, whether it succeeded or failed. What it raises is shown as of any thread.
    sleep
        As for `follow`; replaced in tests.
    """

    def __init__(self, job: Work, call: Callable[[], object], sleep: Sleep | None = None):
        self._stopped = threading.Event()
        self._job, self._call, self._sleep = job, call, sleep or self._stopped.wait
        self._thread = threading.Thread(target=self._run, name=f"end of {job.name}", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Leave the call out; the job goes on."""
        self._stopped.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the call was made or left out, at most some seconds; tell whether it was."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            ended = self._job.describe()["status"] in limits.TERMINAL
        except errors.PersonalizeError:
            ended = False
        ended = ended or follow(self._job, lambda work: str(work.describe()["status"]), self._sleep)
        if ended and not self._stopped.is_set():
            self._call()

    def __repr__(self) -> str:
        return f"<Ending of {self._job.name}: .cancel() leaves the call out>"


def on_end(job: Watched, callback: Callable[[Watched], object], sleep: Sleep | None = None) -> Ending:
    """Call a function with a job or run when that has ended; parameters as for `Ending`."""
    if not callable(callback):
        raise errors.ArgumentError(
            f"'callback' must take the job, such as lambda job: print(job.status), got {callback!r}"
        )
    return Ending(job, lambda: callback(job), sleep)
