"""What is kept with an object or a bucket, and what is refused since it is not kept."""

from __future__ import annotations

import json
from email.header import decode_header, make_header

import promises
import wire
from promises import LAST, row, writes_of


@row(
    "PutObject", "Content-Encoding {}", "gzip", "deflate, gzip", "gzip, aws-chunked", "aws-chunked", "AWS-Chunked,gzip"
)
def _(world, coding):
    world.put(ContentEncoding=coding)
    left = {"gzip, aws-chunked": "gzip", "aws-chunked": None, "AWS-Chunked,gzip": "gzip"}.get(coding, coding)
    assert world.s3.head_object(**world.at).get("ContentEncoding") == left


_SPELLED = {
    "grüße ☃": "grüße ☃",
    "=?UTF-8?B?w6k=?=": "é",
    "=?UTF-8?Q?caf=C3=A9?= au lait": "café au lait",
    "=?iso-8859-1?Q?=E9?=": "é",
    "=?UTF-8?B?YQpi?=": "a\nb",
}


@row("PutObject", "metadata beyond ASCII, sent as {}", *_SPELLED)
def _(world, sent):
    path = f"/{world.bucket}/k"
    headers = wire.signed_headers(world.endpoint, "PUT", path, b"", {"x-amz-meta-m": sent})
    status, _, _ = wire.send(world.endpoint, "PUT", path, b"", headers | {"x-amz-meta-m": sent.encode()})
    assert status == 200
    told = world.s3.head_object(**world.at)["Metadata"]["m"]
    assert told.isascii() and str(make_header(decode_header(told))) == _SPELLED[sent]


@row("PutObject", "metadata in ASCII stay as they are: {}", "plain", "a=?b", "=?x?B?!?=", "")
def _(world, value):
    world.put(Metadata={"m": value})
    assert world.s3.head_object(**world.at)["Metadata"] == {"m": value}


@row("{}", "tags in a header: a name may stand alone", "PutObject", "CreateMultipartUpload", "CopyObject")
def _(world, operation):
    if operation == "CreateMultipartUpload":
        world.joined(LAST, Tagging="a=b&c")
    else:
        world.put(Tagging="a=b&c")
    if operation == "CopyObject":
        to = {"TaggingDirective": "REPLACE", "Tagging": "c&a=b", "MetadataDirective": "REPLACE"}
        world.s3.copy_object(**world.at, CopySource=f"{world.bucket}/k", **to)
    tags = world.s3.get_object_tagging(**world.at)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"a": "b", "c": ""}


@row("PutObject", "the storage class {}", "STANDARD_IA", "COLD")
def _(world, name):
    if name == "COLD":
        world.refused("InvalidStorageClass", "PutObject", 400, **world.at, StorageClass=name)
    else:
        world.put(StorageClass=name)
        assert world.s3.head_object(**world.at)["StorageClass"] == name


# what is not kept is refused
_UNKEPT = {
    "ACL": ("public-read", "AccessControlListNotSupported"),
    "GrantRead": ("id=x", "AccessControlListNotSupported"),
    "GrantFullControl": ("id=x", "AccessControlListNotSupported"),
    "GrantReadACP": ("id=x", "AccessControlListNotSupported"),
    "GrantWriteACP": ("id=x", "AccessControlListNotSupported"),
    "ObjectLockMode": ("GOVERNANCE", "InvalidRequest"),
    "ObjectLockRetainUntilDate": (0, "InvalidRequest"),
    "ObjectLockLegalHoldStatus": ("ON", "InvalidRequest"),
    "SSECustomerAlgorithm": ("AES256", "NotImplemented"),
    "WriteOffsetBytes": (4, "NotImplemented"),
}
for _operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):

    @row(_operation, "{} is refused", *_UNKEPT.keys() & promises.MODEL.operation_model(_operation).input_shape.members)
    def _(world, name, operation=_operation):
        value, code = _UNKEPT[name]
        more = {"SSECustomerKey": "k" * 32} if name == "SSECustomerAlgorithm" else {}
        world.refused(code, operation, **writes_of(world, operation), **{name: value}, **more)
        assert not world.s3.list_objects_v2(Bucket=world.bucket, Prefix="k").get("Contents")


@row("PutObject", "a customer's key beside {} is refused", "AES256", "aws:kms")
def _(world, algorithm):
    params = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32, "ServerSideEncryption": algorithm}
    world.refused("InvalidArgument", "PutObject", 400, **world.at, **params)


@row("{}", "a canned list of access that S3 has not", "PutBucketAcl", "PutObjectAcl")
def _(world, operation):
    world.put()
    params = world.at if operation == "PutObjectAcl" else {"Bucket": world.bucket}
    world.refused("InvalidArgument", operation, 400, **params, ACL="public-ready")


@row("PutObject", "ACL={} says what holds anyway", "private", "bucket-owner-full-control")
def _(world, acl):
    world.put(ACL=acl)
    world.s3.put_object_acl(**world.at, ACL=acl)
    told = world.s3.get_object_acl(**world.at)
    world.s3.put_object_acl(**world.at, AccessControlPolicy={name: told[name] for name in ("Grants", "Owner")})


