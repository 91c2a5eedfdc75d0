"""Objects under KMS keys: encrypted on disk, whole and by ranges for whoever asks the service."""

from __future__ import annotations

import io
import json
import os

import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.iam.kms import kms_handler
from personalize_nb.local.s3.encryption import FRAME, Sealer, sealed_size, unsealed
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore

MARK = b"read me if you can "
PART = 5 << 20


@pytest.fixture
def keys(tmp_path):
    keys = Keys(tmp_path / "state.sqlite", wire.ACCOUNT, wire.REGION)
    yield keys
    keys.close()


@pytest.fixture
def store(tmp_path, keys):
    store = ObjectStore(tmp_path / "objects", keyring=keys)
    store.create_bucket("books", wire.REGION)
    yield store
    store.close()


@pytest.fixture
def clients(store, keys):
    handlers = {"s3": s3_handler(store, wire.REGION, wire.ACCOUNT), "kms": kms_handler(keys)}
    with wire.serving(handlers) as endpoint:
        clients = wire.make_client("s3", endpoint), wire.make_client("kms", endpoint)
        yield clients
        for client in clients:
            client.close()


@pytest.fixture
def s3(clients):
    return clients[0]


@pytest.fixture
def kms(clients):
    return clients[1]


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def sse(key):
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}


def on_disk(store):
    """Return every stored body."""
    return b"".join(path.read_bytes() for path in sorted((store.root / "bodies").rglob("*")) if path.is_file())


def body(size):
    return (MARK * (size // len(MARK) + 1))[:size]


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME + 5])
@pytest.mark.parametrize("step", [1 << 20, 100_003, FRAME])
def test_a_segment_comes_back_whatever_the_sizes_of_writes_and_reads(size, step):
    file, data_key, plain = io.BytesIO(), os.urandom(32), body(size)
    sealer = Sealer(file, data_key)
    for start in range(0, size, step):
        sealer.write(memoryview(plain)[start : start + step])
    sealer.finish()
    assert len(file.getvalue()) == sealed_size(size)
    reader = unsealed(file, data_key, (size,))
    assert reader.read() == plain
    for place in {0, size // 2, max(0, size - 3), size, size + 9}:
        reader.seek(place)
        assert reader.read(7) == plain[place : place + 7]


def test_what_was_changed_moved_or_cut_off_is_not_given_out():
    file, data_key, size = io.BytesIO(), os.urandom(32), 2 * FRAME
    sealer = Sealer(file, data_key)
    sealer.write(memoryview(body(size)))
    sealer.finish()
    whole = file.getvalue()
    frame = FRAME + 16
    changed = whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]
    swapped = whole[:16] + whole[16 + frame :] + whole[16 : 16 + frame]
    for text, sizes in ((changed, (size,)), (swapped, (size,)), (whole[: 16 + frame], (FRAME,))):
        with pytest.raises(OSError, match="changed on disk"):
            unsealed(io.BytesIO(text), data_key, sizes).read()


def test_an_object_is_encrypted_at_rest_and_read_back(s3, store, key, sse):
    plain = body(2 * FRAME + 100)
    put = s3.put_object(Bucket="books", Key="k", Body=plain, **sse)
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", key)
    assert MARK not in on_disk(store)
    got = s3.get_object(Bucket="books", Key="k")
    assert got["Body"].read() == plain
    assert (got["SSEKMSKeyId"], got["ContentLength"]) == (key, len(plain))
    assert s3.head_object(Bucket="books", Key="k")["SSEKMSKeyId"] == key
    for start, end in ((0, 0), (FRAME - 3, FRAME + 3), (2 * FRAME, 2 * FRAME + 99), (5, 2 * FRAME)):
        part = s3.get_object(Bucket="books", Key="k", Range=f"bytes={start}-{end}")["Body"].read()
        assert part == plain[start : end + 1]


def test_an_alias_names_the_key_and_no_name_means_the_one_of_aws(s3, kms, key):
    kms.create_alias(AliasName="alias/books", TargetKeyId=key)
    put = s3.put_object(Bucket="books", Key="a", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/books")
    assert put["SSEKMSKeyId"] == key
    put = s3.put_object(Bucket="books", Key="b", Body=b"x", ServerSideEncryption="aws:kms")
    assert kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"] == put["SSEKMSKeyId"]
    assert s3.get_object(Bucket="books", Key="b")["Body"].read() == b"x"


def test_every_answer_tells_the_encryption_of_the_bucket_s_default(s3, key):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    rules = {"Rules": [{**rule, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket="books", ServerSideEncryptionConfiguration=rules)
    at, source = {"Bucket": "books", "Key": "joined"}, {"CopySource": "books/put"}
    answers = [s3.put_object(Bucket="books", Key="put", Body=MARK)]
    answers.append(s3.create_multipart_upload(**at))
    upload = {**at, "UploadId": answers[-1]["UploadId"]}
    answers.append(s3.upload_part(**upload, PartNumber=1, Body=body(PART)))
    answers.append(s3.upload_part_copy(**upload, PartNumber=2, **source))
    etags = answers[-2]["ETag"], answers[-1]["CopyPartResult"]["ETag"]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
    for _ in range(2):
        answers.append(s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}))
    answers.append(s3.copy_object(Bucket="books", Key="copied", **source))
    answers += [s3.get_object(**at), s3.head_object(**at), s3.get_object(**at, PartNumber=2)]
    told = {(each["ServerSideEncryption"], each["SSEKMSKeyId"], each["BucketKeyEnabled"]) for each in answers}
    assert told == {("aws:kms", key, True)}


def test_a_bucket_s_default_holds_for_what_is_new(s3, store, key):
    s3.put_object(Bucket="books", Key="before", Body=MARK)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="books", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket="books", Key="after", Body=MARK)
    store.put("books", "of-a-job", MARK)
    with store.writer("books", "written") as file:
        file.write(MARK)
    assert on_disk(store).count(MARK) == 1
    for name in ("before", "after", "of-a-job", "written"):
        assert s3.get_object(Bucket="books", Key=name)["Body"].read() == MARK
    assert "SSEKMSKeyId" not in s3.head_object(Bucket="books", Key="before")
    s3.put_object(Bucket="books", Key="plain", Body=MARK, ServerSideEncryption="AES256")
    assert "SSEKMSKeyId" not in s3.head_object(Bucket="books", Key="plain")


