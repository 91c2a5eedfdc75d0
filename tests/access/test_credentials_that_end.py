"""Credentials that end while preflight looks make it end as well: what it could not ask is no judgement."""

from __future__ import annotations

import pytest
from injected import answering

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.session.calls import Calls

ASKED = [
    ("personalize", "DescribeSolutionVersion"),
    ("personalize", "ListBatchInferenceJobs"),
    ("service-quotas", "ListServiceQuotas"),
    ("sts", "GetCallerIdentity"),
    ("iam", "GetRole"),
    ("iam", "SimulatePrincipalPolicy"),
    ("s3", "ListObjectsV2"),
    ("s3", "GetObject"),
    ("s3", "GetBucketPolicy"),
]


@pytest.mark.parametrize(("service", "operation"), ASKED)
def test_a_token_that_expires_is_raised_and_never_told_as_unchecked(right, session, service, operation):
    ended = answering(session.client(service), operation, "ExpiredToken")
    with ended, pytest.raises(errors.CredentialsError, match="ExpiredToken"):
        pnb.preflight(right(), session=session)


def test_a_training_is_not_judged_either(session):
    books = pnb.samples.books()
    with answering(session.sts, "GetCallerIdentity", "ExpiredToken"), pytest.raises(errors.CredentialsError):
        pnb.preflight_training(books.interactions, recipe="aws-sims", session=session)


def test_a_job_whose_model_cannot_be_looked_at_is_not_called_right(right, session):
    with answering(session.personalize, "DescribeSolutionVersion", "InternalServerException"):
        report = pnb.preflight(right(), session=session)
    assert repr(report).startswith("The job could not be judged: ")


def test_what_preflight_asks_is_asked_again_with_new_credentials(right, session, monkeypatch):
    def renewed(self, _):
        self._begin_anew()
        return True

    good = pnb.preflight(right(), session=session)
    monkeypatch.setattr(Calls, "_renewed", renewed)
    asked = [*ASKED, ("iam", "ListRolePolicies"), ("iam", "ListAttachedRolePolicies"), ("s3", "GetBucketEncryption")]
    for service, operation in asked:
        # the clients of the new credentials are others, and answer
        with answering(session.client(service), operation, "ExpiredToken"):
            again = pnb.preflight(right(), session=session)
        assert again.found.tolist() == good.found.tolist(), operation
