"""S3 buckets through boto3: life, listings with pages and delimiters, documents recorded with them."""

from __future__ import annotations

import json

import pytest
import wire
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.listing import list_page
from personalize_nb.local.s3.store import ObjectStore


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return ObjectStore(tmp_path_factory.mktemp("s3") / "objects")


@pytest.fixture(scope="module")
def endpoint(store):
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def s3(endpoint):
    client = wire.make_client("s3", endpoint)
    yield client
    client.close()


@pytest.fixture
def bucket(s3, request):
    name = "b-" + request.node.name.lower().replace("_", "-")[:50].rstrip("-]")
    s3.create_bucket(Bucket=name)
    return name


def test_the_life_of_a_bucket(s3):
    assert s3.create_bucket(Bucket="life")["Location"] == "/life"
    s3.create_bucket(Bucket="life")
    assert "life" in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket="life")["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="life")["LocationConstraint"] is None
    s3.put_object(Bucket="life", Key="k", Body=b"")
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket="life")
    assert wire.code_of(error) == "BucketNotEmpty"
    s3.delete_object(Bucket="life", Key="k")
    s3.delete_bucket(Bucket="life")
    with pytest.raises(ClientError) as error:
        s3.head_bucket(Bucket="life")
    assert wire.code_of(error) == "404"
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="life")


def test_a_bucket_elsewhere(s3):
    there = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    s3.create_bucket(Bucket="elsewhere", **there)
    assert s3.get_bucket_location(Bucket="elsewhere")["LocationConstraint"] == "eu-west-1"
    with pytest.raises(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket="elsewhere", **there)


def test_pages_of_many_keys(s3, store, bucket):
    keys = sorted(f"{number % 7}/{number:04}" for number in range(2500))
    with store.database.writing() as db:
        rows = [(bucket, key, key) for key in keys]
        db.executemany("INSERT INTO objects VALUES (?, ?, ?, 0, 'e', 0, 't', '{}')", rows)
    for operation in ("list_objects", "list_objects_v2"):
        pages = list(s3.get_paginator(operation).paginate(Bucket=bucket))
        assert [len(page["Contents"]) for page in pages] == [1000, 1000, 500]
        assert [each["Key"] for page in pages for each in page["Contents"]] == keys
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2})
        prefixes = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
        assert prefixes == [f"{digit}/" for digit in range(7)]
    versions = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    assert sum(len(page["Versions"]) for page in versions) == 2500


def test_listing_parameters(s3, bucket):
    for key in ("a b", "a/1", "a/2", "é/1", "z"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"12345")
    entry = s3.list_objects_v2(Bucket=bucket, StartAfter="é/", FetchOwner=True)["Contents"][0]
    assert (entry["Key"], entry["Size"], entry["StorageClass"]) == ("é/1", 5, "STANDARD")
    assert entry["ETag"] == '"827ccb0eea8a706c4c34a16891f84e7b"' and "Owner" in entry
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/", MaxKeys=3)
    assert [each["Key"] for each in page["Contents"]] == ["a b", "z"]
    assert [each["Prefix"] for each in page["CommonPrefixes"]] == ["a/"]
    assert page["IsTruncated"] and page["KeyCount"] == 3
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    page = s3.list_objects(Bucket=bucket, Prefix="a/", Delimiter="/", Marker="a/1")
    assert [each["Key"] for each in page["Contents"]] == ["a/2"]
    with pytest.raises(ClientError) as error:
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="!")
    assert wire.code_of(error) == "InvalidArgument"


KEYS = st.text(st.sampled_from("ab/\ud7ff\ue000\U0010ffff"), min_size=1, max_size=5)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(keys=st.sets(KEYS, max_size=12), prefix=st.text("ab/", max_size=2), size=st.integers(1, 4))
def test_pages_say_what_one_long_listing_says(store, keys, prefix, size):
    with store.database.writing() as db:
        db.execute("DELETE FROM objects WHERE bucket = 'any'")
        db.execute("INSERT OR IGNORE INTO buckets VALUES ('any', 'us-east-1', 0)")
        rows = [(key, key) for key in keys]
        db.executemany("INSERT INTO objects VALUES ('any', ?, ?, 0, 'e', 0, 't', '{}')", rows)
    expected = []
    for key in sorted(key for key in keys if key.startswith(prefix)):
        head, slash, _ = key[len(prefix) :].partition("/")
        entry = prefix + head + slash
        if entry not in expected:
            expected.append(entry)
    found, after = [], ""
    while True:
        page = list_page(store, "any", prefix, "/", after, size)
        found += sorted([*page.prefixes, *(info.key for info in page.objects)])
        if not page.truncated:
            break
        after = page.last
    assert found == expected


def test_policies(s3, bucket):
    with pytest.raises(ClientError) as error:
        s3.get_bucket_policy(Bucket=bucket)
    assert wire.code_of(error) == "NoSuchBucketPolicy"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "personalize.amazonaws.com"},
                "Action": ["s3:GetObject", "s3:ListBucket"],
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            }
        ],
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policy
    s3.delete_bucket_policy(Bucket=bucket)
    elsewhere = policy["Statement"][0] | {"Resource": "arn:aws:s3:::other/*"}
    nobody = {name: value for name, value in policy["Statement"][0].items() if name != "Principal"}
    for text in ("", "{", "[]", "{}", *(json.dumps({"Statement": [bad]}) for bad in (elsewhere, nobody))):
        with pytest.raises(ClientError) as error:
            s3.put_bucket_policy(Bucket=bucket, Policy=text)
        assert wire.code_of(error) == "MalformedPolicy"


def test_recorded_documents(s3, bucket):
    tags = [{"Key": "a", "Value": "1"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    s3.delete_bucket_tagging(Bucket=bucket)
    with pytest.raises(ClientError) as error:
        s3.get_bucket_tagging(Bucket=bucket)
    assert wire.code_of(error) == "NoSuchTagSet"

    def algorithm():
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        return rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]

    assert algorithm() == "AES256"
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert algorithm() == "aws:kms"

    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(blocked.values()) and len(blocked) == 4
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked | {"BlockPublicAcls": False})
    assert not s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
    s3.delete_public_access_block(Bucket=bucket)
    with pytest.raises(ClientError) as error:
        s3.get_public_access_block(Bucket=bucket)
    assert wire.code_of(error) == "NoSuchPublicAccessBlockConfiguration"
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    with pytest.raises(ClientError) as error:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert wire.code_of(error) == "NotImplemented"


def test_a_document_with_entities_is_refused(endpoint, bucket):
    document = b'<!DOCTYPE x [<!ENTITY e "boom">]><Tagging><TagSet><Tag><Key>&e;</Key></Tag></TagSet></Tagging>'
    path = f"/{bucket}?tagging"
    headers = wire.signed_headers(endpoint, "PUT", path, document)
    status, _, answer = wire.send(endpoint, "PUT", path, document, headers)
    assert status == 400 and b"MalformedXML" in answer and b"document type" in answer
