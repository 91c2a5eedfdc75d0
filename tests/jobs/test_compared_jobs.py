"""Jobs, runs and results are compared and measured as their frames are, and a run of several questions with itself."""

import pandas as pd
import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb.errors import InputError


@pytest.fixture(scope="module")
def asked(session, readers_model):
    """Give a run of one model with and without a filter."""
    unread = pnb.create_filter(
        "compared-unread",
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
        readers_model,
        progress=False,
        session=session,
    )
    users = [f"r{number}" for number in range(12)]
    return pnb.recommend(users, readers_model, filter=[None, unread], num_results=5, session=session).wait()


def test_a_run_of_several_questions_is_compared_with_itself(asked):
    found = pnb.compare(asked, cut_offs=[5])
    assert found.names == ["no filter", "compared-unread"]
    frame = asked.recommendations()
    parts = {name: frame[frame["filter"].fillna("no filter") == name] for name in found.names}
    by_frame = pnb.compare(parts, cut_offs=[5])
    pd.testing.assert_frame_equal(found.by_owner(), by_frame.by_owner())
    pd.testing.assert_frame_equal(pnb.compare(asked.results(), cut_offs=[5]).overlap(), found.overlap())


def test_jobs_are_taken_wherever_frames_are(asked):
    one, other = asked.jobs
    truth = reading_world.interactions().sample(60, random_state=1)
    frames = {"one": one.recommendations(), "other": other.results().recommendations()}
    options = {"truth": truth, "cut_offs": [5], "samples": 20}
    by_job = pnb.compare({"one": one, "other": other.results()}, **options)
    pd.testing.assert_frame_equal(by_job.metrics(), pnb.compare(frames, **options).metrics())
    measured = pnb.evaluate(one, truth, cut_offs=[5])
    pd.testing.assert_series_equal(measured, pnb.evaluate(frames["one"], truth, cut_offs=[5]))
    pd.testing.assert_series_equal(measured, pnb.evaluate(one.results().arrow(), truth, cut_offs=[5]))
    worst = pnb.worst_users(one, truth, cut_offs=[5])
    pd.testing.assert_frame_equal(worst, pnb.worst_users(frames["one"], truth, cut_offs=[5]))
    for plot in (pnb.compare({"one": one, "other": frames["other"]}).scores(), by_job.coverage()):
        assert len(plot) == 10


def test_several_lists_of_a_user_are_told_with_what_to_do(asked):
    with pytest.raises(
        InputError, match="'run' has several lists of one user_id, told apart by 'filter', which 'one' has not"
    ):
        pnb.compare({"run": asked, "one": asked.jobs[0]})
    with pytest.raises(InputError, match="must have one list for a user"):
        pnb.evaluate(asked, reading_world.interactions())


def test_one_job_alone_is_told(asked):
    with pytest.raises(InputError, match="'lists' must be names with lists.*or a run of several"):
        pnb.compare(asked.jobs[0])
