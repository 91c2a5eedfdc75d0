"""The table of recipes: the service lists and trains what it says, and a row is all that a new recipe needs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC

import pytest
import small_world as world
from inline_service import BUCKET, RECIPE, ROLE, InlineService
from installed_boto3 import needs_boto3

import personalize_nb as pnb
from personalize_nb.contract import columns
from personalize_nb.contract import hyperparameters as hp
from personalize_nb.contract.domain_recipes import DOMAIN_RECIPES
from personalize_nb.contract.hyperparameters import Hyperparameter
from personalize_nb.contract.limits import service_model
from personalize_nb.contract.recipes import RECIPES, RELATED_ITEMS, Recipe, recipe_of
from personalize_nb.jobs.rules import RequestContext
from personalize_nb.local.recipes.families import FAMILIES
from personalize_nb.local.state.quotas import DATA_QUOTAS

IMAGINARY = Recipe(
    name="aws-imaginary",
    type=RELATED_ITEMS,
    description="Items that nobody has thought of.",
    since="2026-11-30",
    transformation="imaginary",
    input_keys=("itemId",),
    family="sims",
    hyperparameters={
        **hp.SIMS,
        "mood": Hyperparameter("calm", choices=("calm", "wild"), tunable=True),
    },
    datasets=("INTERACTIONS", "ITEMS"),
)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("recipes"))
    service.put("in.json", b'{"itemId": "i3"}\n{"itemId": "i7"}\n')
    yield service
    service.close()


@pytest.fixture(scope="module")
def group(service):
    """A dataset group with the small world."""
    return service.group()[0]


@pytest.fixture(scope="module")
def version(service, group):
    """A solution version of the imaginary recipe."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, IMAGINARY.name, IMAGINARY)
        return service.version(group, IMAGINARY.name)


@pytest.fixture
def add(monkeypatch):
    """Put the imaginary recipe, with some other facts, into the table."""

    def add(**facts):
        row = replace(IMAGINARY, **facts)
        monkeypatch.setitem(RECIPES, row.name, row)
        return row

    return add


def job(version, name, **more):
    """Return the request of a batch inference job."""
    return {
        "jobName": name,
        "solutionVersionArn": version,
        "jobInput": {"s3DataSource": {"path": f"s3://{BUCKET}/in.json"}},
        "jobOutput": {"s3DataDestination": {"path": f"s3://{BUCKET}/{name}/"}},
        "roleArn": ROLE,
    } | more


def broken_fields(row, kind="items", **more):
    """Return the parameters that `problems` finds wrong in a job of a recipe."""
    version = f"arn:aws:personalize:us-east-1:123456789012:solution/s/{'0' * 8}"
    request = pnb.JobRequest("job", version, "s3://b/in.json", "s3://b/out/", ROLE, **more)
    return [problem.field for problem in pnb.problems(request, RequestContext(recipe=row.name, kind=kind))]


# the rows ---------------------------------------------------------------------------------------------------------


def test_the_service_lists_the_rows_and_nothing_else(service):
    pages = service.control.get_paginator("list_recipes").paginate()
    names = [recipe["name"] for page in pages for recipe in page["recipes"]]
    assert names == sorted([*RECIPES, *DOMAIN_RECIPES])


@pytest.mark.parametrize("row", [*RECIPES.values(), *DOMAIN_RECIPES.values()], ids=lambda row: row.name)
def test_the_service_describes_a_row(service, row):
    recipe = service.control.describe_recipe(recipeArn=row.arn)["recipe"]
    assert (recipe["name"], recipe["recipeType"], recipe["description"]) == (row.name, row.type, row.description)
    assert recipe["creationDateTime"].astimezone(UTC).date().isoformat() == row.since
    assert recipe["algorithmArn"].rpartition("/")[2] == row.algorithm_name
    assert recipe.get("featureTransformationArn", "").rpartition("/")[2] == (row.transformation or "")


@pytest.mark.parametrize("row", RECIPES.values(), ids=lambda row: row.name)
def test_an_algorithm_has_the_hyperparameters_of_its_row(service, row):
    arn = f"arn:aws:personalize:::algorithm/{row.algorithm_name}"
    algorithm = service.control.describe_algorithm(algorithmArn=arn)["algorithm"]
    ranges = algorithm["defaultHyperParameterRanges"]
    listed = {entry["name"]: entry for entries in ranges.values() for entry in entries}
    own = {name: entry for name, entry in row.hyperparameters.items() if not entry.featurizes}
    assert listed.keys() == algorithm["defaultHyperParameters"].keys() == own.keys()
    assert {name for name, entry in listed.items() if entry["isTunable"]} == row.tunable.keys()
    for name, text in algorithm["defaultHyperParameters"].items():
        assert own[name].parse(name, text) == own[name].default


