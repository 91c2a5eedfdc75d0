"""A headless run shows what the cells show, saves the notebook masked, and says where it failed."""

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from personalize_nb import headless


def _notebook(path, *sources):
    cells = [nbformat.v4.new_markdown_cell("# Title"), *map(nbformat.v4.new_code_cell, sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_outputs_are_shown_and_saved_masked(tmp_path):
    source = _notebook(tmp_path / "n.ipynb", "print('s3://films-raw/x')", "6 * 7")
    shown = []

    saved = headless.execute(source, tmp_path / "out" / "n.ipynb", shown.append)

    assert shown == ["# Title", "s3://************/x", "42"]
    assert "films-raw" not in saved.read_text()
    assert "outputs" in saved.read_text() and "42" in saved.read_text()
    assert "films-raw" in source.read_text()


def test_failing_cell_raises_and_is_saved(tmp_path):
    source = _notebook(tmp_path / "n.ipynb", "raise LookupError('no such film')")

    with pytest.raises(CellExecutionError, match="no such film"):
        headless.execute(source, tmp_path / "out.ipynb")

    assert "no such film" in (tmp_path / "out.ipynb").read_text()


def test_command_answers_with_its_exit_code(tmp_path, capsys):
    good, bad = _notebook(tmp_path / "good.ipynb", "6 * 7"), _notebook(tmp_path / "bad.ipynb", "1 / 0")
    assert headless.main([str(good), "--output", str(tmp_path / "out")]) == 0
    assert "42" in capsys.readouterr().out
    assert headless.main([str(bad), "--output", str(tmp_path / "out"), "--quiet"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
