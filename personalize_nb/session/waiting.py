"""Waiting for a resource to become ACTIVE or to be gone: back-off, time limit, interruption, the service's reason.

Personalize has no waiters of its own. A wait only looks: when it ends early, by the time limit, by Ctrl-C or by trouble
that stays, the work goes on and the message says how to wait again. What passes is sat out: lost connections, answers
that cannot be read, credentials until they are renewed, and a resource that AWS does not show yet.
"""

from __future__ import annotations

import copy
import logging
import numbers
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.session import explanations
from personalize_nb.session.answers import Described
from personalize_nb.session.progress import NullProgress, Progress, over

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

HOURS = 3600.0
QUICK, POLITE = 0.05, 3.0
# after a first failure; twice as long after each that follows
_AGAIN = 0.5
_LONGEST = 60.0
_GONE, _TAKEN = "gone", "asked for"
# Polls in a row that may fail before a wait gives up: seconds for a call, minutes for work of hours.
_PATIENCE, _LONG_PATIENCE = 5, 10


def pause(elapsed: float, pace: float = QUICK, calls: int = 1) -> float:
    """Return the seconds to the next look: more the longer it has been waited, up to a minute.

    Parameters
    ----------
    elapsed
        Seconds since the work began.
    pace
        The shortest pause. With `POLITE`, AWS's, a first minute has 8 looks; with `QUICK` the gaps are a tenth of the
        time waited.
    calls
        What a look costs: where calls are counted, those of several jobs share what one job may ask.
    """
    if pace < POLITE:
        return min(_LONGEST, max(pace, elapsed / 10))
    return min(_LONGEST, max(pace, elapsed / 2) * max(calls, 1))


def check_timeout(timeout: object) -> None:
    """Refuse what is no time limit; whoever makes something and then waits for it asks before it is made.

    Raises
    ------
    InputError
        It is neither a number from 0 nor None.
    """
    if timeout is None:
        return
    if not isinstance(timeout, numbers.Real) or isinstance(timeout, bool) or not float(timeout) >= 0:
        raise errors.InputError(f"'timeout' must be a number of seconds from 0, or None for no limit, got {timeout!r}.")


