"""Other clients than boto3: the AWS CLI with nothing but its environment, and Arrow's file system."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
import wire

from personalize_nb.local.iam.accounts import accounts_handlers
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore


@pytest.fixture
def store(tmp_path):
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def endpoint(store, tmp_path):
    handlers = {"s3": s3_handler(store, wire.REGION, wire.ACCOUNT), **accounts_handlers(tmp_path, wire.ACCOUNT)}
    with wire.serving(handlers) as endpoint:
        yield endpoint


def test_the_aws_cli(endpoint, store, tmp_path):
    environment = os.environ | {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": wire.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": wire.SECRET_KEY,
        "AWS_DEFAULT_REGION": wire.REGION,
    }

    def aws(*arguments):
        command = [sys.executable, str(Path(sys.executable).with_name("aws")), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    folder = tmp_path / "folder"
    (folder / "sub dir").mkdir(parents=True)
    (folder / "one.txt").write_text("one")
    (folder / "sub dir" / "two é.txt").write_bytes(os.urandom(9 << 20))
    assert wire.ACCOUNT in aws("sts", "get-caller-identity")
    aws("s3", "mb", "s3://from-cli")
    aws("s3", "sync", str(folder), "s3://from-cli/in/")
    assert "two é.txt" in aws("s3", "ls", "--recursive", "s3://from-cli/")
    aws("s3", "cp", "--recursive", "s3://from-cli/in/", str(tmp_path / "back"))
    for name in ("one.txt", "sub dir/two é.txt"):
        assert (tmp_path / "back" / name).read_bytes() == (folder / name).read_bytes()
    aws("s3", "rb", "--force", "s3://from-cli")
    assert store.buckets() == []


def test_arrow(endpoint, store):
    store.create_bucket("arrow", wire.REGION)
    files = pyarrow.fs.S3FileSystem(
        access_key=wire.ACCESS_KEY,
        secret_key=wire.SECRET_KEY,
        endpoint_override=endpoint.url.removeprefix("http://"),
        scheme="http",
        region=wire.REGION,
        background_writes=False,
    )
    table = pa.table({"item": [f"i{number}" for number in range(50_000)], "score": pa.array(range(50_000))})
    pq.write_table(table, "arrow/folder/part é.parquet", filesystem=files)
    assert pq.read_table("arrow/folder/part é.parquet", filesystem=files).equals(table)
    found = files.get_file_info(pyarrow.fs.FileSelector("arrow", recursive=True))
    assert [each.base_name for each in found if each.is_file] == ["part é.parquet"]
    files.delete_dir("arrow/folder")
    assert list(store.list("arrow")) == []
