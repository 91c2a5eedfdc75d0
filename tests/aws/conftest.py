"""Where the tests of parity run: on AWS, on the embedded service, or not at all, as one variable says."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import parity_findings
import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb import local
from personalize_nb.session import s3
from personalize_nb.session.session import Session

SWITCH = "PERSONALIZE_NB_TEST_AWS"
REPORT = "PERSONALIZE_NB_TEST_AWS_REPORT"
ON_AWS, LOCAL = "1", "local"
GIVEN = dict(os.environ)  # before the tests hide what the machine is set to
WHERE = GIVEN.get(SWITCH, "")
FOUND = parity_findings.Findings()


def pytest_collection_modifyitems(items):
    if WHERE in (ON_AWS, LOCAL):
        return
    reason = (
        f"{SWITCH}=1 runs it on AWS, which costs money, {SWITCH}=local on the embedded service: tests/aws/README.md"
    )
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter):
    if FOUND.rows:
        terminalreporter.write_sep("=", "what AWS leaves open" if WHERE == ON_AWS else "what the embedded service does")
        terminalreporter.write_line(FOUND.text())
        if path := GIVEN.get(REPORT):
            Path(path).write_text(FOUND.text() + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def findings():
    """Give the list of what was found where AWS's documentation says nothing."""
    return FOUND


@pytest.fixture(scope="session")
def session(clean_environment, tmp_path_factory):
    """Give the session, all whose objects lie below a prefix of this run's own; they are deleted at the end."""
    run = f"pnb-parity-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    if WHERE == LOCAL:
        path = tmp_path_factory.mktemp("parity")
        service = local.start(path, idle_seconds=3600)
        yield Session.local(service.path)
        local.stop(path)
        return
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"):
            patch.delenv(name, raising=False)
        for name, value in GIVEN.items():
            if name.startswith(("AWS_", "PERSONALIZE_NB_")) or name.upper().endswith("_PROXY"):
                patch.setenv(name, value)
        found = Session.aws(prefix=run)
        found.location(), found.role()  # a run without a bucket or role ends before it costs anything
        yield found
        left = [one.address for one in s3.stored(found, found.location() + "/")]
        s3.delete(found, left)


@pytest.fixture(scope="session")
def group(session):
    """Give the name of all that is made; it is deleted at the end, also when a test fails."""
    name = f"pnb-parity-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    yield name
    for one in pnb.list_dataset_groups(session)["name"]:
        if one.startswith(name):
            pnb.delete_dataset_group(one, session=session)


@pytest.fixture(scope="session")
def models(session, group):
    """Give a model of each recipe, trained side by side."""
    frames = reading_world.interactions(), reading_world.items()
    recipes = ("aws-user-personalization", "aws-similar-items", "aws-item-affinity")
    begun = {
        recipe: pnb.train(*frames, name=group, recipe=recipe, wait=False, progress=False, session=session)
        for recipe in recipes
    }
    return {recipe: model.wait(progress=False) for recipe, model in begun.items()}
