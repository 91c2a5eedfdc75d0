"""A session that goes to another process: it works there, and its secrets are in no text of it."""

from __future__ import annotations

import pickle

import boto3
import pytest

from personalize_nb import errors
from personalize_nb.session.portable import portable
from personalize_nb.session.session import Session

SECRET = "not-to-be-seen-anywhere"


@pytest.fixture
def on_aws():
    keys = boto3.Session("AKIAIOSFODNN7EXAMPLE", SECRET, "token-not-to-be-seen", region_name="eu-west-1")
    return Session.aws(bucket="b", prefix="p", role_arn="arn:aws:iam::123456789012:role/r", boto3_session=keys)


def test_the_callers_credentials_go_along_by_choice_only(on_aws):
    assert portable(on_aws).keys is None
    facts = pickle.loads(pickle.dumps(portable(on_aws, "caller")))
    made = facts.session()
    assert (made.region, made.bucket, made.prefix, made.role_arn) == ("eu-west-1", "b", "p", on_aws.role_arn)
    assert made.s3._request_signer._credentials.secret_key == SECRET
    assert facts.session() is made
    for text in (repr(facts), str(facts), repr(facts.__dask_tokenize__())):
        assert "not-to-be-seen" not in text and "AKIA" not in text


def test_a_local_session_is_found_by_its_folder(session):
    facts = pickle.loads(pickle.dumps(portable(session, "caller")))
    assert facts.keys is None and facts.path == str(session._service.path)
    assert facts.session().location() == session.location()


def test_a_wrong_choice_is_refused(on_aws):
    with pytest.raises(errors.InputError, match="'workers'.*'caller'.*got 'both'"):
        portable(on_aws, "both")
