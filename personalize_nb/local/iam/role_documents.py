"""What IAM refuses of the documents of roles and managed policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from personalize_nb.contract.policies import documents, refusals, sizes
from personalize_nb.contract.policies.refusals import Exists
from personalize_nb.local.errors import ApiError


def check_permissions(text: str) -> None:
    """Refuse what says not what may or may not be done to what; `MalformedPolicyDocument`."""
    with _refusing():
        policy = refusals.read_new(text)
        documents.check_identity(policy)
        refusals.check_sids(policy)
        refusals.check_words(policy)
        refusals.check_arns(policy)


def check_managed(text: str) -> None:
    """Refuse what cannot be a managed policy."""
    check_permissions(text)
    if sizes.counted(text) > sizes.MANAGED:
        raise _exceeded(f"Cannot exceed quota for PolicySize: {sizes.MANAGED}", sizes.counted(text))


def check_inline(role: str, texts: Mapping[str, str]) -> None:
    """Refuse inline policies that are too much for one role together."""
    length = sum(map(sizes.counted, texts.values()))
    if length > sizes.INLINE:
        raise _exceeded(f"Maximum policy size of {sizes.INLINE} bytes exceeded for role {role}", length)


def check_trust(text: str, account: str, exists: Exists) -> None:
    """Refuse what cannot be a trust policy: who may assume the role, and nothing else.

    Parameters
    ----------
    text
        The document.
    account, exists
        As for `check_principals`.
    """
    with _refusing():
        policy = refusals.read_new(text)
        documents.check_trust(policy)
        refusals.check_sids(policy)
        refusals.check_words(policy)
        refusals.check_assuming(policy)
        refusals.check_principals(policy, account, exists)
    if sizes.counted(text) > sizes.TRUST:
        raise _exceeded(f"Cannot exceed quota for ACLSizePerRole: {sizes.TRUST}", sizes.counted(text))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except documents.PolicyError as error:
        raise ApiError("MalformedPolicyDocument", f"The policy document cannot be used: {error}.") from error


def _exceeded(message: str, length: int) -> ApiError:
    return ApiError("LimitExceeded", f"{message}, got {length} without white space", 409)
