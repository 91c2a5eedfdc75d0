"""Whether the caller itself may pass the role, store the input, start the job, wait for it and read what it wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from personalize_nb import errors
from personalize_nb.access.caller import Identity, Right, Ruling, identity, rulings
from personalize_nb.access.checks import Inspection
from personalize_nb.access.report import OK, UNCHECKED, Check
from personalize_nb.contract.policies import templates
from personalize_nb.contract.policies.uses import Use
from personalize_nb.errors import ERROR, WARNING

_LIMITS = "permissions boundaries, service control policies, session policies and VPC endpoint policies"
_CREATE, _DESCRIBE = "personalize:CreateBatchInferenceJob", "personalize:DescribeBatchInferenceJob"


def caller(job: Inspection) -> Iterator[Check]:
    """Tell which of the rights that the job takes the caller lacks, as far as IAM tells."""
    rights = list(_rights(job))
    try:
        who = identity(job.session)
    except errors.PersonalizeError as error:
        yield Check("caller", UNCHECKED, f"Unchecked is who calls, and so whether {_named(rights)}: {error}")
        return
    if who.is_root:
        yield Check("caller", OK, f"The root user may {_named(rights)}.")
    elif not who.source:
        found = f"Unchecked is whether {who.shown} may {_named(rights)}: IAM simulates users and roles only."
        yield Check("caller", UNCHECKED, found)
    else:
        yield from _ruled(job, who, rights)
    yield from _own_role(job, who)
    if not job.session.is_local:  # which has none of them
        found = f"Unchecked are {_LIMITS} of {who.shown}: each of them may refuse what everything else allows."
        yield Check("caller's limits", UNCHECKED, found, "Ask who administers the account, where a call is refused.")


def _own_role(job: Inspection, who: Identity) -> Iterator[Check]:
    """Warn of the caller's own role in place of one for Personalize, where its trust policy may not be read."""
    arn = job.request.role_arn
    if arn and arn == who.source and job.reader.role(arn).trust is None:
        found = f"{who.shown} is what this notebook itself runs as. Unchecked is whether it trusts Personalize as well."
        to_do = "pnb.create_role('PersonalizeNotebookRole') makes a role for Personalize: pass its ARN as 'role_arn'."
        yield Check("role of the caller", WARNING, found, to_do)


def _ruled(job: Inspection, who: Identity, rights: Sequence[Right]) -> Iterator[Check]:
    try:
        found = list(rulings(job.session, who, rights))
    except errors.PersonalizeError as error:
        text = (
            f"Unchecked is whether {who.shown} may {_named(rights)}: iam:SimulatePrincipalPolicy cannot tell: {error}"
        )
        yield Check("caller", UNCHECKED, text)
        return
    for name, level in (("caller", ERROR), ("caller: less comfort", WARNING)):
        lacking = [one for one in found if not one.allowed and not one.unsure and one.right.level == level]
        if lacking:
            yield _missing(name, level, who, lacking)
    if unsure := [one for one in found if one.unsure]:
        yield Check("caller: conditions", UNCHECKED, "Unchecked: " + _told(who, unsure))
    if all(one.allowed or one.right.level == WARNING for one in found):
        unchecked = f" Unchecked are {_LIMITS}." if job.session.is_local else ""
        yield Check("caller", OK, f"{who.shown} may {_named([one.right for one in found if one.allowed])}.{unchecked}")


def _missing(name: str, level: str, who: Identity, lacking: Sequence[Ruling]) -> Check:
    text = _told(who, lacking)
    denied = all("Effect Deny" in one.why for one in lacking)
    statements = [_statement(one.right) for one in lacking if "Effect Deny" not in one.why]
    to_do = f"Have the policy attached to {who.shown} in the IAM console."
    if denied:
        to_do = "Have the statement that denies changed: no other policy can outweigh it."
    elif len(statements) < len(lacking):
        to_do += " Have the statements that deny changed as well: no other policy can outweigh them."
    if level == WARNING:
        to_do += " The job runs and is read without it."
    policy = templates.text(templates.document(*statements)) if statements else ""
    return Check(name, level, text, to_do, policy)


def _told(who: Identity, rulings: Sequence[Ruling]) -> str:
    """Say what the caller may not, one sentence for each action."""
    return " ".join(
        f"{who.shown} may not {one.right.action} on {one.right.resource} to {one.right.purpose}: {one.why}."
        for one in rulings
    )


def _statement(right: Right) -> dict[str, object]:
    statement: dict[str, object] = {"Effect": "Allow", "Action": right.action, "Resource": right.resource}
    if right.action == "iam:PassRole":
        statement["Condition"] = {"StringEquals": {key: values[0] for key, values in right.facts.items()}}
    return statement


def _named(rights: Sequence[Right]) -> str:
    return ", ".join(dict.fromkeys(right.action for right in rights))


def _rights(job: Inspection) -> Iterator[Right]:
    """Return what the job takes from its start to its results, the best of it first."""
    request, session = job.request, job.session
    arn = _job_arn(job)
    yield Right(_CREATE, arn, "start the job")
    yield Right(_DESCRIBE, arn, "wait for it")
    yield Right("personalize:DescribeSolutionVersion", request.solution_version_arn or "*", "look at the model")
    if request.filter_arn:
        yield Right("personalize:DescribeFilter", request.filter_arn, "look at the filter")
    if request.tags:
        yield Right("personalize:TagResource", arn, "tag it")
    if request.role_arn:
        facts = {"iam:PassedToService": (templates.SERVICE,)}
        yield Right("iam:PassRole", request.role_arn, "give Personalize the role", facts=facts)
    for use in job.uses:
        yield from _rights_in_s3(job, use)
    yield Right("personalize:ListBatchInferenceJobs", "*", "list jobs", WARNING)
    for use in job.uses:
        bucket = f"arn:{session.partition}:s3:::{use.bucket}"
        facts = {"s3:prefix": (use.key,)}
        what = "find the results by listing" if use.writes else "look at the input"
        yield Right("s3:ListBucket", bucket, what, WARNING, facts, job.reader.bucket(use.bucket or "").policy)


def _rights_in_s3(job: Inspection, use: Use) -> Iterator[Right]:
    bucket = job.reader.bucket(use.bucket or "")
    if bucket.missing:
        return
    uploads = job.subject.uploads and not use.writes
    name = (job.uses[0].key.rpartition("/")[2] or "input") if job.uses else "input"
    key = f"{use.key.rstrip('/')}/{name}.out".lstrip("/") if use.writes else use.key or "*"
    resource = f"arn:{job.session.partition}:s3:::{use.bucket}/{key}"
    if uploads:
        yield Right("s3:PutObject", resource, "store the input", policy=bucket.policy)
        yield Right("s3:DeleteObject", resource, "clean up after a refused job", WARNING, policy=bucket.policy)
    if key.endswith("/"):
        resource += "*"
    what = "read the results" if use.writes else "put the results in the input's order"
    yield Right("s3:GetObject", resource, what, policy=bucket.policy)
    for name in job.reader.keys(use):
        kms = job.reader.key(name)
        if kms.customer:
            facts = {"kms:ViaService": (f"s3.{job.session.region}.amazonaws.com",)}
            for action in ("kms:GenerateDataKey", "kms:Decrypt") if uploads else ("kms:Decrypt",):
                yield Right(action, kms.arn, what, facts=facts, policy=kms.policy, is_key=True)


def _job_arn(job: Inspection) -> str:
    """Return the job's ARN; where STS does not tell the account, that of the model's account."""
    return job.session.arn("batch-inference-job", job.request.job_name)
