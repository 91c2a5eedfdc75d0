"""A headless run shows what the cells show, saves the notebook masked, and says where it failed."""

import signal
import subprocess
import sys

import nbformat
import pytest
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from personalize_nb import local
from personalize_nb.errors import InputError
from personalize_nb.notebook import headless, parameters
from personalize_nb.text.redact import MASK


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


def test_the_names_of_the_notebooks_own_session_are_masked(tmp_path, capsys):
    connect = (
        "import personalize_nb as pnb, boto3\n"
        "own = pnb.Session.aws(region='us-east-1', bucket=f'{\"acme\"}-raw', boto3_session=boto3.Session(),\n"
        "    role_arn=f'arn:aws:iam::{2109:04}87654321:role/{\"Acme\"}Role')\n"
        "_ = pnb.connect(own)\n"
        "print('-'.join(('acme', 'raw')))"
    )
    source = _notebook(tmp_path / "n.ipynb", connect, "print('-'.join(('acme', 'raw')), 21098765 * 10000 + 4321)")
    bad = _notebook(tmp_path / "bad.ipynb", connect, "raise LookupError('-'.join(('acme', 'raw')) + ' AcmeRole')")
    shown = []

    saved = headless.execute(source, tmp_path / "out.ipynb", shown.append)
    assert shown[1:] == ["************", "************ ************"]
    assert "acme-raw" not in saved.read_text()
    assert headless.main([str(bad), "--output", str(tmp_path / "failed"), "--quiet"]) == 1
    assert "LookupError: ************ ************" in capsys.readouterr().err
    assert "acme-raw" not in (tmp_path / "failed" / "bad.ipynb").read_text()


def test_a_kernel_without_the_package_has_no_names(tmp_path):
    lacks = "import sys; sys.modules['personalize_nb.notebook.connected'] = None"
    source = _notebook(tmp_path / "n.ipynb", lacks, "6 * 7")
    shown = []

    headless.execute(source, tmp_path / "out.ipynb", shown.append)

    assert shown == ["# Title", "42"]


def test_failing_cell_raises_and_is_saved(tmp_path):
    source = _notebook(tmp_path / "n.ipynb", "raise LookupError('no such film')")

    with pytest.raises(CellExecutionError, match="no such film"):
        headless.execute(source, tmp_path / "out.ipynb")

    assert "no such film" in (tmp_path / "out.ipynb").read_text()


