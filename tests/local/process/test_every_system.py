"""The toolkit and its service where POSIX's names are absent, in every process of theirs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from personalize_nb import local
from personalize_nb.local.state import platform

# `os.O_*` too: `open` has words for what they say
POSIX = re.compile(
    r"\b(os\.(fork|setsid|get[ef]?[ug]id|nice|umask|f?chmod|f?chown|link|copy_file_range|sched_\w+|killpg|O_\w+|wait\w+)"
    r"|signal\.SIG(KILL|HUP|CHLD)|pass_fds|prctl|import (fcntl|resource|pwd|grp|select))\b"
)
ELSEWHERE = Path(__file__).resolve().parents[2] / "support" / "elsewhere"


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    local.stop(tmp_path / "service")


def gone(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_service_is_started_and_used_and_stopped(folder, until):
    visited = folder / "visited"
    visited.mkdir()
    environment = os.environ | {"PYTHONPATH": str(ELSEWHERE), "ELSEWHERE": str(visited)}
    visit = subprocess.run(
        [sys.executable, str(ELSEWHERE / "visit.py"), str(folder)], env=environment, capture_output=True, text=True
    )
    assert visit.returncode == 0, visit.stderr
    seen = json.loads(visit.stdout)
    assert seen["items"] == ["b", "a"]
    assert seen["body"] == '{"userId":"u1"}\n{"userId":"u2"}\n'
    assert seen["group"].endswith("dataset-group/books")
    assert seen["again"] == seen["pid"]

    # it outlives its starter, and a new group has called a worker
    service = psutil.Process(seen["pid"])
    (worker,) = until(service.children, "the worker")
    until(lambda: (visited / str(worker.pid)).exists(), "the worker's first step")
    assert (visited / str(service.pid)).exists()
    assert local.attach(folder / "service").pid == service.pid

    stop = [sys.executable, "-m", "personalize_nb.local", "--path", str(folder / "service"), "--stop"]
    stopped = subprocess.run(stop, env=environment, capture_output=True, text=True)
    assert stopped.stdout == "stopped\n", stopped.stderr
    until(lambda: gone(service) and gone(worker), "the end of both")
    assert "Traceback" not in (folder / "service" / "service.log").read_text()


def test_a_service_that_cannot_start_says_why(folder):
    (folder / "service").mkdir()
    (folder / "service" / "state.sqlite").write_text("this is not a database, and it is long enough to tell")
    program = f"from personalize_nb import local; local.start({str(folder / 'service')!r})"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ELSEWHERE)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode and "did not start: The local service's file" in ended.stderr
    assert "state.sqlite' is damaged" in ended.stderr and "not a database" in ended.stderr


def test_names_that_not_every_system_has_stand_in_one_file():
    package = Path(local.__file__).parents[1]
    using = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if POSIX.search(path.read_text())}
    assert using == {Path(platform.__file__).relative_to(package).as_posix()}
