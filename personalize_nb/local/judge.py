"""Whether Personalize may do what a job asks: role, trust, role policies, bucket policies and keys, as on AWS.

Every job that names a role is judged when it is created and again when its work begins. All that is missing is told
at once: which action, which policy, which resource. Choices where AWS says nothing:

* A key's policy must name the service or the role: handing the decision to the account is not enough, because the
  guide asks for the key policy *and* the role's. A grant to the role serves for both.
* Keys that AWS manages (`aws/s3`) are not judged: nobody can change their policies.
* A role of another account does not exist here.

Floor 2 of `local`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personalize_nb.local.access import Answer, Question, ask
from personalize_nb.local.faults import ApiFault
from personalize_nb.local.iam import Roles
from personalize_nb.local.keys import Keys
from personalize_nb.local.policies import Policy, read_policy
from personalize_nb.local.uses import Use, role_of, uses_of

if TYPE_CHECKING:
    from personalize_nb.local.objects.store import ObjectStore

SERVICE = "personalize.amazonaws.com"
GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html#attach-bucket-policy"
KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:ListGrants")
KEY_POLICY_ACTIONS = (*KEY_ACTIONS, "kms:CreateGrant")
_MAX_OBJECTS = 1000
_MAX_SENTENCES = 8


@dataclass(frozen=True)
class Lack:
    """Something that is missing, as a sentence; `bucket` when a policy of that bucket or of the role is to blame."""

    text: str
    bucket: str | None = None


@dataclass(frozen=True)
class _Caller:
    """Who acts: the role with its policies, and what AWS tells of the request."""

    arn: str
    policies: tuple[Policy, ...]
    unknown: tuple[str, ...]
    facts: Mapping[str, tuple[str, ...]]


class Judge:
    """Judges jobs of one account in one region.

    Parameters
    ----------
    state
        The SQLite file with roles and keys.
    objects
        The buckets and their policies.
    account, region
        Whose jobs, and where.
    """

    def __init__(self, state: Path, objects: ObjectStore, account: str, region: str):
        self._roles = Roles(state, account)
        self._keys = Keys(state, account, region)
        self._objects = objects
        self._account, self._region = account, region

    def close(self) -> None:
        """Release the open files."""
        self._roles.close()
        self._keys.close()

    def check(self, arn: str, body: Mapping[str, Any]) -> None:
        """Refuse a resource whose role may not do what it asks.

        Parameters
        ----------
        arn
            The resource: what `aws:SourceArn` is in conditions.
        body
            Its members, as in the API; one that names no role is not judged.

        Raises
        ------
        ApiFault
            `InvalidInputException` with everything that is missing.
        """
        role_arn = role_of(body)
        if role_arn is None:
            return
        lacks = list(self.lacks(role_arn, arn, uses_of(body)))
        if lacks:
            raise ApiFault("InvalidInputException", _told(lacks))

    def lacks(self, role_arn: str, source_arn: str, uses: list[Use]) -> Iterator[Lack]:
        """Everything that keeps Personalize from these uses."""
        role = self._role(role_arn)
        if role is None:
            yield Lack(
                f"The role {role_arn} does not exist in account {self._account}. Create it with a trust policy for "
                f"{SERVICE}, or name another one."
            )
            return
        source = {"aws:SourceAccount": (self._account,), "aws:SourceArn": (source_arn,)}
        trust = read_policy(role["AssumeRolePolicyDocument"], f"the trust policy of role {role['RoleName']}")
        question = Question(SERVICE, "sts:AssumeRole", role_arn, source)
        if not (answer := ask([trust], question)).allowed:
            yield Lack(_refused(answer, [trust], question, trust.name))
        texts, unknown = self._roles.documents(role)
        caller = _Caller(
            role_arn, tuple(read_policy(text, name) for name, text in texts.items()), tuple(unknown), source
        )
        for use in uses:
            if use.bucket is not None:
                yield from self._bucket_lacks(caller, use)
            for key in self._keys_of(use):
                yield from self._key_lacks(caller, use, key)

    # buckets

    def _bucket_lacks(self, caller: _Caller, use: Use) -> Iterator[Lack]:
        if not self._objects.has_bucket(use.bucket):
            yield Lack(f"There is no bucket {use.bucket!r}; create it with S3's CreateBucket first.")
            return
        region = self._objects.bucket(use.bucket).region
        if region != self._region:
            yield Lack(
                f"Bucket {use.bucket!r} is in region {region}; Amazon Personalize in {self._region} works with buckets "
                f"of {self._region} only."
            )
        text = self._objects.setting(use.bucket, "policy")
        name = f"the bucket policy of {use.bucket}"
        bucket_policy = [] if text is None else [read_policy(text, name)]
        told: set[tuple[str, str]] = set()
        for action, resource, facts in self._wanted(use):
            role_question = Question(caller.arn, action, resource, {**_in_transit(self._account), **facts})
            service_question = Question(
                SERVICE, action, resource, {**_in_transit(self._account), **caller.facts, **facts, **_SERVICE_FACTS}
            )
            answer = ask(caller.policies, role_question)
            if not answer.allowed and (action, "role") not in told:
                told.add((action, "role"))
                yield Lack(_refused(answer, caller.policies, role_question, _role_name(caller)), use.bucket)
            answer = ask(bucket_policy, role_question)
            if not answer.denied:
                answer = ask(bucket_policy, service_question)
            if not answer.allowed and (action, "bucket") not in told:
                told.add((action, "bucket"))
                named = name if bucket_policy else f"{name} (there is none)"
                yield Lack(_refused(answer, bucket_policy, service_question, named), use.bucket)

    def _wanted(self, use: Use) -> Iterator[tuple[str, str, dict[str, tuple[str, ...]]]]:
        """The actions of a use with their resources and facts."""
        partition = "aws-cn" if self._region.startswith("cn-") else "aws"
        bucket = f"arn:{partition}:s3:::{use.bucket}"
        yield "s3:ListBucket", bucket, {"s3:prefix": (use.key,)}
        if use.writes:
            encryption = {}
            if use.key_arn is not None:
                encryption = {
                    "s3:x-amz-server-side-encryption": ("aws:kms",),
                    "s3:x-amz-server-side-encryption-aws-kms-key-id": (use.key_arn,),
                }
            folder = use.key if not use.key or use.key.endswith("/") else f"{use.key}/"
            yield "s3:PutObject", f"{bucket}/{folder}_CHECK", encryption
        else:
            for key, _ in self._read(use):
                yield "s3:GetObject", f"{bucket}/{key}", {}

    def _read(self, use: Use) -> list[tuple[str, str | None]]:
        """The objects that a use reads, each with the key it is encrypted under; its own name when there is none."""
        if not self._objects.has_bucket(use.bucket):
            return []
        found = list(islice(self._objects.list(use.bucket, use.key), _MAX_OBJECTS))
        exact = [info for info in found if info.key == use.key]
        if use.folder and not exact:
            found = [info for info in found if info.key.startswith(use.key.rstrip("/") + "/")]
        read = [(info.key, info.details.headers.get("SSEKMSKeyId")) for info in exact or found]
        return read or [(use.key, None)]

    # keys

    def _keys_of(self, use: Use) -> list[str]:
        """The keys that a use needs: the one it names, those of its objects, and the bucket's own for what is new."""
        names = [] if use.key_arn is None else [use.key_arn]
        if use.bucket is not None and not use.writes:
            names += [key for _, key in self._read(use) if key is not None]
        if use.bucket is not None and use.writes and not names and self._objects.has_bucket(use.bucket):
            names += [key for key in [self._objects.default_key(use.bucket)] if key is not None]
        return list(dict.fromkeys(names))

    def _key_lacks(self, caller: _Caller, use: Use, name: str) -> Iterator[Lack]:
        try:
            key = self._keys.usable(name)
        except ApiFault as fault:
            yield Lack(f"The KMS key {name} cannot be used: {fault.message.removesuffix('.')}.")
            return
        if key["KeyManager"] == "AWS":
            return
        arn = key["Arn"]
        granted = {
            f"kms:{operation}"
            for grant in self._keys.grants(key["KeyId"])
            if grant["GranteePrincipal"] == caller.arn
            for operation in grant["Operations"]
        }
        key_policy = read_policy(key["policy"], f"the key policy of {arn}")
        facts = {
            **_in_transit(self._account),
            "kms:ViaService": (f"s3.{self._region}.amazonaws.com",),
            "kms:CallerAccount": (self._account,),
            "kms:GrantIsForAWSResource": ("true",),
        }
        for action in KEY_POLICY_ACTIONS:
            if action in granted:
                continue
            role_question = Question(caller.arn, action, arn, facts)
            service_question = Question(SERVICE, action, arn, {**facts, **caller.facts, **_SERVICE_FACTS})
            by_role = ask([key_policy], role_question, delegates=False)
            by_service = ask([key_policy], service_question)
            if by_role.denied or by_service.denied or not (by_role.allowed or by_service.allowed):
                denial = by_role if by_role.denied else by_service
                yield Lack(_refused(denial, [key_policy], service_question, key_policy.name))
            # the guide asks the role's own policies too, but not for imports, and never for grants
            if action in KEY_ACTIONS and not use.folder:
                answer = ask(caller.policies, role_question)
                if not answer.allowed:
                    yield Lack(_refused(answer, caller.policies, role_question, _role_name(caller)))

    def _role(self, arn: str) -> dict[str, Any] | None:
        try:
            role = self._roles.role(arn.rsplit("/", 1)[-1])
        except ApiFault:
            return None
        return role if role["Arn"] == arn else None


