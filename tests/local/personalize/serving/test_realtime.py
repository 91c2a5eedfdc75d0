"""Recommendations at once, and rows put one by one, through boto3's clients of the two real-time services."""

from __future__ import annotations

import json

import pytest
import small_world as world
from inline_service import BUCKET, RECIPE, ROLE, InlineService

NOW = world.START + 40 * 86_400


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("realtime"))
    yield service
    service.close()


@pytest.fixture(scope="module")
def books(service):
    """The small world: ARNs of its group, datasets, campaigns by recipe, filters, tracking ID."""
    group, datasets = service.group()
    found = {"group": group, "datasets": datasets}
    for recipe in ("aws-user-personalization", "aws-similar-items", "aws-personalized-ranking", "aws-popularity-count"):
        config = {"enableMetadataWithRecommendations": recipe != "aws-popularity-count"}
        found[recipe] = service.made(
            "create_campaign", name=recipe, solutionVersionArn=service.version(group, recipe), campaignConfig=config
        )
    for name, text in {
        "shelf": "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)",
        "unread": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
        "same": "INCLUDE ItemID WHERE Items.SHELF IN CurrentItem.SHELF",
        "users": "INCLUDE UserID WHERE Users.AGE > 30",
    }.items():
        found[name] = service.made("create_filter", name=name, datasetGroupArn=group, filterExpression=text)
    found["tracking"] = service.control.create_event_tracker(name="t", datasetGroupArn=group)["trackingId"]
    service.work()
    return found


def items(answer):
    return [item["itemId"] for item in answer["itemList"]]


def test_a_reader_is_recommended_books_of_his_shelf(service, books):
    found = service.runtime.get_recommendations(campaignArn=books["aws-user-personalization"], userId="u1")
    assert len(found["itemList"]) == 25
    assert {world.shelf(item) for item in items(found)[:5]} == {world.taste("u1")}
    scores = [item["score"] for item in found["itemList"]]
    assert scores == sorted(scores, reverse=True)
    assert len(found["recommendationId"]) == 40


def test_related_items_have_no_scores(service, books):
    found = service.runtime.get_recommendations(campaignArn=books["aws-similar-items"], itemId="i6", numResults=5)
    assert [item.keys() for item in found["itemList"]] == [{"itemId"}] * 5
    popular = service.runtime.get_recommendations(campaignArn=books["aws-popularity-count"], numResults=3)
    assert len(items(popular)) == 3


def test_a_list_is_ranked(service, books):
    found = service.runtime.get_personalized_ranking(
        campaignArn=books["aws-personalized-ranking"], userId="u1", inputList=["i3", "i4", "i5", "nowhere"]
    )
    ranked = found["personalizedRanking"]
    assert (ranked[0]["itemId"], ranked[-1]["itemId"]) == ("i4", "nowhere")
    assert sum(item["score"] for item in ranked) == pytest.approx(1, abs=1e-5)


def test_filters_and_their_values(service, books):
    campaign = books["aws-user-personalization"]
    found = service.runtime.get_recommendations(
        campaignArn=campaign, userId="u1", filterArn=books["shelf"], filterValues={"SHELF": '"Sea"'}
    )
    assert {world.shelf(item) for item in items(found)} == {"Sea"}
    found = service.runtime.get_recommendations(
        campaignArn=books["aws-similar-items"], itemId="i6", filterArn=books["same"], numResults=4
    )
    assert len(items(found)) == 4
    params = {"campaignArn": campaign, "userId": "u1", "filterArn": books["shelf"]}
    status, code, message = service.refused(service.runtime, "get_recommendations", **params)
    assert (status, code, "$SHELF" in message) == (400, "InvalidInputException", True)
    refused = service.refused(service.runtime, "get_recommendations", **params | {"filterArn": books["users"]})
    assert refused[1] == "InvalidInputException"


