"""A folder is looked through, mended in a copy, kept in a file and made of it again; the original stays as it is."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import zipfile
from contextlib import closing

import kept_state as kept
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_service import BUCKET, InlineService

from personalize_nb import local
from personalize_nb.errors import LocalServiceError
from personalize_nb.local.errors import DamagedError
from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout, wholeness


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give a folder with something of everything, and the ARN of its solution version."""
    root = tmp_path_factory.mktemp("upkeep") / "service"
    return root, kept.fill(root)


@pytest.fixture
def folder(made, tmp_path):
    return kept.copy(made[0], tmp_path / "service")


def row(root, sql, name=layout.DATABASES[1]):
    with closing(sqlite3.connect(root / name)) as db:
        return db.execute(sql).fetchone()[0]


def body(root, key):
    name = row(root, f"SELECT body FROM objects WHERE key = '{key}'")
    return root / "objects" / "bodies" / name[:2] / name


def flip(path, place=-3):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    return path


def answers(root, version):
    """Open a folder and use it: read every object, run a batch job on its model; return the job's output."""
    wholeness.look(root)
    keys = Keys(root / layout.STATE, kept.OURS.account, kept.OURS.region)
    store = ObjectStore(root / layout.OBJECTS, keyring=keys)
    if not store.has_bucket(BUCKET):
        store.create_bucket(BUCKET, kept.OURS.region)
    for info in store.list(BUCKET):
        with store.open(BUCKET, info.key) as file:
            assert len(file.read()) == info.size
    store.close()
    keys.close()
    service = InlineService(root, new=False)
    try:
        service.put("again.jsonl", b'{"itemId": "b1"}\n')
        service.made(
            "create_batch_inference_job",
            jobName="again",
            solutionVersionArn=version,
            jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/again.jsonl"}},
            jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/again/"}},
            roleArn=f"arn:aws:iam::{kept.OURS.account}:role/PersonalizeNbLocal",
        )
        return service.read("again/again.jsonl.out")
    finally:
        service.close()


# check


def test_nothing_is_found_in_a_clean_folder_and_nothing_is_changed(folder):
    before = kept.contents(folder)
    assert local.check(folder) == []
    assert kept.contents(folder) == before


def missing_model(root):
    [path] = (root / "models").iterdir()
    shutil.rmtree(path)
    return path


def page(root, name):
    path = root / name
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 3] = b"\xa5" * 4096
    path.write_bytes(content)
    return path


def foreign(root, name):
    other = root.parent / "other"
    kept.fill(other)
    wholeness.mark(other, kept.OURS)
    shutil.copy(other / name, root / name)
    shutil.rmtree(other)
    return root / name


def unread(root, table, column, name):
    with closing(sqlite3.connect(root / name)) as db, db:
        db.execute(f"UPDATE {table} SET {column} = substr({column}, 1, 5)")
    return root / name


def written(path, text=b"{"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    return path


def removed(path):
    path.unlink()
    return path


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])
    return path


def newest(root):
    names = "SELECT newest FROM data_files WHERE type = 'INTERACTIONS'"
    return root / "datasets" / "g" / row(root, names, layout.STATE)


def part(root):
    name = row(root, "SELECT body FROM parts")
    return root / "objects" / "bodies" / name[:2] / name


