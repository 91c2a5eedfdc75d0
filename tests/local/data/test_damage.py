"""Rows and models of which a byte was altered are refused with file, cause and repair; none of them answers wrongly."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
import small_world as world
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.local.data import datasets
from personalize_nb.local.data.schema import Schema
from personalize_nb.local.errors import DamagedError
from personalize_nb.local.recipes.disk import META, read_arrays, write_arrays
from personalize_nb.local.state import versions

ITEMS = Schema.from_avro("ITEMS", json.loads(world.avro("ITEMS")))
ARRAYS = {"factors": np.arange(12.0).reshape(3, 4), "counts": np.arange(3)}
IDS = {"item_ids": pa.array(["a", "b", "c"])}
FACTS = {"kind": "counts", "weights": {1: 0.5, 10: 0.25, 9: 0.1}}


def imported(root, mode="FULL"):
    datasets.import_files(root, "g", ITEMS, [("items.csv", lambda: io.BytesIO(world.csv("ITEMS")))], mode)
    return datasets.rows(root, "g", ITEMS).to_pylist()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "model"
    write_arrays(folder, ARRAYS, IDS, FACTS)
    return folder


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    root = tmp_path_factory.mktemp("rows")
    imported(root)
    return root


def altered(path, place, bit):
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1 << bit
    path.write_bytes(content)


BITS = {"place": st.integers(0, 1 << 20), "bit": st.integers(0, 7)}


@settings(max_examples=60)
@given(**BITS, name=st.sampled_from(["factors.npy", "counts.npy", "item_ids.parquet", META]))
def test_no_bit_of_a_model_can_turn(model, tmp_path_factory, place, bit, name):
    folder = shutil.copytree(model, tmp_path_factory.mktemp("turned") / "model")
    altered(folder / name, place, bit)
    try:
        arrays, ids, facts = read_arrays(folder)
    except DamagedError as error:
        assert str(folder / name) in str(error) and "Train it again" in str(error)
    else:
        # white space between the facts
        assert name == META and facts == read_arrays(model)[2]
        assert arrays.keys() == ARRAYS.keys() and ids == IDS


@settings(max_examples=20)
@given(**BITS)
def test_no_bit_of_imported_rows_can_turn(rows, tmp_path_factory, place, bit):
    root = shutil.copytree(rows, tmp_path_factory.mktemp("turned") / "service")
    [path] = (root / "datasets" / "g").iterdir()
    altered(path, place, bit)
    with pytest.raises(DamagedError, match="Import the dataset again") as refused:
        datasets.rows(root, "g", ITEMS)
    assert str(path) in str(refused.value)
    with pytest.raises(DamagedError):
        imported(root, "INCREMENTAL")
    # what is told to do helps
    assert imported(root) == datasets.rows(rows, "g", ITEMS).to_pylist()


@pytest.mark.parametrize("name", ["factors.npy", "item_ids.parquet", META])
def test_a_file_that_a_model_lacks_is_named(model, tmp_path, name):
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(DamagedError, match="it is missing, of a trained model") as refused:
        read_arrays(folder)
    assert str(folder / name) in str(refused.value)


def test_rows_that_are_gone_are_named(rows, tmp_path):
    root = shutil.copytree(rows, tmp_path / "service")
    [path] = (root / "datasets" / "g").iterdir()
    path.unlink()
    with pytest.raises(DamagedError, match="it is missing, of imported rows"):
        datasets.rows(root, "g", ITEMS)


def lose(root):
    [path] = (root / "datasets" / "g").iterdir()
    path.unlink()
    return path


USERS = Schema.from_avro("USERS", json.loads(world.avro("USERS")))


def delete(root, schemas, job="job"):
    return datasets.delete_users(root, "g", {schema.type: schema for schema in schemas}, pa.array(["u1"]), job)


def bring(root, schema, mode="FULL"):
    source = ("file.csv", lambda: io.BytesIO(world.csv(schema.type)))
    return datasets.import_files(root, "g", schema, [source], mode)


READERS = [
    lambda root: datasets.rows(root, "g", USERS),
    lambda root: bring(root, USERS, "INCREMENTAL"),
    lambda root: delete(root, [USERS]),
]


@pytest.mark.parametrize("reader", READERS, ids=["rows", "import", "delete"])
def test_rows_that_are_gone_are_named_by_whatever_reads_them(tmp_path, reader):
    bring(tmp_path, USERS)
    path = lose(tmp_path)
    with pytest.raises(DamagedError, match="it is missing, of imported rows") as refused:
        reader(tmp_path)
    assert str(path) in str(refused.value)
    assert list((tmp_path / "datasets" / "g").iterdir()) == []


@pytest.mark.parametrize("reader", READERS[1:], ids=["import", "delete"])
def test_rows_that_are_replaced_before_they_are_read_are_overtaken(tmp_path, monkeypatch, reader):
    bring(tmp_path, USERS)
    opened = datasets._opened

    def replace(path):
        monkeypatch.setattr(datasets, "_opened", opened)
        bring(tmp_path, USERS)
        return opened(path)

    monkeypatch.setattr(datasets, "_opened", replace)
    with pytest.raises(versions.OvertakenError):
        reader(tmp_path)
    [path] = (tmp_path / "datasets" / "g").iterdir()
    # begun anew it ends, and nothing is left of the first time
    reader(tmp_path)
    assert {path.suffix for path in (tmp_path / "datasets" / "g").iterdir()} <= {".parquet", ".draft"}


def test_files_whose_commit_fails_after_they_were_moved_are_removed(tmp_path, monkeypatch):
    bring(tmp_path, USERS)
    before = list((tmp_path / "datasets" / "g").iterdir())
    commit = versions.commit

    def fail(*arguments):
        commit(*arguments)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(versions, "commit", fail)
    with pytest.raises(OSError, match="No space"):
        bring(tmp_path, USERS)
    assert list((tmp_path / "datasets" / "g").iterdir()) == before
    assert datasets.rows(tmp_path, "g", USERS).num_rows > 0


def test_models_of_earlier_versions_are_read_as_they_are(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    meta = json.loads((folder / META).read_text())
    del meta["checksum"], meta["checksums"]
    (folder / META).write_text(json.dumps(meta | {"format": 1}))
    assert read_arrays(folder)[0]["counts"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("mode", ["FULL", "INCREMENTAL"])
def test_rows_of_earlier_versions_are_read_kept_and_replaced(rows, tmp_path, mode):
    folder = tmp_path / "datasets" / "g"
    folder.mkdir(parents=True)
    [path] = (rows / "datasets" / "g").iterdir()
    shutil.copy(path, folder / "ITEMS.parquet")
    shutil.copy(path, folder / "ITEMS.merged.parquet")
    before = datasets.rows(rows, "g", ITEMS).to_pylist()
    with versions.DatasetVersions(tmp_path) as data:
        data.set_aside()
        assert data.files("g", "ITEMS") == versions.DataFiles("ITEMS.parquet", "ITEMS.merged.parquet")
    assert datasets.rows(tmp_path, "g", ITEMS).to_pylist() == before
    assert imported(tmp_path, mode) == before
    kept = {"ITEMS.parquet"} if mode == "INCREMENTAL" else set()
    assert {path.name for path in folder.iterdir()} & {"ITEMS.parquet", "ITEMS.merged.parquet"} == kept


def test_files_that_no_dataset_names_are_set_aside(rows, tmp_path):
    root = shutil.copytree(rows, tmp_path / "service")
    stray = root / "datasets" / "g" / "ITEMS.0123456789ab.parquet"
    stray.write_bytes(b"rows")
    with versions.DatasetVersions(root) as data:
        data.set_aside()
    assert not stray.exists()
    assert (root / "lost+found" / "datasets" / "g" / stray.name).read_bytes() == b"rows"
    assert datasets.rows(root, "g", ITEMS).num_rows == world.BOOKS
