"""What `pip install` brings: a small wheel with types and data, and a command that finds the notebook of its demo."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import personalize_nb
from personalize_nb import __main__ as command
from personalize_nb.errors import NotFoundError

ROOT = Path(__file__).parents[1]
MEGABYTES = 1_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Give the wheel, built of the files that git keeps: setuptools would pack what older builds left behind too."""
    folder = tmp_path_factory.mktemp("package")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        copy = folder / "source" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    build = "from setuptools import build_meta; build_meta.build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=folder / "source", capture_output=True, check=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_is_small_and_holds_the_package_only(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.stat().st_size <= 2 * MEGABYTES
    assert {name.split("/")[0].rpartition(".")[2] for name in names} == {"personalize_nb", "dist-info", "data"}
    assert f"personalize_nb-{personalize_nb.__version__}-py3-none-any.whl" == wheel.name


@pytest.mark.parametrize(
    "name",
    [
        "personalize_nb/py.typed",
        "personalize_nb/__init__.pyi",
        "personalize_nb/samples/books.csv",
        "personalize_nb/local/filters/grammar.lark",
        "personalize_nb/local/themes/words/classes.txt.gz",
    ],
)
def test_types_and_data_are_in_the_wheel(wheel, name):
    assert name in zipfile.ZipFile(wheel).namelist()


def test_every_module_is_in_the_wheel(wheel):
    modules = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    package = Path(personalize_nb.__file__).parent
    assert modules == {path.relative_to(ROOT).as_posix() for path in package.rglob("*.py")}


@pytest.mark.parametrize("where", ["--target", "--prefix"])
def test_an_installed_package_finds_its_quickstart(wheel, tmp_path, where):
    target, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    # or pip would take the package that is being tested out of its environment
    install += ["--ignore-installed", "--disable-pip-version-check", where, str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    packages = next(target.rglob("personalize_nb/py.typed")).parents[1]
    code = f"import sys; sys.path.insert(0, {str(packages)!r})\nfrom personalize_nb.__main__ import quickstart\n"
    code += "print(quickstart())"
    shown = subprocess.run([sys.executable, "-P", "-c", code], cwd=empty, capture_output=True, text=True, check=True)
    found = Path(shown.stdout.strip())
    assert target in found.parents
    assert found.read_bytes() == (ROOT / "notebooks" / command.QUICKSTART).read_bytes()


def test_the_checkout_runs_its_own_quickstart():
    assert command.quickstart() == ROOT / "notebooks" / command.QUICKSTART


def test_a_package_copied_by_hand_says_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "__file__", str(tmp_path / "personalize_nb" / "__main__.py"))
    monkeypatch.setattr(command.metadata, "files", lambda name: None)
    with pytest.raises(NotFoundError, match="install it with pip"):
        command.quickstart()
    assert command.main(["demo"]) == 1
    assert "personalize-nb demo: 01_quickstart.ipynb is not where" in capsys.readouterr().err


@pytest.mark.parametrize("name", command.COMMANDS)
def test_each_command_explains_itself_by_the_name_it_was_called(name, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: personalize-nb {name} ")


def test_the_commands_are_listed_and_the_version_is_the_packages(capsys):
    for arguments in (["--help"], ["--version"]):
        with pytest.raises(SystemExit):
            command.main(arguments)
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in command.COMMANDS)
    assert told.splitlines()[-1] == personalize_nb.__version__


def test_a_notebook_is_masked_in_place(tmp_path, capsys):
    notebook = tmp_path / "n.ipynb"
    cell = '{"cell_type": "markdown", "metadata": {}, "source": "s3://films-raw/x"}'
    notebook.write_text(f'{{"nbformat": 4, "nbformat_minor": 4, "metadata": {{}}, "cells": [{cell}]}}')
    assert command.main(["redact", str(notebook)]) == 0
    assert "films-raw" not in notebook.read_text()
    assert command.main(["redact", str(tmp_path / "none.ipynb")]) == 1
    assert "none.ipynb" in capsys.readouterr().err


def test_the_demo_runs_the_quickstart_on_the_service_of_the_user(tmp_path, monkeypatch):
    from personalize_nb.notebook import headless

    runs = []
    monkeypatch.setattr(headless, "main", lambda arguments, program: runs.append(arguments) or 0)
    monkeypatch.setenv("PERSONALIZE_NB_PATH", str(tmp_path / "service"))
    assert command.main(["demo"]) == 0
    assert command.main(["demo", "--output", "build", "--local", "build/service"]) == 0
    notebook = str(command.quickstart())
    assert runs == [
        [notebook, "--output", "personalize-nb-demo", "--local", str(tmp_path / "service")],
        [notebook, "--output", "build", "--local", "build/service"],
    ]
