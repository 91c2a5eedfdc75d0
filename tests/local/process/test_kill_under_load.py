"""SIGKILL under a load of everything that takes bodies away: no next start takes one of them for lost."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress

import pytest
import wire
from botocore.exceptions import BotoCoreError, ClientError

from personalize_nb import local

CLIENTS, KILLS, STEPS = 4, 2, 8
DEADLINE_SECONDS = 300


@pytest.fixture
def folder(tmp_path):
    """A folder whose service is stopped afterwards."""
    path = tmp_path / "service"
    yield path
    local.stop(path)


def load(s3, bucket, name, counted):
    """Put, replace, delete, delete many, upload, abort and complete until nobody answers."""
    keys = [f"{name}/{number}" for number in range(5)]
    with suppress(BotoCoreError, ClientError):
        while True:
            for key in keys:
                s3.put_object(Bucket=bucket, Key=key, Body=os.urandom(1000))
            s3.put_object(Bucket=bucket, Key=keys[0], Body=b"replaced")
            s3.delete_object(Bucket=bucket, Key=keys[1])
            s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys[2:]]})
            for end in (s3.abort_multipart_upload, s3.complete_multipart_upload):
                place = {"Bucket": bucket, "Key": keys[4]}
                place["UploadId"] = s3.create_multipart_upload(**place)["UploadId"]
                tags = [s3.upload_part(**place, PartNumber=number, Body=b"part")["ETag"] for number in (1, 1, 2, 3)]
                whole = end == s3.complete_multipart_upload
                end(**place, **({"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": tags[1]}]}} if whole else {}))
            counted.release()


def test_no_kill_makes_a_start_refuse(folder):
    for _ in range(KILLS):
        info = local.start(folder, idle_seconds=600)
        counted = threading.Semaphore(0)
        keys = {"secret": info.secret_key, "access_key": info.access_key}
        clients = [wire.make_client("s3", info, **keys, s3={"addressing_style": "path"}) for _ in range(CLIENTS)]
        threads = [
            threading.Thread(target=load, args=(client, info.bucket, f"client{number}", counted))
            for number, client in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        for _ in range(STEPS):
            assert counted.acquire(timeout=DEADLINE_SECONDS)
        os.kill(info.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
        for client in clients:
            client.close()
    local.start(folder, idle_seconds=600)
    assert local.stop(folder)
    assert local.check(folder) == []
