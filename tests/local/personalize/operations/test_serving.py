"""Campaigns, recommenders, event trackers, metric attributions: life cycles and refusals, through boto3."""

from __future__ import annotations

import pytest
from control_plane import ROLE, avro

from personalize_nb.local.state.facts import Changes

RECIPE = "arn:aws:personalize:::recipe/"
DATES = {"creationDateTime", "lastUpdatedDateTime"}


def tracked(found):
    """Return a described resource without its dates."""
    return {key: value for key, value in found.items() if key not in DATES}


# campaigns --------------------------------------------------------------------------------------------------------


def campaign(plane, version, name="shop", work=True, **more):
    arn = plane.client.create_campaign(name=name, solutionVersionArn=version, **more)["campaignArn"]
    if work:
        plane.work()
    return arn


def test_a_campaign_is_described_listed_updated_and_deleted(plane):
    group, version = plane.trained()
    config = {"itemExplorationConfig": {"explorationWeight": "0.5"}, "enableMetadataWithRecommendations": True}
    arn = campaign(plane, version, campaignConfig=config, work=False)
    assert plane.client.describe_campaign(campaignArn=arn)["campaign"]["status"] == "CREATE PENDING"
    assert plane.refused("update_campaign", campaignArn=arn, minProvisionedTPS=2)[0] == "ResourceInUseException"
    assert plane.refused("delete_campaign", campaignArn=arn)[0] == "ResourceInUseException"
    plane.work()
    found = plane.client.describe_campaign(campaignArn=arn)["campaign"]
    assert tracked(found) == {
        "name": "shop",
        "campaignArn": arn,
        "solutionVersionArn": version,
        "minProvisionedTPS": 1,
        "campaignConfig": config,
        "status": "ACTIVE",
    }
    solution = version.rsplit("/", 1)[0]
    [listed] = plane.client.list_campaigns(solutionArn=solution)["campaigns"]
    assert listed.keys() == {"name", "campaignArn", "status"} | DATES
    assert plane.client.list_campaigns(solutionArn=solution + "x")["campaigns"] == []

    newer = plane.version(solution)
    plane.client.update_campaign(campaignArn=arn, solutionVersionArn=newer, minProvisionedTPS=3)
    found = plane.client.describe_campaign(campaignArn=arn)["campaign"]
    assert (found["solutionVersionArn"], found["minProvisionedTPS"], found["status"]) == (version, 1, "ACTIVE")
    assert found["latestCampaignUpdate"]["status"] == "CREATE PENDING"
    assert plane.refused("update_campaign", campaignArn=arn, minProvisionedTPS=2)[0] == "ResourceInUseException"
    plane.work()
    found = plane.client.describe_campaign(campaignArn=arn)["campaign"]
    assert (found["solutionVersionArn"], found["minProvisionedTPS"]) == (newer, 3)
    update = found["latestCampaignUpdate"]
    assert (update["solutionVersionArn"], update["minProvisionedTPS"], update["status"]) == (newer, 3, "ACTIVE")

    code, message = plane.refused("delete_solution", solutionArn=solution)
    assert code == "ResourceInUseException" and arn in message
    plane.client.delete_campaign(campaignArn=arn)
    assert plane.refused("describe_campaign", campaignArn=arn)[0] == "ResourceNotFoundException"
    plane.client.delete_solution(solutionArn=solution)


def test_an_update_that_fails_leaves_the_campaign_as_it_was(plane):
    _, version = plane.trained()
    arn = campaign(plane, version)
    plane.client.update_campaign(campaignArn=arn, minProvisionedTPS=3)
    plane.work(reason="no room")
    found = plane.client.describe_campaign(campaignArn=arn)["campaign"]
    assert (found["minProvisionedTPS"], found["status"]) == (1, "ACTIVE")
    assert found["latestCampaignUpdate"]["status"] == "CREATE FAILED"
    assert found["latestCampaignUpdate"]["failureReason"] == "no room"
    plane.client.update_campaign(campaignArn=arn, minProvisionedTPS=4)


