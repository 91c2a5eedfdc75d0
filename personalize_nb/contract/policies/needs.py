"""What Amazon Personalize needs for a job, held against the policies that are there: each thing missing, as a sentence.

Pure: whoever has the documents, from the local service's store or from AWS, gets the same judgement. Choices where
AWS says nothing:

* A key's policy must name the service or the role: handing the decision to the account is not enough, because the
  guide asks for the key's policy *and* the role's. A grant to the role serves for both.
* For imports the guide asks only for the key's policy, so the role's is not asked.
* Which domain KMS compares in `kms:ViaService` in China is not said: either will do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from personalize_nb.contract.policies.documents import Policy
from personalize_nb.contract.policies.evaluation import Question, ask
from personalize_nb.contract.policies.templates import KEY_ACTIONS, KEY_POLICY_ACTIONS, SERVICE
from personalize_nb.contract.policies.uses import Use

GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html#attach-bucket-policy"
TRUST, ROLE_POLICY, BUCKET_POLICY, KEY_POLICY = "trust policy", "role policy", "bucket policy", "key policy"
_MAX_SENTENCES = 8
# what a request tells that Personalize makes itself, not in a role
OF_SERVICE = {"aws:PrincipalIsAWSService": ("true",), "aws:PrincipalServiceName": (SERVICE,)}


@dataclass(frozen=True)
class Denial:
    """A statement with Effect Deny that applies: its policy, the statement, and whom it denies; no Allow outweighs it.

    `keys` are the condition keys under which it denies.
    """

    policy: str
    statement: str
    principal: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class MissingPermission:
    """Something that is missing: a sentence, which kind of policy to mend, of what (role, bucket, key), and a Deny."""

    text: str
    kind: str = ""
    subject: str = ""
    denial: Denial | None = None
    parts: tuple[str, str, str] | None = None
    """The sentence in parts: who lacks it, the action with its resource, and why."""


@dataclass(frozen=True)
class Caller:
    """Who acts, and for what.

    Parameters
    ----------
    role_arn
        The role.
    policies
        Its policies; None when they could not be read, and then they are not judged.
    unknown
        Its policies whose text is not known.
    account, region, source_arn
        Of the resource that the role acts for.
    """

    role_arn: str
    policies: Sequence[Policy] | None
    unknown: tuple[str, ...]
    account: str
    region: str
    source_arn: str

    @property
    def role_name(self) -> str:
        """The role's name, without account and path."""
        return self.role_arn.rsplit("/", 1)[-1]

    @property
    def partition(self) -> str:
        """The partition of AWS that the role is in: `aws`, `aws-cn`."""
        return (self.role_arn.split(":", 2) + ["aws", ""])[1]  # of text that is no ARN, which the rules tell

    def question(self, action: str, resource: str, facts: Mapping[str, tuple[str, ...]]) -> Question:
        """Pose the role's own question."""
        of_role = {"aws:PrincipalArn": (self.role_arn,), "aws:PrincipalIsAWSService": ("false",)}
        return Question(self.role_arn, action, resource, {**self._in_transit(), **of_role, **facts})

    def service_question(self, action: str, resource: str, facts: Mapping[str, tuple[str, ...]]) -> Question:
        """Pose the question of Personalize itself, on behalf of its resource."""
        return Question(SERVICE, action, resource, {**self._in_transit(), **self.source(), **OF_SERVICE, **facts})

    def source(self) -> dict[str, tuple[str, ...]]:
        """Return the facts against confused deputies."""
        return {"aws:SourceAccount": (self.account,), "aws:SourceArn": (self.source_arn,)}

    def _in_transit(self) -> dict[str, tuple[str, ...]]:
        return {
            "aws:SecureTransport": ("true",),
            "aws:PrincipalAccount": (self.account,),
            "aws:ResourceAccount": (self.account,),
            "s3:ResourceAccount": (self.account,),
        }


def missing_for_trust(caller: Caller, trust: Policy) -> Iterator[MissingPermission]:
    """Find what keeps Personalize from assuming the role."""
    question = Question(SERVICE, "sts:AssumeRole", caller.role_arn, {**caller.source(), **OF_SERVICE})
    name = f"the trust policy of role {caller.role_name}"
    yield from _judged([trust], [question], question, name, TRUST, caller.role_arn)


