"""What a solution says about HPO and objectives, and what a job says about rankingInfluence, is checked at once."""

from __future__ import annotations

import pytest
from control_plane import FIELDS, avro

RECIPE = "arn:aws:personalize:::recipe/"
WHOLE, REAL, CHOICE = "integerHyperParameterRanges", "continuousHyperParameterRanges", "categoricalHyperParameterRanges"


def ranges(**members) -> dict:
    return {"hpoConfig": {"algorithmHyperParameterRanges": members}}


@pytest.mark.parametrize(
    ("recipe", "params", "text"),
    [
        ("aws-popularity-count", {"performHPO": True}, "not for aws-popularity-count"),
        ("aws-user-personalization-v2", {"performHPO": True}, "aws-sims"),
        ("aws-sims", {"solutionConfig": ranges(**{WHOLE: [{"name": "bptt"}]})}, "'bptt' of aws-sims cannot be tuned"),
        (
            "aws-sims",
            {"solutionConfig": ranges(**{WHOLE: [{"name": "min_cointeraction_count", "maxValue": 11}]})},
            "must lie within 0 to 10, got 0 to 11",
        ),
        (
            "aws-sims",
            {"solutionConfig": ranges(**{REAL: [{"name": "min_cointeraction_count", "maxValue": 3.0}]})},
            "belongs into integerHyperParameterRanges",
        ),
        (
            "aws-hrnn",
            {"solutionConfig": ranges(**{CHOICE: [{"name": "recency_mask", "values": ["yes"]}]})},
            "legal is true or false",
        ),
        ("aws-hrnn", {"solutionConfig": ranges(**{CHOICE: [{"name": "recency_mask"}]})}, "has no values"),
        (
            "aws-hrnn",
            {"solutionConfig": ranges(**{WHOLE: [{"name": "bptt", "minValue": 9, "maxValue": 8}]})},
            "got 9 to 8",
        ),
        (
            "aws-hrnn",
            {"solutionConfig": ranges(**{WHOLE: [{"name": "bptt"}, {"name": "bptt"}]})},
            "more than one range",
        ),
        (
            "aws-sims",
            {"solutionConfig": {"optimizationObjective": {"itemAttribute": "PRICE"}}},
            "aws-user-personalization and aws-personalized-ranking",
        ),
        (
            "aws-user-personalization",
            {"solutionConfig": {"optimizationObjective": {"objectiveSensitivity": "LOW"}}},
            "needs an itemAttribute",
        ),
        (
            "aws-user-personalization",
            {"solutionConfig": {"optimizationObjective": {"itemAttribute": "TITLE"}}},
            "must be a number that cannot be null; the Items schema has no such field; got 'TITLE'",
        ),
    ],
)
def test_a_training_configuration_that_cannot_be_followed_is_refused(plane, recipe, params, text):
    group = plane.group()
    plane.dataset(group, "Items")
    code, message = plane.refused(
        "create_solution", name="s", datasetGroupArn=group, recipeArn=RECIPE + recipe, **params
    )
    assert (code, text in message) == ("InvalidInputException", True), message


def columns(**members) -> dict:
    return {"solutionConfig": {"trainingDataConfig": {f"{key}DatasetColumns": value for key, value in members.items()}}}


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (columns(excluded={"Items": ["NOPE"]}), "'NOPE', which the Items dataset does not have; legal: ITEM_ID, TITLE"),
        (columns(included={"ITEMS": ["TITLE", "genres"]}), "includedDatasetColumns names the column 'genres'"),
        (
            columns(included={"ITEMS": ["TITLE", "GENRES"]}, excluded={"items": ["GENRES"]}),
            "includes and excludes the column GENRES of items",
        ),
    ],
)
def test_training_columns_are_those_of_the_schemas_and_named_once(plane, params, text):
    group = plane.group()
    plane.dataset(group, "Items")
    request = {"datasetGroupArn": group, "recipeArn": RECIPE + "aws-user-personalization-v2"}
    code, message = plane.refused("create_solution", name="s", **request, **params)
    assert (code, text in message) == ("InvalidInputException", True), message
    plane.solution(group, "aws-user-personalization-v2", **columns(excluded={"Items": ["TITLE"]}))


def rules(*kinds) -> dict:
    return {"eventParametersList": [{"eventType": kind, "weight": 0.5} for kind in kinds]}


