"""No account id, and no folder of the user's, in what any public call shows, unless it was asked for."""

import inspect

import pandas as pd
import pytest
import reading_world
from IPython.core.interactiveshell import InteractiveShell

import personalize_nb as pnb
from personalize_nb.notebook import formatters
from personalize_nb.text.redact import MASK

# What they return is nothing, or data of the user's own, without a service.
OF_NO_SERVICE = {"redact_notebook", "holdout", "theme_quality"}
# What names a thing to AWS, and what AWS answers, is asked for by its name.
ASKED = {
    "account",
    "answer",
    "api_arguments",
    "arn",
    "call",
    "client",
    "dataset_group_arn",
    "describe",
    "explain",
    "filter_arn",
    "iam",
    "names",
    "owner_of",
    "pages",
    "role",
    "role_arn",
    "solution_version_arn",
    "to_api",
    "to_code",
}


@pytest.fixture(scope="module")
def done(session, readers_model):
    """Give a job that has ended."""
    users = reading_world.interactions()["user_id"].unique()[:3].tolist()
    return pnb.recommend(users, readers_model, num_results=4, job_name="unnamed").wait(progress=False)


@pytest.fixture(scope="module")
def segments(session, affinity_model):
    """Give a segment job that has ended."""
    item = reading_world.items()["item_id"].iloc[0]
    return pnb.segments([item], affinity_model, num_results=3, job_name="unnamed-segments").wait(progress=False)


@pytest.fixture(scope="module")
def calls(session, done, segments, readers_model, affinity_model, tmp_path_factory):
    """Give for each public function a call that returns something."""
    met, items = reading_world.interactions(), reading_world.items()
    lists, user = done.recommendations(), done.recommendations()["user_id"].iloc[0]
    truth = met[["user_id", "item_id"]]
    both = pnb.compare(
        {"a": done, "b": lists.assign(item_id=lists["item_id"].to_numpy()[::-1])}, truth=truth, items=items
    )
    themes = pd.DataFrame({"item_id": "a", "theme": "Sea", "recommended_item_id": ["b", "c"], "relevance": 0.5})
    rates = [{"quantity": "records", "price": 1, "per": 1, "currency": "USD", "source": "x", "date": "2026-01-01"}]
    run = pnb.recommend([user], [readers_model], job_name="unnamed-run", num_results=2)
    run.wait(progress=False)
    return {
        "allow_personalize": None,  # answers the policy, a document for AWS
        "attach": lambda: pnb.attach("unnamed", session),
        "bucket_policy": None,  # is a document for AWS, which names the account
        "compare": lambda: both,
        "connect": lambda: pnb.connect(session),
        "create_filter": lambda: pnb.create_filter(
            "unnamed", 'EXCLUDE ItemID WHERE Items.SHELF IN ("sea")', readers_model, session=session
        ),
        "create_role": None,  # answers an ARN
        "delete_dataset_group": lambda: pnb.delete_dataset_group(
            readers_model.dataset_group_arn.rpartition("/")[2], session=session, dry_run=True
        ),
        "estimate_cost": lambda: pnb.estimate_cost([user], readers_model, session=session, rates=rates),
        "estimate_training_cost": lambda: pnb.estimate_training_cost(met, items, session=session),
        "evaluate": lambda: pnb.evaluate(done, truth),
        "explore": lambda: pnb.explore(done, met, items),
        "find_filter": lambda: pnb.find_filter("unnamed", session=session),
        "find_solution_version": lambda: pnb.find_solution_version(readers_model.name, session=session),
        "items": lambda: pnb.items(["a"]),
        "list_dataset_groups": lambda: pnb.list_dataset_groups(session=session),
        "list_filters": lambda: pnb.list_filters(session=session),
        "list_jobs": lambda: pnb.list_jobs(session=session),
        "list_runs": lambda: pnb.list_runs(session=session),
        "list_solution_versions": lambda: pnb.list_solution_versions(session=session),
        "plot_coverage": lambda: pnb.plot_coverage(done, items),
        "plot_metrics": lambda: pnb.plot_metrics(both),
        "plot_moves": lambda: pnb.plot_moves(both),
        "plot_overlap": lambda: pnb.plot_overlap(both),
        "plot_popularity": lambda: pnb.plot_popularity(done, met),
        "plot_scores": lambda: pnb.plot_scores(done),
        "plot_tradeoff": lambda: pnb.plot_tradeoff(both),
        "preflight": lambda: pnb.preflight(done.request, session=session),
        "preflight_training": lambda: pnb.preflight_training(met, items, session=session),
        "problems": lambda: pnb.problems(done.request.replace(num_results=-1)),
        "rankings": lambda: pnb.rankings(pd.DataFrame({"user_id": ["a"], "item_id": ["b"]})),
        "read_results": lambda: pnb.read_results(done.request.output_path, session=session),
        "recommend": lambda: run,
        "refresh_receipts": None,  # answers names of jobs
        "run": lambda: pnb.run([done.request.replace(job_name="unnamed-queued")], session=session).wait(progress=False),
        "segments": lambda: segments,
        "show_comparison": lambda: pnb.show_comparison(both),
        "show_item": lambda: pnb.show_item("b", themes.assign(rank=[1, 2], item_id="b")),
        "show_job": lambda: pnb.show_job(done),
        "show_themes": lambda: pnb.show_themes(themes, minimum_items=1),
        "show_user": lambda: pnb.show_user(user, done, met, items),
        "standing_costs": lambda: pnb.standing_costs(session=session),
        "start": lambda: pnb.start(done.request.replace(job_name="unnamed-too"), session=session).wait(progress=False),
        "themes": None,  # is `recommend` of another mode
        "train": lambda: readers_model,
        "users": lambda: pnb.users(["a"]),
        "wait": lambda: pnb.wait([done]),
        "watch": lambda: pnb.watch("unnamed", session=session),
        "worst_users": lambda: pnb.worst_users(done, truth),
        "best_users": lambda: pnb.best_users(done, truth),
    }


