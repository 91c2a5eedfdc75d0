"""Roles and managed policies as they are kept, and what IAM shows of them."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict
from urllib.parse import quote

_AWS_POLICY_DATE = 1_543_881_600


class KeptRole(TypedDict):
    """A role as it is kept: IAM's `Role`, its inline policies by name, and the ARNs of its managed policies."""

    Path: str
    RoleName: str
    RoleId: str
    Arn: str
    CreateDate: int
    AssumeRolePolicyDocument: str
    Description: str | None
    MaxSessionDuration: int
    Tags: list[dict[str, str]]
    inline: dict[str, str]
    attached: list[str]


class ManagedPolicy(TypedDict):
    """A managed policy as it is kept: IAM's `Policy` and its text."""

    PolicyName: str
    PolicyId: str
    Arn: str
    Path: str
    DefaultVersionId: str
    IsAttachable: bool
    PermissionsBoundaryUsageCount: int
    Description: NotRequired[str | None]
    CreateDate: int
    UpdateDate: int
    Tags: NotRequired[list[dict[str, str]]]
    document: str


def managed_by_aws(arn: str, text: str) -> ManagedPolicy:
    """Return a policy of Amazon's own by its ARN and text."""
    name, path = arn.rsplit("/", 1)[-1], path_of(arn)
    return {
        "PolicyName": name,
        "PolicyId": f"ANPA{name.upper()}",
        "Arn": arn,
        "Path": path,
        "DefaultVersionId": "v1",
        "IsAttachable": True,
        "PermissionsBoundaryUsageCount": 0,
        "CreateDate": _AWS_POLICY_DATE,
        "UpdateDate": _AWS_POLICY_DATE,
        "document": text,
    }


def shown_role(role: KeptRole) -> dict[str, Any]:
    """Return the members that IAM answers for a role."""
    return {
        **role,
        "AssumeRolePolicyDocument": quote(role["AssumeRolePolicyDocument"], safe=""),
        "Tags": role["Tags"] or None,
    }


def path_of(arn: str) -> str:
    """Return the path in a policy's ARN, `/` or `/service-role/`."""
    path = arn.partition(":policy")[2]
    return path[: path.rindex("/") + 1]
