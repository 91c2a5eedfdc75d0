"""What AWS refuses of a policy document when it is put, though it could be read and judged: form, and who is named.

Kept apart from reading: a document that was put before a rule was known here is still judged.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator

from personalize_nb.contract.policies.conditions import like
from personalize_nb.contract.policies.documents import Policy, PolicyError, read_policy
from personalize_nb.contract.policies.templates import SERVICE

_MEMBERS = ("Version", "Id", "Statement")
_PARTITION = r"arn:aws(-[a-z]+)*"
_ACCOUNT = re.compile(r"\d{12}")
_ROOT = re.compile(rf"{_PARTITION}:iam::\d{{12}}:root")
_IDENTITY = re.compile(
    rf"{_PARTITION}:(iam::(\d{{12}}):(role|user)|sts::(\d{{12}}):(assumed-role|federated-user))/[^*?]+"
)
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_CANONICAL = re.compile(r"[0-9a-f]{64}")
_ARN = re.compile(rf"{_PARTITION}:[A-Za-z0-9-]+:[^:]*:[^:]*:.+")
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_SID = re.compile(r"[A-Za-z0-9]*")
_ASSUMING = (
    *("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:TagSession"),
    *("sts:SetSourceIdentity", "sts:SetContext"),
)
_DOMAIN = "amazonaws.com"
# as alike as a word is to itself with a letter left out, added or exchanged
_ALIKE = 0.8

# Tells whether a role, user or session (an ARN of the caller's own account) exists.
Exists = Callable[[str], bool]


def read_new(text: str) -> Policy:
    """Read a document that is about to be put.

    Raises
    ------
    PolicyError
        AWS would not accept it.
    """
    policy = read_policy(text)
    document = json.loads(text)
    for name in document:
        if name not in _MEMBERS:
            raise PolicyError(f"a policy has no element {name!r}; legal: {', '.join(_MEMBERS)}")
    if not policy.statements:
        raise PolicyError("Statement is empty")
    return policy


def check_sids(policy: Policy) -> None:
    """Refuse two statements of one Sid."""
    seen: set[str] = set()
    for statement in policy.statements:
        if statement.sid and statement.sid in seen:
            raise PolicyError(f"Statement IDs (SID) in a single policy must be unique; {statement.sid!r} stands twice")
        seen.add(statement.sid)


def check_words(policy: Policy) -> None:
    """Refuse names of actions and Sids that no policy of a role may have; those of buckets have rules of their own."""
    for statement in policy.statements:
        if not _SID.fullmatch(statement.sid):
            raise PolicyError(f"Statement IDs (SID) must be alpha-numeric (a-z, A-Z, 0-9), got {statement.sid!r}")
        for action in statement.actions:
            if not _ACTION.fullmatch(action):
                raise PolicyError(
                    f"Actions are '*' or <service>:<action> like s3:GetObject or s3:Get*, with a service of a-z, 0-9 "
                    f"and '-' that has no wildcard, got {action!r}"
                )


def check_arns(policy: Policy) -> None:
    """Refuse resources of a role's policy that are neither ARNs nor everything."""
    for statement in policy.statements:
        for resource in statement.resources or ():
            if resource != "*" and not _ARN.fullmatch(resource):
                raise PolicyError(
                    f"Resource {resource!r} must be in ARN format or '*', without wildcards in partition and service"
                )


def check_assuming(policy: Policy) -> None:
    """Refuse a trust policy about anything but assuming the role."""
    for statement in policy.statements:
        if statement.not_principals:
            raise PolicyError("AssumeRole policy cannot have NotPrincipal: name who may assume the role in Principal")
        for action in statement.actions:
            if not any(like(one, action, ignore_case=True) for one in _ASSUMING) or action == "*":
                raise PolicyError(
                    f"AssumeRole policy may only specify STS AssumeRole actions, got {action!r}; legal are "
                    f"{', '.join(_ASSUMING)}"
                )


def check_principals(policy: Policy, account: str, exists: Exists) -> None:
    """Refuse a document that names somebody who cannot be.

    Parameters
    ----------
    policy
        The document.
    account
        The account in which existence can be looked up; an ARN of another one is judged by its form.
    exists
        Looks it up.
    """
    for kind, name in _named(policy):
        if why := _fault(kind, name, account, exists):
            raise PolicyError(f"Invalid principal in policy: {kind!r}: {name!r}; {why}")


def _named(policy: Policy) -> Iterator[tuple[str, str]]:
    for statement in policy.statements:
        for kind, names in (statement.principals or {}).items():
            for name in names:
                yield kind, name


def _fault(kind: str, name: str, account: str, exists: Exists) -> str:
    if kind == "Service":
        return "" if _names_service(name) else f"services are named like {SERVICE}"
    if kind == "CanonicalUser":
        return "" if _CANONICAL.fullmatch(name) else "a canonical user is 64 hexadecimal digits"
    if kind != "AWS" or name == "*" or _ACCOUNT.fullmatch(name) or _ROOT.fullmatch(name):
        return ""
    identity = _IDENTITY.fullmatch(name)
    if identity is None:
        return (
            "legal are '*', an account (12 digits or arn:aws:iam::<account>:root) and the ARN of a role, user or "
            "session, without wildcards"
        )
    if account in (identity[3], identity[5]) and not exists(name):
        return f"account {account} has none of this ARN; create it first, or correct the name"
    return ""


def _names_service(name: str) -> bool:
    """Tell whether a name may be a service's: there are many, but none is nearly called as ours or as AWS's domain."""
    if name == SERVICE:
        return True
    first, _, domain = name.partition(".")
    return bool(_SERVICE.fullmatch(name)) and not (
        first.startswith("personali")
        or _misspelt(first, SERVICE.partition(".")[0])
        or _misspelt(".".join(domain.split(".")[-2:]), _DOMAIN)
    )


def _misspelt(word: str, right: str) -> bool:
    return word != right and difflib.SequenceMatcher(None, word, right).ratio() >= _ALIKE
