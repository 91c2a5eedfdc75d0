"""Every notebook runs headless on the embedded service, and the committed copies are executed, masked and light."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from personalize_nb.notebook import headless
from personalize_nb.text.redact import redact

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")
_NUMBER = re.compile(r"-?\b\d+\.\d+(?:e-\d+)?\b")
# what is told of work while it goes on, which differs where another notebook has done it before
_PROGRESS = re.compile(
    r"importing |training of |[\d,]+ (?:interactions|items|users) are imported already|"
    r"solution '[^']*' is trained|filter '[^']*' exists already|(?:job|run|filter) '[^']*': "
)
# names of jobs with their times, moments, durations, ids, and hours that depend on durations
_NEW_IN_EVERY_RUN = re.compile(
    r"-\d{8}-\d{6}-[0-9a-f]{4}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|(?<=/)[0-9a-f]{8}\b|"
    r"(?:ACTIVE after|Took +) ?\d+ (?:s|min|h)(?: \d+ min)?|, about [\d.]+ training hours"
)
# what whoever shows a shared notebook takes out
_TAKEN_OUT = {"script", "svg", "iframe", "object", "form", "button", "canvas", "video"}


def _cells(path, kind):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def _outputs(path):
    return [output for cell in _cells(path, "code") for output in cell["outputs"]]


def _text(output):
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))


def _plain_outputs(path):
    """What the code cells show as text, without progress, and without what is new in every run."""
    shown = ("\n".join(line for line in _text(one).splitlines() if not _PROGRESS.match(line)) for one in _outputs(path))
    # a receipt tells how its job stood when the kernel was last asked, which differs from run to run
    return [_NEW_IN_EVERY_RUN.sub("*", text) for text in shown if text.strip() and not text.startswith("Job  ")]


@pytest.fixture(scope="module")
def service(tmp_path_factory, clean_environment):
    """A service that all notebooks share, as those of a reader do: what one has trained, the next finds."""
    from personalize_nb import local

    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONALIZE_NB_BACKEND", "local")
        patch.setenv("PERSONALIZE_NB_PATH", str(folder / "service"))
        patch.delenv("MOVIELENS", raising=False)
        yield folder
    local.stop(folder / "service")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_same_results_as_the_committed_copy(path, service):
    if "import distributed" in path.read_text(encoding="utf-8"):
        pytest.importorskip("distributed", reason="Dask, the extra `distributed`, is not on this machine")
    committed, fresh = map(_plain_outputs, (path, headless.execute(path, service / path.name)))
    assert list(map(_words, fresh)) == list(map(_words, committed))
    for text, expected in zip(fresh, committed, strict=True):
        assert _numbers(text) == pytest.approx(_numbers(expected), rel=0.01, abs=0.001), expected


def _words(text):
    return _NUMBER.sub("#", text).split()


def _numbers(text):
    return [float(number) for number in _NUMBER.findall(text)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_copy_is_fit_for_sharing(path):
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert "widgets" not in notebook["metadata"]
    assert "widget-view" not in text
    assert redact(text) == text
    assert len(text) < 200_000
    assert all(cell["execution_count"] for cell in _cells(path, "code"))
    assert not [output for output in _outputs(path) if output["output_type"] == "error"]
    assert not re.search(r"/(?:home|root|tmp|work|Users)/", text)


class _Shown(HTMLParser):
    """What is left of an output where no script runs and no attribute but a picture's counts."""

    def __init__(self):
        super().__init__()
        self.tables, self.words, self.taken, self.pictures = 0, [], [], []
        self._in_style = False

    def handle_starttag(self, tag, attrs):
        self.tables += tag == "table"
        self._in_style = tag == "style"
        self.taken += [tag] if tag in _TAKEN_OUT else []
        self.taken += [name for name, _ in attrs if name.startswith("on")]
        if tag == "img":
            self.pictures.append(dict(attrs))

    def handle_endtag(self, tag):
        self._in_style = False

    def handle_data(self, data):
        if not self._in_style:
            self.words += data.split()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_untrusted_and_without_scripts_every_table_and_picture_is_there(path):
    shown = 0
    for output in _outputs(path):
        data = output.get("data")
        if data is None:  # printed
            shown += bool(_text(output).strip())
            continue
        found = _Shown()
        found.feed("".join(data.get("text/html", "")))
        assert _text(output).strip() or not (found.words or found.pictures)  # the floor, where no HTML is shown
        assert not found.taken
        assert all(one["src"].startswith("data:image/") for one in found.pictures)
        assert all("alt" in one for one in found.pictures)  # empty where the number, or the title, stands beside it
        assert not found.pictures or any(one["alt"] for one in found.pictures) or found.words
        assert set(data) <= {"text/plain", "text/html", "image/png"}
        assert "image/png" not in data or found.tables or found.words
        shown += found.tables + len(found.pictures) + bool(data["text/plain"])
    assert shown >= 3


def _row(stem, heading, row):
    """The words of the first row that begins so, below a heading of a notebook's outputs, and its numbers."""
    text = next(text for text in map(_text, _outputs(FOLDER / f"{stem}.ipynb")) if text.startswith(heading))
    line = next(line for line in text.splitlines() if line.strip().startswith(row))
    return line.split(), _numbers(line)


def test_what_the_prose_says_of_figures_is_what_they_say():
    popular, model = (_row("02_results", "NDCG at 25 against coverage", name)[1] for name in ("most pop", "model"))
    assert model[0] > popular[2]  # finds more, beyond the bounds of the baseline
    assert popular[-1] == pytest.approx(10, abs=2) and model[-1] > 75  # a tenth of the catalogue, and most of it
    assert max(_row("05_comparing", "Metrics of", "Recall at 10")[1][-3:]) < 0  # that is no chance
    every, recent = (_row("05_comparing", "Comparison of", name)[0] for name in ("all", "recent"))
    assert int(recent[1]) > int(every[1])  # reaches more of the catalogue


def test_quickstart_is_short():
    users_to_frame = _cells(NOTEBOOKS[0], "code")[1]["source"]
    assert len("".join(users_to_frame).splitlines()) <= 6


def test_the_index_has_every_notebook_with_a_picture_and_they_are_light():
    for path in NOTEBOOKS:
        assert f"({path.name})" in INDEX
        assert f"images/{path.stem}.png" in INDEX
        assert (FOLDER / "images" / f"{path.stem}.png").exists()
    assert sum(picture.stat().st_size for picture in (FOLDER / "images").iterdir()) < 300_000


def _tasks():
    """The tasks of the index: their titles, the lines that it counts, and their code."""
    blocks = re.findall(r"\*\*(.+?)\*\*, (\d+) lines\n\n```python\n(.*?)```", INDEX, re.DOTALL)
    return [(title, int(lines), code) for title, lines, code in blocks]


def test_the_index_counts_the_lines_of_each_task():
    assert len(_tasks()) == 6
    for title, lines, code in _tasks():
        assert lines == sum(bool(line.strip()) for line in code.splitlines()), title


def test_the_lines_of_the_index_run(service):
    code = [nbformat.v4.new_code_cell("import personalize_nb as pnb\npnb.connect()\nbooks = pnb.samples.books()")]
    code += [nbformat.v4.new_code_cell(code) for _, _, code in _tasks()]
    notebook = service / "index.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=code), notebook)
    ran = headless.execute(notebook, service / "ran.ipynb")
    assert all(cell["outputs"] for cell in _cells(ran, "code")[1:])
