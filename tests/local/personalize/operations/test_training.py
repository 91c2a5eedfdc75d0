"""Recipes, solutions and solution versions, through boto3."""

from __future__ import annotations

import pytest
from control_plane import avro

from personalize_nb.contract.recipes import RECIPES
from personalize_nb.local.state.facts import Changes

RECIPE = "arn:aws:personalize:::recipe/"


def test_recipes_are_listed_in_alphabetical_order_without_their_type(plane):
    pages = list(plane.client.get_paginator("list_recipes").paginate(PaginationConfig={"PageSize": 11}))
    recipes = [recipe for page in pages for recipe in page["recipes"]]
    names = [recipe["name"] for recipe in recipes]
    assert names == sorted(names)
    assert set(RECIPES) <= set(names)
    assert len(pages) > 1
    custom = next(recipe for recipe in recipes if recipe["name"] == "aws-sims")
    assert custom.keys() == {"name", "recipeArn", "status", "creationDateTime", "lastUpdatedDateTime"}
    shop = plane.client.list_recipes(domain="ECOMMERCE")["recipes"]
    assert {recipe["domain"] for recipe in shop} == {"ECOMMERCE"}
    assert len(shop) == 5


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_leads_to_its_algorithm_and_transformation(plane, name):
    recipe = plane.client.describe_recipe(recipeArn=RECIPE + name)["recipe"]
    assert (recipe["recipeType"], recipe["status"]) == (RECIPES[name].type, "ACTIVE")
    algorithm = plane.client.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]
    assert algorithm["algorithmArn"] == recipe["algorithmArn"]
    if "featureTransformationArn" in recipe:
        arn = recipe["featureTransformationArn"]
        found = plane.client.describe_feature_transformation(featureTransformationArn=arn)["featureTransformation"]
        assert found["featureTransformationArn"] == arn


def test_an_algorithm_tells_its_hyperparameters(plane):
    algorithm = plane.client.describe_algorithm(algorithmArn="arn:aws:personalize:::algorithm/aws-sims")["algorithm"]
    assert algorithm["defaultHyperParameters"]["min_cointeraction_count"] == "3"
    [count] = algorithm["defaultHyperParameterRanges"]["integerHyperParameterRanges"]
    assert count == {"name": "min_cointeraction_count", "minValue": 0, "maxValue": 10, "isTunable": True}
    arn = "arn:aws:personalize:::feature-transformation/sims"
    found = plane.client.describe_feature_transformation(featureTransformationArn=arn)["featureTransformation"]
    assert found["defaultParameters"]["max_item_interaction_count_percentile"] == "0.9"


def test_what_amazon_does_not_provide_is_not_found(plane):
    for operation, member, kind in (
        ("describe_recipe", "recipeArn", "recipe"),
        ("describe_algorithm", "algorithmArn", "algorithm"),
        ("describe_feature_transformation", "featureTransformationArn", "feature-transformation"),
    ):
        code, _ = plane.refused(operation, **{member: f"arn:aws:personalize:::{kind}/magic"})
        assert code == "ResourceNotFoundException"


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_solution_of_every_custom_recipe(plane, recipe):
    solution = plane.solution(plane.group(), recipe)
    assert plane.client.describe_solution(solutionArn=solution)["solution"]["recipeArn"] == RECIPE + recipe


def test_a_solution_is_echoed_exactly(plane):
    config = {
        "eventValueThreshold": "3.5",
        "algorithmHyperParameters": {"hidden_dimension": "64"},
        "featureTransformationParameters": {"min_user_history_length_percentile": "0.1"},
        "trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["PRICE"]}},
        "autoTrainingConfig": {"schedulingExpression": "rate(30 days)"},
    }
    group = plane.group()
    plane.dataset(group)
    arn = plane.solution(group, eventType="click", solutionConfig=config, performAutoTraining=False)
    solution = plane.client.describe_solution(solutionArn=arn)["solution"]
    assert solution["solutionConfig"] == config
    assert (solution["eventType"], solution["performAutoTraining"], solution["performHPO"]) == ("click", False, False)
    assert "latestSolutionVersion" not in solution
    plane.version(arn)
    newest = plane.version(arn)
    latest = plane.client.describe_solution(solutionArn=arn)["solution"]["latestSolutionVersion"]
    assert (latest["solutionVersionArn"], latest["trainingMode"], latest["status"]) == (newest, "FULL", "ACTIVE")
    facts = plane.store[newest].facts
    merged = {"hidden_dimension": "64", "min_user_history_length_percentile": "0.1"}
    assert facts.hyperparameters == merged
    [listed] = plane.client.list_solutions(datasetGroupArn=group)["solutions"]
    assert listed.keys() == {"name", "solutionArn", "status", "recipeArn", "creationDateTime", "lastUpdatedDateTime"}


def test_automatic_training_is_recorded_as_aws_defaults_it(plane):
    arn = plane.solution(plane.group())
    assert plane.client.describe_solution(solutionArn=arn)["solution"]["performAutoTraining"] is True


