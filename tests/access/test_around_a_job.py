"""What preflight finds around a job: a raised quota, a training that is billed by itself, what is of elsewhere."""

from __future__ import annotations

import pytest
import reading_world
from injected import answering

import personalize_nb as pnb
from personalize_nb.training.train import train


def jobs(count):
    entries = [{"jobName": f"j{number}", "status": "CREATE PENDING"} for number in range(count)]
    return {"batchInferenceJobs": entries}


def quotas(*names, value=20.0):
    return {"Quotas": [{"QuotaName": name, "Value": value} for name in names]}


@pytest.mark.parametrize(
    ("known", "running", "level", "text"),
    [
        (None, 0, "ok", "5 may be, by the account's quota"),
        (None, 5, "error", "5 may be, by the account's quota"),
        (quotas("Batch inference jobs in progress"), 5, "ok", "20 may be, by the account's quota"),
        (quotas("Pending or in-progress batch-inference-jobs"), 20, "error", "20 may be"),
        (quotas("Concurrent Batch Inference Jobs", "Records per batch inference job"), 7, "ok", "20 may be"),
        (quotas("Batch segment jobs in progress"), 0, "ok", "5 may be by default"),
        (quotas("Batch inference jobs active", "Batch inference jobs pending"), 5, "error", "5 may be by default"),
        ("AccessDeniedException", 0, "ok", "5 may be by default. The account's own quota could not be asked"),
        ("AccessDeniedException", 5, "error", "5 may be by default"),
        ("AccessDeniedException", 6, "could not be checked", "the account's quota is raised"),
    ],
)
def test_the_quota_is_the_accounts_own_where_it_may_be_asked(rows, right, session, known, running, level, text):
    with answering(session.personalize, "ListBatchInferenceJobs", jobs(running)):
        if known is None:
            row = rows(right())["quota"]
        else:
            with answering(session.client("service-quotas"), "ListServiceQuotas", known):
                row = rows(right())["quota"]
    assert row.level == level and text in row.found


def test_a_solution_that_trains_by_itself_is_warned_of_and_put_right(rows, right, session):
    version = train(reading_world.interactions(), name="trains-on", recipe="aws-sims", progress=False, session=session)
    solution = session.call("describe_solution_version", solutionVersionArn=version.arn)["solutionVersion"]
    request = right(solution_version_arn=version.arn)
    assert "auto training" not in rows(request)
    session.call("update_solution", solutionArn=solution["solutionArn"], performAutoTraining=True)
    wait_for_update(session, solution["solutionArn"])
    row = rows(request)["auto training"]
    assert row.level == "warning" and "each training is billed" in row.found and "rate(7 days)" in row.found
    assert "performAutoTraining=False" in row.to_do
    eval(row.to_do, {"session": session})  # the line that is offered
    wait_for_update(session, solution["solutionArn"])
    assert "auto training" not in rows(request)


def wait_for_update(session, arn):
    for _ in range(10_000):
        latest = session.call("describe_solution", solutionArn=arn)["solution"]["latestSolutionUpdate"]
        if latest["status"] == "ACTIVE":
            return
    raise AssertionError("the update does not end")


ELSEWHERE = {
    "solution_version_arn": ("arn:aws:personalize:eu-west-1:123456789012:solution/x/1234abcd", "region 'eu-west-1'"),
    "filter_arn": ("arn:aws:personalize:us-east-1:999999999999:filter/x", "account '999999999999'"),
    "input_kms_key_arn": ("arn:aws:kms:eu-west-1:123456789012:key/x", "region 'eu-west-1'"),
    "output_kms_key_arn": ("arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/x", "partition 'aws-us-gov'"),
}


@pytest.mark.parametrize("attribute", ELSEWHERE)
def test_what_is_of_another_partition_region_or_account_is_named(rows, right, session, attribute):
    arn, text = ELSEWHERE[attribute]
    row = rows(right(**{attribute: arn}))[f"region: {attribute}"]
    assert row.level == "error" and f"'{attribute}' is of {text}" in row.found and arn in row.found
    assert session.account in row.to_do and session.region in row.to_do


def test_the_region_of_a_bucket_is_known_to_those_who_may_not_ask_for_it(rows, right, session, refusing):
    there = {"LocationConstraint": "eu-west-1"}
    session.s3.create_bucket(Bucket="around-far", CreateBucketConfiguration=there)
    with refusing("s3:GetBucketLocation"):
        found = rows(right(output_path="s3://around-far/out/"))
    assert found["region"].level == "error" and "eu-west-1" in found["region"].found


def test_a_key_of_another_account_may_be_used(rows, right):
    arn = "arn:aws:kms:us-east-1:999999999999:key/x"
    assert "region: input_kms_key_arn" not in rows(right(input_kms_key_arn=arn))


def test_reports_say_what_aws_could_not_be_asked(rows, right, refusing):
    with refusing("personalize:DescribeSolution", "personalize:ListBatchInferenceJobs"):
        found = rows(right())
    assert found["auto training"].level == found["quota"].level == "could not be checked"


def test_a_check_that_cannot_be_made_has_the_name_of_one_that_can(rows, right, refusing):
    good = set(rows(right()))
    with refusing("personalize:DescribeSolutionVersion", "personalize:DescribeBatchInferenceJob"):
        found = rows(right())
    unread = {name for name, row in found.items() if row.level == "could not be checked"}
    assert unread >= {"solution version", "job name"} and unread <= good


def test_who_may_read_little_is_told_so_in_a_row_for_each_thing(right, refusing, session):
    rights = ["s3:GetBucketLocation", "s3:GetBucketPolicy", "s3:GetBucketEncryption", "s3:ListBucket", "iam:GetRole"]
    rights += ["iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "sts:GetCallerIdentity"]
    with refusing(*rights):
        report = pnb.preflight(right(), session=session)
    unread = report[report.level == "could not be checked"]
    texts = unread.found[unread.check == "permissions"].tolist()
    assert texts == [
        f"Bucket {session.bucket} could not be checked in full: s3:GetBucketLocation, s3:GetBucketPolicy, "
        "s3:ListBucket and s3:GetEncryptionConfiguration are not allowed to you.",
        f"Role {session.role().rsplit('/', 1)[-1]} could not be checked in full: iam:GetRole, iam:ListRolePolicies and "
        "iam:ListAttachedRolePolicies are not allowed to you.",
    ]
    assert not unread.found.str.contains("pnb.preflight", regex=False).any(), "it is preflight that says it"


def test_a_role_of_another_account_is_told_of_once(rows, right):
    found = rows(right(role_arn="arn:aws:iam::999999999999:role/x"))
    assert [name for name, row in found.items() if "999999999999:role/x" in row.found] == ["role"]