DAMAGE = {
    "a bit of a body": lambda root: flip(body(root, "in.jsonl")),
    "a bit of an encrypted body": lambda root: flip(body(root, "sealed"), 1000),
    "a bit of a joined body": lambda root: flip(body(root, "joined"), 7),
    "a bit of the last part of a joined body": lambda root: flip(body(root, "joined")),
    "a bit of a result": lambda root: flip(body(root, kept.OUTPUT)),
    "a body cut": lambda root: cut(body(root, "in.jsonl")),
    "a body missing": lambda root: removed(body(root, "in.jsonl")),
    "a body nobody names": lambda root: written(root / "objects" / "bodies" / "ab" / ("ab" * 16)),
    "a part missing": lambda root: removed(part(root)),
    "a part cut": lambda root: cut(part(root)),
    "a bit of rows": lambda root: flip(newest(root), 100),
    "rows missing": lambda root: removed(newest(root)),
    "rows nobody names": lambda root: written(root / "datasets" / "g" / "ITEMS.00.parquet"),
    "a bit of an array": lambda root: flip(next((root / "models").glob("*/val.npy"))),
    "a model's facts cut": lambda root: cut(next((root / "models").glob("*/meta.json"))),
    "an array missing": lambda root: removed(next((root / "models").glob("*/val.npy"))),
    "a model missing": missing_model,
    "a model nobody names": lambda root: written(root / "models" / "00000000" / "meta.json").parent,
    **{f"a page of {name}": lambda root, name=name: page(root, name) for name in layout.DATABASES},
    **{f"{name} missing": lambda root, name=name: removed(root / name) for name in layout.DATABASES},
    **{f"{name} emptied": lambda root, name=name: written(root / name, b"") for name in layout.DATABASES},
    **{f"{name} no database": lambda root, name=name: written(root / name, b"text" * 999) for name in layout.DATABASES},
    **{f"{name} of another folder": lambda root, name=name: foreign(root, name) for name in layout.DATABASES},
    "a resource's row": lambda root: unread(root, "resources", "body", layout.STATE),
    "a key's row": lambda root: unread(root, "kms_keys", "body", layout.STATE),
    "an event's row": lambda root: unread(root, "streamed", "body", layout.STREAMED),
    "an object's row": lambda root: (unread(root, "objects", "details", layout.DATABASES[1]), body(root, "sealed"))[1],
    "the record": lambda root: written(root / layout.RECORD),
    "what writes themes": lambda root: written(root / "themes.json", b"{}"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_with_cause_and_repair_and_a_copy_without_it_opens(made, folder, tmp_path, name):
    wrong = DAMAGE[name](folder)
    before = kept.contents(folder)
    found = local.check(folder)
    told = [str(damage) for damage in found]
    # two databases that do not fit are named by the older one
    assert any(str(wrong) in text for text in told) or ("another folder" in name and "sqlite" in told[0]), told
    assert all(damage.cause and damage.repair and not damage.repair.endswith(".") for damage in found)
    mended = local.repair(folder, tmp_path / "copy")
    assert kept.contents(folder) == before
    assert local.check(mended.path) == []
    assert wholeness.look(mended.path) == kept.OURS
    harmless = "nobody names" in name
    assert bool(mended.lost) != harmless
    assert all(damage.path.is_relative_to(folder) for damage in mended.lost)
    if any(word in name for word in ("model", "array", "state.sqlite", "a resource's", "a key's")):
        return
    assert json.loads(answers(mended.path, made[1]).splitlines()[0])["output"]["recommendedItems"]


def test_what_was_not_damaged_is_in_the_copy(folder, tmp_path):
    flip(body(folder, "in.jsonl"))
    mended = local.repair(folder, tmp_path / "copy")
    assert ["s3://data/in.jsonl" in str(damage) for damage in mended.lost] == [True]
    store = ObjectStore(mended.path / layout.OBJECTS)
    keys = {info.key for info in store.list(BUCKET)}
    store.close()
    assert {"joined", "sealed", kept.OUTPUT} <= keys and "in.jsonl" not in keys
    assert len(list((mended.path / "objects" / layout.LOST).glob("bodies/*/*"))) == 1


def test_rows_of_a_full_import_stay_where_later_ones_are_lost(folder, tmp_path):
    flip(newest(folder), 100)
    mended = local.repair(folder, tmp_path / "copy")
    [lost] = mended.lost
    assert "The rows of its newest FULL import are there" in lost.repair and "Import the dataset again" in lost.repair
    full = "SELECT full = newest FROM data_files WHERE type = 'INTERACTIONS'"
    assert row(mended.path, full, layout.STATE) == 1


def test_who_asks_a_lost_model_is_told_and_nobody_waits(made, folder, tmp_path):
    missing_model(folder)
    mended = local.repair(folder, tmp_path / "copy")
    reason = f"SELECT status || failure_reason FROM resources WHERE arn = '{made[1]}'"
    assert row(mended.path, reason, layout.STATE).startswith("CREATE FAILED") and made[1] in str(mended.lost[0])


@settings(max_examples=12)
@given(which=st.integers(0, 2), number=st.integers(1, 40))
def test_whichever_page_of_a_database_is_lost_a_copy_opens(made, tmp_path_factory, which, number):
    root = kept.copy(made[0], tmp_path_factory.mktemp("page") / "service")
    path = root / layout.DATABASES[which]
    content = bytearray(path.read_bytes())
    start = 4096 * (number % (len(content) // 4096))
    content[start : start + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    mended = local.repair(root, root.parent / "copy")
    assert local.check(mended.path) == []
    shutil.rmtree(root.parent)


def test_a_copy_is_not_made_where_something_is(folder, tmp_path):
    written(tmp_path / "copy" / "mine")
    for into in (tmp_path / "copy", folder / "copy", tmp_path):
        with pytest.raises(LocalServiceError, match=r"not empty|lie in each other"):
            local.repair(folder, into)
    assert (tmp_path / "copy" / "mine").exists()


@pytest.mark.parametrize("do", [local.check, local.repair, local.reset, lambda path: local.snapshot(path, "f")])
def test_only_the_folder_of_a_service_is_taken(tmp_path, do):
    with pytest.raises(LocalServiceError, match="there is no folder"):
        do(tmp_path / "none")
    written(tmp_path / "notes" / "mine.txt")
    with pytest.raises(LocalServiceError, match="holds nothing of a local service"):
        do(tmp_path / "notes")
    assert (tmp_path / "notes" / "mine.txt").exists()


# snapshot and restore


def test_a_restored_snapshot_has_everything_and_goes_on(made, folder, tmp_path):
    before = kept.contents(folder)
    file = local.snapshot(folder, tmp_path / "kept.zip")
    assert kept.contents(folder) == before
    restored = local.restore(file, tmp_path / "restored")
    assert local.check(restored) == [] and wholeness.look(restored) == kept.OURS
    for name in ("in.jsonl", "joined", "sealed", kept.OUTPUT):
        assert body(restored, name).read_bytes() == body(folder, name).read_bytes()
    assert answers(restored, made[1]) == answers(folder, made[1])


def test_a_snapshot_taken_while_objects_come_and_go_is_of_one_moment(folder, tmp_path):
    store = ObjectStore(folder / layout.OBJECTS)
    ended, failed = threading.Event(), []

    def churn():
        number = 0
        while not ended.is_set():
            try:
                # the second is never there without the first
                store.put(BUCKET, "first", b"%d" % number)
                store.put(BUCKET, "second", b"%d" % number)
                store.delete(BUCKET, "second")
            except Exception as error:
                failed.append(error)
                return
            number += 1

    writer = threading.Thread(target=churn)
    writer.start()
    try:
        files = [local.snapshot(folder, tmp_path / f"{number}.zip") for number in range(4)]
    finally:
        ended.set()
        writer.join()
        store.close()
    assert not failed
    for file in files:
        restored = local.restore(file, tmp_path / file.stem)
        assert local.check(restored) == []


def test_a_snapshot_is_never_written_over_anything_nor_into_its_folder(folder, tmp_path):
    file = local.snapshot(folder, tmp_path / "kept.zip")
    before = file.read_bytes()
    for target, why in (
        (file, "is there already"),
        (folder / "kept.zip", "lies in the service's own folder"),
        (tmp_path / "none" / "kept.zip", "there is no folder"),
    ):
        with pytest.raises(LocalServiceError, match=why):
            local.snapshot(folder, target)
    assert file.read_bytes() == before and not list(tmp_path.glob("*.part"))


def test_a_damaged_folder_is_not_kept(folder, tmp_path):
    wrong = flip(body(folder, "in.jsonl"))
    with pytest.raises(DamagedError) as refused:
        local.snapshot(folder, tmp_path / "kept.zip")
    assert str(wrong) in str(refused.value) and "state check" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["service"]


@pytest.fixture(scope="module")
def snapshot(made, tmp_path_factory):
    return local.snapshot(made[0], tmp_path_factory.mktemp("file") / "kept.zip")


@settings(max_examples=25)
@given(place=st.integers(0, 1 << 30), bit=st.integers(0, 7), short=st.booleans())
def test_a_snapshot_that_was_altered_is_refused_or_all_there(snapshot, tmp_path_factory, place, bit, short):
    folder = tmp_path_factory.mktemp("altered")
    content = bytearray(snapshot.read_bytes())
    place %= len(content)
    content[place] ^= 1 << bit
    (folder / "kept.zip").write_bytes(content[:place] if short else content)
    try:
        restored = local.restore(folder / "kept.zip", folder / "restored")
    except DamagedError as error:
        assert str(folder / "kept.zip") in str(error)
        assert [path.name for path in folder.iterdir()] == ["kept.zip"]
    else:
        # a bit that says nothing: a date, say
        assert not short and local.check(restored) == []
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["../outside", "/outside", "service.json", "models/../../outside", "state.sqlite/x"])
def test_a_snapshot_that_reaches_elsewhere_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        archive.writestr(name, b"data")
        archive.writestr("manifest.json", json.dumps({"format": 1, "files": {name: "0"}}))
    with pytest.raises(DamagedError, match="which no snapshot does"):
        local.restore(tmp_path / "made.zip", tmp_path / "below" / "restored")
    assert not (tmp_path / "outside").exists()


def test_a_folder_that_is_not_empty_is_not_restored_into(snapshot, tmp_path):
    written(tmp_path / "full" / "mine")
    with pytest.raises(LocalServiceError, match="not empty"):
        local.restore(snapshot, tmp_path / "full")
    (tmp_path / "empty").mkdir()
    assert local.check(local.restore(snapshot, tmp_path / "empty")) == []
    with pytest.raises(LocalServiceError, match="there is no file"):
        local.restore(tmp_path / "none.zip", tmp_path / "new")


# reset


def test_a_reset_leaves_nothing_but_what_is_not_the_services(folder):
    for name in ("scratch/x", "cache/x", "service.log", "service.log.1", "state.sqlite-wal", f"{layout.LOST}/x"):
        written(folder / name)
    mine = [written(folder / name) for name in ("notes.txt", "models-of-mine/x", "state.sqlite.txt")]
    assert local.reset(folder) == sorted(path if path.parent == folder else path.parent for path in mine)
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(mine)
