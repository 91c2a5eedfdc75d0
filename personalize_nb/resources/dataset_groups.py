"""Deleting what a training left: a dataset group with all that stands on it, in the order the service wants.

At AWS five dataset groups may be active, and what is forgotten may go on costing. Batch jobs cannot be deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personalize_nb import errors
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
    waiting.check_timeout(timeout)
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
    again = f"pnb.delete_dataset_group({group.rsplit('/', 1)[-1]!r})"
    deleting = _Deleting(session, again, shown, timeout, sleep, clock)
    for kind, member in (("filter", "Filters"), ("solution", "solutions")):
        found = session.pages(f"list_{kind}s", member, datasetGroupArn=group)
        deleting.all(kind, [entry[f"{kind}Arn"] for entry in found])
    datasets = [one["datasetArn"] for one in session.pages("list_datasets", "datasets", datasetGroupArn=group)]
    schemas = [session.call("describe_dataset", datasetArn=arn)["dataset"]["schemaArn"] for arn in datasets]
    deleting.all("dataset", datasets)
    for arn in dict.fromkeys(schemas):
        try:
            session.call("delete_schema", schemaArn=arn)
        except errors.ServiceError as error:
            if error.code != "ResourceInUseException":  # a dataset of another group has the same schema
                raise
    deleting.all("dataset_group", [group], "datasetGroup")
    shown.say(f"dataset group {group.rsplit('/', 1)[-1]!r} and what stood on it are deleted")


@dataclass(frozen=True)
class _Deleting:
    """Asks for deletions in one dataset group and waits for their ends."""

    session: Session
    again: str
    progress: Progress
    timeout: float | None
    sleep: Callable[[float], object]
    clock: Callable[[], float]

    def all(self, kind: str, arns: Sequence[str], member: str = "") -> None:
        """Delete the resources of one kind, side by side, and wait until all are gone."""
        words = "".join(part.capitalize() for part in kind.split("_"))
        key = f"{words[0].lower()}{words[1:]}Arn"
        for arn in arns:
            self.ask(kind, key, arn)
        for arn in arns:
            waiting.until_gone(
                lambda arn=arn: self.session.call(f"describe_{kind}", **{key: arn})[member or kind],  # type: ignore[misc]
                _named(arn),
                arn,
                again=self.again,
                timeout=self.timeout,
                progress=self.progress,
                sleep=self.sleep,
                clock=self.clock,
            )

    def ask(self, kind: str, key: str, arn: str) -> None:
        """Ask for a deletion."""
        waiting.until_taken(
            lambda: self.session.call(f"delete_{kind}", **{key: arn}),
            _named(arn),
            again=self.again,
            progress=self.progress,
            sleep=self.sleep,
            clock=self.clock,
        )


def _named(arn: str) -> str:
    return f"deleting {arn.split(':', 5)[-1]}"
