"""Updates of resources that go on serving meanwhile: a summary that walks to ACTIVE, then the new values.

Campaigns, recommenders, datasets and solutions show the newest update in a `latest...Update` member with a status of
its own; until that is ACTIVE the resource keeps its old values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from personalize_nb.contract.limits import ACTIVE, FAILED, IN_PROGRESS, PENDING
from personalize_nb.local.errors import ApiError
from personalize_nb.local.state.store import Resource, Store, Work

# work kinds that change a resource instead of making it
UPDATE, RETRAIN = "update", "retrain"
KINDS = frozenset({UPDATE, RETRAIN})
_PLAN = "_update"


def begin(
    store: Store,
    resource: Resource,
    member: str,
    shown: Mapping[str, Any],
    changes: Mapping[str, Any],
    work: str = UPDATE,
) -> None:
    """Note an update and queue its work.

    Parameters
    ----------
    store
        Where the resource is.
    resource
        What is updated.
    member
        The member of Describe that shows the update, for example `latestCampaignUpdate`.
    shown
        The new values as that member shows them.
    changes
        What the resource's body gets once the update is done; a value of None removes its key.
    work
        `update`, or `retrain` when a model must be made first.

    Raises
    ------
    ApiError
        `ResourceInUseException` while the update before it is not done.
    """
    if _PLAN in resource.body:
        raise ApiError(
            "ResourceInUseException",
            f"Resource Arn {resource.arn} is being updated; wait until {member}.status is {ACTIVE}.",
        )
    now = round(store.clock(), 3)
    summary = dict(shown) | {"status": PENDING, "creationDateTime": now, "lastUpdatedDateTime": now}
    store.update(resource.arn, {member: summary, _PLAN: {"member": member, "changes": dict(changes)}})
    store.enqueue(work, resource.arn)


def planned(resource: Resource) -> dict[str, Any] | None:
    """Return the changes of the update under way, or None."""
    plan = resource.body.get(_PLAN)
    return None if plan is None else plan["changes"]


def advance(store: Store, work: Work, task: Callable[[Resource], Mapping[str, Any] | None]) -> None:
    """Do the work of an update; whatever the task raises is left to the caller, who calls `fail` with a reason."""
    resource = store.get(work.arn)
    if resource is None or _PLAN not in resource.body:
        return
    _show(store, resource, IN_PROGRESS)
    made = task(store[work.arn]) or {}
    with store.transaction():
        resource = store.get(work.arn)
        if resource is not None:
            _show(store, resource, ACTIVE)
            store.update(work.arn, {**resource.body[_PLAN]["changes"], **made, _PLAN: None})


def fail(store: Store, arn: str, reason: str) -> None:
    """End the update under way without a change of the resource."""
    with store.transaction():
        resource = store.get(arn)
        if resource is not None and _PLAN in resource.body:
            _show(store, resource, FAILED, reason)
            store.update(arn, {_PLAN: None})


def _show(store: Store, resource: Resource, status: str, reason: str | None = None) -> None:
    member = resource.body[_PLAN]["member"]
    summary = resource.body[member] | {"status": status, "lastUpdatedDateTime": round(store.clock(), 3)}
    store.update(resource.arn, {member: summary | ({"failureReason": reason} if reason else {})})
