"""One local service that all tests share, the order in which they run, and what examples in docstrings need."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import dask_cluster
import examples
import hypothesis
import pytest
import reading_world
from xdist.scheduler import LoadFileScheduling

from personalize_nb import local
from personalize_nb.session.session import Session
from personalize_nb.training.train import train

pytest.register_assert_rewrite("promised")

# jsonschema, which nbformat loads, makes 38 parsers of a grammar of addresses, seconds in each process: no format of
# notebooks asks for one, and jsonschema does without where there is none.
sys.modules.setdefault("rfc3987_syntax", None)

# The same examples in every run, however slow the machine is: a run that fails, fails again. As they are the same, few
# are enough; `make torture` searches on, with new ones.
EASY = {"database": None, "deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("steady", derandomize=True, max_examples=50, **EASY)
hypothesis.settings.register_profile("thorough", max_examples=500, print_blob=True, **EASY)
hypothesis.settings.load_profile("steady")

# No tests and no examples: helpers of the tests, and programs that they start beside them.
collect_ignore = ["support", "local/clients"]

# The files that take longest, in the order in which they begin, so that the processes of `make test` end together.
# Nothing is trained beside the quickstart, which compiles the recipes: other clients train last. Kernels, and services
# that come back to their address, begin while few other tests take ports.
LONGEST = (
    "test_quickstart",
    "test_headless",
    "test_other_clients",
    "test_notebooks",
    "test_crash",
    "test_service",
    "test_movielens",
    "test_batch_formats",
    "test_aws_cli",
)

# What takes seconds to make is made by one of the processes: the service of the examples, and the cluster.
TOGETHER = {
    "personalize_nb/": "examples",
    "tests/distributed/": "cluster",
    "tests/local/tasks/test_spread.py": "cluster",
}


class ByWorld(LoadFileScheduling):
    """Give a process whole files, and all of the files that share what takes long to make."""

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        return next((world for start, world in TOGETHER.items() if file.startswith(start)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByWorld(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure(config):
    config.pluginmanager.register(examples)


def pytest_addoption(parser):
    parser.addoption("--torture", action="store_true", help="the tests that `make torture` runs, and no others")
    parser.addoption("--write-matrix", action="store_true", help="write the table of personalize_nb/access/README.md")


def pytest_collection_modifyitems(config, items):
    chosen = config.getoption("--torture")
    config.hook.pytest_deselected(items=[item for item in items if bool(item.get_closest_marker("torture")) != chosen])
    items[:] = [item for item in items if bool(item.get_closest_marker("torture")) == chosen]
    place = {name: number for number, name in enumerate(LONGEST)}
    # the examples go to one process together: the earlier it has them, the less the others wait at the end
    items.sort(key=lambda item: place.get(item.path.stem, len(place) + (not isinstance(item, pytest.DoctestItem))))


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


@pytest.fixture(scope="session")
def affinity_model(session):
    """Give an Item-Affinity solution version of the reading world, which segment jobs take."""
    frames = reading_world.interactions(), reading_world.items()
    return train(*frames, name="segments", recipe="aws-item-affinity", progress=False, session=session)


@pytest.fixture(scope="session")
def attributes_model(session):
    """Give an Item-Attribute-Affinity solution version of the reading world, which segment jobs take."""
    frames = reading_world.interactions(), reading_world.items()
    return train(*frames, name="segments", recipe="aws-item-attribute-affinity", progress=False, session=session)


@pytest.fixture(scope="session")
def real_movielens():
    """Give the ml-latest-small folder, beside the repository or where `MOVIELENS` points; skip where there is none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "ml-latest-small"
    folder = Path(os.environ.get("MOVIELENS", beside))
    if not folder.exists():
        pytest.skip("the MovieLens folder is not on this machine")
    return folder


@pytest.fixture(scope="session")
def dask_client():
    """Give a client of a cluster with two worker processes; skip where Dask is not installed."""
    pytest.importorskip("distributed", reason="Dask, the extra `distributed`, is not on this machine")
    pytest.importorskip("dask.dataframe", reason="Dask, the extra `distributed`, is not on this machine")
    with dask_cluster.running() as client:
        yield client
