"""The tests for AWS are run on the embedded service, so that they are known to work before somebody pays for them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(tmp_path, **variables):
    """Run them as their README says, and return what is printed and the report."""
    report = tmp_path / "report.md"
    environment = os.environ | variables | {"PERSONALIZE_NB_TEST_AWS_REPORT": str(report)}
    asked = [sys.executable, "-m", "pytest", "tests/aws", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}"]
    done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, report.read_text(encoding="utf-8") if report.exists() else ""


def test_all_of_them_hold_on_the_embedded_service(tmp_path):
    code, told, report = run(tmp_path, PERSONALIZE_NB_TEST_AWS="local")
    assert code == 0 and "skipped" not in told, told
    for question in ("12. status words", "16. what Describe says", "19. order of", "2, 3. a name that is taken"):
        assert question in report
    assert "123456789012" not in report  # an account's number is nobody's business


@pytest.mark.parametrize("value", ["", "yes"])
def test_they_are_skipped_and_say_why_unless_asked_for(tmp_path, value):
    code, told, report = run(tmp_path, PERSONALIZE_NB_TEST_AWS=value)
    assert code == 0 and "passed" not in told and not report
    assert "PERSONALIZE_NB_TEST_AWS=1 runs it on AWS, which costs money" in told
