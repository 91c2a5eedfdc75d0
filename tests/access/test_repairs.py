"""What a repair does beside mending: it shows, compares, waits, and takes back; and what it refuses to overwrite."""

from __future__ import annotations

import json
import pickle

import pytest
from botocore.awsrequest import AWSResponse

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.access import repairs
from personalize_nb.access.report import Report

BUCKET, ROLE = "pnb-repairs", "PnbRepairs"
LAMBDA = {
    "Sid": "Functions",
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com", "AWS": "arn:aws:iam::999999999999:root"},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": "x"}},
}


def policy_of(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module", autouse=True)
def bucket(session):
    session.s3.create_bucket(Bucket=BUCKET)
    session.s3.put_object(Bucket=BUCKET, Key="in.jsonl", Body=b'{"userId": "r1"}\n')


@pytest.fixture
def spoiled(session, readers_model):
    """Give a request whose role trusts others only and has no policy, in a bucket without one."""
    session.s3.delete_bucket_policy(Bucket=BUCKET)
    made = session.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=policy_of(LAMBDA))["Role"]
    yield pnb.JobRequest(
        job_name="repairs-never",
        solution_version_arn=readers_model.arn,
        input_path=f"s3://{BUCKET}/in.jsonl",
        output_path=f"s3://{BUCKET}/out/",
        role_arn=made["Arn"],
    )
    for name in session.iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        session.iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
    session.iam.delete_role(RoleName=ROLE)


@pytest.fixture
def repair(session, spoiled):
    return pnb.preflight(spoiled, session=session).repair()


def trust(session):
    return session.iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]


def errors_of(session, request):
    report = pnb.preflight(request, session=session)
    return list(report[report.level == "error"].check)


# what is shown


def test_the_difference_reads_well_as_text_and_as_html(repair):
    text, page = repr(repair), repair._repr_html_()
    assert text.startswith("Repair of 3 changes, not made yet; .apply() makes them")
    for heading in (f"1. trust policy of role {ROLE}", f"3. bucket policy of {BUCKET} (new)"):
        assert heading in text and f"<b>{heading}</b>" in page
    added = [line.strip() for line in text.splitlines() if line.strip().startswith("+")]
    assert any('"Service": "personalize.amazonaws.com"' in line for line in added)
    assert not any("lambda" in line for line in added) and '"aws:SourceAccount"' in repair.differences
    assert page.count("<pre") == 3 and "script" not in page


def test_a_report_says_how_and_a_part_of_it_repairs_that_part(session, spoiled):
    report = pnb.preflight(spoiled, session=session)
    assert ".repair()" in repr(report) and ".repair()" in report._repr_html_()
    assert repr(report.repair("bucket policy")).startswith("Repair of 1 change,")
    assert repr(report[report.check == "trust policy"].repair()).startswith("Repair of 1 change,")
    assert ".repair()" not in repr(report[report.level == "ok"])
    assert repr(report[report.level == "ok"].repair()) == "Nothing to repair"
    assert repr(pickle.loads(pickle.dumps(report))) == repr(report).rpartition("\n")[0]
    with pytest.raises(KeyError, match="no check 'bukcet'; it has trust policy"):
        report.repair("bukcet")
    assert repr(Report.of([]).repair()) == "Nothing to repair"


def test_nothing_is_asked_twice(session, spoiled):
    calls = []
    session.iam.meta.events.register("before-call.iam", lambda model, **_: calls.append(model.name), unique_id="count")
    try:
        report = pnb.preflight(spoiled, session=session)
        asked = len(calls)
        repr(report.repair()), repr(report.repair())
    finally:
        session.iam.meta.events.unregister("before-call.iam", unique_id="count")
    assert asked == len(calls) > 0


# making and taking back


def test_made_twice_is_made_once_and_undone_twice_is_undone_once(session, spoiled, repair):
    before = trust(session)
    assert repair.apply() is repair.apply()
    assert errors_of(session, spoiled) == []
    assert trust(session)["Statement"][0] == LAMBDA and len(trust(session)["Statement"]) == 2
    assert repair.undo() is repair.undo()
    assert trust(session) == before and "undone" in repr(repair)
    repair.apply()
    assert errors_of(session, spoiled) == []


def test_what_changed_since_it_was_shown_is_not_overwritten(session, repair):
    changed = policy_of({**LAMBDA, "Sid": "Newer"})
    session.iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=changed)
    with pytest.raises(
        errors.ServiceError, match=f"Nothing was changed: the trust policy of role {ROLE} changed since"
    ):
        repair.apply()
    assert trust(session) == json.loads(changed)
    with pytest.raises(session.s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
        session.s3.get_bucket_policy(Bucket=BUCKET)


def test_what_changed_after_the_repair_is_not_taken_back(session, repair):
    repair.apply()
    newer = trust(session)
    newer["Statement"].append({**LAMBDA, "Sid": "Newer"})
    session.iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(newer))
    with pytest.raises(errors.ServiceError, match="Nothing was changed: the trust policy of role PnbRepairs changed"):
        repair.undo()
    assert trust(session) == newer
    assert session.s3.get_bucket_policy(Bucket=BUCKET)["Policy"]


