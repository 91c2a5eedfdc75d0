"""The object store beside moto's server: large objects in parts, many small ones, a long listing.

The client is boto3 as everybody uses it, with its own settings, in a third process; both servers run for the whole
bench and are asked in turn. Every download is compared with what was sent.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.harness import OURS, Row, interleave, rows
from benchmarks.processes import MB, Watched
from personalize_nb import local
from personalize_nb.local.state import durability

TITLE = "The object store beside moto's server, through boto3"
BUCKET = "bench"
BIG, SMALL, COUNT, KEYS = 1_000 * MB, 1 * MB, 200, 2_000
THREADS = 8
RATE, CPU, PEAK = "MB/s", "server CPU s", "server peak MB"
_START_SECONDS = 60


class Server:
    """One contender: its client and its process."""

    def __init__(self, url: str, pid: int, access_key: str, secret_key: str, folder: Path):
        self.s3 = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(proxies={}, max_pool_connections=2 * THREADS),
        )
        self.s3.create_bucket(Bucket=BUCKET)
        self._process = Watched(pid)
        self._folder = folder

    def up(self, source: Path) -> dict[str, float]:
        """Send a file as the transfer manager does it: in parts, ten at once."""
        return self._moved(source.stat().st_size, lambda: self.s3.upload_file(str(source), BUCKET, "big"))

    def down(self, source: Path) -> dict[str, float]:
        """Fetch it again in ranges."""
        target = self._folder / "back"
        figures = self._moved(source.stat().st_size, lambda: self.s3.download_file(BUCKET, "big", str(target)))
        assert _digest(target) == _digest(source), "the download differs from what was sent"
        target.unlink()
        return figures

    def put_many(self, data: bytes, count: int) -> dict[str, float]:
        def put(number: int) -> None:
            self.s3.put_object(Bucket=BUCKET, Key=f"many/{number}", Body=data)

        return self._moved(len(data) * count, lambda: _each(put, count))

    def get_many(self, data: bytes, count: int) -> dict[str, float]:
        def get(number: int) -> None:
            assert self.s3.get_object(Bucket=BUCKET, Key=f"many/{number}")["Body"].read() == data

        return self._moved(len(data) * count, lambda: _each(get, count))

    def make_keys(self, count: int) -> None:
        _each(lambda number: self.s3.put_object(Bucket=BUCKET, Key=f"keys/{number:05}", Body=b""), count)

    def list_keys(self, count: int) -> dict[str, float]:
        def listing() -> None:
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="keys/")
            assert sum(len(page["Contents"]) for page in pages) == count

        spent = self._process.spends(listing)
        return {"ms": spent["seconds"] * 1000, CPU: spent["cpu"]}

    def _moved(self, size: int, task: Callable[[], None]) -> dict[str, float]:
        os.sync()  # what the run before has left to write to the disk is not this one's to wait for
        spent = self._process.spends(task)
        return {RATE: size / MB / spent["seconds"], CPU: spent["cpu"], PEAK: spent["peak"]}


def mode() -> str:
    """Which mode of ours is measured: `PERSONALIZE_NB_DURABLE=1` chooses the one that waits for the disk."""
    return "durable" if durability.is_durable() else "not durable"


def run(rounds: int, scale: float) -> list[Row]:
    """Measure both servers."""
    big, count, keys = int(BIG * scale), max(1, int(COUNT * scale)), max(1, int(KEYS * scale))
    small = os.urandom(SMALL)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        source = folder / "source"
        with open(source, "wb") as file:
            for start in range(0, big, SMALL):
                file.write(os.urandom(min(SMALL, big - start)))
        servers = {
            OURS: stack.enter_context(_ours(folder)),
            "moto": stack.enter_context(_moto(folder)),
        }
        for server in servers.values():
            server.make_keys(keys)

        def measured(task: str, method: Callable[..., dict[str, float]], *arguments: Any) -> list[Row]:
            contenders = {name: partial(method, server, *arguments) for name, server in servers.items()}
            print(f"{task} ...", file=sys.stderr, flush=True)
            return rows(task, interleave(contenders, rounds), [RATE])

        return [
            *measured(f"one object of {big / MB:,.0f} MB up", Server.up, source),
            *measured(f"one object of {big / MB:,.0f} MB down", Server.down, source),
            *measured(f"{count} objects of 1 MB up, {THREADS} threads", Server.put_many, small, count),
            *measured(f"{count} objects of 1 MB down, {THREADS} threads", Server.get_many, small, count),
            *measured(f"{keys:,} keys listed", Server.list_keys, keys),
        ]


@contextmanager
def _ours(folder: Path) -> Iterator[Server]:
    info = local.start(folder / "service", durable=durability.is_durable())
    try:
        yield Server(info.url, info.pid, info.access_key, info.secret_key, folder)
    finally:
        local.stop(info.path)


@contextmanager
def _moto(folder: Path) -> Iterator[Server]:
    with moto_server(folder) as (url, pid):
        yield Server(url, pid, "testing", "testing", folder)


@contextmanager
def moto_server(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the address and process of moto's server, which answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with open(folder / "moto.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _await(f"{url}/moto-api/data.json", process)
        yield url, process.pid
    finally:
        process.kill()
        process.wait()


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            opener.open(url).close()
            return
        except urllib.error.URLError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("moto's server does not answer; install it with: pip install '.[bench]'") from error
            time.sleep(0.02)


def _each(task: Callable[[int], None], count: int) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(task, range(count)):
            pass


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
