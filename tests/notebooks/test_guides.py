"""The code of every guide runs, in its order, and prints what the guide says that it prints."""

import contextlib
import doctest
import io
import re
from pathlib import Path

import pytest

from personalize_nb.session import connection

GUIDES = sorted((Path(__file__).parents[2] / "notebooks" / "guides").glob("*.md"))
_BLOCKS = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_code_of_a_guide_prints_what_the_guide_says(guide, local_service, monkeypatch, tmp_path):
    """What is written for AWS goes to AWS's endpoint, which here is the embedded service's."""
    for name, value in local_service.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PERSONALIZE_NB_PATH", str(local_service.path))
    monkeypatch.setattr(connection, "_current", None)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    printed, ran = "", 0
    for language, text in _BLOCKS.findall(guide.read_text(encoding="utf-8")):
        if language == "text":
            assert doctest.OutputChecker().check_output(text, printed, doctest.NORMALIZE_WHITESPACE), printed
            continue
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
            exec(compile(text, str(guide), "exec"), names)  # guides are the repository's own
        printed, ran = out.getvalue(), ran + 1
    assert ran >= 3
    assert len(guide.read_text(encoding="utf-8").split()) < 700, "guides are short"


def test_there_are_the_guides_that_newcomers_ask_for():
    assert {path.stem for path in GUIDES} >= {"first_job_on_aws", "sharing", "scaling", "recipes", "themes"}