def test_command_answers_with_its_exit_code(tmp_path, capsys):
    good, bad = _notebook(tmp_path / "good.ipynb", "6 * 7"), _notebook(tmp_path / "bad.ipynb", "1 / 0")
    assert headless.main([str(good), "--output", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "42" in shown
    assert shown.splitlines()[-1] == f"To look at it: jupyter lab {tmp_path / 'out' / 'good.ipynb'}"
    assert headless.main([str(bad), "--output", str(tmp_path / "out"), "--quiet"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_wide_frames_stand_on_one_line_and_the_setup_is_not_saved(tmp_path):
    wide = "import pandas as pd\nprint(pd.DataFrame({f'a_long_column_{i}': ['a long cell'] for i in range(7)}))"
    source = _notebook(tmp_path / "n.ipynb", wide, "'pandas' in globals()")
    shown = []

    saved = headless.execute(source, tmp_path / "out.ipynb", shown.append)

    assert len(shown[1].splitlines()) == 2
    assert shown[2] == "False"
    assert "set_option" not in saved.read_text()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "There is no notebook"),
        ("{ broken", "is no notebook"),
        ("{}", "is no notebook"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "x"}]}', "is no notebook"),
    ],
)
def test_a_file_that_is_no_notebook_is_told_in_one_line(tmp_path, capsys, content, told):
    path = tmp_path / "n.ipynb"
    if content is not None:
        path.write_text(content)
    assert headless.main([str(path), "--output", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert told in error and "n.ipynb" in error and len(error.splitlines()) == 1


def test_a_folder_is_told_with_the_next_step(tmp_path, capsys):
    assert headless.main([str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    assert "Is a directory; give a saved .ipynb file" in capsys.readouterr().err


@pytest.mark.parametrize(("running", "stopped"), [(None, True), ("of an open JupyterLab", False)])
def test_only_a_service_that_this_run_started_is_stopped(tmp_path, monkeypatch, running, stopped):
    ended = []
    monkeypatch.setattr(local, "attach", lambda path: running)
    monkeypatch.setattr(local, "stop", ended.append)
    for name in ("PERSONALIZE_NB_BACKEND", "PERSONALIZE_NB_PATH"):
        monkeypatch.setenv(name, "")  # put back at the end
    monkeypatch.setattr(headless, "execute", lambda *arguments: None)
    assert headless.main([str(tmp_path / "n.ipynb"), "--local", str(tmp_path / "service")]) == 0
    assert ended == ([tmp_path / "service"] if stopped else [])


def test_a_kernel_that_dies_is_told_in_one_line(tmp_path, capsys):
    path = _notebook(tmp_path / "n.ipynb", "import os; os._exit(3)")
    assert headless.main([str(path), "--output", str(tmp_path / "out"), "--quiet"]) == 1
    error = capsys.readouterr().err
    assert "the kernel died" in error and len(error.splitlines()) == 1
    assert (tmp_path / "out" / "n.ipynb").exists()


@pytest.mark.parametrize(
    ("error", "told"),
    [(CellTimeoutError("long"), "longer than its time limit"), (NoSuchKernel("julia"), "no kernel 'julia'")],
)
def test_other_failures_are_told_in_one_line(tmp_path, capsys, monkeypatch, error, told):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(headless, "execute", fail)
    assert headless.main([str(tmp_path / "n.ipynb")]) == 1
    assert told in capsys.readouterr().err


def _parametrised(path, *sources):
    saved = nbformat.read(_notebook(path, "k = 10\nname = None", *sources), as_version=4)
    saved.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(saved, path)
    return path


def test_parameters_are_set_behind_their_cell_and_again(tmp_path):
    path = _parametrised(tmp_path / "n.ipynb", "print(k, repr(name))")
    command = [str(path), "--quiet", "--output", str(tmp_path / "out")]
    assert headless.main([*command, "-p", "k=5", "-r", "name=007"]) == 0
    saved = nbformat.read(tmp_path / "out" / "n.ipynb", as_version=4)
    assert saved.cells[2].source == "# Parameters\nk = 5\nname = '007'"
    assert saved.cells[2].metadata.tags == ["injected-parameters"]
    assert saved.cells[3].outputs[0].text == "5 '007'\n"
    nbformat.write(saved, path)
    assert headless.main([*command, "-p", "name=x=y"]) == 0
    saved = nbformat.read(tmp_path / "out" / "n.ipynb", as_version=4)
    assert [cell.metadata.get("tags") for cell in saved.cells] == [None, ["parameters"], ["injected-parameters"], None]
    assert saved.cells[3].outputs[0].text == "10 'x=y'\n"


@pytest.mark.parametrize(
    ("given", "told"),
    [("kk=5", "sets no 'kk'"), ("k", "name=value"), ("1k=5", "name=value"), ("class=5", "name=value")],
)
def test_parameters_that_would_change_nothing_are_refused(tmp_path, capsys, given, told):
    path = _parametrised(tmp_path / "n.ipynb")
    assert headless.main([str(path), "-p", given]) == 1
    error = capsys.readouterr().err
    assert told in error and len(error.splitlines()) == 1
    assert headless.main([str(_notebook(tmp_path / "m.ipynb", "k = 1")), "-p", "k=5"]) == 1
    assert "no cell with the tag 'parameters'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "options", "told"),
    [
        ("1 / 0", [], "cell 3 raised ZeroDivisionError: division by zero"),
        (
            "import threading; threading.Event().wait()",
            ["--cell-timeout", "1"],
            "cell 3 ran longer than its time limit",
        ),
        ("import os; os._exit(3)", [], "the kernel died in cell 3"),
    ],
)
def test_a_scheduler_is_told_which_cell_failed_and_finds_what_ran(tmp_path, capsys, source, options, told):
    path = _notebook(tmp_path / "n.ipynb", "6 * 7", source)
    assert headless.main([str(path), "--quiet", "--log", "--output", str(tmp_path / "out"), *options]) == 1
    first, second, last = capsys.readouterr().err.splitlines()
    assert " cell 2 of 3 ran in " in first and " cell 3 of 3 failed in " in second and told in last
    saved = nbformat.read(tmp_path / "out" / "n.ipynb", as_version=4)
    assert saved.cells[1].outputs[0].data["text/plain"] == "42"


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_run_that_is_told_to_end_leaves_a_masked_notebook_and_a_line(tmp_path, name, code):
    stays = "import threading\ntry: threading.Event().wait()\nfinally: print('tidied')"
    path = _notebook(tmp_path / "n.ipynb", "print('s3://films-raw/x')", stays)
    command = [sys.executable, "-m", "personalize_nb.headless", str(path), "--output", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            if "s3://" in line:
                break
        run.send_signal(getattr(signal, name))
        shown, error = run.communicate()
    assert run.returncode == code
    (line,) = error.splitlines()
    assert f"{name} stopped the run in cell" in line
    saved = (tmp_path / "out" / "n.ipynb").read_text()
    assert f"s3://{MASK}/x" in saved
    assert ("tidied" in shown) == ("KeyboardInterrupt" in saved) == ("in cell 3" in line)


def test_an_interrupt_outside_of_cells_is_a_line(tmp_path, capsys, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(headless, "execute", interrupt)
    assert headless.main([str(tmp_path / "n.ipynb")]) == 130
    (line,) = capsys.readouterr().err.splitlines()
    assert "n.ipynb: interrupted" in line


def test_what_a_cell_prints_is_shown_while_it_runs(tmp_path):
    waits = (
        "import pathlib, threading\n"
        "print('the account is'); print('210987654321', 'begun'); print('25 %\\r50 %\\n', end='')\n"
        "handle = display('first', display_id=True)\n"
        "while not pathlib.Path('seen').exists(): threading.Event().wait(0.02)\n"
        "handle.update('last'); print('no line end', end='')"
    )
    source = _notebook(tmp_path / "n.ipynb", waits)
    shown = []

    def show(text):
        shown.append(text)
        if "'first'" in text:  # the cell waits for this
            (tmp_path / "seen").touch()

    headless.execute(source, tmp_path / "out.ipynb", show, cell_timeout=60)

    told = "\n".join(shown).splitlines()
    assert told == ["# Title", "the account is", f"{MASK} begun", "50 %", "'first'", "'last'", "no line end"]


PARAMETERS = "flag = False\nname: str = 'x'\nn, share = 5, 0.2\nwhat = None"


def _injected(*given, raw=()):
    cell = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    document = nbformat.v4.new_notebook(cells=[cell])
    parameters.put(document, parameters.parsed(given, raw))
    return document.cells[1].source.splitlines()[1:]


@pytest.mark.parametrize(
    ("given", "set_to"),
    [
        ("flag=false", "flag = False"),
        ("flag=True", "flag = True"),
        ("name=00123", "name = '00123'"),
        ("name=0123456789012345678901", "name = '0123456789012345678901'"),
        ("name=true", "name = 'true'"),
        ("name=nan", "name = 'nan'"),
        ("n=-7", "n = -7"),
        ("share=1e-3", "share = 0.001"),
        ("share=inf", "share = float('inf')"),
        ("what=null", "what = None"),
        ("what=2026_01_01", "what = '2026_01_01'"),
        ("what=007", "what = '007'"),
        ("what=.5", "what = 0.5"),
    ],
)
def test_parameters_are_of_the_kind_that_the_cell_sets(given, set_to):
    assert _injected(given) == [set_to]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["flag=maybe"], "'flag' is True or False .*got 'maybe'.*try -p flag=false"),
        (["n=1", "n=2"], "'n' is given 2 times"),
        (["N=1"], "sets no 'N'; there is .*"),
    ],
)
def test_parameters_that_would_mislead_are_refused(given, told):
    with pytest.raises(InputError, match=told):
        _injected(*given)
    assert _injected(raw=["n=5"]) == ["n = '5'"]
