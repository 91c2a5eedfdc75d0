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
    texts = [one["data"]["text/plain"].splitlines() for one in published]
    assert texts[2] == ["importing", "rows: read 2 of 2 (100 %) (2 s)"]
    assert texts[-1] == ["importing", "job 'x': ACTIVE after 3 s"]  # one line of progress


def test_a_notebook_has_a_bar_while_there_is_a_percentage_and_none_that_is_dead(published):
    display = progress.NotebookProgress(clock=lambda: 0.0)
    for state, done, total in [
        ("<b>PENDING", None, None),
        ("IN_PROGRESS", 0, 8),
        ("IN_PROGRESS", 2, 8),
        (progress.over("ACTIVE", 61), 8, 8),
    ]:
        display.update("job 'x'", state, done, total)
    bundles = [one["data"] for one in published]
    assert ["<progress" in one["text/html"] for one in bundles] == [False, False, True, False]
    assert 'value="2" max="8"' in bundles[2]["text/html"] and ">25 %</progress>" in bundles[2]["text/html"]
    assert "<b>" not in bundles[0]["text/html"] and "&lt;b&gt;PENDING" in bundles[0]["text/html"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_one_line_that_is_rewritten_and_leaves_its_end(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    stream, seconds = Terminal(), iter(range(0, 1000, 40))
    display = progress.TextProgress(stream, clock=lambda: next(seconds))
    display.update("job 'x'", "CREATE PENDING")
    display.update("job 'x'", "IN_PROGRESS", 5, 10)
    display.say("a word")
    display.update("job 'x'", "IN_PROGRESS" * 9, 5, 10)
    display.update("job 'x'", progress.over("ACTIVE", 130))
    shown = stream.getvalue()
    assert shown.count("\n") == 2 and shown.endswith("\r\x1b[2Kjob 'x': ACTIVE after 2 min\n")
    lines = shown.replace("\n", "").split("\r\x1b[2K")
    assert lines[2] == "job 'x': [##########..........] IN_PROGRESS 5 of 10 (50 %) (40 s)"[:52].rstrip() + " (40 s)"
    assert lines[3].startswith("a word" + lines[2]) and max(map(len, lines[:3])) < 60
    assert lines[4].endswith("PROGRE (80 s)") and len(lines[4]) == 59


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


def test_work_within_work_shares_its_display():
    mine = progress.NullProgress()
    with progress.showing(mine):
        assert progress.choose() is mine
        with progress.showing(), progress.showing(False):
            assert isinstance(progress.choose(), progress.NullProgress) and progress.choose() is not mine
        assert progress.choose(True) is not mine  # who asks for one gets one
    assert isinstance(progress.choose(), progress.TextProgress)


@pytest.mark.parametrize(
    ("done", "total", "text"), [(None, None, ""), (3, None, "3"), (3, 10, "3 of 10 (30 %)"), (0, 0, "0 of 0 (0 %)")]
)
def test_counts(done, total, text):
    assert progress.counted(done, total) == text
