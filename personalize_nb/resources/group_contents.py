"""What stands on a dataset group, and what of it keeps the group from being deleted.

Read before anything is deleted, so that a deletion that would be refused half-way does not begin.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from personalize_nb import errors
from personalize_nb.errors import Problem
from personalize_nb.session import owners, waiting
from personalize_nb.session.session import Session

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

GONE_IN_ORDER = (
    "campaign",
    "recommender",
    "filter",
    "solution",
    "event_tracker",
    "metric_attribution",
    "dataset",
    "schema",
    "dataset_group",
)
# Work that ends by itself: the service keeps no way to delete it, and what it works on cannot go before its end.
_OF_DATASETS = ("dataset_import_job", "dataset_export_job")
_OF_VERSIONS = ("batch_inference_job", "batch_segment_job")
_SERVING = ("campaign", "recommender", "event_tracker")  # the toolkit makes none of these
_UNTAGGED = ("schema", "metric_attribution", "dataset_group")  # two cannot have tags, and the group was named
_LASTING = ("campaign", "recommender", "solution_version", *_OF_DATASETS, "data_deletion_job", *_OF_VERSIONS)
# Read where the account may: who may not list them learns from the service what stands on the group.
_RARE = ("campaign", "recommender", "event_tracker", "metric_attribution", *_LASTING)
_MEMBERS = {"filter": "Filters"}  # of ListFilters alone the member begins with a capital


@dataclass(frozen=True)
class Piece:
    """One resource that stands on a dataset group, or the group itself.

    Parameters
    ----------
    kind
        What it is, as boto3's operations spell it: `event_tracker`.
    arn
        Its ARN.
    status
        Its status; empty for a schema, which has none.
    owner
        Who made it, as its tag tells; empty where it has none.
    goes
        Whether it goes with the group: work that has ended stays on record, and its files in S3.
    """

    kind: str
    arn: str
    status: str = ""
    owner: str = ""
    goes: bool = True

    @property
    def name(self) -> str:
        """What its ARN ends in, without the kind."""
        return self.arn.split(":", 5)[-1].partition("/")[2]

    @property
    def label(self) -> str:
        """Kind and name as an ARN has them: `event-tracker/books`."""
        return self.arn.split(":", 5)[-1]

    @property
    def busy(self) -> bool:
        """Whether it is work that takes minutes and has not ended; what is deleted already is none."""
        ends = self.status.endswith(("PENDING", "IN_PROGRESS", "STOPPING"))
        return self.kind in _LASTING and ends and not self.status.startswith("DELETE")


@dataclass(frozen=True)
class Looking:
    """Looks at resources; what passes, as throttling does, is sat out."""

    session: Session
    again: str
    sleep: Callable[[float], object]
    clock: Callable[[], float]

    def answer(self, arn: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation that only looks."""
        return self._patient(arn, lambda: self.session.call(operation, **parameters))

    def found(self, arn: str, kind: str, **parent: str) -> list[dict[str, Any]]:
        """Return the entries of all resources of a kind that stand on another one."""
        member = _MEMBERS.get(kind, f"{member_of(kind)}s")
        try:
            return self._patient(arn, lambda: list(self.session.pages(f"list_{kind}s", member, **parent)))
        except errors.AccessError as error:
            if kind not in _RARE:
                raise
            log.warning("what is %s of %s may not be listed: %s", kind, arn, error)
        except errors.NotFoundError:  # its parent went in the meantime
            pass
        return []

    def pieces(self, arn: str, kind: str, **parent: str) -> list[Piece]:
        """Return the resources of a kind that stand on another one, with their owners."""
        return [self._piece(kind, one) for one in self.found(arn, kind, **parent)]

    def _piece(self, kind: str, entry: dict[str, Any]) -> Piece:
        piece = Piece(kind, entry[f"{member_of(kind)}Arn"], entry.get("status", ""), goes=kind in GONE_IN_ORDER)
        return Piece(kind, piece.arn, piece.status, self.owner(piece.arn)) if piece.goes else piece

    def owner(self, arn: str) -> str:
        """Return who made a resource, as its tag tells; empty where nothing tells."""
        try:
            tags = self._patient(arn, lambda: owners.tags_of(self.session, arn))
        except (errors.AccessError, errors.NotFoundError) as error:
            log.info("the tags of %s may not be read: %s", arn, error)
            return ""
        return tags.get(owners.OWNER, "")

    def schema_of(self, dataset: str) -> str:
        """Return the ARN of a dataset's schema, empty where it has none or is gone."""
        try:
            described = self.answer(dataset, "describe_dataset", datasetArn=dataset)["dataset"]
        except errors.NotFoundError:
            return ""
        return str(described.get("schemaArn") or "")

    def there(self, schema: str) -> bool:
        """Tell whether there may be a schema of this ARN."""
        try:
            self.answer(schema, "describe_schema", schemaArn=schema)
        except errors.NotFoundError:
            return False
        except errors.AccessError:
            return True  # then its deletion tells
        return True

    def _patient(self, arn: str, call: Callable[[], Answer]) -> Answer:
        return waiting.until_answered(call, named(arn), again=self.again, sleep=self.sleep, clock=self.clock)


