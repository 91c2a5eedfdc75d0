"""How quickly frames become job input, with all checks, beside libraries that only write JSON lines.

Each contender starts from the same frame and ends with a file of the same records: peers convert what they are given
to their own form, make text of numbers and members of filter values, and check nothing. Ours finds missing, empty, long
and doubtful ids and repeated records besides. `the write alone` is what is left when the records are made; polars' is
its bare write of a frame that has the right columns already. Memory is that of a process of its own.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa

import personalize_nb as pnb
from benchmarks.harness import OURS, Row, interleave, rows

TITLE = "Frames to JSON lines beside libraries that write them"
USERS = (1_000_000, 10_000_000)
LISTED, ITEMS, SHELVES, AGES = 100, 50_000, ("sea", "war", "crime"), 90
POLARS, DUCKDB, PANDAS, ORJSON, LOOP = "polars", "DuckDB", "pandas", "orjson", "notebook loop"
PLAIN, VALUES, RANKINGS = "plain", "two filter values", f"rankings of {LISTED}"
_FILTERS = ("SHELF", "AGE")


def run(rounds: int, scale: float) -> list[Row]:
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in USERS:
            users = max(1_000, int(number * scale))
            for work in (PLAIN, VALUES, RANKINGS):
                source = _table(users // LISTED if work == RANKINGS else users, work)
                found += _alone(source, work, Path(folder), rounds)
                for kind, make in KINDS.items():
                    if number != USERS[0] and kind not in ("str", "polars"):
                        continue  # the same at ten times the size
                    task = f"{source.num_rows:,} users, {work}, {kind}"
                    writers = (
                        WRITERS if number == USERS[0] else {name: WRITERS[name] for name in (OURS, POLARS, DUCKDB)}
                    )
                    frame = make(source)
                    contenders = {
                        name: partial(_timed, write, frame, work, Path(folder, "out.jsonl"))
                        for name, write in writers.items()
                    }
                    found += rows(task, interleave(contenders, rounds))
            task = f"{users:,} users, {VALUES}, str, in a process of its own"
            apart = {name: partial(_apart, name, users) for name in (OURS, POLARS, PANDAS)}
            found += rows(task, interleave(apart, rounds))
    return found


def _table(users: int, work: str) -> pa.Table:
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {"user_id": pa.array(rng.permutation(users) + 10_000_000)}
    if work == VALUES:
        columns["SHELF"] = pa.array(SHELVES).take(pa.array(rng.integers(0, len(SHELVES), users)))
        columns["AGE"] = pa.array(rng.integers(1, AGES, users))
    if work == RANKINGS:
        items = pa.array(rng.integers(0, ITEMS, users * LISTED)).cast(pa.string())
        places = pa.array(np.arange(users + 1) * LISTED, pa.int32())
        columns["item_list"] = pa.ListArray.from_arrays(places, items)
    return pa.table(columns)


def _with_ids(source: pa.Table, kind: pa.DataType) -> pa.Table:
    return source.set_column(0, "user_id", source.column(0).cast(kind))


def _pandas(source: pa.Table, dtype: str) -> pd.DataFrame:
    frame = _with_ids(source, pa.string()).to_pandas()
    return frame.astype({name: dtype for name in ("user_id", "SHELF") if name in frame})


def _polars(source: pa.Table) -> Any:
    import polars as pl

    return pl.from_arrow(_with_ids(source, pa.string()))


KINDS: dict[str, Callable[[pa.Table], Any]] = {
    "object": partial(_pandas, dtype="object"),
    "str": partial(_pandas, dtype="str"),
    "string[pyarrow]": partial(_pandas, dtype="string[pyarrow]"),
    "categorical": partial(_pandas, dtype="category"),
    "int64": lambda source: source.to_pandas(),
    "polars": _polars,
    "Arrow": partial(_with_ids, kind=pa.string()),
}


def _ours(frame: Any, work: str, path: Path) -> None:
    _batch(frame, work).to_jsonl(path)


def _batch(frame: Any, work: str) -> Any:
    return (
        pnb.rankings(frame) if work == RANKINGS else pnb.users(frame, filter_values=_FILTERS if work == VALUES else ())
    )


def _by_polars(frame: Any, work: str, path: Path) -> None:
    _records(frame, work).write_ndjson(path)


def _records(frame: Any, work: str) -> Any:
    """The frame as polars writes it."""
    import polars as pl

    if isinstance(frame, pa.Table):
        frame = pl.from_arrow(frame)
    elif isinstance(frame, pd.DataFrame):
        frame = pl.from_pandas(frame)
    columns = [pl.col("user_id").cast(pl.String).alias("userId")]
    if work == VALUES:
        quoted = [pl.format('"{}"', pl.col(name)).alias(name) for name in _FILTERS]
        columns.append(pl.struct(quoted).alias("filterValues"))
    if work == RANKINGS:
        columns.append(pl.col("item_list").alias("itemList"))
    return frame.select(columns)


def _by_duckdb(frame: Any, work: str, path: Path) -> None:
    import duckdb

    columns = ['user_id::VARCHAR AS "userId"']
    if work == VALUES:
        quoted = ", ".join(f"{name} := '\"' || {name}::VARCHAR || '\"'" for name in _FILTERS)
        columns.append(f'struct_pack({quoted}) AS "filterValues"')
    if work == RANKINGS:
        columns.append('item_list AS "itemList"')
    with duckdb.connect() as connection:
        connection.register("source", frame)
        connection.execute(f"COPY (SELECT {', '.join(columns)} FROM source) TO '{path}' (FORMAT json)")


def _to_pandas(frame: Any) -> pd.DataFrame:
    return frame if isinstance(frame, pd.DataFrame) else frame.to_pandas()


def _by_pandas(frame: Any, work: str, path: Path) -> None:
    source = _to_pandas(frame)
    records = pd.DataFrame({"userId": source["user_id"].astype("str")})
    if work == VALUES:
        records["filterValues"] = _members(source)
    if work == RANKINGS:
        records["itemList"] = source["item_list"]
    records.to_json(path, orient="records", lines=True, force_ascii=False)


def _members(source: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {"SHELF": f'"{shelf}"', "AGE": f'"{age}"'} for shelf, age in zip(source["SHELF"], source["AGE"], strict=True)
    ]


def _lines(frame: Any, work: str) -> Any:
    source = _to_pandas(frame)
    if work == VALUES:
        members = _members(source)
        return ({"userId": str(one), "filterValues": two} for one, two in zip(source["user_id"], members, strict=True))
    if work == RANKINGS:
        pairs = zip(source["user_id"], source["item_list"], strict=True)
        return ({"userId": str(user), "itemList": list(items)} for user, items in pairs)
    return ({"userId": str(user)} for user in source["user_id"])


def _by_orjson(frame: Any, work: str, path: Path) -> None:
    import orjson

    with path.open("wb") as file:
        file.writelines(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in _lines(frame, work))


def _by_loop(frame: Any, work: str, path: Path) -> None:
    """As the notebooks of AWS's samples write their input."""
    with path.open("w") as file:
        for line in _lines(frame, work):
            file.write(json.dumps(line) + "\n")


