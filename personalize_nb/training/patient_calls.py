"""The calls that training is made of, each of which sits out what passes: a lost connection ends no hour of work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.session import creating, waiting
from personalize_nb.session.progress import Progress
from personalize_nb.session.session import Session

Found = TypeVar("Found")

AGAIN = "the same pnb.train(...)"


class PatientCalls:
    """Calls of a session that belong to one piece of work.

    Parameters
    ----------
    session
        Where they go.
    progress
        Told what is waited for.
    timeout
        Seconds for all of it.
    """

    def __init__(self, session: Session, progress: Progress, timeout: float | None):
        self._session = session
        self._progress = progress
        self._began = time.monotonic()
        self._until = None if timeout is None else self._began + timeout

    def _describe(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return what a Describe operation tells, asked once: who waits for it asks again."""
        answer = self._session.call(operation, **parameters)
        described: dict[str, Any] = next(value for key, value in answer.items() if key != "ResponseMetadata")
        return described

    def _pages(self, operation: str, member: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return all that a List operation has; what passes is sat out."""
        return waiting.until_answered(
            lambda: list(self._session.pages(operation, member, **parameters)), operation, again=AGAIN
        )

    def _create(self, operation: str, describe: Callable[[], dict[str, Any]], **parameters: Any) -> bool:
        """Make a resource and tell whether it was us who made it."""
        try:
            creating.made(
                lambda: bool(self._session.call(operation, **parameters)),
                lambda: bool(self._seen(describe)) or None,
                f"making {parameters['name']!r}",
                again=AGAIN,
            )
        except errors.AlreadyExistsError:  # another kernel made the same call a moment ago
            self._progress.say(f"{parameters['name']!r} was made by another call just now and is used")
            return False
        return True

    def _check_own(self, arn: str) -> None:
        """Refuse to put something new in the place of what failed and is another's."""
        try:
            owner = self._session.owner_of(arn)
        except (errors.AccessError, errors.NotFoundError):
            return
        if owner and owner != self._session.owner:
            raise errors.AlreadyExistsError(
                f"{arn.split(':', 5)[-1]} failed, and {owner!r} made it: ask them to delete it, or train under another "
                "'name'."
            )

    def _found(self, describe: Callable[[], Found]) -> Found | None:
        """Return a description, None where there is nothing; what passes is sat out."""
        try:
            return waiting.until_answered(describe, "what there is", again=AGAIN)
        except errors.NotFoundError:
            return None

    def _seen(self, describe: Callable[[], Found]) -> Found | None:
        """Return a description, None where there is nothing, asked once."""
        try:
            return describe()
        except errors.NotFoundError:
            return None

    def _active(
        self,
        describe: Callable[[], Mapping[str, Any]],
        what: str,
        arn: str,
        known: Mapping[str, Any] | None,
    ) -> Mapping[str, Any]:
        """Wait until a resource is ACTIVE; one that was found ACTIVE needs no word."""
        if known is not None and known["status"] == limits.ACTIVE:
            return known
        return waiting.until_active(
            describe,
            what,
            arn,
            again=AGAIN,
            pace=self._session.pace,
            since=self._began,
            timeout=None if self._until is None else max(self._until - time.monotonic(), 0.0),
            progress=self._progress,
        )
