"""Waiting for a resource to become ACTIVE or to be gone: back-off, time limit, interruption, the service's reason.

Personalize has no waiters of its own. A wait only looks: when it ends early, by the time limit or by Ctrl-C, the work
goes on and the message says how to wait again.
"""

from __future__ import annotations

import logging
import numbers
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.session.progress import NullProgress, Progress

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

HOURS = 3600.0
_SHORTEST, _LONGEST = 0.25, 60.0
_GONE, _TAKEN = "gone", "asked for"
_PATIENCE = 5  # polls in a row that may fail before a wait gives up


def pause(elapsed: float) -> float:
    """Return the seconds to the next look: a tenth of the time waited so far, from 0.25 s to a minute."""
    return min(_LONGEST, max(_SHORTEST, elapsed / 10))


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
    sleep, clock
        Replaced in tests.
    """

    def failure(described: Mapping[str, Any]) -> str | None:
        if described["status"] not in limits.TERMINAL:
            return None
        reason = described.get("failureReason") or "the service gave no reason"
        return f"{what} ended in {described['status']}: {reason}"

    wait = _Wait(what, arn, again, timeout, progress, sleep, clock)
    return wait.until(limits.ACTIVE, describe, failure)


def until_gone(
    describe: Callable[[], Mapping[str, Any]],
    what: str,
    arn: str,
    *,
    again: str,
    timeout: float | None,
    progress: Progress,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Look at a resource that is being deleted until the service no longer knows it.

    Parameters
    ----------
    describe, what, arn, again, timeout, progress, sleep, clock
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
        return f"{what} failed: {reason or status}" if status == "DELETE FAILED" or new or came_back else None

    _Wait(what, arn, again, timeout, progress, sleep, clock).until(_GONE, look, failure)


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
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Call until an answer comes that is no passing trouble, and return it; nothing is shown.

    Parameters
    ----------
    call
        What only looks, or may be repeated.
    what, again, sleep, clock
        As for `until_active`.
    """

    def ask() -> Mapping[str, Any]:
        return {"status": _TAKEN, "answer": call()}

    wait = _Wait(what, "", again, None, NullProgress(), sleep, clock)
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
    in_use_passes: bool = False

    def until(
        self,
        end: str,
        look: Callable[[], Mapping[str, Any]],
        failure: Callable[[Mapping[str, Any]], str | None],
    ) -> Mapping[str, Any]:
        """Look until the status is `end`, and return the last description; `failure` tells one that ends the wait."""
        check_timeout(self.timeout)
        log.debug("waiting for %s", self.what)
        try:
            return self._until(end, look, failure)
        except KeyboardInterrupt:
            told = f"stopped waiting; {self.what} goes on. Wait again with {self.again}."
            self.progress.say(told)
            raise KeyboardInterrupt(told) from None

    def _until(
        self,
        end: str,
        look: Callable[[], Mapping[str, Any]],
        failure: Callable[[Mapping[str, Any]], str | None],
    ) -> Mapping[str, Any]:
        started, status, failures = self.clock(), "", 0
        while True:
            try:
                described, failures = look(), 0
                if described["status"] != end and (told := failure(described)):
                    self.progress.update(self.what, described["status"])
                    reason = described.get("failureReason") or "the service gave no reason"
                    raise errors.FailedError(told, arn=self.arn, reason=reason)
            except (errors.QuotaError, errors.ServiceError) as error:
                failures += 1
                if failures >= _PATIENCE or not self._may_pass(error):
                    raise
                log.warning("%s could not be looked at, %d of %d times: %s", self.what, failures, _PATIENCE, error)
                described = {"status": status or "not reached"}
            elapsed = self.clock() - started
            if described["status"] != status:
                status = described["status"]
                log.info("%s is %s after %.0f s", self.what, status, elapsed)
            if status == end:
                self.progress.update(self.what, f"{end} after {elapsed:.0f} s")
                return described
            if self.timeout is not None and elapsed >= self.timeout:
                raise errors.WaitTimeoutError(
                    f"{self.what} is {status} after {elapsed:.0f} s; it goes on. Wait again with {self.again}.",
                    arn=self.arn,
                    status=status,
                )
            self.progress.update(self.what, status)
            gap = max(pause(elapsed), min(_LONGEST, _SHORTEST * 2**failures) if failures else 0)
            self.sleep(gap if self.timeout is None else min(gap, max(self.timeout - elapsed, 0)))

    def _may_pass(self, error: errors.PersonalizeError) -> bool:
        in_use = isinstance(error, errors.ServiceError) and error.code == "ResourceInUseException"
        return passing(error) or (in_use and self.in_use_passes)


def passing(error: errors.PersonalizeError) -> bool:
    """Tell an error that may pass (throttling, a lost connection) from one that will not."""
    code = error.code if isinstance(error, errors.ServiceError) else ""
    return (
        isinstance(error, errors.QuotaError)
        or code.endswith(("ConnectionError", "ConnectionClosedError", "TimeoutError", "Unavailable"))
        or (code in {"InternalFailure", "InternalServerError", "ServiceUnavailableException", "500", "503"})
    )
