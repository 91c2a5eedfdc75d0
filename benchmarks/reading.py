"""Output of a job to a long frame, beside other parsers: from disk, from S3 and in blocks.

Every contender ends with the same pandas frame: user, rank, item, score, one row per recommended item. The limit is
pyarrow's parser of JSON with the right schema, its lists flattened and `to_pandas`, without any check. Each reading has
a process of its own, so that its CPU time and peak memory are those of the reader.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

import personalize_nb as pnb
from benchmarks.harness import OURS, Row, interleave, rows
from benchmarks.processes import apart
from personalize_nb import local
from personalize_nb.local import ServiceInfo
from personalize_nb.session import s3
from personalize_nb.session.session import Session

TITLE = "Output to a long frame"
LINES, LENGTH, ITEMS = 1_000_000, 25, 50_000
BUCKET = "bench"
# the loop of AWS's notebooks and what reads line by line show the same rate on fewer lines
_SLOW_SHARE = 0.1
_MADE_AT_ONCE = 10_000
_SCHEMA = pa.schema(
    [
        ("input", pa.struct([("userId", pa.string())])),
        ("output", pa.struct([("recommendedItems", pa.list_(pa.string())), ("scores", pa.list_(pa.float64()))])),
        ("error", pa.string()),
    ]
)


def run(rounds: int, scale: float) -> list[Row]:
    """Measure all readers."""
    count = max(1, int(LINES * scale))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "users.jsonl.out")
        short = Path(folder, "short.jsonl.out")
        _write(file, count)
        _write(short, max(1, int(count * _SLOW_SHARE)))
        found = _measured(f"{count:,} lines of {LENGTH}", _FAST, file, rounds)
        found += _measured(f"{_lines(short):,} lines of {LENGTH}, readers of lines too", _FAST | _SLOW, short, rounds)
        with _stored(file, Path(folder, "service")) as service:
            found += _measured(f"{count:,} lines of {LENGTH} from S3", _FROM_S3, file, rounds, service)
        return found


def _measured(
    task: str, readers: dict[str, Callable[..., Any]], file: Path, rounds: int, *more: ServiceInfo
) -> list[Row]:
    print(f"{task} ...", file=sys.stderr, flush=True)
    count = _lines(file)

    def read(make: Callable[..., Any]) -> dict[str, float]:
        spent = apart(make, file, count, *more)
        return {"s": spent["seconds"], "CPU s": spent["cpu"], "peak MB": spent["peak"]}

    contenders = {name: partial(read, make) for name, make in readers.items()}
    return rows(task, interleave(contenders, rounds))


def _write(file: Path, count: int) -> None:
    chance = np.random.default_rng(1)
    with open(file, "w") as out:
        for start in range(0, count, _MADE_AT_ONCE):
            size = min(_MADE_AT_ONCE, count - start)
            items = chance.integers(1, ITEMS, (size, LENGTH))
            scores = np.sort(chance.random((size, LENGTH)))[:, ::-1] / LENGTH
            for number, (chosen, theirs) in enumerate(zip(items, scores, strict=True), start + 1):
                listed, told = '","'.join(map(str, chosen)), ",".join(f"{one:.7f}" for one in theirs)
                out.write(
                    f'{{"input":{{"userId":"{number}"}},"output":{{"recommendedItems":["{listed}"],'
                    f'"scores":[{told}]}},"error":null}}\n'
                )


def _lines(file: Path) -> int:
    with open(file, "rb") as content:
        return sum(1 for _ in content)


@contextmanager
def _stored(file: Path, folder: Path) -> Iterator[ServiceInfo]:
    service = local.start(folder)
    try:
        session = Session.local(service.path)
        session.s3.create_bucket(Bucket=BUCKET)
        with open(file, "rb") as content:
            s3.upload(session, content, f"s3://{BUCKET}/out/{file.name}")
        yield service
    finally:
        local.stop(service.path)


def _complete(frame: Any, count: int) -> None:
    """Hold every reader to the rows of its file."""
    assert len(frame) == LENGTH * count, f"{len(frame)} rows were read"


def _ours(file: Path, count: int) -> Callable[[], None]:
    pnb.read_results(file)  # loads what reads
    return lambda: _complete(pnb.read_results(file).recommendations(), count)


def _ours_in_blocks(file: Path, count: int) -> Callable[[], None]:
    pnb.read_results(file)
    return lambda: _complete(range(sum(map(len, pnb.read_results(file).blocks()))), count)


def _arrow(file: Path, count: int) -> Callable[[], None]:
    def read() -> None:
        options = pa.json.ParseOptions(explicit_schema=_SCHEMA)
        table = pa.json.read_json(file, pa.json.ReadOptions(block_size=4 << 20), options)
        output = table.column("output")
        lists = pc.struct_field(output, "recommendedItems")
        lengths = pc.list_value_length(lists).to_numpy()
        owner = np.repeat(np.arange(len(lengths)), lengths)
        rank = np.arange(len(owner)) - np.repeat(lengths.cumsum() - lengths, lengths) + 1
        columns = {
            "user_id": pc.struct_field(table.column("input"), "userId").take(pa.array(owner)),
            "rank": rank,
            "item_id": pc.list_flatten(lists),
            "score": pc.list_flatten(pc.struct_field(output, "scores")),
        }
        _complete(pa.table(columns).to_pandas(), count)

    return read


def _polars(file: Path, count: int) -> Callable[[], None]:
    import polars as pl

    def read() -> None:
        lists = pl.scan_ndjson(file).select(
            pl.col("input").struct.field("userId").alias("user_id"),
            pl.col("output").struct.field("recommendedItems").alias("item_id"),
            pl.col("output").struct.field("scores").alias("score"),
        )
        ranked = lists.with_columns(pl.int_ranges(1, pl.col("item_id").list.len() + 1).alias("rank"))
        _complete(ranked.explode("rank", "item_id", "score").collect().to_pandas(), count)

    return read


def _duckdb(file: Path, count: int) -> Callable[[], None]:
    import duckdb

    question = """
        SELECT input.userId AS user_id, unnest(generate_series(1, len(output.recommendedItems))) AS rank,
               unnest(output.recommendedItems) AS item_id, unnest(output.scores) AS score
        FROM read_json(?, format='newline_delimited', columns={
            input: 'STRUCT(userId VARCHAR)', error: 'VARCHAR',
            output: 'STRUCT(recommendedItems VARCHAR[], scores DOUBLE[])'})
    """
    duckdb.execute("SET enable_progress_bar = false")
    return lambda: _complete(duckdb.execute(question, [str(file)]).df(), count)


def _pandas(file: Path, count: int) -> Callable[[], None]:
    def read() -> None:
        frame = pd.read_json(file, lines=True, dtype=False)
        lists = pd.DataFrame(
            {
                "user_id": [one["userId"] for one in frame["input"]],
                "item_id": [one["recommendedItems"] for one in frame["output"]],
                "score": [one["scores"] for one in frame["output"]],
            }
        )
        long = lists.explode(["item_id", "score"])
        _complete(long.assign(rank=long.groupby(level=0).cumcount() + 1), count)

    return read


def _looped(loads: Callable[[bytes], Any], file: Path, count: int) -> None:
    """Read as AWS's notebooks do: a line at a time, a row for each item."""
    found = []
    with open(file, "rb") as lines:
        for line in lines:
            row = loads(line)
            output = row["output"]
            for rank, (item, score) in enumerate(zip(output["recommendedItems"], output["scores"], strict=True), 1):
                found.append((row["input"]["userId"], rank, item, score))
    _complete(pd.DataFrame(found, columns=["user_id", "rank", "item_id", "score"]), count)


