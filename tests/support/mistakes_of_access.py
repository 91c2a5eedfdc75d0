"""The mistakes around a job that policies, buckets, keys and names can have, each a row of the matrix."""

from __future__ import annotations

import json
import re

import mistakes

import personalize_nb as pnb

TABLE = mistakes.Table()
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
    """Return statements, the denying one as the report says that it should read."""
    spared = json.loads(re.search(r"so that it reads (\{.*\})", findings.to_do.item())[1])
    return [one if one["Effect"] == "Allow" else spared for one in statements]


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


def narrowed_in_role(world, request, findings):
    assert "narrow its Action or Resource" in findings.to_do.item() and "Condition" not in findings.to_do.item()
    (deny,) = world.role_policy("guard")["Statement"]
    elsewhere = f"arn:aws:s3:::{world.output}/archive/*"
    world.put_role_policy(json.loads(mistakes.policy_of({**deny, "Resource": elsewhere})), "guard")


@TABLE.mistake("role", "A policy of the role denies it", "role policy", by_hand=narrowed_in_role)
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
