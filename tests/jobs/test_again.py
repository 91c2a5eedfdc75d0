"""Asked again: only what failed, merged with what did not; the same with other parameters; and nothing twice."""

import inspect
import json

import hypothesis
import hypothesis.strategies as st
import pandas as pd
import pytest
import wire_faults

import personalize_nb as pnb
from personalize_nb.errors import AlreadyExistsError, FailedError, InputError, NotFoundError, RequestError
from personalize_nb.jobs.manifests import base_of, next_job_name
from personalize_nb.session import s3
from personalize_nb.session.owners import OWNER, VARIABLE, owner_of
from personalize_nb.session.session import Session

READERS = [f"r{number}" for number in range(8)]


def other_kernel(session):
    return Session.local(session._service.path)


def put(session, address, text):
    bucket, key = s3.split(address)
    session.s3.put_object(Bucket=bucket, Key=key, Body=text)


def output_of(session, request):
    return [one.address for one in s3.stored(session, request.output_path) if one.name.endswith(".out")]


def spoilt(session, request, failed, lost):
    """Let lines of an output fail, and others be gone, as trouble of the service would."""
    for address in output_of(session, request):
        rows = [json.loads(line) for line in b"".join(s3.line_blocks(session, address)).splitlines()]
        kept = [
            {**row, "output": None, "error": "Internal failure"} if row["input"]["userId"] in failed else row
            for row in rows
            if row["input"]["userId"] not in lost
        ]
        put(session, address, "".join(json.dumps(row) + "\n" for row in kept))


def asked(session, run):
    """Return the users of the lines that a run has sent again."""
    again = [part.input_path for part in run._manifest.parts if part.covers]
    return [json.loads(line)["userId"] for one in again for line in b"".join(s3.line_blocks(session, one)).splitlines()]


@pytest.fixture(scope="module")
def whole(readers_model, session):
    """Give the job of all readers, whose output stays as it is."""
    return pnb.recommend(READERS, readers_model, num_results=2, job_name="again-whole", tags={"team": "shelf"}).wait(
        progress=False
    )


@hypothesis.given(st.lists(st.sampled_from(["fine", "failed", "lost"]), min_size=8, max_size=8))
@hypothesis.settings(max_examples=3)
@hypothesis.example(["fine"] * 8)
@hypothesis.example(["failed"] * 4 + ["lost"] * 4)
@hypothesis.example(["fine", "lost", "failed", "fine"] * 2)
def test_only_what_failed_is_sent_and_all_comes_back_as_one(whole, session, states):
    fate = dict(zip(READERS, states, strict=True))
    job = whole.repeat().wait(progress=False)
    spoilt(session, job.request, *({one for one in READERS if fate[one] == state} for state in ("failed", "lost")))
    job = pnb.attach(job.name, session)
    bad = [one for one in READERS if fate[one] != "fine"]
    assert sorted(job.errors()["user_id"]) == bad
    run = job.retry_failed()
    if not bad:
        assert run.name == job.name
        return
    assert asked(session, run) == bad
    run = pnb.attach(run.name, other_kernel(session)).wait(progress=False)
    found = run.recommendations()
    assert found["user_id"].tolist() == [one for one in READERS for _ in range(2)] and run.errors().empty
    fine = [one for one in READERS if fate[one] == "fine"]
    unchanged = whole.recommendations() if fine else found
    assert found["user_id"].isin(unchanged["user_id"]).all()
    # in another kernel nothing is sent a third time
    assert len(job.retry_failed()._manifest.parts) == 2


def test_what_fails_again_is_told_once_and_can_be_sent_once_more(whole, session):
    job = whole.repeat().wait(progress=False)
    spoilt(session, job.request, {"r1", "r2", "r3"}, ())
    run = pnb.attach(job.name, session).retry_failed().wait(progress=False)
    spoilt(session, run._manifest.part(1), {"r2"}, {"r3"})
    run = pnb.attach(run.name, session)
    failed = run.errors().set_index("user_id")["error"]
    assert sorted(failed.index) == ["r2", "r3"] and failed["r2"] == "Internal failure"
    run.retry_failed().wait(progress=False)
    assert asked(session, run) == ["r1", "r2", "r3", "r2", "r3"]
    assert run.errors().empty and run.recommendations()["user_id"].nunique() == 8


