"""What the tasks hand to the rooms that compute: columns left out, settings of the solution, a stop on the way."""

from __future__ import annotations

import json
import os

import pytest
import small_world as world
from skipping_clock import SkippingClock

from personalize_nb.contract import limits
from personalize_nb.local.personalize.operations.control import Control
from personalize_nb.local.recipes import families
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout
from personalize_nb.local.state.store import Store
from personalize_nb.local.tasks import hold_out, tasks
from personalize_nb.local.tasks.run import WorkContext, perform

ROLE = "arn:aws:iam::123456789012:role/PersonalizeNbLocal"


@pytest.fixture
def context(tmp_path):
    layout.prepare(tmp_path)
    clock = SkippingClock()
    store, objects = Store(tmp_path / "state.sqlite", clock.time), ObjectStore(tmp_path / "objects", clock.time)
    objects.create_bucket("bucket", "us-east-1")
    yield WorkContext(tmp_path, store, objects, "us-east-1", "123456789012", clock=clock.time, sleep=clock.sleep)
    store.close()
    objects.close()


@pytest.fixture
def call(context):
    """Call an operation and do the work that it queued, in this process."""
    control = Control(context.store, context.objects, context.account, context.region)

    def run(operation, **params):
        answer = control.call(operation, params)
        while (work := context.store.claim(os.getpid())) is not None:
            perform(context, work, tasks.LIGHT | tasks.HEAVY)
        return next(value for key, value in answer.items() if key.endswith("Arn"))

    return run


@pytest.fixture
def train(context, call):
    """Import the small world, train with a solution's settings, return the solution version."""
    group = call("CreateDatasetGroup", name="g")
    for kind in world.SCHEMAS:
        schema = call("CreateSchema", name=kind, schema=world.avro(kind))
        dataset = call("CreateDataset", name=kind, schemaArn=schema, datasetGroupArn=group, datasetType=kind.lower())
        context.objects.put("bucket", f"{kind}.csv", world.csv(kind))
        job = call(
            "CreateDatasetImportJob",
            jobName=kind,
            datasetArn=dataset,
            dataSource={"dataLocation": f"s3://bucket/{kind}.csv"},
            roleArn=ROLE,
        )
        assert context.store[job].status == "ACTIVE", context.store[job].failure_reason
        size = len(world.csv(kind))
        assert context.store[job].progress == (size, size)

    def run(recipe, **settings):
        arn = f"arn:aws:personalize:::recipe/{recipe}"
        solution = call("CreateSolution", name="s", recipeArn=arn, datasetGroupArn=group, **settings)
        return context.store[call("CreateSolutionVersion", solutionArn=solution)]

    return run


@pytest.fixture
def taught(monkeypatch):
    """Record what recipes are trained with."""
    seen = {}

    def learn(name, data, **arguments):
        seen.update(arguments, name=name, data=data)
        return recipes_train(name, data, **arguments)

    recipes_train = families.train
    monkeypatch.setattr(families, "train", learn)
    return seen


def test_a_solutions_settings_reach_its_training(train, taught):
    version = train(
        "aws-sims",
        eventType="view",
        solutionConfig={
            "eventValueThreshold": "1.5",
            "algorithmHyperParameters": {"min_cointeraction_count": "2"},
        },
    )
    assert version.status == "ACTIVE", version.failure_reason
    assert (taught["name"], taught["event_type"], taught["event_value_threshold"]) == ("aws-sims", "view", 1.5)
    assert taught["hyperparameters"] == {"min_cointeraction_count": "2"}
    assert version.progress is not None


def test_columns_that_a_solution_leaves_out_are_not_trained_on(train, taught):
    config = {
        "excludedDatasetColumns": {"items": ["DESCRIPTION"]},
        "includedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]},
    }
    train("aws-popularity-count", solutionConfig={"trainingDataConfig": config})
    data = taught["data"]
    assert data.items.column_names == ["ITEM_ID", "TITLE", "SHELF", "PRICE", "CREATION_TIMESTAMP"]
    assert data.interactions.column_names == ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"]
    assert data.schemas["ITEMS"].textual is None
    assert data.users.column_names == ["USER_ID", "AGE"]


def test_a_training_that_is_stopped_on_the_way_leaves_no_model(context, train, monkeypatch):
    control = Control(context.store, context.objects, context.account, context.region)

    def stopped(name, data, *, progress, **arguments):
        (version,) = context.store.list("solution_version")
        control.call("StopSolutionVersionCreation", {"solutionVersionArn": version.arn})
        progress(1, 2)

    monkeypatch.setattr(families, "train", stopped)
    version = train("aws-sims")
    assert version.status == "CREATE STOPPED"
    assert list((context.root / "models").iterdir()) == []


def test_too_little_data_fails_in_amazons_words(train):
    version = train("aws-popularity-count", eventType="download")
    assert version.status == "CREATE FAILED"
    assert version.failure_reason.startswith("Dataset has fewer than 1000 interactions")


def test_a_training_may_end_before_its_solution_is_active(context, train):
    group = train("aws-popularity-count").group_arn
    control = Control(context.store, context.objects, context.account, context.region)
    request = {"name": "hasty", "datasetGroupArn": group, "recipeArn": "arn:aws:personalize:::recipe/aws-sims"}
    solution = control.call("CreateSolution", request)["solutionArn"]
    version = control.call("CreateSolutionVersion", {"solutionArn": solution})["solutionVersionArn"]
    for kinds, ended in ((tasks.HEAVY, ["CREATE PENDING", "ACTIVE"]), (tasks.LIGHT, ["ACTIVE", "ACTIVE"])):
        perform(context, context.store.claim(os.getpid(), kinds), kinds)
        assert [context.store[arn].status for arn in (solution, version)] == ended


