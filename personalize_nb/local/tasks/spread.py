"""A batch inference job on a cluster of Dask: workers read pieces of the input and write parts of the output.

The one who runs the job finds where lines end, hands out the pieces, and puts the parts together in their order; what
each byte costs, its reading, writing and digesting, is the workers' work. Blocks are those of one machine, and the
model and the filter are the very ones that were loaded here, so that the output is the same byte for byte (on
processors whose arithmetic is the same). A piece whose worker is lost is answered again by another; where the cluster
as a whole is lost, or cannot be reached, what is left is answered here. A worker computes with as many threads as the
cluster gave it: others of the same machine have the rest.

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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from personalize_nb.local.iam.keys import Keys
from personalize_nb.local.recipes.compiled import limited
from personalize_nb.local.s3.joining import Joining, WrittenPart, joining, write_part
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout, platform
from personalize_nb.local.tasks.input_lines import Lines, blocks_of
from personalize_nb.local.tasks.stretches import LineRange, pieces

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
    """Where a worker finds a job: the service's folder, and the job's own, which holds what answers and the parts."""

    root: Path
    region: str
    account: str
    folder: Path

    @property
    def runner(self) -> Path:
        """The file of what answers."""
        return self.folder / "runner.pickle"


@dataclass(frozen=True)
class InputFile:
    """A file of input as it was when the job began: an object of that name that has other bytes is another one."""

    bucket: str
    key: str
    body: str


@dataclass(frozen=True)
class SpreadPiece:
    """A piece of a file of input; its number is that of its part of the output."""

    number: int
    file: InputFile
    span: LineRange

    def name(self) -> str:
        """Return the name of its part."""
        return f"part-{self.number:07d}"


@dataclass(frozen=True)
class _Submitted:
    """A piece, what reads its file here, and the cluster's answer; None where the cluster is not asked."""

    piece: SpreadPiece
    source: BinaryIO
    future: Future | None


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

    def answer(self, runner: Runner, bucket: str, outputs: Mapping[str, tuple[str, str]]) -> Iterator[int]:
        """Answer files of input, and yield how many lines were answered since the last time.

        Where nothing has come for some seconds, that is none, so that who asks can end it. The first pieces of a file
        are asked while the last ones of the file before are still answered.

        Parameters
        ----------
        runner
            What answers here, and is sent to the workers.
        bucket
            Where the input is.
        outputs
            For the key of each file where its answers go: a bucket and a key.
        """
        token = secrets.token_hex(8)
        place = JobPlace(self._root, self._region, self._account, self._root / "scratch" / f"spread-{token}")
        waiting: deque[_Submitted] = deque()
        with ExitStack() as sources:
            try:
                place.folder.mkdir(mode=0o700)
                self._send(runner, place)
                pieces_of = self._cut(sources, runner.rows, bucket, outputs)
                ahead = self._ahead(waiting, pieces_of, place, token)
                for key, asked in itertools.groupby(ahead, key=lambda one: one.piece.file.key):
                    with joining(self._objects, *outputs[key]) as out:
                        for one in asked:
                            yield from self._taken(runner, place, one, out)
            finally:
                with suppress(Exception):  # of a cluster that is gone
                    self._client.cancel([one.future for one in waiting if one.future is not None])
                shutil.rmtree(place.folder, ignore_errors=True)

    def _cut(
        self, sources: ExitStack, rows: int, bucket: str, keys: Iterable[str]
    ) -> Iterator[tuple[SpreadPiece, BinaryIO]]:
        """Yield the pieces of all files with what reads them; the last of each has no lines, and ends it."""
        number = itertools.count()
        for key in keys:
            info, opened = self._objects.open_object(bucket, key)
            file = InputFile(bucket, key, info.body)
            source = sources.enter_context(self._objects.verified(bucket, info, opened))
            for piece in pieces(source, rows * BLOCKS):
                yield SpreadPiece(next(number), file, piece), source
            yield SpreadPiece(next(number), file, LineRange(0, 0, 0)), source

    def _ahead(
        self,
        waiting: deque[_Submitted],
        pieces_of: Iterator[tuple[SpreadPiece, BinaryIO]],
        place: JobPlace,
        token: str,
    ) -> Iterator[_Submitted]:
        """Ask the cluster for pieces, some ahead, and yield them in their order."""
        most = _AHEAD * self._threads()
        for piece, source in pieces_of:
            waiting.append(_Submitted(piece, source, self._submitted(piece, place, token)))
            while waiting and (self.lost or sum(one.future is not None for one in waiting) >= most):
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()

    def _send(self, runner: Runner, place: JobPlace) -> None:
        import cloudpickle  # comes with Dask

        try:
            with platform.open_private(place.runner, "wb") as file:
                cloudpickle.dump(runner, file)
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            self._give_up(error)

    def _submitted(self, piece: SpreadPiece, place: JobPlace, token: str) -> Future | None:
        if self.lost or not piece.span.lines:
            return None
        try:
            key = f"{_NAME}-{token}-{piece.number:07d}"
            future: Future = self._client.submit(answer_piece, piece, place, key=key, pure=False)
            return future
        except Exception as error:
            self._give_up(error)
            return None

    def _taken(self, runner: Runner, place: JobPlace, asked: _Submitted, out: Joining) -> Iterator[int]:
        """Wait for a piece, put its part at the output's end, and yield its lines; answer it here without a cluster."""
        span = asked.piece.span
        if not span.lines:
            asked.source.close()
            return
        part = place.folder / asked.piece.name()
        while not self.lost:
            try:
                written = cast(Any, asked.future).result(timeout=_PATIENCE)
                file = _opened(part, written)
            except TimeoutError:
                if not self._workers():
                    self._give_up("it has no workers any more")
                yield 0
            except (Exception, asyncio.CancelledError) as error:
                self._give_up(error)
            else:
                with file:
                    out.add(file, written)
                part.unlink()
                yield span.lines
                return
        for lines in _lines(asked.source, span, runner.rows):
            count, text = runner.answered(lines)
            out.write(text)
            yield count

    def _threads(self) -> int:
        try:
            return max(1, int(sum(self._client.nthreads().values())))
        except Exception as error:
            self._give_up(error)
            return 1

    def _workers(self) -> int:
        try:
            return len(self._client.scheduler_info()["workers"])
        except Exception:  # the scheduler is gone
            return 0

    def _give_up(self, why: object) -> None:
        log.warning("the cluster is lost (%s: %s): this machine answers what is left", type(why).__name__, why)
        self.lost = True


