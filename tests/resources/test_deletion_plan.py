"""A group's deletion is planned first: nothing goes while work is under way, or while another's would go unasked."""

from datetime import UTC, datetime

import pytest
import reading_world
from injected import answering

import personalize_nb as pnb
from personalize_nb.errors import AccessError, RequestError
from personalize_nb.resources.group_contents import GONE_IN_ORDER, Looking, Piece, in_the_way
from personalize_nb.session import owners
from personalize_nb.session.session import Session

ARN = "arn:aws:personalize:us-east-1:123456789012:"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
SERVING, UNTAGGED = ("campaign", "recommender", "event_tracker"), ("schema", "metric_attribution")
WORK = {
    "ListDatasetImportJobs": ("datasetImportJobs", "datasetImportJobArn", "dataset-import-job"),
    "ListDatasetExportJobs": ("datasetExportJobs", "datasetExportJobArn", "dataset-export-job"),
    "ListDataDeletionJobs": ("dataDeletionJobs", "dataDeletionJobArn", "data-deletion-job"),
    "ListSolutionVersions": ("solutionVersions", "solutionVersionArn", "solution/books"),
    "ListCampaigns": ("campaigns", "campaignArn", "campaign"),
    "ListRecommenders": ("recommenders", "recommenderArn", "recommender"),
    "ListBatchInferenceJobs": ("batchInferenceJobs", "batchInferenceJobArn", "batch-inference-job"),
    "ListBatchSegmentJobs": ("batchSegmentJobs", "batchSegmentJobArn", "batch-segment-job"),
}


@pytest.fixture
def group(readers_model):
    return readers_model.dataset_group_arn.rsplit("/", 1)[-1]


def changes(session):
    """Record the calls of a session's client that change something."""
    called = []
    session.personalize.meta.events.register(
        "before-call.personalize", lambda model, **_: called.append(model.name), unique_id="changes"
    )
    return lambda: [name for name in called if not name.startswith(("List", "Describe"))]


@pytest.fixture
def anna(local_service, monkeypatch):
    monkeypatch.setenv("PERSONALIZE_NB_OWNER", "anna")
    return Session.local(local_service.path)


def test_a_dry_run_shows_everything_in_order_and_changes_nothing(local_service, group, readers_model):
    session = Session.local(local_service.path)
    changed = changes(session)
    plan = pnb.delete_dataset_group(group, dry_run=True, session=session)
    assert changed() == [] and readers_model.status == "ACTIVE"
    goes = plan[plan["plan"] == "goes"]
    assert goes["kind"].tolist() == sorted(goes["kind"], key=[k.replace("_", " ") for k in GONE_IN_ORDER].index)
    assert {"solution", "dataset", "schema", "dataset group"} <= set(goes["kind"])
    assert readers_model.name in goes["name"].tolist() and goes["name"].iloc[-1] == group
    assert set(goes.loc[goes["kind"] != "schema", "owner"]) == {session.owner}


@pytest.mark.parametrize("operation", WORK)
def test_work_that_is_under_way_stands_in_the_way_of_all(local_service, group, readers_model, operation):
    session = Session.local(local_service.path)
    member, key, kind = WORK[operation]
    entry = {
        "status": "CREATE IN_PROGRESS",
        key: f"{ARN}{kind}/busy",
        "creationDateTime": NOW,
        "lastUpdatedDateTime": NOW,
    }
    if "Batch" in operation:
        entry["solutionVersionArn"] = readers_model.arn
    changed = changes(session)
    with answering(session.personalize, operation, {member: [entry]}):
        with pytest.raises(
            RequestError, match=f"{kind}/busy is CREATE IN_PROGRESS: wait .* Nothing of '{group}'"
        ) as found:
            pnb.delete_dataset_group(group, session=session)
        plan = pnb.delete_dataset_group(group, dry_run=True, session=session)
    assert len(found.value.problems) == 1 and changed() == []
    assert (plan["in_the_way"] != "").sum() >= 1


