"""Policy documents as values: read once, checked for what AWS refuses, kept as statements.

Also the managed policies of AWS that notebooks attach for Personalize, by name.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from personalize_nb.contract.policies.conditions import PolicyCondition, read_conditions

VERSIONS = ("2008-10-17", "2012-10-17")
AWS_POLICY = "arn:aws:iam::aws:policy/"
_OF_AWS = re.compile(r"^arn:aws(-[a-z]+)*:iam::aws:policy/")
_PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
_MEMBERS = frozenset({"Sid", "Effect", "Condition", *(name for pair in _PAIRS for name in pair)})
_PRINCIPAL_KINDS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


class PolicyError(ValueError):
    """A document that AWS would refuse; the text says why."""


# Whom a statement names: for each kind (`AWS`, `Service`, ...) the names; `{"*": ...}` is everybody.
Principals = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Statement:
    """One statement. What it does not mention is None; a `Not...` element sets the flag beside its values."""

    allows: bool
    actions: tuple[str, ...]
    not_actions: bool = False
    resources: tuple[str, ...] | None = None
    not_resources: bool = False
    principals: Principals | None = None
    not_principals: bool = False
    conditions: tuple[PolicyCondition, ...] = ()
    sid: str = ""


@dataclass(frozen=True)
class Policy:
    """A document: its statements, and whether `${...}` in them is a variable."""

    statements: tuple[Statement, ...] = ()
    has_variables: bool = True
    name: str = field(default="", compare=False)


@lru_cache(maxsize=512)
def read_policy(text: str, name: str = "") -> Policy:
    """Read a policy document.

    Parameters
    ----------
    text
        JSON.
    name
        What a message calls this policy.

    Raises
    ------
    PolicyError
        AWS would not accept it.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"it is not JSON ({error})") from error
    if not isinstance(document, dict) or "Statement" not in document:
        raise PolicyError("it needs a Statement")
    version = document.get("Version", VERSIONS[0])
    if version not in VERSIONS:
        raise PolicyError(f"Version must be {VERSIONS[1]!r} or {VERSIONS[0]!r}, got {version!r}")
    found = document["Statement"]
    statements = tuple(_statement(each) for each in (found if isinstance(found, list) else [found]))
    return Policy(statements, version == VERSIONS[1], name)


def check_trust(policy: Policy) -> None:
    """Refuse what cannot be a role's trust policy."""
    for statement in policy.statements:
        if statement.principals is None:
            raise PolicyError("every statement of a trust policy needs a Principal")
        if statement.resources is not None:
            raise PolicyError("a trust policy has no Resource: it is about the role itself")


def check_identity(policy: Policy) -> None:
    """Refuse what cannot be a policy of a role."""
    for statement in policy.statements:
        if statement.resources is None:
            raise PolicyError("every statement needs a Resource or NotResource")
        if statement.principals is not None:
            raise PolicyError("a role's policy has no Principal: it is about the role itself")


def check_resource(policy: Policy) -> None:
    """Refuse what cannot be the policy of a bucket or key."""
    for statement in policy.statements:
        if statement.principals is None:
            raise PolicyError("Missing required field Principal")
        if statement.resources is None:
            raise PolicyError("Missing required field Resource")


def near_policies(arn: str) -> str:
    """Return the sentence that names the policies of AWS nearest to one that there is not."""
    known = sorted({*_MANAGED, *NAMED_ONLY})
    name = arn.rpartition("/")[2]
    near = [one for one in known if one.endswith(f"/{name}")] or difflib.get_close_matches(arn, known, n=3, cutoff=0)
    return f" Policies of AWS known here that are named alike: {', '.join(near)}."


def managed_policy(arn: str) -> str | None:
    """Return the document of one of AWS's managed policies by ARN, or None for one that is not known here."""
    text = _MANAGED.get(_in_first_partition(arn))
    return None if text is None else text.replace("arn:aws:", f"arn:{arn.split(':')[1]}:")


def is_of_aws(arn: str) -> bool:
    """Tell whether an ARN is one of AWS's own policies, in any partition."""
    return _in_first_partition(arn).startswith(AWS_POLICY)


def is_named_only(arn: str) -> bool:
    """Tell whether a policy of AWS may be attached though what it allows is not told here."""
    return _in_first_partition(arn) in NAMED_ONLY


def _in_first_partition(arn: str) -> str:
    return _OF_AWS.sub(AWS_POLICY, arn)