@pytest.fixture(scope="module")
def shell():
    shell = InteractiveShell.instance()
    formatters.register()
    yield shell
    InteractiveShell.clear_instance()


def _texts(thing, shell):
    """All that a notebook, a terminal and a file say of a thing, and of the parts that are looked at one by one."""
    if isinstance(thing, dict | list | tuple) and not hasattr(thing, "_fields"):
        for one in thing.values() if isinstance(thing, dict) else thing:
            yield from _texts(one, shell)
    yield repr(thing)
    yield str(thing)
    yield from map(str, shell.display_formatter.format(thing)[0].values())
    if isinstance(thing, pd.DataFrame):
        yield thing.to_csv()
        yield thing.to_string()
        yield pd.DataFrame(thing).to_html()


def _parts(thing):
    """What the members of a thing give that take nothing and only read."""
    for name in dir(type(thing)):
        member = inspect.getattr_static(type(thing), name)
        if name.startswith("_") or name in ASKED:
            continue
        inside = getattr(member, "__module__", "") or getattr(getattr(member, "fget", None), "__module__", "") or ""
        if not inside.startswith("personalize_nb"):
            continue
        if isinstance(member, property):
            yield name, lambda name=name: getattr(thing, name)
        elif inspect.isfunction(member) and name in READING:
            yield name, lambda name=name: getattr(thing, name)()


READING = {
    "blocks", "coverage", "errors", "items", "jobs", "metrics", "most_changed", "moves", "overlap", "popularity",
    "recommendations", "results", "scores", "segments", "summary", "by_owner", "findings", "table",
}  # fmt: skip


def test_every_public_function_is_looked_at(calls):
    functions = {name for name in pnb.__all__ if inspect.isfunction(getattr(pnb, name))}
    assert functions - OF_NO_SERVICE == set(calls)


def test_no_public_call_shows_the_account_or_a_folder(calls, session, local_service, shell):
    secret = (session.account, str(local_service.path))
    leaking = []

    def look(name, thing):
        texts = list(_texts(thing, shell))
        leaking.extend(f"{name}: {one}" for one in secret if any(one in text for text in texts))

    for name, call in calls.items():
        if call is None:
            continue
        thing = call()
        look(name, thing)
        for part, read in _parts(thing):
            try:
                inner = read()
            except pnb.errors.PersonalizeError as error:
                inner = error
            except AttributeError:
                continue  # a view without a picture
            if part not in ("html", "ax", "box", "session", "request"):
                look(f"{name}.{part}", inner)
    assert not leaking


def test_what_is_asked_for_is_told(done, session, readers_model):
    assert session.account in done.arn and session.account in readers_model.arn
    assert MASK in repr(done.request) or session.account not in repr(done.request)
