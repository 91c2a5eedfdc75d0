"""Clients that the package does not need, each in a process of its own with nothing but the environment set.

What the tests do not bring is installed from its registry into pytest's cache folder when it is first needed, and
skipped where that cannot be done. What each does with the service is in `clients/`, in its own language.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import small_world as world

CLIENTS = Path(__file__).parent / "clients"
INSTALL_SECONDS = 300


@pytest.fixture
def installed(pytestconfig):
    """Give the folder where an installer put some packages; it runs once for each list of packages."""

    def install(name, *command):
        folder = Path(pytestconfig.cache.mkdir("clients")) / name
        if not folder.exists():
            half = folder.with_name(f"{name}.{os.getpid()}")
            half.mkdir()
            try:
                subprocess.run(command, cwd=half, check=True, capture_output=True, timeout=INSTALL_SECONDS)
                half.rename(folder)
            except (subprocess.SubprocessError, OSError) as error:
                said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
                pytest.skip(f"{name} cannot be installed here: {said[-1] if said else error}")
            finally:
                shutil.rmtree(half, ignore_errors=True)
        return folder

    return install


@pytest.fixture
def run(local_service, s3, request, tmp_path):
    """Run a client's script with the service's environment and a bucket of its own."""

    def start(*command, **environment):
        bucket = "client-" + "".join(char if char.isalnum() else "-" for char in Path(command[-1]).stem)
        s3.create_bucket(Bucket=bucket)
        done = subprocess.run(
            command,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "BUCKET": bucket,
                "ROLE_ARN": local_service.role_arn,
                **local_service.environment(),
                **environment,
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return start


@pytest.mark.parametrize(
    ("script", "packages"),
    [
        ("s3fs_client.py", ["s3fs"]),
        ("polars_client.py", []),  # these tests are installed with it
        ("obstore_client.py", ["obstore"]),
        # The extension's version is that of the DuckDB it was built for.
        ("duckdb_client.py", ["duckdb-extension-httpfs"]),
    ],
)
def test_clients_in_python(installed, run, script, packages):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--retries", "0", "--disable-pip-version-check"]
    folder = str(installed(packages[0], *pip, "--no-compile", "--target", ".", *packages)) if packages else ""
    run(sys.executable, "-P", str(CLIENTS / script), PYTHONPATH=folder)


def test_the_workflow_of_the_guide_from_bucket_to_clean_up(run):
    script = str(CLIENTS / "aws_workflow.py")
    run(sys.executable, "-P", script, CSV=world.csv("INTERACTIONS").decode(), AVRO=world.avro("INTERACTIONS"))


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.parametrize("script", ["s3.mjs", "personalize.mjs"])
def test_the_javascript_sdk(installed, run, tmp_path, script):
    packages = [
        f"@aws-sdk/{name}" for name in ("client-s3", "client-personalize", "lib-storage", "s3-request-presigner")
    ]
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=0"]
    folder = installed("aws-sdk-js", *npm, "--prefix", ".", *packages)
    # Node looks for packages beside the script.
    (tmp_path / "node_modules").symlink_to(folder / "node_modules")
    copied = shutil.copy(CLIENTS / script, tmp_path)
    run("node", copied, CSV=world.csv("INTERACTIONS").decode(), AVRO=world.avro("INTERACTIONS"))