def missing_for_bucket(
    caller: Caller, use: Use, keys_read: Collection[str], policy: Policy | None, *, judge_policy: bool = True
) -> Iterator[MissingPermission]:
    """Return what keeps Personalize from one use of a bucket; each action is told once per policy.

    Parameters
    ----------
    caller
        Who acts.
    use
        The location.
    keys_read
        The objects that are read, where any are.
    policy
        The bucket's policy, or None when it has none.
    judge_policy
        False when the bucket's policy could not be read.
    """
    name = f"the bucket policy of {use.bucket}"
    told: set[tuple[str, str]] = set()
    for action, resource, facts in _wanted(caller, use, keys_read):
        question = caller.question(action, resource, facts)
        of_service = caller.service_question(action, resource, facts)
        found: list[MissingPermission] = []
        if caller.policies is not None and (action, ROLE_POLICY) not in told:
            found += _missing_in_role(caller, question)
        if judge_policy and (action, BUCKET_POLICY) not in told:
            policies = [] if policy is None else [policy]
            subject = name if policies else f"{name} (there is none)"
            asked = [question, of_service]
            found += _judged(policies, asked, of_service, subject, BUCKET_POLICY, use.bucket or "")
        told |= {(action, missing.kind) for missing in found}
        yield from found


def missing_for_key(
    caller: Caller, use: Use, key_arn: str, policy: Policy | None, granted: Collection[str] = ()
) -> Iterator[MissingPermission]:
    """Return what keeps Personalize from using a key for one use.

    Parameters
    ----------
    caller, use
        Who acts, and for which location.
    key_arn
        The key.
    policy
        Its policy; None when it could not be read, and then it is not judged.
    granted
        Actions (`kms:...`) that grants give to the role.
    """
    facts = {
        "kms:ViaService": tuple(f"s3.{caller.region}.{domain}" for domain in _domains(caller.partition)),
        "kms:CallerAccount": (caller.account,),
        "kms:GrantIsForAWSResource": ("true",),
    }
    name = f"the key policy of {key_arn}"
    for action in KEY_POLICY_ACTIONS:
        if action in granted:
            continue
        question, of_service = (make(action, key_arn, facts) for make in (caller.question, caller.service_question))
        if policy is not None:
            # that the account may decide is not enough
            by_role = ask([_allowing(policy)], question, delegates=False).allowed
            needed = None if by_role else of_service
            yield from _judged([policy], [question, of_service], needed, name, KEY_POLICY, key_arn)
        if action in KEY_ACTIONS and not use.folder and caller.policies is not None:
            yield from _missing_in_role(caller, question)


def wrong_region(use: Use, bucket_region: str, region: str) -> MissingPermission | None:
    """Return what is missing where a bucket is in another region."""
    if bucket_region == region:
        return None
    return MissingPermission(
        f"Bucket {use.bucket!r} is in region {bucket_region}; Amazon Personalize in {region} works with buckets of "
        f"{region} only."
    )


def told(missing: Sequence[MissingPermission]) -> str:
    """Everything missing as one message: AWS's own words first, where its answer to this is known."""
    sentences = list(dict.fromkeys(missing.text for missing in missing))
    more = len(sentences) - _MAX_SENTENCES
    shown = " ".join(sentences[:_MAX_SENTENCES]) + (f" And {more} more." if more > 0 else "")
    buckets = list(dict.fromkeys(missing.subject for missing in missing if missing.kind == BUCKET_POLICY))
    if buckets:
        return (
            f"Insufficient privileges for accessing data in S3. Please look at {GUIDE} and fix bucket policy on "
            f"{', '.join(buckets)}. {shown}"
        )
    if any(missing.kind in (KEY_POLICY, ROLE_POLICY) for missing in missing):
        return f"Insufficient privileges for accessing data in Amazon S3. {shown}"
    return shown


