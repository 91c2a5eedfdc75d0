"""IAM's simulator: what the policies of a role, of the one user, or policies given, would say to actions.

Judged by the same engine as jobs are. The one user may do everything here, as the service lets it. A policy whose text
is not known here cannot be judged, and the simulation says so rather than leave it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from personalize_nb.contract.policies import documents, evaluation
from personalize_nb.contract.policies.documents import Policy
from personalize_nb.contract.policies.evaluation import Answer, Question, Verdict
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.query_protocol import Operation, Parameters
from personalize_nb.local.iam.roles import USER, Roles

_ADMINISTRATOR = f"{documents.AWS_POLICY}AdministratorAccess"
_DECISIONS = {Verdict.ALLOWED: "allowed", Verdict.DENIED: "explicitDeny", Verdict.SILENT: "implicitDeny"}
_PAGE = 100


def simulating(roles: Roles) -> dict[str, Operation]:
    """Return the operations of the simulator by name, for the roles and policies of an account."""

    def principal(params: Parameters, _: Any) -> Mapping[str, Any]:
        source = params["PolicySourceArn"]
        policies = _of_source(roles, source)
        more = [_given(text, f"PolicyInputList.{number}") for number, text in _numbered(params, "PolicyInputList")]
        of_resource = params.get("ResourcePolicy")
        if of_resource is not None and ":user/" not in params.get("CallerArn", source):
            raise ApiError("InvalidInput", "A ResourcePolicy is simulated for users only: CallerArn must be a user's.")
        return _simulated(params, source, [*policies, *more])

    def custom(params: Parameters, _: Any) -> Mapping[str, Any]:
        given = [_given(text, f"PolicyInputList.{number}") for number, text in _numbered(params, "PolicyInputList")]
        return _simulated(params, params.get("CallerArn", f"arn:aws:iam::{roles.account}:user/{USER}"), given)

    return {"SimulatePrincipalPolicy": principal, "SimulateCustomPolicy": custom}


def _of_source(roles: Roles, arn: str) -> list[Policy]:
    """Return the policies of a role or user; `NoSuchEntity` where there is none of that ARN."""
    kind = arn.split(":", 5)[-1].partition("/")[0]
    if kind not in ("role", "user"):
        raise ApiError("InvalidInput", f"PolicySourceArn must be the ARN of a user, group or role, got {arn!r}.")
    if not roles.has_identity(arn):
        raise ApiError("NoSuchEntity", f"The {kind} of the ARN {arn} cannot be found.", 404)
    if kind == "user":
        return [documents.read_policy(documents.managed_policy(_ADMINISTRATOR) or "", _ADMINISTRATOR)]
    texts, unknown = roles.documents(roles.role(arn.rpartition("/")[2]))
    if unknown:
        raise ApiError(
            "PolicyEvaluation", f"What {', '.join(unknown)} says is not known here, so it cannot be evaluated.", 500
        )
    names = {name: name.removeprefix("inline ").removeprefix("policy ") for name in texts}
    return [documents.read_policy(text, names[name]) for name, text in texts.items()]


def _simulated(params: Parameters, source: str, policies: Sequence[Policy]) -> Mapping[str, Any]:
    principal = params.get("CallerArn", source)
    facts = _facts(params, principal)
    boundaries = [
        _given(text, f"PermissionsBoundaryPolicyInputList.{number}")
        for number, text in _numbered(params, "PermissionsBoundaryPolicyInputList")
    ]
    of_resource = params.get("ResourcePolicy")
    resource_policies = [] if of_resource is None else [_given(of_resource, "ResourcePolicy")]
    missing = sorted(_keys([*policies, *boundaries, *resource_policies]) - facts.keys())
    results = []
    for action in params["ActionNames"]:
        for resource in params.get("ResourceArns") or ["*"]:
            question = Question(principal, action, resource, facts)
            answer = _judged(policies, resource_policies, question)
            result = {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "MatchedStatements": _matched(answer),
                "MissingContextValues": missing,
            }
            if boundaries:
                within = evaluation.ask(boundaries, question)
                result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within.allowed}
                if not within.allowed and not answer.denied:
                    answer = within
            results.append({**result, "EvalDecision": _DECISIONS[answer.verdict]})
    marker = params.get("Marker", "0")
    if not (marker.isascii() and marker.isdigit()):
        raise ApiError("InvalidInput", f"Marker must be one that an earlier answer gave, got {marker!r}.")
    begin = int(marker)
    end = begin + params.get("MaxItems", _PAGE)
    truncated = end < len(results)
    return {
        "EvaluationResults": results[begin:end],
        "IsTruncated": truncated,
        "Marker": str(end) if truncated else None,
    }


def _judged(policies: Sequence[Policy], of_resource: Sequence[Policy], question: Question) -> Answer:
    """Judge within one account: either kind of policy may allow, and either may deny."""
    answer = evaluation.ask(policies, question)
    granted = evaluation.ask(of_resource, question, delegates=False)
    return granted if granted.denied or (granted.allowed and not answer.denied) else answer


def _matched(answer: Answer) -> list[dict[str, str]]:
    if answer.verdict is Verdict.SILENT:
        return []
    kind = "aws-managed" if answer.policy.startswith(documents.AWS_POLICY) else "role"
    return [{"SourcePolicyId": answer.policy, "SourcePolicyType": kind}]


def _facts(params: Parameters, principal: str) -> dict[str, tuple[str, ...]]:
    """Return what is known of the request: who makes it, and the entries of the simulation, which win."""
    facts: dict[str, tuple[str, ...]] = {"aws:principalarn": (principal,)}
    parts = principal.split(":", 5)
    if len(parts) > 4 and parts[4]:
        facts["aws:principalaccount"] = (parts[4],)
    if ":user/" in principal:
        facts["aws:username"] = (principal.rpartition("/")[2],)
    for entry in params.get("ContextEntries") or ():
        if "ContextKeyName" not in entry:
            raise ApiError("InvalidInput", "Every entry of ContextEntries needs a ContextKeyName.")
        facts[entry["ContextKeyName"].lower()] = tuple(entry.get("ContextKeyValues") or ())
    return facts


def _keys(policies: Iterable[Policy]) -> set[str]:
    return {
        condition.key for policy in policies for statement in policy.statements for condition in statement.conditions
    }


def _numbered(params: Parameters, member: str) -> Iterable[tuple[int, str]]:
    return enumerate(params.get(member) or (), 1)


def _given(text: str, name: str) -> Policy:
    try:
        return documents.read_policy(text, name)
    except ValueError as error:
        raise ApiError("InvalidInput", f"{name} cannot be used: {error}.") from error