def test_a_campaign_follows_its_solution(plane):
    _, version = plane.trained()
    solution = version.rsplit("/", 1)[0]
    arn = campaign(plane, f"{solution}/$LATEST", campaignConfig={"syncWithLatestSolutionVersion": True})
    assert plane.client.describe_campaign(campaignArn=arn)["campaign"]["solutionVersionArn"] == version
    newer = plane.version(solution)
    assert plane.client.describe_campaign(campaignArn=arn)["campaign"]["solutionVersionArn"] == newer


def test_campaigns_that_cannot_be(plane):
    group, version = plane.trained("aws-similar-items")
    segments = plane.version(plane.solution(group, "aws-item-affinity", "segments"))
    waiting = plane.version(version.rsplit("/", 1)[0], work=False)
    cases = [
        ({"solutionVersionArn": waiting}, "ResourceInUseException", "ACTIVE"),
        ({"solutionVersionArn": version + "0"}, "ResourceNotFoundException", version + "0"),
        ({"solutionVersionArn": segments}, "InvalidInputException", "aws-item-affinity"),
        (
            {"campaignConfig": {"itemExplorationConfig": {"explorationWeight": "0.1"}}},
            "InvalidInputException",
            "aws-similar-items",
        ),
        ({"campaignConfig": {"syncWithLatestSolutionVersion": True}}, "InvalidInputException", "$LATEST"),
        ({"solutionVersionArn": version.rsplit("/", 1)[0] + "/$LATEST"}, "InvalidInputException", "$LATEST"),
    ]
    for changes, code, words in cases:
        found = plane.refused("create_campaign", **{"name": "c", "solutionVersionArn": version} | changes)
        assert (found[0], words in found[1]) == (code, True), found
    campaign(plane, version, "c")
    assert plane.refused("create_campaign", name="c", solutionVersionArn=version)[0] == "ResourceAlreadyExistsException"
    other = plane.version(plane.solution(group, name="other"))
    arn = plane.client.list_campaigns()["campaigns"][0]["campaignArn"]
    code, message = plane.refused("update_campaign", campaignArn=arn, solutionVersionArn=other)
    assert code == "InvalidInputException" and "is not a version of" in message


def test_five_campaigns_in_a_group(plane):
    _, version = plane.trained()
    for number in range(5):
        campaign(plane, version, f"c{number}")
    code, message = plane.refused("create_campaign", name="c5", solutionVersionArn=version)
    assert code == "LimitExceededException"
    assert "More than 5 resources in ACTIVE state. Please delete some and try again." in message


# recommenders -----------------------------------------------------------------------------------------------------


VIDEO_FIELDS = [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string")]


def domain_group(plane, domain="VIDEO_ON_DEMAND", name="films"):
    group = plane.group(name, domain=domain)
    schema = plane.client.create_schema(name=name, schema=avro("Interactions", VIDEO_FIELDS), domain=domain)
    plane.client.create_dataset(
        name=name, schemaArn=schema["schemaArn"], datasetGroupArn=group, datasetType="Interactions"
    )
    plane.work()
    return group


def test_a_recommender_walks_through_all_its_statuses(plane):
    group = domain_group(plane)
    request = {"name": "top", "datasetGroupArn": group, "recipeArn": RECIPE + "aws-vod-top-picks"}
    arn = plane.client.create_recommender(**request)["recommenderArn"]

    def look():
        return plane.client.describe_recommender(recommenderArn=arn)["recommender"]

    assert look()["status"] == "CREATE PENDING"
    plane.work(changes=Changes(facts={"metrics": {"coverage": 0.5}}))
    assert tracked(look()) == request | {
        "recommenderArn": arn,
        "recommenderConfig": {"minRecommendationRequestsPerSecond": 1},
        "modelMetrics": {"coverage": 0.5},
        "status": "ACTIVE",
    }
    [listed] = plane.client.list_recommenders(datasetGroupArn=group)["recommenders"]
    assert tracked(listed).keys() == request.keys() | {"recommenderArn", "recommenderConfig", "status"}

    plane.client.update_recommender(recommenderArn=arn, recommenderConfig={"minRecommendationRequestsPerSecond": 4})
    assert look()["latestRecommenderUpdate"]["status"] == "CREATE PENDING"
    assert plane.refused("stop_recommender", recommenderArn=arn)[0] == "ResourceInUseException"
    plane.work()
    assert look()["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 4}

    assert plane.refused("start_recommender", recommenderArn=arn)[0] == "InvalidInputException"
    assert plane.client.stop_recommender(recommenderArn=arn)["recommenderArn"] == arn
    assert look()["status"] == "STOP PENDING"
    assert plane.refused("delete_recommender", recommenderArn=arn)[0] == "ResourceInUseException"
    plane.work()
    assert look()["status"] == "INACTIVE"
    update = {"recommenderArn": arn, "recommenderConfig": {}}
    assert plane.refused("update_recommender", **update)[0] == "ResourceInUseException"
    plane.client.start_recommender(recommenderArn=arn)
    plane.work()
    assert look()["status"] == "ACTIVE"
    code, message = plane.refused("delete_dataset_group", datasetGroupArn=group)
    assert code == "ResourceInUseException" and "recommender" in message
    plane.client.delete_recommender(recommenderArn=arn)
    assert plane.refused("describe_recommender", recommenderArn=arn)[0] == "ResourceNotFoundException"


def test_new_training_columns_train_a_recommender_again(plane):
    group = domain_group(plane)
    arn = plane.client.create_recommender(name="top", datasetGroupArn=group, recipeArn=RECIPE + "aws-vod-top-picks")[
        "recommenderArn"
    ]
    plane.work()
    before = plane.store[arn].facts.model
    config = {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]}}}
    plane.client.update_recommender(recommenderArn=arn, recommenderConfig=config)
    assert plane.store[arn].facts.model == before
    plane.work()
    after = plane.store[arn].facts
    assert after.model != before and after.former == before


