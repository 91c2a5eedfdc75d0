"""Deleting what a training left: a dataset group with all that stands on it, in the order the service wants.

At AWS five dataset groups may be active, and what is forgotten may go on costing. Batch jobs cannot be deleted.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from personalize_nb import errors
from personalize_nb.session import waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import Progress, choose
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


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
    """Delete a dataset group with all that stands on it; what passes, as throttling does, is sat out at every step.

    These go, in this order: campaigns, recommenders, filters, solutions with their versions, event trackers, metric
    attributions, datasets, and the schemas that no other dataset has. Results of batch jobs stay in S3. A step that
    fails leaves the rest in place; the call can be repeated. It finds the schemas of `pnb.train` by their names once
    the datasets are gone; of others the error names those that are left.

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
    plain = group.rsplit("/", 1)[-1]
    deleting = _Deleting(session, f"pnb.delete_dataset_group({plain!r})", shown, timeout, sleep, clock)
    try:
        deleting.answer(group, "describe_dataset_group", datasetGroupArn=group)
    except errors.NotFoundError as error:
        names = session.names("list_dataset_groups", "datasetGroups")
        raise errors.NotFoundError(
            f"There is no dataset group {name!r}{errors.there_is(name, names)} pnb.list_dataset_groups() lists all."
        ) from error
    solutions = deleting.found(group, "solution")
    deleting.all("campaign", [arn for one in solutions for arn in deleting.found(one, "campaign", "solutionArn")])
    deleting.all("recommender", deleting.found(group, "recommender"))
    deleting.all("filter", deleting.found(group, "filter"))
    deleting.all("solution", solutions)
    for kind in ("event_tracker", "metric_attribution"):
        deleting.all(kind, deleting.found(group, kind))
    _delete_data(deleting, group)
    deleting.all("dataset_group", [group])
    shown.say(f"dataset group {plain!r} and what stood on it are deleted")


def _delete_data(deleting: _Deleting, group: str) -> None:
    """Delete the datasets of a group, then their schemas: nothing else says which schemas were a group's."""
    datasets = deleting.found(group, "dataset")
    schemas = dict.fromkeys(deleting.schema_of(arn) for arn in datasets)
    plain = group.rsplit("/", 1)[-1]
    if _OF_TRAIN.search(plain):  # an earlier call may have deleted the datasets and not got to the schemas
        schemas |= dict.fromkeys(deleting.session.arn("schema", f"{plain}-{kind}") for kind in _TYPES)
    left = [arn for arn in schemas if arn]  # what an event tracker made has no schema of ours
    try:
        deleting.all("dataset", datasets)
        while left:
            deleting.schema(left[0])
            del left[0]
    except errors.PersonalizeError as error:
        if not _OF_TRAIN.search(plain) and left:
            names = ", ".join(repr(arn) for arn in left)
            error.add(
                f"Schemas that are left: {names}. Once the datasets are gone nothing leads to them: delete each with "
                "session.call('delete_schema', schemaArn=...)."
            )
        raise


# the names of what pnb.train makes: the group's ends in a hash of its schemas, a schema's in its type
_OF_TRAIN = re.compile(r"-[0-9a-f]{6}$")
_TYPES = ("interactions", "items", "users")
# Read where the account may: who may not list them learns from the service what stands on the group.
_RARE = ("campaign", "recommender", "event_tracker", "metric_attribution")


@dataclass(frozen=True)
class _Deleting:
    """Asks for deletions in one dataset group and waits for their ends; every call of it has the same patience."""

    session: Session
    again: str
    progress: Progress
    timeout: float | None
    sleep: Callable[[float], object]
    clock: Callable[[], float]

    def answer(self, arn: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation that only looks."""
        return self._patient(arn, lambda: self.session.call(operation, **parameters))

    def entries(self, arn: str, operation: str, member: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return all that a List operation has."""
        return self._patient(arn, lambda: list(self.session.pages(operation, member, **parameters)))

    def found(self, arn: str, kind: str, parent: str = "datasetGroupArn") -> list[str]:
        """Return the ARNs of all resources of a kind that stand on another one."""
        member = "Filters" if kind == "filter" else f"{_member(kind)}s"
        try:
            entries = self.entries(arn, f"list_{kind}s", member, **{parent: arn})
        except errors.AccessError as error:
            if kind not in _RARE:
                raise
            log.warning("what is %s of %s may not be listed: %s", kind, arn, error)
            return []
        except errors.NotFoundError:  # its parent went in the meantime
            return []
        return [one[f"{_member(kind)}Arn"] for one in entries]

    def schema_of(self, dataset: str) -> str:
        """Return the ARN of a dataset's schema, empty where it has none or is gone."""
        try:
            described = self.answer(dataset, "describe_dataset", datasetArn=dataset)["dataset"]
        except errors.NotFoundError:
            return ""
        return str(described.get("schemaArn") or "")

    def schema(self, arn: str) -> None:
        """Delete a schema; one that a dataset of another group has stays."""
        with suppress(errors.NotFoundError):
            try:
                self.answer(arn, "delete_schema", schemaArn=arn)
            except errors.ServiceError as error:
                if error.code != "ResourceInUseException":
                    raise
                self.progress.say(f"{arn.split(':', 5)[-1]} stays: another dataset has it")

    def all(self, kind: str, arns: Sequence[str]) -> None:
        """Delete the resources of one kind, side by side, and wait until all are gone."""
        member = _member(kind)
        key = f"{member}Arn"
        for arn in arns:
            waiting.until_taken(
                lambda arn=arn: self.session.call(f"delete_{kind}", **{key: arn}),  # type: ignore[misc]
                _named(arn),
                again=self.again,
                progress=self.progress,
                sleep=self.sleep,
                clock=self.clock,
            )
        for arn in arns:
            waiting.until_gone(
                lambda arn=arn: self.session.call(f"describe_{kind}", **{key: arn})[member],  # type: ignore[misc]
                _named(arn),
                arn,
                again=self.again,
                timeout=self.timeout,
                progress=self.progress,
                pace=self.session.pace,
                sleep=self.sleep,
                clock=self.clock,
            )

    def _patient(self, arn: str, call: Callable[[], Answer]) -> Answer:
        return waiting.until_answered(call, _named(arn), again=self.again, sleep=self.sleep, clock=self.clock)


def _member(kind: str) -> str:
    """Return how botocore's members name a kind: `eventTracker` for `event_tracker`."""
    first, *more = kind.split("_")
    return first + "".join(part.capitalize() for part in more)


def _named(arn: str) -> str:
    return f"deleting {arn.split(':', 5)[-1]}"
