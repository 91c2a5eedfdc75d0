"""The store keeps resources and work through several connections, processes and crashes."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading

import pytest

from personalize_nb.local.errors import ApiError
from personalize_nb.local.state.facts import Changes, DataFacts
from personalize_nb.local.state.lifecycle import MOVES, IllegalMoveError, check_move
from personalize_nb.local.state.store import Store


@pytest.fixture
def store(tmp_path):
    ticks = itertools.count(1_700_000_000)
    store = Store(tmp_path / "state.sqlite", clock=lambda: next(ticks) + 0.12345)
    yield store
    store.close()


def make(store, name="a", kind="solution", **more):
    return store.create(kind, f"arn:{kind}/{name}", name, {"name": name}, **more)


def test_a_resource_is_described_without_internals(store):
    store.create("data_deletion_job", "arn:schema/a", "a", {"name": "a"}, DataFacts(group="g", schemas={}))
    described = store["arn:schema/a"].described()
    assert described == {"name": "a", "creationDateTime": 1_700_000_000.123, "lastUpdatedDateTime": 1_700_000_000.123}


def test_a_name_is_taken_once(store):
    make(store)
    with pytest.raises(ApiError) as refused:
        make(store)
    assert refused.value.code == "ResourceAlreadyExistsException"


def test_lists_are_oldest_first_and_go_on_after_an_id(store):
    names = [f"n{number}" for number in range(5)]
    for name in names:
        make(store, name, parent_arn="arn:p", status="ACTIVE")
    make(store, "other", parent_arn="arn:q")
    first = store.list("solution", parent_arn="arn:p", limit=2)
    rest = store.list("solution", parent_arn="arn:p", after=first[-1].id)
    assert [resource.name for resource in first + rest] == names
    assert store.count("solution", statuses=["ACTIVE"]) == 5
    assert store.list("solution", newest_first=True, limit=1)[0].name == "other"
    assert store.find("solution", "n3").arn == "arn:solution/n3"


def test_statuses_move_only_along_the_table(store):
    make(store, status="CREATE PENDING")
    with pytest.raises(IllegalMoveError, match="CREATE PENDING.*ACTIVE"):
        store.set_status("arn:solution/a", "ACTIVE")
    store.set_status("arn:solution/a", "CREATE IN_PROGRESS")
    store.set_status("arn:solution/a", "CREATE IN_PROGRESS")
    done = store.set_status("arn:solution/a", "ACTIVE", changes=Changes({"trainingHours": 0.1}))
    assert (done.status, done.body["trainingHours"]) == ("ACTIVE", 0.1)
    assert done.updated > done.created
    with pytest.raises(IllegalMoveError, match="STOP PENDING"):
        store.set_status("arn:solution/a", "CREATE FAILED", "late")


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, following in MOVES.items() for new in sorted(following)])
def test_every_move_of_the_table_leads_to_a_known_status(old, new):
    check_move(old, new)
    assert new in MOVES


def test_a_failure_needs_a_reason(store):
    make(store, status="CREATE PENDING")
    with pytest.raises(ValueError, match="without a reason"):
        store.set_status("arn:solution/a", "CREATE FAILED")
    failed = store.set_status("arn:solution/a", "CREATE FAILED", "no data")
    assert failed.described()["failureReason"] == "no data"


def test_update_merges_and_none_removes(store):
    make(store)
    assert store.update("arn:solution/a", Changes({"x": 1})).body == {"name": "a", "x": 1}
    assert store.update("arn:solution/a", Changes({"x": None})).body == {"name": "a"}


def test_a_transaction_that_fails_leaves_nothing(store):
    with pytest.raises(ZeroDivisionError), store.transaction():
        make(store, tags={"k": "v"})
        store.enqueue("settle", "arn:solution/a")
        raise ZeroDivisionError
    assert store.get("arn:solution/a") is None
    assert store.waiting() == 0
    assert make(store).name == "a"


def test_deleting_takes_tags_and_work_along(store):
    make(store, tags={"k": "v"})
    store.enqueue("settle", "arn:solution/a")
    assert store.delete("arn:solution/a")
    assert not store.delete("arn:solution/a")
    assert store.tags("arn:solution/a") == {}
    assert store.waiting() == 0


def test_tags_are_replaced_by_key(store):
    make(store, tags={"a": "1", "b": "2"})
    store.tag("arn:solution/a", {"b": "3", "c": "4"})
    store.untag("arn:solution/a", ["a", "unknown"])
    assert store.tags("arn:solution/a") == {"b": "3", "c": "4"}


def test_work_is_claimed_in_order_and_released_when_its_worker_is_gone(store):
    for name in "ab":
        make(store, name)
        store.enqueue("train" if name == "a" else "settle", f"arn:solution/{name}")
    assert store.claim(7, kinds=["settle"]).arn == "arn:solution/b"
    first = store.claim(8)
    assert (first.kind, first.arn, first.attempts) == ("train", "arn:solution/a", 1)
    assert store.claim(9) is None
    assert store.running()[8] == first
    assert [work.arn for work in store.requeue(alive=[7])] == ["arn:solution/a"]
    assert store.requeue(alive=[7]) == []
    again = store.claim(9)
    assert (again.id, again.attempts) == (first.id, 2)
    store.finish(again.id)
    assert store.waiting(["train"]) == 0


def test_progress_is_kept_beside_the_answer(store):
    make(store)
    store.progress("arn:solution/a", 3, 10)
    assert store["arn:solution/a"].progress == (3, 10)
    assert "done" not in store["arn:solution/a"].described()


def test_threads_share_the_queue_without_taking_work_twice(store):
    for number in range(40):
        make(store, str(number))
        store.enqueue("settle", f"arn:solution/{number}")
    claimed: list[str] = []

    def work(worker):
        while (found := store.claim(worker)) is not None:
            claimed.append(found.arn)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(f"arn:solution/{number}" for number in range(40))


def test_a_killed_process_leaves_what_it_committed(tmp_path):
    script = """
import os, signal, sys
from pathlib import Path
from personalize_nb.local.state.store import Store
store = Store(Path(sys.argv[1]))
store.create("schema", "arn:kept", "kept", {})
with store.transaction():
    store.create("schema", "arn:lost", "lost", {})
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "state.sqlite")], check=False)
    store = Store(tmp_path / "state.sqlite")
    assert store.get("arn:kept") is not None
    assert store.get("arn:lost") is None
    store.close()