def test_recommenders_that_cannot_be(plane):
    films, custom = domain_group(plane), plane.group("custom")
    empty = plane.group("empty", domain="ECOMMERCE")
    cases = [
        (films, "aws-sims", None, "custom solutions"),
        (films, "aws-ecomm-recommended-for-you", None, "ECOMMERCE"),
        (custom, "aws-vod-top-picks", None, "VIDEO_ON_DEMAND"),
        (empty, "aws-ecomm-recommended-for-you", None, "INTERACTIONS"),
        (films, "aws-vod-more-like-x", {"itemExplorationConfig": {"explorationWeight": "0.1"}}, "aws-vod-more-like-x"),
        (films, "aws-vod-top-picks", {"itemExplorationConfig": {"explorationWeight": "2"}}, "explorationWeight"),
    ]
    for group, recipe, config, words in cases:
        request = {"name": "r", "datasetGroupArn": group, "recipeArn": RECIPE + recipe}
        code, message = plane.refused(
            "create_recommender", **request | ({"recommenderConfig": config} if config else {})
        )
        assert (code, words in message) == ("InvalidInputException", True), message
    code, _ = plane.refused("create_recommender", name="r", datasetGroupArn=films, recipeArn=RECIPE + "magic")
    assert code == "ResourceNotFoundException"


# event trackers ---------------------------------------------------------------------------------------------------


def test_one_event_tracker_for_a_group(plane):
    group = plane.group()
    made = plane.client.create_event_tracker(name="clicks", datasetGroupArn=group)
    arn, tracking = made["eventTrackerArn"], made["trackingId"]
    assert plane.refused("delete_event_tracker", eventTrackerArn=arn)[0] == "ResourceInUseException"
    plane.work()
    found = plane.client.describe_event_tracker(eventTrackerArn=arn)["eventTracker"]
    assert tracked(found) == {
        "name": "clicks",
        "eventTrackerArn": arn,
        "accountId": "123456789012",
        "trackingId": tracking,
        "datasetGroupArn": group,
        "status": "ACTIVE",
    }
    [listed] = plane.client.list_event_trackers(datasetGroupArn=group)["eventTrackers"]
    assert listed.keys() == {"name", "eventTrackerArn", "status"} | DATES
    refused = plane.refused("create_event_tracker", name="more", datasetGroupArn=group)
    assert refused[0] == "LimitExceededException"
    other = plane.group("other")
    refused = plane.refused("create_event_tracker", name="clicks", datasetGroupArn=other)
    assert refused[0] == "ResourceAlreadyExistsException"
    assert plane.refused("delete_dataset_group", datasetGroupArn=group)[0] == "ResourceInUseException"
    plane.client.delete_event_tracker(eventTrackerArn=arn)
    plane.client.delete_dataset_group(datasetGroupArn=group)


