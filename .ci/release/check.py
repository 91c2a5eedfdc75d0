"""Check that what lies here can be released: `make release-check`.

Each step says what it found; the last line says whether all of it is right, and the program ends with 1 where not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

from licences import dependencies, licences, table
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[2]
HOLES_MAY_HIDE = "The advisories cannot be asked here (no network?), so nobody has looked for known holes."


class Wrong(Exception):
    """What stands in the way of a release, in sentences."""


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Return what a command prints.

    Raises
    ------
    Wrong
        It fails; with the end of what it printed.
    """
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise Wrong(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def version() -> str:
    """Return the version of the package, read without importing it."""
    source = (ROOT / "personalize_nb" / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.*)"$', source, re.MULTILINE)[0]


def check_version() -> str:
    """Find a version that is one, and a dated entry for it in the changelog with at least a line."""
    told, changes = version(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    try:
        if str(Version(told)) != told:
            raise Wrong(f"{told!r} is spelt {str(Version(told))!r} in the index.")
    except InvalidVersion as error:
        raise Wrong(f"__version__ is {told!r}, which is no version (PEP 440).") from error
    entries = dict(re.findall(r"^## \[(.+?)\](.*?)(?=^## |\Z)", changes, re.MULTILINE | re.DOTALL))
    if not re.match(r" - \d{4}-\d\d-\d\d\n+.*\S", entries.get(told, ""), re.DOTALL):
        raise Wrong(f"CHANGELOG.md has no entry '## [{told}] - YYYY-MM-DD' with what changed.")
    waiting = len(re.findall(r"^- ", entries.get("Unreleased", ""), re.MULTILINE))
    note = f" {waiting} lines are Unreleased: raise __version__ and move them under it, or they have no version."
    return f"{told}, with an entry in CHANGELOG.md.{note if waiting else ''}"


def check_build(folder: Path) -> str:
    """Build wheel and sdist of what git keeps, and ask what the index would refuse of them."""
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / "source"
    listed = run("git", "ls-files", "-z")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    # the sdist, and the wheel of what is in the sdist; what builds is installed already
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source)
    shutil.rmtree(source)
    built = sorted(folder.glob("personalize_nb-*"))
    expected = {f"personalize_nb-{version()}-py3-none-any.whl", f"personalize_nb-{version()}.tar.gz"}
    if {path.name for path in built} != expected:
        raise Wrong(f"Built are {[path.name for path in built]}, expected {sorted(expected)}.")
    run(sys.executable, "-m", "twine", "check", "--strict", *built)
    return "; ".join(f"{path.name}, {path.stat().st_size:,} bytes" for path in built)


def check_installed(folder: Path, empty: Path) -> str:
    """Install the wheel, and what it asks for, where nothing else is, and run the quickstart there."""
    wheel = next(folder.glob("*.whl"))
    venv.create(empty / "venv", with_pip=True, clear=True)
    python = empty / "venv" / "bin" / "python"
    # nothing of this machine's own: no settings of AWS, no paths of Python, no services that run already
    mine = ("AWS_", "PERSONALIZE_NB_", "PYTHON", "JUPYTER", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    env |= {"HOME": str(empty), "AWS_EC2_METADATA_DISABLED": "true"}
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=empty, env=env)
    run(python, "-m", "pip", "check", cwd=empty, env=env)
    command = python.parent / "personalize-nb"
    if (told := run(command, "--version", cwd=empty, env=env).strip()) != version():
        raise Wrong(f"personalize-nb --version says {told}, and not {version()}.")
    service = empty / "service"
    try:
        run(command, "demo", "--output", "demo", "--local", service, cwd=empty, env=env)
    finally:
        stop = f"from personalize_nb import local; local.stop({str(service)!r})"
        subprocess.run([str(python), "-c", stop], cwd=empty, env=env, check=False)
    notebook = (empty / "demo" / "01_quickstart.ipynb").read_text(encoding="utf-8")
    if '"output_type": "error"' in notebook or '"text/html"' not in notebook:
        raise Wrong("The quickstart ran and shows no results.")
    return "it installs where nothing else is, and the quickstart runs there."


def check_licences() -> str:
    """List the licences of what is installed with the package, each of which is one that is fine."""
    rows = licences(dependencies("personalize-nb"))
    if others := [f"{one.name} {one.version} says {one.said!r}" for one in rows if not one.fine]:
        raise Wrong(f"{table(rows)}\nNot among those that are fine (.ci/release/licences.py): {'; '.join(others)}.")
    return f"of {len(rows)} packages:\n{table(rows)}"


def check_holes(empty: Path) -> str:
    """Look for known holes in what was installed; where the advisories cannot be asked that is said, and no failure."""
    site = next((empty / "venv" / "lib").glob("python*/site-packages"))
    command = [sys.executable, "-m", "pip_audit", "--path", str(site), "--progress-spinner", "off", "--timeout", "20"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    if done.returncode and re.search(r"Found \d+ known vulnerabilit", done.stdout + done.stderr):
        raise Wrong(done.stdout or done.stderr)
    return HOLES_MAY_HIDE if done.returncode else "none is known."


def main(folder: Path) -> int:
    """Take every step, also after one that failed; 1 where any did."""
    failed = []
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        steps: list[tuple[str, Callable[[], str]]] = [
            ("version", check_version),
            ("wheel and sdist", lambda: check_build(folder)),
            ("licences", check_licences),
            ("an empty environment", lambda: check_installed(folder, empty)),
            ("known holes", lambda: check_holes(empty)),
        ]
        for title, step in steps:
            try:
                print(f"{title}: {step()}", flush=True)
            except (Wrong, OSError, StopIteration) as wrong:
                failed.append(title)
                print(f"{title}: NOT RIGHT. {str(wrong) or 'An earlier step made nothing to look at.'}", flush=True)
    print(f"Not to be released: {', '.join(failed)}." if failed else f"{version()} can be released.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/release").resolve()))
