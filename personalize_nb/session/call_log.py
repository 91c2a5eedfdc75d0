"""Calls as records: at DEBUG each one, how it ended, how long it took, AWS's ids of it; at INFO what they changed.

Parameters of calls are left out: they hold names of buckets and users, and bodies of any size.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import OperationModel

log = logging.getLogger(__name__)

_BEGAN = "personalize_nb_began"
_ONLY_LOOKS = ("describe_", "list_", "get_")


def record(client: BaseClient, clock: Callable[[], float] = time.perf_counter) -> None:
    """Write a record at DEBUG for every call of a client that ends, and for every one that gets no answer.

    Parameters
    ----------
    client
        A boto3 client.
    clock
        Gives the seconds that durations are counted in; replaced in tests.
    """
    service = client.meta.service_model.service_name

    def began(context: dict[str, Any], **_: object) -> None:
        context[_BEGAN] = clock()

    def seconds(context: dict[str, Any]) -> float:
        now = clock()
        return now - float(context.get(_BEGAN, now))

    def answered(model: OperationModel, parsed: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
        if not log.isEnabledFor(logging.DEBUG):
            return
        metadata = parsed.get("ResponseMetadata", {})
        status = metadata.get("HTTPStatusCode", 0)
        code = parsed.get("Error", {}).get("Code", "") if status >= 300 else ""
        ids = ", ".join(
            f"{name} {metadata[member]}"
            for name, member in (("request id", "RequestId"), ("host id", "HostId"))
            if metadata.get(member)
        )
        retries = metadata.get("RetryAttempts", 0)
        log.debug(
            "%s.%s: %s in %.3f s%s%s",
            service,
            model.name,
            f"{status} {code}".rstrip(),
            seconds(context),
            f" after {retries} more {'try' if retries == 1 else 'tries'}" if retries else "",
            f" ({ids})" if ids else "",
        )

    def unanswered(exception: Exception, context: dict[str, Any], event_name: str, **_: object) -> None:
        operation = event_name.rpartition(".")[2]
        log.debug("%s.%s: %s in %.3f s", service, operation, type(exception).__name__, seconds(context))

    client.meta.events.register("before-call", began)
    client.meta.events.register("after-call", answered)
    client.meta.events.register("after-call-error", unanswered)


def record_change(operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Write a record at INFO for an operation of Personalize that changed something."""
    if not operation.startswith(_ONLY_LOOKS):
        log.info("%s: %s", operation_name(operation), _resource(answer) or _resource(request))


_LOOKS = {
    "create_batch_inference_job": "attach",
    "create_batch_segment_job": "attach",
    "create_filter": "find_filter",
    "create_solution_version": "find_solution_version",
}


def begun(operation: str, request: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a Create operation begins, by its kind and name, and the code that looks at it again, if any does.

    Examples
    --------
    >>> begun("create_batch_inference_job", {"jobName": "weekly"})
    ("batch inference job 'weekly'", "pnb.attach('weekly')")
    >>> begun("create_filter", {"name": "unseen"})
    ("filter 'unseen'", "pnb.find_filter('unseen')")
    """
    kind = operation.removeprefix("create_").replace("_", " ")
    name = request.get("jobName") or request.get("name") or str(request.get("solutionArn", "")).rpartition("/")[2]
    look = _LOOKS.get(operation, "")
    return f"{kind} {name!r}", f"pnb.{look}({name!r})" if look else ""


def operation_name(operation: str) -> str:
    """Return the name that AWS gives an operation of boto3.

    Examples
    --------
    >>> operation_name("describe_filter")
    'DescribeFilter'
    """
    return "".join(word.capitalize() for word in operation.split("_"))


def _resource(members: Mapping[str, Any]) -> str:
    """Return the resource that an answer or a request names first, without account and region."""
    arns = (str(value) for member, value in members.items() if member.endswith("Arn"))
    return next(arns, "").split(":", 5)[-1]
