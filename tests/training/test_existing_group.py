"""A training in a dataset group that is there: frames are fitted to its schemas, and what it has is used."""

import datetime

import pandas as pd
import pyarrow as pa
import pytest
import reading_world
from hypothesis import given, settings
from hypothesis import strategies as st
from injected import answering

import personalize_nb as pnb
from personalize_nb.errors import AlreadyExistsError, InputError, NotFoundError, ServiceError
from personalize_nb.session.session import Session
from personalize_nb.training import schemas
from personalize_nb.training.existing import ExistingGroup, fitted
from personalize_nb.training.patient_calls import PatientCalls

FRAMES = reading_world.interactions(), reading_world.items()


def counts(session):
    lists = ("list_dataset_import_jobs", "datasetImportJobs"), ("list_dataset_groups", "datasetGroups")
    return [len(list(session.pages(*one))) for one in lists]


@pytest.mark.parametrize("by", ["name", "ARN"])
def test_what_a_group_has_is_trained_on_without_a_frame(session, readers_model, by):
    arn, before = readers_model.dataset_group_arn, counts(session)
    given = {"dataset_group": arn if by == "ARN" else arn.rsplit("/", 1)[-1], "recipe": "aws-popularity-count"}
    model = pnb.train(name="as-it-is", progress=False, session=session, **given)
    assert (model.status, model.dataset_group_arn) == ("ACTIVE", arn)
    assert counts(session) == before
    assert pnb.train(name="as-it-is", progress=False, session=session, **given) == model


def test_frames_that_it_has_already_are_not_imported_again(session, readers_model):
    group, before = readers_model.dataset_group_arn.rsplit("/", 1)[-1], counts(session)
    same = FRAMES[0].rename(columns={"user_id": "userId"})
    model = pnb.train(
        same,
        FRAMES[1],
        name="as-it-is",
        dataset_group=group,
        recipe="aws-popularity-count",
        progress=False,
        session=session,
    )
    assert model.dataset_group_arn == readers_model.dataset_group_arn and counts(session) == before


def test_what_does_not_fit_is_told_before_anything_is_imported(session, readers_model):
    group, before = readers_model.dataset_group_arn.rsplit("/", 1)[-1], counts(session)
    no_types = FRAMES[0].drop(columns="event_type")
    with pytest.raises(InputError, match=r"interactions need the column 'event_type' \(string\)"):
        pnb.train(no_types, dataset_group=group, progress=False, session=session)
    texts = FRAMES[1].assign(year="long ago")
    with pytest.raises(InputError, match="'year' of the items is long in the group's schema, and its values are not"):
        pnb.train(None, texts, dataset_group=group, progress=False, session=session)
    # semantic similarity wants a mark in the schema, which can never be changed
    given = {"dataset_group": group, "recipe": "aws-semantic-similarity"}
    with pytest.raises(InputError, match="cannot be changed. Leave out 'dataset_group'"):
        pnb.train(*FRAMES, progress=False, session=session, **given)
    report = pnb.preflight_training(no_types, dataset_group=group, session=session)
    assert report.loc[report["check"] == "interactions", "level"].tolist()[0] == "error"
    assert counts(session) == before


def test_a_group_that_is_not_there_is_named_with_near_ones(session, readers_model):
    group = readers_model.dataset_group_arn.rsplit("/", 1)[-1]
    with pytest.raises(NotFoundError, match=f"no dataset group '{group[:-1]}'; there is '{group}'"):
        pnb.train(*FRAMES, dataset_group=group[:-1], session=session)
    with pytest.raises(TypeError, match="'dataset_group' must be the name or ARN"):
        pnb.train(*FRAMES, dataset_group=7, session=session)
    with pytest.raises(InputError):
        pnb.train(session=session)


KINDS = {"string": pa.string(), "long": pa.int64(), "int": pa.int64(), "double": pa.float64(), "float": pa.float64()}
FIELDS = st.lists(
    st.tuples(st.sampled_from(["YEAR", "genre", "Pub_Date", "price"]), st.sampled_from(sorted(KINDS)), st.booleans()),
    unique_by=lambda one: one[0],
)


