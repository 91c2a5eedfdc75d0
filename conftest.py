"""A clean environment for every test and docstring example, and one local service that all of them share."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import reading_world

from personalize_nb import local
from personalize_nb.samples.bundled import books
from personalize_nb.session import session as sessions
from personalize_nb.session.session import Session
from personalize_nb.training.train import train

# The same examples in every run, however slow the machine is: a run that fails, fails again.
hypothesis.settings.register_profile(
    "steady",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")

# No tests and no examples: helpers of the tests, and programs that they start beside them.
collect_ignore = ["tests/support", "tests/local/clients"]

# The files that take longest, in the order in which they begin, so that both processes of `make test` end together.
# Nothing is trained beside the quickstart, which compiles the recipes. Kernels, and services that come back to their
# address, begin while few other tests take ports.
LONGEST = (
    "test_quickstart",
    "test_headless",
    "test_notebooks",
    "test_crash",
    "test_service",
    "test_movielens",
    "test_other_clients",
    "test_batch_formats",
    "test_aws_cli",
)


def pytest_collection_modifyitems(items):
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory):
    """Hide the machine's own AWS settings, proxies, backend choice and IPython from the tests and their processes."""
    nowhere = str(tmp_path_factory.mktemp("aws") / "absent")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("AWS_", "PERSONALIZE_NB_")) or name.upper().endswith("_PROXY"):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", nowhere)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        # kernels of two processes of pytest would share a history otherwise
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield


@pytest.fixture(scope="session")
def local_service(clean_environment, tmp_path_factory):
    """Give the `ServiceInfo` of a running service; tests use names of their own in it."""
    path = tmp_path_factory.mktemp("service")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONALIZE_NB_QUOTAS", "dataset_group=50")  # so many modules share it
        service = local.start(path, idle_seconds=3600)  # on a busy machine it is not asked for many minutes
    yield service
    local.stop(path)


@pytest.fixture(scope="session")
def session(local_service):
    """Give the toolkit's session on the shared service."""
    return Session.local(local_service.path)


@pytest.fixture(scope="session")
def readers_model(session):
    """Give a User-Personalization solution version of the reading world."""
    frames = reading_world.interactions(), reading_world.items()
    return train(*frames, name="reading", progress=False, session=session)


@pytest.fixture(scope="session")
def books_model(session):
    """Give a Similar-Items solution version of the reading world."""
    frames = reading_world.interactions(), reading_world.items()
    return train(*frames, name="reading", recipe="aws-similar-items", progress=False, session=session)


# What an example in a docstring calls where it needs a service; the others run without one.
ASKS_A_SERVICE = re.compile(r"pnb\.(connect|create_role|JobForm|preflight|recommend|train|watch)\(")


@pytest.fixture(scope="session")
def session_of_the_examples(clean_environment, tmp_path_factory) -> Iterator[Session]:
    """Give a service of their own to the examples in docstrings, with the model `books` of the bundled sample."""
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
        monkeypatch.setattr(sessions, "_current", request.getfixturevalue("session_of_the_examples"))


@pytest.fixture(scope="session")
def real_movielens():
    """Give the ml-latest-small folder, beside the repository or where `MOVIELENS` points; skip where there is none."""
    beside = Path(__file__).resolve().parents[1] / "shared" / "data" / "ml-latest-small"
    folder = Path(os.environ.get("MOVIELENS", beside))
    if not folder.exists():
        pytest.skip("the MovieLens folder is not on this machine")
    return folder
