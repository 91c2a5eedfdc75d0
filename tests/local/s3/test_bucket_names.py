"""Names and regions of buckets: what S3 takes is made, all else is refused in its words."""

from __future__ import annotations

import pytest
import wire
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
LABEL = st.from_regex(r"[a-z]([a-z-]{0,8}[a-z])?", fullmatch=True)
FITS = st.lists(LABEL, min_size=2, max_size=4).map(".".join)
KEPT = ("xn--", "sthree-", "amzn-s3-demo-"), ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@pytest.fixture(scope="module", params=["us-east-1", "eu-west-1"])
def region(request):
    return request.param


@pytest.fixture(scope="module")
def s3(tmp_path_factory, region):
    store = ObjectStore(tmp_path_factory.mktemp("objects"))
    with wire.serving({"s3": s3_handler(store, region, wire.ACCOUNT)}) as endpoint:
        client = wire.make_client("s3", endpoint, region=region)
        yield client
        client.close()


def create(s3, name, constraint=None):
    """Make a bucket and remove it; return S3's code for a refusal, or the bucket's region."""
    where = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    try:
        s3.create_bucket(Bucket=name, **where)
    except ClientError as error:
        return error.response["Error"]["Code"]
    found = s3.get_bucket_location(Bucket=name)["LocationConstraint"] or "us-east-1"
    s3.delete_bucket(Bucket=name)
    return found


def here(region):
    return None if region == "us-east-1" else region


@SHARED
@given(name=FITS)
def test_a_name_of_good_labels_is_taken(s3, region, name):
    reserved = name.startswith(KEPT[0]) or name.endswith(KEPT[1])
    assert create(s3, name, here(region)) == ("InvalidBucketName" if reserved else region)


@SHARED
@given(name=FITS, data=st.data())
def test_one_fault_makes_a_name_bad(s3, region, name, data):
    faults = {
        "prefix": f"{data.draw(st.sampled_from(KEPT[0]))}{name}",
        "suffix": f"{name}{data.draw(st.sampled_from(KEPT[1]))}",
        "dots": name.replace(".", "..", 1),
        "dash before a dot": name.replace(".", "-.", 1),
        "dash behind a dot": name.replace(".", ".-", 1),
        "upper case": name.upper(),
        "underscore": f"{name}_a",
        "end": f"{name}-",
        "begin": f".{name}",
        "length": (name * 30)[:200],
        "address": ".".join(str(data.draw(st.integers(0, 999))) for _ in range(4)),
    }
    kind = data.draw(st.sampled_from(sorted(faults)))
    assert create(s3, faults[kind], here(region)) == "InvalidBucketName"


@pytest.mark.parametrize("name", ["abc", "a" * 63, "1.2.3", "1.2.3.4.5", "a.1.2.3.4", "xn-a", "mrap.a", "a-s3alias-b"])
def test_what_only_looks_like_a_fault_is_none(s3, region, name):
    assert create(s3, name, here(region)) == region


@pytest.mark.parametrize(
    ("constraint", "first", "other"),
    [
        (None, "us-east-1", "IllegalLocationConstraintException"),
        ("us-east-1", "InvalidLocationConstraint", "InvalidLocationConstraint"),
        ("mars-1", "InvalidLocationConstraint", "InvalidLocationConstraint"),
        ("eu-west-9", "InvalidLocationConstraint", "InvalidLocationConstraint"),
        ("EU-WEST-1", "InvalidLocationConstraint", "InvalidLocationConstraint"),
        ("cn-north-1", "InvalidLocationConstraint", "InvalidLocationConstraint"),
        ("us-gov-west-1", "InvalidLocationConstraint", "InvalidLocationConstraint"),
        ("eu-west-1", "eu-west-1", "eu-west-1"),
        ("EU", "eu-west-1", "eu-west-1"),
        ("ap-southeast-7", "ap-southeast-7", "IllegalLocationConstraintException"),
    ],
)
def test_regions(s3, region, constraint, first, other):
    assert create(s3, "some-bucket", constraint) == (first if region == "us-east-1" else other)
