"""Several people on one account: whose jobs are whose, and how much room others leave."""

import pytest
from injected import answering, refused

import personalize_nb as pnb
from personalize_nb.errors import AccessError
from personalize_nb.jobs.room import Room
from personalize_nb.session.session import Session


@pytest.fixture
def anna(local_service, monkeypatch):
    monkeypatch.setenv("PERSONALIZE_NB_OWNER", "anna")
    return Session.local(local_service.path)


def test_jobs_are_listed_by_who_started_them_and_their_tags_stay_theirs(session, anna, readers_model):
    model = pnb.find_solution_version(readers_model.arn, anna)
    job = pnb.recommend(["r1"], model, tags={"team": "books"}, session=anna)
    other = pnb.recommend(["r1"], readers_model, session=session)
    assert pnb.list_jobs(session=anna, mine=True)["name"].tolist() == [job.name]
    mine = pnb.list_jobs(session=session, mine=True)["name"].tolist()
    assert other.name in mine and job.name not in mine
    assert {job.name, other.name} <= set(pnb.list_jobs(session=anna)["name"])
    assert anna.owner_of(job.arn) == "anna"


def test_who_cannot_be_told_is_told_so(local_service, readers_model):
    pnb.recommend(["r1"], readers_model)
    nobody = Session.local(local_service.path)
    with refused(nobody, "sts:GetCallerIdentity"), pytest.raises(AccessError, match="set PERSONALIZE_NB_OWNER"):
        pnb.list_jobs(session=nobody, mine=True)
    with refused(nobody, "personalize:ListTagsForResource"), pytest.raises(AccessError):
        pnb.list_jobs(session=nobody, mine=True)


def unfinished(*names, status="CREATE PENDING"):
    return [
        {
            "jobName": name,
            "status": status,
            "batchInferenceJobArn": f"arn:aws:personalize:r:1:batch-inference-job/{name}",
        }
        for name in names
    ]


QUOTA = "Batch inference jobs pending or in progress"


@pytest.mark.parametrize(
    ("quota", "at_once", "own", "others", "left"),
    [
        (5, 5, 0, 0, 5),
        (5, 5, 1, 2, 2),
        (5, 5, 0, 5, 0),
        (5, 2, 0, 1, 2),
        (5, 20, 1, 1, 3),
        (50, 20, 3, 10, 17),
        (None, 5, 0, 2, 3),
        (None, 5, 1, 9, 1),  # the quota may have been raised, so one is tried
        (None, 5, 5, 0, 0),
        (None, 20, 5, 5, 10),
    ],
)
def test_room_is_what_the_quota_leaves_beside_the_jobs_of_others(session, quota, at_once, own, others, left):
    ours = [f"own-{number}" for number in range(own)]
    entries = unfinished(*ours, *(f"other-{number}" for number in range(others))) + unfinished("done", status="ACTIVE")
    told = {"Quotas": [{"QuotaName": QUOTA, "Value": quota}]} if quota else "AccessDeniedException"
    room = Room(session, {*ours, "own-later"}, at_once)
    with (
        answering(session.personalize, "ListBatchInferenceJobs", {"batchInferenceJobs": entries}),
        answering(session.client("service-quotas"), "ListServiceQuotas", told),
    ):
        assert room.left(own) == left
    assert room.others == (others if own < at_once else 0)


def test_who_may_not_list_jobs_asks_the_service(session):
    with refused(session, "personalize:ListBatchInferenceJobs"):
        assert Room(session, (), 4).left(1) == 3


def test_a_run_leaves_room_to_others_and_says_so(session, books_model):
    full = unfinished(*(f"of-others-{number}" for number in range(5)))
    items = [f"b{number}" for number in range(101)]
    with answering(session.personalize, "ListBatchInferenceJobs", {"batchInferenceJobs": full}):
        run = pnb.themes(items, books_model, session=session)
        described = run.describe()
    assert (described["waiting"], described["running"], described["others"]) == (2, 0, 5)
    assert run.wait(progress=False).describe()["done"] == 2
