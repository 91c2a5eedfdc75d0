"""Statuses of resources and the moves between them, as data.

Every resource that takes time walks `CREATE PENDING` -> `CREATE IN_PROGRESS` -> `ACTIVE` or `CREATE FAILED`;
solution versions can also be stopped, recommenders stopped and started again. A status that is not in the table
cannot be reached.
"""

from __future__ import annotations

from personalize_nb.contract.limits import ACTIVE, FAILED, IN_PROGRESS, PENDING

STOPPING, STOPPED = "CREATE STOPPING", "CREATE STOPPED"
# of recommenders only
STOP_PENDING, STOP_IN_PROGRESS, INACTIVE = "STOP PENDING", "STOP IN_PROGRESS", "INACTIVE"
START_PENDING, START_IN_PROGRESS = "START PENDING", "START IN_PROGRESS"

MOVES: dict[str, frozenset[str]] = {
    PENDING: frozenset({IN_PROGRESS, FAILED, STOPPED}),
    # in progress again: the worker died and another one takes the work up
    IN_PROGRESS: frozenset({IN_PROGRESS, ACTIVE, FAILED, STOPPING, STOPPED}),
    STOPPING: frozenset({STOPPED, FAILED}),
    ACTIVE: frozenset({STOP_PENDING}),
    STOP_PENDING: frozenset({STOP_IN_PROGRESS}),
    STOP_IN_PROGRESS: frozenset({STOP_IN_PROGRESS, INACTIVE}),
    INACTIVE: frozenset({START_PENDING}),
    START_PENDING: frozenset({START_IN_PROGRESS}),
    START_IN_PROGRESS: frozenset({START_IN_PROGRESS, ACTIVE}),
    FAILED: frozenset(),
    STOPPED: frozenset(),
}

AT_REST = frozenset({ACTIVE, INACTIVE, FAILED, STOPPED})
UNFINISHED = tuple(status for status in MOVES if status not in AT_REST)

# what a resource is while a kind of work is done on it, and after it; other kinds create it
DURING: dict[str, tuple[str, str]] = {
    "stop": (STOP_IN_PROGRESS, INACTIVE),
    "start": (START_IN_PROGRESS, ACTIVE),
}
CREATING = (IN_PROGRESS, ACTIVE)


class IllegalMoveError(ValueError):
    """A status change that no resource of Personalize makes; an error of the service, not of its user."""


def check_move(old: str | None, new: str) -> None:
    """Raise `IllegalMoveError` unless a resource may go from `old` to `new`.

    Parameters
    ----------
    old
        The present status; None for a resource without one (schemas).
    new
        The wanted status.
    """
    following = MOVES.get(old or "", frozenset())
    if new not in following:
        legal = ", ".join(sorted(following)) or "none"
        raise IllegalMoveError(f"a resource in status {old!r} cannot become {new!r}; legal next statuses: {legal}")
