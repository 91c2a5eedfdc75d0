"""Which changes let Personalize work with a role, a bucket or a key, from the policies that are there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb.access.places import BucketPolicy, InlinePolicy, KeyPolicy, TrustPolicy
from personalize_nb.access.repairs import Change
from personalize_nb.contract.policies import merging, sizes, templates

if TYPE_CHECKING:
    from personalize_nb.session.session import Session

ROLE_POLICY = "PersonalizeReadsAndWrites"


def trust_change(session: Session, role: str, text: str | None, path: str = "/") -> Change:
    """Return the change by which a role trusts Personalize, for this account and region; without one it is made."""
    statement = templates.trust_statement(session.account, session.region, session.partition)
    return Change(TrustPolicy(session, role, path), text, _added(text, statement))


def role_change(
    session: Session, role: str, inline: Mapping[str, str], buckets: Iterable[str], keys: Iterable[str]
) -> Change:
    """Return the change by which a role may read and write buckets and use keys (ARNs), by its inline policies."""
    text = inline.get(ROLE_POLICY)
    others = sum(sizes.counted(other) for name, other in inline.items() if name != ROLE_POLICY)
    policy: Mapping[str, Any] | None = None if text is None else json.loads(text)
    for statement in templates.role_statements(buckets, keys, session.partition):
        policy = merging.with_resources(policy, statement)
    after = None if policy is None else json.dumps(policy)
    return Change(InlinePolicy(session, role, ROLE_POLICY, others), text, after)


def bucket_change(session: Session, bucket: str, text: str | None) -> Change:
    """Return the change by which Personalize may read and write a bucket."""
    statement = templates.bucket_statement(bucket, session.account, session.region, session.partition)
    return Change(BucketPolicy(session, bucket), text, _added(text, statement))


def key_change(session: Session, key: str, role_arn: str, text: str) -> Change:
    """Return the change by which Personalize and a role may use a key (ARN)."""
    statement = templates.key_statement(role_arn, session.account, session.region, session.partition)
    return Change(KeyPolicy(session, key), text, _added(text, statement))


def is_foreign(session: Session, arn: str) -> bool:
    """Tell whether an ARN is of another account, whose policies cannot be changed from here."""
    return arn.split(":")[4] not in ("", session.account)


def _added(text: str | None, statement: Mapping[str, Any]) -> str:
    return json.dumps(merging.with_statement(None if text is None else json.loads(text), statement))
