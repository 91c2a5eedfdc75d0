"""A notebook that makes its own role, bucket and policies runs as on AWS; without any one permission it is told which.

The workflow is written as AWS's guide tells users to: two buckets, a role with a policy of its own, a trust policy
with the conditions against confused deputies, and a bucket policy on each bucket.
"""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager

import pytest
import small_world as world
from botocore.exceptions import ClientError

from personalize_nb.local.iam.accounts import bucket_policy, ensure_default_role
from personalize_nb.local.iam.authorization import Authorizer
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state.store import Store
from personalize_nb.local.tasks.run import WorkContext, perform

SERVICE, ACCOUNT = "personalize.amazonaws.com", "123456789012"
IN, OUT, ROLE = "judged-in", "judged-out", "JudgedRole"
LITERAL = (
    "Insufficient privileges for accessing data in S3. Please look at https://docs.aws.amazon.com/personalize/latest/dg/"
    "granting-personalize-s3-access.html#attach-bucket-policy and fix bucket policy on {}."
)
OF_ROLE = "Insufficient privileges for accessing data in Amazon S3."


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def on(bucket):
    return [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]


TRUST = policy(
    {
        "Principal": {"Service": SERVICE},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:personalize:us-east-1:{ACCOUNT}:*"},
        },
    }
)
MAY_READ = policy({"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": on(IN)})
MAY_WRITE = policy({"Action": ["s3:PutObject", "s3:ListBucket"], "Resource": on(OUT)})
BUCKETS = {
    IN: policy(
        {"Principal": {"Service": SERVICE}, "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": on(IN)},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": on(IN)}
        | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ),
    OUT: policy({"Principal": {"Service": SERVICE}, "Action": ["s3:PutObject", "s3:ListBucket"], "Resource": on(OUT)}),
}


@pytest.fixture(scope="module")
def iam(client):
    return client("iam")


@pytest.fixture(scope="module")
def world_of_own(iam, s3):
    """Make role and buckets as the guide says; return the role's ARN."""
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=json.dumps(MAY_READ))
    own = iam.create_policy(PolicyName="JudgedWrite", PolicyDocument=json.dumps(MAY_WRITE))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=own)
    for bucket, document in BUCKETS.items():
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    s3.put_object(Bucket=IN, Key="data.csv", Body=world.csv("INTERACTIONS"))
    s3.put_object(Bucket=IN, Key="in/users.json", Body=b'{"userId": "u1"}\n{"userId": "u2"}\n')
    return role


@pytest.fixture(scope="module")
def ended(until):
    """Wait for the end of what a Describe call describes, and return it."""

    def wait(describe, **arn):
        def look():
            (found,) = (value for key, value in describe(**arn).items() if key != "ResponseMetadata")
            return found if found["status"] in ("ACTIVE", "CREATE FAILED") else None

        return until(look, f"the end of {arn}")

    return wait


@pytest.fixture(scope="module")
def dataset(personalize, ended):
    group = personalize.create_dataset_group(name="judged")["datasetGroupArn"]
    schema = personalize.create_schema(name="judged", schema=world.avro("INTERACTIONS"))["schemaArn"]
    ended(personalize.describe_dataset_group, datasetGroupArn=group)
    arn = personalize.create_dataset(
        name="judged", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )["datasetArn"]
    ended(personalize.describe_dataset, datasetArn=arn)
    return arn


@pytest.fixture(scope="module")
def version(personalize, world_of_own, dataset, ended):
    """Import with the role of our own and train; return the solution version's ARN."""
    arn = personalize.create_dataset_import_job(
        jobName="judged",
        datasetArn=dataset,
        dataSource={"dataLocation": f"s3://{IN}/data.csv"},
        roleArn=world_of_own,
    )["datasetImportJobArn"]
    assert ended(personalize.describe_dataset_import_job, datasetImportJobArn=arn)["status"] == "ACTIVE"
    solution = personalize.create_solution(
        name="judged",
        datasetGroupArn=dataset.replace(":dataset/", ":dataset-group/").rsplit("/", 1)[0],
        recipeArn="arn:aws:personalize:::recipe/aws-popularity-count",
        performAutoTraining=False,
    )["solutionArn"]
    ended(personalize.describe_solution, solutionArn=solution)
    arn = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert ended(personalize.describe_solution_version, solutionVersionArn=arn)["status"] == "ACTIVE"
    return arn


