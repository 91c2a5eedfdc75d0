"""Several models or filters are judged as `pnb.recommend` asks them: each pair, and what is of one says of which."""

import pytest

import personalize_nb as pnb
from personalize_nb.errors import InputError
from personalize_nb.notebook.form.form import JobForm

USERS = ["r1", "r2"]


@pytest.fixture(scope="module")
def unread(session, readers_model):
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")'
    return pnb.create_filter("side-unread", expression, readers_model, progress=False, session=session)


def errors_in(report):
    return report[report["level"] == "error"]


@pytest.mark.parametrize("filters", [[None, "side-unread"], ["side-unread"], [None], (None, "side-unread")])
def test_what_is_right_of_each_is_right_of_all(readers_model, unread, filters):
    report = pnb.preflight(USERS, iter([readers_model]), filter=filters)
    assert errors_in(report).empty and "permissions" in set(report["check"])
    # what is the same of all is told once
    assert (report["check"] == "permissions").sum() == 1


def test_what_is_wrong_of_one_says_of_which(session, readers_model, books_model, affinity_model):
    wrong = errors_in(pnb.preflight(USERS, [readers_model, books_model.name], filter=[None, "side-none"]))
    told = wrong.loc[wrong["found"].str.contains("side-none"), "found"]
    assert len(told) and all("filter side-none: " in one for one in told)
    wrong = errors_in(pnb.preflight(["b1"], [books_model, affinity_model]))
    assert wrong["found"].str.contains("pnb.segments takes one model").any()
    assert all(one.startswith(affinity_model.name) for one in wrong["found"])


def test_the_cost_is_that_of_all(session, readers_model, unread, monkeypatch):
    rate = {"quantity": "records", "price": 1, "currency": "USD", "source": "bill", "date": "2026-11-01"}
    monkeypatch.setattr(session, "rates", pnb.Rates([rate]))
    both = {"filter": [None, unread], "session": session}
    assert errors_in(pnb.preflight(USERS, readers_model, max_cost=4, **both)).empty
    wrong = errors_in(pnb.preflight(iter(USERS), readers_model, max_cost=3.5, **both))
    assert len(wrong) == 1 and "4.00 USD" in wrong["found"].item()


@pytest.mark.parametrize("wrong", [[], ["model", "model"]])
def test_lists_that_recommend_refuses_are_refused(readers_model, wrong):
    models = [readers_model if one == "model" else one for one in wrong]
    for call in (pnb.preflight, pnb.recommend):
        with pytest.raises(InputError, match="'solution_version' (must be one or a list|names .* twice)"):
            call(USERS, models, session=readers_model.session)


@pytest.mark.parametrize("given", [{"solution_version": ["a", "b"]}, {"filter": [None, "a"]}])
def test_a_form_says_that_it_asks_one(session, given):
    with pytest.raises(TypeError, match=r"a form takes one '\w+', got a list: .*pnb\.recommend\("):
        JobForm(USERS, session=session, **given)