def test_jobs_of_other_models_and_ended_exports_do_not_stand_in_the_way(local_service, group):
    session = Session.local(local_service.path)
    other = {
        "status": "CREATE PENDING",
        "batchInferenceJobArn": f"{ARN}batch-inference-job/x",
        "solutionVersionArn": f"{ARN}x/y",
    }
    export = {"status": "ACTIVE", "datasetExportJobArn": f"{ARN}dataset-export-job/kept"}
    with (
        answering(session.personalize, "ListBatchInferenceJobs", {"batchInferenceJobs": [other]}),
        answering(session.personalize, "ListDatasetExportJobs", {"datasetExportJobs": [export]}),
    ):
        plan = pnb.delete_dataset_group(group, dry_run=True, session=session)
    assert set(plan["in_the_way"]) == {""}
    assert set(plan.loc[plan["kind"] == "dataset export job", "plan"]) == {"stays"}


def test_what_another_made_on_a_group_goes_only_by_name(session, anna):
    model = pnb.train(
        reading_world.interactions(), name="shared", recipe="aws-popularity-count", progress=False, session=session
    )
    group = model.dataset_group_arn.rsplit("/", 1)[-1]
    mine = pnb.find_solution_version(model.arn, anna)
    pnb.create_filter(
        "annas", "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($TYPE)", mine, progress=False, session=anna
    )
    assert owners.tags_of(session, session.arn("filter", "annas")) == {owners.OWNER: "anna"}
    for others in ((), ["filter/other"], ["Annas"]):
        with pytest.raises(
            RequestError, match=r"filter/annas was made by 'anna', neither by you .user/.* others=\['filter"
        ):
            pnb.delete_dataset_group(group, others=others, session=session)
    assert model.status == "ACTIVE"
    # whoever names the group asks for what its maker has made on it
    plan = pnb.delete_dataset_group(group, dry_run=True, session=anna)
    assert set(plan["in_the_way"]) == {""} and set(plan["owner"]) == {"", "anna", session.owner}
    pnb.delete_dataset_group(group, others="annas", progress=False, session=session)
    assert group not in pnb.list_dataset_groups(session)["name"].tolist()


@pytest.mark.parametrize("own", ["anna", ""])
@pytest.mark.parametrize("maker", ["anna", "ben", ""])
@pytest.mark.parametrize("owner", ["anna", "ben", "carl", ""])
@pytest.mark.parametrize("kind", GONE_IN_ORDER[:-1])
def test_only_what_a_third_person_made_has_to_be_named(own, maker, owner, kind):
    group = Piece("dataset_group", f"{ARN}dataset-group/g", "ACTIVE", maker)
    piece = Piece(kind, f"{ARN}{kind.replace('_', '-')}/x", "ACTIVE", owner)
    # what tells of no owner is somebody's where the group tells of one, and what serves others always is
    unknown = not owner and (bool(maker) or kind in SERVING)
    third = kind not in UNTAGGED and (unknown or owner not in ("", own, maker))
    assert list(in_the_way([piece, group], own, ())) == ([piece.arn] if third else [])
    for name in (piece.name, piece.label, piece.arn):
        assert in_the_way([piece, group], own, [name]) == {}


def test_a_campaign_made_with_other_tools_does_not_go_unnamed(local_service, group, readers_model):
    session = Session.local(local_service.path)
    listed = {"name": "shop", "status": "ACTIVE", "campaignArn": f"{ARN}campaign/shop"}
    changed = changes(session)
    with (
        answering(session.personalize, "ListCampaigns", {"campaigns": [listed]}),
        answering(session.personalize, "ListTagsForResource", {"tags": []}),  # nor does the group tell
    ):
        with pytest.raises(RequestError, match=r"campaign/shop has no tag .* others=\['campaign/shop'\]"):
            pnb.delete_dataset_group(group, session=session)
        asked = pnb.delete_dataset_group(group, dry_run=True, others=["shop"], session=session)
    assert changed() == [] and set(asked["in_the_way"]) == {""}


def test_tags_that_may_not_be_read_are_nobodys(session, group):
    looking = Looking(session, "again", sleep=lambda _: None, clock=lambda: 0.0)
    with answering(session.personalize, "ListTagsForResource", "AccessDeniedException"):
        assert looking.owner(session.arn("dataset-group", group)) == ""
        with pytest.raises(AccessError):
            owners.tags_of(session, session.arn("dataset-group", group))
