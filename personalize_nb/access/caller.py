"""Who calls, and what IAM's simulator says of its rights, held against the policies of buckets and keys.

The simulator knows the caller's own policies. A bucket's policy may allow what these do not, and deny what they allow,
so both are asked. What depends on a fact that only a real call has (the address it comes from, the VPC) is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from personalize_nb import errors
from personalize_nb.contract.policies import evaluation
from personalize_nb.contract.policies.documents import Policy
from personalize_nb.contract.policies.evaluation import Question
from personalize_nb.errors import ERROR

if TYPE_CHECKING:
    from personalize_nb.session.session import Session

Facts = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Right:
    """Something that the caller has to be allowed.

    Parameters
    ----------
    action, resource
        As policies name them.
    purpose
        What it is for, as the end of a sentence.
    level
        `error` where nothing works without it, `warning` where something is only less comfortable.
    facts
        Condition keys of the request and their values.
    policy
        The policy of the resource, where it has one of its own that could be read.
    is_key
        Whether the resource is a KMS key: its policy has to allow it, or to leave it to the account.
    """

    action: str
    resource: str
    purpose: str
    level: str = ERROR
    facts: Facts = field(default_factory=dict)
    policy: Policy | None = None
    is_key: bool = False


@dataclass(frozen=True)
class Ruling:
    """What became of a right: `allowed`, or why not; `unsure` where that cannot be told from here."""

    right: Right
    allowed: bool
    why: str = ""
    unsure: bool = False


@dataclass(frozen=True)
class CallerIdentity:
    """Whoever calls.

    Parameters
    ----------
    arn
        As STS tells it, for a role its session.
    source
        The user's or role's own ARN, by which its policies are found; empty where it has none: of the root user, and
        of federated users.
    """

    arn: str
    source: str

    @property
    def is_root(self) -> bool:
        """Whether it is the account itself, which its own policies never limit."""
        return self.arn.endswith(":root")

    @property
    def shown(self) -> str:
        """What messages call it: `user/anna`, `role/Notebook`."""
        return (self.source or self.arn).split(":", 5)[-1]


def identity(session: Session) -> CallerIdentity:
    """Return who calls.

    Raises
    ------
    PersonalizeError
        STS does not tell.
    """
    arn = session.answer("GetCallerIdentity", lambda: session.sts.get_caller_identity()["Arn"])
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    if kind == "user":
        return CallerIdentity(arn, arn)
    if kind == "assumed-role":
        return CallerIdentity(arn, _role_arn(session, arn, name.partition("/")[0]))
    return CallerIdentity(arn, "")


def _role_arn(session: Session, arn: str, role: str) -> str:
    """Return the ARN of a session's role: it may have a path, which the session's own ARN leaves out."""
    partition, account = arn.split(":")[1], arn.split(":")[4]
    try:
        return session.answer("GetRole", lambda: session.iam.get_role(RoleName=role)["Role"]["Arn"])
    except errors.CredentialsError:
        raise
    except errors.PersonalizeError:  # then most roles have none
        return f"arn:{partition}:iam::{account}:role/{role}"


def rulings(session: Session, who: CallerIdentity, rights: Sequence[Right]) -> Iterator[Ruling]:
    """Judge rights, by one question to the simulator for each resource.

    Raises
    ------
    PersonalizeError
        The simulator may not be asked, or cannot tell.
    """
    together: dict[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], list[Right]] = {}
    for right in rights:
        together.setdefault((right.resource, tuple(sorted(right.facts.items()))), []).append(right)
    for (resource, _), same in together.items():
        answers = _simulated(session, who, resource, same)
        for right in same:
            yield _ruled(who, right, answers.get(right.action.lower(), {}))


def _simulated(
    session: Session, who: CallerIdentity, resource: str, rights: Sequence[Right]
) -> dict[str, Mapping[str, Any]]:
    """Return the simulator's result for each action, by the action in lower case."""

    def ask() -> dict[str, Mapping[str, Any]]:
        pages = session.iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=who.source,
            ActionNames=list(dict.fromkeys(right.action for right in rights)),
            ResourceArns=[resource],
            ContextEntries=[
                {"ContextKeyName": key, "ContextKeyValues": list(values), "ContextKeyType": _kind(values)}
                for key, values in {**_known(session), **rights[0].facts}.items()
            ],
        )
        results = [result for page in pages for result in page["EvaluationResults"]]
        return {result["EvalActionName"].lower(): result for result in results}

    return session.answer("SimulatePrincipalPolicy", ask)


