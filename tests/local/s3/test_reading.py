"""A body of which a bit was turned: whatever reads it inside the service says so, and makes nothing of it."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
import wire
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.local.errors import DamagedError
from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore

PART = os.urandom(5 << 20)
SMALL = os.urandom(3000)
ALGORITHMS = ("CRC32", "SHA256")
KINDS = {
    "default": SMALL,
    **dict.fromkeys(ALGORITHMS, SMALL),
    "sealed": SMALL * 200,
    "joined": PART + b"tail",
    "composite": PART + b"tail",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("reading")
    keys = Keys(root / "state.sqlite", wire.ACCOUNT, wire.REGION)
    opened = ObjectStore(root / "objects", keyring=keys)
    opened.create_bucket("books", wire.REGION)
    opened.under(keys.create()["Arn"]).put("books", "sealed", KINDS["sealed"])
    yield opened
    opened.close()
    keys.close()


@pytest.fixture(scope="module")
def s3(store):
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        client = wire.make_client("s3", endpoint)
        store.put("books", "default", SMALL)
        for name in ALGORITHMS:
            client.put_object(Bucket="books", Key=name, Body=SMALL, ChecksumAlgorithm=name)
        joined(client, "joined")
        joined(client, "composite", ChecksumAlgorithm="SHA256")
        yield client
        client.close()


def joined(client, key, **asked):
    place = {"Bucket": "books", "Key": key}
    place["UploadId"] = client.create_multipart_upload(**place, **asked)["UploadId"]
    parts = []
    for number, body in ((1, PART), (2, b"tail")):
        sent = client.upload_part(**place, PartNumber=number, Body=body, **asked)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        parts[-1] |= {name: sent[name] for name in ("ChecksumSHA256",) if name in sent and asked}
    client.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})


class Turned:
    """A body with one bit turned, while the block runs."""

    def __init__(self, store, key, place, bit):
        self.path = store.bodies.path(store.head("books", key).body)
        self.place, self.bit = place % self.path.stat().st_size, bit

    def __enter__(self):
        self._turn()
        return self.path

    def __exit__(self, *_):
        self._turn()

    def _turn(self):
        with open(self.path, "r+b") as file:
            file.seek(self.place)
            byte = file.read(1)[0]
            file.seek(self.place)
            file.write(bytes([byte ^ 1 << self.bit]))


def read(store, key):
    with store.open("books", key) as file:
        return file.read()


@pytest.mark.parametrize("key", KINDS)
def test_whole_bodies_are_read_in_any_way(s3, store, key):
    body = KINDS[key]
    assert read(store, key) == body
    with store.open("books", key) as file:
        assert file.read(2) == body[:2]
        file.seek(0)
        assert b"".join(iter(lambda: file.read(70_000), b"")) == body
        file.seek(-3, os.SEEK_END)
        assert file.read() == body[-3:]
        file.seek(0)
        assert file.read() == body


@settings(max_examples=60)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 1 << 23), st.integers(0, 7), st.integers(1, 1 << 22))
def test_no_bit_can_turn_unseen(s3, store, key, place, bit, step):
    with (
        Turned(store, key, place, bit) as path,
        store.open("books", key) as file,
        pytest.raises(DamagedError, match=f"of the object s3://books/{key}") as told,
    ):
        while file.read(step):
            pass
    assert str(path) in str(told.value)


@pytest.mark.parametrize("key", KINDS)
def test_nothing_is_copied_of_what_is_damaged_when_it_is_read(s3, store, key):
    source = {"Bucket": "books", "Key": key}
    upload = {"Bucket": "books", "Key": "part"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    copies = [
        lambda: s3.copy_object(Bucket="books", Key="copy", CopySource=source, ChecksumAlgorithm="SHA1"),
        lambda: s3.upload_part_copy(**upload, PartNumber=1, CopySource=source),
    ]
    with Turned(store, key, 1234, 3) as path:
        for copy in copies:
            with pytest.raises(ClientError) as refused:
                copy()
            told = refused.value.response["Error"]
            assert told["Code"] == "DamagedState" and str(path) in told["Message"]
    assert "Contents" not in s3.list_objects_v2(Bucket="books", Prefix="copy")
    assert "Parts" not in s3.list_parts(**upload)
    for copy in copies:
        copy()
    assert read(store, "copy") == KINDS[key]
    s3.delete_object(Bucket="books", Key="copy")


def test_no_head_of_what_cannot_be_got(s3, store):
    for damage in (os.unlink, lambda path: os.truncate(path, 2)):
        s3.put_object(Bucket="books", Key="k", Body=b"whole")
        assert s3.head_object(Bucket="books", Key="k")["ContentLength"] == 5
        damage(store.bodies.path(store.head("books", "k").body))
        for ask in (s3.head_object, s3.get_object):
            with pytest.raises(ClientError) as refused:
                ask(Bucket="books", Key="k")
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 507
    s3.delete_object(Bucket="books", Key="k")


@pytest.mark.parametrize("damage", [os.unlink, lambda path: os.truncate(path, 2)], ids=["lost", "cut"])
@pytest.mark.parametrize("again", [False, True])
def test_a_part_that_is_lost_or_cut_is_told_with_its_file(s3, store, damage, again):
    place = {"Bucket": "books", "Key": "up"}
    place["UploadId"] = s3.create_multipart_upload(**place)["UploadId"]
    sent = s3.upload_part(**place, PartNumber=1, Body=b"part one")
    with store.database.reading() as db:
        [(body,)] = db.execute("SELECT body FROM parts WHERE upload = ?", (place["UploadId"],))
    damage(store.bodies.path(body))
    parts = {"Parts": [{"PartNumber": 1, "ETag": sent["ETag"]}]}
    with pytest.raises(ClientError) as refused:
        s3.complete_multipart_upload(**place, MultipartUpload=parts)
    told = refused.value.response["Error"]
    assert told["Code"] == "DamagedState" and body in told["Message"] and "part 1" in told["Message"]
    if again:
        # what is told to do helps
        s3.upload_part(**place, PartNumber=1, Body=b"part one")
        s3.complete_multipart_upload(**place, MultipartUpload=parts)
        assert read(store, "up") == b"part one"
        s3.delete_object(Bucket="books", Key="up")
    else:
        with suppress(ClientError):
            s3.abort_multipart_upload(**place)
