"""Policies of buckets: what S3 refuses when they are put is refused then, in its words; all else is kept."""

from __future__ import annotations

import json

import pytest
import wire
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_nb.local.s3.bucket_policies import BUCKET_ACTIONS, OBJECT_ACTIONS
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore

BUCKET = "my-films"
OF_BUCKET, OF_OBJECTS = f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"
MINE = f"arn:aws:iam::{wire.ACCOUNT}:role"
KNOWN = f"{MINE}/reader"
SERVICE = {"Service": "personalize.amazonaws.com"}
PLAIN = {"Effect": "Allow", "Principal": SERVICE, "Action": "s3:GetObject", "Resource": OF_OBJECTS}
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """Put a policy of some statements; what S3 says of it, empty when it is kept."""
    store = ObjectStore(tmp_path_factory.mktemp("objects"))
    store.create_bucket(BUCKET, wire.REGION)
    handler = s3_handler(store, wire.REGION, wire.ACCOUNT, has_identity=lambda arn: arn == KNOWN)
    with wire.serving({"s3": handler}) as endpoint:
        s3 = wire.make_client("s3", endpoint)
        s3.delete_public_access_block(Bucket=BUCKET)  # which would refuse to name everybody

        def put(*statements, **document):
            whole = {"Version": "2012-10-17", "Statement": list(statements), **document}
            try:
                s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(whole))
            except ClientError as error:
                assert error.response["Error"]["Code"] == "MalformedPolicy"
                return error.response["Error"]["Message"]
            assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"]) == whole
            return ""

        yield put
        s3.close()


@SHARED
@given(actions=st.lists(st.sampled_from(sorted(OBJECT_ACTIONS | BUCKET_ACTIONS)), min_size=1, max_size=4))
def test_every_action_applies_to_its_own_kind_of_resource_only(answer, actions):
    assert answer(PLAIN | {"Action": actions, "Resource": [OF_BUCKET, OF_OBJECTS]}) == ""
    on_objects = answer(PLAIN | {"Action": actions})
    assert ("does not apply to any resource(s)" in on_objects) is not OBJECT_ACTIONS.issuperset(actions)
    on_bucket = answer(PLAIN | {"Action": actions, "Resource": OF_BUCKET})
    assert ("does not apply to any resource(s)" in on_bucket) is not BUCKET_ACTIONS.issuperset(actions)


@SHARED
@given(action=st.sampled_from(sorted(OBJECT_ACTIONS)), cut=st.integers(4, 40), case=st.booleans())
def test_a_pattern_is_an_action_when_it_fits_one(answer, action, cut, case):
    pattern = f"{action[:cut]}*"
    assert answer(PLAIN | {"Action": pattern.lower() if case else pattern}) == ""
    assert "Policy has invalid action" in answer(PLAIN | {"Action": f"{action}Nobody{pattern}"})


@pytest.mark.parametrize(
    "action",
    ["s3:FetchObject", "s3:ListObjects", "s3:HeadObject", "s3:Objects*", "personalize:*", "s3::GetObject", "s3:"],
)
def test_what_is_no_action(answer, action):
    assert "Policy has invalid action" in answer(PLAIN | {"Action": ["s3:GetObject", action]})


def test_a_refused_action_names_near_ones(answer):
    assert "s3:GetObject" in answer(PLAIN | {"Action": "s3:FetchObject"})


@pytest.mark.parametrize("resource", [f"{OF_BUCKET}*", "arn:aws:s3:::my-*/*", f"{OF_BUCKET}/in/*", f"{OF_BUCKET}/a?c"])
def test_resources_of_this_bucket(answer, resource):
    assert answer(PLAIN | {"Resource": resource}) == ""


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "arn:aws:s3:::*",
        "arn:aws:s3:::other/*",
        "arn:aws:s3:::my-film/*",
        "my-films/*",
        f"{OF_BUCKET}s/*",
        "",
        "arn:*",
    ],
)
def test_resources_of_another(answer, resource):
    assert "Policy has invalid resource" in answer(PLAIN | {"Resource": [OF_OBJECTS, resource]})


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        SERVICE,
        {"AWS": "*"},
        {"AWS": wire.ACCOUNT},
        {"AWS": f"arn:aws:iam::{wire.ACCOUNT}:root"},
        {"AWS": KNOWN},
        {"AWS": ["999999999999", "arn:aws:iam::999999999999:role/path/theirs", "arn:aws:iam::999999999999:user/u"]},
        {"AWS": "arn:aws:sts::999999999999:assumed-role/theirs/session"},
        {"CanonicalUser": "0f" * 32},
        {"Service": ["lambda.amazonaws.com", "delivery.logs.amazonaws.com", "logs.eu-west-1.amazonaws.com"]},
    ],
)
def test_who_may_be_named(answer, principal):
    assert answer(PLAIN | {"Principal": principal}) == ""


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": f"{MINE}/nobody"},
        {"AWS": [KNOWN, f"{MINE}/nobody"]},
        {"AWS": f"{KNOWN}*"},
        {"AWS": "arn:aws:iam::999999999999:role/*"},
        {"AWS": "reader"},
        {"AWS": "12345"},
        {"AWS": "personalize.amazonaws.com"},
        {"AWS": f"arn:aws:iam::{wire.ACCOUNT}:group/g"},
        {"Service": "personalize"},
        {"Service": "personalise.amazonaws.com"},
        {"Service": "personalize-runtime.amazonaws.com"},
        {"Service": "*"},
        {"CanonicalUser": "me"},
    ],
)
@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
def test_who_cannot_be_named(answer, principal, element):
    statement = {name: value for name, value in PLAIN.items() if name != "Principal"}
    assert "Invalid principal in policy" in answer(statement | {element: principal})


@pytest.mark.parametrize(
    ("statements", "document"),
    [
        ([], {}),
        ([PLAIN], {"Statements": []}),
        ([PLAIN], {"Version": "2012-10-18"}),
        ([PLAIN | {"Effect": "Permit"}], {}),
        ([PLAIN | {"Actions": "s3:*"}], {}),
        ([PLAIN | {"Sid": "a"}, PLAIN | {"Sid": "a"}], {}),
        ([PLAIN | {"Condition": {"StringIs": {"aws:SourceAccount": "1"}}}], {}),
    ],
)
def test_documents_that_are_none(answer, statements, document):
    assert "Policies must be valid" in answer(*statements, **document)


def test_exceptions_are_taken(answer):
    deny = {"Effect": "Deny", "Principal": "*", "NotAction": "s3:GetObject", "NotResource": OF_OBJECTS}
    assert answer(PLAIN | {"Sid": "a"}, deny | {"Sid": "b"}) == ""
