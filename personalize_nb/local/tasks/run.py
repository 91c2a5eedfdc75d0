"""How a piece of background work begins and ends: ACTIVE, or CREATE FAILED with a reason, never nothing.

Whatever a task raises becomes a status that a client can read; only a killed process leaves work behind, and the
supervisor takes that up. What the work is, is in `tasks`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.limits import FAILED
from personalize_nb.contract.policies.uses import uses_of
from personalize_nb.local.errors import ApiError, WorkError
from personalize_nb.local.personalize import updates
from personalize_nb.local.state import diskspace, versions
from personalize_nb.local.state.facts import Changes
from personalize_nb.local.state.lifecycle import CREATING, DURING, STOPPED, STOPPING, UNFINISHED
from personalize_nb.local.state.quotas import DATA_QUOTAS
from personalize_nb.local.state.resources import AnyResource, Resource
from personalize_nb.local.state.store import Store, Work

if TYPE_CHECKING:
    from personalize_nb.local.iam.authorization import Authorizer
    from personalize_nb.local.s3.store import ObjectStore

log = logging.getLogger(__name__)

Task = Callable[["WorkContext", Resource[Any, Any]], Changes | None]


@dataclass(frozen=True)
class WorkContext:
    """What tasks need of their service."""

    root: Path
    store: Store
    objects: ObjectStore
    region: str
    account: str
    clock: Callable[[], float] = field(default=time.time, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    # limits of the data, by what counts
    quotas: Mapping[str, int] = field(default_factory=lambda: DATA_QUOTAS, repr=False)
    # says whether a resource's role may do what it asks; without one, nobody asks
    authorizer: Authorizer | None = None


class Stopped(Exception):
    """The caller of the API has stopped this work, or deleted its resource."""


def perform(context: WorkContext, work: Work, tasks: Mapping[str, Task]) -> None:
    """Do one claimed piece of work and take it off the queue, however it ends.

    Parameters
    ----------
    context
        What the task needs.
    work
        The work, claimed by this process.
    tasks
        The task of each kind of work; it returns changes of the resource, or None.
    """
    store = context.store
    started = context.clock()
    try:
        task = partial(_judged, context, tasks[work.kind])
        if work.kind in updates.KINDS:
            updates.advance(store, work, task)
        else:
            _walk(context, work, task)
        log.info("%s work on %s took %.1f s", work.kind, work.arn, context.clock() - started)
    except WorkError as error:
        log.warning("%s work on %s failed: %s", work.kind, work.arn, error.reason)
        _end(store, work, error.reason)
    except ApiError as error:
        # an object or bucket went away while the work was under way
        log.warning("%s work on %s failed: %s", work.kind, work.arn, error)
        _end(store, work, f"{error.code}: {error.message}")
    except Stopped:
        log.info("%s work on %s was stopped", work.kind, work.arn)
        _end(store, work, "The work was stopped.")
    except Exception as error:
        log.exception("%s work on %s failed", work.kind, work.arn)
        _end(store, work, _explained(error))
    finally:
        store.finish(work.id)


def _judged(context: WorkContext, task: Task, resource: AnyResource) -> Changes | None:
    """Do the task if the resource's role still may (policies can have changed), and encrypt as the resource asks."""
    if context.authorizer is not None:
        try:
            context.authorizer.check(resource.arn, resource.body)
        except ApiError as error:
            raise WorkError(error.message) from error
    keys = [use.key_arn for use in uses_of(resource.body) if use.writes and use.key_arn is not None]
    if keys:
        context = replace(context, objects=context.objects.under(keys[0]))
    return task(context, resource)


def _walk(context: WorkContext, work: Work, task: Callable[[AnyResource], Changes | None]) -> None:
    """Take a resource through the statuses of this kind of work; its last one and its result are one commit."""
    store = context.store
    during, after = DURING.get(work.kind, CREATING)
    check_wanted(store, work.arn)
    resource = store.set_status(work.arn, during)
    while True:
        changes = Changes()
        try:
            changes = task(resource) or changes
            with store.transaction():
                check_wanted(store, work.arn)
                store.set_status(work.arn, after, changes=changes)
                if changes.data:
                    store.together(partial(versions.commit, context.root, changes.data))
                    store.afterwards(partial(_drop_former, context.root))
            return
        except versions.OvertakenError as error:
            log.info("%s work on %s begins anew: %s", work.kind, work.arn, error)
        finally:
            versions.abandon(context.root, changes.data)


def _drop_former(root: Path) -> None:
    with versions.DatasetVersions(root) as data:
        data.drop_former()


def give_up(store: Store, work: Work, reason: str) -> None:
    """End work that was begun too often."""
    log.error("%s work on %s is given up after %d attempts", work.kind, work.arn, work.attempts)
    _end(store, work, reason)
    store.finish(work.id)


def check_wanted(store: Store, arn: str) -> None:
    """Raise `Stopped` when nobody waits for this work any more; long tasks call it now and then."""
    resource = store.get(arn)
    if resource is None or resource.status not in UNFINISHED or resource.status == STOPPING:
        raise Stopped(arn)


def _end(store: Store, work: Work, reason: str) -> None:
    """Set the last status of a resource whose work did not succeed."""
    arn = work.arn
    if work.kind in updates.KINDS:
        updates.fail(store, arn, reason)
        return
    resource = store.get(arn)
    if resource is None or resource.status not in UNFINISHED:
        return
    if resource.status == STOPPING:
        store.set_status(arn, STOPPED)
    else:
        store.set_status(arn, FAILED, reason)


def _explained(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "The machine has too little memory for this work. Use fewer rows, or a machine with more memory."
    if diskspace.is_full(error):
        return diskspace.reason(error)
    if isinstance(error, OSError) and error.filename is not None:
        return (
            f"A file of the local service cannot be read or written: {error}. Check that its folder is whole and "
            "belongs to you; the traceback is in service.log there."
        )
    return (
        f"The local service met an unexpected fault: {type(error).__name__}: {error}. "
        "The traceback is in service.log in its folder."
    )