@pytest.fixture
def start(personalize, version, world_of_own):
    def call(name="never", role=world_of_own, source="in/users.json", target=f"s3://{OUT}/out/", **key):
        return personalize.create_batch_inference_job(
            jobName=name,
            solutionVersionArn=version,
            jobInput={"s3DataSource": {"path": f"s3://{IN}/{source}", **key}},
            jobOutput={"s3DataDestination": {"path": target, **key}},
            roleArn=role,
            numResults=3,
        )["batchInferenceJobArn"]

    return call


@pytest.fixture
def refused(start, personalize):
    """Start a job that must be refused; return the message, and see that no job stays behind."""

    def call(**options):
        with pytest.raises(personalize.exceptions.InvalidInputException) as error:
            start(**options)
        jobs = personalize.list_batch_inference_jobs()["batchInferenceJobs"]
        assert "never" not in [job["jobName"] for job in jobs]
        return error.value.response["Error"]["Message"]

    return call


@contextmanager
def bucket_policy_of(s3, bucket, document):
    if document is None:
        s3.delete_bucket_policy(Bucket=bucket)
    else:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    yield
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(BUCKETS[bucket]))


def without(document, action):
    """The document without one action."""
    document = copy.deepcopy(document)
    document["Statement"][0]["Action"].remove(action)
    return document


def test_the_workflow_of_the_guide_runs(start, personalize, s3, ended):
    job = ended(personalize.describe_batch_inference_job, batchInferenceJobArn=start("judged-runs"))
    assert job["status"] == "ACTIVE", job["failureReason"]
    rows = s3.get_object(Bucket=OUT, Key="out/users.json.out")["Body"].read().splitlines()
    assert [json.loads(row)["input"]["userId"] for row in rows] == ["u1", "u2"]


@pytest.mark.parametrize("bucket", BUCKETS)
def test_without_a_bucket_policy(refused, s3, bucket):
    with bucket_policy_of(s3, bucket, None):
        text = refused()
    assert text.startswith(LITERAL.format(bucket))
    assert f"The bucket policy of {bucket} (there is none) does not allow {SERVICE} s3:ListBucket" in text


@pytest.mark.parametrize(
    ("bucket", "action", "resource"),
    [
        (IN, "s3:GetObject", f"{IN}/in/users.json"),
        (IN, "s3:ListBucket", IN),
        (OUT, "s3:PutObject", f"{OUT}/out/_CHECK"),
        (OUT, "s3:ListBucket", OUT),
    ],
)
def test_one_action_missing_in_a_bucket_policy(refused, s3, bucket, action, resource):
    with bucket_policy_of(s3, bucket, without(BUCKETS[bucket], action)):
        text = refused()
    wanted = f"The bucket policy of {bucket} does not allow {SERVICE} {action} on arn:aws:s3:::{resource}."
    assert text == f"{LITERAL.format(bucket)} {wanted}"


@pytest.mark.parametrize(("action", "resource"), [("s3:GetObject", f"{IN}/in/users.json"), ("s3:ListBucket", IN)])
def test_one_action_missing_in_the_role_s_inline_policy(refused, iam, action, resource):
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=json.dumps(without(MAY_READ, action)))
    text = refused()
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=json.dumps(MAY_READ))
    # the bucket's policy is right, so nobody is sent to mend it
    assert text == f"{OF_ROLE} No policy of role {ROLE} allows role {ROLE} {action} on arn:aws:s3:::{resource}."


