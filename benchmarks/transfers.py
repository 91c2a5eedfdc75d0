"""Large objects through the toolkit's session, beside other clients, on one local service.

Up from a file, down to nowhere: what comes is counted and dropped, as the toolkit parses it while more comes. Every
transfer has a process of its own, so that its CPU time and memory are the client's; the service is the same for all.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from benchmarks.harness import OURS, Row, interleave, rows
from benchmarks.processes import MB, apart
from personalize_nb import local
from personalize_nb.local import ServiceInfo
from personalize_nb.local.state import durability
from personalize_nb.session import s3
from personalize_nb.session.session import Session

TITLE = "Large objects through the session, on the local service"
BUCKET = "bench"
BIG = 1_000 * MB
RATE = "MB/s"
_BLOCK = 1 << 20


def mode() -> str:
    """Which mode of the service is measured: `PERSONALIZE_NB_DURABLE=1` chooses the one that waits for the disk."""
    return "durable" if durability.is_durable() else "not durable"


def run(rounds: int, scale: float) -> list[Row]:
    """Measure all clients."""
    size = int(BIG * scale)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        with open(source, "wb") as file:
            for start in range(0, size, MB):
                file.write(os.urandom(min(MB, size - start)))
        service = local.start(Path(folder, "service"), durable=durability.is_durable())
        try:
            _client(service).create_bucket(Bucket=BUCKET)
            found = []
            for task, made in (("up", _UP), ("down", _DOWN)):
                print(f"{task} ...", file=sys.stderr, flush=True)
                contenders = {name: partial(_moved, make, service, source) for name, make in made.items()}
                found += rows(f"one object of {size / MB:,.0f} MB {task}", interleave(contenders, rounds), [RATE])
            return found
        finally:
            local.stop(service.path)


def _moved(make: Callable[..., Callable[[], None]], service: ServiceInfo, source: Path) -> dict[str, float]:
    os.sync()  # what the run before has left to write to the disk is not this one's to wait for
    spent = apart(make, service, source)
    size = source.stat().st_size
    return {RATE: size / MB / spent["seconds"], "client CPU s": spent["cpu"], "client peak MB": spent["peak"]}


def _client(service: ServiceInfo) -> Any:
    return boto3.client("s3", **_place(service))


def _place(service: ServiceInfo) -> dict[str, str]:
    return {
        "endpoint_url": service.url,
        "region_name": service.region,
        "aws_access_key_id": service.access_key,
        "aws_secret_access_key": service.secret_key,
    }


class _Counted:
    """Where bytes are counted and dropped."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, block: bytes) -> int:
        self.size += len(block)
        return len(block)


def _all_came(blocks: Iterator[Any], source: Path) -> None:
    came = sum(map(len, blocks))
    assert came == source.stat().st_size, f"{came} bytes came back"


def _session(service: ServiceInfo) -> Session:
    session = Session.local(service.path)
    s3.stored(session, f"s3://{BUCKET}/")  # its client is made when it is first asked
    return session


def _session_up(service: ServiceInfo, source: Path) -> Callable[[], None]:
    session = _session(service)

    def move() -> None:
        with open(source, "rb") as file:
            s3.upload(session, file, f"s3://{BUCKET}/big")

    return move


def _session_down(service: ServiceInfo, source: Path) -> Callable[[], None]:
    session = _session(service)

    def move() -> None:
        [stored] = s3.stored(session, f"s3://{BUCKET}/big")
        _all_came(s3.line_blocks(session, stored.address, whole=stored.size), source)

    return move


def _boto3_up(service: ServiceInfo, source: Path) -> Callable[[], None]:
    client = _client(service)
    return lambda: client.upload_file(str(source), BUCKET, "big")


def _boto3_down(service: ServiceInfo, source: Path) -> Callable[[], None]:
    client = _client(service)

    def move() -> None:
        sink = _Counted()
        client.download_fileobj(BUCKET, "big", sink)
        assert sink.size == source.stat().st_size

    return move


def _obstore(service: ServiceInfo) -> Any:
    from obstore.store import S3Store

    return S3Store(
        BUCKET,
        endpoint=service.url,
        region=service.region,
        access_key_id=service.access_key,
        secret_access_key=service.secret_key,
        client_options={"allow_http": True},
    )


def _obstore_up(service: ServiceInfo, source: Path) -> Callable[[], None]:
    import obstore

    store = _obstore(service)

    def move() -> None:
        obstore.put(store, "big", source)

    return move


def _obstore_down(service: ServiceInfo, source: Path) -> Callable[[], None]:
    import obstore

    store = _obstore(service)
    return lambda: _all_came(iter(obstore.get(store, "big")), source)


def _s3fs(service: ServiceInfo) -> Any:
    import s3fs

    place = _place(service)
    return s3fs.S3FileSystem(
        key=service.access_key,
        secret=service.secret_key,
        endpoint_url=place["endpoint_url"],
        client_kwargs={"region_name": service.region},
    )


def _s3fs_up(service: ServiceInfo, source: Path) -> Callable[[], None]:
    files = _s3fs(service)

    def move() -> None:
        files.put_file(str(source), f"{BUCKET}/big")

    return move


def _s3fs_down(service: ServiceInfo, source: Path) -> Callable[[], None]:
    files = _s3fs(service)

    def move() -> None:
        with files.open(f"{BUCKET}/big", "rb") as file:
            _all_came(iter(partial(file.read, _BLOCK), b""), source)

    return move


_UP = {OURS: _session_up, "boto3": _boto3_up, "obstore": _obstore_up, "s3fs": _s3fs_up}
_DOWN = {OURS: _session_down, "boto3": _boto3_down, "obstore": _obstore_down, "s3fs": _s3fs_down}
