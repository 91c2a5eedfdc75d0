"""The make targets that a newcomer meets: told what happens, and what the demo trained is there in Lab."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def planned():
    """Give the commands that a target would run."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not on this machine")

    def plan(*options):
        asked = [make, "--dry-run", "--no-print-directory", *options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        return subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    return plan


def test_demo_and_lab_share_a_service(planned):
    demo, lab = planned("demo"), planned("lab")
    folder = re.search(r"--local (\S+)", demo)[1]
    assert f'PERSONALIZE_NB_PATH="${{PERSONALIZE_NB_PATH:-{ROOT / folder}}}"' in lab
    assert "personalize-nb demo" in demo
    assert "make lab" in demo.splitlines()[-1]


def test_processes_share_their_byte_code_whatever_the_machine_says():
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not on this machine")
    rule = "shown: ; @$(PYTHON) -c 'import sys; print(sys.dont_write_bytecode)'"
    asked = [make, "--no-print-directory", f"PYTHON={sys.executable}", "--eval", rule, "shown"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    told = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert told == "False\n"


def test_the_installation_says_what_it_does_before_it_does_it(planned, tmp_path):
    told, *commands = planned("demo", f"VENV={tmp_path / 'new'}").splitlines()
    assert "Installing" in told and "minutes" in told
    assert "pip install" in "\n".join(commands)


def test_notebooks_are_run_on_a_new_service(planned):
    commands = planned("notebooks")
    assert commands.index("rm -rf build/fresh") < commands.index("--local build/fresh")


def test_lint_asks_for_style_types_and_spelling(planned):
    tools = [command.split()[0].rpartition("/")[2] for command in planned("lint").splitlines() if "bin/" in command]
    assert tools[-4:] == ["ruff", "ruff", "mypy", "typos"]


def test_what_runs_unattended_checks_both():
    commands = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert commands.index("make lint") < commands.index("make test")


def test_the_oldest_releases_have_a_venv_of_their_own(planned):
    commands = planned("test-oldest")
    assert "--resolution lowest-direct" in commands and ".venv/bin" not in commands
    for folder in re.search(r"(tests/\S+ ?)+$", commands.strip())[0].split():
        assert (ROOT / folder).exists()


def test_torture_runs_what_the_tests_leave_out(planned):
    assert "--torture" in planned("torture")
    assert "--torture" not in planned("test")


def test_documentation_and_releases_install_what_they_need(planned, tmp_path):
    for target, extra, program in (
        ("docs", ".[docs]", ".ci/docs/build.py build/docs"),
        ("release-check", ".[release]", ".ci/release/check.py build/release"),
    ):
        commands = planned(target, f"VENV={tmp_path / 'new'}")
        assert commands.index(extra) < commands.index(program)
        assert (ROOT / program.split()[0]).exists()
