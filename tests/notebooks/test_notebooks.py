"""Every notebook runs headless on the embedded service, and the committed copies are executed, masked and light."""

import json
import re
from pathlib import Path

import pytest

from personalize_nb.notebook import headless
from personalize_nb.text.redact import redact

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
_NUMBER = re.compile(r"-?\b\d+\.\d+(?:e-\d+)?\b")


def _cells(path, kind):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def _plain_outputs(path):
    """What the code cells show as text, without job names and times, which are new in every run."""
    shown = []
    for cell in _cells(path, "code"):
        for output in cell["outputs"]:
            text = "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))
            shown.append(re.sub(r"-\d{8}-\d{6}-[0-9a-f]{4}|ACTIVE after \d+ (?:s|min|h)(?: \d+ min)?", "*", text))
    return shown


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request, tmp_path_factory, clean_environment):
    """A fresh run of a notebook on a service of its own."""
    from personalize_nb import local

    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONALIZE_NB_BACKEND", "local")
        patch.setenv("PERSONALIZE_NB_PATH", str(folder / "service"))
        yield request.param, headless.execute(request.param, folder / request.param.name)
    local.stop(folder / "service")


def _words(text):
    return _NUMBER.sub("#", text).split()


def _numbers(text):
    return [float(number) for number in _NUMBER.findall(text)]


def test_same_results_as_the_committed_copy(executed):
    committed, fresh = map(_plain_outputs, executed)
    assert list(map(_words, fresh)) == list(map(_words, committed))
    for text, expected in zip(fresh, committed, strict=True):
        assert _numbers(text) == pytest.approx(_numbers(expected), rel=0.01, abs=0.001), expected


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_copy_is_fit_for_sharing(path):
    text = path.read_text()
    notebook = json.loads(text)
    assert "widgets" not in notebook["metadata"]
    assert "widget-view" not in text
    assert redact(text) == text
    assert len(text) < 150_000
    assert all(cell["outputs"] for cell in _cells(path, "code"))


def test_quickstart_is_short():
    users_to_frame = _cells(NOTEBOOKS[0], "code")[1]["source"]
    assert len("".join(users_to_frame).splitlines()) <= 6