def test_a_tracker_makes_a_dataset_that_is_described_and_deleted_and_in_no_list(plane):
    group = plane.group()
    interactions = plane.dataset(group)
    tracker = plane.client.create_event_tracker(name="clicks", datasetGroupArn=group)["eventTrackerArn"]
    plane.work()
    arn = interactions.replace("/INTERACTIONS", "/EVENT_INTERACTIONS")
    found = plane.client.describe_dataset(datasetArn=arn)["dataset"]
    assert {key: found[key] for key in ("datasetArn", "datasetGroupArn", "datasetType", "status")} == {
        "datasetArn": arn,
        "datasetGroupArn": group,
        "datasetType": "EVENT_INTERACTIONS",
        "status": "ACTIVE",
    }
    for where in ({}, {"datasetGroupArn": group}):
        assert [one["datasetArn"] for one in plane.client.list_datasets(**where)["datasets"]] == [interactions]
    plane.client.delete_event_tracker(eventTrackerArn=tracker)
    assert plane.client.describe_dataset(datasetArn=arn)["dataset"]["status"] == "ACTIVE"
    plane.client.create_event_tracker(name="more", datasetGroupArn=group)
    plane.work()
    plane.client.delete_dataset(datasetArn=arn)
    assert plane.deleted[-1] == arn
    assert plane.refused("describe_dataset", datasetArn=arn)[0] == "ResourceNotFoundException"
    assert plane.refused("delete_dataset", datasetArn=arn)[0] == "ResourceNotFoundException"
    assert plane.client.describe_dataset(datasetArn=interactions)["dataset"]["status"] == "ACTIVE"


def test_a_group_goes_together_with_what_its_tracker_made(plane):
    group = plane.group()
    tracker = plane.client.create_event_tracker(name="clicks", datasetGroupArn=group)["eventTrackerArn"]
    plane.work()
    plane.client.delete_event_tracker(eventTrackerArn=tracker)
    plane.client.delete_dataset_group(datasetGroupArn=group)
    arn = group.replace("dataset-group/", "dataset/") + "/EVENT_INTERACTIONS"
    assert plane.refused("describe_dataset", datasetArn=arn)[0] == "ResourceNotFoundException"


# metric attributions ----------------------------------------------------------------------------------------------


METRICS = [
    {"eventType": "click", "metricName": "clicks", "expression": "SAMPLECOUNT()"},
    {"eventType": "watch", "metricName": "prices", "expression": "SUM(Items.PRICE)"},
]
OUTPUT = {"s3DataDestination": {"path": "s3://data/reports/"}, "roleArn": ROLE}


def priced_group(plane):
    group = plane.group()
    fields = [("ITEM_ID", "string"), ("PRICE", "float"), {"name": "KIND", "type": "string", "categorical": True}]
    plane.dataset(group, "Items", avro("Items", fields))
    return group


