"""A form lives as long as its kernel: a page that is loaded again and a cell that comes back show how its jobs went."""

from pathlib import Path

import nbformat
import pytest

sync_api = pytest.importorskip("playwright.sync_api")

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else Lab asks for one
CELLS = (
    """import personalize_nb as pnb
pnb.connect()
books = pnb.samples.books()
model = pnb.train(books.interactions, books.items, books.users, name="books", recipe="aws-user-personalization-v2")""",
    "form = pnb.JobForm(books.users.sample(5, random_state=1), model)\nform",
)
# a browser of a test shows no notifications
STUB = """() => {
    window.told = []
    window.Notification = class {
        static permission = 'granted'
        constructor(title, {body, tag}) { window.told.push(body) }
    }
}"""


def test_a_form_tells_how_its_jobs_go_after_a_reload_and_after_its_cell_came_back(open_notebook, tmp_path):
    path: Path = tmp_path / "alive.ipynb"
    cells = [nbformat.v4.new_code_cell(one) for one in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), path)
    page = open_notebook(path)
    form = page.locator(".pnb-form")
    form.wait_for(timeout=600_000)
    saved = page.locator(".jp-CodeCell").first.locator(".jp-OutputArea-output")
    sync_api.expect(saved).not_to_contain_text("%")  # what is over has no bar

    form.get_by_label("Job name").fill("before-the-reload")
    form.get_by_role("button", name="Start job").click()
    line = form.get_by_role("status").filter(has_text="before-the-reload: ")
    sync_api.expect(line).to_be_visible()
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")
    page.reload()
    sync_api.expect(line).to_contain_text("before-the-reload: ACTIVE after ")
    sync_api.expect(line).to_contain_text("5 answered, 0 failed, 0 empty")
    form.get_by_text("Receipt of before-the-reload").click()
    sync_api.expect(form.get_by_text("The first 5 rows of the output")).to_be_visible()
    sync_api.expect(page.locator(".pnb-receipt")).to_contain_text("before-the-reload")

    page.evaluate(STUB)
    form.get_by_label("Notify me when a job ends").check()
    form.get_by_label("Job name").fill("before-the-deletion")
    form.get_by_role("button", name="Start job").click()
    sync_api.expect(form.get_by_role("status").filter(has_text="before-the-deletion: ")).to_be_visible()
    page.evaluate(
        """() => {
            const notebook = window.jupyterapp.shell.currentWidget.content
            notebook.activeCellIndex = 1
            notebook.mode = 'command'
            return window.jupyterapp.commands.execute('notebook:delete-cell').then(() => null)
        }"""
    )
    sync_api.expect(form).to_have_count(0)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:undo-cell-action').then(() => null)")
    newest = form.get_by_role("status").filter(has_text="before-the-deletion: ACTIVE after ")
    sync_api.expect(newest).to_contain_text("5 answered")
    sync_api.expect(line).to_be_visible()
    assert [one.startswith("before-the-deletion: ACTIVE after ") for one in page.evaluate("() => window.told")] == [
        True
    ]
