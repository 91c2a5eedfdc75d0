"""What is a service's folder, and what of it a reset removes: never anything else."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import filelock
import kept_state as kept
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb import local
from personalize_nb.errors import LocalServiceError
from personalize_nb.local.state import layout

# what a person's own folder may hold, with names that a service uses too
OTHERS = [
    "models/best.bin",
    "datasets/train.parquet",
    "datasets/2024/rows.csv",
    "objects/bodies/torso.obj",
    "cache/x",
    "scratch/x",
    "lost+found/x",
    "streamed.sqlite.txt",
    "service.log",
    "service.lock",
]


def database(path, table):
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"CREATE TABLE {table} (x)")


@settings(max_examples=30)
@given(
    names=st.sets(st.sampled_from(OTHERS), min_size=1),
    record=st.sampled_from([None, b"{}", b"[1]", b"{"]),
    state=st.sampled_from([None, b"", b"text" * 999, "notes"]),
)
def test_a_persons_own_folder_is_never_taken_for_a_services(tmp_path_factory, names, record, state):
    root = tmp_path_factory.mktemp("others")
    for name in names:
        kept.written(root / name)
    if record is not None:
        kept.written(root / layout.RECORD, record)
    if state == "notes":
        database(root / layout.STATE, state)
    elif state is not None:
        kept.written(root / layout.STATE, state)
    before = kept.contents(root)
    for do in (local.check, local.repair, local.reset, lambda path: local.snapshot(path, path.parent / "f")):
        with pytest.raises(LocalServiceError, match="holds nothing of a local service"):
            do(root)
    assert kept.contents(root) == before
    shutil.rmtree(root)


@pytest.mark.parametrize("lost", layout.DATABASES)
@pytest.mark.parametrize("how", [kept.removed, lambda path: kept.written(path, b"text" * 999)])
def test_a_service_that_has_lost_a_database_is_still_one(folder, lost, how):
    how(folder / lost)
    assert lost in str(local.check(folder)[0])
    assert local.repair(folder).lost
    assert local.reset(folder) == []


def test_a_reset_leaves_nothing_but_what_is_not_the_services(folder):
    model = f"{layout.LOST}/models/0a1b2c3d/x"
    ours = ("scratch/x", "cache/x", "service.log", "service.log.1", "state.sqlite-wal", model, "themes.json")
    for name in ours:
        kept.written(folder / name)
    mine = [
        kept.written(folder / name)
        for name in (*OTHERS[:4], "notes.txt", "models-of-mine/x", "state.sqlite.txt", "objects/x", "models/mine/x")
    ]
    top = {"notes.txt", "models-of-mine", "state.sqlite.txt"}
    left = {
        path if path.relative_to(folder).parts[0] not in top else folder / path.relative_to(folder).parts[0]
        for path in mine
    }
    assert local.reset(folder) == sorted(left)
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(mine)


def test_no_service_starts_while_a_folder_is_mended_or_emptied(folder, monkeypatch):
    copytree, held = shutil.copytree, []

    def copied(*args, **options):
        with pytest.raises(filelock.Timeout), filelock.FileLock(folder / layout.LOCK, timeout=0):
            held.append("nobody")
        return copytree(*args, **options)

    assert not (folder / layout.LOCK).exists()
    monkeypatch.setattr(shutil, "copytree", copied)
    local.repair(folder)
    assert held == []