def test_an_upload_in_parts_out_of_order(s3, store, key, sse):
    plain = [body(PART + 1), body(PART), body(10)]
    upload = s3.create_multipart_upload(Bucket="books", Key="big", ChecksumAlgorithm="SHA256", **sse)
    assert upload["SSEKMSKeyId"] == key
    named = {"Bucket": "books", "Key": "big", "UploadId": upload["UploadId"]}
    tags = {}
    for number in (3, 1, 2, 1):
        tags[number] = s3.upload_part(**named, PartNumber=number, Body=plain[number - 1], ChecksumAlgorithm="SHA256")
    parts = [
        {"PartNumber": number, "ETag": tag["ETag"], "ChecksumSHA256": tag["ChecksumSHA256"]}
        for number, tag in sorted(tags.items())
    ]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    whole = b"".join(plain)
    assert MARK not in on_disk(store)
    assert s3.get_object(Bucket="books", Key="big")["Body"].read() == whole
    stretch = s3.get_object(Bucket="books", Key="big", Range=f"bytes={PART - 5}-{PART + 5}")["Body"].read()
    assert stretch == whole[PART - 5 : PART + 6]
    assert s3.get_object(Bucket="books", Key="big", PartNumber=3)["Body"].read() == plain[2]


def test_copies_into_out_of_and_between_keys(s3, store, kms, sse):
    other = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms.create_key()["KeyMetadata"]["Arn"]}
    plain = body(FRAME + 9)
    s3.put_object(Bucket="books", Key="open", Body=plain, Metadata={"a": "b"})
    s3.copy_object(Bucket="books", Key="sealed", CopySource="books/open", **sse)
    s3.copy_object(Bucket="books", Key="other", CopySource="books/sealed", **other)
    s3.delete_object(Bucket="books", Key="open")
    assert MARK not in on_disk(store)
    s3.copy_object(Bucket="books", Key="opened", CopySource="books/other")
    for name in ("sealed", "other", "opened"):
        got = s3.get_object(Bucket="books", Key=name)
        assert (got["Body"].read(), got["Metadata"]) == (plain, {"a": "b"})
    assert "SSEKMSKeyId" not in s3.head_object(Bucket="books", Key="opened")
    s3.copy_object(Bucket="books", Key="opened", CopySource="books/opened", **sse)
    assert MARK not in on_disk(store)
    upload = s3.create_multipart_upload(Bucket="books", Key="joined", **other)["UploadId"]
    named = {"Bucket": "books", "Key": "joined", "UploadId": upload}
    part = s3.upload_part_copy(**named, PartNumber=1, CopySource="books/sealed", CopySourceRange="bytes=3-9")
    tag = part["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    assert s3.get_object(Bucket="books", Key="joined")["Body"].read() == plain[3:10]


def test_without_its_key_an_object_cannot_be_read(s3, kms, key, sse):
    s3.put_object(Bucket="books", Key="k", Body=b"x", **sse)
    kms.disable_key(KeyId=key)
    for call in (
        lambda: s3.get_object(Bucket="books", Key="k"),
        lambda: s3.put_object(Bucket="books", Key="l", Body=b"x", **sse),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert wire.code_of(error) == "KMS.DisabledException"
    kms.enable_key(KeyId=key)
    assert s3.get_object(Bucket="books", Key="k")["Body"].read() == b"x"
    missing = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key[:-4] + "0000"}
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="books", Key="l", Body=b"x", **missing)
    assert wire.code_of(error) == "KMS.NotFoundException"
    with pytest.raises(ClientError, match="AES256"):
        s3.put_object(Bucket="books", Key="l", Body=b"x", SSEKMSKeyId=key)


def test_a_store_under_a_key_encrypts_what_it_writes(store, keys):
    arn = keys.create()["Arn"]
    under = store.under(arn)
    under.put("books", "x", MARK)
    with under.writer("books", "y") as file:
        file.write(MARK)
    assert MARK not in on_disk(store)
    assert {info.details.seal.key for info in store.list("books")} == {arn}
    with store.open("books", "y") as file:
        assert file.read() == MARK
    store.put("books", "z", MARK)
    assert MARK in on_disk(store)
    assert json.loads(store.head("books", "y").details.to_json())["seal"]["key"] == arn