def contents(looking: Looking, group: str, status: str, schemas: Collection[str]) -> list[Piece]:
    """Return all that stands on a dataset group, in the order in which it is deleted, and the work under way there.

    Parameters
    ----------
    looking
        Looks.
    group, status
        The group's ARN and status.
    schemas
        ARNs of further schemas that are the group's.
    """
    solutions = looking.pieces(group, "solution", datasetGroupArn=group)
    pieces = [one for solution in solutions for one in looking.pieces(group, "campaign", solutionArn=solution.arn)]
    pieces += looking.pieces(group, "recommender", datasetGroupArn=group)
    pieces += looking.pieces(group, "filter", datasetGroupArn=group)
    pieces += solutions
    for kind in ("event_tracker", "metric_attribution"):
        pieces += looking.pieces(group, kind, datasetGroupArn=group)
    datasets = looking.pieces(group, "dataset", datasetGroupArn=group)
    pieces += datasets
    known = dict.fromkeys(looking.schema_of(one.arn) for one in datasets)
    known |= dict.fromkeys(arn for arn in schemas if arn not in known and looking.there(arn))
    pieces += [Piece("schema", arn) for arn in known if arn]  # what an event tracker made has no schema of ours
    pieces.append(Piece("dataset_group", group, status, looking.owner(group)))
    return [*pieces, *_work(looking, group, solutions, datasets)]


def _work(looking: Looking, group: str, solutions: list[Piece], datasets: list[Piece]) -> Iterator[Piece]:
    """Yield exports, which leave files, and all work on the group that has not ended."""
    work = looking.pieces(group, "data_deletion_job", datasetGroupArn=group)
    for dataset in datasets:
        for kind in _OF_DATASETS:
            work += looking.pieces(dataset.arn, kind, datasetArn=dataset.arn)
    versions = [
        one for solution in solutions for one in looking.pieces(group, "solution_version", solutionArn=solution.arn)
    ]
    work += versions
    if versions:
        known = {one.arn for one in versions}
        for kind in _OF_VERSIONS:
            entries = [one for one in looking.found(group, kind) if one.get("solutionVersionArn") in known]
            work += [Piece(kind, one[f"{member_of(kind)}Arn"], one["status"], goes=False) for one in entries]
    yield from (one for one in work if one.busy or one.kind == "dataset_export_job")


def in_the_way(pieces: Collection[Piece], own: str, others: Collection[str]) -> dict[str, Problem]:
    """Return why a group cannot go yet, by the ARN of what stands in the way.

    Parameters
    ----------
    pieces
        What `contents` returned.
    own
        Who asks; empty where nobody knows.
    others
        Names, `kind/name` or ARNs of what others have made and is to go all the same.
    """
    named = set(others)
    group = next(one for one in pieces if one.kind == "dataset_group")
    found = {}
    for piece in pieces:
        text = ""
        if piece.busy:
            text = f"{piece.label} is {piece.status}: wait until it has ended, then delete."
        elif piece.goes and not {piece.name, piece.label, piece.arn} & named:
            text = _of_another(piece, own, group.owner)
        if text:
            found[piece.arn] = Problem(piece.kind, text)
    return found


def _of_another(piece: Piece, own: str, maker: str) -> str:
    """Return why what is not known to be of who asks, or of the group's maker, does not go unnamed; empty where it is.

    Where nothing of a group tells who made it, it is one maker's, and who names the group means it all: but never what
    serves others, which is made with other tools, and somebody may live from it.
    """
    if piece.kind in _UNTAGGED or (piece.owner and piece.owner in (own, maker)):
        return ""
    if not piece.owner and not maker and piece.kind not in _SERVING:
        return ""
    if not piece.owner:
        return (
            f"{piece.label} has no tag {owners.OWNER!r}, so that somebody else may have made it and may use it: ask, "
            f"then name it: others=[{piece.label!r}]."
        )
    return (
        f"{piece.label} was made by {piece.owner!r}, neither by you ({own or 'nobody tells who you are'}) nor "
        f"by who made the group: ask them, then name it: others=[{piece.label!r}]."
    )


def member_of(kind: str) -> str:
    """Return how botocore's members name a kind.

    Examples
    --------
    >>> member_of("event_tracker")
    'eventTracker'
    """
    first, *more = kind.split("_")
    return first + "".join(part.capitalize() for part in more)


def named(arn: str) -> str:
    """Return what is done to a resource, for messages."""
    return f"deleting {arn.split(':', 5)[-1]}"