_SERVICE_FACTS = {"aws:PrincipalIsAWSService": ("true",), "aws:PrincipalServiceName": (SERVICE,)}


def _in_transit(account: str) -> dict[str, tuple[str, ...]]:
    """What holds for every request that Personalize sends to another service."""
    return {
        "aws:SecureTransport": ("true",),
        "aws:PrincipalAccount": (account,),
        "aws:ResourceAccount": (account,),
        "s3:ResourceAccount": (account,),
    }


def _role_name(caller: _Caller) -> str:
    """How a message calls the role's policies, with those that nobody here can read."""
    name = f"no policy of role {caller.arn.rsplit('/', 1)[-1]}"
    if not caller.unknown:
        return name
    return f"{name} (what {', '.join(caller.unknown)} allows is not known to the local service)"


def _refused(answer: Answer, policies: list[Policy] | tuple[Policy, ...], question: Question, name: str) -> str:
    """Tell who lacks what, and whether it is a Deny, an unmet condition or silence."""
    who = question.principal if question.account is None else f"role {question.principal.rsplit('/', 1)[-1]}"
    what = f"{question.action} on {question.resource}"
    if answer.denied:
        statement = f"statement {answer.sid!r}" if answer.sid else "a statement"
        return f"{_first_upper(answer.policy)} denies {who} {what}, by {statement} with Effect Deny."
    bare = [
        replace(policy, statements=tuple(replace(one, conditions=()) for one in policy.statements if one.allows))
        for policy in policies
    ]
    told = f"{_first_upper(name)} {'allows' if name.startswith('no ') else 'does not allow'} {who} {what}"
    if not ask(bare, question).allowed:
        return f"{told}."
    keys = {
        condition.key
        for policy in policies
        for statement in policy.statements
        for condition in statement.conditions
        if statement.allows
    }
    known = {key: ", ".join(question.facts.get(key, ("not set",))) for key in sorted(keys)}
    facts = [f"{key} is {value}" for key, value in known.items()]
    return f"{told}: a statement would, but its Condition is not met ({'; '.join(facts)})."


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _told(lacks: list[Lack]) -> str:
    sentences = list(dict.fromkeys(lack.text for lack in lacks))
    more = len(sentences) - _MAX_SENTENCES
    shown = " ".join(sentences[:_MAX_SENTENCES]) + (f" And {more} more." if more > 0 else "")
    buckets = list(dict.fromkeys(lack.bucket for lack in lacks if lack.bucket is not None))
    if buckets:
        return (
            f"Insufficient privileges for accessing data in S3. Please look at {GUIDE} and fix bucket policy on "
            f"{', '.join(buckets)}. {shown}"
        )
    if any("kms:" in sentence or "KMS key" in sentence for sentence in sentences):
        return f"Insufficient privileges for accessing data in Amazon S3. {shown}"
    return shown
