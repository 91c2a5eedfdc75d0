"""Work that is killed before any one of its writes is done once: rows, counts, models and outputs as of a whole run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fault_points
import pytest

# work on rows that are there, where a second run on the output of the first would show
QUICK = ("import-items-incremental", "delete")


@pytest.fixture
def differing(tmp_path):
    """Kill the work of some cases at every point; return what differs from work that was never killed."""
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")

    def run(*cases, kills=1):
        program = Path(fault_points.__file__)
        search = os.pathsep.join([str(program.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [sys.executable, str(program), str(tmp_path), str(kills), *cases]
        ended = subprocess.run(command, env=os.environ | {"PYTHONPATH": search}, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        found = json.loads(ended.stdout)
        for case in cases:
            # at the least: it begins, it ends, and it leaves the queue
            assert len(found[case]["writes"]) >= 3
        return {case: found[case]["wrong"] for case in cases if found[case]["wrong"]}

    return run


def test_rows_are_replaced_and_counted_once_however_a_job_is_killed(differing):
    assert differing(*QUICK) == {}


@pytest.mark.torture
@pytest.mark.parametrize("kills", [1, 2])
@pytest.mark.parametrize("case", fault_points.CASES)
def test_every_kind_of_work_outlives_a_kill_before_each_of_its_writes(differing, case, kills):
    assert differing(case, kills=kills) == {}
