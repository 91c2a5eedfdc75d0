"""Deleting what a training left: a dataset group with all that stands on it, in the order the service wants.

At AWS five dataset groups may be active, and what is forgotten may go on costing. Batch jobs cannot be deleted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.errors import Problem
from personalize_nb.resources.group_contents import (
    GONE_IN_ORDER,
    Looking,
    Piece,
    contents,
    in_the_way,
    member_of,
    named,
)
from personalize_nb.session import waiting
from personalize_nb.session.connection import current
from personalize_nb.session.progress import Progress, choose
from personalize_nb.session.session import Session
from personalize_nb.text.public import public

if TYPE_CHECKING:
    import pandas as pd


@public
def list_dataset_groups(session: Session | None = None) -> pd.DataFrame:
    """Return the dataset groups of the account and region, newest first.

    Parameters
    ----------
    session
        Where to look; by default the session of `pnb.connect()`.

    Returns
    -------
    pandas.DataFrame
        Columns `name`, `status`, `solutions` (their names), `created` (UTC).

    Raises
    ------
    AccessError
        They may not be listed.

    References
    ----------
    Amazon Personalize: ListDatasetGroups, ListSolutions.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> pnb.list_dataset_groups()["name"].str.startswith("books").any()
    np.True_
    """
    from personalize_nb.text.listings import Listing

    session = current(session)
    rows = []
    for entry in session.pages("list_dataset_groups", "datasetGroups"):
        solutions = session.pages("list_solutions", "solutions", datasetGroupArn=entry["datasetGroupArn"])
        names = ", ".join(one["name"] for one in solutions)
        rows.append((entry["name"], entry["status"], names, entry["creationDateTime"]))
    frame = Listing(rows, columns=["name", "status", "solutions", "created"])
    return frame.sort_values("created", ascending=False, kind="stable", ignore_index=True)


@public
def delete_dataset_group(
    name: str,
    *,
    timeout: float | None = waiting.HOURS,
    dry_run: bool = False,
    others: Collection[str] = (),
    progress: Progress | bool | None = None,
    session: Session | None = None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> pd.DataFrame:
    """Delete a dataset group with all that stands on it; what passes, as throttling does, is sat out at every step.

    These go, in this order: campaigns, recommenders, filters, solutions with their versions, event trackers, metric
    attributions, datasets, and the schemas that no other dataset has. Results of batch jobs and exports stay in S3.

    Everything is looked at first. Nothing is deleted while work on the group is under way (imports, exports, trainings,
    batch jobs), nor while something stands on it that somebody else has made, by its tag `personalize_nb:owner`; what
    has no such tag where the group has one, or serves somebody (a campaign, a recommender, an event tracker), may be
    somebody else's too. A step that fails leaves the rest in place; the call can be repeated. It finds the schemas of
    `pnb.train` by their names once the datasets are gone; of others the error names those that are left.

    Parameters
    ----------
    name
        The dataset group's name or ARN, as `pnb.list_dataset_groups()` shows it.
    timeout
        Seconds to wait for each step.
    dry_run
        Only show the plan.
    others
        What somebody else has made on the group, or may have, and is to go as well, by name: `["filter/unread"]`. What
        belongs to who made the group goes with it.
    progress
        False for silence, or a display of your own.
    session
        Where to work; by default the session of `pnb.connect()`.
    sleep, clock
        Replaced in tests.

    Returns
    -------
    pandas.DataFrame
        What goes, in order, and work that stays: `kind`, `name`, `status`, `owner`, `plan`, `in_the_way`.

    Raises
    ------
    NotFoundError
        There is no such dataset group; the message names near ones.
    RequestError
        Something stands in the way; `.problems` lists all of it, and nothing is deleted.

    References
    ----------
    Amazon Personalize: DeleteDatasetGroup, and the Delete operation of each kind of resource before it.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> groups = pnb.list_dataset_groups()["name"]
    >>> name = groups[groups.str.startswith("shelves")].iloc[0]
    >>> pnb.delete_dataset_group(name, dry_run=True)[["kind", "plan"]].head(1)
           kind  plan
    0  solution  goes
    """
    waiting.check_timeout(timeout)
    session = current(session)
    shown = choose(progress)
    group = name if name.startswith("arn:") else session.arn("dataset-group", name)
    plain = group.rsplit("/", 1)[-1]
    deleting = _Deleting(session, f"pnb.delete_dataset_group({plain!r})", sleep, clock, shown, timeout)
    try:
        status = deleting.answer(group, "describe_dataset_group", datasetGroupArn=group)["datasetGroup"]["status"]
    except errors.NotFoundError as error:
        names = session.names("list_dataset_groups", "datasetGroups")
        raise errors.NotFoundError(
            f"There is no dataset group {name!r}{errors.there_is(name, names)} pnb.list_dataset_groups() lists all."
        ) from error
    # an earlier call may have deleted the datasets and not got to the schemas
    kinds = _TYPES if _OF_TRAIN.search(plain) else ()
    pieces = contents(deleting, group, status, [session.arn("schema", f"{plain}-{kind}") for kind in kinds])
    problems = in_the_way(pieces, session.owner, [others] if isinstance(others, str) else others)
    if problems and not dry_run:
        refused = errors.RequestError(list(problems.values()))
        refused.add(f"Nothing of {plain!r} is deleted; dry_run=True shows the whole plan.")
        raise refused
    if not dry_run:
        _delete(deleting, plain, pieces)
        shown.say(f"dataset group {plain!r} and what stood on it are deleted")
    return _shown(pieces, problems)


def _shown(pieces: Sequence[Piece], problems: Mapping[str, Problem]) -> pd.DataFrame:
    from personalize_nb.text.listings import Listing

    rows = [
        (
            one.kind.replace("_", " "),
            one.name,
            one.status,
            one.owner,
            "goes" if one.goes else "stays",
            problems[one.arn].text if one.arn in problems else "",
        )
        for one in pieces
    ]
    return Listing(rows, columns=["kind", "name", "status", "owner", "plan", "in_the_way"])


def _delete(deleting: _Deleting, plain: str, pieces: Sequence[Piece]) -> None:
    """Delete what goes, kind by kind."""
    arns = {kind: [one.arn for one in pieces if one.kind == kind] for kind in GONE_IN_ORDER}
    for kind in GONE_IN_ORDER[: GONE_IN_ORDER.index("dataset")]:
        deleting.all(kind, arns[kind])
    left = list(arns["schema"])  # nothing else says which schemas were a group's
    try:
        deleting.all("dataset", arns["dataset"])
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
    deleting.all("dataset_group", arns["dataset_group"])


# the names of what pnb.train makes: the group's ends in a hash of its schemas, a schema's in its type
_OF_TRAIN = re.compile(r"-[0-9a-f]{6}$")
_TYPES = ("interactions", "items", "users")


@dataclass(frozen=True)
class _Deleting(Looking):
    """Asks for deletions in one dataset group and waits for their ends; every call of it has the same patience."""

    progress: Progress
    timeout: float | None

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
        member = member_of(kind)
        key = f"{member}Arn"
        for arn in arns:
            waiting.until_taken(
                lambda arn=arn: self.session.call(f"delete_{kind}", **{key: arn}),  # type: ignore[misc]
                named(arn),
                again=self.again,
                progress=self.progress,
                sleep=self.sleep,
                clock=self.clock,
            )
        for arn in arns:
            waiting.until_gone(
                lambda arn=arn: self.session.call(f"describe_{kind}", **{key: arn})[member],  # type: ignore[misc]
                named(arn),
                arn,
                again=self.again,
                timeout=self.timeout,
                progress=self.progress,
                pace=self.session.pace,
                sleep=self.sleep,
                clock=self.clock,
            )
