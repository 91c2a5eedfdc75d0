"""The step that a model names is one that works with its recipe."""

import pytest

import personalize_nb as pnb
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.errors import RequestError
from personalize_nb.resources.solutions import SolutionVersion

SEGMENT_JOB, CAMPAIGN = "pnb.segments(", "create_campaign("


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_every_recipe_has_a_step_that_fits(recipe, session):
    row = RECIPES[recipe]
    text = repr(SolutionVersion("arn:aws:personalize:us-east-1:123456789012:solution/x/1", recipe, "arn", session))
    assert ("pnb.recommend(" in text) is row.batch
    assert (SEGMENT_JOB in text) is row.segments
    assert (CAMPAIGN in text) is (row.realtime and not row.batch)


@pytest.mark.parametrize(
    "start",
    [
        lambda model, session: pnb.recommend(["i1"], model, session=session),
        lambda model, session: pnb.recommend(f"s3://{session.bucket}/some/input.json", model, session=session),
        lambda model, session: pnb.themes(["i1"], model, session=session),
    ],
)
def test_a_segmentation_model_is_refused_with_the_job_that_takes_it(session, affinity_model, start):
    with pytest.raises(RequestError, match="do not work with the recipe aws-item-affinity") as refused:
        start(affinity_model, session)
    assert SEGMENT_JOB in str(refused.value)


def test_preflight_of_a_request_for_items_names_the_job_for_users(session, affinity_model):
    request = pnb.JobRequest("x", affinity_model.arn, f"s3://{session.bucket}/x/in.jsonl", "s3://b/o/", session.role())
    found = " ".join(pnb.preflight(request, session=session)["found"])
    assert SEGMENT_JOB in found


def test_a_form_offers_what_batch_jobs_of_either_kind_take(session, affinity_model, readers_model):
    form = pnb.JobForm(["1"], session=session)
    offered = " ".join(form.widgets["solution_version"].options)
    assert readers_model.name in offered and affinity_model.name in offered
