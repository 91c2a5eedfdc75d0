"""What all operations share: the registry, ARNs, look-ups that refuse, pages, tags and quotas.

An operation is a function of the `Control` and of checked parameters; it answers a dictionary in AWS's spelling.
Every operation that may change something runs inside one transaction, so a refused call leaves nothing behind.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from personalize_nb.contract.limits import ACTIVE, MAX_TAGS, PENDING
from personalize_nb.contract.partitions import partition_of
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import numbers
from personalize_nb.local.state.kinds import Body, Own, ResourceKind
from personalize_nb.local.state.quotas import QUOTAS, Quota
from personalize_nb.local.state.resources import AnyResource, Resource
from personalize_nb.local.state.store import Store

if TYPE_CHECKING:
    from types_boto3_personalize.type_defs import TagTypeDef

    from personalize_nb.local.iam.authorization import Authorizer
    from personalize_nb.local.s3.store import ObjectStore

Operation = Callable[["Control", Any], dict[str, Any] | None]
AnOperation = TypeVar("AnOperation", bound=Operation)

OPERATIONS: dict[str, Operation] = {}
# operations that keep and show what they are told, and do nothing more
RECORDED: set[str] = set()
PAGE_SIZE = 100


def operation(name: str, recorded: bool = False) -> Callable[[AnOperation], AnOperation]:
    """Register a function as the meaning of one operation of the model; `recorded` marks those without effects."""

    def register(function: AnOperation) -> AnOperation:
        OPERATIONS[name] = function
        if recorded:
            RECORDED.add(name)
        return function

    return register


def find_operation(name: str) -> Operation:
    """Return what an operation of the model means here, or refuse it by name."""
    function = OPERATIONS.get(name)
    if function is None:
        raise ApiError(
            "UnsupportedOperationException",
            f"The local service does not answer {name} yet. It answers: {', '.join(sorted(OPERATIONS))}.",
        )
    return function


class Control:
    """The control plane of one account in one region.

    Parameters
    ----------
    store
        Resources and the work queue.
    objects
        The object store, asked whether inputs and buckets exist.
    account, region
        Parts of every ARN.
    clock
        Seconds since the epoch.
    quotas
        Limits by kind; None means Amazon's.
    on_delete
        Called for each resource that is deleted, before its name is free again; the process removes files here.
    authorizer
        Says whether a resource's role may do what it asks; without one, nobody asks.
    """

    def __init__(
        self,
        store: Store,
        objects: ObjectStore,
        account: str,
        region: str,
        clock: Callable[[], float] = time.time,
        quotas: Mapping[str, Quota] | None = None,
        on_delete: Callable[[AnyResource], None] | None = None,
        authorizer: Authorizer | None = None,
    ):
        self.store = store
        self.objects = objects
        self.account = account
        self.region = region
        self.clock = clock
        self.quotas = QUOTAS if quotas is None else quotas
        self._on_delete = on_delete
        self._authorizer = authorizer

    def call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        """Run one operation on parameters that fit the model.

        Raises
        ------
        ApiError
            The refusal, with AWS's code where it has one.
        """
        function = find_operation(name)
        if name.startswith(("Describe", "List", "Get")):
            return function(self, params) or {}
        with self.store.transaction(frees=name.startswith("Delete")):
            return function(self, params) or {}

    # names ------------------------------------------------------------------------------------------------------

    def arn(self, resource: str) -> str:
        """Return the ARN of `kind/name` in this account and region."""
        return f"arn:{partition_of(self.region)}:personalize:{self.region}:{self.account}:{resource}"

    def arn_of_amazon(self, resource: str) -> str:
        """Return the ARN of one of Amazon's own resources, which have no region and no account."""
        return f"arn:{partition_of(self.region)}:personalize:::{resource}"

    def require(self, kind: ResourceKind[Body, Own], arn: str) -> Resource[Body, Own]:
        """Return the resource, or refuse with `ResourceNotFoundException`."""
        resource = self.store.get(arn)
        if resource is None or resource.kind != kind:
            raise ApiError(
                "ResourceNotFoundException",
                f"Resource Arn {arn} does not exist: there is no {spoken(kind)} of that Arn in account "
                f"{self.account} and region {self.region}.",
            )
        return cast(Resource[Body, Own], resource)

    def require_active(self, kind: ResourceKind[Body, Own], arn: str) -> Resource[Body, Own]:
        """Return the resource, or refuse with `ResourceInUseException` while it is anything but ACTIVE."""
        resource = self.require(kind, arn)
        if resource.status != ACTIVE:
            raise ApiError(
                "ResourceInUseException",
                f"Resource Arn {arn} has status {resource.status}; this call needs the {spoken(kind)} to be {ACTIVE}.",
            )
        return resource

    # making and removing ----------------------------------------------------------------------------------------

    def check_free(self, arn: str) -> None:
        """Refuse when the ARN, and with it the name, is taken."""
        if self.store.get(arn) is not None:
            raise ApiError("ResourceAlreadyExistsException", f"Another resource with Arn {arn} already exists.")

    def check_quota(self, kind: str, group_arn: str | None = None) -> None:
        """Refuse with `LimitExceededException` when one more resource of this kind would be too many."""
        quota = self.quotas.get(kind)
        if quota is None:
            return
        held = self.store.count(kind, group_arn=group_arn if quota.per_group else None, statuses=quota.statuses)
        if held >= quota.limit:
            raise ApiError("LimitExceededException", quota.message(spoken(kind)))

    def add(
        self,
        kind: ResourceKind[Body, Own],
        arn: str,
        name: str,
        body: Mapping[str, Any],
        params: Mapping[str, Any],
        *,
        facts: Own | None = None,
        work: str = "settle",
        group_arn: str | None = None,
        parent_arn: str | None = None,
    ) -> AnyResource:
        """Create a resource in `CREATE PENDING` and queue the work that makes it ACTIVE.

        Parameters
        ----------
        kind, arn, name, body, facts, group_arn, parent_arn
            As for `Store.create`.
        params
            The request, for its tags.
        work
            The kind of work.
        """
        tags = checked_tags(params.get("tags", []))
        self.check_free(arn)
        self.check_quota(kind, group_arn)
        if self._authorizer is not None:
            self._authorizer.check(arn, body)
        resource = self.store.create(
            kind, arn, name, body, facts, group_arn=group_arn, parent_arn=parent_arn, status=PENDING, tags=tags
        )
        self.store.enqueue(work, arn)
        return resource

    def remove(self, resource: AnyResource) -> None:
        """Delete a resource and let the process drop what it keeps for it."""
        if self._on_delete is not None:
            self._on_delete(resource)
        self.store.delete(resource.arn)

    # answers ----------------------------------------------------------------------------------------------------

    def page(
        self, params: Mapping[str, Any], member: str, kind: ResourceKind[Any, Any], **where: Any
    ) -> dict[str, Any]:
        """Answer one page of a List operation, oldest first.

        Parameters
        ----------
        params
            The request, for `maxResults` and `nextToken`.
        member
            The member of the answer that holds the summaries.
        kind, where
            As for `Store.list`.
        """
        scope = f"{kind}|{sorted(where.items())}"
        limit = params.get("maxResults", PAGE_SIZE)
        after = read_token(params.get("nextToken"), scope)
        resources = self.store.list(kind, after=after, limit=limit + 1, **where)
        answer: dict[str, Any] = {member: [resource.described() for resource in resources[:limit]]}
        if len(resources) > limit:
            answer["nextToken"] = make_token(resources[limit - 1].id, scope)
        return answer


