"""The quickstart in a real JupyterLab: the form starts a job, and its receipt outlives the kernel."""

from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"

sync_api = pytest.importorskip("playwright.sync_api")


def test_form_starts_a_job_and_the_receipt_survives_a_restart(open_notebook, tmp_path):
    page = open_notebook(QUICKSTART)
    form = page.locator(".pnb-form")
    form.wait_for(timeout=600_000)

    form.get_by_label("Number of results").fill("none")
    sync_api.expect(form.get_by_role("alert")).to_contain_text("Number of results must be a whole number")
    sync_api.expect(form.get_by_role("button", name="Start job")).to_be_disabled()

    form.get_by_label("Number of results").fill("7")
    form.get_by_label("Job name").fill("from-the-browser")
    sync_api.expect(form.get_by_role("button", name="Start job")).to_be_enabled()
    form.get_by_role("button", name="Start job").click()
    receipt = page.locator(".pnb-receipt")
    sync_api.expect(receipt).to_contain_text("from-the-browser")
    sync_api.expect(receipt).to_contain_text("ACTIVE", timeout=120_000)
    sync_api.expect(receipt).to_contain_text("pnb.attach('from-the-browser').recommendations()")
    sync_api.expect(receipt).not_to_contain_text("123456789012")

    sync_api.expect(receipt).to_contain_text("num_results=7)")

    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.reload()
    sync_api.expect(page.locator(".pnb-receipt")).to_contain_text("ACTIVE")
    call = page.locator(".pnb-call")
    sync_api.expect(call).to_contain_text("lives in a running kernel: run this cell to get it back")
    sync_api.expect(call).to_contain_text("num_results=7")