def _statement(found: Any) -> Statement:
    if not isinstance(found, dict):
        raise PolicyError("a statement is a JSON object")
    unknown = sorted(found.keys() - _MEMBERS)
    if unknown:
        raise PolicyError(f"a statement has no element {unknown[0]!r}; legal: {', '.join(sorted(_MEMBERS))}")
    if found.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError("every statement needs an Effect of Allow or Deny")
    for one, other in _PAIRS:
        if one in found and other in found:
            raise PolicyError(f"a statement has either {one} or {other}")
    if "Action" not in found and "NotAction" not in found:
        raise PolicyError("every statement needs an Action or NotAction")
    actions = _texts(found.get("Action", found.get("NotAction")), "Action")
    for action in actions:
        if action != "*" and ":" not in action:
            raise PolicyError(f"Actions are of the form service:Action or '*', got {action!r}")
    resources = found.get("Resource", found.get("NotResource"))
    try:
        conditions = read_conditions(found.get("Condition", {}))
    except ValueError as error:
        raise PolicyError(str(error)) from error
    return Statement(
        allows=found["Effect"] == "Allow",
        actions=actions,
        not_actions="NotAction" in found,
        resources=None if resources is None else _texts(resources, "Resource"),
        not_resources="NotResource" in found,
        principals=_principals(found.get("Principal", found.get("NotPrincipal"))),
        not_principals="NotPrincipal" in found,
        conditions=conditions,
        sid=str(found.get("Sid", "")),
    )


def _principals(found: Any) -> Principals | None:
    if found is None:
        return None
    if found == "*":
        return {"*": ("*",)}
    if not isinstance(found, dict) or not found or not found.keys() <= _PRINCIPAL_KINDS:
        legal = ", ".join(sorted(_PRINCIPAL_KINDS))
        raise PolicyError(f"Principal is '*' or an object with {legal}, got {json.dumps(found)}")
    return {kind: _texts(names, "Principal") for kind, names in found.items()}


def _texts(found: Any, what: str) -> tuple[str, ...]:
    texts = found if isinstance(found, list) else [found]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise PolicyError(f"{what} is a text or a list of texts, got {json.dumps(found)}")
    return tuple(texts)


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": VERSIONS[1], "Statement": [{"Effect": "Allow", **each} for each in statements]})


# What these allow is public; they are told here as far as Personalize's work with S3, KMS and IAM goes.
_PERSONALIZE = _document(
    {"Action": "personalize:*", "Resource": "*"},
    {"Action": ["cloudwatch:PutMetricData", "cloudwatch:ListMetrics"], "Resource": "*"},
    {
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::*Personalize*", "arn:aws:s3:::*personalize*"],
    },
    {
        "Action": "iam:PassRole",
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PassedToService": "personalize.amazonaws.com"}},
    },
)
_MANAGED = {
    f"{AWS_POLICY}service-role/AmazonPersonalizeFullAccess": _PERSONALIZE,
    f"{AWS_POLICY}AmazonS3FullAccess": _document({"Action": ["s3:*", "s3-object-lambda:*"], "Resource": "*"}),
    f"{AWS_POLICY}AmazonS3ReadOnlyAccess": _document(
        {"Action": ["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*"], "Resource": "*"}
    ),
    f"{AWS_POLICY}AdministratorAccess": _document({"Action": "*", "Resource": "*"}),
}
# Policies of AWS that may be attached though what they allow is not told here.
_NAMED_ONLY_NAMES = """
PowerUserAccess ReadOnlyAccess SecurityAudit IAMFullAccess IAMReadOnlyAccess CloudWatchFullAccess
CloudWatchFullAccessV2 CloudWatchReadOnlyAccess CloudWatchLogsFullAccess CloudWatchLogsReadOnlyAccess
AmazonSageMakerFullAccess AmazonSageMakerReadOnly AmazonS3TablesFullAccess AmazonS3OutpostsFullAccess
AWSKeyManagementServicePowerUser SecretsManagerReadWrite AWSLambda_FullAccess AWSLambda_ReadOnlyAccess
AWSStepFunctionsFullAccess AmazonEventBridgeFullAccess AmazonAthenaFullAccess AWSGlueConsoleFullAccess
AmazonBedrockFullAccess AmazonBedrockReadOnly AmazonBedrockLimitedAccess AmazonDynamoDBFullAccess
AmazonDynamoDBReadOnlyAccess AmazonEC2FullAccess AmazonEC2ReadOnlyAccess AmazonSNSFullAccess AmazonSQSFullAccess
AmazonKinesisFullAccess AmazonKinesisFirehoseFullAccess AmazonRedshiftFullAccess AmazonSSMFullAccess
AmazonSSMManagedInstanceCore AWSXRayDaemonWriteAccess AWSCloudFormationFullAccess AmazonAPIGatewayAdministrator
job-function/DataScientist job-function/SystemAdministrator job-function/ViewOnlyAccess
service-role/AWSLambdaBasicExecutionRole service-role/AWSGlueServiceRole
service-role/AmazonSageMakerNotebooksServiceRolePolicy service-role/AWSLambdaRole
service-role/AWSLambdaVPCAccessExecutionRole service-role/AmazonS3ObjectLambdaExecutionRolePolicy
"""
NAMED_ONLY = frozenset(AWS_POLICY + name for name in _NAMED_ONLY_NAMES.split())