def answer_piece(piece: SpreadPiece, place: JobPlace) -> WrittenPart:
    """Answer a piece on a worker: write its part of the output, and return what is to be known of it.

    Who answers it again writes the same.
    """
    runner, lock = _runner(place.runner)
    objects, file = _objects(place.root, place.region, place.account), piece.file
    info, source = objects.open_object(file.bucket, file.key)
    with source:
        if info.body != file.body:
            raise LookupError(f"s3://{file.bucket}/{file.key} was replaced since the job began")
        blocks = list(_lines(source, piece.span, runner.rows))
    with lock, limited(_threads()):  # a model is made for one task at a time
        texts = [runner.answered(lines)[1] for lines in blocks]
    return write_part(place.folder / piece.name(), texts)


def _opened(part: Path, written: WrittenPart) -> BinaryIO:
    """Open a part; not every file system of several machines shows at once what another one has written."""
    file = part.open("rb")
    size = os.fstat(file.fileno()).st_size
    if size != written.size:
        file.close()
        raise EOFError(f"{part} has {size} bytes, not {written.size}")
    return file


def _lines(source: BinaryIO, span: LineRange, rows: int) -> Iterator[Lines]:
    """Yield the blocks of a piece."""
    source.seek(span.begin)
    return blocks_of(source.read(span.size), rows)


def _threads() -> int:
    """Return how many threads the cluster gave this worker: the machine's other processors are other workers'."""
    from distributed import get_worker

    try:
        return max(1, int(get_worker().state.nthreads))
    except ValueError:  # no worker
        return 1


@lru_cache(maxsize=1)
def _runner(file: Path) -> tuple[Runner, threading.Lock]:
    """Return what answers a job, read once by each worker."""
    import cloudpickle

    with file.open("rb") as stream:
        return cloudpickle.load(stream), threading.Lock()


@lru_cache(maxsize=1)
def _objects(root: Path, region: str, account: str) -> ObjectStore:
    return ObjectStore(root / layout.OBJECTS, keyring=Keys(root / layout.STATE, account, region))
