"""In the mode `durable` the disk has everything before it is acknowledged; in the other one nobody waits for it."""

from __future__ import annotations

import os
import subprocess
import sys

import boto3
import pytest
from botocore.config import Config

from personalize_nb import local
from personalize_nb.errors import LocalServiceError
from personalize_nb.local.http.endpoint import Endpoint
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import durability, platform

REGION, ACCOUNT = "us-east-1", "123456789012"


class Door:
    """S3 behind a real endpoint, and what its process has told the disk and its clients, in order."""

    def __init__(self, folder, patch):
        self.told = []
        for name in ("sync_file", "sync_folder"):
            patch.setattr(platform, name, self._seen(name, getattr(platform, name)))
        self.store = ObjectStore(folder / "objects")
        self._endpoint = Endpoint({"s3": s3_handler(self.store, REGION, ACCOUNT)}, {"AKIDTEST": "secret"}, REGION)
        self._endpoint.start()
        self.s3 = boto3.client(
            "s3",
            endpoint_url=self._endpoint.url,
            region_name=REGION,
            aws_access_key_id="AKIDTEST",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )
        self.s3.create_bucket(Bucket="books")

    def _seen(self, name, sync):
        def call(path):
            sync(path)
            self.told.append((name, path))

        return call

    def until_answered(self, operation, **params):
        """Return what was synced before the answer of a call."""
        self.told.clear()
        answer = getattr(self.s3, operation)(Bucket="books", Key="k", **params)
        return answer, list(self.told)

    def close(self):
        self.s3.close()
        self._endpoint.stop()
        self.store.close()


@pytest.fixture(params=["1", "0", ""])
def door(request, tmp_path, monkeypatch):
    monkeypatch.setenv(durability.VARIABLE, request.param)
    opened = Door(tmp_path, monkeypatch)
    opened.durable = request.param == "1"
    yield opened
    opened.close()


def test_bodies_and_their_names_are_on_the_disk_before_an_answer(door):
    def held(told):
        """A body is synced under the name it was written under, then the folder that it was moved to."""
        if not door.durable:
            return told == []
        (first, body), (second, shard) = told
        return (first, second) == ("sync_file", "sync_folder") and (
            body.parent.name == "incoming" and shard.parent.name == "bodies"
        )

    _, told = door.until_answered("put_object", Body=b"data")
    assert held(told)
    _, told = door.until_answered("copy_object", CopySource="books/k", MetadataDirective="REPLACE")
    assert held(told)
    started, told = door.until_answered("create_multipart_upload")
    assert told == []
    upload = {"UploadId": started["UploadId"]}
    part, told = door.until_answered("upload_part", PartNumber=1, Body=b"data", **upload)
    assert held(told)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    _, told = door.until_answered("complete_multipart_upload", MultipartUpload=parts, **upload)
    assert held(told)


def test_every_commit_waits_for_the_disk(door):
    with door.store.database.reading() as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == (2 if door.durable else 1)


def test_a_body_that_the_disk_does_not_take_is_not_acknowledged(tmp_path, monkeypatch):
    monkeypatch.setenv(durability.VARIABLE, "1")
    store = ObjectStore(tmp_path)
    store.create_bucket("books", REGION)
    store.put("books", "k", b"before")

    def fails(path):
        raise OSError(5, "Input/output error")

    for name in ("sync_file", "sync_folder"):
        with monkeypatch.context() as patch:
            patch.setattr(platform, name, fails)
            with pytest.raises(OSError, match="Input/output"):
                store.put("books", "k", b"after")
        with store.open("books", "k") as body:
            assert body.read() == b"before"
    store.close()


def test_another_word_than_yes_or_no_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(durability.VARIABLE, "yes")
    with pytest.raises(LocalServiceError, match="must be 1 or 0, got 'yes'"):
        local.start(tmp_path / "service")


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "service"
    local.stop(tmp_path / "service")


def test_a_service_says_its_mode_and_keeps_it(folder, monkeypatch):
    monkeypatch.delenv(durability.VARIABLE, raising=False)
    assert local.start(folder, durable=True).durable
    assert local.start(folder).durable
    with pytest.raises(LocalServiceError, match="durable=True, not False; stop it first"):
        local.start(folder, durable=False)
    monkeypatch.setenv(durability.VARIABLE, "0")
    with pytest.raises(LocalServiceError, match="durable=True, not False"):
        local.start(folder)


def test_what_a_service_starts_works_in_its_mode(monkeypatch):
    monkeypatch.setenv(durability.VARIABLE, "0")
    durability.choose(True)
    program = "from personalize_nb.local.state import durability; print(durability.is_durable())"
    child = platform.spawn([sys.executable, "-c", f"import sys; {program}; sys.exit(not durability.is_durable())"])
    assert child.process.wait() == 0
    child.pipe.close()
    # and by itself nothing is durable
    bare = {name: value for name, value in os.environ.items() if name != durability.VARIABLE}
    assert subprocess.check_output([sys.executable, "-c", program], env=bare, text=True) == "False\n"
