"""Catalogues of hardly an item, users who met one thing, metadata that say nothing: a model or Amazon's refusal."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_service import BUCKET, RECIPE, ROLE, InlineService

from personalize_nb.contract.attributes import NO_ATTRIBUTE
from personalize_nb.contract.recipes import RECIPES, names_where
from personalize_nb.local.data.schema import Schema, TrainingData
from personalize_nb.local.errors import WorkError
from personalize_nb.local.recipes import families
from personalize_nb.local.recipes.base import Queries
from personalize_nb.local.tasks import hold_out, tuning

TRAINABLE = names_where(lambda row: row.family)
FIELDS = {
    "INTERACTIONS": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"},
    "ITEMS": {"ITEM_ID": "string", "TITLE": "string", "KIND": "string", "YEAR": "int", "ABOUT": "string"},
}
MARKS = {"TITLE": "itemName", "KIND": "categorical", "ABOUT": "textual"}
WORDS = {"TITLE": "The sea", "KIND": "Sea|Island", "ABOUT": "A ship sails the stormy ocean and finds an island."}


def schema(kind):
    fields = [
        {"name": name, "type": of} | ({MARKS[name]: True} if name in MARKS else {}) for name, of in FIELDS[kind].items()
    ]
    return Schema.from_avro(kind, {"fields": fields})


def world(items, users, same_moment, catalogue, blank):
    """Return a thousand events and an Items dataset with the IDs of `catalogue`, its metadata all null if blank."""
    rows = [(f"u{n % users:03d}", f"i{(n // users + n) % items}", 7 if same_moment else n) for n in range(1000)]
    events = pa.table(list(map(pa.array, zip(*rows, strict=True))), names=list(FIELDS["INTERACTIONS"]))
    schemas = {"INTERACTIONS": schema("INTERACTIONS")}
    table = None
    if catalogue is not None:
        schemas["ITEMS"] = schema("ITEMS")
        columns = {
            name: pa.array([None if blank else text] * len(catalogue), pa.string()) for name, text in WORDS.items()
        }
        years = pa.array([None if blank else 2000 + n for n in range(len(catalogue))], pa.int64())
        table = pa.table({"ITEM_ID": pa.array(catalogue, pa.string()), **columns, "YEAR": years})
        table = table.select(list(FIELDS["ITEMS"]))
    return TrainingData(events, table, None, schemas)


WORLDS = st.builds(
    world,
    items=st.integers(1, 4),
    users=st.sampled_from([25, 60, 500]),
    same_moment=st.booleans(),
    catalogue=st.sampled_from([None, ["i0"], ["i0", "i1", "i2", "i3"], ["stranger"]]),
    blank=st.booleans(),
)


@pytest.mark.parametrize("recipe", TRAINABLE)
@settings(max_examples=12, deadline=None)
@given(data=WORLDS)
def test_a_tiny_world_is_trained_measured_and_asked_or_refused_in_words(recipe, data):
    row = RECIPES[recipe]
    try:
        model = families.train(recipe, data)
    except WorkError as error:
        needs_items = row.by_attributes or "ITEMS" in row.datasets
        assert needs_items, error.reason
        assert NO_ATTRIBUTE in error.reason or data.items is None
        return
    measured = hold_out.hold_out(recipe, data)
    assert measured and all(0 <= value < np.inf for value in measured.values()), measured
    if row.by_attributes:
        return
    asked = Queries(users=["u000", "nobody"], items=["i0", "nowhere"], item_lists=[["i0", "nowhere"], ["i0"]])
    lists = model.rank(asked).items.to_pylist()
    known = {*model.item_ids.to_pylist(), *model.user_ids.to_pylist(), "nowhere"}
    assert len(lists) == 2
    assert all(set(found) <= known and len(found) == len(set(found)) for found in lists)


@pytest.mark.parametrize("recipe", names_where(lambda row: row.tunable))
def test_a_search_in_a_catalogue_of_one_item_ends(recipe):
    data = world(1, 25, False, ["i0"], False)
    config = {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "2"}}
    trials = tuning.optimize(recipe, data, config, hyperparameters={})
    assert len(trials) == 2 and all(np.isfinite(trial.score) for trial in trials)


@pytest.fixture(scope="module")
def one_item(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("one-item"))
    group = service.made("create_dataset_group", name="g")
    texts = {
        "INTERACTIONS": "\n".join(["USER_ID,ITEM_ID,TIMESTAMP", *(f"u{n % 30},only,{n}" for n in range(1000))]),
        "ITEMS": f"{','.join(FIELDS['ITEMS'])}\nonly,The sea,Sea,,A ship sails the stormy ocean.",
    }
    for kind, text in texts.items():
        fields = [
            {"name": name, "type": of} | ({MARKS[name]: True} if name in MARKS else {})
            for name, of in FIELDS[kind].items()
        ]
        avro = json.dumps({"type": "record", "name": kind.capitalize(), "fields": fields, "version": "1.0"})
        arn = service.made("create_schema", name=kind, schema=avro)
        dataset = service.made("create_dataset", name=kind, schemaArn=arn, datasetGroupArn=group, datasetType=kind)
        service.put(f"{kind}.csv", f"{text}\n".encode())
        source = {"dataLocation": f"s3://{BUCKET}/{kind}.csv"}
        service.made("create_dataset_import_job", jobName=kind, datasetArn=dataset, dataSource=source, roleArn=ROLE)
    yield service, group
    service.close()


@pytest.mark.parametrize("recipe", TRAINABLE)
def test_a_catalogue_of_one_item_ends_active_or_in_amazons_words(one_item, recipe):
    service, group = one_item
    solution = service.made("create_solution", name=recipe, datasetGroupArn=group, recipeArn=RECIPE + recipe)
    version = service.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    service.work()
    found = service.control.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    metrics = (
        found["status"] == "ACTIVE" and service.control.get_solution_metrics(solutionVersionArn=version)["metrics"]
    )
    service.control.delete_solution(solutionArn=solution)
    if RECIPES[recipe].by_attributes:
        assert (found["status"], found["failureReason"]) == ("CREATE FAILED", NO_ATTRIBUTE)
    else:
        assert found["status"] == "ACTIVE", found["failureReason"]
        assert metrics and all(0 <= value < np.inf for value in metrics.values())


def affinity(**columns):
    """Train by attributes on six items with these columns; return whether that went well."""
    fields = [{"name": "ITEM_ID", "type": "string"}]
    for name, cells in columns.items():
        number = any(isinstance(cell, int) for cell in cells)
        fields.append({"name": name, "type": ["null", "long" if number else "string"]})
        fields[-1] |= {"categorical": True} if name.startswith("C") and name != "CREATION_TIMESTAMP" else {}
    data = world(6, 25, False, None, False)
    table = pa.table({"ITEM_ID": [f"i{n}" for n in range(6)], **columns})
    schemas = data.schemas | {"ITEMS": Schema.from_avro("ITEMS", {"fields": fields})}
    try:
        families.train("aws-item-attribute-affinity", TrainingData(data.interactions, table, None, schemas))
    except WorkError as error:
        assert error.reason == NO_ATTRIBUTE
        return False
    return True


ALIKE, DISTINCT, USABLE = ["red"] * 6, list("abcdef"), ["red", "blue"] * 3


@pytest.mark.parametrize(
    ("columns", "trains"),
    [
        ({"COLOUR": ALIKE}, False),
        ({"COLOUR": DISTINCT}, False),
        ({"COLOUR": [None] * 5 + ["red"]}, False),
        ({"COLOUR": ["red"] * 5 + [None]}, False),
        ({"COLOUR": pa.nulls(6, pa.string())}, False),
        ({"COLOUR": USABLE}, True),
        ({"COLOUR": ALIKE, "CUT": USABLE}, True),
        ({"COLOUR": ALIKE, "CUT": DISTINCT}, False),
        ({"COLOUR": ["a|b", "b|a"] * 3}, False),
        ({"COLOUR": [f"shoe|{cell}" for cell in DISTINCT]}, False),
        ({"COLOUR": ["a|b", "b|c", "c|d", "d|e", "e|f", "f|a"]}, True),
        ({"COLOUR": ["a", "a|b", "c", "d", "e", "f"]}, True),
        ({"TITLE": USABLE}, False),
        ({"YEAR": [1, 1, 2, 2, 3, 3]}, True),
        ({"YEAR": [1, 2, 3, 4, 5, 6]}, False),
        ({"CREATION_TIMESTAMP": [1, 1, 2, 2, 3, 3]}, False),
    ],
)
def test_training_by_attributes_needs_one_that_tells_items_apart(columns, trains):
    columns = {name: cells if isinstance(cells, pa.Array) else pa.array(cells) for name, cells in columns.items()}
    columns = {name: cells.to_pylist() for name, cells in columns.items()}
    assert affinity(**columns) == trains
