"""What the READMEs and their like promise: links lead somewhere, files that are named are there, a page is a page."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
PAPERS = LISTED.split()


@pytest.mark.parametrize("paper", PAPERS)
def test_links_lead_to_files(paper):
    path = ROOT / paper
    targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_first_readme_is_a_page():
    assert len((ROOT / "README.md").read_bytes()) <= 9_000


def test_each_of_the_twelve_changes_names_files_that_are_there():
    rows = re.findall(
        r"^\| (\d+) \| .* \| (.*) \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [int(number) for number, _ in rows] == list(range(1, 13))
    folder = ROOT / "personalize_nb"
    for _, cell in rows:
        beside = folder
        for name in re.findall(r"`([\w/.]+\.\w+|[\w/]+/)`", cell):
            path = next((path for path in (folder / name, beside / name, ROOT / name) if path.exists()), None)
            assert path is not None, name
            beside = path.parent