@row("{}", "a list of access for everybody is refused", "PutBucketAcl", "PutObjectAcl")
def _(world, operation):
    world.put()
    params = promises.minimal(operation, **world.at if operation == "PutObjectAcl" else {"Bucket": world.bucket})
    grant = {
        "Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
        "Permission": "READ",
    }
    everybody = {"Grants": [grant], "Owner": {"ID": "x"}}
    for wish in ({"ACL": "public-read"}, {"AccessControlPolicy": everybody}, {"GrantRead": "id=x"}):
        world.refused("AccessControlListNotSupported", operation, 400, **params, **wish)


@row("CreateBucket", "with {} is refused", "ACL", "ObjectLockEnabledForBucket")
def _(world, name):
    value, code = {
        "ACL": ("public-read", "InvalidBucketAclWithObjectOwnership"),
        "ObjectLockEnabledForBucket": (True, "NotImplemented"),
    }[name]
    world.refused(code, "CreateBucket", Bucket="refused-bucket", **{name: value})
    world.refused("404", "HeadBucket", Bucket="refused-bucket")


@row("CreateBucket", "the ownership of its objects is kept")
def _(world):
    world.s3.create_bucket(Bucket=f"{world.bucket}-2", ObjectOwnership="ObjectWriter")
    rules = world.s3.get_bucket_ownership_controls(Bucket=f"{world.bucket}-2")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "ObjectWriter"}]


@row("CreateBucket", "an owner of objects that S3 has not")
def _(world):
    params = {"Bucket": f"{world.bucket}-2", "ObjectOwnership": "Nobody"}
    world.refused("InvalidArgument", "CreateBucket", 400, **params)
    world.refused("404", "HeadBucket", Bucket=params["Bucket"])


@row("PutBucketOwnershipControls", "{} is refused", "no rule", "two rules", "another name")
def _(world, wish):
    rules = {"no rule": [], "two rules": ["ObjectWriter"] * 2, "another name": ["Nobody"]}[wish]
    controls = {"Rules": [{"ObjectOwnership": name} for name in rules]}
    params = {"Bucket": world.bucket, "OwnershipControls": controls}
    world.refused("MalformedXML", "PutBucketOwnershipControls", 400, **params)


@row("DeleteBucketOwnershipControls", "then there are none, until others are put")
def _(world):
    world.s3.delete_bucket_ownership_controls(Bucket=world.bucket)
    world.refused("OwnershipControlsNotFoundError", "GetBucketOwnershipControls", 404, Bucket=world.bucket)
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    world.s3.put_bucket_ownership_controls(Bucket=world.bucket, OwnershipControls=controls)
    assert world.s3.get_bucket_ownership_controls(Bucket=world.bucket)["OwnershipControls"] == controls


@row(
    "{}",
    "Object Lock that no bucket has",
    "PutObjectRetention",
    "PutObjectLegalHold",
    "GetObjectRetention",
    "GetObjectLegalHold",
)
def _(world, operation):
    world.put()
    wish = {"PutObjectRetention": {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": 0}}}
    wish["PutObjectLegalHold"] = {"LegalHold": {"Status": "ON"}}
    world.refused("InvalidRequest", operation, 400, **world.at, **wish.get(operation, {}))


@row("GetBucketPolicyStatus", "{}", "everybody", "everybody on a condition", "a service")
def _(world, whom):
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{world.bucket}/*"}
    statement["Principal"] = {"Service": "personalize.amazonaws.com"} if whom == "a service" else {"AWS": "*"}
    if "condition" in whom:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": wire.ACCOUNT}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.s3.delete_public_access_block(Bucket=world.bucket)
    world.s3.put_bucket_policy(Bucket=world.bucket, Policy=policy)
    status = world.s3.get_bucket_policy_status(Bucket=world.bucket)["PolicyStatus"]
    assert status["IsPublic"] == (whom == "everybody")


_BLOCKS = {"nobody said so": None, "policies are": {"BlockPublicPolicy": True}, "lists are": {"BlockPublicAcls": True}}


@row("PutBucketPolicy", "for everybody where public access is blocked: {}", *_BLOCKS, "nothing is")
def _(world, wish):
    if wish == "nothing is":
        world.s3.delete_public_access_block(Bucket=world.bucket)
    elif block := _BLOCKS[wish]:
        world.s3.put_public_access_block(Bucket=world.bucket, PublicAccessBlockConfiguration=block)
    resource = f"arn:aws:s3:::{world.bucket}/*"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    params = {"Bucket": world.bucket, "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    if wish in ("nobody said so", "policies are"):
        world.refused("AccessDenied", "PutBucketPolicy", 403, **params)
        world.refused("NoSuchBucketPolicy", "GetBucketPolicy", 404, Bucket=world.bucket)
    else:
        world.s3.put_bucket_policy(**params)


@row("GetObjectTagging", "tags come by their names")
def _(world):
    world.put(Tagging="b=1&c=2&a=3")
    assert [tag["Key"] for tag in world.s3.get_object_tagging(**world.at)["TagSet"]] == ["a", "b", "c"]
