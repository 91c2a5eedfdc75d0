"""S3 as its clients know it: one list of what is promised, by operation and condition, run row by row.

The list grows; it falls only on purpose, since its length stands in the service's README.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import promised
import pytest
import wire
from promises import ROWS, World

import personalize_nb.local
from personalize_nb.local.s3.handler import OPERATIONS, s3_handler
from personalize_nb.local.s3.store import ObjectStore

for subject in pkgutil.iter_modules(promised.__path__, "promised."):
    importlib.import_module(subject.name)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    store = ObjectStore(tmp_path_factory.mktemp("conformance") / "objects")
    with wire.serving({"s3": s3_handler(store, wire.REGION, wire.ACCOUNT)}) as endpoint:
        yield endpoint
    store.close()


@pytest.fixture(scope="module")
def client(endpoint):
    client = wire.make_client("s3", endpoint)
    yield client
    client.close()


@pytest.fixture
def world(endpoint, client):
    world = World(endpoint, client)
    yield world
    if world.s3 is not client:
        world.s3.close()


@pytest.mark.parametrize("promise", ROWS, ids=lambda row: f"{row.operation}: {row.condition}")
def test_promise(world, promise):
    promise.check(world)


def test_the_readme_has_the_length_of_the_list():
    readme = (Path(personalize_nb.local.__file__).parent / "README.md").read_text()
    (told,) = re.findall(r"(\d+) conditions of (\d+) operations", readme)
    assert told == (str(len(ROWS)), str(len({row.operation for row in ROWS})))


def test_every_operation_of_the_service_has_a_row():
    assert not OPERATIONS.keys() - {row.operation for row in ROWS}
