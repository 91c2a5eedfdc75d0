"""The matrix of mistakes: each made alone, named by preflight before the job, and the repair lets the job pass.

The table in the room's README is what this run finds; `--write-matrix` writes it there again.
"""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import mistakes
import pytest

import personalize_nb as pnb
from personalize_nb.session import connection

README = Path(pnb.__file__).parent / "access" / "README.md"
BEGIN, END = "<!-- written by tests/access/test_matrix.py -->", "<!-- end -->"
TABLE = mistakes.Table()
NUMBERS = itertools.count(1)
SERVICE = "personalize.amazonaws.com"


# the role


@TABLE.mistake("role", "There is no role of that name", "role")
def _(world):
    world.delete_role()
    return world.request()


@TABLE.mistake("role", "There is no role of that name, which has a path", "role")
def _(world):
    world.delete_role()
    return world.request(role_arn=world.role_arn.replace(":role/", ":role/team/books/"))


def other_arn(world, request, findings):
    return request.replace(role_arn=re.search(r"'(arn:.*)'", findings.to_do.item())[1])


@TABLE.mistake("role", "The role is there with another path", "role", by_hand=other_arn)
def _(world):
    return world.request(role_arn=world.role_arn.replace(":role/", ":role/team/"))


@TABLE.mistake(
    "role",
    "The role is of another account",
    "role",
    by_hand=lambda world, request, _: request.replace(role_arn=world.role_arn),
)
def _(world):
    return world.request(role_arn=f"arn:aws:iam::999999999999:role/{world.role}")


@TABLE.mistake("role", "The role does not trust Personalize", "trust policy")
def _(world):
    world.put_trust(mistakes.TRUSTS_LAMBDA)
    return world.request()


@TABLE.mistake("role", "The role trusts Personalize for another account only", "trust policy")
def _(world):
    statement = world.trust()[0]
    statement["Condition"]["StringEquals"]["aws:SourceAccount"] = "999999999999"
    world.put_trust(statement)
    return world.request()


@TABLE.mistake("role", "The role is the execution role of SageMaker", "trust policy")
def _(world):
    principal = {"Service": "sagemaker.amazonaws.com"}
    world.remake_role({**mistakes.TRUSTS_LAMBDA, "Principal": principal}, path="/service-role/")
    return world.request()


def excepted(statements, findings):
    """Return statements, the denying ones with the condition that the report names."""
    condition = json.loads(re.search(r"Condition: (\{.*\})", findings.to_do.item())[1])
    return [one if one["Effect"] == "Allow" else {**one, "Condition": condition} for one in statements]


def excepted_in_trust(world, request, findings):
    world.put_trust(*excepted(world.trust(), findings))


@TABLE.mistake("role", "The role's trust denies it", "trust policy", by_hand=excepted_in_trust)
def _(world):
    deny = {"Sid": "Never", "Effect": "Deny", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    world.put_trust(*world.trust(), deny)
    return world.request()


@TABLE.mistake("role", "The role has no policy", "role policy")
def _(world):
    world.remake_role(*world.trust(), path="/team/", policy=False)
    return world.request()


@TABLE.mistake("role", "The role may not read", "role policy")
def _(world):
    world.without("s3:GetObject")
    return world.request()


@TABLE.mistake("role", "The role may not write", "role policy")
def _(world):
    world.without("s3:PutObject")
    return world.request()


@TABLE.mistake("role", "The role may not list", "role policy")
def _(world):
    world.without("s3:ListBucket")
    return world.request()


def excepted_in_role(world, request, findings):
    document = world.role_policy("guard")
    world.put_role_policy({**document, "Statement": excepted(document["Statement"], findings)}, "guard")


@TABLE.mistake("role", "A policy of the role denies it", "role policy", by_hand=excepted_in_role)
def _(world):
    deny = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}
    world.put_role_policy(json.loads(mistakes.policy_of(deny)), "guard")
    return world.request()


