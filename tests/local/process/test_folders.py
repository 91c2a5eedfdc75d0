"""Whose folder a service serves: copies, moves and aliases; and folders that are damaged."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

import personalize_nb as pnb
from personalize_nb import local
from personalize_nb.errors import LocalServiceError


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "original"
    yield path
    for each in tmp_path.iterdir():
        local.stop(each)


def put(session, text):
    session.s3.put_object(Bucket=session.bucket, Key="k", Body=text.encode())


def got(session):
    return session.s3.get_object(Bucket=session.bucket, Key="k")["Body"].read().decode()


def test_a_copy_made_while_the_service_runs_is_a_world_of_its_own(folder, tmp_path):
    first = pnb.Session.local(folder)
    put(first, "of the original")
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert local.attach(copy) is None
    assert not local.stop(copy)
    second = pnb.Session.local(copy)
    there, here = local.attach(folder), local.attach(copy)
    assert there.pid != here.pid and there.url != here.url
    assert (there.region, there.account) == (here.region, here.account)
    assert got(second) == "of the original"
    put(second, "of the copy")
    assert got(first) == "of the original"
    keys_of_the_original = boto3.client(
        "s3",
        endpoint_url=here.url,
        region_name=there.region,
        aws_access_key_id=there.access_key,
        aws_secret_access_key=there.secret_key,
    )
    with pytest.raises(ClientError, match="is not one of this service's"):
        keys_of_the_original.list_buckets()
    keys_of_the_original.close()
    assert second.stop()
    assert local.attach(folder) == there
    assert got(first) == "of the original"


def test_a_copy_does_not_take_the_address_of_an_original_that_rests(folder, tmp_path):
    first = pnb.Session.local(folder)
    put(first, "of the original")
    first.stop()
    shutil.copytree(folder, tmp_path / "restored")
    second = pnb.Session.local(tmp_path / "restored")
    put(second, "of the copy")
    # the session on the original starts its own service again, whoever has that address now
    assert got(first) == "of the original"
    assert got(second) == "of the copy"


def test_a_moved_folder_is_served_at_its_new_place(folder, tmp_path):
    before = local.start(folder, idle_seconds=600)
    moved = tmp_path / "moved"
    folder.rename(moved)
    after = local.start(moved, idle_seconds=600)
    assert after.pid != before.pid
    assert (after.access_key, after.path) == (before.access_key, moved)
    assert local.attach(folder) is None and not local.stop(folder)


def test_a_folder_put_in_the_place_of_a_moved_one_is_another(folder, tmp_path, until):
    before = local.start(folder, idle_seconds=600)
    folder.rename(tmp_path / "moved")
    shutil.copytree(tmp_path / "moved", folder)
    assert local.attach(folder) is None
    until(lambda: not psutil.pid_exists(before.pid), "the end of the service whose folder is another now")
    assert local.start(folder, idle_seconds=600).pid != before.pid


def test_whoever_got_the_number_of_a_dead_service_is_left_alone(folder, until):
    info = local.start(folder, idle_seconds=600)
    os.kill(info.pid, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(info.pid), "the end of the service")
    record = json.loads((folder / "service.json").read_text())
    mine = psutil.Process()
    (folder / "service.json").write_text(json.dumps(record | {"pid": mine.pid, "started": mine.create_time()}))
    assert not local.stop(folder)


def test_a_record_of_an_earlier_version_still_opens(folder):
    first = local.start(folder, idle_seconds=600)
    local.stop(folder)
    record = json.loads((folder / "service.json").read_text())
    del record["folder"]
    (folder / "service.json").write_text(json.dumps(record | {"of_a_later_version": 1}))
    assert local.start(folder, idle_seconds=600).secret_key == first.secret_key


def emptied(path):
    path.write_bytes(b"")


def replaced(path):
    path.write_bytes(b"hello\n")


def cut(path):
    path.write_bytes(path.read_bytes()[:5000])


def gone(path):
    path.unlink()


def a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.fixture(scope="module")
def rested(tmp_path_factory):
    """A folder that has served, with its files as they lie after a stop."""
    path = tmp_path_factory.mktemp("served") / "service"
    local.start(path, region="eu-west-1", account="111122223333", idle_seconds=600)
    local.stop(path)
    for left in (*path.glob("*.sqlite-*"), *path.glob("objects/*.sqlite-*")):
        left.unlink()
    return path


@pytest.mark.parametrize("name", ["state.sqlite", "objects/objects.sqlite", "streamed.sqlite"])
@pytest.mark.parametrize("damage", [emptied, replaced, cut, gone, a_folder])
def test_a_damaged_state_file_is_named_and_left_as_it_is(rested, tmp_path, name, damage):
    path = tmp_path / "service"
    shutil.copytree(rested, path)
    damage(path / name)
    before = (path / name).read_bytes() if (path / name).is_file() else None
    with pytest.raises(LocalServiceError) as refused:
        local.start(path)
    text = str(refused.value)
    assert str(path / name) in text and "backup" in text and "choose another folder" in text
    assert "Traceback" not in text and "The end of" not in text and "\n" not in text
    assert ((path / name).read_bytes() if (path / name).is_file() else None) == before
    assert local.attach(path) is None


def served_account(path, **wanted):
    """Start a folder that has lost its record, after a try to give it another account."""
    with pytest.raises(LocalServiceError, match="belongs to account '111122223333', got '123456789012'"):
        local.start(path, account="123456789012")
    return local.start(path, idle_seconds=600, **wanted)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": 1}', "\x00\x01"])
def test_a_damaged_record_loses_the_keys_and_nothing_else(rested, tmp_path, text):
    path = tmp_path / "service"
    shutil.copytree(rested, path)
    (path / "service.json").write_text(text)
    info = served_account(path)
    local.stop(path)
    assert (info.region, info.account) == ("eu-west-1", "111122223333")
    assert (path / "lost+found" / "service.json").read_text() == text
    said = (path / "service.log").read_text()
    assert "service.json' cannot be read" in said and "region eu-west-1 and account 111122223333" in said
    assert info.secret_key not in said


def test_a_lost_record_does_not_make_another_account_of_a_folder(rested, tmp_path):
    path = tmp_path / "service"
    shutil.copytree(rested, path)
    (path / "service.json").unlink()
    info = served_account(path, region="eu-west-1")
    local.stop(path)
    assert (info.region, info.account) == ("eu-west-1", "111122223333")
    assert "service.json' is gone" in (path / "service.log").read_text()


def test_a_damaged_record_is_named_where_no_database_says_whose_the_folder_is(rested, tmp_path):
    path = tmp_path / "service"
    shutil.copytree(rested, path)
    # as earlier versions left a folder without resources whose bucket was deleted
    for name in ("state.sqlite", "objects/objects.sqlite", "streamed.sqlite"):
        with contextlib.closing(sqlite3.connect(path / name)) as db, db:
            db.execute("DELETE FROM about")
            if name.startswith("objects"):
                db.execute("DELETE FROM buckets")
    (path / "service.json").write_text("{")
    with pytest.raises(LocalServiceError, match=r"service\.json'.*cannot be read.*Restore it from a backup"):
        local.start(path)
    assert (path / "service.json").read_text() == "{"


@pytest.mark.parametrize("name", ["service.log", "service.lock", "start.lock", "datasets", "objects", "scratch"])
def test_something_else_in_the_place_of_a_file_is_named(tmp_path, name):
    path = tmp_path / "service"
    path.mkdir()
    if "." in name:
        (path / name).mkdir()
    else:
        (path / name).write_text("")
    with pytest.raises(LocalServiceError, match=f"cannot use .*{name}"):
        local.start(path)
