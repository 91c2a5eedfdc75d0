"""Deleting what a training left: a dataset group with all that stands on it, in the order the service wants.

At AWS five dataset groups may be active, and what is forgotten may go on costing. Batch jobs cannot be deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.session import waiting
from personalize_nb.session.progress import Progress, choose
from personalize_nb.session.session import Session, current

if TYPE_CHECKING:
    import pandas as pd


def list_dataset_groups(session: Session | None = None) -> pd.DataFrame:
    """Return the dataset groups of the account and region, newest first: name, status, solutions, created."""
    import pandas as pd

    session = current(session)
    rows = []
    for entry in session.pages("list_dataset_groups", "datasetGroups"):
        solutions = session.pages("list_solutions", "solutions", datasetGroupArn=entry["datasetGroupArn"])
        names = ", ".join(one["name"] for one in solutions)
        rows.append((entry["name"], entry["status"], names, entry["creationDateTime"]))
    frame = pd.DataFrame(rows, columns=["name", "status", "solutions", "created"])
    return frame.sort_values("created", ascending=False, kind="stable", ignore_index=True)


def delete_dataset_group(
    name: str,
    *,
    timeout: float | None = waiting.HOURS,
    progress: Progress | bool | None = None,
    session: Session | None = None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Delete a dataset group with its filters, solutions (and their versions), datasets and their schemas.

    Results of batch jobs stay in S3. A step that fails leaves the rest in place; the call can be repeated.

    Parameters
    ----------
    name
        The dataset group's name or ARN, as `pnb.list_dataset_groups()` shows it.
    timeout
        Seconds to wait for each step.
    progress
        False for silence, or a display of your own.
    session
        Where to work; by default the session of `pnb.connect()`.
    sleep, clock
        Replaced in tests.

    Raises
    ------
    NotFoundError
        There is no such dataset group; the message names near ones.
    """
    session = current(session)
    shown = choose(progress)
    group = name if name.startswith("arn:") else session.arn("dataset-group", name)
    try:
        session.call("describe_dataset_group", datasetGroupArn=group)
    except errors.NotFoundError as error:
        names = [entry["name"] for entry in session.pages("list_dataset_groups", "datasetGroups")]
        raise errors.NotFoundError(
            f"There is no dataset group {name!r}{errors.there_is(name, names)} pnb.list_dataset_groups() lists all."
        ) from error
    wait = _Waiter(session, shown, timeout, sleep, clock)
    for operation, member, kind, key in (
        ("list_filters", "Filters", "filter", "filterArn"),
        ("list_solutions", "solutions", "solution", "solutionArn"),
    ):
        found = [entry[key] for entry in session.pages(operation, member, datasetGroupArn=group)]
        for arn in found:
            session.call(f"delete_{kind}", **{key: arn})
        for arn in found:
            wait.until_gone(f"describe_{kind}", kind, key, arn)
    datasets = [one["datasetArn"] for one in session.pages("list_datasets", "datasets", datasetGroupArn=group)]
    schemas = [session.call("describe_dataset", datasetArn=arn)["dataset"]["schemaArn"] for arn in datasets]
    for arn in datasets:
        session.call("delete_dataset", datasetArn=arn)
    for arn in datasets:
        wait.until_gone("describe_dataset", "dataset", "datasetArn", arn)
    for arn in dict.fromkeys(schemas):
        try:
            session.call("delete_schema", schemaArn=arn)
        except errors.ServiceError as error:
            if error.code != "ResourceInUseException":  # a dataset of another group has the same schema
                raise
    session.call("delete_dataset_group", datasetGroupArn=group)
    wait.until_gone("describe_dataset_group", "datasetGroup", "datasetGroupArn", group)
    shown.say(f"dataset group {group.rsplit('/', 1)[-1]!r} and what stood on it are deleted")


class _Waiter:
    """Looks at resources until the service no longer knows them."""

    def __init__(
        self,
        session: Session,
        progress: Progress,
        timeout: float | None,
        sleep: Callable[[float], object],
        clock: Callable[[], float],
    ):
        self._session = session
        self._progress = progress
        self._timeout = timeout
        self._sleep, self._clock = sleep, clock

    def until_gone(self, operation: str, member: str, key: str, arn: str) -> None:
        what, started = f"deleting {arn.split(':', 5)[-1]}", self._clock()
        while True:
            try:
                found = self._session.call(operation, **{key: arn})[member]
            except errors.NotFoundError:
                self._progress.update(what, "gone")
                return
            elapsed = self._clock() - started
            if found["status"] == limits.FAILED or found.get("failureReason"):
                reason = found.get("failureReason") or found["status"]
                raise errors.FailedError(f"{what} failed: {reason}", arn=arn, reason=reason)
            if self._timeout is not None and elapsed >= self._timeout:
                raise errors.WaitTimeoutError(
                    f"{what} is {found['status']} after {elapsed:.0f} s; call pnb.delete_dataset_group again later.",
                    arn=arn,
                    status=found["status"],
                )
            self._progress.update(what, found["status"])
            self._sleep(waiting.pause(elapsed))
