"""The call that makes a session again names where it works, and nothing that a shared notebook masks."""

from __future__ import annotations

from pathlib import Path

import pytest

from personalize_nb.session import reconnecting
from personalize_nb.session.session import Session
from personalize_nb.text.redact import redact


def test_a_local_session_is_found_by_its_folder(session, monkeypatch):
    folder = session._service.path
    assert reconnecting.call(session) == f"pnb.connect(pnb.Session.local({str(folder)!r}))"
    monkeypatch.setenv("HOME", str(Path(folder).parent))
    assert reconnecting.call(session) == f"pnb.connect(pnb.Session.local('~/{Path(folder).name}'))"
    monkeypatch.setenv("PERSONALIZE_NB_PATH", str(folder))
    assert reconnecting.call(session) == "pnb.connect(pnb.Session.local())"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "'eu-west-1'"),
        ({"profile": "team"}, "'eu-west-1', profile='team'"),
        ({"prefix": "mine"}, "'eu-west-1', prefix='mine'"),
        ({"bucket": "films-raw", "role_arn": "arn:aws:iam::123456789012:role/R"}, "'eu-west-1'"),
    ],
)
def test_a_session_on_aws_is_found_by_region_and_profile(options, told, tmp_path, monkeypatch):
    config = tmp_path / "config"
    config.write_text("[profile team]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    call = reconnecting.call(Session.aws("eu-west-1", **options))
    assert call == f"pnb.connect(pnb.Session.aws({told}))" == redact(call)
