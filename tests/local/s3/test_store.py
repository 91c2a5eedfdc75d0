"""The object store through its own door: atomic, ordered, persistent, safe from a second process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.s3.sweeping import sweep


@pytest.fixture
def store(tmp_path):
    store = ObjectStore(tmp_path / "objects")
    store.create_bucket("books", "us-east-1")
    return store


def read(store, key):
    with store.open("books", key) as file:
        return file.read()


def files_under(store):
    return [path for path in store.root.rglob("*") if path.is_file() and "sqlite" not in path.name]


def test_put_open_head_delete(store):
    info = store.put("books", "a/b.txt", b"hello", "text/plain", {"lang": "en"})
    assert info.etag == "5d41402abc4b2a76b9719d911017c592"
    assert store.head("books", "a/b.txt") == info
    with store.open("books", "a/b.txt") as file:
        assert file.read() == b"hello"
    store.delete("books", "a/b.txt")
    store.delete("books", "a/b.txt")
    with pytest.raises(ApiError, match="NoSuchKey"):
        store.head("books", "a/b.txt")
    assert files_under(store) == []


def test_unknown_bucket_is_named(store):
    with pytest.raises(ApiError, match="NoSuchBucket.*nowhere"):
        store.put("nowhere", "k", b"")
    assert files_under(store) == []


def test_writer_publishes_only_on_clean_exit(store):
    store.put("books", "k", b"old")
    with pytest.raises(RuntimeError, match="midway"), store.writer("books", "k") as file:
        file.write(b"half")
        raise RuntimeError("midway")
    assert read(store, "k") == b"old"
    with store.writer("books", "k") as file:
        file.write(b"new ")
        file.write(b"body")
        assert read(store, "k") == b"old"
    assert read(store, "k") == b"new body"
    assert len(files_under(store)) == 1


def test_an_open_body_survives_its_replacement(store):
    store.put("books", "k", b"old")
    with store.open("books", "k") as file:
        store.put("books", "k", b"new")
        assert file.read() == b"old"


def test_joining_works_where_the_kernel_cannot_copy(store, monkeypatch, tmp_path):
    def refused(*arguments):
        raise OSError("not on this file system")

    monkeypatch.setattr(os, "copy_file_range", refused, raising=False)
    source = tmp_path / "source"
    source.write_bytes(b"0123456789")
    with store.incoming() as incoming, open(source, "rb") as file:
        incoming.append(file, 2, 3)
        incoming.append(file, 0, 2)
        store.publish("books", "k", incoming, etag="e")
    assert read(store, "k") == b"23401"
    with store.incoming() as incoming, open(source, "rb") as file, pytest.raises(EOFError, match="5 bytes"):
        incoming.append(file, 5, 10)


def test_list_in_byte_order_by_prefix(store):
    keys = ["a", "a/b", "a//b", "B", "é", "a-", "../up", "x/", "\U0001f600", "\ud7ff/1", "\uffff"]
    for key in keys:
        store.put("books", key, b"")
    in_order = sorted(keys, key=str.encode)
    assert [info.key for info in store.list("books")] == in_order
    assert [info.key for info in store.list("books", prefix="a/")] == ["a//b", "a/b"]
    assert [info.key for info in store.list("books", start_after="a/b")] == in_order[in_order.index("a/b") + 1 :]
    assert [info.key for info in store.list("books", prefix="\ud7ff")] == ["\ud7ff/1"]


def test_list_pages_through_many_keys(store):
    keys = [f"k{number:05}" for number in range(2300)]
    with store.database.writing() as db:
        db.executemany("INSERT INTO objects VALUES ('books', ?, ?, 0, 'e', 0, 't', '{}')", [(key, key) for key in keys])
    assert [info.key for info in store.list("books")] == keys


def test_everything_is_there_again_after_a_restart(store):
    info = store.put("books", "k", b"1", metadata={"a": "b"})
    store.set_setting("books", "policy", "{}")
    store.close()
    again = ObjectStore(store.root)
    assert again.head("books", "k") == info
    assert again.setting("books", "policy") == "{}"


def test_buckets(store):
    with pytest.raises(ApiError, match="BucketAlreadyOwnedByYou"):
        store.create_bucket("books", "us-east-1")
    for name in ("ab", "Books", "a..b", "-ab", "a/b", "a" * 64):
        with pytest.raises(ApiError, match="InvalidBucketName"):
            store.create_bucket(name, "us-east-1")
    store.put("books", "k", b"")
    with pytest.raises(ApiError, match="BucketNotEmpty"):
        store.delete_bucket("books")
    store.delete("books", "k")
    store.delete_bucket("books")
    assert not store.has_bucket("books") and store.buckets() == []


def test_sweep_removes_what_a_killed_writer_left(store):
    store.put("books", "kept", b"kept")
    script = (
        "import sys; from pathlib import Path; from personalize_nb.local.s3.store import ObjectStore\n"
        "store = ObjectStore(Path(sys.argv[1]))\n"
        "with store.writer('books', 'kept') as file:\n"
        "    file.write(b'x' * 3_000_000); file.flush(); print('ready', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(store.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert sweep(store) == 0, "a living process's unfinished file must stay"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert len(files_under(store)) == 2
    assert sweep(store) == 1
    assert read(store, "kept") == b"kept"


def test_two_stores_on_one_folder_see_each_other(store):
    other = ObjectStore(store.root)
    other.put("books", "k", b"theirs")
    assert read(store, "k") == b"theirs"
    store.put("books", "k", b"ours")
    assert read(other, "k") == b"ours"


def test_a_body_that_is_lost_or_cut_is_told_and_its_object_can_be_deleted(store):
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        client = wire.make_client("s3", endpoint)
        for key, damage in (("lost", os.unlink), ("cut", lambda path: os.truncate(path, 3)), ("grown", _grow)):
            client.put_object(Bucket="books", Key=key, Body=b"whole")
            path = store.bodies.path(store.head("books", key).body)
            damage(path)
            with pytest.raises(ClientError) as refused:
                client.get_object(Bucket="books", Key=key)
            told = refused.value.response
            # a status that clients do not try again by themselves
            assert (told["Error"]["Code"], told["ResponseMetadata"]["RetryAttempts"]) == ("DamagedState", 0)
            assert (
                str(path) in told["Error"]["Message"] and f"upload s3://books/{key} again" in told["Error"]["Message"]
            )
            client.delete_object(Bucket="books", Key=key)
            client.put_object(Bucket="books", Key=key, Body=b"again")
            assert client.get_object(Bucket="books", Key=key)["Body"].read() == b"again"
        client.close()


def _grow(path):
    with open(path, "ab") as body:
        body.write(b"more")
