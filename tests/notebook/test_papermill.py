"""papermill itself runs a notebook of ours with parameters, and what it leaves is masked, runs again, and is told."""

import os
import subprocess
import sys

import nbformat
import pytest

import personalize_nb as pnb
from personalize_nb.notebook import headless

pytest.importorskip("papermill", reason="papermill is not on this machine")

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CELLS = (
    "people, shelf = 2, 'sea'",
    "import personalize_nb as pnb\nsession = pnb.connect()\npnb.users([f'r{number}' for number in range(people)])",
    "print(shelf, session.arn('filter', shelf))",
    "if people > 5: raise ValueError('too many')",
)


@pytest.fixture
def notebook(tmp_path):
    cells = [nbformat.v4.new_code_cell(one) for one in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), tmp_path / "given.ipynb")
    return tmp_path / "given.ipynb"


@pytest.fixture
def papermill(notebook, local_service):
    """Run it as a scheduler does; gives the exit code and what it left."""
    own = {"PERSONALIZE_NB_BACKEND": "local", "PERSONALIZE_NB_PATH": str(local_service.path)}

    def run(*parameters):
        out = notebook.with_name("out.ipynb")
        command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(notebook), str(out), *parameters]
        code = subprocess.run(command, env=os.environ | own, capture_output=True, timeout=300).returncode
        return code, out

    return run


def _shown(cell):
    return "".join("".join(one.get("text") or one.get("data", {}).get("text/plain", "")) for one in cell.outputs)


def test_parameters_go_in_and_survive_masking(papermill, session, local_service, monkeypatch):
    code, out = papermill("-p", "people", "3", "-r", "shelf", "0042")
    assert code == 0
    pnb.redact_notebook(out)
    left = nbformat.read(out, 4)
    injected = next(cell for cell in left.cells if "injected-parameters" in cell.metadata.get("tags", []))
    assert "people = 3" in injected.source and 'shelf = "0042"' in injected.source
    assert left.metadata.papermill["parameters"] == {"people": 3, "shelf": "0042"}
    assert "3 users" in _shown(left.cells[2]) and _shown(left.cells[3]).startswith("0042 arn:aws:")
    assert session.account not in out.read_text() and str(local_service.path) not in out.read_text()
    monkeypatch.setenv("PERSONALIZE_NB_BACKEND", "local")
    monkeypatch.setenv("PERSONALIZE_NB_PATH", str(local_service.path))
    again = headless.execute(out, out.with_name("again.ipynb"), parameters={"people": 4})
    assert "4 users" in "".join(map(_shown, (cell for cell in nbformat.read(again, 4).cells if "outputs" in cell)))


def test_a_cell_that_fails_is_an_exit_code(papermill):
    code, out = papermill("-p", "people", "9")
    assert code == 1 and "too many" in out.read_text()
