"""A real JupyterLab and a real Chromium for the tests in this folder; skipped where Chromium is not installed.

Lab runs with a home of its own, a random token and nothing that asks the network. Chromium is Debian's (or any
`chromium` / `google-chrome` on the path): Playwright's own build is not downloaded.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from personalize_nb import local

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
READY = """() => {
    const panel = window.jupyterapp && window.jupyterapp.shell.currentWidget;
    return panel && panel.context && panel.context.isReady && panel.sessionContext?.session?.kernel?.status === 'idle'
}"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until(happened: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, clean_environment: None) -> Iterator[tuple[str, str, Path]]:
    """Start JupyterLab; gives its URL, its token and the folder it serves."""
    home, root = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("root")
    for plugin, settings in {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
        "notebook-extension/tracker": {"windowingMode": "none"},  # all cells in the DOM
    }.items():
        file = home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(settings))
    port, token = _free_port(), secrets.token_hex(16)
    environment = {
        **os.environ,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PERSONALIZE_NB_BACKEND": "local",
        "PERSONALIZE_NB_PATH": str(home / "service"),
    }
    options = (
        "--no-browser",
        "--allow-root",
        "--expose-app-in-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={root}",
        "--ServerApp.terminals_enabled=False",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    )
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until(lambda: _answers(f"{url}/api/status?token={token}"), "JupyterLab to answer")
        yield url, token, root
    finally:
        server.terminate()
        server.wait(30)
        local.stop(home / "service")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("chromium")),
            executable_path=CHROMIUM,
            headless=True,
            args=list(FLAGS),
            viewport={"width": 1280, "height": 2600},
        )
        context.set_default_timeout(120_000)
        sync_api.expect.set_options(timeout=120_000)  # its own default of 5 s is short for a reload on a busy machine
        yield context
        context.close()


@pytest.fixture
def open_notebook(lab: tuple[str, str, Path], browser: object) -> Iterator[Callable[[Path], object]]:
    """Open a copy of a notebook in Lab and run all of its cells; gives the Playwright page."""
    url, token, root = lab
    pages = []

    def open_and_run(notebook: Path) -> object:
        shutil.copy(notebook, root / notebook.name)
        page = browser.new_page()
        pages.append(page)
        page.goto(f"{url}/doc/tree/{notebook.name}?token={token}&reset")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        page.wait_for_function(READY)
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        return page

    yield open_and_run
    for page in pages:
        page.close()
