"""A model on disk: one `.npy` a value, Parquet for IDs, `meta.json` for small facts; written beside, then renamed.

Plain arrays open without pickle, in any Python, and can be mapped into memory by several workers at once. `meta.json`
holds a checksum of every file and of itself: a model that is not what was trained answers nothing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from personalize_nb.local.errors import DamagedError
from personalize_nb.local.state import platform

META = "meta.json"
FORMAT = 2
# of versions that wrote no checksums; their models are read as they are
_WITHOUT_CHECKSUMS = 1
_AGAIN = "Train it again: create a new solution version, or update the recommender"


def write_arrays(
    folder: Path, arrays: dict[str, np.ndarray], ids: dict[str, pa.StringArray], facts: dict[str, Any]
) -> None:
    """Write everything into a new folder next to `folder`, then put it in its place."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    for name, values in arrays.items():
        np.save(making / f"{name}.npy", values, allow_pickle=False)
    for name, values in ids.items():
        pq.write_table(pa.table({"id": values}), making / f"{name}.parquet")
    files = sorted(making.iterdir())
    meta = {
        "format": FORMAT,
        "arrays": sorted(arrays),
        "ids": sorted(ids),
        "facts": facts,
        "checksums": {path.name: _checksum(path) for path in files},
    }
    # of what will be read: JSON knows no keys but texts
    meta["checksum"] = _of_meta(json.loads(json.dumps(meta)))
    (making / META).write_text(json.dumps(meta, indent=1, sort_keys=True), encoding="utf-8")
    for path in (*files, making / META):
        platform.sync_file(path)
    platform.sync_folder(making)
    shutil.rmtree(folder, ignore_errors=True)
    making.replace(folder)
    platform.sync_folder(folder.parent)


def read_arrays(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, pa.StringArray], dict[str, Any]]:
    """Read what `write_arrays` wrote; arrays are mapped, not copied.

    Raises
    ------
    DamagedError
        A file is missing, or its bytes are not those that were written.
    """
    folder = Path(folder)
    meta = _meta(folder)
    for name, checksum in meta.get("checksums", {}).items():
        if not (folder / name).exists():
            raise DamagedError(folder / name, "it is missing, of a trained model", _AGAIN)
        if _checksum(folder / name) != checksum:
            raise DamagedError(folder / name, "its bytes are not those of the trained model", _AGAIN)
    try:
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in meta["arrays"]}
        ids = {name: pq.read_table(folder / f"{name}.parquet").column("id").combine_chunks() for name in meta["ids"]}
    except (FileNotFoundError, ValueError, pa.ArrowException) as error:
        raise DamagedError(folder, f"it cannot be read: {error}", _AGAIN) from error
    return arrays, ids, meta["facts"]


def kind_of(folder: Path) -> str:
    """Return the family of the model in a folder."""
    return str(_meta(Path(folder))["facts"]["kind"])


def _meta(folder: Path) -> dict[str, Any]:
    path = folder / META
    try:
        meta: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        written = meta["format"]
        whole = written == _WITHOUT_CHECKSUMS or meta["checksum"] == _of_meta(meta)
    except FileNotFoundError as error:
        raise DamagedError(path, "it is missing, of a trained model", _AGAIN) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(path, f"it cannot be read: {error!r}", _AGAIN) from error
    if not whole:
        raise DamagedError(path, "its text is not that of the trained model", _AGAIN)
    if written not in (_WITHOUT_CHECKSUMS, FORMAT):
        raise DamagedError(path, f"it has format {written}, legal are {_WITHOUT_CHECKSUMS} and {FORMAT}", _AGAIN)
    return meta


def _checksum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_meta(meta: dict[str, Any]) -> str:
    named = {name: value for name, value in meta.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
