"""A service without file descriptors: what it cannot read is not gone, and it goes on when there are some again."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from personalize_nb import local
from personalize_nb.errors import LocalServiceError

# opens files until there are no more, then looks at the record
LOOK = """
import resource, sys
from pathlib import Path
from personalize_nb.errors import LocalServiceError
from personalize_nb.local.process.discovery import read_record

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(open(sys.argv[1]))
except OSError:
    pass
try:
    print(read_record(Path(sys.argv[1]).parent))
except LocalServiceError as error:
    print("refused:", error)
"""


@pytest.fixture
def folder(tmp_path):
    """A folder whose service is stopped afterwards."""
    path = tmp_path / "service"
    yield path
    local.stop(path)


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="this system sets no limits of other processes")
def test_a_service_without_file_descriptors_stays_and_serves_again(folder, client, until):
    info = local.start(folder)
    process = psutil.Process(info.pid)
    limits = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (3, limits[1]))
    log = folder / "service.log"
    # no more than it holds: three are open in every process
    # two looks, each of which would have ended it
    until(lambda: log.read_text().count("no reason to end") > 1 or not process.is_running(), "the look at the record")
    process.rlimit(psutil.RLIMIT_NOFILE, limits)
    assert client("s3", info).list_buckets()["Buckets"][0]["Name"] == info.bucket
    assert local.attach(folder).pid == info.pid


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="this system sets no limits of other processes")
def test_a_record_that_cannot_be_opened_is_not_missing(tmp_path):
    (tmp_path / "service.json").write_text("{}")
    look = [sys.executable, "-c", LOOK, str(tmp_path / "service.json")]
    told = subprocess.run(look, capture_output=True, text=True, check=True).stdout
    assert told.startswith("refused:") and "Too many open files" in told and "close some files" in told


def test_a_record_that_is_a_folder_is_refused(tmp_path):
    (tmp_path / "service.json").mkdir()
    with pytest.raises(LocalServiceError, match=r"service\.json.*cannot be read"):
        local.attach(tmp_path)
