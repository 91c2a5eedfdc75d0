"""A call at the end of a job or run: once, however it ended, after lost connections, and not when it is cancelled."""

import threading
from types import SimpleNamespace

import pytest

import personalize_nb as pnb
from personalize_nb.errors import ServiceError
from personalize_nb.jobs.following import on_end
from personalize_nb.session import waiting


class ScriptedJob:
    """A job whose statuses follow a script; errors in it are raised."""

    name = "weekly"
    session = SimpleNamespace(pace=waiting.QUICK)

    def __init__(self, *script):
        self.script = list(script)

    def describe(self):
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return {"status": step}


LOST = ServiceError("lost", code="EndpointConnectionError")


@pytest.mark.parametrize("end", ["ACTIVE", "CREATE FAILED", "CREATE STOPPED"])
@pytest.mark.parametrize("before", [(), ("CREATE PENDING", "CREATE IN_PROGRESS"), (LOST, "CREATE PENDING", LOST)])
def test_the_call_is_made_once_with_the_job(before, end):
    told, job = [], ScriptedJob(*before, end)
    ending = on_end(job, told.append, sleep=lambda _: False)
    assert ending.join(30) and told == [job]


def test_an_error_that_stays_is_shown_once_and_one_that_passes_is_not(capsys):
    stays = ServiceError("no such thing", code="InvalidInputException")
    job = ScriptedJob(LOST, LOST, stays, stays, LOST, "ACTIVE")
    assert on_end(job, lambda one: None, sleep=lambda _: False).join(30)
    told = capsys.readouterr().err
    assert told.count("weekly is followed, and cannot be looked at: no such thing") == 1 and "lost" not in told


def test_what_is_cancelled_is_not_called():
    told, asleep, go = [], threading.Event(), threading.Event()

    def sleep(seconds):
        asleep.set()
        return go.wait(30)

    ending = on_end(ScriptedJob("CREATE PENDING"), told.append, sleep=sleep)
    assert asleep.wait(30) and not ending.join(0)
    ending.cancel()
    go.set()
    assert ending.join(30) and told == []


def test_what_is_no_function_is_refused_at_once():
    with pytest.raises(TypeError, match="'callback' must take the job"):
        on_end(ScriptedJob("ACTIVE"), "print")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_of_the_call_is_shown_and_ends_only_its_thread(monkeypatch):
    shown = []
    monkeypatch.setattr(threading, "excepthook", lambda told: shown.append(told.exc_value))
    assert on_end(ScriptedJob("ACTIVE"), lambda job: 1 / 0).join(30)
    assert [type(error) for error in shown] == [ZeroDivisionError]


def test_a_real_job_and_a_real_run_tell_their_end(session, readers_model, books_model):
    told = []
    job = pnb.recommend(["r1"], readers_model, session=session)
    run = pnb.themes([f"b{number}" for number in range(101)], books_model, at_once=1, session=session)
    # the second job of the run waits for the first, and starts because the run is followed
    endings = [job.on_end(told.append, sleep=pause), run.on_end(told.append, sleep=pause)]
    assert all(ending.join(120) for ending in endings)
    assert {one.name for one in told} == {job.name, run.name}
    assert job.status == "ACTIVE" and run.describe()["done"] == 2


def pause(seconds):
    return threading.Event().wait(0.05)
