"""Whether the role, the buckets and the keys of a job let Personalize do what the job asks, and what mends it.

A finding offers a call only where the call helps: not against a Deny, not for what belongs to another account, and not
where AWS would refuse the policy for its length.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from personalize_nb.access import plans
from personalize_nb.access.account_reader import Key
from personalize_nb.access.places import DISABLED, ENABLED, KeyState
from personalize_nb.access.repairs import Change
from personalize_nb.access.report import OK, UNCHECKED, Check
from personalize_nb.contract.policies import merging, needs, templates
from personalize_nb.contract.policies.needs import Caller, Denial, MissingPermission
from personalize_nb.errors import ERROR

if TYPE_CHECKING:
    from personalize_nb.access.account_reader import Bucket, Role
    from personalize_nb.access.checks import Inspection
    from personalize_nb.contract.policies.uses import Use

_SAGEMAKER = "sagemaker.amazonaws.com"
# roles that AWS makes and nobody else may change
_KEPT_BY_AWS = ("/aws-service-role/", "/aws-reserved/")
_ENCRYPTION = "s3:x-amz-server-side-encryption"


class _Mending(NamedTuple):
    """What to do, the document to paste instead, and the changes that do it."""

    to_do: str
    policy: str = ""
    changes: tuple[Change, ...] = ()


class PermissionChecks:
    """Judges the role, the buckets and the keys of one job."""

    def __init__(self, job: Inspection):
        self._session, self._reader = job.session, job.reader
        self._request, self._role_arn = job.request, job.request.role_arn
        self._uses, self._uploads = job.uses, job.subject.uploads

    def run(self) -> Iterator[Check]:
        """Every check; what may not be read is told as unchecked."""
        if not self._uses or not self._role_arn:
            return
        yield from self._existence()
        elsewhere = self._of_another_account()
        if elsewhere is not None:
            yield elsewhere
            return
        role = self._reader.role(self._role_arn)
        if role.missing:
            yield self._missing_role(role)
        caller = Caller(
            self._role_arn,
            None if role.missing else role.policies,
            tuple(role.unknown),
            self._session.account,
            self._session.region,
            self._session.arn("batch-inference-job", self._request.job_name),
        )
        missing: list[MissingPermission] = (
            [] if role.trust is None else list(needs.missing_for_trust(caller, role.trust))
        )
        for use in self._uses:
            missing += self._missing(caller, use)
        unusable = list(self._unusable_keys())
        unread = list(self._unread())
        yield from [*unread, *unusable]
        grouped: dict[tuple[str, str, str], list[MissingPermission]] = {}
        for permission in missing:
            denial = permission.denial
            by = f"{denial.statement} of {denial.policy}" if denial else ""
            grouped.setdefault((permission.kind, permission.subject, by), []).append(permission)
        for (kind, subject, by), permissions in grouped.items():
            denials = [one.denial for one in permissions if one.denial]
            mending = (
                _Mending(self._against(kind, subject, by, denials, role))
                if denials
                else self._mending(kind, subject, role)
            )
            text = needs.joined(permissions)
            yield Check(kind, ERROR, text + (_of_sagemaker(role) if kind == needs.TRUST else ""), *mending)
        if not (missing or unread or unusable or role.missing):
            yield Check("permissions", OK, f"Role {caller.role_name}, buckets and keys allow what the job does.")

    def _unread(self) -> Iterator[Check]:
        told, self._reader.unread[:] = list(self._reader.unread), []
        return (Check("permissions", UNCHECKED, text) for text in told)

    # what is not there, or cannot be used

    def _existence(self) -> Iterator[Check]:
        region = self._session.region
        for use in self._uses:
            bucket = self._bucket(use)
            if bucket.missing:
                # S3 names its first region by silence and every other one in words
                where = (
                    "" if region == "us-east-1" else f", CreateBucketConfiguration={{'LocationConstraint': {region!r}}}"
                )
                to_do = (
                    f"Check the spelling, or create the bucket in {region}: session.s3.create_bucket("
                    f"Bucket={use.bucket!r}{where}), then pnb.allow_personalize({use.bucket!r})."
                )
                yield Check("bucket", ERROR, f"There is no bucket {use.bucket!r}.", to_do)
            elif bucket.region is not None:
                elsewhere = needs.wrong_region(use, bucket.region, region)
                if elsewhere is not None:
                    yield Check("region", ERROR, elsewhere.text, f"Use a bucket in {region}.")

    def _of_another_account(self) -> Check | None:
        session, parts = self._session, self._role_arn.split(":")
        if len(parts) < 6 or (parts[1], parts[4]) == (session.partition, session.account):
            return None
        text = (
            f"The role {self._role_arn} is of account {parts[4]} ({parts[1]}); this session works in account "
            f"{session.account} ({session.partition}), and Personalize takes only roles of the account it works in."
        )
        return Check("role", ERROR, text, f"Pass a role of account {session.account}: pnb.create_role() makes one.")

    def _missing_role(self, role: Role) -> Check:
        text = f"The role {self._role_arn} does not exist."
        if role.elsewhere:
            return Check("role", ERROR, f"{text} Its name is there with another path.", f"Pass {role.elsewhere!r}.")
        mending = self._for_role_policy(role)
        trust = plans.trust_change(self._session, role.name, None, self._path)
        by_hand = f"make a role with this policy, trusted by {templates.SERVICE}, in the IAM console"
        to_do = f"{self._create_role()}, or {by_hand}"
        return Check("role", ERROR, text, to_do, mending.policy, (trust, *mending.changes))

    def _unusable_keys(self) -> Iterator[Check]:
        for name, key in self._keys().items():
            if key.missing:
                to_do = f"Check its spelling: it must be a key of region {self._session.region}."
                yield Check("key", ERROR, f"There is no KMS key {name}.", to_do)
            elif key.state not in ("", "Enabled"):
                text = f"The KMS key {key.arn} cannot be used: its state is {key.state}."
                yield Check("key", ERROR, text, *self._usable_again(key))

    def _usable_again(self, key: Key) -> _Mending:
        enable = f"session.client('kms').enable_key(KeyId={key.arn!r})"
        if plans.is_foreign(self._session, key.arn):
            return _Mending(f"Ask account {key.arn.split(':')[4]} to enable it, or use another key.")
        if key.state == "Disabled":
            change = Change(KeyState(self._session, key.arn), DISABLED, ENABLED)
            return _Mending(f"{enable}, or use another key", changes=(change,))
        if key.state == "PendingDeletion":  # somebody's decision, which is theirs to take back
            cancel = f"session.client('kms').cancel_key_deletion(KeyId={key.arn!r})"
            return _Mending(f"Use another key; or, where it is to be kept, {cancel}, then {enable}")
        return _Mending("Use another key.")

    # what is missing in policies

    def _missing(self, caller: Caller, use: Use) -> Iterator[MissingPermission]:
        bucket = self._bucket(use)
        objects = self._reader.objects(use) if not bucket.missing else None
        judged = bucket.readable and not bucket.missing
        yield from needs.missing_for_bucket(caller, use, objects or [use.key], bucket.policy, judge_policy=judged)
        for name in self._reader.keys(use, self._uploads and not use.writes) if not bucket.missing else ():
            key = self._reader.key(name)
            if key.customer:
                yield from needs.missing_for_key(caller, use, key.arn, key.policy, key.granted(caller.role_arn))

    def _mending(self, kind: str, subject: str, role: Role) -> _Mending:
        """Return the call that mends it, the document to paste instead, and the change."""
        if kind == needs.BUCKET_POLICY:
            change = plans.bucket_change(self._session, subject, self._reader.bucket(subject).text)
            call = f"pnb.allow_personalize({subject!r}), or paste the policy in the S3 console"
            return _offered(change, call)
        if kind == needs.KEY_POLICY:
            return self._for_key(self._reader.key(subject))
        if role.name and self._path.startswith(_KEPT_BY_AWS):
            return _Mending("Only AWS changes this role. Use one of your own: pnb.create_role() makes one.")
        if kind == needs.TRUST:
            change = plans.trust_change(self._session, role.name, role.trust_text, self._path)
            return _offered(change, f"{self._create_role()}, or paste the trust policy in the IAM console")
        return self._for_role_policy(role)

    def _against(self, kind: str, subject: str, by: str, denials: list[Denial], role: Role) -> str:
        """Tell which statement is to be changed; nothing that is added to a policy outweighs a Deny."""
        to_do = (
            f"Change {by}: it has Effect Deny, which no Allow outweighs, so nothing that is added helps. "
            "Take the statement out, or "
        )
        if kind == needs.ROLE_POLICY:  # it is about this role alone, whatever its Condition excepts
            to_do += "narrow its Action or Resource, so that it is not about what this job does"
        else:
            texts = {
                needs.TRUST: lambda: role.trust_text,
                needs.BUCKET_POLICY: lambda: self._reader.bucket(subject).text,
                needs.KEY_POLICY: lambda: self._reader.key(subject).text,
            }
            spared = merging.sparing(
                json.loads(texts[kind]() or "{}"), denials[0].statement, {denial.principal for denial in denials}
            )
            to_do += f"let it leave this job alone by its Condition, so that it reads {json.dumps(spared)}"
        if any(key.startswith(_ENCRYPTION) for denial in denials for key in denial.keys):
            to_do += ". It asks for encryption: with 'output_kms_key_arn' the output is written under that key"
        return to_do

    def _for_role_policy(self, role: Role) -> _Mending:
        keys = list(dict.fromkeys(key.arn for key in self._keys().values() if key.customer))
        change = plans.role_change(self._session, role.name, role.inline, self._buckets, keys)
        call = f"{self._create_role()}, or paste the policy in the IAM console, as {plans.ROLE_POLICY}"
        return _offered(change, call)

    def _for_key(self, key: Key) -> _Mending:
        session = self._session
        statement = templates.key_statement(self._role_arn, session.account, session.region, session.partition)
        if plans.is_foreign(session, key.arn) or key.text is None:
            account = key.arn.split(":")[4]
            return _Mending(
                f"Ask account {account} to add the statement to its key's policy", templates.text(statement)
            )
        change = plans.key_change(session, key.arn, self._role_arn, key.text)
        return _offered(change, f"{self._create_role()}, or paste the policy in the KMS console")

    def _create_role(self) -> str:
        own = [key.arn for key in self._keys().values() if key.customer]
        keys = list(dict.fromkeys(own))
        more = f", kms_keys={keys!r}" if keys else ""
        name = f"{self._path}{self._role_arn.rsplit('/', 1)[-1]}".removeprefix("/")
        return f"pnb.create_role({name!r}, {self._buckets!r}{more})"

    def _keys(self) -> dict[str, Key]:
        """Return the keys that the job uses, by the names under which they are used."""
        names = [
            name
            for use in self._uses
            if not self._bucket(use).missing
            for name in self._reader.keys(use, self._uploads and not use.writes)
        ]
        return {name: self._reader.key(name) for name in names}

    def _bucket(self, use: Use) -> Bucket:
        return self._reader.bucket(use.bucket or "")

    @property
    def _path(self) -> str:
        """The role's path, `/` or `/service-role/`."""
        return f"/{self._role_arn.partition('/')[2]}".rpartition("/")[0] + "/"

    @property
    def _buckets(self) -> list[str]:
        return list(dict.fromkeys(use.bucket for use in self._uses if use.bucket))


def _offered(change: Change, call: str) -> _Mending:
    """Return a change as it is offered; one that AWS would refuse for its length is not."""
    policy = templates.text(json.loads(change.after or "{}"))
    return _Mending(change.excess, policy) if change.excess else _Mending(call, policy, (change,))


def _of_sagemaker(role: Role) -> str:
    """Tell what role it is, where it is the one that the notebook itself runs with."""
    named = [
        name
        for statement in (role.trust.statements if role.trust else ())
        for name in (statement.principals or {}).get("Service", ())
    ]
    if _SAGEMAKER not in named:
        return ""
    return (
        f" It is an execution role of SageMaker (its trust policy names {_SAGEMAKER}): Personalize can use it when it "
        "is trusted beside SageMaker, which stays."
    )