def test_what_somebody_else_has_made_already_is_theirs_and_stays(session, repair):
    pnb.allow_personalize(BUCKET, session=session)
    repair.apply().undo()
    assert session.s3.get_bucket_policy(Bucket=BUCKET)["Policy"]


def refuse(session, operation, code, message, times=1):
    """Let an operation of IAM, S3 or KMS be refused some times; return the handler that counts it."""
    left = [times]

    def handler(parsed, http_response, **_):
        if left[0]:
            left[0] -= 1
            http_response.status_code = 400
            parsed.clear()
            parsed.update({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"RequestId": "r-1"}})

    service = operation.partition(".")[0]
    session.client(service).meta.events.register(f"after-call.{operation}", handler, unique_id="refuse")
    return lambda: session.client(service).meta.events.unregister(f"after-call.{operation}", unique_id="refuse")


def test_a_refusal_half_way_tells_what_was_done_and_undo_takes_it_back(session, spoiled, repair):
    before = trust(session)

    def forbid(**_):
        return AWSResponse("", 403, {}, None), {"Error": {"Code": "AccessDenied", "Message": "not authorized"}}

    session.iam.meta.events.register("before-call.iam.PutRolePolicy", forbid, unique_id="forbid")
    try:
        with pytest.raises(errors.AccessError) as error:
            repair.apply()
    finally:
        session.iam.meta.events.unregister("before-call.iam.PutRolePolicy", unique_id="forbid")
    text = str(error.value)
    assert f"Changed so far: trust policy of role {ROLE}; not changed: inline policy" in text and ".undo()" in text
    assert trust(session) != before and "made in part; .apply() makes the rest" in repr(repair)
    repair.undo()
    assert trust(session) == before
    repair.apply()
    assert errors_of(session, spoiled) == []


# waiting


def lagging(session, reads):
    """Let GetRole answer the first trust it gave for so many more reads."""
    first, left = [], [reads]

    def handler(parsed, **_):
        if not first:
            first.append(parsed["Role"]["AssumeRolePolicyDocument"])
        elif left[0]:
            left[0] -= 1
            parsed["Role"]["AssumeRolePolicyDocument"] = first[0]

    session.iam.meta.events.register("after-call.iam.GetRole", handler, unique_id="lag")
    return lambda: session.iam.meta.events.unregister("after-call.iam.GetRole", unique_id="lag")


def test_a_change_is_waited_for_until_it_is_read_back(repair, session):
    waits = []
    stop = lagging(session, reads=5)
    try:
        repair.apply(sleep=waits.append)
    finally:
        stop()
    assert waits and set(waits) == {repairs.LOOK_SECONDS}
    assert "made" in repr(repair)


def test_the_wait_has_an_end_and_the_same_call_looks_again(repair, session):
    waits = []
    stop = lagging(session, reads=1000)
    try:
        with pytest.raises(errors.WaitTimeoutError, match=r"after 60 s: trust policy.*the same call again"):
            repair.apply(sleep=waits.append)
    finally:
        stop()
    assert len(waits) == repairs.MAX_LOOKS
    repair.apply(sleep=waits.append)
    assert len(waits) == repairs.MAX_LOOKS


def failing_looks(session, code, message, times):
    """Let GetBucketPolicy fail some times once PutBucketPolicy or DeleteBucketPolicy has been answered."""
    stops = []

    def written(**_):
        stops.append(refuse(session, "s3.GetBucketPolicy", code, message, times))

    events = session.s3.meta.events
    for operation in ("PutBucketPolicy", "DeleteBucketPolicy"):
        events.register(f"after-call.s3.{operation}", written, unique_id=operation)

    def stop():
        for operation in ("PutBucketPolicy", "DeleteBucketPolicy"):
            events.unregister(f"after-call.s3.{operation}", unique_id=operation)
        for each in stops:
            each()

    return stop


def test_what_is_written_is_made_also_where_it_may_not_be_looked_at_again(session, spoiled, repair):
    stop = failing_looks(session, "AccessDenied", "Access Denied", times=1)
    try:
        with pytest.raises(errors.AccessError) as error:
            repair.apply()
    finally:
        stop()
    told = str(error.value)
    assert "written before" in told and f"bucket policy of {BUCKET}. It was taken" in told
    assert repr(repair).startswith("Repair of 3 changes, made; .undo() takes them back")
    assert repair.apply() is repair and errors_of(session, spoiled) == []
    stop = failing_looks(session, "AccessDenied", "Access Denied", times=1)
    try:
        with pytest.raises(errors.AccessError, match="It was taken"):
            repair.undo()
    finally:
        stop()
    assert repr(repair).startswith("Repair of 3 changes, undone")
    assert repair.undo() is repair


