"""The job form by keyboard alone, and how it looks: in a real JupyterLab, light and dark, narrow and at 200 % zoom."""

from pathlib import Path

import nbformat
import pytest
import reading_world

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

HOSTILE = '"><img src=x onerror="window.ran=1">\u202e' + "long-" * 40
SET_UP = f"""
import sys
sys.path.insert(0, {str(Path(reading_world.__file__).parent)!r})
import pandas as pd, reading_world
import personalize_nb as pnb
session = pnb.connect()
frames = reading_world.interactions(), reading_world.items()
books = pnb.train(*frames, name="reading", recipe="aws-similar-items", progress=False)
readers = pnb.train(*frames, name="reading", progress=False)
if "form-shelf" not in list(pnb.list_filters()["name"]):
    pnb.create_filter("form-shelf", "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)", readers, progress=False)
"""
SHOWN = f"""
form = pnb.JobForm(pd.DataFrame({{{HOSTILE!r}: ["r1", "r2"]}}), readers)
form.widgets["filter"].offer([*form._options.filters(form.solution_version), ({HOSTILE!r}, "hostile")])
form
"""

PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
CELLS = "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(cell => cell.getSource())"
FOCUSED = """() => {
    const one = document.activeElement, form = one.closest('.pnb-form'), kind = one.type || one.tagName.toLowerCase();
    const named = one.labels?.length ? one.labels[0].textContent : one.textContent;
    return form ? [kind, named.trim()] : null
}"""
# Texts with too little contrast, and labels, titles and buttons that are cut or lie outside of the form.
SEEN = """form => {
    const canvas = new OffscreenCanvas(1, 1), pen = canvas.getContext('2d', {willReadFrequently: true});
    const rgba = colour => {
        pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255]
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const behind = one => {
        const layers = [];
        for (let at = one; at; at = at.parentElement) layers.unshift(rgba(getComputedStyle(at).backgroundColor));
        return layers.reduce((below, top) => over(top, below), [255, 255, 255, 1])
    };
    const shade = colour => {
        const [r, g, b] = colour.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b
    };
    const visible = one => one.checkVisibility({visibilityProperty: true}) && one.getBoundingClientRect().width > 0;
    const wrong = [];
    const judge = (one, colour, text) => {
        let alpha = 1;
        for (let at = one; at; at = at.parentElement) alpha *= Number(getComputedStyle(at).opacity);
        const ink = rgba(colour), ground = behind(one);
        ink[3] *= alpha;
        const [low, high] = [shade(over(ink, ground)), shade(ground)].sort((a, b) => a - b);
        const contrast = (high + .05) / (low + .05);
        if (contrast < 4.5) wrong.push([text, 'contrast', contrast.toFixed(2)]);
    };
    for (const one of [...form.querySelectorAll('*')].filter(visible)) {
        const own = [...one.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()).join('');
        if (own && one.tagName !== 'STYLE') judge(one, getComputedStyle(one).color, own);
        if (one.matches('input, textarea')) judge(one, getComputedStyle(one).color, one.value);
        if (one.placeholder) judge(one, getComputedStyle(one, '::placeholder').color, one.placeholder);
        if (one.matches('label, summary, button, li, div'))
            if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth && getComputedStyle(one).overflowX !== 'auto')
                wrong.push([one.textContent.slice(0, 60), 'is cut', `${one.scrollWidth} > ${one.clientWidth}`]);
    }
    return wrong
}"""


@pytest.fixture
def notebook(tmp_path):
    """Give a notebook with the form, and cells before and after it for keys to spoil."""
    made = nbformat.v4.new_notebook(metadata=PYTHON)
    made.cells = [nbformat.v4.new_code_cell(source) for source in (SET_UP, SHOWN, "'after'")]
    nbformat.write(made, tmp_path / "form.ipynb")
    return tmp_path / "form.ipynb"


