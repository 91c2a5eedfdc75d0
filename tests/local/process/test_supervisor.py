"""Worker processes: how many there are, whose work they take up, and how work that was stopped ends."""

from __future__ import annotations

import errno
import os
import signal
import sys

import pytest

from personalize_nb.local.process.supervisor import Supervisor
from personalize_nb.local.state.store import Store

ARN = "arn:aws:personalize:us-east-1:123456789012:solution/s/{:08x}"
# Takes one piece of work and then never looks up again, as long calculations do.
BUSY = """
import os, sys
from personalize_nb.local.state.store import Store
store = Store(sys.argv[1])
work = store.claim(os.getpid(), sys.argv[3:] if sys.argv[2:3] == ["--only"] else None)
work and store.set_status(work.arn, "CREATE IN_PROGRESS")
sys.stdin.buffer.read()
"""
DEAF = (
    BUSY.replace("work = ", "os.close(0)\nwork = ")
    .replace("sys.stdin.buffer.read()", "signal.pause()")
    .replace("import os, sys", "import os, signal, sys")
)
# Is stopped by a signal as soon as it has work, and does it once it is continued.
HALTED = BUSY.replace("import os, sys", "import os, signal, sys").replace(
    "sys.stdin.buffer.read()",
    'os.kill(os.getpid(), signal.SIGSTOP)\nstore.set_status(work.arn, "ACTIVE")\nstore.finish(work.id)\n'
    "sys.stdin.buffer.read()",
)
# Stops itself whenever it is continued.
FROZEN = HALTED.replace("os.kill(", "while True: os.kill(")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


@pytest.fixture
def supervise(store, tmp_path):
    """Start a supervisor of busy workers; it is stopped afterwards."""
    started = []

    def start(limit, program=BUSY):
        def light(work):
            raise AssertionError("no light work here")

        supervisor = Supervisor(store, [sys.executable, "-c", program, str(tmp_path / "state.sqlite")], limit, light)
        started.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def queue(store, count):
    for number in range(count):
        arn = ARN.format(number)
        store.create("solution_version", arn, f"s{number}", {}, status="CREATE PENDING")
        store.enqueue("train", arn)


def test_no_more_work_is_begun_than_there_are_workers(store, supervise, until):
    queue(store, 4)
    supervisor = supervise(2)
    until(lambda: len(store.running()) == 2, "two workers at work")
    for _ in range(5):
        supervisor.wake()
    # the oldest come first, and the others wait
    assert sorted(work.arn for work in store.running().values()) == [ARN.format(0), ARN.format(1)]
    assert store.waiting() == 2


def test_an_import_does_not_wait_behind_long_work(store, supervise, until):
    queue(store, 3)
    supervisor = supervise(1)
    until(lambda: len(store.running()) == 1, "the only worker at work")
    imports = ["arn:aws:personalize:us-east-1:123456789012:dataset-import-job/" + name for name in ("a", "b")]
    for arn in imports:
        store.create("dataset_import_job", arn, arn[-1], {}, status="CREATE PENDING")
        store.enqueue("import", arn)
        supervisor.wake()
    until(lambda: len(store.running()) == 2, "the first import at work")
    for _ in range(5):
        supervisor.wake()
    # one more worker and not two, for imports and for nothing else
    assert sorted(work.arn for work in store.running().values()) == sorted([ARN.format(0), imports[0]])
    assert store.waiting(["import"]) == 1 and store.waiting(["train"]) == 2


def test_work_is_taken_up_although_its_dead_owner_had_our_process_number(store, supervise, until):
    queue(store, 1)
    assert store.claim(os.getpid())
    supervise(1)
    until(lambda: store.running() and os.getpid() not in store.running(), "the work in a worker")


# the second one takes no bytes any more, as one that is dying
@pytest.mark.parametrize("program", [BUSY, DEAF], ids=["listening", "deaf"])
def test_a_worker_whose_work_was_stopped_is_ended_and_the_next_work_begins(store, supervise, until, caplog, program):
    queue(store, 2)
    supervisor = supervise(1, program)
    until(lambda: store[ARN.format(0)].status == "CREATE IN_PROGRESS", "work under way")
    store.set_status(ARN.format(0), "CREATE STOPPING")
    supervisor.wake()
    until(lambda: store[ARN.format(0)].status == "CREATE STOPPED", "the stop")
    until(lambda: store[ARN.format(1)].status == "CREATE IN_PROGRESS", "the next work")
    assert [work.arn for work in store.running().values()] == [ARN.format(1)]
    assert "could not look after its workers" not in caplog.text


def test_light_work_that_could_not_be_ended_is_done_later(store, until):
    store.create("dataset_group", ARN, "g", {}, status="CREATE PENDING")
    store.enqueue("settle", ARN)
    tried = []

    def settle(work):
        tried.append(work.attempts)
        if len(tried) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        store.finish(work.id)

    supervisor = Supervisor(store, [sys.executable, "-c", ""], 1, settle)
    supervisor.start()
    until(lambda: tried, "the first try")
    supervisor.wake()
    until(lambda: not store.waiting() and not store.running(), "the second try")
    supervisor.stop()
    assert tried == [1, 2]


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system stops no processes")
def test_a_worker_that_a_signal_has_stopped_is_continued(store, supervise, until):
    queue(store, 1)
    supervise(1, HALTED)
    until(lambda: store[ARN.format(0)].status == "ACTIVE", "the end of the work")


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system stops no processes")
def test_a_worker_that_stays_stopped_is_ended_and_its_work_taken_up(store, supervise, until):
    queue(store, 1)
    supervise(1, FROZEN)
    until(lambda: store[ARN.format(0)].status == "CREATE FAILED", "the end of the last attempt")
    assert "ended unexpectedly" in store[ARN.format(0)].failure_reason


def test_progress_outlives_the_process_that_made_it(store, tmp_path):
    queue(store, 1)
    store.progress(ARN.format(0), 3, 4)
    again = Store(tmp_path / "state.sqlite")
    assert again[ARN.format(0)].progress == (3, 4)
    again.close()