def _json_loop(file: Path, count: int) -> Callable[[], None]:
    return lambda: _looped(json.loads, file, count)


def _orjson_loop(file: Path, count: int) -> Callable[[], None]:
    import orjson

    return lambda: _looped(orjson.loads, file, count)


def _from_s3(file: Path, count: int, service: ServiceInfo) -> Callable[[], None]:
    session = Session.local(service.path)
    s3.stored(session, f"s3://{BUCKET}/")
    return lambda: _complete(pnb.read_results(f"s3://{BUCKET}/out/", session=session).recommendations(), count)


def _blocks_from_s3(file: Path, count: int, service: ServiceInfo) -> Callable[[], None]:
    session = Session.local(service.path)
    s3.stored(session, f"s3://{BUCKET}/")

    def read() -> None:
        blocks = pnb.read_results(f"s3://{BUCKET}/out/", session=session).blocks()
        _complete(range(sum(map(len, blocks))), count)

    return read


def _download(file: Path, count: int, service: ServiceInfo) -> Callable[[], None]:
    session = Session.local(service.path)
    [stored] = s3.stored(session, f"s3://{BUCKET}/out/")

    def read() -> None:
        sink = io.BytesIO()
        for block in s3.line_blocks(session, stored.address, whole=stored.size):
            sink.seek(0)
            sink.write(block)

    return read


def _from_disk(file: Path, count: int, service: ServiceInfo) -> Callable[[], None]:
    return _ours(file, count)


_FAST = {OURS: _ours, "in blocks": _ours_in_blocks, "pyarrow, the limit": _arrow, "polars": _polars, "DuckDB": _duckdb}
_SLOW = {"pandas": _pandas, "orjson loop": _orjson_loop, "notebook loop": _json_loop}
_FROM_S3 = {OURS: _from_s3, "in blocks": _blocks_from_s3, "download alone": _download, "from disk": _from_disk}
