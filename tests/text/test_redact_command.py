"""`personalize-nb redact`: in place, as a check of pre-commit, as a filter of git."""

import io
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from personalize_nb.__main__ import main
from personalize_nb.text.redact import MASK


def _saved(path, source):
    cell = {"cell_type": "markdown", "metadata": {}, "source": source}
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}, indent=1) + "\n")
    return path


def test_a_check_names_the_cells_and_changes_nothing(tmp_path, capsys):
    clean, dirty = _saved(tmp_path / "a.ipynb", "x"), _saved(tmp_path / "b.ipynb", "s3://films-raw/x in /home/ana/é")
    before = dirty.read_bytes()
    assert main(["redact", "--check", str(clean)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["redact", "--check", str(clean), str(dirty)]) == 1
    out, error = capsys.readouterr()
    assert out == f"{dirty}: cell 1: bucket, home folder\n" and "masks them" in error
    assert "films-raw" not in out + error and dirty.read_bytes() == before
    assert main(["redact", str(clean), str(dirty)]) == 0
    assert main(["redact", "--check", str(clean), str(dirty)]) == 0
    assert main(["redact", "--check", str(tmp_path / "none.ipynb")]) == 1
    assert "There is no file" in capsys.readouterr().err


@pytest.mark.parametrize(("source", "kept"), [("x é", True), ("s3://films-raw/é", False)])
def test_standard_input_is_masked_to_standard_output(tmp_path, monkeypatch, source, kept):
    given, out = _saved(tmp_path / "a.ipynb", source).read_bytes(), io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    assert main(["redact", "-"]) == 0
    assert (out.getvalue() == given) == kept and b"films-raw" not in out.getvalue()


@pytest.mark.parametrize("given", [b"{ broken", b"\xff\xfe"])
def test_a_filter_refuses_what_is_no_notebook(monkeypatch, capsys, given):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
    assert main(["redact", "-"]) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("options", [["-"], ["--check", "-"]])
def test_a_file_that_has_nothing_yet_passes(tmp_path, monkeypatch, options):
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    assert main(["redact", *options]) == 0 and out.getvalue() == b""
    (tmp_path / "n.ipynb").touch()
    assert main(["redact", *options[:-1], str(tmp_path / "n.ipynb")]) == 0


def test_standard_input_is_checked_too(tmp_path, monkeypatch, capfd):
    given = _saved(tmp_path / "a.ipynb", "s3://films-raw/x").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
    assert main(["redact", "--check", "-"]) == 1
    assert capfd.readouterr().out == "standard input: cell 1: bucket\n"


def test_examples_of_the_documentation_pass_a_check_and_are_masked_like_others(tmp_path):
    told = "arn:aws:iam::111122223333:role/Name, account 123456789012, AKIAIOSFODNN7EXAMPLE "
    told += "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    path = _saved(tmp_path / "n.ipynb", told)
    assert main(["redact", "--check", str(path)]) == 0
    assert main(["redact", str(path)]) == 0
    assert not {"111122223333", "Name", "AKIAIOSFODNN7EXAMPLE"} & set(path.read_text().replace("/", " ").split())
    assert main(["redact", "--check", str(_saved(path, told + " and account 210987654321"))]) == 1


def test_git_keeps_what_the_filter_masks_and_the_working_copy_as_it_is(tmp_path):
    def git(*arguments):
        done = subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout

    git("init", "-q")
    git("config", "filter.personalize-nb.clean", f'"{sys.executable}" -m personalize_nb redact -')
    git("config", "filter.personalize-nb.required", "true")
    (tmp_path / ".gitattributes").write_text("*.ipynb filter=personalize-nb\n")
    path = _saved(tmp_path / "n.ipynb", "s3://films-raw/x")
    git("add", ".")
    assert f"s3://{MASK}/x" in git("show", ":n.ipynb") and "films-raw" in path.read_text()
    assert git("diff", "--name-only") == ""
