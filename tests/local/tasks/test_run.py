"""How work ends: a status and a reason for every error, nothing left in the queue."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from personalize_nb.local.errors import ApiError, WorkError
from personalize_nb.local.process.supervisor import MAX_ATTEMPTS, Supervisor
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import versions
from personalize_nb.local.state.facts import Changes
from personalize_nb.local.state.store import Store
from personalize_nb.local.tasks.run import Stopped, WorkContext, check_wanted, perform
from personalize_nb.local.tasks.task_data import outlive_second

ARN = "arn:aws:personalize:us-east-1:123456789012:solution/s/0123abcd"


@pytest.fixture
def context(tmp_path):
    store, objects = Store(tmp_path / "state.sqlite"), ObjectStore(tmp_path / "objects")
    store.create("solution_version", ARN, "s", {"kept": 1}, status="CREATE PENDING")
    store.enqueue("train", ARN)
    yield WorkContext(tmp_path, store, objects, "us-east-1", "123456789012")
    store.close()
    objects.close()


def run(context, task):
    """Perform the waiting work with `task` and return its resource."""
    work = context.store.claim(os.getpid())
    perform(context, work, {"train": task})
    assert context.store.waiting() == 0
    assert context.store.running() == {}
    return context.store.get(ARN)


def raising(error):
    def task(context, resource):
        raise error

    return task


def test_work_that_succeeds_is_active_with_its_changes(context):
    resource = run(context, lambda context, resource: Changes({"trainingHours": 0.5}))
    assert (resource.status, resource.body) == ("ACTIVE", {"kept": 1, "trainingHours": 0.5})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (WorkError("Too few users."), "Too few users."),
        (ApiError("NoSuchKey", "The key is gone.", 404), "NoSuchKey: The key is gone."),
        (MemoryError(), "too little memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space is left"),
        (OSError(errno.EACCES, "Permission denied", "a.parquet"), "cannot be read or written: [Errno 13]"),
        (ConnectionError("no model answers"), "unexpected fault: ConnectionError"),
        (ZeroDivisionError("by zero"), "unexpected fault: ZeroDivisionError: by zero"),
    ],
)
def test_work_that_fails_says_why(context, error, reason):
    resource = run(context, raising(error))
    assert resource.status == "CREATE FAILED"
    assert reason in resource.failure_reason


def test_work_that_is_stopped_on_the_way_ends_stopped(context):
    def task(context, resource):
        context.store.set_status(ARN, "CREATE STOPPING")
        check_wanted(context.store, ARN)

    assert run(context, task).status == "CREATE STOPPED"


def test_work_that_was_stopped_before_it_began_ends_stopped(context):
    context.store.set_status(ARN, "CREATE STOPPED")
    assert run(context, raising(AssertionError("must not run"))).status == "CREATE STOPPED"


def test_work_whose_resource_is_deleted_just_ends(context):
    def task(context, resource):
        context.store.delete(ARN)
        with pytest.raises(Stopped):
            check_wanted(context.store, ARN)

    assert run(context, task) is None


def test_work_that_kills_its_worker_is_tried_again_and_then_given_up(context, until):
    program = (
        "import os, sys; from personalize_nb.local.state.store import Store;"
        "Store(sys.argv[1]).claim(os.getpid()) and os._exit(9); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(context.root / "state.sqlite")]
    supervisor = Supervisor(context.store, command, 1, raising(AssertionError("no light work here")))
    supervisor.start()
    try:
        until(lambda: context.store.get(ARN).status == "CREATE FAILED")
    finally:
        supervisor.stop()
    assert f"ended unexpectedly {MAX_ATTEMPTS} times" in context.store.get(ARN).failure_reason


def test_an_orderly_end_puts_running_work_back_as_if_never_begun(context, until):
    program = (
        "import os, sys; from personalize_nb.local.state.store import Store;"
        "Store(sys.argv[1]).claim(os.getpid()); sys.stdin.buffer.read()"
    )
    command = [sys.executable, "-c", program, str(context.root / "state.sqlite")]
    supervisor = Supervisor(context.store, command, 1, raising(AssertionError("no light work here")))
    supervisor.start()
    until(context.store.running)
    assert supervisor.idle_for() < 60
    supervisor.stop()
    assert context.store.claim(os.getpid()).attempts == 1


def test_a_worker_whose_parent_is_gone_ends_at_once(tmp_path):
    command = [sys.executable, "-P", "-m", "personalize_nb.local.process.worker", "--path", str(tmp_path)]
    command += ["--region", "us-east-1", "--account", "123456789012", "--parent", "1"]
    assert subprocess.run(command, stdin=subprocess.DEVNULL).returncode == 1


def test_work_on_rows_that_were_replaced_meanwhile_begins_anew(context):
    folder = context.root / "datasets" / "g"
    folder.mkdir(parents=True)
    seen = []

    def replacement(before, name):
        (folder / f"{name}.draft").write_bytes(b"rows")
        return versions.Replacement("g", "ITEMS", versions.DataFiles(name, name), before)

    def task(context, resource):
        with versions.DatasetVersions(context.root) as data:
            before = data.files("g", "ITEMS")
            if not seen:
                data.replace(replacement(before, "other"))
        seen.append(before.newest)
        return Changes(data=(replacement(before, f"own{len(seen)}"),))

    assert run(context, task).status == "ACTIVE"
    assert seen == [None, "other"]
    assert [path.name for path in folder.iterdir()] == ["own2"]


@pytest.mark.parametrize("created", [-1000.0, 0.0, 0.5, 3600.0, 1e9])
def test_no_job_waits_longer_than_a_second_however_the_clock_was_set(context, created):
    slept = []
    early = replace(context, clock=lambda: 1_700_000_000.25, sleep=slept.append)
    outlive_second(early, replace(context.store[ARN], created=1_700_000_000.0 + created))
    assert 0 <= slept[0] <= 1


def test_work_that_is_overtaken_while_it_reads_begins_anew(context):
    tries = []

    def task(context, resource):
        tries.append(resource)
        if len(tries) == 1:
            raise versions.OvertakenError("other files")
        return Changes({"trainingHours": 0.5})

    assert run(context, task).status == "ACTIVE"
    assert len(tries) == 2
