"""What somebody sees who looks through S3: buckets, folders and files with sizes, in one call each."""

from __future__ import annotations

import pytest

from personalize_nb import errors
from personalize_nb.session import s3_levels
from personalize_nb.text.counts import size


def test_levels_lead_from_buckets_to_files(session):
    for name in ("a.jsonl", "sub/b.jsonl", "sub/"):
        session.s3.put_object(Bucket=session.bucket, Key=f"levels/{name}", Body=b"12345" if name[-1] != "/" else b"")
    assert f"s3://{session.bucket}/" in s3_levels.level(session, "s3://").folders
    here = f"s3://{session.bucket}/levels/"
    assert here in s3_levels.level(session, f"s3://{session.bucket}/lev").folders
    found = s3_levels.level(session, here)
    assert found.folders == (f"{here}sub/",) and found.complete
    assert [(one.address, one.size) for one in found.files] == [(f"{here}a.jsonl", 5)]
    assert [one.name for one in s3_levels.level(session, f"{here}sub/").files] == ["b.jsonl"]
    assert s3_levels.parent(f"{here}sub/") == here


def test_who_may_not_list_buckets_sees_the_sessions_own(session, monkeypatch):
    def refuse(operation, ask):
        raise errors.AccessError("no")

    monkeypatch.setattr(session, "answer", refuse)
    assert s3_levels.level(session, "s3://").folders == (f"s3://{session.bucket}/",)
    assert not s3_levels.is_missing(session, session.bucket)  # it may be there


def test_a_bucket_that_is_not_there(session):
    assert s3_levels.is_missing(session, "no-such-bucket-anywhere") and not s3_levels.is_missing(
        session, session.bucket
    )


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_999, "1.0 MB"),
        (5e13, "50.0 TB"),
    ],
)
def test_sizes_are_told_in_units(count, told):
    assert size(int(count)) == told