WRITERS: dict[str, Callable[[Any, str, Path], None]] = {
    OURS: _ours,
    POLARS: _by_polars,
    DUCKDB: _by_duckdb,
    PANDAS: _by_pandas,
    ORJSON: _by_orjson,
    LOOP: _by_loop,
}


def _alone(source: pa.Table, work: str, folder: Path, rounds: int) -> list[Row]:
    frame, path = _with_ids(source, pa.string()), folder / "out.jsonl"
    batch, records = _batch(frame, work), _records(frame, work)
    contenders = {
        OURS: partial(_spent, lambda: batch.to_jsonl(path)),
        POLARS: partial(_spent, lambda: records.write_ndjson(path)),
    }
    return rows(f"{source.num_rows:,} users, {work}, the write alone", interleave(contenders, rounds))


def _timed(write: Callable[[Any, str, Path], None], frame: Any, work: str, path: Path) -> dict[str, float]:
    return _spent(lambda: write(frame, work, path))


def _spent(work: Callable[[], object]) -> dict[str, float]:
    begun, used = time.perf_counter(), time.process_time()
    work()
    return {"s": time.perf_counter() - begun, "processor s": time.process_time() - used}


def _apart(name: str, users: int) -> dict[str, float]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_peak, name, users).result()


def _peak(name: str, users: int) -> dict[str, float]:
    frame, process = KINDS["str"](_table(users, VALUES)), psutil.Process()
    pa.default_memory_pool().release_unused()
    before, sizes, done = process.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            sizes.append(process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with tempfile.TemporaryDirectory() as folder:
        WRITERS[name](frame, VALUES, Path(folder, "out.jsonl"))
    done.set()
    watcher.join()
    return {"MB of the frame and all else before": before / 1e6, "peak MB beyond": max(0, max(sizes) - before) / 1e6}
