"""What only the service knows of a resource is read from rows of any age, and stays out of every answer."""

from __future__ import annotations

import json
import sqlite3

import pytest

from personalize_nb.local.state import facts as kept
from personalize_nb.local.state import kinds
from personalize_nb.local.state.facts import Changes, Update
from personalize_nb.local.state.store import Store

GROUP = {"group": "books"}
DATA = GROUP | {"schemas": {"ITEMS": "{}"}}
MODEL = DATA | {"recipe": "aws-sims", "model": "0123abcd", "streamed_to": 7}
UPDATE = {"update": Update("latestUpdate", Changes({"schemaArn": "arn:new"}, {"model": "4567cdef", "streamed_to": 8}))}
FACTS = {
    kinds.DATASET: kept.Updatable(**UPDATE),
    kinds.DATASET_IMPORT_JOB: kept.TransferFacts(**GROUP, type="ITEMS", schema="{}"),
    kinds.DATASET_EXPORT_JOB: kept.TransferFacts(**GROUP, type="ITEMS", schema="{}"),
    kinds.DATA_DELETION_JOB: kept.DataFacts(**DATA),
    kinds.SOLUTION: kept.SolutionFacts(**GROUP, **UPDATE, recipe="aws-sims", hyperparameters={"a": "1"}),
    kinds.SOLUTION_VERSION: kept.VersionFacts(**MODEL, hyperparameters={}, metrics={"coverage": 0.5}, trials=[]),
    kinds.BATCH_INFERENCE_JOB: kept.InferenceFacts(**MODEL, num_results=9, mode="BATCH_INFERENCE"),
    kinds.BATCH_SEGMENT_JOB: kept.JobFacts(**MODEL, num_results=9, filter_expression="INCLUDE ItemID WHERE ..."),
    kinds.CAMPAIGN: kept.Updatable(**UPDATE),
    kinds.RECOMMENDER: kept.RecommenderFacts(**MODEL, **UPDATE, event_type="View", former="89ab", metrics={}),
    kinds.METRIC_ATTRIBUTION: kept.AttributionFacts(metrics=[{"eventType": "buy"}]),
}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    yield store
    store.close()


@pytest.mark.parametrize("kind", kinds.KINDS.values())
def test_facts_are_kept_beside_the_answer(store, kind):
    facts = FACTS.get(kind, kept.Facts())
    made = store.create(kind, "arn:a", "a", {"name": "a"}, facts)
    assert type(made.facts) is kind.facts
    assert made.facts == facts
    assert made.described().keys() == {"name", "creationDateTime", "lastUpdatedDateTime"}


def test_facts_change_and_none_removes_one(store):
    store.create(kinds.RECOMMENDER, "arn:a", "a", {}, FACTS[kinds.RECOMMENDER])
    facts = store.update("arn:a", Changes({}, {"former": "4567cdef", "update": None})).facts
    assert (facts.former, facts.update, facts.model) == ("4567cdef", None, "0123abcd")


# as the service wrote them when facts had no types of their own
OLD_VERSION = {
    "name": "taste/0123abcd",
    "trainingMode": "FULL",
    "_recipe": "aws-user-personalization",
    "_group": "books",
    "_hyperparameters": {"hidden_dimension": "64"},
    "_schemas": {"INTERACTIONS": "{}"},
    "_model": "0123abcd",
    "_metrics": {"coverage": 0.5},
}
OLD_RECOMMENDER = {
    "name": "top",
    "recommenderConfig": {"minRecommendationRequestsPerSecond": 1},
    "latestRecommenderUpdate": {"status": "CREATE PENDING"},
    "_recipe": "aws-user-personalization",
    "_eventType": None,
    "_group": "films",
    "_schemas": {},
    "_model": "0123abcd",
    "_streamedTo": 3,
    "_update": {
        "member": "latestRecommenderUpdate",
        "changes": {"recommenderConfig": {}, "_model": "4567cdef", "_former": "0123abcd", "_schemas": {"ITEMS": "{}"}},
    },
}


def row(path, change=""):
    with sqlite3.connect(path) as connection:
        if change:
            connection.execute(change)
        [(text,)] = connection.execute("SELECT body FROM resources")
    connection.close()
    return json.loads(text)


@pytest.mark.parametrize(("kind", "old"), [(kinds.SOLUTION_VERSION, OLD_VERSION), (kinds.RECOMMENDER, OLD_RECOMMENDER)])
def test_rows_keep_the_form_they_always_had(store, tmp_path, kind, old):
    store.create(kind, "arn:a", "a", {})
    row(tmp_path / "state.sqlite", f"UPDATE resources SET body = '{json.dumps(old)}'")
    found = store["arn:a"]
    assert found.body == {key: value for key, value in old.items() if not key.startswith("_")}
    assert not [key for key in found.described() if key.startswith("_")]
    written = {key: value for key, value in old.items() if value is not None}
    assert store.update("arn:a", Changes({"seen": True})).facts == found.facts
    assert row(tmp_path / "state.sqlite") == written | {"seen": True}
    store.delete("arn:a")
    store.create(kind, "arn:a", "a", found.body, found.facts)
    assert row(tmp_path / "state.sqlite").items() >= written.items()


def test_facts_of_old_rows_have_their_types(store, tmp_path):
    store.create(kinds.RECOMMENDER, "arn:a", "a", {})
    row(tmp_path / "state.sqlite", f"UPDATE resources SET body = '{json.dumps(OLD_RECOMMENDER)}'")
    facts = store["arn:a"].facts
    assert (facts.event_type, facts.streamed_to, facts.former, facts.metrics) == (None, 3, None, None)
    changes = Changes(
        {"recommenderConfig": {}}, {"model": "4567cdef", "former": "0123abcd", "schemas": {"ITEMS": "{}"}}
    )
    assert facts.update == Update("latestRecommenderUpdate", changes)
    assert facts.changed(facts.update.changes.facts).model == "4567cdef"