@given(fields=FIELDS, columns=st.sets(st.sampled_from(["year", "genre", "pub_date", "price", "extra"])))
@settings(max_examples=60)
def test_a_fitted_frame_has_the_columns_of_the_schema_in_its_spelling_and_types(fields, columns):
    frame = pd.DataFrame({"item_id": [f"b{row % 9}-{row}" for row in range(12)], "rank": range(12)})
    frame = frame.assign(**{name: [1, 2, 3] * 4 for name in sorted(columns)})
    own = [{"name": "ITEM_ID", "type": "string"}]
    own += [{"name": name, "type": ["null", kind] if nullable else kind} for name, kind, nullable in fields]
    dataset, problems = fitted(schemas.prepare("ITEMS", frame), ExistingGroup("g", "", {"ITEMS": {"fields": own}}))
    lacking = [name.lower() for name, _, nullable in fields if not nullable and name.lower() not in columns]
    assert [one.text for one in problems if one.level == "error"] == [
        text for name in lacking for text in [one.text for one in problems if f"{name!r}" in one.text]
    ]
    assert len([one for one in problems if one.level == "error"]) == len(lacking)
    if not lacking:
        expected = {"ITEM_ID": pa.string(), **{name: KINDS[kind] for name, kind, _ in fields}}
        assert dict(zip(dataset.table.column_names, dataset.table.schema.types, strict=True)) == expected
        assert dataset.table.num_rows == 12 and dataset.schema["fields"] == own
    assert any("rank" in one.text for one in problems if one.level == "warning")


NEW = "aws-of-tomorrow"


def recipe_of_tomorrow(session):
    now = datetime.datetime(2026, 11, 30, tzinfo=datetime.UTC)
    described = {
        "name": NEW,
        "recipeArn": f"arn:aws:personalize:::recipe/{NEW}",
        "status": "ACTIVE",
        "creationDateTime": now,
    }
    return answering(session.personalize, "DescribeRecipe", {"recipe": described})


def test_a_recipe_that_is_newer_than_this_release_goes_to_the_service(local_service, readers_model):
    session = Session.local(local_service.path)
    sent = []
    session.personalize.meta.events.register(
        "provide-client-params.personalize.CreateSolution", lambda params, **_: sent.append(params)
    )
    given = {"dataset_group": readers_model.dataset_group_arn, "recipe": NEW, "hyperparameters": {"x": 1}}
    refusal = answering(session.personalize, "CreateSolution", "InvalidInputException")
    with recipe_of_tomorrow(session), refusal, pytest.raises(ServiceError, match="CreateSolution is refused"):
        pnb.train(name="new", progress=False, session=session, **given)
    assert sent[0]["recipeArn"].endswith(NEW)  # nobody has refused it before the service
    with recipe_of_tomorrow(session):
        report = pnb.preflight_training(*FRAMES, recipe=NEW, session=session)
    assert "error" not in report.loc[report["check"] == "recipe", "level"].tolist()


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("aws-user-personalisation", "no recipe 'aws-user-personalisation' .did you mean 'aws-user-personalization'?"),
        ("arn:aws:personalize:::recipe/aws-nonsense", "There is no recipe 'aws-nonsense'"),
        ("not a recipe!", "There is no recipe 'not a recipe!'"),
        ("aws-vod-top-picks", "for recommenders of domain VIDEO_ON_DEMAND"),
        ("aws-trending-now", "No batch job takes"),
    ],
)
def test_what_the_service_does_not_have_is_refused_before_an_import(session, readers_model, recipe, told):
    before = counts(session)
    with pytest.raises(InputError, match=told):
        pnb.train(*FRAMES, name="none", recipe=recipe, progress=False, session=session)
    assert counts(session) == before


def test_who_cannot_ask_is_warned_of_a_recipe_that_may_be_new_or_misspelled(session):
    with answering(session.personalize, "DescribeRecipe", "AccessDeniedException"):
        report = pnb.preflight_training(*FRAMES, recipe="aws-user-personalisation", session=session)
    found = report.loc[report["check"] == "recipe"].iloc[0]
    assert found["level"] == "warning" and "did you mean 'aws-user-personalization'?" in found["found"]


def test_what_failed_and_another_made_is_not_replaced(session, readers_model):
    arn = readers_model.dataset_group_arn
    calls = PatientCalls(session, None, None)
    calls._check_own(arn)
    made = Session(None, region=session.region)
    made._owners = {arn: "ben"}
    made.__dict__["owner"] = "anna"
    with pytest.raises(AlreadyExistsError, match="failed, and 'ben' made it"):
        PatientCalls(made, None, None)._check_own(arn)
