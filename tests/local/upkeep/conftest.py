"""The folder that is looked through, mended, kept and emptied: made once, copied for each test."""

from __future__ import annotations

import kept_state as kept
import pytest


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give a folder with something of everything, and the ARN of its solution version."""
    root = tmp_path_factory.mktemp("upkeep") / "service"
    return root, kept.fill(root)


@pytest.fixture
def folder(made, tmp_path):
    return kept.copy(made[0], tmp_path / "service")