BAD_SOLUTIONS = [
    ({"recipeArn": RECIPE + "magic"}, "ResourceNotFoundException", "aws-user-personalization"),
    ({"recipeArn": RECIPE + "aws-vod-top-picks"}, "InvalidInputException", "VIDEO_ON_DEMAND"),
    ({"recipeArn": None}, "InvalidInputException", "recipeArn is required"),
    ({"performAutoML": True}, "InvalidInputException", "performAutoML"),
    ({"performIncrementalUpdate": True}, "InvalidInputException", "aws-semantic-similarity"),
    ({"solutionConfig": {"eventValueThreshold": "high"}}, "InvalidInputException", "'high'"),
    (
        {"solutionConfig": {"algorithmHyperParameters": {"hidden_dimension": "1000"}}},
        "InvalidInputException",
        "'1000' of hyperparameter hidden_dimension",
    ),
    (
        {"solutionConfig": {"algorithmHyperParameters": {"depth": "3"}}},
        "InvalidInputException",
        "Unknown hyperparameter 'depth'",
    ),
    (
        {"solutionConfig": {"eventsConfig": {"eventParametersList": [{"eventType": "click", "weight": 1.0}]}}},
        "InvalidInputException",
        "eventsConfig is for aws-user-personalization-v2 and aws-personalized-ranking-v2; ",
    ),
    (
        {"solutionConfig": {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}},
        "InvalidInputException",
        "rate(31 days)",
    ),
    (
        {"solutionConfig": {"trainingDataConfig": {"excludedDatasetColumns": {"CLICKS": ["PRICE"]}}}},
        "InvalidInputException",
        "no dataset type 'CLICKS'",
    ),
    (
        {"solutionConfig": {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["USER_ID"]}}}},
        "InvalidInputException",
        "USER_ID of INTERACTIONS cannot be excluded",
    ),
    (
        {"solutionConfig": {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "41"}}}},
        "InvalidInputException",
        "maxNumberOfTrainingJobs must be a whole number from 1 to 40",
    ),
]


@pytest.mark.parametrize(("params", "code", "text"), BAD_SOLUTIONS)
def test_a_solution_that_cannot_be_trained_is_refused(plane, params, code, text):
    request = {"name": "s", "datasetGroupArn": plane.group(), "recipeArn": RECIPE + "aws-user-personalization"}
    request = {key: value for key, value in (request | params).items() if value is not None}
    found, message = plane.refused("create_solution", **request)
    assert (found, text in message) == (code, True), message
    assert plane.client.list_solutions()["solutions"] == []


def test_solutions_wait_for_their_group_and_versions_for_its_interactions(plane):
    group = plane.group(work=False)
    request = {"name": "s", "datasetGroupArn": group, "recipeArn": RECIPE + "aws-sims"}
    assert plane.refused("create_solution", **request)[0] == "ResourceInUseException"
    plane.work()
    arn = plane.client.create_solution(**request)["solutionArn"]
    assert plane.refused("create_solution", **request)[0] == "ResourceAlreadyExistsException"
    plane.work()
    code, message = plane.refused("create_solution_version", solutionArn=arn)
    assert (code, "INTERACTIONS" in message) == ("InvalidInputException", True)
    plane.dataset(group)
    plane.version(arn)


@pytest.mark.parametrize("begun", [False, True])
def test_a_version_need_not_wait_for_its_solution(plane, begun):
    """The service's own thread makes solutions ACTIVE when it comes round, which callers must not notice."""
    group = plane.group()
    plane.dataset(group)
    solution = plane.solution(group, work=False)
    if begun:
        plane.store.set_status(solution, "CREATE IN_PROGRESS")
    version = plane.version(solution, work=False)
    assert plane.store[solution].status == ("CREATE IN_PROGRESS" if begun else "CREATE PENDING")
    plane.work()
    assert [plane.store[arn].status for arn in (solution, version)] == ["ACTIVE", "ACTIVE"]


def test_a_solution_that_failed_has_no_versions(plane):
    group = plane.group()
    plane.dataset(group)
    solution = plane.solution(group, work=False)
    plane.work("CREATE FAILED", "no reason")
    code, message = plane.refused("create_solution_version", solutionArn=solution)
    assert (code, "CREATE FAILED" in message) == ("ResourceInUseException", True)


def test_the_eleventh_solution_of_a_group_is_too_many(plane):
    group = plane.group()
    for number in range(10):
        plane.solution(group, name=f"s{number}")
    code, message = plane.refused("create_solution", name="s10", datasetGroupArn=group, recipeArn=RECIPE + "aws-sims")
    assert (code, "More than 10 resources" in message) == ("LimitExceededException", True)
    plane.solution(plane.group("other"), name="s10")


# solution versions ----------------------------------------------------------------------------------------------


