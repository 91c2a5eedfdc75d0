"""Waiting for a resource to become ACTIVE: back-off, time limit, interruption, the service's reason.

Personalize has no waiters of its own. A wait only looks: when it ends early, by the time limit or by Ctrl-C, the work
goes on and the message says how to wait again.
"""

from __future__ import annotations

import logging
import numbers
import time
from collections.abc import Callable, Mapping
from typing import Any

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.session.progress import Progress

log = logging.getLogger(__name__)

HOURS = 3600.0
_PATIENCE = 5  # polls in a row that may fail before a wait gives up


def pause(elapsed: float) -> float:
    """Return the seconds to the next look: a tenth of the time waited so far, from 0.25 s to a minute."""
    return min(60.0, max(0.25, elapsed / 10))


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
    check_timeout(timeout)
    started, status, failures = clock(), "", 0
    log.debug("waiting for %s", what)
    try:
        while True:
            try:
                described = describe()
                failures = 0
            except (errors.QuotaError, errors.ServiceError) as error:
                failures += 1
                if failures >= _PATIENCE or not passing(error):
                    raise
                log.warning("%s could not be looked at, %d of %d times: %s", what, failures, _PATIENCE, error)
                described = {"status": status or "not reached"}
            elapsed = clock() - started
            if described["status"] != status:
                status = described["status"]
                log.info("%s is %s after %.0f s", what, status, elapsed)
            if status == limits.ACTIVE:
                progress.update(what, f"ACTIVE after {elapsed:.0f} s")
                return described
            if status in limits.TERMINAL:
                reason = described.get("failureReason") or "the service gave no reason"
                progress.update(what, status)
                raise errors.FailedError(f"{what} ended in {status}: {reason}", arn=arn, reason=reason)
            if timeout is not None and elapsed >= timeout:
                raise errors.WaitTimeoutError(
                    f"{what} is {status} after {elapsed:.0f} s; it goes on. Wait again with {again}.",
                    arn=arn,
                    status=status,
                )
            progress.update(what, status)
            sleep(pause(elapsed) if timeout is None else min(pause(elapsed), max(timeout - elapsed, 0)))
    except KeyboardInterrupt:
        told = f"stopped waiting; {what} goes on. Wait again with {again}."
        progress.say(told)
        raise KeyboardInterrupt(told) from None


def passing(error: errors.PersonalizeError) -> bool:
    """Tell an error that may pass (throttling, a lost connection) from one that will not."""
    code = error.code if isinstance(error, errors.ServiceError) else ""
    return (
        isinstance(error, errors.QuotaError)
        or code.endswith(("ConnectionError", "ConnectionClosedError", "TimeoutError", "Unavailable"))
        or (code in {"InternalFailure", "InternalServerError", "ServiceUnavailableException", "500", "503"})
    )
