"""Quotas on what a training considers: the newest interactions, the items met most, and so many kinds of events."""

from __future__ import annotations

import json
from dataclasses import replace

import inline_service
import pyarrow as pa
import pytest
import small_world as world

from personalize_nb.local.data.schema import RESERVED, TrainingData
from personalize_nb.local.data.training_limits import considered
from personalize_nb.local.personalize.operations.avro import DATASET_RULES
from personalize_nb.local.recipes import families
from personalize_nb.local.state import layout
from personalize_nb.local.state.quotas import DATA_QUOTAS


@pytest.fixture
def service(tmp_path):
    service = inline_service.InlineService(tmp_path)
    yield service
    service.close()


def interactions(*items):
    """One interaction with each item, a second apart."""
    return pa.table({"USER_ID": ["u"] * len(items), "ITEM_ID": list(items), "TIMESTAMP": list(range(len(items)))})


def catalogue(**born):
    return pa.table({"ITEM_ID": list(born), "CREATION_TIMESTAMP": pa.array(list(born.values()), pa.int64())})


def lowered(**quotas):
    return DATA_QUOTAS | quotas


def test_the_newest_interactions_count():
    data = TrainingData(interactions("a", "b", "c", "d"), None, None)
    kept = considered(data, "aws-sims", lowered(interactions_considered=3))
    assert kept.interactions["ITEM_ID"].to_pylist() == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("recipe", "interaction_quota", "item_quota"),
    [
        ("aws-user-personalization", "interactions_considered", "items_considered"),
        ("aws-user-personalization-v2", "interactions_considered_v2", "items_considered_v2"),
        ("aws-personalized-ranking-v2", "interactions_considered_v2", "items_considered_v2"),
        ("aws-semantic-similarity", "interactions_considered", "items_considered_semantic"),
    ],
)
def test_each_recipe_has_its_own_quotas(recipe, interaction_quota, item_quota):
    data = TrainingData(interactions("a", "a", "b", "c"), None, None)
    unmoved = {name: 1 for name in DATA_QUOTAS if name not in (interaction_quota, item_quota)}
    assert considered(data, recipe, lowered(**unmoved)) == data
    fewer = considered(data, recipe, lowered(**{interaction_quota: 2}))
    assert fewer.interactions["ITEM_ID"].to_pylist() == ["b", "c"]
    assert considered(data, recipe, lowered(**{item_quota: 1})).interactions["ITEM_ID"].to_pylist() == ["a", "a"]


def test_items_met_most_count_then_the_newest_then_the_first():
    data = TrainingData(interactions("b", "x", "b", "a"), catalogue(e=1, d=5, c=5, b=0, f=None), None)

    def kept(most):
        found = considered(data, "aws-sims", lowered(items_considered=most))
        return found.items["ITEM_ID"].to_pylist(), found.interactions["ITEM_ID"].to_pylist()

    assert kept(1) == (["b"], ["b", "b"])
    assert kept(3) == (["b"], ["b", "x", "b", "a"])
    assert kept(4) == (["c", "b"], ["b", "x", "b", "a"])
    assert kept(6) == (["e", "d", "c", "b"], ["b", "x", "b", "a"])
    assert kept(7) == (["e", "d", "c", "b", "f"], ["b", "x", "b", "a"])


def test_items_alone_can_be_too_many():
    data = TrainingData(None, catalogue(a=1, b=2, c=3), None)
    kept = considered(data, "aws-semantic-similarity", lowered(items_considered_semantic=2))
    assert kept.items["ITEM_ID"].to_pylist() == ["b", "c"] and kept.interactions is None


def test_a_job_recommends_only_items_that_its_training_considered(service):
    service._context = replace(service._context, quotas=lowered(items_considered=50))
    group, _ = service.group()
    version = service.version(group, "aws-popularity-count")
    model = families.load(layout.model_path(service.folder, version))
    assert len(model.item_ids) == 50 < world.BOOKS
    service.put("in.json", b'{"userId": "u1"}\n')
    service.made(
        "create_batch_inference_job",
        jobName="j",
        solutionVersionArn=version,
        roleArn=inline_service.ROLE,
        numResults=60,
        jobInput={"s3DataSource": {"path": "s3://data/in.json"}},
        jobOutput={"s3DataDestination": {"path": "s3://data/out/"}},
    )
    row = json.loads(service.read("out/in.json.out"))
    assert sorted(row["output"]["recommendedItems"]) == model.item_ids.to_pylist()


def test_a_training_that_considers_too_few_fails_with_amazons_words(service):
    service._context = replace(service._context, quotas=lowered(interactions_considered=999))
    group, _ = service.group()
    solution = service.made(
        "create_solution", name="s", datasetGroupArn=group, recipeArn=inline_service.RECIPE + "aws-sims"
    )
    arn = service.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    service.work()
    found = service.control.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
    assert (found["status"], found["failureReason"]) == ("CREATE FAILED", "Dataset has fewer than 1000 interactions")


def test_reserved_columns_are_those_of_the_schema_rules():
    rules = DATASET_RULES["INTERACTIONS"]
    assert {*rules.required, *rules.reserved} == RESERVED


def events(kinds):
    rows = "".join(f"u{row % 40},i{row % 50},{row + 1},k{row % kinds},x\n" for row in range(1000))
    return "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,DEVICE\n" + rows


def test_event_types_and_metadata_columns_are_ten_together(service):
    fields = json.loads(world.avro("INTERACTIONS"))["fields"][:3] + [
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "DEVICE", "type": "string", "categorical": True},
    ]
    record = {"type": "record", "name": "Interactions", "fields": fields, "version": "1.0"}
    group = service.made("create_dataset_group", name="g")
    schema = service.made("create_schema", name="s", schema=json.dumps(record))
    dataset = service.made(
        "create_dataset", name="d", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )
    request = {"datasetArn": dataset, "roleArn": inline_service.ROLE, "dataSource": {"dataLocation": "s3://data/e.csv"}}
    service.put("e.csv", events(kinds=9).encode())
    service.made("create_dataset_import_job", jobName="nine", **request)
    service.put("e.csv", events(kinds=9).replace("k1,", "k9,").encode())
    arn = service.control.create_dataset_import_job(jobName="ten", importMode="INCREMENTAL", **request)[
        "datasetImportJobArn"
    ]
    service.work()
    job = service.control.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"]
    assert job["status"] == "CREATE FAILED"
    assert "more than 9 event types beside 1 metadata columns: k0, k1, k2" in job["failureReason"]
    service.made("create_dataset_import_job", jobName="other-nine", **request)