def test_a_metric_attribution_keeps_its_metrics(plane):
    group = priced_group(plane)
    request = {"name": "m", "datasetGroupArn": group, "metrics": METRICS, "metricsOutputConfig": OUTPUT}
    arn = plane.client.create_metric_attribution(**request)["metricAttributionArn"]
    plane.work()
    found = plane.client.describe_metric_attribution(metricAttributionArn=arn)["metricAttribution"]
    assert tracked(found) == {
        "name": "m",
        "metricAttributionArn": arn,
        "datasetGroupArn": group,
        "metricsOutputConfig": OUTPUT,
        "status": "ACTIVE",
    }
    [listed] = plane.client.list_metric_attributions(datasetGroupArn=group)["metricAttributions"]
    assert listed.keys() == {"name", "metricAttributionArn", "status"} | DATES

    def metrics():
        pages = plane.client.get_paginator("list_metric_attribution_metrics").paginate(
            metricAttributionArn=arn, PaginationConfig={"PageSize": 1}
        )
        return [metric for page in pages for metric in page["metrics"]]

    assert metrics() == METRICS
    added = {"eventType": "buy", "metricName": "sales", "expression": "SUM(Items.PRICE)"}
    plane.client.update_metric_attribution(metricAttributionArn=arn, addMetrics=[added], removeMetrics=["clicks"])
    assert metrics() == [METRICS[1], added]
    refusals = [
        ({"addMetrics": [added]}, "ResourceAlreadyExistsException"),
        ({"removeMetrics": ["clicks"]}, "InvalidInputException"),
        ({"removeMetrics": ["prices", "sales"]}, "InvalidInputException"),
        ({"addMetrics": [added | {"metricName": "x", "expression": "AVG(Items.PRICE)"}]}, "InvalidInputException"),
        ({"addMetrics": [added | {"metricName": "x", "expression": "SUM(Items.KIND)"}]}, "InvalidInputException"),
        (
            {"metricsOutputConfig": {"roleArn": ROLE, "s3DataDestination": {"path": "s3://no/"}}},
            "InvalidInputException",
        ),
    ]
    for changes, code in refusals:
        assert plane.refused("update_metric_attribution", metricAttributionArn=arn, **changes)[0] == code
    assert plane.refused("update_metric_attribution")[0] == "InvalidInputException"
    assert plane.refused("create_metric_attribution", **request)[0] == "ResourceAlreadyExistsException"
    assert plane.refused("create_metric_attribution", **request | {"name": "n"})[0] == "LimitExceededException"
    plane.client.delete_metric_attribution(metricAttributionArn=arn)
    assert plane.client.list_metric_attribution_metrics()["metrics"] == []


# updates of datasets and solutions --------------------------------------------------------------------------------


def test_a_dataset_gets_a_new_schema(plane):
    group = plane.group()
    arn = plane.dataset(group)
    wider = [*VIDEO_FIELDS, {"name": "DEVICE", "type": ["null", "string"], "categorical": True}]
    schema = plane.client.create_schema(name="wider", schema=avro("Interactions", wider))["schemaArn"]
    before = plane.client.describe_dataset(datasetArn=arn)["dataset"]["schemaArn"]
    assert plane.client.update_dataset(datasetArn=arn, schemaArn=schema)["datasetArn"] == arn
    found = plane.client.describe_dataset(datasetArn=arn)["dataset"]
    assert (found["schemaArn"], found["latestDatasetUpdate"]["status"]) == (before, "CREATE PENDING")
    plane.work()
    found = plane.client.describe_dataset(datasetArn=arn)["dataset"]
    assert (found["schemaArn"], found["latestDatasetUpdate"]["schemaArn"]) == (schema, schema)
    plane.client.delete_schema(schemaArn=before)


@pytest.mark.parametrize(
    ("record", "fields", "words"),
    [
        ("Interactions", VIDEO_FIELDS[:3], "lacks fields that the dataset has: EVENT_TYPE"),
        ("Interactions", [*VIDEO_FIELDS, ("DEVICE", "string")], "must allow null"),
        ("Users", [("USER_ID", "string"), ("AGE", "int")], "does not match the datasetType"),
    ],
)
def test_a_schema_that_its_rows_could_not_fill(plane, record, fields, words):
    arn = plane.dataset(plane.group())
    schema = plane.client.create_schema(name="other", schema=avro(record, fields))["schemaArn"]
    code, message = plane.refused("update_dataset", datasetArn=arn, schemaArn=schema)
    assert (code, words in message) == ("InvalidInputException", True), message


def test_a_solution_is_updated(plane):
    arn = plane.solution(plane.group())
    config = {"autoTrainingConfig": {"schedulingExpression": "rate(3 days)"}}
    plane.client.update_solution(solutionArn=arn, performAutoTraining=False, solutionUpdateConfig=config)
    found = plane.client.describe_solution(solutionArn=arn)["solution"]
    assert (found["performAutoTraining"], found["latestSolutionUpdate"]["status"]) == (True, "CREATE PENDING")
    plane.work()
    found = plane.client.describe_solution(solutionArn=arn)["solution"]
    assert (found["performAutoTraining"], found["solutionConfig"]) == (False, config)
    assert found["latestSolutionUpdate"]["solutionUpdateConfig"] == config
    assert plane.refused("update_solution", solutionArn=arn)[0] == "InvalidInputException"
    code, _ = plane.refused("update_solution", solutionArn=arn, performIncrementalUpdate=True)
    assert code == "InvalidInputException"
