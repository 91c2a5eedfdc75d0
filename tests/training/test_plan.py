"""What can be known of a training is known before: everything at once, by the rules that the service has too."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
import reading_world
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_service import BUCKET, RECIPE, ROLE, InlineService
from installed_boto3 import needs_boto3, skip_what_is_newer

import personalize_nb as pnb
from personalize_nb.contract.recipes import RECIPES
from personalize_nb.errors import InputError
from personalize_nb.training import schemas
from personalize_nb.training.plan import plan

ROWS = np.arange(1500)
EVENTS = pd.DataFrame(
    {
        "user_id": [f"r{row % 60}" for row in ROWS],
        "item_id": [f"b{row * row % 41}" for row in ROWS],
        "timestamp": 1_700_000_000 + ROWS,
        "event_type": np.where(ROWS % 10, "view", "buy"),
        "event_value": ROWS % 5 + 1.0,
        "device": np.where(ROWS % 3, "tv", "phone"),
    }
)
ITEMS = pd.DataFrame(
    {
        "item_id": [f"b{number}" for number in range(41)],
        "title": [f"Book {number}" for number in range(41)],
        "shelf": ["sea", "crime"] * 20 + ["sea"],
        "price": [number / 2 for number in range(41)],
        "description": [f"{reading_world.WORDS['sea']} {number}." for number in range(41)],
    }
)
UNTYPED, UNVALUED = EVENTS.drop(columns="event_type"), EVENTS.drop(columns="event_value")
LONELY = EVENTS.assign(user_id=[f"r{row}" for row in ROWS])
MANY_TYPES = EVENTS.assign(event_type=[f"e{row % 11}" for row in ROWS])
ELEVEN = [{"eventType": f"e{one}"} for one in range(11)]
V2, USER, SIMILAR, SIMS = "aws-user-personalization-v2", "aws-user-personalization", "aws-similar-items", "aws-sims"
BY_ATTRIBUTE = "aws-item-attribute-affinity"


def problems(level="error", **given):
    report = pnb.preflight_training(given.pop("interactions", EVENTS), given.pop("items", ITEMS), **given)
    return report.loc[report["level"] == level, "found"].tolist()


def events_config(*rules):
    return {"solution_config": {"eventsConfig": {"eventParametersList": list(rules)}}}


def ranges(kind, *entries):
    return {
        "solution_config": {"hpoConfig": {"algorithmHyperParameterRanges": {f"{kind}HyperParameterRanges": entries}}}
    }


def columns(**chosen):
    return {"solution_config": {"trainingDataConfig": {"excludedDatasetColumns": chosen}}}


def objective(**members):
    return {"solution_config": {"optimizationObjective": members}}


def columns_and_objective(**chosen):
    return {"solution_config": {"optimizationObjective": {"itemAttribute": "price"}, "trainingDataConfig": chosen}}


@pytest.mark.parametrize("rows", [1, 999])
@pytest.mark.parametrize(
    ("given", "also"),
    [
        ({"event_type": "buy", "interactions": UNTYPED}, "no column 'event_type'"),
        ({"event_type": "purchase"}, "of event type 'purchase', got 0"),
        ({"solution_config": {"eventValueThreshold": "1"}, "interactions": UNVALUED}, "no column 'event_value'"),
        (events_config({"eventType": "purchase", "weight": 1.0}), "'purchase', which no interaction has"),
    ],
)
def test_too_few_interactions_hide_no_other_mistake(rows, given, also):
    skip_what_is_newer(given.get("solution_config"))
    told = problems(**{**given, "interactions": given.get("interactions", EVENTS).head(rows), "items": None})
    for one in (f"1,000 interactions, got {rows}", also):
        assert any(one in problem for problem in told)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"recipe": BY_ATTRIBUTE, "items": None}, "learns from the items; give their frame"),
        ({"recipe": "aws-semantic-similarity", "items": None}, "got no items frame"),
        ({"event_type": "purchase"}, "of event type 'purchase', got 0; event types .*: 'view' .1,350., 'buy' .150."),
        ({"event_type": "buy"}, "at least 1,000 interactions of event type 'buy', got 150"),
        ({"event_type": "buy", "interactions": UNTYPED}, "no column 'event_type'"),
        ({"recipe": SIMS, "solution_config": {"eventValueThreshold": 5}}, "a value of at least 5, got 300"),
        ({"solution_config": {"eventValueThreshold": "much"}}, "must be a number in a string, got 'much'"),
        ({"solution_config": {"eventValueThreshold": "nan"}}, "must be a number in a string, got 'nan'"),
        (
            {"solution_config": {"eventValueThreshold": "1"}, "interactions": UNVALUED},
            "'eventValueThreshold' is '1', but the interactions have no column 'event_value'",
        ),
        (
            {"recipe": SIMS, **events_config({"eventType": "buy"})},
            "eventsConfig is for aws-user-personalization-v2 and",
        ),
        ({"recipe": V2, **events_config({"eventType": "buy", "weight": 1})}, "that eventsConfig asks for, got 150"),
        ({"recipe": V2, **events_config({"eventType": "view", "weight": 0})}, "that eventsConfig asks for, got 0"),
        (
            {"recipe": V2, **events_config({"eventType": "views"})},
            "'views', which no interaction has; event types .*'view'",
        ),
        ({"recipe": V2, **events_config({"eventType": "view"}, {"eventType": "view"})}, "'view' 2 times"),
        ({"recipe": V2, **events_config({"eventType": "view", "weight": 2})}, "weight must be .*at most 1, got 2"),
        ({"recipe": V2, **events_config(*ELEVEN)}, "may have 10 entries, got 11"),
        (
            {"recipe": V2, **events_config({"eventValueThreshold": 2}), "interactions": UNVALUED},
            "'eventsConfig' asks for it, but the interactions have no column 'event_value'",
        ),
        ({"recipe": SIMILAR, **ranges("integer", {"name": "bptt"})}, "cannot be tuned; legal: item"),
        (
            {"recipe": USER, **ranges("integer", {"name": "bptt", "maxValue": 99})},
            "must lie within 2 to 32, got 2 to 99",
        ),
        ({"recipe": USER, **ranges("continuous", {"name": "bptt"})}, "belongs into integerHyperParameterRanges"),
        ({"recipe": USER, **ranges("categorical", {"name": "recency_mask", "values": ["perhaps"]})}, "true or false"),
        ({"recipe": V2, "solution_config": {"hpoConfig": {}}}, "performHPO is for recipes .*not for aws-user-personal"),
        (
            {"solution_config": {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": 41}}}},
            "maxNumberOfTrainingJobs must be a whole number from 1 to 40 in a string, got '41'",
        ),
        (columns(ITEMS=["SHLF"]), r"'SHLF', which the ITEMS dataset does not have \(did you mean SHELF\?\)"),
        (columns(ITEMS=["ITEM_ID"]), "required column ITEM_ID of ITEMS cannot be excluded"),
        (columns(ITEM=["SHELF"]), "no dataset type 'ITEM'; legal: INTERACTIONS, ITEMS"),
        (columns(USERS=["AGE"]), "names the dataset USERS, but there is no users frame"),
        (columns(INTERACTIONS=["event_type"]) | {"event_type": "view"}, "needs the column EVENT_TYPE, which training"),
        ({"solution_config": {"featureTransformationParameters": {"max_hist": "1"}}}, r"\['max_hist'\]; it has"),
        (
            {"solution_config": {"featureTransformationParameters": {"max_user_history_length_percentile": 2}}},
            "must be a number from 0 to 1, got '2'",
        ),
        ({"hyperparameters": {"bptt": 99}}, "'bptt' of aws-user-personalization must be a whole number from 2 to 32"),
        ({"recipe": V2, **objective(itemAttribute="price")}, "optimizationObjective is for aws-user-pers"),
        (objective(objectiveSensitivity="LOW"), "needs an itemAttribute"),
        (objective(itemAttribute="price", objectiveSensitivity="low"), "one of LOW, MEDIUM, HIGH, OFF, got 'low'"),
        (objective(itemAttribute="shelf"), "must be a column of numbers of the items, got 'shelf'; legal: price"),
        (
            columns_and_objective(excludedDatasetColumns={"ITEMS": ["PRICE"]}),
            "optimizationObjective needs the column PRICE of the items, which trainingDataConfig leaves out",
        ),
        (columns_and_objective(includedDatasetColumns={"items": ["shelf"]}), "needs the column PRICE of the items"),
        ({"tags": {"aws:x": "y"}}, "not beginning with 'aws:', got 'aws:x': 'y'"),
        ({"tags": {"x": "AWS:y"}}, "not beginning with 'aws:', got 'x': 'AWS:y'"),
        ({"tags": {f"t{number}": "" for number in range(60)}}, "at most 50 tags, got 60"),
        ({"tags": {"x" * 129: "y"}}, "a key of 1 to 128"),
        ({"solution_config": {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}}, r"to rate\(30 days\)"),
        (
            {"solution_config": {"autoTrainingConfig": {"schedulingExpression": "weekly"}}},
            r"pattern rate.*got 'weekly'",
        ),
        ({"solution_config": {"hpo_config": {}}}, "Did you mean 'hpoConfig' by 'hpo_config'"),
        ({"solution_config": {"eventsConfig": {"eventParameterList": []}}}, "Did you mean 'eventParametersList'"),
        ({"solution_config": {"performHPO": True}}, "'performHPO': it is sent by itself where 'hpoConfig' is given"),
        (
            {"interactions": MANY_TYPES},
            "10 event types and columns of metadata together, got 11 event types and 1 columns",
        ),
        ({"interactions": LONELY}, "25 users with 2 or more .*, got 0"),
        (
            {"interactions": pd.concat([LONELY] * 3)},
            r"users with 2 or more interactions, got 0: of 4,500 rows 3,000 are identical",
        ),
    ],
)
def test_what_can_be_known_is_said_before_anything_is_made(given, told):
    skip_what_is_newer(given.get("solution_config"))
    found = problems(**given)
    assert any(re.search(told, text) for text in found), found


def test_a_threshold_that_is_no_number_is_one_problem_alone():
    (found,) = problems(recipe=SIMS, solution_config={"eventValueThreshold": "abc"})
    assert "got 'abc'" in found


def test_a_share_of_the_users_has_two_interactions():
    rows = np.arange(4_000)
    lonely = pd.DataFrame({"user_id": [f"r{max(row, 30)}" if row >= 60 else f"r{row % 30}" for row in rows]})
    few = lonely.assign(item_id=[f"b{row % 41}" for row in rows], timestamp=1_700_000_000 + rows)
    assert any("of at least 1% of the users, got 30 of 3,970" in text for text in problems(interactions=few))


def test_identical_events_count_once_and_are_said():
    few = EVENTS.head(60)
    (found,) = problems(interactions=pd.concat([few] * 20, ignore_index=True))
    assert "at least 1,000 interactions, got 60: of 1,200 rows 1,140 are identical to another in every column" in found
    twice = pd.concat([EVENTS, EVENTS.head(7)], ignore_index=True)
    assert problems(interactions=twice) == []
    assert any(
        text.startswith("7 of 1,507 interactions are identical") for text in problems("warning", interactions=twice)
    )
    differing = pd.concat([EVENTS, EVENTS.head(7).assign(device="radio")], ignore_index=True)
    assert not any("identical" in text for text in problems("warning", interactions=differing))


@pytest.mark.parametrize(
    ("shelf", "told"),
    [
        (["red"] * 41, "no value of shelf is that of several items and not of all"),
        ([f"c{number}" for number in range(41)], "no value of shelf is that of several"),
        ([None] * 40 + ["red"], "no value of shelf is that of several"),
        ([f"Film|{number}" for number in range(41)], "no value of shelf is that of several"),
        (None, "description is textual, no attribute; title is plain text, no attribute"),
    ],
)
def test_attributes_that_tell_no_items_apart_are_refused_in_amazons_words(shelf, told):
    items = ITEMS.drop(columns=["shelf", "price"])
    items = items if shelf is None else items.assign(shelf=shelf)
    given_categories = () if shelf is None else ["shelf"]
    (found,) = problems(recipe=BY_ATTRIBUTE, items=items, categorical=given_categories)
    assert found.startswith("Did not find any attribute to train on.")
    assert told in found
    assert problems(recipe=BY_ATTRIBUTE) == []
    left_out = problems(recipe=BY_ATTRIBUTE, **columns(ITEMS=["shelf", "price"]))
    assert "shelf is left out by trainingDataConfig" in left_out[0]


def test_everything_is_told_at_once_and_train_refuses_with_it():
    given = {
        "interactions": EVENTS.assign(timestamp="soon"),
        "items": ITEMS.assign(price=np.inf),
        "recipe": V2,
        "name": "!!",
        **objective(itemAttribute="price"),
    }
    found = problems(**given)
    assert len(found) == 4
    with pytest.raises(InputError) as caught:
        pnb.train(**given)
    assert str(caught.value) == "\n".join(found)
    assert set(caught.value.findings["frame"]) == {"interactions", "items"}


@needs_boto3("1.37.29")
def test_what_has_no_effect_or_needs_a_word_is_a_warning():
    said = problems("warning", recipe=V2, event_type="buy", **events_config({"eventType": "view"}))
    assert "event_type 'buy' has no effect beside eventsConfig, which says alone which events count" in said
    config = {"autoTrainingConfig": {"schedulingExpression": "rate(7 days)"}, "autoMLConfig": {"metricName": "m"}}
    assert sum("has no effect, because pnb.train" in text for text in problems("warning", solution_config=config)) == 2
    bare = ITEMS.drop(columns="description")
    assert any(
        "themes cannot be made with this model" in text for text in problems("warning", recipe=SIMILAR, items=bare)
    )
    assert problems("warning", recipe=SIMILAR) == problems("warning", recipe=USER, items=bare) == []


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (
            "INCLUDE ItemID WHERE Items.SHLF IN ($S)",
            r"column SHLF, which the items do not have \(did you mean SHELF\?\)",
        ),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_VALUES > 2", r"did you mean EVENT_VALUE\?"),
        (
            'INCLUDE ItemID WHERE Items.SHELF IN ("Items.X") IF CurrentUser.AGE > 3',
            "CurrentUser.AGE, but there is no users",
        ),
        ("by-shelf", "must be a Filter or an expression"),
        (5, "must be a Filter or an expression"),
    ],
)
def test_a_filter_that_the_data_cannot_serve_is_refused(expression, told):
    (found,) = problems(filter=expression)
    assert re.search(told, found)


def test_a_filter_on_columns_that_are_there_is_fine():
    assert problems(filter='include itemid where items.shelf in ("a.b") | EXCLUDE ItemID WHERE Items.PRICE > $P') == []
    assert len(problems(filter="INCLUDE ItemID WHERE Items.SHELF IN ($S)", items=None)) == 1


def test_the_report_names_a_training_and_what_is_right():
    report = pnb.preflight_training(EVENTS, ITEMS)
    assert repr(report).startswith("Nothing found that would make the training fail: ")
    assert "41 rows: ITEM_ID string" in report.set_index("check").loc["items", "found"]
    refused = pnb.preflight_training(EVENTS.head(10), ITEMS)
    assert repr(refused).startswith("The training would fail: 1 error")
    assert "<b>The training would fail" in refused._repr_html_()


# ---- what the plan calls right, the service trains ----

THRESHOLDS = st.sampled_from([None, "1", "2.5", "4", "6", "x"])
EVENT_TYPES = st.sampled_from([None, "view", "buy", "sell"])
RULES = st.lists(
    st.fixed_dictionaries(
        {}, optional={
            "eventType": st.sampled_from(["view", "buy", "sell"]),
            "eventValueThreshold": st.sampled_from([1.0, 3.0, 9.0]),
            "weight": st.sampled_from([0.0, 0.5, 1.0]),
        }
    ),
    max_size=3,
)  # fmt: skip
HPO = st.fixed_dictionaries(
    {"hpoResourceConfig": st.fixed_dictionaries({"maxNumberOfTrainingJobs": st.sampled_from(["1", "2", "0"])})},
    optional={
        "algorithmHyperParameterRanges": st.fixed_dictionaries(
            {},
            optional={
                "integerHyperParameterRanges": st.lists(
                    st.fixed_dictionaries(
                        {"name": st.sampled_from(["bptt", "min_cointeraction_count", "item_id_hidden_dim"])},
                        optional={"minValue": st.integers(0, 40), "maxValue": st.integers(0, 40)},
                    ),
                    max_size=2,
                )
            },
        )
    },
)
CHOSEN = st.dictionaries(
    st.sampled_from(["ITEMS", "INTERACTIONS", "USERS"]),
    st.lists(st.sampled_from(["SHELF", "PRICE", "EVENT_TYPE", "EVENT_VALUE", "DEVICE", "ITEM_ID", "X"]), max_size=2),
    max_size=2,
)
MEMBERS = {
    "eventValueThreshold": THRESHOLDS.filter(lambda one: one is not None),
    "eventsConfig": st.fixed_dictionaries({"eventParametersList": RULES}),
    "hpoConfig": HPO,
    "trainingDataConfig": st.fixed_dictionaries({"excludedDatasetColumns": CHOSEN}),
    "optimizationObjective": st.fixed_dictionaries({"itemAttribute": st.sampled_from(["price", "shelf"])}),
    "featureTransformationParameters": st.fixed_dictionaries(
        {"max_user_history_length_percentile": st.sampled_from(["0.9", "2"])}
    ),
}
# few at once, so that some of them are right
CONFIGS = st.lists(st.sampled_from(sorted(MEMBERS)), max_size=2, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: MEMBERS[name] for name in names})
)
# what is quick to train; the others are refused or trained by the same rows of the same table
QUICK = [name for name, row in RECIPES.items() if row.batch or row.segments]
HALF = EVENTS.assign(event_type=np.where(ROWS % 4, "view", "buy"))
WORLDS = {
    "bare": (EVENTS[["user_id", "item_id", "timestamp"]], None),
    "events": (HALF, None),
    "items": (HALF, ITEMS),
    "alike": (HALF, ITEMS[["item_id", "title", "shelf"]].assign(shelf="sea")),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    found = InlineService(tmp_path_factory.mktemp("planned"))
    groups = {}
    yield found, groups
    found.close()
    assert groups  # else nothing was trained, and nothing was shown


def trained(service, groups, planned):
    """Train as the plan says, over the wire; one group for each structure of data."""
    key = json.dumps([one.schema for one in planned.datasets])
    if key not in groups:
        name = f"g{len(groups)}"
        groups[key] = group = service.made("create_dataset_group", name=name)
        for dataset in planned.datasets:
            label = f"{name}-{dataset.type}"
            schema = service.made("create_schema", name=label, schema=schemas.avro(dataset))
            made = service.made(
                "create_dataset", name=label, schemaArn=schema, datasetGroupArn=group, datasetType=dataset.type
            )
            file = io.BytesIO()
            dataset.write_csv(file)
            service.put(f"{label}.csv", file.getvalue())
            service.made(
                "create_dataset_import_job",
                jobName=label,
                datasetArn=made,
                dataSource={"dataLocation": f"s3://{BUCKET}/{label}.csv"},
                roleArn=ROLE,
            )
    given = {"eventType": planned.event_type} if planned.event_type else {}
    number = len(service.control.list_solutions(datasetGroupArn=groups[key])["solutions"])
    solution = service.made(
        "create_solution",
        name=f"{groups[key].rsplit('/', 1)[-1]}-{number}",
        datasetGroupArn=groups[key],
        recipeArn=RECIPE + planned.recipe,
        performHPO=planned.performs_hpo,
        solutionConfig=planned.config,
        **given,
    )
    version = service.made("create_solution_version", solutionArn=solution)
    service.control.delete_solution(solutionArn=solution)
    service.work()
    return version


@settings(max_examples=40)
@given(st.sampled_from(sorted(WORLDS)), st.sampled_from(QUICK), EVENT_TYPES, CONFIGS)
def test_what_the_plan_calls_right_the_service_trains(service, world, recipe, event_type, config):
    interactions, items = WORLDS[world]
    planned = plan(
        interactions, items, name="planned", recipe=recipe, event_type=event_type, solution_config=config,
        categorical=["shelf"] if items is not None else (),
    )  # fmt: skip
    if not any(problem.level == "error" for problem in planned.problems):
        assert trained(*service, planned)