def spoken(kind: str) -> str:
    """Return a kind as words for a message."""
    return kind.replace("_", " ")


def make_token(last: int, scope: str) -> str:
    """Return the token that continues after `last` in the same listing."""
    return base64.urlsafe_b64encode(f"{last}|{scope}".encode()).decode()


def read_token(token: str | None, scope: str) -> int:
    """Return where a listing goes on; a token of another listing is refused."""
    if token is None:
        return 0
    try:
        last, _, found = base64.urlsafe_b64decode(token.encode()).decode().partition("|")
        if found != scope:
            raise ValueError("the token belongs to another listing")
        return numbers.whole(last)
    except ValueError as error:
        raise ApiError(
            "InvalidNextTokenException",
            f"The nextToken is not valid for this call ({error}). Pass the nextToken of the page before, with the "
            "same filters, or none.",
        ) from error


def checked_tags(tags: Sequence[TagTypeDef]) -> dict[str, str]:
    """Return a request's tags by key, or refuse what tagging refuses."""
    if len(tags) > MAX_TAGS:
        raise ApiError(
            "TooManyTagsException", f"A resource can have at most {MAX_TAGS} tags; the request has {len(tags)}."
        )
    found: dict[str, str] = {}
    for tag in tags:
        key, value = tag["tagKey"], tag["tagValue"]
        for text in (key, value):
            if text.lower().startswith("aws:"):
                raise ApiError("InvalidInputException", f"Tag keys and values cannot begin with 'aws:', got {text!r}.")
        if key in found:
            raise ApiError("InvalidInputException", f"The tag key {key!r} is given more than once.")
        found[key] = value
    return found


def echoed(params: Mapping[str, Any], members: Iterable[str]) -> dict[str, Any]:
    """Return those members that a request has, as Describe will show them."""
    return {member: params[member] for member in members if member in params}


def invalid(message: str) -> ApiError:
    """Return the refusal of a bad value."""
    return ApiError("InvalidInputException", message)
