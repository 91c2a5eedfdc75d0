"""A full disk: told plainly, nothing damaged, and room can still be made through the service itself."""

from __future__ import annotations

import errno
import shutil
import sqlite3

import pytest
import wire
from botocore.exceptions import ClientError

from personalize_nb.errors import LocalServiceError
from personalize_nb.local.personalize.json_protocol import personalize_handler
from personalize_nb.local.personalize.operations.control import Control
from personalize_nb.local.s3.handler import s3_handler
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import diskspace
from personalize_nb.local.state.database import Database
from personalize_nb.local.state.store import Store

ROW = "INSERT INTO rows VALUES (randomblob(100000))"


@pytest.fixture
def disk(monkeypatch):
    """Set how many bytes are free."""

    def set_free(free):
        usage = shutil.disk_usage("/")._replace(free=free)
        monkeypatch.setattr(diskspace.shutil, "disk_usage", lambda folder: usage)

    return set_free


@pytest.fixture
def s3(tmp_path):
    store = ObjectStore(tmp_path / "objects")
    store.create_bucket("books", wire.REGION)
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        client = wire.make_client("s3", endpoint)
        yield client
        client.close()


def full_database(path):
    """Give the real error of a SQLite file that may not grow."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE rows (body BLOB)")
    connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute(ROW)
    connection.close()
    return caught.value


def test_objects_leave_room_to_delete_them(s3, disk):
    s3.put_object(Bucket="books", Key="kept", Body=b"kept")
    disk(diskspace.RESERVE + 10)
    s3.put_object(Bucket="books", Key="small", Body=b"x")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="books", Key="kept", Body=b"x" * 100)
    assert wire.code_of(error) == "InsufficientStorage"
    assert s3.get_object(Bucket="books", Key="kept")["Body"].read() == b"kept"
    disk(0)
    with pytest.raises(ClientError, match="Delete objects or free some space") as error:
        s3.put_object(Bucket="books", Key="more", Body=b"x")
    assert wire.code_of(error) == "InsufficientStorage"
    s3.delete_object(Bucket="books", Key="small")
    disk(1 << 30)
    s3.put_object(Bucket="books", Key="more", Body=b"x" * 100)


def test_an_upload_is_completed_when_there_is_room_again(s3, disk):
    upload = {"Bucket": "books", "Key": "big"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = {"PartNumber": 1, "ETag": s3.upload_part(PartNumber=1, Body=b"x" * 1000, **upload)["ETag"]}
    disk(diskspace.RESERVE)
    with pytest.raises(ClientError) as error:
        s3.complete_multipart_upload(MultipartUpload={"Parts": [part]}, **upload)
    assert wire.code_of(error) == "InsufficientStorage"
    disk(1 << 30)
    s3.complete_multipart_upload(MultipartUpload={"Parts": [part]}, **upload)


def test_a_database_that_is_full_is_told_apart_from_a_broken_one(tmp_path):
    assert diskspace.is_full(full_database(tmp_path / "full.sqlite"))
    assert diskspace.is_full(OSError(errno.ENOSPC, "No space left on device"))
    assert not diskspace.is_full(sqlite3.OperationalError("no such table: rows"))
    assert not diskspace.is_full(OSError(errno.EACCES, "Permission denied"))


def test_an_operation_for_which_there_is_no_room_says_so(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise full_database(tmp_path / "full.sqlite")

    store, objects = Store(tmp_path / "state.sqlite"), ObjectStore(tmp_path / "objects")
    handler = personalize_handler(Control(store, objects, wire.ACCOUNT, wire.REGION))
    monkeypatch.setattr(Store, "create", full)
    with wire.serving({"personalize": handler}) as endpoint:
        client = wire.make_client("personalize", endpoint)
        with pytest.raises(ClientError, match="No space is left") as error:
            client.create_dataset_group(name="books")
        client.close()
    assert wire.code_of(error) == "InsufficientStorage"
    store.close()


def test_the_first_error_is_the_one_that_is_told(tmp_path):
    database = Database(tmp_path / "rows.sqlite", "CREATE TABLE IF NOT EXISTS rows (body BLOB)")
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute(ROW)
        connection.execute("ROLLBACK")  # as SQLite itself does on a full disk
        raise ZeroDivisionError
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM rows").fetchone()[0] == 0
    database.close()


def test_deletions_take_from_what_is_kept_for_them_bit_by_bit(s3, disk, tmp_path):
    reserve = tmp_path / "objects" / "objects.sqlite.reserve"
    kept = reserve.stat().st_size
    for number in range(3):
        s3.put_object(Bucket="books", Key=f"k{number}", Body=b"x")
    assert kept and reserve.stat().st_size == kept
    disk(0)
    left = kept
    for number in range(3):
        s3.delete_object(Bucket="books", Key=f"k{number}")
        assert 0 < reserve.stat().st_size < left
        left = reserve.stat().st_size
    disk(1 << 30)
    s3.delete_object(Bucket="books", Key="none")
    assert reserve.stat().st_size == kept


def test_a_start_takes_all_that_is_kept_and_is_refused_when_that_is_too_little(tmp_path, disk):
    Store(tmp_path / "state.sqlite").close()
    reserve = tmp_path / "state.sqlite.reserve"
    assert reserve.stat().st_size
    diskspace.make_room(tmp_path, ["state.sqlite", "none.sqlite"])
    assert reserve.stat().st_size
    disk(0)
    with pytest.raises(LocalServiceError, match="No space is left .* free some space"):
        diskspace.make_room(tmp_path, ["state.sqlite", "none.sqlite"])
    assert not reserve.stat().st_size


def test_a_full_disk_ends_a_start_in_words(tmp_path):
    with pytest.raises(LocalServiceError, match="No space is left"), diskspace.telling():
        raise full_database(tmp_path / "full.sqlite")
    with pytest.raises(ZeroDivisionError), diskspace.telling():
        raise ZeroDivisionError
