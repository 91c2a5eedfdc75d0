"""What `make release-check` holds, as far as it costs nothing: the version, the changelog, the licences."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / ".ci" / "release"))
import check
import licences

sys.path.pop(0)


def test_the_version_has_an_entry_in_the_changelog():
    assert check.check_version().startswith(f"{check.version()}, with an entry")


@pytest.mark.parametrize(
    ("source", "changes", "told"),
    [
        ("0.2", "", "no entry '## [0.2] - YYYY-MM-DD'"),
        ("0.2", "## [0.2]\n- A line.\n", "no entry"),  # without its date
        ("0.2", "## [0.2] - 2026-11-26\n\n## [0.1] - 2026-11-01\n- A line.\n", "no entry"),  # nothing in it
        ("0.2.final", "", "no version"),
        ("v0.2", "## [v0.2] - 2026-11-26\n- A line.\n", "spelt '0.2'"),
    ],
)
def test_what_is_no_release_is_told(source, changes, told, tmp_path, monkeypatch):
    (tmp_path / "personalize_nb").mkdir()
    (tmp_path / "personalize_nb" / "__init__.py").write_text(f'__version__ = "{source}"\n')
    (tmp_path / "CHANGELOG.md").write_text(changes)
    monkeypatch.setattr(check, "ROOT", tmp_path)
    with pytest.raises(check.Wrong) as wrong:
        check.check_version()
    assert told in str(wrong.value)


def test_lines_without_a_version_are_noted(tmp_path, monkeypatch):
    (tmp_path / "personalize_nb").mkdir()
    (tmp_path / "personalize_nb" / "__init__.py").write_text('__version__ = "0.2"\n')
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n- More.\n\n## [0.2] - 2026-11-26\n\n- A line.\n")
    monkeypatch.setattr(check, "ROOT", tmp_path)
    assert "1 lines are Unreleased" in check.check_version()


def test_the_licence_of_all_that_is_installed_with_the_package_is_fine():
    rows = licences.licences(licences.dependencies("personalize-nb"))
    assert {"boto3", "botocore", "pandas", "jupyterlab", "matplotlib"} <= {one.name for one in rows}
    assert [one for one in rows if not one.fine] == []


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("MIT", "MIT"),
        ("BSD-3-Clause AND MIT", "BSD, MIT"),
        ("GPL-3.0-only OR MIT", "MIT"),
        ("(GPL-3.0-only OR Apache-2.0)", "Apache-2.0"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("GPL-3.0-only", ""),
        ("MIT AND AGPL-3.0-or-later", ""),
        ("LGPL-2.1-or-later", ""),
        ("MIT-ish", ""),
        ("Proprietary", ""),
        ("", ""),
    ],
)
def test_which_licences_are_fine(text, fine):
    assert licences.fine(text) == fine
