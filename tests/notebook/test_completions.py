"""Tab in a notebook: the package's names with their kinds, and the names of what is there inside strings."""

import inspect
import threading

import notebook_shell
import pytest
from IPython.core.completer import provisionalcompleter
from jupyter_client.manager import start_new_kernel

import personalize_nb as pnb
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.notebook import completions
from personalize_nb.session import connection

KINDS = "_jupyter_types_experimental"


@pytest.fixture
def tab(session, readers_model, monkeypatch):
    """Give a function that returns what Tab offers at the end of some code, with kinds, in a connected notebook."""
    job = pnb.BatchInferenceJob(session.arn("batch-inference-job", "x"), session)
    monkeypatch.setattr(connection, "_current", session)
    monkeypatch.setattr(completions, "_answers", completions._NamesAnswered())
    monkeypatch.setattr(completions, "_BLINK", 60)
    names = {"pnb": pnb, "recommend": pnb.recommend, "session": session, "model": readers_model, "job": job}
    with notebook_shell.running(**names) as shell:
        assert completions.register() and completions.register()

        def offered(code):
            with provisionalcompleter():
                return {one.text: one.type for one in shell.Completer.completions(code, len(code))}

        yield offered


def test_every_name_of_the_package_has_its_kind(tab):
    kinds = tab("pnb.")
    assert sorted(kinds) == pnb.__all__
    for name, kind in kinds.items():
        thing = getattr(pnb, name)
        right = {"module": inspect.ismodule, "class": inspect.isclass, "function": inspect.isfunction}
        assert right.get(kind, lambda thing: isinstance(thing, str))(thing), (name, kind)
    plots = [name for name in pnb.__all__ if name.startswith("plot_")]
    assert len(plots) > 3 and tab("x = [pnb.plot_") == dict.fromkeys(plots, "function")


@pytest.mark.parametrize(
    ("code", "kind", "name"),
    [
        ('pnb.recommend(ids, "', "solution", "reading"),
        ('pnb.recommend(ids, ["other", "', "solution", "reading"),
        ("recommend(frame[['a', 'b']],\n  solution_version='rea", "solution", "reading"),
        ('pnb.find_solution_version("', "solution", "reading"),
        ('pnb.JobForm(solution_version="', "solution", "reading"),
        ('x = 3  # "\npnb.train(frame, recipe="aws-user-p', "recipe", "aws-user-personalization"),
        ('pnb.delete_dataset_group("', "dataset group", "reading"),
        ('pnb.recommend(ids, model, mode="', "mode", "THEME_GENERATION"),
        ('pnb.recommend(ids, model, filter="tab-', "filter", "tab-unseen"),
        ('pnb.find_filter("', "filter", "tab-unseen"),
        ('job.repeat(filter="', "filter", "tab-unseen"),
    ],
)
def test_names_complete_inside_strings(tab, session, readers_model, code, kind, name):
    if kind == "filter":
        try:
            pnb.find_filter("tab-unseen", session)
        except pnb.errors.NotFoundError:
            expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")'
            pnb.create_filter("tab-unseen", expression, readers_model, progress=False, session=session)
    offered = tab(code)
    assert any(one.startswith(name) for one in offered), offered
    assert set(offered.values()) == {kind}


def test_recipes_are_those_that_batch_jobs_take(tab):
    assert list(tab('pnb.train(x, recipe="')) == sorted(
        name for name, row in RECIPES.items() if row.batch or row.segments
    )


@pytest.mark.parametrize(
    "code",
    [
        'print("aws-',
        'other.train(recipe="aws-',
        '"pnb.train(recipe=" + "aws-',
        'pnb.train(x, name="aws-',
        "pnb.train(x, recipe='aws-sims'); y = 'aws-",
        'pnb.recommend + ("aws-',
        "# pnb.train(recipe='aws-",
        '[pnb.train, "aws-',
        "'",
    ],
)
def test_other_strings_are_left_alone(tab, code):
    assert not set(tab(code).values()) & {"recipe", "solution", "job", "filter"}


def test_before_a_session_nobody_is_asked(tab, monkeypatch):
    monkeypatch.setattr(connection, "_current", None)
    monkeypatch.setattr(connection, "connect", lambda: pytest.fail("Tab has connected"))
    assert "solution" not in tab('pnb.recommend(ids, "').values()


def test_a_slow_service_is_not_waited_for_and_its_answer_is_kept(tab, session, monkeypatch):
    monkeypatch.setattr(completions, "_BLINK", 0.001)
    answered, asked = threading.Event(), []

    def slow(_session, kind):
        asked.append(kind)
        answered.wait(60)
        yield "late"

    monkeypatch.setattr(completions, "_listed", slow)
    assert "late" not in tab('pnb.attach("') and "late" not in tab('pnb.attach("')
    answered.set()
    monkeypatch.setattr(completions, "_BLINK", 60)
    assert tab('pnb.attach("') == tab('pnb.attach("l') == {"late": "job"}
    assert asked == ["jobs"]


def test_a_kernel_answers_with_kinds_and_shows_messages(local_service, readers_model):
    manager, client = start_new_kernel(
        kernel_name="python3", extra_arguments=["--log-level=ERROR"], startup_timeout=120
    )
    try:
        shown = []

        def hook(message):
            shown.extend([message] if message["msg_type"] == "error" else [])

        code = f"import personalize_nb as pnb; pnb.connect(path={str(local_service.path)!r}).personalize"
        assert client.execute_interactive(code, output_hook=hook, timeout=120)["content"]["status"] == "ok"
        for code, text, kind in (
            ("pnb.recom", "recommend", "function"),
            ('pnb.train(frame, recipe="aws-sims', "aws-sims", "recipe"),
            ('pnb.recommend(ids,\n    "readi', readers_model.name, "solution"),
        ):
            answer = client.complete(code, reply=True, timeout=120)["content"]
            assert answer["cursor_end"] == len(code) and text in answer["matches"]
            assert kind in {one["type"] for one in answer["metadata"][KINDS]}
        reply = client.execute_interactive("pnb.recommend(1, 2, num_result=5)", output_hook=hook, timeout=120)
        for content in (reply["content"], shown[0]["content"]):
            assert content["ename"] == "ArgumentError" and "did you mean 'num_results'" in content["evalue"]
            assert len("\n".join(content["traceback"]).split("\n")) <= 5
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