def _kind(values: tuple[str, ...]) -> Literal["boolean", "string"]:
    return "boolean" if values == ("true",) else "string"


def _known(session: Session) -> Facts:
    """Return what is true of every call of the session."""
    return {"aws:SecureTransport": ("true",), "aws:RequestedRegion": (session.region,)}


def _ruled(who: CallerIdentity, right: Right, result: Mapping[str, Any]) -> Ruling:
    decision = result.get("EvalDecision", "")
    own, lacks = decision == "allowed", _lacking(right.action, result.get("MissingContextValues", ()))
    question = Question(who.source, right.action, right.resource, {**_of_caller(who), **right.facts})
    policies = [] if right.policy is None else [right.policy]
    of_resource = evaluation.ask(policies, question, delegates=False)
    if of_resource.denied:
        keys = _unknown_keys(policies, question)
        if keys:
            return Ruling(
                right, False, f"that depends on {', '.join(keys)} (a Deny in {of_resource.policy})", unsure=True
            )
        sid = f" {of_resource.sid!r}" if of_resource.sid else ""
        return Ruling(right, False, f"{of_resource.policy} denies it, by a statement{sid} with Effect Deny")
    if decision == "explicitDeny":
        return Ruling(right, False, _denied(result, lacks), unsure=bool(lacks))
    for member, flag, name in (
        ("OrganizationsDecisionDetail", "AllowedByOrganizations", "a service control policy of the organization"),
        ("PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary", "its permissions boundary"),
    ):
        if result.get(member, {}).get(flag) is False:
            return Ruling(right, False, f"{name} does not allow it")
    if of_resource.allowed:
        return Ruling(right, True)
    left_to_account = not right.is_key or right.policy is None or evaluation.ask(policies, question).allowed
    if own and left_to_account:
        return Ruling(right, True)
    if own:
        return Ruling(right, False, f"{policies[0].name} neither allows it nor leaves it to the account")
    if lacks:
        return Ruling(right, False, f"that depends on {', '.join(lacks)}", unsure=True)
    return Ruling(right, False, "no policy allows it")


def _of_caller(who: CallerIdentity) -> Facts:
    account = who.arn.split(":")[4]
    return {
        "aws:PrincipalArn": (who.source,),
        "aws:PrincipalAccount": (account,),
        "aws:ResourceAccount": (account,),
        "s3:ResourceAccount": (account,),
        "aws:SecureTransport": ("true",),
        "aws:PrincipalIsAWSService": ("false",),
    }


def _denied(result: Mapping[str, Any], lacks: Sequence[str]) -> str:
    names = [one["SourcePolicyId"] for one in result.get("MatchedStatements", ()) if one.get("SourcePolicyId")]
    by = f"policy {', '.join(dict.fromkeys(names))} denies it" if names else "a policy denies it"
    return f"that depends on {', '.join(lacks)} ({by})" if lacks else f"{by}, by a statement with Effect Deny"


def _lacking(action: str, keys: Iterable[str]) -> list[str]:
    """Return the condition keys that were not given and may matter to an action: AWS's global ones and its own."""
    service = action.partition(":")[0].lower()
    return sorted(key for key in keys if key.lower().startswith(("aws:", f"{service}:")))


def _unknown_keys(policies: Sequence[Policy], question: Question) -> list[str]:
    """Return the condition keys, of statements that deny, which only a real call has."""
    return sorted({
        condition.key
        for policy in policies
        for statement in policy.statements
        if not statement.allows and evaluation.applies(statement, policy, question)
        for condition in statement.conditions
        if condition.key not in question.facts and condition.operator != "Null"
    })  # fmt: skip
