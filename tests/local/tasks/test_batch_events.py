"""Batch jobs of recipes that rank for users know the events put after the training, as real-time answers do."""

from __future__ import annotations

import json

import pytest
import small_world as world
from inline_service import BUCKET, ROLE, InlineService

NOW = world.START + 40 * 86_400
INPUTS = {
    "aws-user-personalization": [{"userId": "u1"}, {"userId": "u2"}, {"userId": "newcomer"}],
    "aws-personalized-ranking": [{"userId": user, "itemList": ["i0", "i1", "i2"]} for user in ("u1", "u2", "newcomer")],
    "aws-similar-items": [{"itemId": "i6"}],
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("events"))
    yield service
    service.close()


@pytest.fixture(scope="module")
def versions(service):
    group, _ = service.group()
    return group, {recipe: service.version(group, recipe) for recipe in INPUTS}


def answers(service, recipe, version, name):
    """Run a batch job without exploration; return the output of each line."""
    service.put(f"in/{recipe}.json", "\n".join(map(json.dumps, INPUTS[recipe])).encode())
    config = {"itemExplorationConfig": {"explorationWeight": "0"}}
    service.made(
        "create_batch_inference_job",
        jobName=f"{recipe}-{name}",
        solutionVersionArn=version,
        jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/in/{recipe}.json"}},
        jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/{name}/"}},
        roleArn=ROLE,
        numResults=10,
        **({"batchInferenceJobConfig": config} if recipe == "aws-user-personalization" else {}),
    )
    return [json.loads(line)["output"] for line in service.read(f"{name}/{recipe}.json.out").splitlines()]


def test_events_after_the_training_steer_batch_jobs_as_they_steer_real_time(service, versions):
    group, trained = versions
    before = {recipe: answers(service, recipe, version, "before") for recipe, version in trained.items()}
    tracking = service.control.create_event_tracker(name="t", datasetGroupArn=group)["trackingId"]
    service.work()
    # what lies on another shelf than his own
    other = [f"i{item}" for item in range(30) if world.shelf(f"i{item}") != world.taste("u1")][:8]
    for user in ("u1", "newcomer"):
        events = [{"eventType": "view", "sentAt": NOW + at, "itemId": item} for at, item in enumerate(other)]
        service.events.put_events(trackingId=tracking, sessionId=user, userId=user, eventList=events)
    after = {recipe: answers(service, recipe, version, "after") for recipe, version in trained.items()}

    users, ranking, related = INPUTS
    for recipe in (users, ranking):
        changed = [old != new for old, new in zip(before[recipe], after[recipe], strict=True)]
        assert changed[:2] == [True, False], recipe
    assert before[users][2] != after[users][2]
    assert before[related] == after[related]
    campaign = service.made(
        "create_campaign",
        name="same",
        solutionVersionArn=trained[users],
        campaignConfig={"itemExplorationConfig": {"explorationWeight": "0"}},
    )
    for line, found in zip(INPUTS[users], after[users], strict=True):
        answer = service.runtime.get_recommendations(campaignArn=campaign, numResults=10, **line)
        assert [item["itemId"] for item in answer["itemList"]] == found["recommendedItems"]
    # a version trained since has them in its histories; they do not count twice
    again = service.made("create_solution_version", solutionArn=trained[users].rsplit("/", 1)[0])
    assert service.store[again].facts.streamed_to == service.event_store.newest("g")[0]
    service.made("update_campaign", campaignArn=campaign, solutionVersionArn=again)
    found = answers(service, users, again, "again")[0]
    answer = service.runtime.get_recommendations(campaignArn=campaign, numResults=10, userId="u1")
    assert [item["itemId"] for item in answer["itemList"]] == found["recommendedItems"]
