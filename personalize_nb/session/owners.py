"""Who made what: one tag on all that is made, so that several people on one account can tell theirs from others'.

The tag is the toolkit's own. It is set where a resource may have tags, and left out where the caller may not set any:
a job must not fail for it.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits

if TYPE_CHECKING:
    from personalize_nb.session.session import Session

log = logging.getLogger(__name__)

OWNER = "personalize_nb:owner"
VARIABLE = "PERSONALIZE_NB_OWNER"
# on a hub all people may share one role, and the hub knows who they are
_VARIABLES = (VARIABLE, "JUPYTERHUB_USER")
_LONGEST = 256
_NO_TAGS = ("TooManyTagsException", "TooManyTagKeysException", "TagPolicyException")

Call = Callable[[Mapping[str, Any]], dict[str, Any]]


def named_by(environment: Mapping[str, str]) -> str:
    """Return the owner that the environment names; empty where it names none."""
    return next((_legal(environment[name]) for name in _VARIABLES if environment.get(name, "").strip()), "")


def of_caller(arn: str) -> str:
    """Return the owner that the ARN of a caller stands for.

    Examples
    --------
    >>> of_caller("arn:aws:iam::123456789012:user/anna")
    'user/anna'
    >>> of_caller("arn:aws:sts::123456789012:assumed-role/Team/anna@example.org")
    'assumed-role/Team/anna@example.org'
    """
    return _legal(arn.split(":", 5)[-1])


def owner_of(session: Session) -> str:
    """Return who works in a session; empty where neither the environment nor STS tells."""
    if named := named_by(os.environ):
        return named
    try:
        return of_caller(session.answer("GetCallerIdentity", lambda: session.sts.get_caller_identity()["Arn"]))
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError as error:
        log.info("who calls may not be asked, so that nothing is marked as theirs: %s", error)
        return ""


def create(parameters: Mapping[str, Any], owner: str, call: Call) -> tuple[dict[str, Any], bool]:
    """Make a resource with the owner's tag, or without it where tags are refused; tell whether it has the tag.

    Parameters
    ----------
    parameters
        What the Create operation is given.
    owner
        Whose it is; nothing is added where nobody knows.
    call
        Calls the operation.
    """
    given = list(parameters.get("tags", ()))
    own = {"tagKey": OWNER, "tagValue": owner}
    if not owner or len(given) >= limits.MAX_TAGS or any(one.get("tagKey") == OWNER for one in given):
        return call(parameters), True
    try:
        return call({**parameters, "tags": [*given, own]}), True
    except errors.PersonalizeError as error:
        # AWS names the right to tag, or, where a policy has a condition on tags, only the right to create
        if not (isinstance(error, errors.AccessError) or error.code in _NO_TAGS):
            raise
        refused = error
    answer = call(parameters)
    log.info("tags are refused, so that what is made does not name its owner: %s", refused)
    return answer, False


def taggable(operation: str) -> bool:
    """Tell whether what an operation makes may have tags, by AWS's name of the operation."""
    return "tags" in limits.service_model().operation_model(operation).input_shape.members


def tags_of(session: Session, arn: str) -> dict[str, str]:
    """Return the tags of a resource."""
    answer = session.call("list_tags_for_resource", resourceArn=arn)
    return {tag["tagKey"]: tag["tagValue"] for tag in answer.get("tags", ())}


def _legal(text: str) -> str:
    """Return a text as a tag takes it."""
    return re.sub(r"[^\w\s.:/=+\-@]", "-", text.strip())[:_LONGEST]
