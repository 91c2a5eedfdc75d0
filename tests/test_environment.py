"""`environment.yml` and `pyproject.toml` name the same packages with the same lower bounds."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def _requirements_of_pyproject() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        "python" + project["requires-python"],
        *project["dependencies"],
        *project["optional-dependencies"]["test"],
    }


def _requirements_of_conda() -> set[str]:
    listed = re.findall(r"^\s*- (\S.*)$", (ROOT / "environment.yml").read_text(), flags=re.MULTILINE)
    return {line for line in listed if line not in ("conda-forge", "pip", "pip:", "--editable .")}


def test_conda_and_pip_install_the_same_packages():
    assert _requirements_of_conda() == _requirements_of_pyproject()