@TABLE.mistake("role", "The role may not use the key", "role policy")
def _(world):
    key = world.key_in_order()
    world.without("kms:Decrypt")
    return world.request(output_kms_key_arn=key)


def as_managed_policy(world, request, findings):
    policy = world.iam.create_policy(PolicyName=f"{world.role}Job", PolicyDocument=findings.policy.item())["Policy"]
    world.iam.attach_role_policy(RoleName=world.role, PolicyArn=policy["Arn"])


@TABLE.mistake("role", "The role's inline policies are full", "role policy", by_hand=as_managed_policy)
def _(world):
    world.remake_role(*world.trust(), policy=False)
    many = [f"arn:aws:s3:::of-others-{number:04}/*" for number in range(310)]
    full = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": many}
    world.put_role_policy(json.loads(mistakes.policy_of(full)), "others")
    return world.request()


# the buckets


def as_told(world, request, findings):
    for call in mistakes.calls_in(" ".join(findings.to_do)):
        eval(call, {"pnb": pnb, "session": world.session})


@TABLE.mistake("bucket", "There is no output bucket", "bucket", "role policy", by_hand=as_told)
def _(world):
    return world.request(output_path=f"s3://mx-new-{world.number}-books/out/")


@TABLE.mistake("bucket", "The input bucket has a policy without Personalize", "bucket policy")
def _(world):
    principal = {"AWS": world.role_arn}
    (statement,) = world.bucket_statements(world.input)
    del statement["Condition"]
    world.put_bucket_policy(world.input, {**statement, "Principal": principal})
    return world.request()


@TABLE.mistake("bucket", "The output bucket has no policy", "bucket policy")
def _(world):
    world.s3.delete_bucket_policy(Bucket=world.output)
    return world.request()


@TABLE.mistake("bucket", "The bucket's policy is for another account's Personalize", "bucket policy")
def _(world):
    (statement,) = world.bucket_statements(world.output)
    statement["Condition"] = {"StringEquals": {"aws:SourceAccount": "999999999999"}}
    world.put_bucket_policy(world.output, statement)
    return world.request()


def excepted_in_bucket(world, request, findings):
    world.put_bucket_policy(world.output, *excepted(world.bucket_statements(world.output), findings))