def test_a_filter_whose_dataset_was_deleted_says_so(service):
    group, datasets = service.group("bare")
    version = service.version(group, "aws-popularity-count", "bare")
    campaign = service.made("create_campaign", name="bare", solutionVersionArn=version)
    made = {"datasetGroupArn": group, "filterExpression": 'INCLUDE ItemID WHERE Items.SHELF IN ("Sea")'}
    shelf = service.made("create_filter", name="bare", **made)
    made["filterExpression"] = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
    bought = service.made("create_filter", name="bought", **made)
    request = {"campaignArn": campaign, "userId": "u1", "filterArn": shelf}
    assert items(service.runtime.get_recommendations(**request))
    service.control.delete_dataset(datasetArn=datasets["ITEMS"])
    refused = service.refused(service.runtime, "get_recommendations", **request)
    needs = "needs a dataset of type ITEMS, which the dataset group lacks (it has INTERACTIONS, USERS)"
    assert (refused[1], needs in refused[2]) == ("InvalidInputException", True), refused
    assert items(service.runtime.get_recommendations(**request | {"filterArn": bought}))
    service.put("bare.json", b'{"userId": "u1"}\n')
    for arn, status, words in ((shelf, "CREATE FAILED", needs), (bought, "ACTIVE", "")):
        job = service.control.create_batch_inference_job(
            jobName=arn.rpartition("/")[2],
            solutionVersionArn=version,
            filterArn=arn,
            jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/bare.json"}},
            jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/bare/"}},
            roleArn=ROLE,
        )["batchInferenceJobArn"]
        service.work()
        found = service.control.describe_batch_inference_job(batchInferenceJobArn=job)["batchInferenceJob"]
        assert (found["status"], words in found.get("failureReason", "")) == (status, True), found


def test_metadata_comes_along_where_it_is_enabled(service, books):
    wanted = {"ITEMS": ["TITLE", "shelf"]}
    found = service.runtime.get_recommendations(
        campaignArn=books["aws-user-personalization"], userId="u1", numResults=3, metadataColumns=wanted
    )
    first = found["itemList"][0]
    shelf = world.shelf(first["itemId"])
    assert first["metadata"] == {"TITLE": f"{shelf} book {first['itemId'][1:]}", "shelf": f"{shelf}|Fiction"}
    for campaign, columns, words in (
        ("aws-popularity-count", wanted, "enableMetadataWithRecommendations"),
        ("aws-user-personalization", {"ITEMS": ["NOPE"]}, "NOPE"),
        ("aws-user-personalization", {"USERS": ["AGE"]}, "ITEMS only"),
    ):
        params = {"campaignArn": books[campaign], "userId": "u1", "metadataColumns": columns}
        status, code, message = service.refused(service.runtime, "get_recommendations", **params)
        assert (code, words in message) == ("InvalidInputException", True), message


def test_promoted_items_take_their_share(service, books):
    promotion = {
        "name": "sea",
        "percentPromotedItems": 40,
        "filterArn": books["shelf"],
        "filterValues": {"SHELF": '"Sea"'},
    }
    params = {"campaignArn": books["aws-user-personalization"], "userId": "u1", "numResults": 10}
    found = service.runtime.get_recommendations(**params, promotions=[promotion])
    promoted = [item["itemId"] for item in found["itemList"] if item.get("promotionName") == "sea"]
    assert len(found["itemList"]) == len(set(items(found))) == 10
    assert len(promoted) == 4 and {world.shelf(item) for item in promoted} == {"Sea"}
    assert service.runtime.get_recommendations(**params, promotions=[promotion])["itemList"] == found["itemList"]
    refused = service.refused(service.runtime, "get_recommendations", **params, promotions=[{"name": "sea"}])
    assert refused[1] == "InvalidInputException"


