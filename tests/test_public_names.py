"""The package shows a sorted list of names with their types, loads each when it is used, and costs next to nothing.

`__init__.pyi` is the one list: these tests hold what is shown at run time, and what mypy makes of it, against it.
"""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path, PurePath

import mypy.api
import pytest

import personalize_nb as pnb

ROOT = Path(__file__).parent.parent
STUB = ast.parse((ROOT / "personalize_nb" / "__init__.pyi").read_text(encoding="utf-8"))
CLASSES = sorted(name for name in pnb.__all__ if inspect.isclass(getattr(pnb, name)))
FUNCTIONS = sorted(name for name in pnb.__all__ if inspect.isfunction(getattr(pnb, name)))
# They pass on what AWS's operations take, or the fields of their own class.
OPEN = {"Session.call", "Session.pages", "JobRequest.replace", "SegmentRequest.replace"}
# pyarrow has no types.
UNTYPED = {"Batch.table"}


def members(name):
    """Return the public members of a public class that are its own: methods, properties and fields."""
    thing = getattr(pnb, name)
    own = [base for base in thing.__mro__ if base.__module__.startswith("personalize_nb")]
    taken = {member for base in own for member in (*vars(base), *inspect.get_annotations(base))}
    return sorted(member for member in taken if not member.startswith("_"))


@cache
def revealed():
    """Return what mypy says of every public name, and of every public member of the classes among them."""
    names = [*FUNCTIONS, *CLASSES, *(f"{name}.{member}" for name in CLASSES for member in members(name))]
    lines = ["import personalize_nb as pnb"]
    for name in names:
        thing, _, member = name.partition(".")
        lines.append(
            f"def _(x: pnb.{thing}) -> None: reveal_type(x.{member})" if member else f"reveal_type(pnb.{name})"
        )
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "program.py")
        program.write_text("\n".join(lines))
        told, errors, _ = mypy.api.run(["--config-file", str(ROOT / "pyproject.toml"), str(program)])
    assert not errors
    found = re.findall(r'program\.py:(\d+): note: Revealed type is "(.*)"$', told, re.MULTILINE)
    return {names[int(line) - 2]: text for line, text in found}


def test_the_list_is_sorted_and_every_name_is_there():
    assert pnb.__all__ == sorted(pnb.__all__)
    assert dir(pnb) == pnb.__all__
    for name in pnb.__all__:
        assert getattr(pnb, name) is not None


def test_the_stub_is_the_list_and_goes_into_the_wheel():
    imported = [alias.asname for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted([*imported, "__version__"]) == pnb.__all__
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packaged = setuptools["package-data"]["personalize_nb"]
    for file in ("__init__.pyi", "py.typed"):
        assert (ROOT / "personalize_nb" / file).exists()
        assert any(PurePath(file).match(pattern) for pattern in packaged), file


def test_no_public_name_hides_a_module():
    for name in set(pnb.__all__) - {"distributed", "errors", "samples", "__version__"}:
        assert importlib.util.find_spec(f"personalize_nb.{name}") is None, name


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(pnb, "recommended")


def test_importing_loads_neither_pandas_nor_boto3():
    code = "import sys, personalize_nb; print(sorted({'pandas', 'boto3', 'pyarrow', 'numpy'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_public_things_are_documented():
    for name in set(pnb.__all__) - {"__version__"}:
        assert getattr(pnb, name).__doc__, name


def test_type_checkers_see_every_public_name_and_member():
    everything = {*FUNCTIONS, *CLASSES, *(f"{name}.{member}" for name in CLASSES for member in members(name))}
    assert set(revealed()) == everything
    assert {name for name, text in revealed().items() if re.search(r"^Any\??$|-> Any$", text)} == UNTYPED


@pytest.mark.parametrize("name", FUNCTIONS)
def test_type_checkers_see_whole_signatures(name):
    whole = revealed()[name]
    assert whole.removeprefix("Overload(").startswith("def ("), whole
    for parameter in inspect.signature(getattr(pnb, name)).parameters:
        assert re.search(rf"\b{parameter}'?\??:", whole), parameter  # as a parameter, or as one of a typed `**`


def test_no_public_call_hides_its_parameters():
    calls = [(name, getattr(pnb, name)) for name in (*FUNCTIONS, *CLASSES)]
    for name in CLASSES:
        calls += [(f"{name}.{member}", getattr(getattr(pnb, name), member, None)) for member in members(name)]
    for name, call in calls:
        if callable(call) and name not in OPEN:
            kinds = {parameter.kind for parameter in inspect.signature(call).parameters.values()}
            assert inspect.Parameter.VAR_KEYWORD not in kinds, name


def test_session_clients_have_the_types_of_boto3():
    clients = {name: revealed()[f"Session.{name}"].rpartition(".")[2] for name in ("personalize", "s3", "iam", "sts")}
    assert clients == {"personalize": "PersonalizeClient", "s3": "S3Client", "iam": "IAMClient", "sts": "STSClient"}
