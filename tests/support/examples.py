"""What tests and the examples in docstrings have in common: a clean environment, and for examples a place to work in.

The examples lie in the package, outside of `tests`, where a fixture of its `conftest` would not reach them: so that
file registers this one as a plugin.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import botocore.session
import pytest

from personalize_nb import local
from personalize_nb.samples.bundled import books
from personalize_nb.session import aws_settings, connection
from personalize_nb.session.session import Session
from personalize_nb.training.train import train

# What an example in a docstring calls where it needs a service; the others run without one.
ASKS_A_SERVICE = re.compile(r"pnb\.(connect|create_role|estimate_cost|JobForm|preflight|recommend|train|watch)\(")


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
def session_of_the_examples(clean_environment, tmp_path_factory) -> Iterator[Session]:
    """Give the examples a service of their own, with the model `books` of the bundled sample."""
    path = tmp_path_factory.mktemp("examples")
    session = Session.local(path)
    sample = books()
    train(sample.interactions, sample.items, name="books", progress=False, session=session)
    yield session
    local.stop(path)


@pytest.fixture(autouse=True)
def place_of_an_example(request, monkeypatch, tmp_path):
    """Let an example in a docstring work in an empty folder, and connected where it asks a service."""
    if not isinstance(request.node, pytest.DoctestItem):
        return
    monkeypatch.chdir(tmp_path)
    if ASKS_A_SERVICE.search(request.node.dtest.docstring):
        monkeypatch.setattr(connection, "_current", request.getfixturevalue("session_of_the_examples"))
