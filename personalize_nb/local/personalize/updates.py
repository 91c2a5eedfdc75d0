"""Updates of resources that go on serving meanwhile: a summary that walks to ACTIVE, then the new values.

Campaigns, recommenders, datasets and solutions show the newest update in a `latest...Update` member with a status of
its own; until that is ACTIVE the resource keeps its old values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from personalize_nb.contract.limits import ACTIVE, FAILED, IN_PROGRESS, PENDING
from personalize_nb.local.errors import ApiError
from personalize_nb.local.state.facts import Changes, Updatable, Update
from personalize_nb.local.state.resources import AnyResource, Resource
from personalize_nb.local.state.store import Store, Work

# work kinds that change a resource instead of making it
UPDATE, RETRAIN = "update", "retrain"
KINDS = frozenset({UPDATE, RETRAIN})


def begin(
    store: Store,
    resource: Resource[Mapping[str, Any], Updatable],
    member: str,
    shown: Mapping[str, Any],
    changes: Changes,
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
        What the resource gets once the update is done.
    work
        `update`, or `retrain` when a model must be made first.

    Raises
    ------
    ApiError
        `ResourceInUseException` while the update before it is not done.
    """
    if resource.facts.update is not None:
        raise ApiError(
            "ResourceInUseException",
            f"Resource Arn {resource.arn} is being updated; wait until {member}.status is {ACTIVE}.",
        )
    now = round(store.clock(), 3)
    summary = dict(shown) | {"status": PENDING, "creationDateTime": now, "lastUpdatedDateTime": now}
    store.update(resource.arn, Changes({member: summary}, {"update": Update(member, changes)}))
    store.enqueue(work, resource.arn)


def planned(resource: AnyResource) -> Changes | None:
    """Return the changes of the update under way, or None."""
    update = _under_way(resource)
    return None if update is None else update.changes


def _under_way(resource: AnyResource | None) -> Update | None:
    return resource.facts.update if resource is not None and isinstance(resource.facts, Updatable) else None


def advance(store: Store, work: Work, task: Callable[[AnyResource], Changes | None]) -> None:
    """Do the work of an update; whatever the task raises is left to the caller, who calls `fail` with a reason."""
    update = _under_way(store.get(work.arn))
    if update is None:
        return
    _show(store, work.arn, update, IN_PROGRESS)
    made = task(store[work.arn]) or Changes()
    with store.transaction():
        # the resource may be gone, or its update may have failed meanwhile
        update = _under_way(store.get(work.arn))
        if update is not None:
            _show(store, work.arn, update, ACTIVE)
            store.update(work.arn, update.changes | made | Changes(facts={"update": None}))


def fail(store: Store, arn: str, reason: str) -> None:
    """End the update under way without a change of the resource."""
    with store.transaction():
        update = _under_way(store.get(arn))
        if update is not None:
            _show(store, arn, update, FAILED, reason)
            store.update(arn, Changes(facts={"update": None}))


def _show(store: Store, arn: str, update: Update, status: str, reason: str | None = None) -> None:
    summary = store[arn].body[update.member] | {"status": status, "lastUpdatedDateTime": round(store.clock(), 3)}
    store.update(arn, Changes({update.member: summary | ({"failureReason": reason} if reason else {})}))
