"""Estimates know the jobs that input takes, their rounds, segments, and what was asked again."""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb.jobs import job_counts, parts, stored_amounts
from personalize_nb.jobs.manifests import Manifest, RunGroup, RunPart
from personalize_nb.jobs.parts import InputLimits
from personalize_nb.jobs.run import Run
from personalize_nb.resources import estimate
from personalize_nb.resources.durations import Expected
from personalize_nb.resources.estimate import Estimate
from personalize_nb.session import s3

RATE = {"price": 1, "currency": "USD", "source": "bill", "date": "2026-11-01"}
MINUTE = Expected(60, 60, 60, 1, True)


def rates(*quantities):
    return pnb.Rates([{**RATE, "quantity": one} for one in quantities])


@given(count=st.integers(1, 40), most=st.none() | st.integers(1, 50), size=st.none() | st.integers(30, 400))
@settings(max_examples=40)
def test_there_are_as_many_jobs_as_the_input_is_cut_into(count, most, size):
    batch = pnb.users([f"u{number}" for number in range(count)])
    limit = parts.input_limits(size, most, None)
    cut = sum(1 for _ in parts.cut(parts.batch_blocks(batch), "BATCH_INFERENCE", limit))
    assert job_counts.of_batch(batch, "BATCH_INFERENCE", limit) == cut


@given(jobs=st.lists(st.integers(1, 30), min_size=1, max_size=5), at_once=st.integers(1, 9))
@settings(max_examples=40)
def test_jobs_take_rounds_together(jobs, at_once):
    found = estimate.total(Estimate({}, jobs=one, one_job=MINUTE, at_once=at_once) for one in jobs)
    assert found.expected.seconds == 60 * -(-sum(jobs) // at_once)
    assert estimate.total([found, Estimate({})]).expected.shortest >= found.expected.shortest


@pytest.mark.parametrize(
    ("given", "jobs", "rounds"),
    [({}, 2, 1), ({"max_records": 1, "at_once": 1}, 6, 6), ({"max_bytes": 40}, 4, 1)],
)
def test_limits_and_models_make_jobs(session, readers_model, unread, monkeypatch, given, jobs, rounds):
    monkeypatch.setattr("personalize_nb.resources.durations.expected", lambda *_: MINUTE)
    users = ["r1", "r2", "r3"]
    lines = "".join(f'{{"userId":"{one}"}}\n' for one in users).encode()
    address = session.location("estimates", "in.jsonl")
    s3.upload(session, io.BytesIO(lines), address)
    for data in (users, iter(users), address):
        found = pnb.estimate_cost(data, readers_model, filter=[None, unread], session=session, **given)
        assert (found.jobs, found.expected.seconds) == (jobs, 60 * rounds)


@pytest.fixture(scope="module")
def unread(session, readers_model):
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("read")'
    return pnb.create_filter("estimates-unread", expression, readers_model, progress=False, session=session)


def test_input_in_s3_that_one_job_takes_stays_one_job(session):
    address = session.location("estimates", "two") + "/"
    for name in ("a", "b"):
        s3.upload(session, io.BytesIO(b'{"userId":"r1"}\n' * 3), f"{address}{name}.jsonl")
    amount = stored_amounts.amount(session, address)
    for limit, expected in (({"max_records": 3}, 1), ({"max_records": 2}, 3), ({"max_files": 1}, 1)):
        assert job_counts.of_stored(session, address, amount, "BATCH_INFERENCE", InputLimits(**limit)) == expected


def test_requests_are_as_many_jobs(session, readers_model, monkeypatch):
    monkeypatch.setattr("personalize_nb.resources.durations.expected", lambda *_: MINUTE)
    request = requested(session, readers_model)
    assert pnb.estimate_cost([request] * 12, session=session).expected.seconds == 180


def requested(session, model, shape=pnb.JobRequest):
    address = session.location("estimates", "three.jsonl")
    s3.upload(session, io.BytesIO(b'{"userId":"r1"}\n' * 3), address)
    output = session.location("estimates", "out") + "/"
    return shape("estimated", model.arn, address, output, session.role(), num_results=2)


@pytest.mark.parametrize("asked", [{"shelf": "novels"}, [{"shelf": "novels"}], 'ITEMS.SHELF = "novels"'])
def test_what_segments_take_is_estimated(session, attributes_model, asked):
    found = pnb.estimate_cost(asked, attributes_model, num_results=4)
    assert found.text.startswith("1 record, 4 users in segments")
    assert pnb.estimate_cost(asked, attributes_model, num_results=1).text.startswith("1 record, 1 user in segments")


def test_arguments_are_of_the_kind_that_the_model_takes(session, readers_model, affinity_model):
    segments = requested(session, affinity_model, pnb.SegmentRequest)
    both = [requested(session, readers_model), segments]
    for one, kind in zip(both, ("recommendations", "segment_users"), strict=True):
        for asked in (one, one.to_api()):
            assert pnb.estimate_cost(asked, session=session).quantities == {"records": 3, kind: 6}
    for priced, lacking in (
        (["recommendations"], ["records or segment_users"]),
        (["segment_users"], ["records or recommendations"]),
        (["records"], []),
        (["recommendations", "segment_users"], []),
        (["themes"], ["records or recommendations", "records or segment_users"]),
    ):
        assert pnb.estimate_cost(both, rates=rates(*priced), session=session).unpriced == lacking
    assert pnb.estimate_cost(segments, rates=rates("segment_users"), session=session).unpriced == []


def test_lines_that_are_asked_again_cost_again(session, readers_model):
    request = requested(session, readers_model)
    first = RunPart("one", request.input_path, request.output_path, 100)
    again = RunPart("two", request.input_path, request.output_path, 5, covers=("one",))
    created = f"{datetime(2026, 11, 30, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"
    run = Run(Manifest("run", (RunGroup(request),), (first, again), 1, created), session, new=True)
    found = pnb.estimate_cost(run)
    assert found.quantities == {"records": 105, "recommendations": 210} and (found.jobs, found.at_once) == (2, 1)
