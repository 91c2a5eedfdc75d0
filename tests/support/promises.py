"""The list of what S3 promises its clients, and those of its rows that are made from botocore's model.

Every operation on a bucket that is not there, every configuration that nobody set, or that nothing here acts on. The
rows by hand are in `promised`, by subject; `test_conformance` runs all of them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import botocore.session
import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.local.s3.digests import new_digest
from personalize_nb.local.s3.handler import OPERATIONS

MODEL = botocore.session.get_session().get_service_model("s3")
ALGORITHMS = MODEL.shape_for("ChecksumAlgorithm").enum
PART = bytes(range(256)) * (5 << 12)
LAST = b"the last part"
_numbers = count()


@dataclass
class World:
    """An endpoint's client with a bucket of its own."""

    endpoint: Any
    s3: Any
    bucket: str = ""

    def __post_init__(self):
        self.bucket = f"conformance-{next(_numbers)}"
        self.s3.create_bucket(Bucket=self.bucket)

    @property
    def at(self):
        return {"Bucket": self.bucket, "Key": "k"}

    def put(self, body=b"body", **more):
        return self.s3.put_object(**{**self.at, "Body": body} | more)

    def begin(self, **more):
        return {**self.at, "UploadId": self.s3.create_multipart_upload(**self.at, **more)["UploadId"]}

    def send(self, upload, *bodies, algorithm=None):
        """Send parts; returns them as a completion names them, with their checksums."""
        named = []
        for number, body in enumerate(bodies, start=1):
            promised = {f"Checksum{algorithm}": digest(algorithm, body)} if algorithm else {}
            answer = self.s3.upload_part(PartNumber=number, Body=body, **upload, **promised)
            shown = {name: value for name, value in answer.items() if name.startswith("Checksum")}
            named.append({"PartNumber": number, "ETag": answer["ETag"], **shown})
        return named

    def complete(self, upload, parts, **more):
        return self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **more)

    def quiet(self):
        """Go on with a client of its own that promises no checksums by itself."""
        self.s3 = wire.make_client("s3", self.endpoint, request_checksum_calculation="when_required")

    def joined(self, *bodies, **more):
        upload = self.begin(**more)
        return self.complete(upload, self.send(upload, *bodies, algorithm=more.get("ChecksumAlgorithm")))

    def refused(self, code, operation, status=None, **params):
        """Call an operation that must be refused with a code."""
        with pytest.raises(ClientError) as caught:
            call(self.s3, operation, **params)
        error = caught.value.response
        assert error["Error"]["Code"] == code, error["Error"]
        assert status in (None, error["ResponseMetadata"]["HTTPStatusCode"])
        return error


@dataclass(frozen=True)
class Row:
    """One promise."""

    operation: str
    condition: str
    check: Callable[[World], None]


ROWS: list[Row] = []


def row(operation, condition, *values):
    """Enter a check in the list, with values once for each; `{}` in operation or condition stands for the value."""

    def enter(check):
        for value in values:
            bound = lambda world, value=value: check(world, value)  # noqa: E731 - a closure over each value
            ROWS.append(Row(operation.format(value), condition.format(value), bound))
        if not values:
            ROWS.append(Row(operation, condition, check))
        return check

    return enter


def call(s3, operation, **params):
    return getattr(s3, botocore.xform_name(operation))(**params)


def writes_of(world, operation):
    """The parameters of a write to the key, whatever way."""
    if operation == "CopyObject":
        world.put(b"source", Key="source")
        return {**world.at, "CopySource": f"{world.bucket}/source"}
    if operation == "CompleteMultipartUpload":
        upload = world.begin()
        return {**upload, "MultipartUpload": {"Parts": world.send(upload, LAST)}}
    return world.at


def minimal(operation, **given):
    """Parameters that an operation needs, made up after the model."""
    shape = MODEL.operation_model(operation).input_shape
    return {name: given.get(name, _made(shape.members[name])) for name in shape.required_members} | given