def test_each_family_learns_a_recipe_and_each_recipe_but_that_of_actions_has_one():
    assert {row.family for row in RECIPES.values() if row.family} == FAMILIES.keys()
    assert [row.name for row in RECIPES.values() if row.family is None] == ["aws-next-best-action"]


@pytest.mark.parametrize("row", RECIPES.values(), ids=lambda row: row.name)
def test_what_a_row_names_exists(row):
    assert set(row.input_keys) <= columns.JSON_KEYS.keys()
    assert {row.interactions_quota, row.items_quota} <= DATA_QUOTAS.keys()
    assert set(row.datasets) <= world.SCHEMAS.keys()
    assert not (row.batch and row.segments)
    assert row.batch or not (row.themes or row.ranking_influence)


@pytest.mark.parametrize("row", DOMAIN_RECIPES.values(), ids=lambda row: row.name)
def test_a_domain_recipe_learns_what_a_custom_one_learns(row):
    assert row.domain in service_model().shape_for("Domain").enum
    assert row.sibling.family in FAMILIES


def test_a_recipe_is_found_by_name_and_by_arn():
    row = RECIPES["aws-sims"]
    assert recipe_of("aws-sims") is recipe_of(row.arn) is recipe_of("arn:aws-cn:personalize:::recipe/aws-sims") is row
    assert recipe_of("aws-vod-top-picks") is None


@pytest.mark.parametrize(
    ("text", "value"), [("calm", "calm"), ("wild", "wild")] + [(text, None) for text in ("", "Calm", "calm ")]
)
def test_a_hyperparameter_of_texts_takes_those(text, value):
    mood = IMAGINARY.hyperparameters["mood"]
    if value is None:
        with pytest.raises(ValueError, match=f"Invalid value '{text}' of hyperparameter mood; legal is calm, wild"):
            mood.parse("mood", text)
    else:
        assert (mood.kind, mood.parse("mood", text)) == ("categorical", value)


# a new row --------------------------------------------------------------------------------------------------------


def test_a_new_row_is_listed_and_described(service, add):
    row = add()
    assert row.name in [recipe["name"] for recipe in service.control.list_recipes()["recipes"]]
    recipe = service.control.describe_recipe(recipeArn=row.arn)["recipe"]
    assert (recipe["recipeType"], recipe["description"]) == (RELATED_ITEMS, row.description)
    algorithm = service.control.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]
    [mood] = algorithm["defaultHyperParameterRanges"]["categoricalHyperParameterRanges"]
    assert mood == {"name": "mood", "values": ["calm", "wild"], "isTunable": True}
    arn = recipe["featureTransformationArn"]
    transformation = service.control.describe_feature_transformation(featureTransformationArn=arn)
    assert "min_item_interaction_count_percentile" in transformation["featureTransformation"]["defaultParameters"]


def test_a_new_row_is_trained_by_its_family_and_answers_jobs_and_requests(service, version, add):
    add()
    metrics = service.control.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert metrics["coverage"] > 0.5
    service.made("create_batch_inference_job", **job(version, "answers"))
    rows = [json.loads(line) for line in service.read("answers/in.json.out").splitlines()]
    assert [row["input"]["itemId"] for row in rows] == ["i3", "i7"]
    assert all(len(row["output"]["recommendedItems"]) == 25 for row in rows)
    campaign = service.made("create_campaign", name="asks", solutionVersionArn=version)
    found = service.runtime.get_recommendations(campaignArn=campaign, itemId="i3", numResults=25)["itemList"]
    assert [item["itemId"] for item in found] == rows[0]["output"]["recommendedItems"]


def test_a_new_row_is_tuned_within_its_ranges(service, group, add):
    row = add()
    ranges = {"categoricalHyperParameterRanges": [{"name": "mood", "values": ["wild"]}]}
    solution = service.made(
        "create_solution",
        name="tuned",
        datasetGroupArn=group,
        recipeArn=row.arn,
        performHPO=True,
        solutionConfig={"hpoConfig": {"algorithmHyperParameterRanges": ranges}},
    )
    version = service.made("create_solution_version", solutionArn=solution)
    described = service.control.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    assert described["tunedHPOParams"]["algorithmHyperParameters"] == {"mood": "wild"}


