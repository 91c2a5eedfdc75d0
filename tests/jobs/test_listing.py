"""Listings are whole, tell what jobs asked for at a bounded number of calls, and name no account."""

import re

import pandas as pd
import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.text.listings import Listing

LONG = "a-job-name-that-is-as-long-as-the-service-allows-it-to-be-63-xx"


@pytest.fixture(scope="module")
def listed(session, readers_model):
    """Give a job with a filter that has ended, and the frame that lists it."""
    pnb.create_filter("listed", 'INCLUDE ItemID WHERE Items.SHELF IN ("sea")', readers_model, session=session)
    user = reading_world.interactions()["user_id"].iloc[0]
    job = pnb.recommend([user], readers_model, num_results=7, filter="listed", job_name="listed").wait()
    return job, pnb.list_jobs(session=session)


def test_what_a_job_asked_for_stands_in_its_row(session, listed, readers_model):
    job, frame = listed
    row = frame.set_index("name").loc[job.name]
    assert row["recipe"] == readers_model.recipe and row["filter"] == "listed" and row["results"] == 7
    assert row["duration"] >= pd.Timedelta(0)
    assert frame["created"].is_monotonic_decreasing


def test_calls_are_bounded(session, listed, monkeypatch):
    asked = []
    call = type(session).call

    def noted(self, name, **given):
        asked.append(name)
        return call(self, name, **given)

    monkeypatch.setattr(type(session), "call", noted)
    for details, most in ((0, 0), (1, 1), (25, 25)):
        asked.clear()
        frame = pnb.list_jobs(session=session, details=details)
        assert sum(name.startswith("describe_batch") for name in asked) <= most
        assert frame["filter"][details:].isna().all() and frame["results"][details:].isna().all()
    with pytest.raises(errors.InputError, match="'details'"):
        pnb.list_jobs(session=session, details=-1)


def _shown(thing):
    return repr(thing) + (thing._repr_html_() or "" if hasattr(thing, "_repr_html_") else "")


def test_no_frame_and_no_repr_names_the_account(session, listed, readers_model):
    job, frame = listed
    things = {
        "list_jobs": frame,
        "list_runs": pnb.list_runs(session=session),
        "list_filters": pnb.list_filters(session=session),
        "list_dataset_groups": pnb.list_dataset_groups(session=session),
        "list_solution_versions": pnb.list_solution_versions(session=session),
        "standing_costs": pnb.standing_costs(session=session),
        "session": session,
        "model": readers_model,
        "job": job,
        "request": job.request,
        "results": job.results(),
        "recommendations": job.recommendations(),
        "problems": pnb.problems(job.request.replace(num_results=-1)),
        "preflight": pnb.preflight(job.request, session=session),
        "filter": pnb.find_filter("listed", session=session),
        "estimate": pnb.estimate_cost(["u1"], readers_model),
        "show_job": pnb.show_job(job),
        "receipt": job.request.replace(job_name="other"),
    }
    for name, thing in things.items():
        assert session.account not in _shown(thing), name
        if isinstance(thing, pd.DataFrame):
            assert session.account not in thing.to_csv(), name
    public = {name for name in dir(pnb) if name.startswith("list_") or name == "standing_costs"}
    assert public <= set(things)  # a new listing is looked at too


def test_arns_are_told_where_they_are_asked_for(session, readers_model):
    frame = pnb.list_solution_versions(session, arns=True)
    assert readers_model.arn in set(frame["solution_version_arn"])
    named = pnb.list_solution_versions(session)["solution_version"]
    assert pnb.find_solution_version(named[0], session).arn == frame["solution_version_arn"][0]
    assert session.account in pnb.JobRequest("a", readers_model.arn, "s3://a/b", "s3://a/", "role").to_code()


def test_names_stand_whole_and_texts_on_the_left():
    frame = Listing({"name": [LONG, "b"], "note": ["<i>&", None], "records": [1, 12]})
    assert LONG in repr(frame) and LONG in frame._repr_html_()
    with pd.option_context("display.width", 200):
        assert re.search(r"^0 +a-job\S+ +<i>& +1$", repr(frame), re.MULTILINE)
    html = frame._repr_html_()
    assert "<i>" not in html and "&lt;i&gt;&amp;" in html and "None" not in html
    assert re.findall(r"text-align:(\w+)", html) == ["left", "left", "right"] * 3
    many = Listing({"name": [f"n{number}" for number in range(100)]})
    assert "60 of 100 rows" in repr(many) and "60 of 100 rows" in many._repr_html_()
    assert isinstance(frame[frame["records"] > 1], Listing) and type(frame.head(1)) is Listing
    assert "Empty" in repr(Listing({"name": []})) and "<table" in Listing({"name": []})._repr_html_()


def test_items_with_two_rows_are_told_and_the_first_is_joined(listed, capsys):
    job, _ = listed
    lists = job.recommendations()
    ids, titles = lists["item_id"].tolist(), list("abcdefg"[: len(lists)])
    items = pd.DataFrame({"item_id": [*ids, ids[0]], "title": [*titles, "again"]})
    joined = job.recommendations(items=items)
    assert joined["title"].tolist() == titles
    assert f"1 item has more than one row in 'items' ({ids[0]!r})" in "".join(capsys.readouterr())
