"""Each back-end shows the same states in its own way."""

import io

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from personalize_nb.session import progress


def work(display):
    display.say("importing")
    for done in (1, 2):
        display.update("rows", "read", done, 2)
    display.update("job 'x'", "CREATE PENDING")
    display.update("job 'x'", "ACTIVE after 3 s")


def test_text_writes_a_line_per_state():
    stream = io.StringIO()
    work(progress.TextProgress(stream))
    assert stream.getvalue().splitlines() == [
        "importing", "rows: read", "job 'x': CREATE PENDING", "job 'x': ACTIVE after 3 s"
    ]  # fmt: skip


@pytest.fixture
def published():
    shell = InteractiveShell.instance()
    publisher, shell.display_pub = shell.display_pub, CapturingDisplayPublisher()
    yield shell.display_pub.outputs
    shell.display_pub = publisher
    InteractiveShell.clear_instance()


def test_a_notebook_keeps_one_output_that_is_rewritten(published):
    seconds = iter(range(0, 100, 2))
    work(progress.NotebookProgress(clock=lambda: next(seconds)))
    assert len(published) == 5
    assert len({one["transient"]["display_id"] for one in published}) == 1
    assert [one.get("update", False) for one in published] == [False, True, True, True, True]
    lines = published[-1]["data"]["text/plain"].splitlines()
    assert lines[0] == "importing"
    assert lines[1].startswith("rows: read 2 of 2 (100 %)")
    assert lines[2] == "job 'x': ACTIVE after 3 s"


def test_null_shows_nothing(capsys):
    work(progress.NullProgress())
    assert capsys.readouterr() == ("", "")


def test_the_display_is_chosen(monkeypatch):
    assert isinstance(progress.choose(), progress.TextProgress)
    assert isinstance(progress.choose(False), progress.NullProgress)
    mine = progress.NullProgress()
    assert progress.choose(mine) is mine
    monkeypatch.setenv("PERSONALIZE_NB_PROGRESS", "none")
    assert isinstance(progress.choose(), progress.NullProgress)
    monkeypatch.setenv("PERSONALIZE_NB_PROGRESS", "Notebook")
    assert isinstance(progress.choose(True), progress.NotebookProgress)
    monkeypatch.setenv("PERSONALIZE_NB_PROGRESS", "loud")
    with pytest.raises(ValueError, match="none, text, notebook, got 'loud'"):
        progress.choose()


@pytest.mark.parametrize(
    ("done", "total", "text"), [(None, None, ""), (3, None, "3"), (3, 10, "3 of 10 (30 %)"), (0, 0, "0 of 0 (0 %)")]
)
def test_counts(done, total, text):
    assert progress.counted(done, total) == text