def test_the_managed_policy_is_detached(refused, iam):
    arn = f"arn:aws:iam::{ACCOUNT}:policy/JudgedWrite"
    iam.detach_role_policy(RoleName=ROLE, PolicyArn=arn)
    text = refused()
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)
    assert text.startswith(OF_ROLE) and f"s3:PutObject on arn:aws:s3:::{OUT}/out/_CHECK" in text


def test_a_deny_wins_and_is_named(refused, s3, iam):
    deny = {"Sid": "NotBooks", "Effect": "Deny", "Principal": "*", "Action": "s3:Get*", "Resource": on(IN)}
    closed = copy.deepcopy(BUCKETS[IN])
    closed["Statement"].append(deny)
    with bucket_policy_of(s3, IN, closed):
        text = refused()
    assert "denies" in text and "'NotBooks'" in text and "s3:GetObject" in text
    del deny["Principal"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="guard", PolicyDocument=json.dumps(policy(deny)))
    text = refused()
    iam.delete_role_policy(RoleName=ROLE, PolicyName="guard")
    assert f"Inline policy guard denies role {ROLE} s3:GetObject" in text
    assert text.startswith(OF_ROLE)


def test_a_bucket_policy_and_the_role_s_policy_both_missing(refused, s3, iam):
    iam.delete_role_policy(RoleName=ROLE, PolicyName="read")
    with bucket_policy_of(s3, OUT, None):
        text = refused()
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=json.dumps(MAY_READ))
    assert text.startswith(LITERAL.format(OUT)) and f"No policy of role {ROLE} allows" in text


def test_an_unmet_condition_is_told_with_the_facts(refused, s3):
    other = copy.deepcopy(BUCKETS[IN])
    other["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceAccount": "999999999999"}}
    with bucket_policy_of(s3, IN, other):
        text = refused()
    assert "its Condition is not met" in text and f"aws:sourceaccount is {ACCOUNT}" in text


@pytest.mark.parametrize(
    "trust",
    [
        policy({"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}),
        policy({"Effect": "Deny", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}),
        policy(
            TRUST["Statement"][0]
            | {"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:personalize:eu-west-1:{ACCOUNT}:*"}}}
        ),
    ],
    ids=["another service", "denied", "another region"],
)
def test_a_role_that_does_not_trust_personalize(refused, iam, trust):
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))
    text = refused()
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(TRUST))
    assert "trust policy of role JudgedRole" in text and "sts:AssumeRole" in text and SERVICE in text


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{ACCOUNT}:role/Nobody", f"arn:aws:iam::999999999999:role/{ROLE}"])
def test_a_role_that_does_not_exist(refused, arn):
    assert f"The role {arn} does not exist" in refused(role=arn)