def joined(missing: Sequence[MissingPermission]) -> str:
    """Everything missing in sentences: of who lacks several things for one reason there is one sentence."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for one in missing:
        lacks, what, why = one.parts or (one.text, "", "")
        grouped.setdefault((lacks, why), []).append(what)
    return " ".join(
        _sentence((lacks, _listed(list(dict.fromkeys(filter(None, whats)))), why))
        for (lacks, why), whats in grouped.items()
    )


def _sentence(parts: tuple[str, str, str]) -> str:
    lacks, what, why = parts
    return f"{lacks} {what}{why}" if what else f"{lacks}{why}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _wanted(
    caller: Caller, use: Use, keys_read: Collection[str]
) -> Iterator[tuple[str, str, dict[str, tuple[str, ...]]]]:
    """Return the actions of a use with their resources and facts."""
    bucket = f"arn:{caller.partition}:s3:::{use.bucket}"
    yield "s3:ListBucket", bucket, {"s3:prefix": (use.key,)}
    if not use.writes:
        for key in keys_read:
            yield "s3:GetObject", f"{bucket}/{key}", {}
        return
    encryption: dict[str, tuple[str, ...]] = {}
    if use.key_arn is not None:
        encryption = {
            "s3:x-amz-server-side-encryption": ("aws:kms",),
            "s3:x-amz-server-side-encryption-aws-kms-key-id": (use.key_arn,),
        }
    folder = use.key if not use.key or use.key.endswith("/") else f"{use.key}/"
    yield "s3:PutObject", f"{bucket}/{folder}_CHECK", encryption


def _domains(partition: str) -> tuple[str, ...]:
    """Return how hosts of a partition end; of China it is not said which one KMS compares, so either will do."""
    return ("amazonaws.com", "amazonaws.com.cn") if partition == "aws-cn" else ("amazonaws.com",)


def _missing_in_role(caller: Caller, question: Question) -> Iterator[MissingPermission]:
    name = f"no policy of role {caller.role_name}"
    if caller.unknown:
        name += f" (what {', '.join(caller.unknown)} allows is not known)"
    policies = caller.policies or ()
    yield from _judged(policies, [question], question, name, ROLE_POLICY, caller.role_arn)


def _judged(
    policies: Sequence[Policy],
    asked: Sequence[Question],
    needed: Question | None,
    name: str,
    kind: str,
    subject: str,
) -> Iterator[MissingPermission]:
    """Find each Deny that hits one of the questions, and whether the needed one is allowed by any statement at all.

    The two are told apart, since they are mended apart: what is denied may not be allowed either.
    """
    for question in asked:
        answer = ask(policies, question)
        if answer.denied:
            about = answer.policy or name
            subject_of = f"{_upper(about)} denies {_who(question)}"
            parts = subject_of, _what(question, about), f", by {answer.statement} with Effect Deny."
            denial = Denial(about, answer.statement, question.principal, answer.keys)
            yield MissingPermission(_sentence(parts), kind, subject, denial, parts)
    if needed is not None and not ask(map(_allowing, policies), needed).allowed:
        parts = _not_allowed(policies, needed, name)
        yield MissingPermission(_sentence(parts), kind, subject, parts=parts)


def _allowing(policy: Policy) -> Policy:
    return replace(policy, statements=tuple(one for one in policy.statements if one.allows))


def _who(question: Question) -> str:
    return question.principal if question.account is None else f"role {question.principal.rsplit('/', 1)[-1]}"


def _what(question: Question, about: str) -> str:
    # a key's policy names its key already
    return question.action if question.resource in about else f"{question.action} on {question.resource}"


def _not_allowed(policies: Sequence[Policy], question: Question, subject: str) -> tuple[str, str, str]:
    """Tell who lacks what, and whether it is an unmet condition or silence."""
    verb = "allows" if subject.startswith("no ") else "does not allow"
    lacks, what = f"{_upper(subject)} {verb} {_who(question)}", _what(question, subject)
    bare = [
        replace(policy, statements=tuple(replace(one, conditions=()) for one in policy.statements if one.allows))
        for policy in policies
    ]
    if not ask(bare, question).allowed:
        return lacks, what, "."
    keys = {
        condition.key
        for policy in policies
        for statement in policy.statements
        for condition in statement.conditions
        if statement.allows
    }
    facts = "; ".join(f"{key} is {', '.join(question.facts.get(key, ('not set',)))}" for key in sorted(keys))
    return lacks, what, f": a statement would, but its Condition is not met ({facts})."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