@pytest.mark.parametrize(
    ("facts", "config", "told"),
    [
        ({}, {"algorithmHyperParameters": {"mood": "sad"}}, "'sad' of hyperparameter mood; legal is calm, wild"),
        ({"hyperparameters": {}}, {"algorithmHyperParameters": {"mood": "calm"}}, "aws-imaginary; the recipe has none"),
        ({}, {"optimizationObjective": {"itemAttribute": "PRICE"}}, "got recipe aws-imaginary"),
        pytest.param(
            {},
            {"eventsConfig": {"eventParametersList": [{"eventType": "buy"}]}},
            "aws-imaginary trains with eventType",
            marks=needs_boto3("1.37.29"),
        ),
    ],
)
def test_a_solution_of_a_new_row_is_refused_by_its_facts(service, group, add, facts, config, told):
    row = add(**facts)
    request = {"datasetGroupArn": group, "recipeArn": RECIPE + row.name}
    _, code, message = service.refused(
        service.control, "create_solution", name="refused", solutionConfig=config, **request
    )
    assert (code, told in message) == ("InvalidInputException", True), message


def test_a_version_of_a_new_row_needs_the_datasets_of_its_row(service, group, add):
    row = add(datasets=("USERS", "ACTIONS"))
    solution = service.made("create_solution", name="needs", datasetGroupArn=group, recipeArn=row.arn)
    _, _, message = service.refused(service.control, "create_solution_version", solutionArn=solution)
    assert "no dataset of type ACTIONS, which aws-imaginary needs" in message
    add()
    assert service.control.create_solution_version(solutionArn=solution)


@pytest.mark.parametrize(
    ("facts", "more", "told"),
    [
        ({"batch": False}, {}, "not supported by recipe aws-imaginary of type RELATED_ITEMS"),
        ({}, {"batchInferenceJobMode": "THEME_GENERATION"}, "the recipe must be aws-similar-items, got aws-imaginary"),
        (
            {},
            {"batchInferenceJobConfig": {"itemExplorationConfig": {"explorationWeight": "0.5"}}},
            "for recipe aws-user-personalization only",
        ),
        (
            {"exploration": True},
            {"batchInferenceJobConfig": {"itemExplorationConfig": {"explorationWeight": "0.5"}}},
            "",
        ),
        pytest.param(
            {"ranking_influence": True},
            {"batchInferenceJobConfig": {"rankingInfluence": {"FRESHNESS": 0.5}}},
            "",
            marks=needs_boto3("1.41.6"),
        ),
    ],
)
def test_a_job_of_a_new_row_is_taken_or_refused_by_its_facts(service, version, add, facts, more, told):
    add(**facts)
    request = job(version, f"facts-{'-'.join(facts)}", **more)
    if told:
        _, code, message = service.refused(service.control, "create_batch_inference_job", **request)
        assert (code, told in message) == ("InvalidInputException", True), message
    else:
        assert service.made("create_batch_inference_job", **request)


@needs_boto3("1.41.6")
def test_problems_judge_a_new_row_by_its_facts(add):
    themes = {"mode": "THEME_GENERATION", "item_name": "TITLE"}
    row = add()
    assert broken_fields(row) == []
    assert broken_fields(row, "users") == ["input_path"]
    assert broken_fields(row, exploration_weight=0.5) == ["exploration_weight"]
    assert broken_fields(row, ranking_influence={"POPULARITY": 0.5}) == ["ranking_influence"]
    assert broken_fields(row, **themes) == ["mode"]
    row = add(exploration=True, ranking_influence=True, themes=True, input_keys=("userId",))
    assert broken_fields(row, "users", exploration_weight=0.5, ranking_influence={"POPULARITY": 0.5}) == []
    assert broken_fields(row, "users", **themes) == []
    assert broken_fields(add(batch=False)) == ["solution_version_arn"]


def test_train_refuses_a_new_row_that_no_batch_job_takes(add):
    add(batch=False)
    with pytest.raises(pnb.errors.InputError, match="No batch job takes a solution version of aws-imaginary"):
        pnb.train("interactions", recipe="aws-imaginary")
    add()
    with pytest.raises(pnb.errors.InputError, match="interactions must be a DataFrame"):
        pnb.train("interactions", recipe="aws-imaginary")