def test_aws_s_managed_policy_reaches_buckets_with_personalize_in_their_name(refused, iam, s3):
    iam.create_role(RoleName="Sampled", AssumeRolePolicyDocument=json.dumps(TRUST))
    arn = "arn:aws:iam::aws:policy/service-role/AmazonPersonalizeFullAccess"
    iam.attach_role_policy(RoleName="Sampled", PolicyArn=arn)
    role = f"arn:aws:iam::{ACCOUNT}:role/Sampled"
    text = refused(role=role)
    assert f"No policy of role Sampled allows role Sampled s3:GetObject on arn:aws:s3:::{IN}" in text
    iam.attach_role_policy(RoleName="Sampled", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    text = refused(role=role)
    assert "s3:PutObject" in text and "s3:GetObject" not in text.partition(". The")[2]
    iam.attach_role_policy(RoleName="Sampled", PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
    assert "arn:aws:iam::aws:policy/PowerUserAccess allows is not known" in refused(role=role)


def test_a_bucket_elsewhere(refused, s3):
    where = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    s3.create_bucket(Bucket="judged-far", **where)
    s3.put_bucket_policy(Bucket="judged-far", Policy=bucket_policy("judged-far"))
    text = refused(target="s3://judged-far/out/")
    assert "Bucket 'judged-far' is in region eu-west-1" in text and "us-east-1" in text


def test_a_bucket_of_one_s_own_needs_a_policy_and_gets_along_with_the_default_role(start, refused, s3, local_service):
    s3.create_bucket(Bucket="judged-plain")
    role, target = local_service.role_arn, "s3://judged-plain/x/"
    with bucket_policy_of(s3, IN, json.loads(bucket_policy(IN))):
        assert refused(role=role, target=target).startswith(LITERAL.format("judged-plain"))
        s3.put_bucket_policy(Bucket="judged-plain", Policy=bucket_policy("judged-plain"))
        start("judged-default-role", role=role, target=target)


def test_the_service_s_own_bucket_and_role_can_be_read(s3, iam, local_service):
    text = s3.get_bucket_policy(Bucket=local_service.bucket)["Policy"]
    assert text == bucket_policy(local_service.bucket)
    name = local_service.role_arn.rsplit("/", 1)[-1]
    (statement,) = iam.get_role_policy(RoleName=name, PolicyName="ReadAndWriteBuckets")["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]


def test_imports_are_judged_too(personalize, world_of_own, dataset, version, s3):
    with (
        bucket_policy_of(s3, IN, without(BUCKETS[IN], "s3:GetObject")),
        pytest.raises(ClientError, match=f"does not allow {SERVICE} s3:GetObject on arn:aws:s3:::{IN}/data.csv"),
    ):
        personalize.create_dataset_import_job(
            jobName="judged-not",
            datasetArn=dataset,
            dataSource={"dataLocation": f"s3://{IN}/data.csv"},
            roleArn=world_of_own,
        )


def test_exports_are_judged_too(personalize, world_of_own, version, dataset):
    with pytest.raises(ClientError, match=f"s3:PutObject on arn:aws:s3:::{IN}/back/_CHECK"):
        personalize.create_dataset_export_job(
            jobName="judged-not",
            datasetArn=dataset,
            jobOutput={"s3DataDestination": {"path": f"s3://{IN}/back/"}},
            roleArn=world_of_own,
        )


def test_a_policy_that_went_away_in_the_meantime_fails_the_job_with_the_reason(tmp_path):
    """Judged again when work begins: here the worker's part is played by the test."""
    store, objects = Store(tmp_path / "state.sqlite"), ObjectStore(tmp_path / "objects")
    role = ensure_default_role(tmp_path, ACCOUNT)
    authorizer = Authorizer(tmp_path / "state.sqlite", objects, ACCOUNT, "us-east-1")
    objects.create_bucket("own", "us-east-1")
    objects.set_setting("own", "policy", bucket_policy("own"))
    objects.put("own", "data.csv", b"x")
    context = WorkContext(tmp_path, store, objects, "us-east-1", ACCOUNT, authorizer=authorizer)
    done = []
    for name, text in (("with", bucket_policy("own")), ("without", None)):
        objects.set_setting("own", "policy", text)
        arn = f"arn:aws:personalize:us-east-1:{ACCOUNT}:dataset-import-job/{name}"
        body = {"roleArn": role, "dataSource": {"dataLocation": "s3://own/data.csv"}}
        store.create("dataset_import_job", arn, name, body, status="CREATE PENDING")
        store.enqueue("import", arn)
        perform(context, store.claim(1), {"import": lambda _, resource: done.append(resource.name)})
        store_status = (store[arn].status, store[arn].failure_reason)
        if text is None:
            assert store_status[0] == "CREATE FAILED"
            assert store_status[1].startswith(LITERAL.format("own")) and "s3:GetObject" in store_status[1]
        else:
            assert store_status == ("ACTIVE", None)
    assert done == ["with"]
    authorizer.close()
    store.close()
    objects.close()
