"""A batch inference job on a cluster of Dask: workers read stretches of the input and write parts of the output.

The one who runs the job cuts the input, hands out the stretches, and puts the parts together in their order. Blocks are
those of one machine, and the model and the filter are the very ones that were loaded here, so that the output is the
same byte for byte (on processors whose arithmetic is the same). A stretch whose worker is lost is answered again by
another; where the cluster as a whole is lost, or cannot be reached, what is left is answered here.

Workers see the service's folder under the same path. Parts lie in its `scratch`, readable by its owner only, until they
are put together; output that is encrypted is not spread, so that nothing of it lies there in plain text.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import pickle
import secrets
import shutil
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout, platform
from personalize_nb.local.tasks.input_lines import Lines, blocks_of, places

if TYPE_CHECKING:
    from distributed import Client, Future

    from personalize_nb.local.tasks.run import WorkContext

log = logging.getLogger(__name__)

BLOCKS = 4  # of a task, a second or so of work
_AHEAD = 4  # tasks for each thread of the cluster, so that parts do not heap up
_REACHED, _PATIENCE = 10.0, 5.0  # seconds
_NAME = "batch-answer-lines"


class Runner(Protocol):
    """What answers blocks of lines."""

    rows: int

    def answered(self, lines: Lines) -> tuple[int, memoryview]:
        """Return how many lines a block has, and the text of its rows."""


@dataclass(frozen=True)
class JobPlace:
    """Where a worker finds a job: the service's folder, what answers, and one file of input.

    Parameters
    ----------
    root, region, account
        The service.
    folder
        The job's own folder, which holds what answers and the parts.
    bucket, key
        The file of input.
    """

    root: Path
    region: str
    account: str
    folder: Path
    bucket: str
    key: str

    @property
    def runner(self) -> Path:
        """The file of what answers."""
        return self.folder / "runner.pickle"


@dataclass(frozen=True)
class LineRange:
    """Some blocks of a stretch of the input.

    Parameters
    ----------
    number
        Which piece of the file it is.
    begin, size
        The stretch, in bytes.
    first
        The number of the first of its blocks that belong to the piece.
    """

    number: int
    begin: int
    size: int
    first: int

    def name(self) -> str:
        """Return the name of its part of the output."""
        return f"part-{self.number:07d}"


@contextmanager
def connected(address: str, context: WorkContext) -> Iterator[Spread | None]:
    """Give what spreads jobs over the cluster of a scheduler; None where there is none, or it cannot be reached."""
    if not address:
        yield None
        return
    try:
        from distributed import Client

        client = Client(address, timeout=_REACHED, set_as_default=False, name="personalize-nb-batch")
    except Exception as error:  # no Dask, other releases, no such host: the job is answered all the same
        log.warning("the scheduler %s cannot be used (%s): the job is answered by this machine alone", address, error)
        yield None
        return
    try:
        client.wait_for_workers(1, timeout=_REACHED)
        yield Spread(client, context.root, context.region, context.account, context.objects)
    except TimeoutError:
        log.warning("the scheduler %s has no workers: the job is answered by this machine alone", address)
        yield None
    finally:
        with suppress(Exception):
            client.close()


class Spread:
    """A cluster that answers.

    Parameters
    ----------
    client
        The client of its scheduler.
    root, region, account
        The service.
    objects
        Its objects.
    """

    def __init__(self, client: Client, root: Path, region: str, account: str, objects: ObjectStore):
        self._client, self._objects = client, objects
        self._root, self._region, self._account = root, region, account
        self.lost = False

    def answers(
        self, runner: Runner, bucket: str, key: str, source: BinaryIO
    ) -> Iterator[tuple[int, bytes | memoryview]]:
        """Yield the number of lines and the text of the rows of each piece, in order.

        Where nothing has come for some seconds, nothing is yielded for no lines, so that who asks can end it.

        Parameters
        ----------
        runner
            What answers here, and is sent to the workers.
        bucket, key
            The file of input.
        source
            The same, opened.
        """
        token = secrets.token_hex(8)
        folder = self._root / "scratch" / f"spread-{token}"
        place = JobPlace(self._root, self._region, self._account, folder, bucket, key)
        waiting: deque[tuple[LineRange, Future]] = deque()
        try:
            folder.mkdir(mode=0o700)
            self._send(runner, place)
            most = _AHEAD * max(1, sum(self._client.nthreads().values()))
            for piece in _pieces(source, runner.rows):
                waiting.append((piece, self._asked(piece, place, token)))
                if len(waiting) >= most:
                    yield from self._taken(runner, place, *waiting.popleft())
            while waiting:
                yield from self._taken(runner, place, *waiting.popleft())
        finally:
            with suppress(Exception):  # of a cluster that is gone
                self._client.cancel([future for _, future in waiting])
            shutil.rmtree(folder, ignore_errors=True)

    def _send(self, runner: Runner, place: JobPlace) -> None:
        import cloudpickle  # comes with Dask

        try:
            with platform.open_private(place.runner, "wb") as file:
                cloudpickle.dump(runner, file)
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            self._give_up(error)

    def _asked(self, piece: LineRange, place: JobPlace, token: str) -> Any:
        if self.lost:
            return None
        try:
            return self._client.submit(write_part, piece, place, key=f"{_NAME}-{token}-{piece.number:07d}", pure=False)
        except Exception as error:
            self._give_up(error)
            return None

    def _taken(
        self, runner: Runner, place: JobPlace, piece: LineRange, future: Any
    ) -> Iterator[tuple[int, bytes | memoryview]]:
        """Wait for a piece and yield it; where the cluster is lost, answer it here."""
        while not self.lost:
            try:
                count = future.result(timeout=_PATIENCE)
                part = place.folder / piece.name()
                text = part.read_bytes()
                part.unlink()
            except TimeoutError:
                if not self._workers():
                    self._give_up("it has no workers any more")
                yield 0, b""
            except (Exception, asyncio.CancelledError) as error:
                self._give_up(error)
            else:
                yield count, text
                return
        for lines in _lines(self._objects, place, piece, runner.rows):
            yield runner.answered(lines)

    def _workers(self) -> int:
        try:
            return len(self._client.scheduler_info()["workers"])
        except Exception:  # the scheduler is gone
            return 0

    def _give_up(self, why: object) -> None:
        log.warning("the cluster is lost (%s: %s): this machine answers what is left", type(why).__name__, why)
        self.lost = True


def write_part(piece: LineRange, place: JobPlace) -> int:
    """Answer a piece on a worker: write its part of the output, and return how many lines it has.

    A part is there as a whole or not at all; who writes it again writes the same.
    """
    runner, lock = _runner(place.runner)
    objects = _objects(place.root, place.region, place.account)
    part = place.folder / piece.name()
    draft = part.with_name(f"{part.name}.{secrets.token_hex(4)}")
    total = 0
    with lock, platform.open_private(draft, "wb") as file:  # a model is made for one thread
        for lines in _lines(objects, place, piece, runner.rows):
            count, text = runner.answered(lines)
            file.write(text)
            total += count
    os.replace(draft, part)
    return total


def _pieces(source: BinaryIO, rows: int) -> Iterator[LineRange]:
    """Yield the pieces of a file, each of some blocks."""
    number = itertools.count()
    for begin, text in places(source):
        blocks = sum(1 for _ in blocks_of(text, rows))
        for first in range(0, blocks, BLOCKS):
            yield LineRange(next(number), begin, len(text), first)


def _lines(objects: ObjectStore, place: JobPlace, piece: LineRange, rows: int) -> Iterator[Lines]:
    """Yield the blocks of a piece."""
    with objects.open(place.bucket, place.key) as source:
        source.seek(piece.begin)
        text = source.read(piece.size)
    yield from itertools.islice(blocks_of(text, rows), piece.first, piece.first + BLOCKS)


@lru_cache(maxsize=1)
def _runner(file: Path) -> tuple[Runner, threading.Lock]:
    """Return what answers a job, read once by each worker."""
    import cloudpickle

    with file.open("rb") as stream:
        return cloudpickle.load(stream), threading.Lock()


@lru_cache(maxsize=1)
def _objects(root: Path, region: str, account: str) -> ObjectStore:
    return ObjectStore(root / layout.OBJECTS, keyring=Keys(root / layout.STATE, account, region))