def test_a_version_shows_what_aws_shows(plane):
    group, arn = plane.trained("aws-similar-items", ("Interactions", "Items"))
    solution, _, model = arn.rpartition("/")
    assert len(model) == 8
    assert set(model) <= set("0123456789abcdef")
    version = plane.client.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
    assert version.keys() == {
        "name",
        "solutionVersionArn",
        "solutionArn",
        "performHPO",
        "performAutoML",
        "recipeArn",
        "datasetGroupArn",
        "trainingHours",
        "trainingMode",
        "trainingType",
        "status",
        "creationDateTime",
        "lastUpdatedDateTime",
    }
    assert (version["name"], version["solutionArn"]) == (f"taste/{model}", solution)
    facts = plane.store[arn].facts
    assert facts.schemas == {"INTERACTIONS": avro("Interactions"), "ITEMS": avro("Items")}
    assert (facts.recipe, facts.group, facts.model) == ("aws-similar-items", "books", model)
    [listed] = plane.client.list_solution_versions(solutionArn=solution)["solutionVersions"]
    assert (listed["solutionVersionArn"], listed["trainingMode"]) == (arn, "FULL")
    assert plane.refused("list_solution_versions", solutionArn=solution + "x")[0] == "ResourceNotFoundException"


def test_a_version_may_have_a_name_of_its_own(plane):
    group = plane.group()
    plane.dataset(group)
    solution = plane.solution(group)
    arn = plane.version(solution, name="friday")
    assert plane.client.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]["name"] == "friday"
    code, _ = plane.refused("create_solution_version", solutionArn=solution, name="friday")
    assert code == "ResourceAlreadyExistsException"


def test_metrics_belong_to_active_versions(plane):
    group = plane.group()
    plane.dataset(group)
    arn = plane.version(plane.solution(group), work=False)
    assert plane.refused("get_solution_metrics", solutionVersionArn=arn)[0] == "ResourceInUseException"
    plane.work(changes=Changes(facts={"metrics": {"coverage": 0.1234, "precision_at_5": 0.2}}))
    found = plane.client.get_solution_metrics(solutionVersionArn=arn)
    assert (found["solutionVersionArn"], found["metrics"]) == (arn, {"coverage": 0.1234, "precision_at_5": 0.2})


def test_update_training_needs_the_right_recipe_and_a_full_one_before(plane):
    group = plane.group()
    plane.dataset(group)
    solution = plane.solution(group)
    request = {"solutionArn": solution, "trainingMode": "UPDATE"}
    assert plane.refused("create_solution_version", **request)[0] == "InvalidInputException"
    plane.version(solution)
    assert plane.version(solution, trainingMode="UPDATE")
    other = plane.solution(group, "aws-sims", name="other")
    plane.version(other)
    code, message = plane.refused("create_solution_version", **request | {"solutionArn": other})
    assert (code, "aws-sims" in message) == ("InvalidInputException", True)
    code, _ = plane.refused("create_solution_version", solutionArn=solution, trainingMode="AUTOTRAIN")
    assert code == "InvalidInputException"


def test_a_waiting_training_stops_at_once_and_a_running_one_by_its_worker(plane):
    group = plane.group()
    plane.dataset(group)
    solution = plane.solution(group)
    waiting = plane.version(solution, work=False)
    plane.client.stop_solution_version_creation(solutionVersionArn=waiting)
    version = plane.client.describe_solution_version(solutionVersionArn=waiting)["solutionVersion"]
    assert (version["status"], plane.store.waiting()) == ("CREATE STOPPED", 0)
    running = plane.version(solution, work=False)
    plane.store.set_status(running, "CREATE IN_PROGRESS")
    plane.client.stop_solution_version_creation(solutionVersionArn=running)
    assert plane.store[running].status == "CREATE STOPPING"
    for arn, expected in ((waiting, "InvalidInputException"), (running, "ResourceInUseException")):
        code, _ = plane.refused("stop_solution_version_creation", solutionVersionArn=arn)
        assert code == expected


def test_deleting_a_solution_takes_its_versions_along(plane):
    group = plane.group()
    dataset = plane.dataset(group)
    solution = plane.solution(group)
    version = plane.version(solution, work=False)
    for operation, params, holder in (
        ("delete_solution", {"solutionArn": solution}, version),
        ("delete_dataset", {"datasetArn": dataset}, version),
    ):
        code, message = plane.refused(operation, **params)
        assert (code, holder in message) == ("ResourceInUseException", True)
    plane.work()
    code, message = plane.refused("delete_dataset_group", datasetGroupArn=group)
    assert (code, solution in message) == ("ResourceInUseException", True)
    plane.client.delete_solution(solutionArn=solution)
    assert plane.deleted == [version, solution]
    for operation, params in (
        ("describe_solution", {"solutionArn": solution}),
        ("describe_solution_version", {"solutionVersionArn": version}),
        ("get_solution_metrics", {"solutionVersionArn": version}),
        ("create_solution_version", {"solutionArn": solution}),
    ):
        assert plane.refused(operation, **params)[0] == "ResourceNotFoundException"