def test_requests_that_cannot_be_answered(service, books):
    users, ranking = books["aws-user-personalization"], books["aws-personalized-ranking"]
    ranked = {"campaignArn": ranking, "userId": "u1", "inputList": ["i1"]}
    cases = [
        ("get_recommendations", {"userId": "u1"}, 400, "campaignArn or recommenderArn"),
        ("get_recommendations", {"campaignArn": users}, 400, "Required fields for the provided recipe are userId"),
        ("get_recommendations", {"campaignArn": books["aws-similar-items"], "userId": "u1"}, 400, "itemId"),
        ("get_recommendations", {"campaignArn": users, "userId": "u1", "numResults": 501}, 400, "500"),
        ("get_recommendations", {"campaignArn": ranking, "userId": "u1"}, 400, "GetPersonalizedRanking"),
        ("get_recommendations", {"campaignArn": users + "x", "userId": "u1"}, 404, users + "x"),
        ("get_recommendations", {"campaignArn": users, "userId": "u1", "filterArn": users + "x"}, 404, users + "x"),
        ("get_recommendations", {"campaignArn": users, "userId": "u" * 257}, 400, "256"),
        ("get_personalized_ranking", ranked | {"campaignArn": users}, 400, "GetRecommendations"),
        ("get_personalized_ranking", ranked | {"inputList": []}, 400, "1 to 500"),
        ("get_action_recommendations", {"campaignArn": users}, 400, "GetActionRecommendations"),
    ]
    for operation, params, expected, words in cases:
        status, code, message = service.refused(service.runtime, operation, **params)
        assert (status, words in message) == (expected, True), (operation, params, message)
        assert code == {404: "ResourceNotFoundException"}.get(
            expected, "UnsupportedOperationException" if "action" in operation else "InvalidInputException"
        )


def test_events_steer_the_next_recommendations(service, books):
    campaign = books["aws-user-personalization"]

    def put(item, user=None, session="evening", **more):
        event = {"eventType": "view", "sentAt": NOW, "itemId": item} | more
        service.events.put_events(
            trackingId=books["tracking"], sessionId=session, eventList=[event], **({"userId": user} if user else {})
        )

    put("i2")  # before he says who he is
    for item in ("i5", "i8", "i11"):
        put(item, "newcomer")
    found = service.runtime.get_recommendations(campaignArn=campaign, userId="newcomer", filterArn=books["unread"])
    # the few most popular books are of other shelves
    shelves = [world.shelf(item) for item in items(found)[:8]]
    assert shelves.count(world.shelf("i2")) >= 6
    assert not {"i2", "i5", "i8", "i11"} & set(items(found))
    # the next training knows him
    model = service.store[service.version(books["group"], "aws-popularity-count", "again")].facts.streamed_to
    assert model == service.event_store.newest("g")[0]


def test_events_are_checked(service, books):
    event = {"eventType": "view", "sentAt": NOW, "itemId": "i1"}
    base = {"trackingId": books["tracking"], "sessionId": "s", "userId": "u1"}
    service.events.put_events(**base, eventList=[event | {"properties": json.dumps({"eventValue": "2.5"})}])
    [*_, row] = service.event_store.rows("g", "INTERACTIONS")
    assert row == {"USER_ID": "u1", "ITEM_ID": "i1", "TIMESTAMP": NOW, "EVENT_TYPE": "view", "EVENT_VALUE": 2.5}
    for changes, words in (
        ({"trackingId": "nobody"}, "nobody"),
        ({"eventList": [event | {"properties": "{"}]}, "not JSON"),
        ({"eventList": [event | {"properties": "[1]"}]}, "JSON object"),
        ({"eventList": [event | {"properties": '{"eventValue": "much"}'}]}, "EVENT_VALUE"),
        ({"eventList": [event] * 11}, "less than or equal to 10"),
    ):
        status, code, message = service.refused(service.events, "put_events", **base | {"eventList": [event]} | changes)
        assert (status, code, words in message) == (400, "InvalidInputException", True), message


def test_items_and_users_are_put(service, books):
    sets = books["datasets"]
    properties = {"title": "New", "SHELF": "Moon", "creationTimestamp": NOW, "price": "9.99", "unknown": 1}
    item = {"itemId": "new", "properties": json.dumps(properties)}
    service.events.put_items(datasetArn=sets["ITEMS"], items=[item])
    service.events.put_users(datasetArn=sets["USERS"], users=[{"userId": "u900", "properties": '{"age": 44}'}])
    again = service.version(books["group"], "aws-user-personalization", "with-new")
    campaign = service.made("create_campaign", name="with-new", solutionVersionArn=again)
    found = service.runtime.get_recommendations(
        campaignArn=campaign, userId="u1", filterArn=books["shelf"], filterValues={"SHELF": '"Moon"'}
    )
    assert items(found) == ["new"]
    for operation, params, status, code in (
        ("put_items", {"datasetArn": sets["USERS"], "items": [item]}, 400, "InvalidInputException"),
        ("put_items", {"datasetArn": sets["ITEMS"] + "X", "items": [item]}, 404, "ResourceNotFoundException"),
        ("put_items", {"datasetArn": sets["ITEMS"], "items": [{"itemId": "x"}]}, 400, "InvalidInputException"),
        (
            "put_users",
            {"datasetArn": sets["USERS"], "users": [{"userId": "x", "properties": '{"age": true}'}]},
            400,
            "InvalidInputException",
        ),
    ):
        assert service.refused(service.events, operation, **params)[:2] == (status, code)


