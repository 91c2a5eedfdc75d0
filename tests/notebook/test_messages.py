"""A user's mistake is shown as a message in IPython, with the user's own line; `%tb` shows all, and so do programs."""

import subprocess
import sys

import notebook_shell
import pytest

import personalize_nb as pnb
from personalize_nb.errors import Interrupted, PersonalizeError
from personalize_nb.session import progress, waiting

LAST = "%tb in the next cell shows the whole traceback."
MISTAKES = {
    "argument": "pnb.recommend([1], 'x', num_result=5)",
    "attribute": "pnb.recommendd",
    "input": "pnb.users({'user_id': [None]})",
    "request": "pnb.create_role('no role!', session=session)",
    "thing": "pnb.JobRequest('a', 'b', 'c', 'd', 'e').num_result",
}


@pytest.fixture
def cell(session, capsys):
    """Give a function that runs a cell and returns what it prints, without colours."""
    with notebook_shell.running(pnb=pnb, session=session, choose=progress.choose, waiting=waiting) as shell:

        def run(code):
            shell.run_cell(code, store_history=True)
            return capsys.readouterr().out

        yield run


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.parametrize("form", ["{}", "%%time\n{}", "def mine():\n    {}\nmine()", "import sys\n\n{}"])
def test_a_mistake_is_a_message_with_the_users_line(cell, name, form):
    told = cell(form.format(MISTAKES[name]))
    lines = [line for line in told.rstrip().split("\n") if not line.startswith(("CPU times", "Wall time"))]
    assert len([line for line in lines if line]) <= 6, told
    assert "Error: " in lines[0] and lines[-1].strip() == LAST
    assert "Traceback" not in told and "site-packages" not in told and "run_cell_magic" not in told
    assert form.startswith("%%") or f": {MISTAKES[name]}" in told
    whole = cell("%tb")
    assert "Traceback" in whole and lines[0] in whole and LAST not in whole
    assert "Traceback" in cell("%tb Plain")


def test_the_same_error_raised_again_is_a_message_again(cell):
    cell("mistake = pnb.errors.InputError('Row 3 is empty. Drop it.')")
    for _ in range(2):
        told = cell("raise mistake")
        assert told.startswith("InputError: Row 3 is empty. Drop it.\n") and "Traceback" not in told


def test_causes_and_notes(cell):
    told = cell(
        "try:\n    1 / 0\nexcept ZeroDivisionError as cause:\n    error = pnb.errors.InputError('No numbers.')\n"
        "    error.add_note('Seen in March.')\n    raise error from cause"
    )
    assert "ZeroDivisionError" not in told.replace("raise error", "") and "Seen in March." in told
    assert "ZeroDivisionError" in cell("%tb")


def test_a_stop_is_a_message(cell):
    told = cell(
        "def stop(_):\n    raise KeyboardInterrupt\n"
        "waiting.until_active(lambda: {'status': 'CREATE IN_PROGRESS'}, \"job 'a'\", 'arn', again=\"pnb.attach('a')\", "
        "timeout=None, progress=choose(False), pace=1, sleep=stop)"
    )
    assert "Interrupted: stopped waiting; job 'a' goes on. Wait again with pnb.attach('a')." in told
    assert "Traceback" not in told and LAST in told


@pytest.mark.parametrize("bug", ["assert pnb is None", "[].absent", "pnb.recommend.__wrapped__()", "{}['a']"])
def test_what_is_no_mistake_in_a_call_of_ours_keeps_its_traceback(cell, bug):
    assert "Traceback" in cell(bug)


def test_every_error_is_a_message():
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    for kind in below(PersonalizeError) | {Interrupted}:
        assert hasattr(kind, "_render_traceback_"), kind
    assert not issubclass(Interrupted, Exception) and issubclass(Interrupted, KeyboardInterrupt)


def test_a_program_shows_the_whole_traceback():
    code = "import personalize_nb as pnb\npnb.recommend(1, 2, num_result=3)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 1
    assert "Traceback (most recent call last)" in answer.stderr and "did you mean 'num_results'?" in answer.stderr
    assert answer.stderr.count("id you mean") == 1
