"""What tests and the examples in docstrings have in common: a clean environment, and for examples a place to work in.

The examples lie in the package, outside of `tests`, where a fixture of its `conftest` would not reach them: so that
file registers this one as a plugin.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from IPython.core import display_functions

from personalize_nb import local
from personalize_nb.jobs.queue import wait
from personalize_nb.jobs.recommend import recommend, themes
from personalize_nb.jobs.segments import segments
from personalize_nb.resources.filters import create_filter
from personalize_nb.samples.bundled import books
from personalize_nb.session import aws_settings, connection
from personalize_nb.session.session import Session
from personalize_nb.training.train import train

# What an example in a docstring calls where it needs a service; the others run without one.
ASKS_A_SERVICE = re.compile(
    r"pnb\.(allow_personalize|attach|connect|create_\w+|delete_\w+|distributed\.\w+|estimate_cost|find_\w+|JobForm|list_\w+|"
    r"preflight|recommend|refresh_receipts|segments|show_job|standing_costs|start|themes|train|wait|watch)\("
)


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory):
    """Hide the machine's own AWS settings, proxies, backend choice and IPython from the tests and their processes."""
    nowhere = str(tmp_path_factory.mktemp("aws") / "absent")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("AWS_", "PERSONALIZE_NB_", "JUPYTERHUB_")) or name.upper().endswith("_PROXY"):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", nowhere)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        # every session of boto3 would read the models of its services again: many times the work of a test
        patch.setattr(botocore.session, "create_loader", lambda path=None: aws_settings._models())
        # kernels of two processes of pytest would share a history otherwise
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield


@pytest.fixture(scope="session")
def session_of_the_examples(clean_environment, tmp_path_factory) -> Iterator[tuple[Session, Path]]:
    """Give the examples a service of their own, and work that has ended, which they find by name.

    A job takes a second and a training more: examples of what reads attach to `weekly`, `shelves` and `audience`.
    """
    path = tmp_path_factory.mktemp("examples")
    session = Session.local(path)
    quiet: dict[str, Any] = {"progress": False, "session": session}
    sample, few = books(), books(readers=100)
    train(sample.interactions, sample.items, name="books", **quiet)
    train(few.interactions, few.items, name="shelves", recipe="aws-similar-items", **quiet)
    train(few.interactions, few.items, name="audience", recipe="aws-item-affinity", **quiet)
    create_filter("unread", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")', "books", **quiet)
    readers = ["r01349", "r00469"]
    started = [
        recommend(readers, "books", num_results=2, job_name="weekly", session=session),
        recommend(readers, "books", filter=[None, "unread"], num_results=2, job_name="side-by-side", session=session),
        themes(["b0102", "b0103"], "shelves", num_results=12, job_name="shelves", session=session),
        segments(["b0001"], "audience", num_results=3, job_name="audience", session=session),
    ]
    wait(started, **quiet)
    yield session, path
    local.stop(path)


@pytest.fixture(autouse=True)
def place_of_an_example(request, monkeypatch, tmp_path):
    """Let an example in a docstring work in an empty folder, and connected where it asks a service.

    What it shows is printed as its text, as a notebook has it where nothing else can be shown.
    """
    if not isinstance(request.node, pytest.DoctestItem):
        return
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(display_functions, "print", lambda shown: print(shown["text/plain"]), raising=False)
    if "pnb.distributed." in request.node.dtest.docstring:
        pytest.importorskip("dask.dataframe", reason="Dask, the extra `distributed`, is not on this machine")
    if ASKS_A_SERVICE.search(request.node.dtest.docstring):
        session, path = request.getfixturevalue("session_of_the_examples")
        monkeypatch.setattr(connection, "_current", session)
        monkeypatch.setenv("PERSONALIZE_NB_PATH", str(path))