def test_a_run_sends_its_failed_jobs_and_the_failed_lines_of_the_others(readers_model, session):
    run = pnb.recommend(READERS, readers_model, num_results=1, max_records=3, at_once=1, session=session)
    with pytest.raises(NotFoundError, match=r"what failed is known once it has ended: .wait\(\)"):
        run.retry_failed()
    second = run._manifest.part(1).input_path
    run.wait(progress=False)
    spoilt(session, run._manifest.part(0), {"r0"}, {"r2"})
    run._states.by_name[run._manifest.job_names[1]] |= {"status": "CREATE FAILED", "failureReason": "Internal."}
    run._results = None
    run.retry_failed().wait(progress=False)
    assert asked(session, run) == ["r0", "r2"]
    assert run._manifest.part(1).input_path == second and run.jobs[1].name.endswith("-002-r2")
    assert run.recommendations()["user_id"].tolist() == READERS and run.errors().empty


def test_a_job_that_failed_as_a_whole_is_sent_as_a_whole(whole, session):
    source = session.location("whole.jsonl")
    put(session, source, b"")
    job = pnb.recommend(source, whole.request.solution_version_arn, num_results=1, session=session)
    with pytest.raises(FailedError):
        job.wait(progress=False)
    put(session, source, b'{"userId": "r1"}\n{"itemId": "b1"}\n')
    run = job.retry_failed().wait(progress=False)
    assert run.recommendations()["user_id"].tolist() == ["r1"] and len(run.errors()) == 1
    # a line that no recipe can answer fails again
    run.retry_failed().wait(progress=False)
    assert len(run.errors()) == 1 and len(run.results()) == 2
    put(session, source, b"")
    with pytest.raises(InputError, match="lines failed, and the input .* cannot be read"):
        pnb.attach(run.name, session).retry_failed()


def test_any_job_is_repeated_with_other_parameters(whole, session):
    arn = session.personalize.create_batch_inference_job(
        jobName="of-somebody-else",
        solutionVersionArn=whole.request.solution_version_arn,
        jobInput={"s3DataSource": {"path": whole.request.input_path}},
        jobOutput={"s3DataDestination": {"path": session.location("elsewhere") + "/"}},
        roleArn=session.role_arn,
        numResults=3,
    )["batchInferenceJobArn"]
    again = pnb.attach(arn, session).repeat(num_results=1, job_name="of-somebody-else-2").wait(progress=False)
    assert again.recommendations()["user_id"].tolist() == READERS
    assert again.request.input_path == whole.request.input_path and again.name == "of-somebody-else-2"
    mine = whole.repeat(num_results=1, exploration_weight=0)
    assert mine.request.exploration_weight == 0 and mine.name.startswith("again-whole-")
    told = session.personalize.list_tags_for_resource(resourceArn=mine.arn)["tags"]
    assert {one["tagKey"]: one["tagValue"] for one in told} == {"team": "shelf", OWNER: owner_of(session)}
    pnb.wait([mine], progress=False)


def test_what_cannot_be_repeated_is_refused(whole, books_model, session):
    for wrong, told in (("num_result", "no parameter 'num_result'.*mean 'num_results'"), ("data", "the input stays")):
        with pytest.raises(TypeError, match=told):
            whole.repeat(**{wrong: 1})
    with pytest.raises(RequestError, match="'num_results' must be a whole number"):
        whole.repeat(num_results=0)
    with pytest.raises(RequestError, match="takes items"):
        whole.repeat(solution_version=books_model)
    source = session.location("gone.jsonl")
    put(session, source, b'{"userId": "r1"}\n')
    job = pnb.recommend(source, whole.request.solution_version_arn, num_results=1, session=session)
    job.wait(progress=False)
    session.s3.delete_object(**dict(zip(("Bucket", "Key"), s3.split(source), strict=True)))
    with pytest.raises(NotFoundError, match="gone.jsonl' is gone, so the job cannot be repeated"):
        job.repeat()


