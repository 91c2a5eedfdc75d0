"""Keys of real AWS accounts in the environment of a service: they open it, and are found nowhere afterwards."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from contextlib import closing, contextmanager

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from personalize_nb import local
from personalize_nb.local.process.discovery import write_record

SECRET = "a-secret-that-opens-more-than-this-folder"


@pytest.fixture
def folder(tmp_path):
    """A folder whose service is stopped afterwards."""
    path = tmp_path / "service"
    yield path
    local.stop(path)


@contextmanager
def foreground(folder, **keys):
    """A service in the foreground with keys in its environment; gives what it printed when it was ready."""
    command = [sys.executable, "-m", "personalize_nb.local", "--path", str(folder)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | keys
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as it:
        lines = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(it.stdout.readline())
            assert lines[-1], lines
        try:
            yield lines
        finally:
            local.stop(folder)
            lines.extend(it.stdout)


def identity(info, access_key, secret_key):
    client = boto3.client(
        "sts",
        endpoint_url=info.url,
        region_name=info.region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )
    with closing(client):
        return client.get_caller_identity()["Account"]


def kept(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("access_key", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"])
def test_keys_of_aws_open_the_service_and_are_neither_kept_nor_printed(folder, access_key):
    with foreground(folder, AWS_ACCESS_KEY_ID=access_key, AWS_SECRET_ACCESS_KEY=SECRET) as lines:
        info = local.attach(folder)
        assert identity(info, access_key, SECRET) == info.account
        assert identity(info, info.access_key, info.secret_key) == info.account
        assert not info.access_key.startswith(("AKIA", "ASIA"))
        assert SECRET not in repr(info) and SECRET.encode() not in kept(folder)
        assert f"export AWS_ACCESS_KEY_ID={info.access_key}\n" in lines
    assert SECRET not in "".join(lines)
    assert SECRET.encode() not in kept(folder)

    again = local.start(folder)
    assert (again.access_key, again.secret_key) == (info.access_key, info.secret_key)
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        identity(again, access_key, SECRET)


def test_a_secret_of_aws_that_an_earlier_version_kept_goes(folder):
    before = local.start(folder)
    local.stop(folder)
    write_record(dataclasses.replace(before, access_key="AKIAIOSFODNN7EXAMPLE", secret_key=SECRET))
    info = local.start(folder)
    assert identity(info, info.access_key, info.secret_key) == before.account
    assert SECRET.encode() not in kept(folder)


def test_other_keys_are_kept_for_later_kernels(folder):
    with foreground(folder, AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing"):
        assert local.attach(folder).access_key == "testing"
    assert local.start(folder).access_key == "testing"