@TABLE.mistake("bucket", "The bucket's policy denies it", "bucket policy", by_hand=excepted_in_bucket)
def _(world):
    where = f"arn:aws:s3:::{world.output}/*"
    deny = {"Sid": "NoOneWrites", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": where}
    world.put_bucket_policy(world.output, *world.bucket_statements(world.output), deny)
    return world.request()


def with_a_key(world, request, findings):
    return request.replace(output_kms_key_arn=world.key_in_order())


@TABLE.mistake("bucket", "The bucket's policy denies what is not encrypted", "bucket policy", by_hand=with_a_key)
def _(world):
    where = f"arn:aws:s3:::{world.output}/*"
    deny = {
        "Sid": "Encrypted",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": where,
        "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
    }
    world.put_bucket_policy(world.output, *world.bucket_statements(world.output), deny)
    return world.request()


@TABLE.mistake(
    "bucket", "The output bucket encrypts by default with a key that nobody else may use", "role policy", "key policy"
)
def _(world):
    world.encrypt_by_default(world.output, world.new_key())
    return world.request()


@TABLE.mistake("bucket", "The same, with the key named by its alias", "role policy", "key policy")
def _(world):
    world.kms.create_alias(AliasName=f"alias/mx-{world.number}", TargetKeyId=world.new_key())
    world.encrypt_by_default(world.output, f"alias/mx-{world.number}")
    return world.request()


def other_bucket(world, request, findings):
    return request.replace(output_path=f"s3://{world.output}/out/")


@TABLE.mistake("bucket", "The output bucket is in another region", "region", by_hand=other_bucket)
def _(world):
    far = f"mx-far-{world.number}-books"
    world.s3.create_bucket(Bucket=far, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    pnb.allow_personalize(far, world.session)
    pnb.create_role(world.role, [world.input, far], session=world.session)
    return world.request(output_path=f"s3://{far}/out/")


# the keys


@TABLE.mistake("key", "The key's policy does not let Personalize use it", "key policy")
def _(world):
    key = world.new_key()
    statement = {
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
        "Resource": key,
    }
    world.put_role_policy(json.loads(mistakes.policy_of({**statement, "Action": "kms:*"})), "keys")
    return world.request(output_kms_key_arn=key)


def excepted_in_key(world, request, findings):
    key = request.output_kms_key_arn
    statements = json.loads(world.kms.get_key_policy(KeyId=key)["Policy"])["Statement"]
    world.kms.put_key_policy(KeyId=key, Policy=mistakes.policy_of(*excepted(statements, findings)))


@TABLE.mistake("key", "The key's policy denies it", "key policy", by_hand=excepted_in_key)
def _(world):
    key = world.key_in_order()
    policy = json.loads(world.kms.get_key_policy(KeyId=key)["Policy"])
    deny = {"Sid": "NoService", "Effect": "Deny", "Principal": {"Service": SERVICE}, "Action": "kms:*", "Resource": "*"}
    world.kms.put_key_policy(KeyId=key, Policy=mistakes.policy_of(*policy["Statement"], deny))
    return world.request(output_kms_key_arn=key)


@TABLE.mistake("key", "The key is disabled", "key")
def _(world):
    key = world.key_in_order()
    world.kms.disable_key(KeyId=key)
    return world.request(output_kms_key_arn=key)


@TABLE.mistake("key", "The key is pending deletion", "key", by_hand=as_told)
def _(world):
    key = world.key_in_order()
    world.kms.schedule_key_deletion(KeyId=key)
    return world.request(output_kms_key_arn=key)


@TABLE.mistake("key", "There is no such key", "key", by_hand=with_a_key)
def _(world):
    return world.request(output_kms_key_arn=f"{world.new_key()[:-6]}000000")


@TABLE.mistake("key", "The input lies under a key that the request does not name", "role policy", "key policy")
def _(world):
    world.put_input(ServerSideEncryption="aws:kms", SSEKMSKeyId=world.new_key())
    return world.request()


# input, output and name


@TABLE.mistake("input", "There is nothing at the input's address", "input", by_hand=lambda world, *_: world.put_input())
def _(world):
    world.s3.delete_object(Bucket=world.input, Key="users.jsonl")
    return world.request()


@TABLE.mistake("job", "The job's name is taken", "job name", by_hand=lambda world, request, _: world.again(request))
def _(world):
    request = world.request()
    pnb.start(request, session=world.session).wait(progress=False)
    return request


# what is done with each


@pytest.fixture
def world(session, readers_model, monkeypatch):
    monkeypatch.setattr(connection, "_current", session)  # what a report's calls use
    return mistakes.World(session, readers_model, next(NUMBERS))


def titles(rows):
    return [pytest.param(row, id=row.title) for row in rows]


MENDABLE = [row for row in TABLE.rows if row.by_hand is None]


def everything(world):
    """Return every policy of a world, as it is."""
    texts = {}
    for name in sorted(role["RoleName"] for role in world.iam.list_roles()["Roles"] if role["RoleName"] == world.role):
        texts["trust"] = world.trust()
        for policy in world.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            texts[policy] = world.role_policy(policy)
    for bucket in (world.input, world.output):
        try:
            texts[bucket] = world.s3.get_bucket_policy(Bucket=bucket)["Policy"]
        except world.s3.exceptions.ClientError:
            texts[bucket] = None
    for key in world.kms.list_keys()["Keys"]:
        described = world.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        texts[key["KeyArn"]] = described["KeyState"], world.kms.get_key_policy(KeyId=key["KeyId"])["Policy"]
    return texts


@pytest.mark.parametrize("mistake", titles(TABLE.rows))
def test_a_mistake_is_named_before_the_job_and_its_repair_lets_the_job_pass(mistake, world):
    request = mistake.spoil(world)
    findings = world.findings(request)
    assert set(findings.check) == set(mistake.checks), world.report(request)
    assert mistake.title == "The job's name is taken" or not world.runs(request)
    report = world.report(request)
    if mistake.by_hand is None:
        repair = report.repair()
        how = "; ".join(change.heading() for change in repair._changes)
        repair.apply()
    else:
        how = " ".join(findings.to_do)
        request = mistake.by_hand(world, request, findings) or request
        world.report(request).repair().apply()
    assert world.findings(request).empty, world.report(request)
    assert world.runs(request)
    TABLE.note(mistake, findings, how)


@pytest.mark.parametrize("mistake", titles(MENDABLE))
def test_a_repair_is_undone(mistake, world):
    request = mistake.spoil(world)
    before, findings = everything(world), list(world.findings(request).found)
    repair = world.report(request).repair()
    shown = repr(repair)
    assert everything(world) == before and "not made yet" in shown
    repair.apply()
    assert everything(world) != before
    repair.undo()
    assert everything(world) == before
    assert list(world.findings(request).found) == findings


@pytest.mark.parametrize("mistake", titles(MENDABLE))
def test_the_calls_that_a_report_names_mend_it_too(mistake, world):
    request = mistake.spoil(world)
    for to_do in world.findings(request).to_do:
        for call in mistakes.calls_in(to_do)[:1]:
            eval(call, {"pnb": pnb, "session": world.session})
    assert world.findings(request).empty, world.report(request)


@pytest.mark.parametrize("mistake", titles(row for row in MENDABLE if set(row.checks).isdisjoint({"role", "key"})))
def test_the_policies_that_a_report_shows_mend_it_when_they_are_pasted(mistake, world):
    request = mistake.spoil(world)
    before = everything(world)
    for row in world.findings(request).itertuples():
        paste(world, row)
    assert world.findings(request).empty, world.report(request)
    kept = [one for one in before.get("trust", []) if one["Principal"] != {"Service": SERVICE}]
    assert all(one in world.trust() for one in kept)


def paste(world, row):
    if row.check == "trust policy":
        world.iam.update_assume_role_policy(RoleName=world.role, PolicyDocument=row.policy)
    elif row.check == "role policy":
        world.put_role_policy(json.loads(row.policy))
    elif row.check == "bucket policy":
        bucket = re.search(r"bucket policy of ([\w-]+)", row.found)[1]
        world.s3.put_bucket_policy(Bucket=bucket, Policy=row.policy)
    else:
        key = re.search(r"key policy of (\S+)", row.found)[1]
        world.kms.put_key_policy(KeyId=key, Policy=row.policy)


@pytest.mark.parametrize("mistake", titles(row for row in TABLE.rows if row.by_hand is not None))
def test_where_no_policy_helps_none_is_offered(mistake, world):
    request = mistake.spoil(world)
    first = mistake.checks[0]
    report = world.report(request)
    assert not report.repair(first)._changes
    denied = [row for row in report.itertuples() if "Effect Deny" in row.found]
    assert all(not mistakes.calls_in(row.to_do) and not row.policy and "statement" in row.to_do for row in denied)


def test_the_readme_holds_what_this_run_found(request):
    head, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    written, _, tail = rest.partition(END)
    lines = TABLE.lines()
    if request.config.getoption("--write-matrix"):
        table = "\n".join(["| | mistake | what preflight finds | repair |", "|---|---|---|---|", *lines])
        README.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}", encoding="utf-8")
        return
    there = [line for line in written.splitlines() if line.startswith("| ")][1:]
    # of a part of the run only that part is known
    assert [line for line in there if len(lines) == len(TABLE.rows) or line in lines] == lines
    assert len(there) == len(TABLE.rows)