def test_metrics_are_kept_with_the_version(train, call, monkeypatch):
    monkeypatch.setattr(hold_out, "hold_out", lambda *_, **__: {"coverage": 0.5})
    version = train("aws-popularity-count")
    assert call("GetSolutionMetrics", solutionVersionArn=version.arn) == version.arn
    assert version.facts.metrics == {"coverage": 0.5}


def test_an_import_from_a_place_that_emptied_meanwhile_says_so(context, call, train, monkeypatch):
    put = context.objects.put
    put("bucket", "folder/a.csv", world.csv("USERS"))
    (dataset,) = [found.arn for found in context.store.list("dataset") if found.body["datasetType"] == "USERS"]
    monkeypatch.setattr(ObjectStore, "list", lambda self, bucket, prefix="", start_after="": iter(()))
    monkeypatch.setattr("personalize_nb.local.personalize.operations.locations.check_readable", lambda *_: None)
    job = call(
        "CreateDatasetImportJob",
        jobName="late",
        datasetArn=dataset,
        dataSource={"dataLocation": "s3://bucket/folder/"},
        roleArn=ROLE,
    )
    assert context.store[job].failure_reason.startswith("Invalid Data location.")


def test_hpo_searches_and_says_what_it_found(context, train, taught):
    version = train(
        "aws-sims",
        performHPO=True,
        solutionConfig={
            "hpoConfig": {
                "hpoResourceConfig": {"maxNumberOfTrainingJobs": "4"},
                "algorithmHyperParameterRanges": {
                    "integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 0, "maxValue": 2}]
                },
            }
        },
    )
    assert version.status == "ACTIVE", version.failure_reason
    control = Control(context.store, context.objects, context.account, context.region)
    described = control.call("DescribeSolutionVersion", {"solutionVersionArn": version.arn})["solutionVersion"]
    assert described["performHPO"] is True
    best = described["tunedHPOParams"]["algorithmHyperParameters"]
    assert set(best) == {"min_cointeraction_count"}
    assert taught["hyperparameters"] == best
    trials = version.facts.trials
    assert sorted(trial["hyperParameters"]["min_cointeraction_count"] for trial in trials) == ["0", "1", "2"]
    assert trials[0]["hyperParameters"] == best


def test_an_objective_and_event_weights_are_measured(train):
    objective = {"itemAttribute": "CREATION_TIMESTAMP", "objectiveSensitivity": "HIGH"}
    found = train("aws-user-personalization", solutionConfig={"optimizationObjective": objective})
    assert found.status == "ACTIVE", found.failure_reason
    assert 0 <= found.facts.metrics["average_rewards_at_k"] <= 1


def test_an_import_has_the_size_that_its_mode_allows(context, call, train, monkeypatch):
    monkeypatch.setitem(limits.MAX_IMPORT_BYTES, "INCREMENTAL", 1000)
    (dataset,) = [found.arn for found in context.store.list("dataset") if found.body["datasetType"] == "INTERACTIONS"]
    request = {
        "datasetArn": dataset,
        "dataSource": {"dataLocation": "s3://bucket/INTERACTIONS.csv"},
        "roleArn": ROLE,
    }
    assert context.store[call("CreateDatasetImportJob", jobName="full", **request)].status == "ACTIVE"
    job = context.store[call("CreateDatasetImportJob", jobName="more", importMode="INCREMENTAL", **request)]
    assert job.status == "CREATE FAILED"
    assert job.failure_reason.endswith("an import job of this mode can have 1000.")


def test_imports_and_deletions_end_in_a_later_second(context, call, train):
    for kind in ("dataset_import_job", "data_deletion_job"):
        if kind == "data_deletion_job":
            context.objects.put("bucket", "gone.csv", b"USER_ID\nu1\n")
            (group,) = [found.arn for found in context.store.list("dataset_group")]
            source = {"dataLocation": "s3://bucket/gone.csv"}
            call("CreateDataDeletionJob", jobName="d", datasetGroupArn=group, dataSource=source, roleArn=ROLE)
        jobs = context.store.list(kind)
        assert jobs and all(int(job.updated) > int(job.created) for job in jobs)


def test_semantic_similarity_from_solution_to_output(context, train, call):
    version = train("aws-semantic-similarity")
    assert version.status == "ACTIVE", version.failure_reason
    assert version.facts.metrics.keys() >= {"coverage", "precision_at_5"}
    context.objects.put("bucket", "in.json", b'{"itemId": "i0"}\n{"itemId": "nobody knows"}\n')
    job = call(
        "CreateBatchInferenceJob",
        jobName="alike",
        solutionVersionArn=version.arn,
        jobInput={"s3DataSource": {"path": "s3://bucket/in.json"}},
        jobOutput={"s3DataDestination": {"path": "s3://bucket/out/"}},
        numResults=5,
        batchInferenceJobConfig={"rankingInfluence": {"POPULARITY": 0.3, "FRESHNESS": 0.3}},
        roleArn=ROLE,
    )
    assert context.store[job].status == "ACTIVE", context.store[job].failure_reason
    with context.objects.open("bucket", "out/in.json.out") as out:
        lines = [json.loads(line) for line in out.read().splitlines()]
    assert [len(line["output"]["recommendedItems"]) for line in lines] == [5, 5]
    assert {world.shelf(item) for item in lines[0]["output"]["recommendedItems"]} == {world.shelf("i0")}
    assert "scores" not in lines[0]["output"]
