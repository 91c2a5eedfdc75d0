"""A model on disk: one `.npy` a value, Parquet for IDs, `meta.json` for small facts; written beside, then renamed.

Plain arrays open without pickle, in any Python, and can be mapped into memory by several workers at once.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

META = "meta.json"
FORMAT = 1


def write_arrays(
    folder: Path, arrays: dict[str, np.ndarray], ids: dict[str, pa.StringArray], facts: dict[str, Any]
) -> None:
    """Write everything into a new folder next to `folder`, then put it in its place."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    for name, values in arrays.items():
        np.save(making / f"{name}.npy", values, allow_pickle=False)
    for name, values in ids.items():
        pq.write_table(pa.table({"id": values}), making / f"{name}.parquet")
    meta = {"format": FORMAT, "arrays": sorted(arrays), "ids": sorted(ids), "facts": facts}
    (making / META).write_text(json.dumps(meta, indent=1, sort_keys=True), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    making.replace(folder)


def read_arrays(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, pa.StringArray], dict[str, Any]]:
    """Read what `write_arrays` wrote; arrays are mapped, not copied."""
    meta = json.loads((Path(folder) / META).read_text(encoding="utf-8"))
    if meta["format"] != FORMAT:
        raise ValueError(f"model folder {folder} has format {meta['format']}, legal is {FORMAT}; train it again")
    arrays = {name: np.load(Path(folder) / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in meta["arrays"]}
    ids = {name: pq.read_table(Path(folder) / f"{name}.parquet").column("id").combine_chunks() for name in meta["ids"]}
    return arrays, ids, meta["facts"]
