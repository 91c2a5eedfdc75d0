"""The package shows a sorted list of names, loads each when it is used, and costs next to nothing to import."""

import importlib
import subprocess
import sys

import personalize_nb as pnb


def test_the_list_is_sorted_and_every_name_is_there():
    assert pnb.__all__ == sorted(pnb.__all__)
    assert dir(pnb) == pnb.__all__
    for name in pnb.__all__:
        assert getattr(pnb, name) is not None


def test_no_public_name_hides_a_module():
    for name in set(pnb.__all__) - {"errors", "samples", "__version__"}:
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