def test_an_event_type_has_one_rule(plane):
    group = plane.group()
    code, message = plane.refused(
        "create_solution",
        name="s",
        datasetGroupArn=group,
        recipeArn=RECIPE + "aws-user-personalization-v2",
        solutionConfig={"eventsConfig": rules("buy", "view", "buy")},
    )
    assert (code, "'buy' 2 times" in message) == ("InvalidInputException", True), message
    plane.solution(group, "aws-user-personalization-v2", solutionConfig={"eventsConfig": rules("buy", "view")})


def test_a_whole_configuration_of_hpo_is_echoed(plane):
    config = ranges(
        **{
            WHOLE: [{"name": "bptt", "minValue": 4, "maxValue": 16}],
            CHOICE: [{"name": "recency_mask", "values": ["true", "false"]}],
        }
    )
    config["hpoConfig"] |= {
        "hpoResourceConfig": {"maxNumberOfTrainingJobs": "6", "maxParallelTrainingJobs": "2"},
        "hpoObjective": {"type": "max", "metricName": "precision_at_5", "metricRegex": "x"},
    }
    arn = plane.solution(plane.group(), performHPO=True, solutionConfig=config)
    solution = plane.client.describe_solution(solutionArn=arn)["solution"]
    assert (solution["performHPO"], solution["solutionConfig"]) == (True, config)


def semantic(plane, *, created=True, interactions=True):
    """Return a group and an ACTIVE version of Semantic-Similarity."""
    group = plane.group()
    fields = FIELDS["Items"] + ([("CREATION_TIMESTAMP", "long")] if created else [])
    plane.dataset(group, "Items", avro("Items", fields))
    if interactions:
        plane.dataset(group)
    return plane.version(plane.solution(group, "aws-semantic-similarity"))


def test_ranking_influence_needs_its_data(plane):
    version = semantic(plane, created=False, interactions=False)
    for influence, text in (
        ({"FRESHNESS": 0.5}, "needs CREATION_TIMESTAMP"),
        ({"POPULARITY": 0.5}, "needs an Interactions dataset"),
    ):
        config = {"rankingInfluence": influence}
        job = plane.job(version, batchInferenceJobConfig=config)
        campaign = {"name": "c", "solutionVersionArn": version, "campaignConfig": config}
        for operation, request in (("create_batch_inference_job", job), ("create_campaign", campaign)):
            code, message = plane.refused(operation, **request)
            assert (code, text in message) == ("InvalidInputException", True), message
    none = {"rankingInfluence": {"FRESHNESS": 0.0}}
    plane.client.create_batch_inference_job(**plane.job(version, batchInferenceJobConfig=none))


def test_ranking_influence_is_accepted_with_its_data(plane):
    both = {"rankingInfluence": {"FRESHNESS": 0.5, "POPULARITY": 1.0}}
    job = plane.job(semantic(plane), batchInferenceJobConfig=both)
    arn = plane.client.create_batch_inference_job(**job)["batchInferenceJobArn"]
    found = plane.client.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]
    assert found["batchInferenceJobConfig"] == both


def test_ranking_influence_out_of_range_is_refused(plane):
    job = plane.job(semantic(plane), batchInferenceJobConfig={"rankingInfluence": {"FRESHNESS": 1.5}})
    assert plane.refused("create_batch_inference_job", **job)[0] in ("InvalidInputException", "ValidationException")


def test_semantic_similarity_needs_a_name_and_a_text(plane):
    group = plane.group()
    fields = [column for column in FIELDS["Items"] if not column.get("itemName")]
    plane.dataset(group, "Items", avro("Items", fields))
    solution = plane.solution(group, "aws-semantic-similarity")
    code, message = plane.refused("create_solution_version", solutionArn=solution)
    assert (code, "marked itemName" in message) == ("InvalidInputException", True)


@pytest.mark.parametrize(("record", "count"), [("Items", 2), ("Users", 1)])
def test_item_names_are_one_field_of_items(plane, record, count):
    named = [{"name": f"NAME_{letter}", "type": "string", "itemName": True} for letter in "AB"[:count]]
    schema = avro(record, FIELDS[record][:1] + named)
    if record == "Items":
        assert "Only one field can be itemName" in plane.refused("create_schema", name="s", schema=schema)[1]
    else:
        assert "only Items schemas may have" in plane.refused("create_schema", name="s", schema=schema)[1]
