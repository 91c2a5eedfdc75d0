"""The policies that Amazon Personalize needs, as documents to put or paste: trust, role, bucket, key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

SERVICE = "personalize.amazonaws.com"
BUCKET_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket")
# the guide's list for the role's policy; the key's policy needs CreateGrant as well
KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:ListGrants")
KEY_POLICY_ACTIONS = (*KEY_ACTIONS, "kms:CreateGrant")
# The guide asks for the condition in the role's trust. Of S3 and KMS it does not say that each of Personalize's calls
# tells whom it serves, and a role's own calls never do: there only a call that tells of somebody else is kept out.
_IF_SENT = "IfExists"
BUCKET_SID, KEY_SID = "PersonalizeReadsAndWrites", "PersonalizeUsesKey"


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy document of some statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def text(policy: Mapping[str, Any]) -> str:
    """Return a document as people read it."""
    return json.dumps(policy, indent=2)


def trust_statement(account: str | None = None, region: str | None = None, partition: str = "aws") -> dict[str, Any]:
    """Let Personalize assume a role, for this account's resources only where an account is given."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sts:AssumeRole",
    }
    if account is not None:
        statement["Condition"] = _for_account(account, region, partition)
    return statement


def bucket_statement(
    bucket: str, account: str | None = None, region: str | None = None, partition: str = "aws"
) -> dict[str, Any]:
    """Let Personalize read and write a bucket, as part of the bucket's policy; for an account's resources only."""
    statement: dict[str, Any] = {
        "Sid": BUCKET_SID,
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": list(BUCKET_ACTIONS),
        "Resource": _both([bucket], partition),
    }
    if account is not None:
        statement["Condition"] = _for_account(account, region, partition, _IF_SENT)
    return statement


def role_statements(buckets: Iterable[str], keys: Iterable[str] = (), partition: str = "aws") -> list[dict[str, Any]]:
    """Let a role read and write buckets and use keys (ARNs), as its own policy."""
    statements = []
    if resources := _both(buckets, partition):
        statements.append({"Effect": "Allow", "Action": list(BUCKET_ACTIONS), "Resource": resources})
    if arns := list(keys):
        statements.append({"Effect": "Allow", "Action": list(KEY_ACTIONS), "Resource": arns})
    return statements


def key_statement(
    role_arn: str, account: str | None = None, region: str | None = None, partition: str = "aws"
) -> dict[str, Any]:
    """Let Personalize and a role use a key, as part of the key's policy; Personalize for an account's work only."""
    statement: dict[str, Any] = {
        "Sid": KEY_SID,
        "Effect": "Allow",
        "Principal": {"AWS": role_arn, "Service": SERVICE},
        "Action": list(KEY_POLICY_ACTIONS),
        "Resource": "*",
    }
    if account is not None:
        statement["Condition"] = _for_account(account, region, partition, _IF_SENT)
    return statement


def _for_account(account: str, region: str | None, partition: str, when: str = "") -> dict[str, dict[str, str]]:
    """Return the condition against confused deputies: Personalize acts for a resource of this account."""
    source = f"arn:{partition}:personalize:{region or '*'}:{account}:*"
    return {
        f"StringEquals{when}": {"aws:SourceAccount": account},
        f"ArnLike{when}": {"aws:SourceArn": source},
    }


def _both(buckets: Iterable[str], partition: str) -> list[str]:
    return [arn for bucket in buckets for arn in (f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*")]