def until_active(
    describe: Callable[[], Mapping[str, Any]],
    what: str,
    arn: str,
    *,
    again: str,
    timeout: float | None,
    progress: Progress,
    pace: float = QUICK,
    calls: Callable[[], int] = lambda: 1,
    rest: Callable[[], str] = lambda: "",
    since: float | None = None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Mapping[str, Any]:
    """Look at a resource until it is ACTIVE and return its last description.

    Parameters
    ----------
    describe
        Returns the resource's description with `status` and, after a failure, `failureReason`.
    what
        The resource in words, for messages: `job 'weekly'`.
    arn
        Its ARN, kept with the errors.
    again
        The code that waits for the same work again.
    timeout
        Seconds, or None for no limit.
    progress
        Told the status at each look.
    pace
        The session's: the shortest pause between two looks.
    calls
        Tells how many calls the last look took.
    rest
        Tells what does not go on by itself when the wait ends, in words; nothing where all does.
    since
        When the work began that this is a part of, by `clock`: what came before counts for the gaps.
    sleep, clock
        Replaced in tests.
    """

    def failure(described: Mapping[str, Any]) -> str | None:
        if described["status"] not in limits.TERMINAL:
            return None
        return f"{what} ended in {described['status']}: {explanations.told(described.get('failureReason'))}"

    wait = _Wait(
        what, arn, again, timeout, progress, sleep, clock, pace, calls, since, patience=_LONG_PATIENCE, goes_on=True
    )
    wait.rest = rest
    # AWS may not show for some seconds what it has just made
    wait.passing_kinds = (errors.NotFoundError,)
    return wait.until(limits.ACTIVE, describe, failure)


def until_gone(
    describe: Callable[[], Mapping[str, Any]],
    what: str,
    arn: str,
    *,
    again: str,
    timeout: float | None,
    progress: Progress,
    pace: float = QUICK,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Look at a resource that is being deleted until the service no longer knows it.

    Parameters
    ----------
    describe, what, arn, again, timeout, progress, pace, sleep, clock
        As for `until_active`.
    """
    before: list[Mapping[str, Any]] = []

    def look() -> Mapping[str, Any]:
        try:
            return describe()
        except errors.NotFoundError:
            return {"status": _GONE}

    def failure(described: Mapping[str, Any]) -> str | None:
        status, reason = described["status"], described.get("failureReason")
        # what failed to be made has its reason from then, and is deleted like all else
        new = bool(before) and reason != before[0].get("failureReason")
        came_back = status in limits.TERMINAL and any(one["status"].startswith("DELETE") for one in before)
        before.append(described)
        told = explanations.told(reason) if reason else status
        return f"{what} failed: {told}" if status == "DELETE FAILED" or new or came_back else None

    wait = _Wait(what, arn, again, timeout, progress, sleep, clock, pace, patience=_LONG_PATIENCE, goes_on=True)
    wait.until(_GONE, look, failure)


def until_taken(
    call: Callable[[], object],
    what: str,
    *,
    again: str,
    progress: Progress,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Ask for a deletion until the service takes it: what stood on the resource may count for some seconds more.

    Parameters
    ----------
    call
        Asks for it; that there is nothing to delete is no error.
    what, again, progress, sleep, clock
        As for `until_active`.
    """

    def ask() -> Mapping[str, Any]:
        # an answer may have been lost, and the resource is gone
        with suppress(errors.NotFoundError):
            call()
        return {"status": _TAKEN}

    wait = _Wait(what, "", again, None, progress, sleep, clock, in_use_passes=True)
    wait.until(_TAKEN, ask, lambda described: None)


def until_answered(
    call: Callable[[], Answer],
    what: str,
    *,
    again: str,
    absent_passes: bool = False,
    patience: int = _PATIENCE,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Call until an answer comes that is no passing trouble, and return it; nothing is shown.

    Parameters
    ----------
    call
        What only looks, or may be repeated.
    absent_passes
        Whether what is not found may only not be there yet.
    patience
        How many calls in a row may fail.
    what, again, sleep, clock
        As for `until_active`.
    """

    def ask() -> Mapping[str, Any]:
        return {"status": _TAKEN, "answer": call()}

    wait = _Wait(what, "", again, None, NullProgress(), sleep, clock, patience=patience)
    wait.passing_kinds = (errors.NotFoundError,) if absent_passes else ()
    answer: Answer = wait.until(_TAKEN, ask, lambda described: None)["answer"]
    return answer


@dataclass
class _Wait:
    """The loop of every wait."""

    what: str
    arn: str
    again: str
    timeout: float | None
    progress: Progress
    sleep: Callable[[float], object]
    clock: Callable[[], float]
    pace: float = QUICK
    calls: Callable[[], int] = lambda: 1
    since: float | None = None
    in_use_passes: bool = False
    patience: int = _PATIENCE
    goes_on: bool = False
    rest: Callable[[], str] = lambda: ""
    passing_kinds: tuple[type[errors.PersonalizeError], ...] = ()
    seen: str = ""

    def until(
        self,
        end: str,
        look: Callable[[], Mapping[str, Any]],
        failure: Callable[[Mapping[str, Any]], str | None],
    ) -> Mapping[str, Any]:
        """Look until the status is `end`, and return the last description; `failure` tells one that ends the wait."""
        check_timeout(self.timeout)
        log.debug("waiting for %s", self.what)
        started = self.clock()
        try:
            return self._until(end, look, failure)
        except BaseException as error:
            ended = f"ended in {self.seen}" if isinstance(error, errors.FailedError) else "no longer waited for"
            self.progress.update(self.what, over(ended, self.clock() - started))
            if not isinstance(error, KeyboardInterrupt):
                raise
            told = f"stopped waiting; {self.rest() or f'{self.what} goes on'}. Wait again with {self.again}."
            if not self.again:  # a call, which goes on nowhere
                told = f"stopped {self.what}; AWS may have been asked for it, and may do it all the same."
            raise errors.Interrupted(told) from None

    def _until(
        self,
        end: str,
        look: Callable[[], Mapping[str, Any]],
        failure: Callable[[Mapping[str, Any]], str | None],
    ) -> Mapping[str, Any]:
        started, status, failures = self.clock(), "", 0
        while True:
            trouble = ""
            try:
                described, failures = look(), 0
                if described["status"] != end and (told := failure(described)):
                    self.seen = described["status"]
                    raise self._failed(told, described)
            except errors.FailedError:
                raise
            except errors.PersonalizeError as error:
                failures += 1
                if failures >= self._most(error):
                    raise self._ended(error) from error.__cause__
                log.warning(
                    "%s could not be looked at, %d of %d times: %s", self.what, failures, self._most(error), error
                )
                described = {"status": status or "not reached"}
                trouble = f"; {_said(error)}, tried again ({failures} of {self._most(error)})"
            elapsed = self.clock() - started
            if described["status"] != status:
                status = described["status"]
                log.info("%s is %s after %.0f s", self.what, status, elapsed)
            if status == end:
                self.progress.update(self.what, over(end, elapsed))
                return described
            if self.timeout is not None and elapsed >= self.timeout:
                goes = self.rest() or "it goes on"
                raise errors.WaitTimeoutError(
                    f"{self.what} is {status} after {elapsed:.0f} s; {goes}. Wait again with {self.again}.",
                    arn=self.arn,
                    status=status,
                )
            share = described.how_far if isinstance(described, Described) else None
            self.progress.update(self.what, f"{status}{trouble}", *(share or ()))
            gap = pause(elapsed + started - (started if self.since is None else self.since), self.pace, self.calls())
            gap = max(gap, min(_LONGEST, _AGAIN * 2 ** (failures - 1)) if failures else 0)
            self.sleep(gap if self.timeout is None else min(gap, max(self.timeout - elapsed, 0)))

    def _failed(self, told: str, described: Mapping[str, Any]) -> errors.FailedError:
        reason = described.get("failureReason") or "the service gave no reason"
        error = errors.FailedError(told, arn=self.arn, reason=reason)
        return error.of_call(described.operation, described.request_id) if isinstance(described, Described) else error

    def _most(self, error: errors.PersonalizeError) -> int:
        """Return how many times in a row an error of this kind may come: once where it will not pass."""
        if isinstance(error, self.passing_kinds):
            return _PATIENCE
        in_use = isinstance(error, errors.ServiceError) and error.code == "ResourceInUseException"
        if not passing(error) and not (in_use and self.in_use_passes):
            return 1
        # who has to log in again does so before a wait of hours goes on, not within it
        return min(_PATIENCE, self.patience) if isinstance(error, errors.CredentialsError) else self.patience

    def _ended(self, error: errors.PersonalizeError) -> errors.PersonalizeError:
        """Return the error with what only a wait knows: that the work goes on, and how to wait for it again."""
        if isinstance(error, errors.NotFoundError) or not self.goes_on:
            return error
        told = copy.copy(error)
        goes = self.rest() or f"{self.what} goes on"
        told.add(f"{goes[:1].upper()}{goes[1:]}; wait for it again with {self.again}.")
        return told


def passing(error: errors.PersonalizeError) -> bool:
    """Tell an error that may pass (throttling, a lost connection) from one that will not."""
    return explanations.passes(error)


def _said(error: errors.PersonalizeError) -> str:
    """Return an error in one or two words, for a line that shows a status."""
    if isinstance(error, errors.CredentialsError):
        return "the AWS credentials have ended"
    return error.code or type(error).__name__