def test_a_dataset_that_is_not_active_takes_no_rows(service, books):
    schema = service.control.create_schema(name="late", schema=world.avro("USERS"))["schemaArn"]
    group = service.made("create_dataset_group", name="late")
    arn = service.control.create_dataset(name="late", schemaArn=schema, datasetGroupArn=group, datasetType="Users")
    users = [{"userId": "x", "properties": '{"age": 1}'}]
    refused = service.refused(service.events, "put_users", datasetArn=arn["datasetArn"], users=users)
    assert refused[:2] == (409, "ResourceInUseException")
    service.work()


def test_a_recommender_answers_until_it_is_stopped(service):
    kinds = ("INTERACTIONS",)
    rows = {"INTERACTIONS": world.csv("INTERACTIONS").replace(b",view,", b",Watch,").replace(b",buy,", b",Watch,")}
    group, _ = service.group("films", "VIDEO_ON_DEMAND", kinds, rows)
    arns = {
        recipe: service.made("create_recommender", name=recipe, datasetGroupArn=group, recipeArn=RECIPE + recipe)
        for recipe in ("aws-vod-top-picks", "aws-vod-because-you-watched-x", "aws-vod-most-popular")
    }
    found = service.runtime.get_recommendations(recommenderArn=arns["aws-vod-top-picks"], userId="u1", numResults=4)
    assert len(items(found)) == 4
    arn = arns["aws-vod-because-you-watched-x"]
    assert items(service.runtime.get_recommendations(recommenderArn=arn, itemId="i6", userId="u1"))
    assert items(service.runtime.get_recommendations(recommenderArn=arns["aws-vod-most-popular"], userId="u1"))
    assert service.control.describe_recommender(recommenderArn=arn)["recommender"]["modelMetrics"]
    config = {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_VALUE"]}}}
    service.control.update_recommender(recommenderArn=arn, recommenderConfig=config)
    service.work()
    update = service.control.describe_recommender(recommenderArn=arn)["recommender"]["latestRecommenderUpdate"]
    assert update["status"] == "ACTIVE"
    assert items(service.runtime.get_recommendations(recommenderArn=arn, itemId="i6", userId="u1"))
    service.control.stop_recommender(recommenderArn=arn)
    service.work()
    refused = service.refused(service.runtime, "get_recommendations", recommenderArn=arn, itemId="i6", userId="u1")
    assert refused[1] == "InvalidInputException" and "INACTIVE" in refused[2]


def test_paths_that_are_not_served(service):
    import urllib.request

    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest("POST", service.runtime.meta.endpoint_url + "/nothing", data=b"{}")
    SigV4Auth(Credentials("AKIDTEST", "secret"), "personalize", "us-east-1").add_auth(request)
    plain = urllib.request.Request(request.url, b"{}", dict(request.headers), method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(plain)
    with caught.value as answer:
        assert answer.code == 404 and b"/recommendations" in answer.read()


def test_events_of_the_session_null_are_answered_and_ignored(service, books, caplog):
    def put(session, item):
        event = {"eventType": "buy", "itemId": item, "sentAt": NOW}
        return service.events.put_events(
            trackingId=books["tracking"], userId="scripted", sessionId=session, eventList=[event]
        )

    before = service.event_store.newest("g")
    assert put("null", "i3")["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert service.event_store.newest("g") == before
    assert "session id 'null' are ignored" in caplog.text
    # what is wrong with an event is told whatever its session
    refused = service.refused(
        service.events,
        "put_events",
        trackingId=books["tracking"],
        sessionId="null",
        eventList=[{"eventType": "buy", "itemId": "i3", "sentAt": NOW, "properties": "no JSON"}],
    )
    assert "properties is not JSON" in refused[2]
    for session in ("undefined", "Null", "None"):
        put(session, "i3")
    assert service.event_store.newest("g")[1] == before[1] + 3
