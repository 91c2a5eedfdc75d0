"""Whatever a store was doing when it was killed: what nothing names any more is known, and not taken for lost."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.local.errors import ApiError
from personalize_nb.local.s3.digests import DEFAULT_ALGORITHM, kept, running
from personalize_nb.local.s3.files import Bodies
from personalize_nb.local.s3.multipart import NamedPart, Uploads
from personalize_nb.local.s3.records import NO_DETAILS
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.s3.sweeping import LEFT_BY_KILLS, sweep

PARTS = 3


class Killed(BaseException):
    """Nothing that a store could catch is to know of it."""


@pytest.fixture
def store(tmp_path):
    opened = ObjectStore(tmp_path / "objects")
    opened.create_bucket("books", "us-east-1")
    yield opened
    opened.close()


def bodies(store):
    return {path.name for path in store.bodies.path("00").parent.parent.glob("*/*")}


def put(store):
    store.put("books", "k", b"new")


def delete(store):
    store.delete("books", "k")


def upload(store, key="up"):
    uploads = Uploads(store)
    begun = uploads.begin("books", key, "text/plain", NO_DETAILS)
    return uploads, begun, [part(uploads, begun, store, number) for number in range(1, PARTS + 1)]


def part(uploads, begun, store, number):
    with store.incoming(**running(DEFAULT_ALGORITHM)) as incoming:
        incoming.write(b"part")
        return uploads.add_part(begun, number, incoming, "0" * 32, kept(DEFAULT_ALGORITHM, incoming))


def part_again(store):
    uploads, begun, _ = upload(store)
    part(uploads, begun, store, 1)


def abort(store):
    uploads, begun, _ = upload(store)
    uploads.abort(begun)


def complete(store):
    uploads, begun, parts = upload(store, "k")
    uploads.complete(begun, [NamedPart(1, parts[0].etag)])


def delete_bucket(store):
    store.create_bucket("other", "us-east-1")
    uploads = Uploads(store)
    begun = uploads.begin("other", "k", "text/plain", NO_DETAILS)
    for number in range(1, PARTS + 1):
        part(uploads, begun, store, number)
    store.delete_bucket("other")


OPERATIONS = [put, delete, part_again, abort, complete, delete_bucket]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(OPERATIONS), st.booleans()), min_size=1, max_size=8))
def test_what_killed_stores_leave_is_known_and_goes_at_the_next_start(tmp_path_factory, steps):
    store = ObjectStore(tmp_path_factory.mktemp("leaving") / "objects")
    store.create_bucket("books", "us-east-1")
    store.put("books", "kept", b"kept")

    def die(self, name):
        raise Killed

    for operation, killed in steps:
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            if killed:
                # what is to be removed is not: the file stays, and whoever asked for that does no more
                patch.setattr(Bodies, "drop", die)
            operation(store)
    store.close()
    again = ObjectStore(store.root)
    sweep(again, 0)
    assert not (store.root / "lost+found").exists()
    with again.database.reading() as db:
        named = {name for (name,) in db.execute("SELECT body FROM objects UNION SELECT body FROM parts")}
        assert db.execute("SELECT count(*) FROM leaving").fetchone()[0] == 0
    assert bodies(again) == named
    again.close()


def test_what_is_gone_is_crossed_out_by_the_next_commit(store):
    for number in range(10):
        store.put("books", "k", b"%d" % number)
    with store.database.reading() as db:
        assert db.execute("SELECT count(*) FROM leaving").fetchone()[0] == 1


@pytest.mark.parametrize("operation", [put, complete, part_again])
def test_a_commit_that_fails_leaves_no_body(store, monkeypatch, operation):
    moved = []
    move = os.replace

    def note(source, target):
        move(source, target)
        moved.append(target)

    def fail(self, db, bodies):
        if len(moved) > before:
            raise ApiError("NoSuchUpload", "it was aborted meanwhile", 404)

    monkeypatch.setattr(os, "replace", note)
    store.put("books", "k", b"old")
    before = len(moved) + (0 if operation is put else PARTS)
    monkeypatch.setattr(type(store.leaving), "note", fail)
    with pytest.raises(ApiError, match="NoSuchUpload"):
        operation(store)
    assert len(moved) == before + 1
    assert not moved[-1].exists() and sweep(store, LEFT_BY_KILLS) == 0
