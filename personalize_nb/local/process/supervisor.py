"""Worker processes: started when work waits, woken by a byte, replaced when they die, gone with their parent.

A worker blocks on its standard input. A byte means "look at the queue", the end of the stream means that the
service is gone. Light work is done here, in the supervisor's own thread, so that a small call never waits behind a
training; an import that would wait behind long work gets a worker of its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from personalize_nb.local.process.discovery import is_suspended
from personalize_nb.local.state import platform
from personalize_nb.local.state.lifecycle import STOPPING
from personalize_nb.local.state.store import Store, Work
from personalize_nb.local.tasks.run import give_up
from personalize_nb.local.tasks.tasks import HEAVY, LIGHT

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# short as a rule, and much waits for them
QUICK = ("import",)
_LOOK_SECONDS = 30.0
# while there is work: nobody tells of a worker that was stopped by a signal
_BUSY_LOOK_SECONDS = 2.0
# until a worker of a killed service is gone
_ORPHAN_SECONDS = 15.0


class Supervisor:
    """Keeps up to `limit` workers busy with the queue of `store`, and one more with imports while all are busy.

    Parameters
    ----------
    store
        The queue.
    command
        How to start a worker; with `--only` and kinds of work behind it, one that does nothing else.
    limit
        The largest number of workers.
    perform_light
        Does one piece of light work in this process.
    """

    def __init__(self, store: Store, command: Sequence[str], limit: int, perform_light: Callable[[Work], None]):
        self._store, self._command, self._limit, self._perform_light = store, command, limit, perform_light
        self._workers: dict[int, platform.Child] = {}
        self._spare: int | None = None
        self._continued: set[int] = set()
        self._changed = threading.Condition()
        self._woken = True
        self._ending = False
        self._busy_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Take up the work of processes that are gone, then supervise in a thread."""
        # whoever held work is gone, also when its number is ours now (in a container it often is)
        self._release()
        self._thread.start()

    def wake(self) -> None:
        """Say that there may be new work; returns at once."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def idle_for(self) -> float:
        """Return the seconds since any work was waiting or running."""
        if self._store.waiting() or self._store.running():
            self._busy_at = time.monotonic()
            return 0.0
        return time.monotonic() - self._busy_at

    def stop(self) -> None:
        """End the workers and put their work back, as if it had never been begun."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join()
        for worker in self._workers.values():
            worker.process.kill()
        for worker in self._workers.values():
            worker.process.wait()
            worker.pipe.close()
        for work in self._store.running().values():
            with self._store.transaction():
                self._store.finish(work.id)
                self._store.enqueue(work.kind, work.arn)

    def _run(self) -> None:
        busy = True
        while True:
            with self._changed:
                if not self._woken and not self._ending:
                    self._changed.wait(_BUSY_LOOK_SECONDS if busy else _LOOK_SECONDS)
                self._woken = False
                if self._ending:
                    return
            try:
                self._reap()
                self._continue()
                self._end_stopped()
                self._do_light_work()
                self._scale()
                busy = self.idle_for() == 0
            except Exception:
                # the thread must outlive any error (a full disk, say): nobody else starts workers
                log.exception("the supervisor could not look after its workers; it tries again")

    def _do_light_work(self) -> None:
        while (work := self._store.claim(os.getpid(), LIGHT)) is not None:
            self._perform_light(work)
            if not self._workers:
                # a new group or solution announces heavy work: the worker's imports are done when it comes
                self._spawn()

    def _scale(self) -> None:
        waiting = self._store.waiting(HEAVY)
        workers = self._workers.keys() - {self._spare}
        idle = len(workers - self._store.running().keys())
        for _ in range(min(waiting - idle, self._limit - len(workers))):
            self._spawn()
        if len(workers) >= self._limit and not idle and self._spare is None and self._store.waiting(QUICK):
            self._spare = self._spawn("--only", *QUICK)
        for worker in list(self._workers.values()):
            try:
                worker.pipe.write(b"\n")
                worker.pipe.flush()
            except OSError:
                # it is dying; its watcher wakes this thread again
                continue

    def _spawn(self, *options: str) -> int:
        worker = platform.spawn([*self._command, *options])
        pid = worker.process.pid
        self._workers[pid] = worker
        threading.Thread(target=self._watch, args=(worker,), daemon=True).start()
        log.info("worker %d started", pid)
        return pid

    def _watch(self, worker: platform.Child) -> None:
        worker.process.wait()
        self.wake()

    def _reap(self) -> None:
        for pid, worker in list(self._workers.items()):
            if worker.process.returncode is not None:
                del self._workers[pid]
                self._spare = None if pid == self._spare else self._spare
                worker.pipe.close()
                log.info("worker %d ended with code %d", pid, worker.process.returncode)
        # Asked each time, because a full disk may have kept the last time from being written down. Light work of
        # this process is not under way here, so what it still holds could not be ended either.
        if not self._workers.keys() >= self._store.running().keys():
            self._release()

    def _continue(self) -> None:
        """Continue workers that a signal has stopped, and end those that stay so: their work would wait for ever."""
        stopped = {pid for pid in self._workers if is_suspended(pid)}
        for pid in stopped & self._continued:
            log.warning("worker %d is ended: it was stopped by a signal and does not go on", pid)
            self._workers[pid].process.kill()
        for pid in stopped - self._continued:
            log.warning("worker %d was stopped by a signal; it is continued", pid)
            with contextlib.suppress(psutil.Error):
                psutil.Process(pid).resume()
        self._continued = stopped

    def _end_stopped(self) -> None:
        """End workers whose work was stopped through the API: a long calculation does not look up by itself."""
        for pid, work in self._store.running().items():
            if pid in self._workers and self._is_stopping(work):
                log.info("worker %d is ended: %s was stopped", pid, work.arn)
                self._workers[pid].process.kill()

    def _is_stopping(self, work: Work) -> bool:
        resource = self._store.get(work.arn)
        return resource is not None and resource.status == STOPPING

    def _release(self) -> None:
        """Put work that no worker holds back into the queue, or end it."""
        for work in self._store.requeue(self._workers.keys()):
            if self._is_stopping(work):
                give_up(self._store, work, "The work was stopped.")
            elif work.attempts >= MAX_ATTEMPTS:
                give_up(
                    self._store,
                    work,
                    f"The process that did the work ended unexpectedly {work.attempts} times, perhaps for lack of "
                    "memory. See service.log in the folder of the local service.",
                )
            else:
                log.warning("%s work on %s is taken up again", work.kind, work.arn)
        self.wake()


def end_orphans(store: Store, root: Path) -> None:
    """End workers of a killed service that have not ended by themselves yet, before their work is begun again."""
    for pid in store.running():
        try:
            process = psutil.Process(pid)
            command = process.cmdline()
            if "personalize_nb.local.process.worker" in command and str(root) in command:
                process.kill()
                process.wait(_ORPHAN_SECONDS)
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            # a process of another user, so not one of ours
            continue