CHANGES = [
    {"data": READERS[:2]},
    {"data": READERS[2::-1]},
    {"num_results": 2},
    {"exploration_weight": 0.1},
    {"output": "elsewhere"},
]


@pytest.mark.parametrize("kind", [{}, {"max_records": 2}], ids=["job", "run"])
def test_the_same_cell_twice_is_paid_once(kind, readers_model, session, capsys):
    given = {"data": READERS[:3], "num_results": 1, "reuse": True, **kind}

    def cell(where=session, **changes):
        values = {**given, **changes}
        if "output" in values:
            values["output"] = session.location(values["output"]) + "/"
        return pnb.recommend(values.pop("data"), readers_model.name, session=where, **values)

    capsys.readouterr()
    first = cell(reuse=False)  # also one that nobody meant to use again
    with wire_faults.faults(session, "CreateBatchInferenceJob") as seen:
        same = [cell(), cell(data=pd.DataFrame({"user_id": READERS[:3]})), cell(job_name="another-name")]
        assert not seen["CreateBatchInferenceJob"]
    assert [one.name for one in (*same, cell(other_kernel(session)))] == [first.name] * 4
    assert f"'{first.name}' has the same input, model and parameters and is used again" in capsys.readouterr().err
    others = [first] if kind else [first, *(cell(**change) for change in CHANGES[:4])]
    assert len({one.name for one in others}) == len(others)
    pnb.wait(others, progress=False)
    # what is gone is asked again
    for one in first.jobs if kind else [first]:
        bucket, key = s3.split(output_of(session, one.request)[0])
        session.s3.delete_object(Bucket=bucket, Key=key)
    anew = cell()
    assert anew.name != first.name and "whose output is gone" in capsys.readouterr().err
    assert cell().name == pnb.wait([anew], progress=False)[0].name


def test_input_in_s3_is_the_same_while_nobody_writes_it(readers_model, session):
    source = session.location("reused.jsonl")
    put(session, source, b'{"userId": "r1"}\n')
    first = pnb.recommend(source, readers_model, num_results=1, reuse=True, session=session)
    assert pnb.recommend(source, readers_model, num_results=1, reuse=True, session=session).name == first.name
    put(session, source, b'{"userId": "r2"}\n{"userId": "r3"}\n')
    other = pnb.recommend(source, readers_model, num_results=1, reuse=True, session=session)
    assert other.name != first.name
    pnb.wait([first, other], progress=False)


@pytest.mark.parametrize("name", ["x", "x-ab12-001", "weekly-r2", "weekly-001-r9", "y" * 63])
def test_the_name_of_another_attempt_is_new_and_legal(name):
    second = next_job_name(name)
    third = next_job_name(second)
    assert second.endswith("-r2") and third == f"{second[:-1]}3" and len(third) <= 63
    assert (second[:-3] == name) == (name == "x-ab12-001")
    assert base_of(second) == base_of(third)


@pytest.mark.parametrize("parts", [1, 3])
def test_what_was_interrupted_while_it_started_is_found_again(parts, readers_model, session):
    ids, calls = READERS[:3], []

    def interrupt(**_):
        calls.append(1)
        if len(calls) == min(parts, 2):
            raise KeyboardInterrupt

    def cell():
        limit = {"max_records": 1} if parts > 1 else {}
        return pnb.recommend(ids, readers_model, num_results=3 + parts, reuse=True, **limit)

    event = "after-call.personalize.CreateBatchInferenceJob"
    events = session.client("personalize").meta.events
    events.register(event, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt, match=r"pnb\.attach\('.*'\) (tells whether there is|looks at it again)"):
            cell()
        before = len(calls)
        found = cell()
    finally:
        events.unregister(event, interrupt)
    assert len(calls) == before and len(found.wait(progress=False).recommendations()) == 3 * (3 + parts)
    assert cell().name == found.name


