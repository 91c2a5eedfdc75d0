"""Lists are explored by keyboard alone, and what an untrusted notebook shows of cards and themes is all there."""

from pathlib import Path

import nbformat
import pytest

sync_api = pytest.importorskip("playwright.sync_api")

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else Lab asks for one
CELLS = (
    """import pandas as pd
import personalize_nb as pnb
titles = ["<img src=x onerror=window.hacked=1>", "The $5 Bill and $x_1$", "A" * 300, "\\u202egnol", "Léon", "Ran", "Up"]
genres = ["Crime|Drama", "War", "War", "Drama", *["Crime"] * 3]
items = pd.DataFrame({"item_id": range(7), "title": titles, "genres": genres})
lists = pd.DataFrame(
    [(user, rank, (user + rank) % 7, 1 / rank) for user in range(1, 200) for rank in range(1, 7)],
    columns=["user_id", "rank", "item_id", "score"],
)
history = pd.DataFrame({"user_id": range(1, 200), "item_id": [1] * 199, "timestamp": 1_700_000_000})
truth = pd.DataFrame({"user_id": range(1, 200), "item_id": 1})""",
    "explorer = pnb.explore(lists, history, items, truth=truth)\nexplorer",
    """themes = pd.DataFrame({"item_id": 4, "theme": "Dark $x$ <b>stories</b>", "recommended_item_id": range(7)})
pnb.show_themes(themes.assign(relevance=0.5), items)""",
)
LEFT = """() => [...document.querySelectorAll('.jp-OutputArea-output')].map(one => one.scrollWidth - one.clientWidth)"""


def test_lists_are_explored_by_keyboard_and_read_where_nothing_is_trusted(open_notebook, lab, browser, tmp_path):
    path: Path = tmp_path / "explore.ipynb"
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in CELLS], metadata=KERNEL), path
    )
    page = open_notebook(path)
    widget, card = page.locator(".pnb-form"), page.locator(".mathjax_ignore").first
    widget.wait_for()
    sync_api.expect(card.get_by_role("heading")).to_have_text("User 1")
    page.get_by_role("list", name="Dark $x$ <b>stories</b>").wait_for()

    widget.get_by_role("combobox", name="User").focus()
    page.keyboard.type("13")
    sync_api.expect(card.get_by_role("heading")).to_have_text("User 13")
    suggested = "() => [...document.querySelector('.pnb-form input').list.options].map(one => one.value)"
    assert page.evaluate(suggested)[:3] == ["13", "130", "131"] and len(page.evaluate(suggested)) == 50
    page.keyboard.press("Enter")  # closes the list
    page.keyboard.press("Tab")
    page.keyboard.type("$5 bill")
    page.keyboard.press("Enter")
    sync_api.expect(widget.get_by_role("status")).to_contain_text("with a match, of 199")
    sync_api.expect(card).to_contain_text("1 of 6 matches")
    page.keyboard.press("Tab")  # over the category
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # Next
    page.keyboard.press("b")  # inserts no cell
    sync_api.expect(card.get_by_role("heading")).to_have_text("User 14")
    assert page.locator(".jp-CodeCell").count() == len(CELLS)
    assert page.locator("mjx-container").count() == 0  # no title is a formula
    for label in ("Search in lists", "Category"):
        widget.get_by_label(label).wait_for()

    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")
    url, token, root = lab
    saved = nbformat.read(root / path.name, 4)
    saved.cells[0].source += "\n# not as it was signed"
    nbformat.write(saved, root / "shared.ipynb")
    shared = browser.new_page()
    try:
        shared.goto(f"{url}/doc/tree/shared.ipynb?token={token}&reset")
        sync_api.expect(shared.get_by_role("heading", name="User 14")).to_be_visible()
        text = shared.locator(".jp-Notebook").inner_text()
        for told in ("2023-11-14", "✓ hit", "seen before", "The $5 Bill and $x_1$", "relevance 0.50", "A" * 300):
            assert told in text
        assert shared.evaluate("() => window.hacked") is None and page.evaluate("() => window.hacked") is None
        assert max(shared.evaluate(LEFT)) <= 0  # nothing sticks out: rows scroll by themselves
        row = shared.locator(".mathjax_ignore ul")
        assert shared.evaluate("one => getComputedStyle(one).display", row.element_handle()) == "flex"
    finally:
        shared.close()
