"""What a repair says is lost is what is lost: counted, named, and nothing that is there; and nothing is passed over."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing

import kept_state as kept
import pytest
from inline_service import BUCKET

from personalize_nb import local
from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout, wholeness
from personalize_nb.local.upkeep import checking


def told(mended):
    return "\n".join(map(str, mended.lost))


def keys_in(root):
    with closing(ObjectStore(root / layout.OBJECTS)) as store:
        return {info.key for info in store.list(BUCKET)}


def wipe(root, table):
    """Lose the page on which a table of the state begins; its indexes lie elsewhere."""
    page = kept.row(root, f"SELECT rootpage FROM sqlite_master WHERE name = '{table}'", layout.STATE)
    with open(root / layout.STATE, "r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(bytes(4096))


def change(root, sql, name=layout.STATE):
    with closing(sqlite3.connect(root / name)) as db, db:
        db.execute(sql)


LOST_KEYS = {
    "state lost": lambda root: (root / layout.STATE).unlink(),
    "state no database": lambda root: (root / layout.STATE).write_bytes(b"text" * 999),
    "keys lost": lambda root: wipe(root, "kms_keys"),
    "a key's text": lambda root: change(root, "UPDATE kms_keys SET body = substr(body, 1, 5)"),
    "a key's text empty": lambda root: change(root, "UPDATE kms_keys SET body = '{}'"),
    "a key's material": lambda root: change(
        root, "UPDATE kms_keys SET body = json_set(body, '$.material', '" + "A" * 43 + "=')"
    ),
}


@pytest.mark.parametrize("name", LOST_KEYS)
def test_what_no_key_opens_any_more_is_told_as_lost(folder, name):
    LOST_KEYS[name](folder)
    assert any(not damage.harmless for damage in local.check(folder))
    mended = local.repair(folder)
    assert "s3://data/sealed" in told(mended)
    assert "sealed" not in keys_in(mended.path) and "joined" in keys_in(mended.path)
    assert local.check(mended.path) == []


def test_what_was_encrypted_under_a_key_that_is_deleted_is_worth_a_look_and_no_damage(folder, tmp_path):
    change(folder, "DELETE FROM kms_keys")
    [damage] = local.check(folder)
    assert damage.harmless and "s3://data/sealed" in damage.cause and "damaged" not in str(damage)
    mended = local.repair(folder)
    assert mended.lost == () and "sealed" in keys_in(mended.path)
    assert local.snapshot(folder, tmp_path / "kept.zip").exists()


def test_a_key_that_is_disabled_is_no_news(folder):
    with closing(Keys(folder / layout.STATE, kept.OURS.account, kept.OURS.region)) as keys:
        for key in keys.all():
            keys.change(key["KeyId"], lambda body: body.update(KeyState="Disabled", Enabled=False))
    assert local.check(folder) == []


def test_datasets_have_their_rows_again_though_nothing_says_where_they_are(folder):
    sql = "SELECT dataset_group, type, full, newest FROM data_files ORDER BY type"
    with closing(sqlite3.connect(folder / layout.STATE)) as db:
        before = db.execute(sql).fetchall()
    assert any(full != newest for _, _, full, newest in before)
    wipe(folder, "data_files")
    mended = local.repair(folder)
    with closing(sqlite3.connect(mended.path / layout.STATE)) as db:
        assert db.execute(sql).fetchall() == before
    for _, kind, _, newest in before:
        assert f"the {kind} dataset of g" in told(mended) and newest in told(mended)
    assert local.check(mended.path) == []


def test_everything_that_lost_rows_have_named_is_told(folder):
    files = [path.name for path in (folder / "datasets").glob("*/*")] + [
        path.name for path in (folder / "models").glob("*")
    ]
    (folder / layout.STATE).unlink()
    (folder / layout.DATABASES[1]).rename(folder / "objects.kept")
    mended = local.repair(_with_record(folder))
    text = told(mended)
    assert all(name in text for name in files)
    bodies = len(list((folder / "objects" / "bodies").glob("*/*")))
    assert f"names {bodies} of the bodies" in text


def _with_record(root):
    """Say whose the folder is where no database does: the third of them."""
    wholeness._write(root / layout.STREAMED, {"account": kept.OURS.account, "region": kept.OURS.region})
    return root


def test_rows_that_cannot_be_read_are_counted_by_kind(folder):
    with closing(sqlite3.connect(folder / layout.STATE)) as db:
        counts = dict(db.execute("SELECT kind, count(*) FROM resources GROUP BY kind").fetchall())
    wipe(folder, "resources")
    text = told(local.repair(folder))
    total = sum(counts.values())
    assert f"{total} of {total} rows of resources cannot be read" in text
    assert all(f"{kind}: {count}" in text for kind, count in counts.items())
    assert "The copy has none of them" in text and "all the others" not in text


@pytest.mark.parametrize("older", layout.DATABASES)
def test_an_older_database_is_not_said_to_have_all_of_its_rows(folder, older):
    old = (folder / older).read_bytes()
    with closing(ObjectStore(folder / layout.OBJECTS)) as store:
        store.put(BUCKET, "later", b"later")
    wholeness.mark(folder, kept.OURS)
    for name in layout.DATABASES:
        with closing(sqlite3.connect(folder / name)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (folder / older).write_bytes(old)
    mended = local.repair(folder)
    assert "all of its rows" not in told(mended) and "what came later is lost" in told(mended)
    assert ("names 1 of the bodies (5 bytes)" in told(mended)) == (older == layout.DATABASES[1])
    assert local.check(mended.path) == []


@pytest.mark.parametrize("damage", [kept.removed, kept.flip])
@pytest.mark.parametrize("which", [("newest",), ("full",), ("full", "newest")])
def test_of_rows_only_what_is_there_is_said_to_be_there(folder, damage, which):
    for column in which:
        name = kept.row(folder, f"SELECT {column} FROM data_files WHERE type = 'INTERACTIONS'", layout.STATE)
        damage(folder / "datasets" / "g" / name)
    mended = local.repair(folder)
    says = {
        ("newest",): "The rows of its newest FULL import are there",
        ("full",): "All of its rows are there",
        ("full", "newest"): "The copy has none of its rows",
    }
    assert len(mended.lost) == len(which) and all(says[which] in lost.repair for lost in mended.lost)
    moved = list((mended.path / layout.LOST).glob("datasets/*/*"))
    assert ("What is left" in told(mended)) == bool(moved)


@pytest.mark.parametrize("what", ["body", "model"])
def test_of_what_is_missing_nothing_is_left(folder, what):
    if what == "body":
        kept.removed(kept.body(folder, "in.jsonl"))
    else:
        shutil.rmtree(next((folder / "models").iterdir()))
    mended = local.repair(folder)
    assert mended.lost and "What is left" not in told(mended)


@pytest.mark.parametrize("name", sorted({*checking._FOLDERS, *checking._FILES}))
def test_what_lies_in_the_place_of_something_is_named_and_not_in_the_way(folder, name):
    path = folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"mine") if name in checking._FOLDERS else kept.written(path / "mine")
    if name == layout.OBJECTS:
        _with_record(folder)
    assert str(path) in "\n".join(map(str, local.check(folder)))
    if name == layout.LOCK:
        with pytest.raises(local.LocalServiceError, match="something else lies there"):
            local.repair(folder)
        return
    mended = local.repair(folder)
    assert local.check(mended.path) == []
    gone = name in ("cache", "scratch", "objects/incoming") or name.endswith((".lock", ".log"))
    assert gone or str(path) in told(mended)
    if name == layout.RECORD:
        with pytest.raises(local.LocalServiceError, match="move away the folder that lies in its place"):
            local.reset(folder)


def test_what_is_made_is_on_the_disk(folder, tmp_path, monkeypatch):
    synced, sync = set(), os.fsync

    def noted(opened):
        synced.add(os.fstat(opened).st_ino)
        sync(opened)

    file = local.snapshot(folder, tmp_path / "kept.zip")
    monkeypatch.setattr(os, "fsync", noted)
    for made in (local.restore(file, tmp_path / "restored"), local.repair(folder).path):
        # the last connection to a database closes after that, and SQLite has synced what it writes then
        assert {path.stat().st_ino for path in [made, *made.rglob("*")]} <= synced
