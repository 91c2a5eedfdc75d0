"""The step that a model names is one that works with its recipe."""

import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.errors import RequestError
from personalize_nb.resources.solutions import SolutionVersion

SEGMENT_JOB, CAMPAIGN = "create_batch_segment_job(", "create_campaign("


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_every_recipe_has_a_step_that_fits(recipe, session):
    row = RECIPES[recipe]
    text = repr(SolutionVersion("arn:aws:personalize:us-east-1:123456789012:solution/x/1", recipe, "arn", session))
    assert ("pnb.recommend(" in text) is row.batch
    assert (SEGMENT_JOB in text and "pnb.read_results(" in text) is row.segments
    assert (CAMPAIGN in text) is (row.realtime and not row.batch)


@pytest.fixture(scope="module")
def segments_model(session):
    return pnb.train(
        reading_world.interactions(), name="segmenting", recipe="aws-item-affinity", progress=False, session=session
    )


@pytest.mark.parametrize(
    "start",
    [
        lambda model, session: pnb.recommend(["i1"], model, session=session),
        lambda model, session: pnb.recommend(f"s3://{session.bucket}/some/input.json", model, session=session),
        lambda model, session: pnb.themes(["i1"], model, session=session),
        lambda model, session: pnb.JobForm(["i1"], model, session=session),
    ],
)
def test_a_segmentation_model_is_refused_with_the_job_that_takes_it(session, segments_model, start):
    with pytest.raises(RequestError, match="do not work with the recipe aws-item-affinity") as refused:
        start(segments_model, session)
    assert SEGMENT_JOB in str(refused.value) and "pnb.read_results(" in str(refused.value)


def test_preflight_names_the_job_too(session, segments_model):
    report = pnb.preflight(["i1"], segments_model, session=session)
    assert SEGMENT_JOB in str(report) or SEGMENT_JOB in report.to_frame().to_string()


def test_a_form_offers_only_what_batch_jobs_take(session, segments_model, readers_model):
    form = pnb.JobForm(["1"], session=session)
    offered = [value for _, value in form.widgets["solution_version"].options]
    assert readers_model.arn in offered and segments_model.arn not in offered
    assert form.solution_version != segments_model
