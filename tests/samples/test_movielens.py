"""ml-latest-small through the toolkit: two recipes trained, every user recommended to, a hundred themes."""

import pytest

import personalize_nb as pnb

pytestmark = pytest.mark.movielens


@pytest.fixture(scope="module")
def films(real_movielens):
    return pnb.samples.movielens(real_movielens)


def test_every_user_gets_recommendations_better_than_amazon_published(films, session):
    model = pnb.train(films.interactions, films.items, name="films", progress=False, session=session)
    metrics = model.metrics()
    assert metrics["normalized_discounted_cumulative_gain_at_25"] > 0.25
    assert metrics["mean_reciprocal_rank_at_25"] > 0.15

    job = pnb.recommend(films.users, model, num_results=25).wait(progress=False)

    frame = job.recommendations(items=films.items)
    assert frame["user_id"].drop_duplicates().tolist() == films.users["user_id"].tolist()
    assert frame.groupby("user_id").size().eq(25).all()
    assert frame["title"].notna().all()
    assert frame["score"].between(0, 1).all()
    assert frame.groupby("user_id")["score"].apply(lambda scores: scores.is_monotonic_decreasing).all()
    assert job.errors().empty


def test_a_hundred_themes(films, session):
    # the films that most have seen are enough to choose from: a quarter of the work
    seen = films.interactions["item_id"].value_counts().head(1500)
    known, viewed = (frame[frame["item_id"].isin(seen.index)] for frame in (films.items, films.interactions))
    described = films.items[films.items["description"].notna()]
    seeds = described.loc[described["item_id"].isin(seen.index[:150]), ["item_id"]].head(100)
    model = pnb.train(viewed, known, name="seen", recipe="aws-similar-items", progress=False, session=session)

    job = pnb.themes(seeds, model, num_results=20).wait(progress=False)

    themes = job.themes(items=films.items, threshold=-1, minimum_items=1)
    texts = themes.drop_duplicates("item_id").set_index("item_id")["theme"]
    assert texts.index.tolist() == seeds["item_id"].tolist()
    assert texts.str.len().le(60).all() and texts.str.split().str.len().between(2, 8).mean() > 0.9
    assert themes["relevance"].between(-0.2, 0.6).all()
    assert job.errors().empty
