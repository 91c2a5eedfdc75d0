"""A request that is right, what preflight finds of one, and callers who may less than the service lets them."""

from __future__ import annotations

from functools import partial

import pytest
from injected import refused

import personalize_nb as pnb
from personalize_nb.contract import columns


@pytest.fixture(scope="module")
def right(session, readers_model):
    """Make a request that is right, with changes; its input lies in S3."""
    session.s3.put_object(Bucket=session.bucket, Key="access/in/users.jsonl", Body=b'{"userId": "r1"}\n')

    def make(**changes):
        folder = f"s3://{session.bucket}/access"
        good = pnb.JobRequest(
            job_name="access-free",
            solution_version_arn=readers_model.arn,
            input_path=f"{folder}/in/users.jsonl",
            output_path=f"{folder}/out/",
            role_arn=session.role(),
        )
        return good.replace(**changes)

    return make


@pytest.fixture
def rows(session):
    """Preflight a request; return its rows by check."""

    def look(request):
        frame = pnb.preflight(request, session=session)
        assert tuple(frame.columns) == columns.REPORT
        named = frame.check[frame.check.str.startswith(("input", "caller"))]
        assert not named.duplicated().any(), "one row for each check"
        return {row.check: row for row in frame.itertuples()}

    return look


@pytest.fixture
def refusing(session):
    """Refuse what rights allow, named as policies name them, for as long as a block runs."""

    return partial(refused, session)
