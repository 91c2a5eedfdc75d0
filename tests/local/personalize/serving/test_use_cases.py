"""Recommenders by use case: who must be named, and what a user watched or bought never comes back."""

from __future__ import annotations

import pytest
import small_world as world
from inline_service import RECIPE, InlineService

from personalize_nb.contract import limits
from personalize_nb.contract.domain_recipes import DOMAIN_RECIPES

# a catalogue that nobody has met as a whole: 18 of 60 books for each reader, every fifth of them bought
SOLD = {"VIDEO_ON_DEMAND": ("Watch", "Click"), "ECOMMERCE": ("Purchase", "View")}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("use-cases"))
    yield service
    service.close()


@pytest.fixture(scope="module")
def asked(service):
    """Return a function that asks a recommender, made with its first question, and the events of its group."""
    groups, made = {}, {}

    def events(domain):
        taken, other = SOLD[domain]
        lines = world.csv("INTERACTIONS").decode().splitlines()
        rows = [line.split(",") for line in lines[1:]]
        # twice over, a second apart, so that a thousand of either type are there
        twice = [(u, i, int(t) + late, late) for u, i, t, *_ in rows for late in (0, 1)]
        return [(u, i, t, taken if (int(i[1:]) + int(u[1:])) % 2 == 0 else other) for u, i, t, _ in twice]

    def group(domain):
        if domain not in groups:
            rows = "".join(f"{u},{i},{t},{kind},1.0\n" for u, i, t, kind in events(domain))
            text = f"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n{rows}".encode()
            groups[domain] = service.group(domain.lower(), domain, ("INTERACTIONS",), {"INTERACTIONS": text})[0]
        return groups[domain]

    def ask(row, **params):
        if row.name not in made:
            made[row.name] = service.made(
                "create_recommender", name=row.name, datasetGroupArn=group(row.domain), recipeArn=RECIPE + row.name
            )
        if "RELATED" in row.type:
            params.setdefault("itemId", "i6")
        arn = made.get(row.name)
        return service.runtime, {"recommenderArn": arn, "numResults": 60} | params

    ask.events, ask.group = events, group
    return ask


def items(call):
    runtime, params = call
    return [item["itemId"] for item in runtime.get_recommendations(**params)["itemList"]]


@pytest.mark.parametrize("row", DOMAIN_RECIPES.values(), ids=DOMAIN_RECIPES)
def test_what_a_use_case_asks_for_and_leaves_out(service, asked, row):
    for user in ("u1", "u2"):
        taken = {i for u, i, _, kind in asked.events(row.domain) if u == user and kind == SOLD[row.domain][0]}
        other = {i for u, i, _, kind in asked.events(row.domain) if u == user and kind == SOLD[row.domain][1]}
        found = set(items(asked(row, userId=user)))
        assert found and taken and other
        if row.leaves_out is not None:
            assert not found & taken
            assert found & (other - taken - {"i6"}), "items that were only looked at stay"
        else:
            assert found & taken
    runtime, params = asked(row)
    if row.needs_user:
        assert "userId" in service.refused(runtime, "get_recommendations", **params)[2]
    else:
        assert items((runtime, params))
    assert items(asked(row, userId="a stranger"))


def test_filters_and_promotions_choose_among_what_is_left(service, asked):
    row = DOMAIN_RECIPES["aws-vod-top-picks"]
    taken = {i for u, i, _, kind in asked.events(row.domain) if u == "u1" and kind == "Watch"}
    clicked = service.made(
        "create_filter",
        name="clicked",
        datasetGroupArn=asked.group(row.domain),
        filterExpression='INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Click", "Watch")',
    )
    met = {i for u, i, *_ in asked.events(row.domain) if u == "u1"}
    assert set(items(asked(row, userId="u1", filterArn=clicked))) == met - taken
    promotions = [{"name": "p", "percentPromotedItems": 50, "filterArn": clicked}]
    assert not set(items(asked(row, userId="u1", promotions=promotions))) & taken


def test_a_filter_on_what_users_did_needs_a_user(service, asked):
    row = DOMAIN_RECIPES["aws-vod-trending-now"]
    new = service.made(
        "create_filter",
        name="new",
        datasetGroupArn=asked.group(row.domain),
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Click")',
    )
    runtime, params = asked(row, filterArn=new)
    assert "has no userId; give one" in service.refused(runtime, "get_recommendations", **params)[2]
    assert items(asked(row, filterArn=new, userId="u1"))


def test_what_was_taken_long_ago_stays_away_while_a_users_own_filter_sees_the_newest(service):
    row = DOMAIN_RECIPES["aws-vod-top-picks"]
    newest = limits.INTERACTIONS_SEEN_BY_FILTERS
    watched = [f"i{n}" for n in range(newest + 20)]
    events = [("fan", item, n) for n, item in enumerate(watched)]
    events += [(f"v{n % 40}", f"i{(n * 7 + n // 40) % (newest + 60)}", n) for n in range(1600)]
    rows = "".join(f"{u},{i},{world.START + n},Watch,1.0\n" for u, i, n in events)
    text = f"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n{rows}".encode()
    group = service.group("long", row.domain, ("INTERACTIONS",), {"INTERACTIONS": text})[0]
    arn = service.made("create_recommender", name="long", datasetGroupArn=group, recipeArn=RECIPE + row.name)
    found = items((service.runtime, {"recommenderArn": arn, "userId": "fan", "numResults": 200}))
    assert found and not set(found) & set(watched)
    unlike = service.made(
        "create_filter",
        name="unlike",
        datasetGroupArn=group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch")',
    )
    trending = DOMAIN_RECIPES["aws-vod-most-popular"]
    arn = service.made("create_recommender", name="all", datasetGroupArn=group, recipeArn=RECIPE + trending.name)
    params = {"recommenderArn": arn, "userId": "fan", "numResults": 200, "filterArn": unlike}
    assert set(items((service.runtime, params))) & set(watched) == set(watched[:-newest])


def test_a_watched_title_goes_at_once(service, asked):
    row = DOMAIN_RECIPES["aws-vod-top-picks"]
    first, *_ = items(asked(row, userId="a viewer"))
    made = service.control.create_event_tracker(name="t", datasetGroupArn=asked.group(row.domain))
    service.work()
    event = {"eventType": "watch", "itemId": first, "sentAt": world.START + 1}
    service.events.put_events(trackingId=made["trackingId"], userId="a viewer", sessionId="s", eventList=[event])
    assert first not in items(asked(row, userId="a viewer"))


def test_records_for_what_a_tracker_made_are_told_where_they_belong(service, asked):
    group = asked.group("VIDEO_ON_DEMAND")
    arn = group.replace("dataset-group/", "dataset/") + "/EVENT_INTERACTIONS"
    if not service.control.list_event_trackers(datasetGroupArn=group)["eventTrackers"]:
        service.control.create_event_tracker(name="t", datasetGroupArn=group)
        service.work()
    records = {"put_items": {"items": [{"itemId": "i"}]}, "put_users": {"users": [{"userId": "u"}]}}
    for name, params in records.items():
        _, code, message = service.refused(service.events, name, datasetArn=arn, **params)
        assert code == "InvalidInputException" and "DescribeDataset and DeleteDataset" in message
