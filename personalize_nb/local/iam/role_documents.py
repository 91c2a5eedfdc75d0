"""What IAM refuses of the documents of roles and managed policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from personalize_nb.contract.policies import documents, refusals
from personalize_nb.contract.policies.refusals import Exists
from personalize_nb.local.errors import ApiError

# characters of documents, by IAM's quotas
MAX_INLINE, MAX_MANAGED, MAX_TRUST = 10_240, 6_144, 2_048


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
    if _length(text) > MAX_MANAGED:
        raise _exceeded(f"Cannot exceed quota for PolicySize: {MAX_MANAGED}", _length(text))


def check_inline(role: str, texts: Mapping[str, str]) -> None:
    """Refuse inline policies that are too much for one role together."""
    length = sum(map(_length, texts.values()))
    if length > MAX_INLINE:
        raise _exceeded(f"Maximum policy size of {MAX_INLINE} bytes exceeded for role {role}", length)


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
    if _length(text) > MAX_TRUST:
        raise _exceeded(f"Cannot exceed quota for ACLSizePerRole: {MAX_TRUST}", _length(text))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except documents.PolicyError as error:
        raise ApiError("MalformedPolicyDocument", f"The policy document cannot be used: {error}.") from error


def _exceeded(message: str, length: int) -> ApiError:
    return ApiError("LimitExceeded", f"{message}, got {length} without white space", 409)


def _length(text: str) -> int:
    """Return the size of a document as IAM counts it, without white space."""
    return len("".join(text.split()))