def test_a_whole_job_by_keyboard_and_no_key_reaches_the_notebook(open_notebook, notebook):
    page = open_notebook(notebook)
    form, keys = page.locator(".pnb-form"), page.keyboard
    form.get_by_role("button", name="Refresh lists").wait_for(timeout=120_000)
    cells = page.evaluate(CELLS)

    def written(label, text):
        form.get_by_label(label, exact=True).focus()
        keys.type(text)
        keys.press("Enter")

    form.get_by_role("radio", name="given in code").focus()
    met = []
    while focused := page.evaluate(FOCUSED):
        met.append(focused)
        kind, name = focused
        assert name, f"no name: {kind} after {met[-2:]}"
        if kind not in ("text", "textarea"):  # these keep their keys by themselves
            for key in ["b", "d", "d", "a", "x", "z", "0", "0", "Escape", "Control+z"]:
                keys.press(key)
            if name != "given in code":
                keys.press("ArrowDown")
        if kind == "summary":
            keys.press("Space" if len(met) % 2 else "Enter")
            assert page.evaluate("() => document.activeElement.parentElement.open"), name
        keys.press("Tab")
    kinds = [kind for kind, _ in met]
    assert {"text", "textarea", "radio", "summary", "submit"} <= set(kinds), met
    assert kinds[-4:] == [*["submit"] * 3, "checkbox"], met
    names = {name for _, name in met}
    assert {"Solution", "Filter", "Exploration weight (0 to 1)", "Exploration age cut-off (days)", "Tags"} <= names
    assert page.evaluate(CELLS) == cells
    expect(form.get_by_role("radiogroup", name="Input from")).to_be_visible()
    expect(form.get_by_role("radio", name="given in code")).to_be_checked()  # arrows stay in their own group

    written("Solution", "reading-similar")
    expect(form.get_by_role("alert")).to_contain_text("Solution 'reading-similar' is none of the")
    written("Solution", page.evaluate("() => document.querySelector('.pnb-form datalist option').value"))
    expect(form.get_by_role("alert")).to_have_count(0)
    written("Filter", "FORM-SHELF")
    written("$SHELF", "sea")
    expect(form.get_by_label("Filter")).to_have_value("form-shelf")
    form.get_by_label("Filter").focus()
    expect(form.get_by_label("Filter")).to_have_value("")  # so that the browser lists all
    form.get_by_label("Job name").focus()
    expect(form.get_by_label("Filter")).to_have_value("form-shelf")
    keys.press("Control+a")
    keys.type("by-keyboard")
    written("Number of results", "3")
    expect(form.get_by_role("button", name="Start job")).to_be_enabled()
    form.get_by_role("button", name="Start job").focus()
    keys.press("Enter")
    expect(page.locator(".pnb-receipt")).to_contain_text("by-keyboard")
    expect(page.locator(".pnb-receipt")).to_contain_text("form-shelf with $SHELF: sea")
    assert page.evaluate(CELLS) == cells
    assert form.evaluate("form => form.querySelectorAll('[title=null]').length") == 0


def test_everything_is_readable_in_any_theme_at_any_width(open_notebook, notebook):
    page = open_notebook(notebook)
    form = page.locator(".pnb-form")
    form.get_by_role("button", name="Refresh lists").wait_for(timeout=120_000)
    for title in form.locator("summary").all():
        title.click()
    form.get_by_label("Number of results").fill("none")
    form.get_by_label("Filter").fill("not " + HOSTILE)
    form.get_by_label("Filter").press("Enter")
    form.get_by_label("Solution").fill(HOSTILE)
    form.get_by_label("Solution").press("Enter")
    for told in ("Solution '\"><img", "Filter 'not \"><img", "Number of results must be a whole number, got 'none'"):
        expect(form.get_by_role("alert")).to_contain_text(told)
    form.get_by_role("button", name="Check access").click()
    screen = page.context.new_cdp_session(page)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)"
        page.evaluate(change, theme)
        page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
        for width, zoom in ((1280, 1), (420, 1), (640, 2)):  # 200 % leave half of 1280 pixels
            size = {"width": width, "height": 2600 // zoom, "deviceScaleFactor": zoom, "mobile": False}
            screen.send("Emulation.setDeviceMetricsOverride", size)
            page.wait_for_function("width => window.innerWidth === width", arg=width)
            assert form.evaluate(SEEN) == [], (theme, width, zoom)
    assert page.evaluate("() => window.ran") is None


def test_a_job_is_run_again_with_changes_and_only_what_can_work_is_offered(open_notebook, tmp_path):
    again = """
other = pnb.train(*frames, name="elsewhere", recipe="aws-popularity-count", progress=False)
if "form-elsewhere" not in list(pnb.list_filters()["name"]):
    pnb.create_filter("form-elsewhere", "INCLUDE ItemID WHERE Items.SHELF IN ('sea')", other, progress=False)
job = pnb.recommend(["r1", "r2"], readers, filter="form-shelf", filter_values={"SHELF": "sea"}, num_results=3)
pnb.JobForm(job.wait(progress=False))"""
    path = tmp_path / "again.ipynb"
    cells = [nbformat.v4.new_code_cell(one) for one in (SET_UP, again)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=PYTHON), path)
    page = open_notebook(path)
    form = page.locator(".pnb-form")
    form.get_by_role("button", name="Refresh lists").wait_for(timeout=120_000)
    expect(form.get_by_label("Number of results")).to_have_value("3")
    expect(form.get_by_label("Filter")).to_have_value("form-shelf")
    expect(form.get_by_role("radio", name="S3")).to_be_checked()
    offered = form.get_by_label("Filter").evaluate("one => [...one.list.options].map(option => option.value)")
    assert "form-shelf" in offered and "form-elsewhere" not in offered
    expect(form.get_by_label("Exploration weight")).to_have_count(1)
    assert not form.get_by_label("Influence").first.is_visible()  # what the recipe does not take is not shown
    form.get_by_label("Number of results").fill("4")
    form.get_by_label("Number of results").press("Enter")
    form.get_by_role("button", name="Start job").click()
    expect(form.get_by_role("status").filter(has_text="ACTIVE after ")).to_contain_text("2 answered")
    expect(page.locator(".pnb-receipt")).to_contain_text("num_results=4")