def test_a_refused_attempt_does_not_hide_an_earlier_one(readers_model, session):
    ids = READERS[4:6]
    first = pnb.recommend(ids, readers_model, num_results=3)
    with pytest.raises(AlreadyExistsError):
        pnb.recommend(ids, readers_model, num_results=3, job_name=first.name)
    assert pnb.recommend(ids, readers_model, num_results=3, reuse=True).name == first.name
    first.wait(progress=False)


def test_defaults_are_the_same_said_or_not_and_columns_are_not(readers_model):
    job = pnb.recommend(READERS[2:4], readers_model)
    for same in ({"num_results": 25}, {"mode": "BATCH_INFERENCE"}, {"num_results": 25, "exploration_weight": None}):
        assert pnb.recommend(READERS[2:4], readers_model, reuse=True, **same).name == job.name
    beside = pnb.recommend(READERS[2:4], [readers_model], reuse=True)
    assert beside.name != job.name
    pnb.wait([job, beside], progress=False)
    assert "solution_version" in beside.recommendations()


def test_a_repeat_does_not_ask_one_thing_twice_and_names_what_it_asks(whole, readers_model, session):
    shelf = pnb.create_filter("again-sea", 'INCLUDE ItemID WHERE Items.SHELF IN ("sea")', readers_model, progress=False)
    run = pnb.recommend(READERS[:1], readers_model, filter=[None, shelf], num_results=1)
    for one in (None, shelf):
        with pytest.raises(InputError, match="2 questions that differ in 'filter'"):
            run.repeat(filter=one)
    again = run.repeat(num_results=2)
    requests = [
        whole.request.replace(job_name=f"again-run-{n}", output_path=session.location(f"run{n}/")) for n in "ab"
    ]
    many = pnb.run(requests, session=session).wait(progress=False).repeat(num_results=1)
    pnb.wait([run, again, many], progress=False)
    assert set(again.recommendations()["filter"].dropna()) == {"again-sea"}
    assert set(many.recommendations()["job"]) == {one.name for one in many.jobs}


def test_a_repeat_is_checked_as_the_first_time(whole, readers_model, session):
    text = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"
    chosen = pnb.create_filter("again-shelf", text, readers_model, progress=False)
    with wire_faults.faults(session, "CreateBatchInferenceJob") as seen:
        with pytest.raises(RequestError, match="SHELF"):
            whole.repeat(filter=chosen)
        with pytest.raises(RequestError, match="max_cost"):
            whole.repeat(max_cost=0)
        for name, value in (("solution_version", [readers_model] * 2), ("filter", [chosen])):
            with pytest.raises(InputError, match=f"'{name}' must be one here"):
                whole.repeat(**{name: value})
        assert not seen["CreateBatchInferenceJob"]


def test_a_repeat_is_of_who_asks_for_it(whole, session, monkeypatch):
    monkeypatch.setenv(VARIABLE, "anna")
    job = pnb.attach(whole.name, other_kernel(session)).repeat(num_results=1)
    monkeypatch.setenv(VARIABLE, "bert")
    again = pnb.attach(job.name, other_kernel(session)).repeat()
    told = session.personalize.list_tags_for_resource(resourceArn=again.arn)["tags"]
    assert {one["tagKey"]: one["tagValue"] for one in told} == {"team": "shelf", OWNER: "bert"}
    pnb.wait([job, again], progress=False)


@pytest.mark.parametrize("call", ["segments", "themes", "estimate_cost", "preflight"])
def test_a_keyword_that_is_none_is_refused(call, readers_model):
    for wrong in ("num_result", "numResults", "filters", "colour"):
        with pytest.raises(TypeError, match=f"has no parameter '{wrong}'.*num_results"):
            getattr(pnb, call)(READERS, readers_model, **{wrong: 1})
    assert wrong not in inspect.signature(getattr(pnb, call)).parameters
