"""What a job comes to is counted in its input, wherever that lies, and nothing starts that would cost too much."""

import dataclasses
import io
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
import reading_world
from hypothesis import given, settings
from hypothesis import strategies as st
from injected import answering, refused

import personalize_nb as pnb
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.errors import NotFoundError, RequestError
from personalize_nb.jobs import costs, stored_amounts
from personalize_nb.jobs.stored_amounts import Amount
from personalize_nb.resources import durations, estimate
from personalize_nb.session import s3

ROW = {"per": 1000, "currency": "USD", "source": "bill", "date": "2026-11-01"}
RATES = pnb.Rates([{**ROW, "quantity": "recommendations", "price": 2}, {**ROW, "quantity": "themes", "price": 50}])
USERS = ["r1", "r2", "r3"]


@pytest.fixture
def priced(session):
    """Give the session with rates, which it has not afterwards."""
    session.rates = RATES
    yield session
    session.rates = None


@given(
    records=st.integers(0, 10**8),
    listed=st.integers(0, 10**9),
    num_results=st.none() | st.integers(1, 500),
    recipe=st.sampled_from([*RECIPES, "aws-of-tomorrow", None]),
    themes=st.booleans(),
)
@settings(max_examples=60)
def test_quantities_follow_from_the_input_and_parts_add_up(records, listed, num_results, recipe, themes):
    mode = "THEME_GENERATION" if themes else "BATCH_INFERENCE"
    whole = costs.of_amount(Amount(records, listed), mode, num_results, recipe, RATES)
    ranks = recipe in RECIPES and RECIPES[recipe].ranks_lists
    expected = {"records": records, "recommendations": listed if ranks else records * (num_results or 25)}
    assert whole.quantities == expected | ({"themes": records} if themes else {})
    assert whole.cost == pytest.approx(whole.quantities["recommendations"] / 500 + (records / 20 if themes else 0))
    half = Amount(records // 2, listed // 2)
    rest = Amount(records - half.records, listed - half.listed)
    parts = estimate.total(costs.of_amount(one, mode, num_results, recipe, RATES) for one in (half, rest))
    assert parts.quantities == whole.quantities and parts.cost == pytest.approx(whole.cost)
    assert f"{records:,} record" in whole.text and "by the rates of bill, 2026-11-01" in whole.text


def test_without_rates_it_tells_quantities_and_how_prices_are_set(session, readers_model):
    found = pnb.estimate_cost(USERS, readers_model, num_results=10)
    assert found.quantities == {"records": 3, "recommendations": 30} and found.cost is None
    assert found.text == "3 records, 30 recommendations"
    assert "no price is known: session.rates = pnb.Rates(...)" in repr(found)
    assert pnb.estimate_cost(USERS, readers_model, rates=RATES).frame()["cost"].sum() == 0.15


def test_several_models_and_filters_are_a_sum(readers_model, session):
    one = pnb.estimate_cost(USERS, readers_model)
    two = pnb.estimate_cost(iter(USERS), [readers_model, readers_model.name], session=session)
    assert two.quantities == {name: 2 * amount for name, amount in one.quantities.items()} and two.jobs == 2
    many = pnb.estimate_cost(pnb.users(USERS), readers_model, filter=[None, None, None])
    assert many.quantities["records"] == 9


def test_a_request_a_job_its_arguments_and_a_list_of_them_come_to_the_same(readers_model, session):
    job = pnb.recommend(USERS, readers_model, num_results=7).wait(progress=False)
    expected = {"records": 3, "recommendations": 21}
    for asked in (job, job.request, job.request.to_api()):
        assert pnb.estimate_cost(asked, session=session).quantities == expected
    assert pnb.estimate_cost([job, job.request], session=session).quantities == {"records": 6, "recommendations": 42}
    took = pnb.estimate_cost(USERS, readers_model).expected
    assert took.jobs >= 1 and took.shortest <= took.seconds <= took.longest
    for wrong in (USERS, "r1", [job, "r1"], []):
        with pytest.raises(RequestError, match=r"pnb.estimate_cost takes ids with their model"):
            pnb.estimate_cost(wrong, session=session)


def test_rankings_are_counted_by_their_lists():
    batch = pnb.rankings(pd.DataFrame({"user_id": ["a", "a", "b"], "item_id": ["1", "2", "1"]}))
    found = costs.of_batch(batch, "BATCH_INFERENCE", None, "aws-personalized-ranking")
    assert found.quantities == {"records": 2, "recommendations": 3}


def put(session, folder, **files):
    for name, text in files.items():
        s3.upload(session, io.BytesIO(text.encode()), session.location("costs", folder, name.replace("_dot_", ".")))
    return session.location("costs", folder) + "/"


def test_input_in_s3_is_counted_without_what_is_none_and_projected_where_it_is_long(session):
    line = '{"userId": "1", "itemList": ["a", "b"]}\n'
    folder = put(
        session, "in", a_dot_jsonl=line * 40, b_dot_jsonl=line * 60 + "\n", _SUCCESS="x\n", a_dot_jsonl_dot_out=line
    )
    assert stored_amounts.amount(session, folder) == Amount(100, 200)
    assert stored_amounts.amount(session, folder + "a.jsonl") == Amount(40, 80)  # its output begins with its name
    about = stored_amounts.amount(session, folder, read_bytes=len(line) * 20 + 7)
    assert not about.exact and about.records == pytest.approx(100, abs=1) and about.listed == 2 * about.records
    assert costs.of_amount(about, "BATCH_INFERENCE", 1, None).text.startswith("about 100 records")
    assert stored_amounts.amount(session, folder + "nothing/") == Amount(0, 0)


@pytest.mark.parametrize("where", ["frame", "S3"])
def test_what_would_cost_more_is_not_started_and_leaves_nothing(priced, readers_model, where):
    given = USERS if where == "frame" else put(priced, "dear", a_dot_jsonl='{"userId": "r1"}\n' * 3)
    name = f"dear-{where}"
    with pytest.raises(RequestError, match="'max_cost' is 0.14 USD, and it would be 3 records, 75 rec.*: 0.15 USD"):
        pnb.recommend(given, readers_model, job_name=name, max_cost=0.14)
    with pytest.raises(NotFoundError):
        pnb.attach(name, priced)
    assert s3.stored(priced, priced.location("jobs", name)) == []
    found = pnb.preflight(given, readers_model, max_cost=0.14)
    assert "0.15 USD" in found.loc[found["check"].str.contains("max_cost"), "found"].item()
    assert pnb.recommend(given, readers_model, job_name=name, max_cost=0.15).name == name


def test_a_run_is_refused_by_the_sum_of_its_parts(priced, books_model):
    items = [f"b{number}" for number in range(130)]
    with pytest.raises(RequestError, match=r"130 themes: 13\.00 USD"):
        pnb.themes(items, books_model, job_name="dear-run", max_cost=12.9, num_results=25)
    assert "dear-run" not in pnb.list_runs(priced)["name"].tolist()


@pytest.mark.parametrize(
    ("rates", "most", "told"),
    [
        (None, 5, "the session has no rates"),
        ([{**ROW, "quantity": "recommendations", "price": 1}], 5, "the rates have no price of themes"),
        ([{**ROW, "quantity": "interactions", "price": 1}], 5, "no price of records or recommendations, themes"),
        (RATES, -1, "'max_cost' must be 0 or more"),
        (RATES, "five", "'max_cost' must be"),
    ],
)
def test_a_limit_that_cannot_be_judged_is_not_kept_silently(rates, most, told):
    found = costs.of_amount(Amount(3, 0), "THEME_GENERATION", 5, "aws-similar-items", pnb.Rates.of(rates))
    assert told in next(estimate.problems(found, most)).text
    assert list(estimate.problems(found, None)) == []


NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SOLUTION = "arn:aws:personalize:us-east-1:123456789012:solution/{}/abcdef01"


def entries(*minutes, solution="books", **more):
    return [
        {
            "status": "ACTIVE",
            "creationDateTime": NOW - timedelta(days=number),
            "lastUpdatedDateTime": NOW - timedelta(days=number) + timedelta(minutes=took),
            "solutionVersionArn": SOLUTION.format(solution),
            **more,
        }
        for number, took in enumerate(minutes)
    ]


def test_the_time_is_learnt_from_ended_jobs_of_the_kind(session):
    def expected(*found):
        return durations.expected(session, "BATCH_INFERENCE", SOLUTION.format("books"), [*found])

    own = entries(10, 12, 20)
    others = [
        *entries(90, 95, 99, solution="films"),
        *entries(1, status="CREATE FAILED"),
        *entries(2, status="CREATE PENDING"),
    ]
    themes = entries(60, batchInferenceJobMode="THEME_GENERATION")
    took = expected(*own, *others, *themes)
    assert (took.seconds, took.shortest, took.longest, took.same_solution) == (720, 600, 1200, True)
    assert took.told(NOW) == (
        "about 2026-11-30 12:12 UTC, after 12 min, as 3 earlier jobs of this solution, which took 10 min to 20 min"
    )
    assert took.times(3).seconds == 2160
    assert not expected(*own[:1], *others).same_solution and expected(*themes) is None
    assert dataclasses.replace(expected(*own[:1]), jobs=1).told(NOW).endswith("as 1 earlier job of this solution")


def test_who_may_not_list_is_told_quantities_all_the_same(session, readers_model):
    with refused(session, "personalize:ListBatchInferenceJobs", "personalize:ListCampaigns"):
        found = pnb.estimate_cost(USERS, readers_model)
    assert found.quantities["records"] == 3 and found.expected is None and found.standing == ()


def test_what_goes_on_costing_is_pointed_out(session, readers_model):
    client, arn = session.personalize, "arn:aws:personalize:us-east-1:123456789012:{}/shop"
    listed = {"status": "ACTIVE", "name": "shop"}
    with (
        answering(client, "ListCampaigns", {"campaigns": [{**listed, "campaignArn": arn.format("campaign")}]}),
        answering(client, "DescribeCampaign", {"campaign": {**listed, "minProvisionedTPS": 4}}),
        answering(
            client, "ListRecommenders", {"recommenders": [{**listed, "recommenderArn": arn.format("recommender")}]}
        ),
        answering(client, "DescribeRecommender", {"recommender": listed}),
        answering(client, "ListSolutions", {"solutions": [{**listed, "solutionArn": arn.format("solution")}]}),
        answering(client, "DescribeSolution", {"solution": {**listed, "performAutoTraining": True}}),
        answering(client, "ListTagsForResource", {"tags": [{"tagKey": "personalize_nb:owner", "tagValue": "ben"}]}),
    ):
        frame = pnb.standing_costs(session)
        told = pnb.estimate_cost(USERS, readers_model).standing
    assert frame[["kind", "name", "owner"]].values.tolist() == [
        [kind, "shop", "ben"] for kind in ("campaign", "recommender", "solution")
    ]
    assert "at least 4 requests" in frame["why"][0] and "rate(7 days)" in frame["why"][2]
    assert [one.split(" ")[0] for one in told] == ["campaign", "recommender", "solution"]
    assert all("session.personalize." in one for one in frame["stop"])


def test_a_trainings_size_is_told_and_limited(session, readers_model):
    frames = reading_world.interactions(), reading_world.items()
    found = pnb.estimate_training_cost(*frames, session=session)
    assert found.quantities["interactions"] == len(frames[0]) and 0 < found.quantities["imported_gb"] < 0.001
    assert found.quantities["training_hours"] >= 0 and not found.exact
    session.rates = [{**ROW, "quantity": "interactions", "price": 5}, {**ROW, "quantity": "imported_gb", "price": 0}]
    try:
        groups = len(pnb.list_dataset_groups(session))
        with pytest.raises(RequestError, match=r"'max_cost' is 1 USD, and it would be .*7\.20 USD"):
            pnb.train(*frames, name="dear", max_cost=1, progress=False, session=session)
        report = pnb.preflight_training(*frames, max_cost=1, session=session)
        assert report.loc[report["check"] == "max_cost", "level"].tolist() == ["error"]
        assert len(pnb.list_dataset_groups(session)) == groups
    finally:
        session.rates = None