def _made(shape):
    if shape.type_name == "structure":
        return {name: _made(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [_made(shape.member)]
    if shape.type_name == "map":
        return {}
    if shape.type_name in ("integer", "long"):
        return 1
    if shape.type_name == "boolean":
        return False
    if shape.type_name == "timestamp":
        return 0
    if shape.type_name == "blob":
        return b""
    return getattr(shape, "enum", None)[0] if getattr(shape, "enum", None) else "x/y"


def digest(algorithm, *bodies):
    running = new_digest(algorithm)
    for body in bodies:
        running.update(body)
    return base64.b64encode(running.digest()).decode()


def md5(data):
    return hashlib.md5(data, usedforsecurity=False)


CRCS = ("CRC32", "CRC32C", "CRC64NVME")
ETAG = f'"{md5(b"body").hexdigest()}"'
JOINED = f'"{md5(md5(PART).digest() + md5(LAST).digest()).hexdigest()}-2"'


def code_of(body):
    """Return the code in the text of an error."""
    return re.search(b"<Code>(.*)</Code>", body)[1].decode()


# of every operation


def no_such_bucket(operation, world):
    params = minimal(operation, Bucket="nobody-made-this", **_SPECIAL.get(operation, {}))
    head = operation.startswith("Head")
    world.refused("404" if head else "NoSuchBucket", operation, 404, **params)


def no_such_key(operation, world):
    head = operation.startswith("Head")
    world.refused("404" if head else "NoSuchKey", operation, 404, **minimal(operation, **world.at))


_SPECIAL = {
    "PutBucketPolicy": {"Policy": "{}"},
    "CopyObject": {"CopySource": "nobody-made-this/k"},
    "UploadPartCopy": {"CopySource": "nobody-made-this/k"},
    "PutBucketEncryption": {
        "ServerSideEncryptionConfiguration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        }
    },
    "PutBucketVersioning": {"VersioningConfiguration": {"Status": "Suspended"}},
    "PutBucketAcl": {"ACL": "private"},
    "PutObjectAcl": {"ACL": "private"},
}
_OF_KEYS = (
    "GetObject",
    "HeadObject",
    "GetObjectAttributes",
    "GetObjectTagging",
    "PutObjectTagging",
    "DeleteObjectTagging",
    "GetObjectAcl",
    "GetObjectRetention",
    "GetObjectLegalHold",
)


def of_every_operation() -> Iterator[Row]:
    for operation in sorted(OPERATIONS):
        shape = MODEL.operation_model(operation).input_shape
        if operation != "CreateBucket" and shape is not None and "Bucket" in shape.members:
            yield Row(operation, "no such bucket", partial(no_such_bucket, operation))
    for operation in _OF_KEYS:
        yield Row(operation, "no such key", partial(no_such_key, operation))


# of every configuration

_CODES = {
    "GetBucketCors": "NoSuchCORSConfiguration",
    "GetBucketLifecycleConfiguration": "NoSuchLifecycleConfiguration",
    "GetBucketPolicy": "NoSuchBucketPolicy",
    "GetBucketReplication": "ReplicationConfigurationNotFoundError",
    "GetBucketTagging": "NoSuchTagSet",
    "GetBucketWebsite": "NoSuchWebsiteConfiguration",
    "GetObjectLockConfiguration": "ObjectLockConfigurationNotFoundError",
    "GetBucketMetadataConfiguration": "MetadataConfigurationNotFound",
    "GetBucketMetadataTableConfiguration": "MetadataConfigurationNotFound",
    "GetBucketAnalyticsConfiguration": "NoSuchConfiguration",
    "GetBucketIntelligentTieringConfiguration": "NoSuchConfiguration",
    "GetBucketInventoryConfiguration": "NoSuchConfiguration",
    "GetBucketMetricsConfiguration": "NoSuchConfiguration",
}
_ANSWERS = {
    "GetBucketAccelerateConfiguration": {},
    "GetBucketAbac": {"AbacStatus": {"Status": "Disabled"}},
    "GetBucketEncryption": {
        "ServerSideEncryptionConfiguration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
        }
    },
    "GetBucketLocation": {"LocationConstraint": None},
    "GetBucketLogging": {},
    "GetBucketNotificationConfiguration": {},
    "GetBucketOwnershipControls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
    "GetBucketPolicyStatus": {"PolicyStatus": {"IsPublic": False}},
    "GetBucketRequestPayment": {"Payer": "BucketOwner"},
    "GetBucketVersioning": {},
    "GetPublicAccessBlock": {
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        }
    },
    "ListBucketAnalyticsConfigurations": {"IsTruncated": False},
    "ListBucketIntelligentTieringConfigurations": {"IsTruncated": False},
    "ListBucketInventoryConfigurations": {"IsTruncated": False},
    "ListBucketMetricsConfigurations": {"IsTruncated": False},
}