def test_a_look_that_fails_in_passing_is_made_again(session, spoiled, repair):
    waits = []
    stop = failing_looks(session, "SlowDown", "Please reduce your request rate.", times=2)
    try:
        repair.apply(sleep=waits.append)
    finally:
        stop()
    assert waits == [repairs.LOOK_SECONDS] * 2
    assert errors_of(session, spoiled) == []


def test_at_once_on_the_local_service_and_a_minute_on_aws(repair, session, monkeypatch):
    waits = []
    repair.apply(sleep=waits.append)
    assert waits == []
    monkeypatch.setattr(type(session), "is_local", False)
    repair.undo(sleep=waits.append)
    assert waits == [repairs.PROPAGATION_SECONDS]


def test_a_key_that_does_not_know_the_new_role_yet_is_asked_again(session):
    session.s3.put_bucket_policy(Bucket=BUCKET, Policy=pnb.bucket_policy(BUCKET, session))
    key = session.client("kms").create_key()["KeyMetadata"]["Arn"]
    waits, text = [], "Policy contains a statement with one or more invalid principals."
    stop = refuse(session, "kms.PutKeyPolicy", "MalformedPolicyDocumentException", text, times=2)
    try:
        arn = pnb.create_role("PnbKnownLater", BUCKET, key, session, sleep=waits.append)
    finally:
        stop()
    assert waits == [repairs.LOOK_SECONDS] * 2
    assert arn in session.client("kms").get_key_policy(KeyId=key)["Policy"]


def test_a_new_role_that_iam_does_not_know_everywhere_yet_is_asked_again(session):
    session.s3.put_bucket_policy(Bucket=BUCKET, Policy=pnb.bucket_policy(BUCKET, session))
    waits = []
    stop = refuse(session, "iam.PutRolePolicy", "NoSuchEntity", "The role cannot be found.", times=2)
    try:
        pnb.create_role("PnbKnownEverywhereLater", BUCKET, session=session, sleep=waits.append)
    finally:
        stop()
    assert waits == [repairs.LOOK_SECONDS] * 2


# too long


FULL = {"Effect": "Allow", "Action": "s3:GetObject"}


def test_a_trust_that_is_full_is_said_and_nothing_is_made(session, spoiled):
    users = [
        {**LAMBDA, "Sid": f"S{number}", "Condition": {"StringEquals": {"sts:ExternalId": "x" * 300}}}
        for number in range(4)
    ]
    session.iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=policy_of(*users))
    report = pnb.preflight(spoiled, session=session)
    (row,) = report[report.check == "trust policy"].itertuples()
    assert "IAM takes 2,048" in row.to_do and "role of its own" in row.to_do
    assert repr(report.repair("trust policy")) == "Nothing to repair"
    before = trust(session)
    with pytest.raises(
        errors.QuotaError, match=r"Nothing was changed\. The trust policy of role PnbRepairs would have"
    ):
        pnb.create_role(ROLE, BUCKET, session=session)
    assert trust(session) == before
    assert session.iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == []


def test_a_bucket_policy_that_is_full_is_said(session, spoiled):
    who = {"AWS": "arn:aws:iam::999999999999:root"}
    where = f"arn:aws:s3:::{BUCKET}/"
    many = [{**FULL, "Sid": f"S{n}", "Principal": who, "Resource": f"{where}{n}/{'x' * 900}"} for n in range(18)]
    many[-1]["Resource"] += "x" * (20_400 - len(policy_of(*many)))
    session.s3.put_bucket_policy(Bucket=BUCKET, Policy=policy_of(*many))
    report = pnb.preflight(spoiled, session=session)
    (row,) = report[report.check == "bucket policy"].itertuples()
    assert "S3 takes 20,480" in row.to_do and "pnb." not in row.to_do
    with pytest.raises(errors.QuotaError, match="S3 takes 20,480"):
        pnb.allow_personalize(BUCKET, session=session)


# roles by path


@pytest.mark.parametrize("name", ["team/PnbPath", "/team/PnbPath", "arn:aws:iam::{account}:role/team/PnbPath"])
def test_a_role_with_a_path_is_made_and_found(session, name):
    given = name.format(account=session.account)
    arn = pnb.create_role(given, BUCKET, session=session)
    assert arn == f"arn:aws:iam::{session.account}:role/team/PnbPath"
    assert pnb.create_role("PnbPath", BUCKET, session=session) == arn  # a name is there once
    with pytest.raises(errors.AlreadyExistsError, match="with another path: arn:aws:iam"):
        pnb.create_role("other/PnbPath", BUCKET, session=session)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("arn:aws:iam::999999999999:role/X", "must be a role of this session's account"),
        ("arn:aws-cn:iam::{account}:role/X", "must be a role of this session's account"),
        ("arn:aws:iam::12:role/X", "be the role's ARN"),
        ("arn:aws:iam::{account}:user/X", "be the role's ARN"),
        ("team/", "'name' must have 1 to 64"),
    ],
)
def test_what_is_no_role_of_this_account_is_refused(session, name, told):
    with pytest.raises(ValueError, match=told):
        pnb.create_role(name.format(account=session.account), BUCKET, session=session)
