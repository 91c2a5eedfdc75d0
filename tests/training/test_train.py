"""Frames to an ACTIVE solution version in one call, which costs nothing when repeated and goes on where it stopped."""

import json

import botocore.exceptions
import numpy as np
import pandas as pd
import pytest
import reading_world
from installed_boto3 import needs_boto3

import personalize_nb as pnb
from personalize_nb.errors import (
    FailedError,
    InputError,
    NotFoundError,
    QuotaError,
    RequestError,
    ServiceError,
    WaitTimeoutError,
)
from personalize_nb.session import s3
from personalize_nb.session.session import Session
from personalize_nb.training.configuration import configuration
from personalize_nb.training.plan import plan

INTERACTIONS, ITEMS = reading_world.interactions(), reading_world.items()


def resources(session):
    counts = {
        "groups": ("list_dataset_groups", "datasetGroups"),
        "imports": ("list_dataset_import_jobs", "datasetImportJobs"),
        "solutions": ("list_solutions", "solutions"),
        "versions": ("list_solution_versions", "solutionVersions"),
    }
    return {name: len(list(session.pages(*operation))) for name, operation in counts.items()}


def made(before, after):
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def schema_of(version, session):
    found = session.pages("list_datasets", "datasets", datasetGroupArn=version.dataset_group_arn)
    arn = next(one["datasetArn"] for one in found if one["datasetType"].upper() == "ITEMS")
    return session.call("describe_dataset", datasetArn=arn)["dataset"]["schemaArn"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A session on a service of its own, because only five dataset groups may be active."""
    own = Session.local(tmp_path_factory.mktemp("lab"), idle_seconds=600)
    yield own
    own.stop()


@pytest.fixture(autouse=True)
def room(lab):
    """Leave at most three dataset groups, so that each test can make two."""
    yield
    for name in pnb.list_dataset_groups(lab)["name"].iloc[3:]:
        pnb.delete_dataset_group(name, progress=False, session=lab)


@pytest.fixture(scope="module")
def model(lab):
    return pnb.train(INTERACTIONS, ITEMS, name="reading", progress=False, session=lab)


@needs_boto3("1.41.6")
def test_semantic_similarity_is_trained_on_marked_names(lab):
    named = ITEMS.assign(description=ITEMS["description"] + " " + ITEMS["title"])
    version = pnb.train(
        INTERACTIONS, named, name="meaning", recipe="aws-semantic-similarity", progress=False, session=lab
    )
    fields = json.loads(lab.call("describe_schema", schemaArn=schema_of(version, lab))["schema"]["schema"])["fields"]
    assert [one["name"] for one in fields if one.get("itemName")] == ["TITLE"]
    job = pnb.recommend(["b0"], version, num_results=5, ranking_influence={"POPULARITY": 0.2}).wait(progress=False)
    assert job.recommendations(items=ITEMS, columns=["shelf"])["shelf"].tolist() == ["sea"] * 5


@pytest.mark.parametrize("items", [None, ITEMS.drop(columns="title"), ITEMS.drop(columns="description")])
def test_semantic_similarity_without_names_or_texts_is_refused_before_anything_is_made(lab, items):
    before = resources(lab)
    with pytest.raises(
        InputError, match=r"need a text column of names, called one of title, name, .* \(textual='...'\)"
    ):
        pnb.train(INTERACTIONS, items, name="meaning", recipe="aws-semantic-similarity", session=lab)
    assert made(before, resources(lab)) == {}


def test_an_objective_names_a_column_of_the_items(lab):
    objective = {"itemAttribute": "year", "objectiveSensitivity": "HIGH"}
    version = pnb.train(
        INTERACTIONS,
        ITEMS,
        name="worth",
        solution_config={"optimizationObjective": objective},
        progress=False,
        session=lab,
    )
    assert "average_rewards_at_k" in version.metrics()
    solution = lab.call("describe_solution", solutionArn=version.describe()["solutionArn"])["solution"]
    assert solution["solutionConfig"]["optimizationObjective"] == {**objective, "itemAttribute": "YEAR"}
    fields = json.loads(lab.call("describe_schema", schemaArn=schema_of(version, lab))["schema"]["schema"])["fields"]
    assert next(one["type"] for one in fields if one["name"] == "YEAR") == "long"


@pytest.mark.parametrize(
    ("items", "attribute", "told"),
    [
        (ITEMS, "shelf", "must be a column of numbers of the items, got 'shelf'; legal: year"),
        (None, "year", "got 'year'; the items have none"),
        (ITEMS.assign(year=ITEMS["year"].mask(ITEMS.index == 3)), "YEAR", r"fill it, .* \(1 of 60 rows.*: 3: None"),
    ],
)
def test_an_objective_that_no_column_serves_is_refused_before_anything_is_made(lab, items, attribute, told):
    before = resources(lab)
    wanted = {"optimizationObjective": {"itemAttribute": attribute, "objectiveSensitivity": "LOW"}}
    with pytest.raises(InputError, match=told):
        pnb.train(INTERACTIONS, items, name="worth", solution_config=wanted, session=lab)
    assert made(before, resources(lab)) == {}


def test_a_solution_version_comes_out(model, lab):
    assert model.status == "ACTIVE"
    assert model.recipe == "aws-user-personalization"
    metrics = model.metrics()
    assert metrics["normalized_discounted_cumulative_gain_at_25"] > 0
    cuts = [name.rpartition("_")[2] for name in metrics.index if name.startswith("precision_at_")]
    assert cuts == ["5", "10", "25"] and "coverage" in metrics
    assert repr(model).startswith(f"<SolutionVersion {model.name} of aws-user-personalization")
    solution = lab.call("describe_solution", solutionArn=model.arn.rsplit("/", 1)[0])["solution"]
    assert solution["performAutoTraining"] is False
    listed = pnb.list_solution_versions(lab, arns=True).set_index("solution_version_arn")
    assert listed.loc[model.arn, ["solution", "recipe", "status"]].tolist() == [
        model.name, "aws-user-personalization", "ACTIVE"
    ]  # fmt: skip


def test_uploaded_files_do_not_stay(model, lab):
    assert s3.stored(lab, lab.location("data")) == []


def test_the_same_call_again_makes_nothing(model, lab, capsys):
    before = resources(lab)
    assert pnb.train(INTERACTIONS, ITEMS, name="reading", session=lab) == model
    assert resources(lab) == before
    told = capsys.readouterr().err
    assert "1,440 interactions are imported already and are used" in told
    assert f"{model.name!r} is trained on this data already and is used" in told


def test_another_recipe_uses_the_same_data(model, lab):
    other = pnb.train(INTERACTIONS, ITEMS, name="reading", recipe="aws-sims", progress=False, session=lab)
    assert other.dataset_group_arn == model.dataset_group_arn
    assert other.arn != model.arn


def test_new_data_is_a_new_import_and_version_and_old_data_comes_back(lab):
    def train(interactions):
        return pnb.train(interactions, name="weekly", recipe="aws-popularity-count", progress=False, session=lab)

    first = train(INTERACTIONS)
    before = resources(lab)
    second = train(INTERACTIONS.head(1200))
    assert made(before, resources(lab)) == {"imports": 1, "versions": 1}
    assert (second.name, second.dataset_group_arn) == (first.name, first.dataset_group_arn)
    assert pnb.find_solution_version("weekly", lab) == second
    third = train(INTERACTIONS)
    assert third.arn not in (first.arn, second.arn)
    assert made(before, resources(lab)) == {"imports": 2, "versions": 2}


def test_another_structure_is_another_dataset_group(model, lab, capsys):
    users = pd.DataFrame({"user_id": INTERACTIONS["user_id"].unique()}).assign(age=30)
    items = ITEMS.drop(columns="shelf").assign(year=ITEMS["year"] + 0.5, pages=100)
    capsys.readouterr()
    other = pnb.train(INTERACTIONS, items, users, name="reading", recipe="aws-popularity-count", session=lab)
    assert other.dataset_group_arn != model.dataset_group_arn
    new, old = (one.dataset_group_arn.rsplit("/", 1)[-1] for one in (other, model))
    told = capsys.readouterr().err
    assert (
        f"new dataset group {new!r}, because the data has not the structure of {old!r}: items have a new column" in told
    )
    assert "PAGES (long or missing), YEAR of the items is double or missing, was long or missing" in told
    assert "items have no column SHELF; users are new" in told
    assert f"pnb.delete_dataset_group({old!r}) deletes the old one" in told


def test_columns_in_another_order_are_the_same_structure(model, lab):
    turned = INTERACTIONS[INTERACTIONS.columns[::-1]], ITEMS[ITEMS.columns[::-1]]
    again = pnb.train(*turned, name="reading", progress=False, session=lab)
    assert again == model


def test_settings_reach_the_service_and_make_another_solution(lab):
    settings = {"hyperparameters": {"popularity_discount_factor": 0.2}, "event_type": "read", "tags": {"team": "books"}}
    model = pnb.train(
        INTERACTIONS, ITEMS, name="reading", recipe="aws-similar-items", progress=False, session=lab, **settings
    )
    solution = lab.call("describe_solution", solutionArn=model.arn.rsplit("/", 1)[0])["solution"]
    assert solution["solutionConfig"]["algorithmHyperParameters"] == {"popularity_discount_factor": "0.2"}
    assert solution["eventType"] == "read"
    tags = lab.call("list_tags_for_resource", resourceArn=model.arn)["tags"]
    assert {"tagKey": "team", "tagValue": "books"} in tags
    assert {one["tagKey"] for one in tags} == {"team", "personalize_nb:owner"}


def test_an_interrupted_training_is_taken_up_again(lab):
    settings = {"name": "resumed", "recipe": "aws-user-personalization", "progress": False, "session": lab}
    with pytest.raises(WaitTimeoutError, match="Wait again with the same pnb.train"):
        pnb.train(INTERACTIONS, timeout=0, **settings)
    begun = pnb.train(INTERACTIONS, wait=False, **settings)
    before = resources(lab)
    assert pnb.train(INTERACTIONS, **settings) == begun.wait(progress=False)
    assert resources(lab) == before
    assert s3.stored(lab, lab.location("data")) == []


def test_a_lost_connection_says_that_the_same_call_goes_on(lab):
    settings = {"name": "severed", "recipe": "aws-popularity-count", "progress": False, "session": lab}

    def severed(**_):
        raise botocore.exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(ServiceError, match=r'127.0.0.1:1"\. .* Nothing is lost: the same pnb.train.* goes on'),
    ):
        patch.setattr(lab.personalize, "create_dataset", severed)
        pnb.train(INTERACTIONS, **settings)
    assert pnb.train(INTERACTIONS, **settings).status == "ACTIVE"


def test_a_lost_answer_to_an_import_loses_nothing(lab):
    settings = {"name": "unheard", "recipe": "aws-popularity-count", "progress": False, "session": lab}
    real = lab.personalize.create_dataset_import_job
    before = resources(lab)

    def unheard(**parameters):
        real(**parameters)
        raise botocore.exceptions.ReadTimeoutError(endpoint_url="http://127.0.0.1:1")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab.personalize, "create_dataset_import_job", unheard)
        assert pnb.train(INTERACTIONS, **settings).status == "ACTIVE"
    assert made(before, resources(lab))["imports"] == 1
    assert s3.stored(lab, lab.location("data")) == []


def test_what_fails_before_an_import_takes_its_dataset_group_along(lab):
    before = resources(lab)
    nobody = f"arn:aws:iam::{lab.account}:role/Nobody"
    with pytest.raises(ServiceError, match="dataset group 'nobody-.*', which this call made, is deleted again"):
        pnb.train(INTERACTIONS, name="nobody", role_arn=nobody, progress=False, session=lab)
    assert resources(lab) == before


def test_a_refused_solution_keeps_what_was_imported_and_says_so(lab, monkeypatch):
    settings = {"name": "refused", "recipe": "aws-popularity-count", "progress": False, "session": lab}
    refusal = botocore.exceptions.ClientError(
        {"Error": {"Code": "InvalidInputException", "Message": "Only the service knows."}}, "CreateSolution"
    )

    def create_solution(**_):
        raise refusal

    before = resources(lab)
    with monkeypatch.context() as patch, pytest.raises(ServiceError, match="Only the service knows") as caught:
        patch.setattr(lab.personalize, "create_solution", create_solution)
        pnb.train(INTERACTIONS, **settings)
    (group,) = {name for name in pnb.list_dataset_groups(lab)["name"] if name.startswith("refused-")}
    assert f"Dataset group {group!r}, which this call made, stays: the next pnb.train(...)" in str(caught.value)
    assert f"pnb.delete_dataset_group({group!r}) deletes it." in str(caught.value)
    pnb.train(INTERACTIONS, **settings)
    assert made(before, resources(lab)) == {"groups": 1, "imports": 1, "solutions": 1, "versions": 1}
    with monkeypatch.context() as patch, pytest.raises(ServiceError) as caught:
        patch.setattr(lab.personalize, "create_solution", create_solution)
        pnb.train(INTERACTIONS, event_type="read", **settings)
    assert "stays" not in str(caught.value)


def test_a_failed_import_gives_the_reason_and_can_be_tried_again(lab):
    settings = {"name": "failing", "recipe": "aws-popularity-count", "progress": False, "session": lab}
    real = s3.upload
    with pytest.MonkeyPatch.context() as patch, pytest.raises((FailedError, InputError)) as caught:

        def spoiled(lab, source, address):
            source.truncate(100)
            real(lab, source, address)

        patch.setattr(s3, "upload", spoiled)
        pnb.train(INTERACTIONS, **settings)
    assert caught.value.reason
    assert "which this call made, stays" in str(caught.value)
    assert s3.stored(lab, lab.location("data")) == []
    assert pnb.train(INTERACTIONS, **settings).status == "ACTIVE"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"recipe": "aws-magic"}, "no recipe 'aws-magic'; there are aws-hrnn"),
        ({"name": None}, "'name' must be text, got None"),
        ({"recipe": None}, "'recipe' must be text, got None"),
        ({"hyperparameters": ["bptt"]}, r"'hyperparameters' must be a mapping of names to values, got \['bptt'\]"),
        ({"solution_config": "x"}, "'solution_config' must be a mapping"),
        ({"tags": {"n": 1}}, "A tag is text: .*got 'n': 1"),
        (
            {"items": ITEMS.assign(item_id=ITEMS["item_id"].str.upper())},
            "No item_id of the interactions is among the items: 'b0' and so on there, 'B0' and so on here",
        ),
        ({"name": "!!"}, "'name' needs letters or digits, got '!!'"),
        ({"categorical": ["colour"]}, r"'categorical' names \['colour'\], which no frame has"),
        ({"categorical": "colour"}, r"'categorical' names \['colour'\], which no frame has"),
        ({"event_type": "buy"}, "of event type 'buy', got 0"),
        ({"event_type": 5}, "'event_type' must be text"),
        ({"solution_config": {"performHPO": True}}, 'no solutionConfig .* Unknown parameter in input: "performHPO"'),
        ({"solution_config": {"hpoConfig": []}}, "Invalid type for parameter hpoConfig"),
        ({"hyperparameters": {"bptt": None}}, "Invalid type for parameter algorithmHyperParameters.bptt"),
        ({"interactions": INTERACTIONS.drop(columns="timestamp")}, "timestamp missing"),
    ],
)
def test_bad_arguments_make_nothing(change, told, lab):
    before = resources(lab)
    with pytest.raises(InputError, match=told):
        pnb.train(**{"interactions": INTERACTIONS, "session": lab, "name": "bad"} | change)
    assert resources(lab) == before


def test_a_session_without_role_or_bucket_makes_nothing(lab, monkeypatch):
    before = resources(lab)
    for missing in ("role_arn", "bucket"):
        with monkeypatch.context() as patch, pytest.raises(NotFoundError, match=r"pass Session.aws\("):
            patch.setattr(lab, missing, None)
            pnb.train(INTERACTIONS, name="nowhere", session=lab)
    assert resources(lab) == before


def test_names_of_any_length_are_cut_to_what_is_legal(lab):
    long = "A name that is much longer than any resource may have, with spaces & signs"
    settings = {"recipe": "aws-personalized-ranking-v2", "wait": False, "progress": False, "session": lab}
    assert pnb.train(INTERACTIONS, name=long, **settings).name.startswith("A-name-that-is-much")


def test_a_full_account_is_told_what_to_delete(lab):
    begun = []
    settings = {"recipe": "aws-popularity-count", "wait": False, "progress": False, "session": lab}
    with pytest.raises(QuotaError, match=r"There are .*'full.*; pnb.delete_dataset_group\(name\) deletes one"):
        for number in range(6):
            begun.append(pnb.train(INTERACTIONS, name=f"full{number}", **settings))
    for model in begun:
        model.wait(progress=False)


USER, SIMS = "aws-user-personalization", "aws-sims"


@pytest.mark.parametrize(
    ("recipe", "given", "told"),
    [
        (USER, {"nope": 1}, r"has no hyperparameter \['nope'\]; it has \["),
        (USER, {"bptt": 33}, "'bptt' of aws-user-personalization must be a whole number from 2 to 32, got '33'"),
        (USER, {"bptt": 2.5}, "must be a whole number from 2 to 32, got '2.5'"),
        (USER, {"bptt": True}, "must be a whole number from 2 to 32, got 'true'"),
        (USER, {"recency_mask": "perhaps"}, "must be one of true, false, got 'perhaps'"),
        (SIMS, {"popularity_discount_factor": 1.01}, "must be a number from 0 to 1, got '1.01'"),
        (SIMS, {"popularity_discount_factor": float("nan")}, "must be a number from 0 to 1, got 'nan'"),
        (SIMS, {"popularity_discount_factor": "x", "min_cointeraction_count": -1}, "(?s)got 'x'.*got '-1'"),
    ],
)
def test_wrong_hyperparameters_are_refused_before_anything_is_made(lab, recipe, given, told):
    before = resources(lab)
    with pytest.raises(InputError, match=told):
        pnb.train(INTERACTIONS, ITEMS, name="refused", recipe=recipe, hyperparameters=given, session=lab)
    with pytest.raises(InputError, match=told):
        config = {"algorithmHyperParameters": given}
        pnb.train(INTERACTIONS, ITEMS, name="refused", recipe=recipe, solution_config=config, session=lab)
    assert resources(lab) == before


def test_who_may_not_ask_for_ranges_is_judged_by_the_guide(lab, monkeypatch):
    refused = botocore.exceptions.ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeAlgorithm")

    def describe_algorithm(**_):
        raise refused

    monkeypatch.setattr(lab.personalize, "describe_algorithm", describe_algorithm)
    with pytest.raises(InputError, match="must be a whole number from 2 to 32, got '33'"):
        pnb.train(INTERACTIONS, name="asked", hyperparameters={"bptt": 33}, session=lab)
    # the guide may not know every name, so that one is the service's to judge
    planned = plan(INTERACTIONS, name="asked", recipe=USER, hyperparameters={"newer_than_we": 1}, session=lab)
    assert planned.problems == []


def test_hyperparameters_of_both_arguments_become_texts():
    made = configuration(
        {"recency_mask": np.True_, "bptt": np.int64(8)},
        {"algorithmHyperParameters": {"hidden_dimension": 64, "bptt": "4"}, "eventValueThreshold": 3},
    )
    assert made == {
        "algorithmHyperParameters": {"hidden_dimension": "64", "bptt": "8", "recency_mask": "true"},
        "eventValueThreshold": "3",
    }
    assert configuration(None, None) == {}


def test_ranges_to_search_are_searched(lab):
    entry = {"name": "min_cointeraction_count", "minValue": 1, "maxValue": 2}
    search = {
        "hpoConfig": {
            "hpoResourceConfig": {"maxNumberOfTrainingJobs": 2},
            "algorithmHyperParameterRanges": {"integerHyperParameterRanges": [entry]},
        }
    }
    settings = {"name": "searched", "recipe": SIMS, "progress": False, "session": lab}
    plain = pnb.train(INTERACTIONS, **settings)
    tuned = pnb.train(INTERACTIONS, solution_config=search, **settings)
    assert lab.call("describe_solution", solutionArn=tuned.arn.rsplit("/", 1)[0])["solution"]["performHPO"] is True
    assert set(tuned.describe()["tunedHPOParams"]["algorithmHyperParameters"]) == {"min_cointeraction_count"}
    assert "tunedHPOParams" not in plain.describe()
    assert pnb.train(INTERACTIONS, solution_config=search, **settings) == tuned
    before = resources(lab)
    with pytest.raises(InputError, match="performHPO is for recipes whose hyperparameters can be tuned"):
        pnb.train(INTERACTIONS, solution_config=search, **settings | {"recipe": "aws-popularity-count"})
    assert resources(lab) == before


def test_themes_without_descriptions_are_refused_before_a_job(lab):
    bare = ITEMS[["item_id", "title", "shelf"]]
    model = pnb.train(INTERACTIONS, bare, name="bare", recipe="aws-similar-items", progress=False, session=lab)
    before = len(pnb.list_jobs(session=lab))
    with pytest.raises(RequestError, match="has no textual column; its text columns are SHELF, TITLE"):
        pnb.themes(["b0"], model)
    assert len(pnb.list_jobs(session=lab)) == before


def test_notes_are_said_before_the_training(lab, capsys):
    saved = pd.concat([INTERACTIONS, INTERACTIONS.head(3)], ignore_index=True).reset_index()
    pnb.train(saved, ITEMS[["item_id", "shelf"]], name="noted", recipe="aws-similar-items", session=lab)
    told = capsys.readouterr().err
    assert "column 'index' of the interactions holds only row numbers; it is left out" in told
    assert "3 of 1,443 interactions are identical to another in every column; AWS keeps one of each" in told
    assert "themes cannot be made with this model" in told


def test_a_recipe_without_batch_jobs_is_refused(lab):
    before = resources(lab)
    with pytest.raises(InputError, match="No batch job takes a solution version of aws-trending-now"):
        pnb.train(INTERACTIONS, ITEMS, name="refused", recipe="aws-trending-now", session=lab)
    assert resources(lab) == before


def test_missing_interactions_are_named():
    with pytest.raises(InputError, match="interactions must be a DataFrame, got NoneType"):
        pnb.train(None)