def never_set(operation, world):
    params = minimal(operation, Bucket=world.bucket)
    if operation in _CODES:
        world.refused(_CODES[operation], operation, 404, **params)
        return
    answer = call(world.s3, operation, **params)
    del answer["ResponseMetadata"]
    if operation == "GetBucketAcl":
        (grant,) = answer["Grants"]
        assert grant["Permission"] == "FULL_CONTROL" and grant["Grantee"]["Type"] == "CanonicalUser"
        assert grant["Grantee"]["ID"] == answer["Owner"]["ID"]
    else:
        assert answer == _ANSWERS[operation]


# what asks for no more than what holds
_HOLDS = {
    "PutBucketAccelerateConfiguration": {"AccelerateConfiguration": {"Status": "Suspended"}},
    "PutBucketAbac": {"AbacStatus": {"Status": "Disabled"}},
    "PutBucketAcl": {"ACL": "private"},
    "PutBucketLogging": {"BucketLoggingStatus": {}},
    "PutBucketNotificationConfiguration": {"NotificationConfiguration": {}},
    "PutBucketRequestPayment": {"RequestPaymentConfiguration": {"Payer": "BucketOwner"}},
    "PutBucketVersioning": {"VersioningConfiguration": {"Status": "Suspended"}},
}
_CHANGES = {
    "PutBucketAccelerateConfiguration": {"AccelerateConfiguration": {"Status": "Enabled"}},
    "PutBucketAbac": {"AbacStatus": {"Status": "Enabled"}},
    "PutBucketLogging": {"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": "b", "TargetPrefix": "p"}}},
    "PutBucketNotificationConfiguration": {
        "NotificationConfiguration": {"EventBridgeConfiguration": {}, "QueueConfigurations": []}
        | {"TopicConfigurations": [{"TopicArn": "arn:aws:sns:us-east-1:1:t", "Events": ["s3:ObjectCreated:*"]}]}
    },
    "PutBucketRequestPayment": {"RequestPaymentConfiguration": {"Payer": "Requester"}},
    "PutBucketVersioning": {"VersioningConfiguration": {"Status": "Enabled"}},
    "PutBucketCors": {},
    "PutBucketLifecycleConfiguration": {"LifecycleConfiguration": {"Rules": []}},
    "PutBucketReplication": {},
    "PutBucketWebsite": {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "i"}}},
    "PutBucketAnalyticsConfiguration": {},
    "PutBucketIntelligentTieringConfiguration": {},
    "PutBucketInventoryConfiguration": {},
    "PutBucketMetricsConfiguration": {},
}


def holds_already(operation, world):
    call(world.s3, operation, Bucket=world.bucket, **_HOLDS[operation])


def not_kept(operation, world):
    """Refuse in words that name what is not kept."""
    error = world.refused(
        "NotImplemented", operation, 501, **minimal(operation, Bucket=world.bucket, **_CHANGES[operation])
    )
    assert "local service" in error["Error"]["Message"]


def nothing_to_remove(operation, world):
    params = minimal(operation, Bucket=world.bucket)
    if operation.endswith(
        ("AnalyticsConfiguration", "TieringConfiguration", "InventoryConfiguration", "sConfiguration")
    ):
        world.refused("NoSuchConfiguration", operation, 404, **params)
    else:
        assert call(world.s3, operation, **params)["ResponseMetadata"]["HTTPStatusCode"] == 204


def of_every_configuration() -> Iterator[Row]:
    for name in MODEL.operation_names:
        model = MODEL.operation_model(name)
        path = model.http["requestUri"]
        if not path.startswith("/{Bucket}?") or model.deprecated or name in _DATA:
            continue
        if name.startswith(("Get", "List")):
            yield Row(name, "nobody configured it", partial(never_set, name))
        elif name.startswith("Delete"):
            yield Row(name, "there is nothing to remove", partial(nothing_to_remove, name))
    yield from (Row(name, "what holds already", partial(holds_already, name)) for name in _HOLDS)
    yield from (Row(name, "what is not kept", partial(not_kept, name)) for name in _CHANGES)


# at the same kind of address, and no configurations
_DATA = {"ListObjectsV2", "ListObjectVersions", "ListMultipartUploads", "DeleteObjects", "CreateSession"}


ROWS += [*of_every_operation(), *of_every_configuration()]
