"""Jobs of a run that are refused, whose names others have, or that two people send again: the others go on."""

import json

import pytest
import wire_faults

import personalize_nb as pnb
from personalize_nb.errors import CredentialsError, FailedError, ServiceError, WaitTimeoutError
from personalize_nb.jobs import manifests
from personalize_nb.session import s3
from personalize_nb.session.session import Session

READERS = [f"r{number}" for number in range(4)]
REASON = "The S3 path is not valid."
FULL = wire_faults.refusal("LimitExceededException", "More than 5 resources with PENDING or IN_PROGRESS status.")


def other_kernel(session):
    return Session.local(session._service.path)


@pytest.fixture
def refusing(session):
    """Let the service refuse jobs whose names end so, as long as the test lasts."""
    ends, seen = [], []

    def before(request, **_):
        name = json.loads(request.body)["jobName"]
        if name.endswith(tuple(ends)):
            seen.append(name)
            return wire_faults.refusal("InvalidInputException", REASON)(request)
        return None

    events = session.personalize.meta.events
    events.register_first("before-send.personalize.CreateBatchInferenceJob", before)
    yield ends, seen
    events.unregister("before-send.personalize.CreateBatchInferenceJob", before)


@pytest.fixture(scope="module")
def stored(readers_model, session):
    return pnb.recommend(READERS, readers_model, num_results=2, session=session).wait(progress=False)


def small(model, session, **more):
    return pnb.recommend(READERS, model, num_results=1, max_records=1, at_once=2, session=session, **more)


def asked(job, session, base, count=3):
    output = session.location("asked", base)
    return [
        job.request.replace(job_name=f"{base}-{one}", num_results=one, output_path=f"{output}/{one}/")
        for one in range(1, count + 1)
    ]


@pytest.mark.parametrize("place", [1, 2, 4])
def test_a_part_that_is_refused_costs_its_part_only(place, refusing, readers_model, session, capsys):
    ends, seen = refusing
    ends += [f"-{place:03d}"]
    run = small(readers_model, session)
    with pytest.raises(FailedError, match=f"1 of 4 jobs failed, .*-00{place}' first: .*{REASON}.* others' results"):
        run.wait(progress=False)
    assert len(seen) == 1  # it is not asked again at every look
    assert "refused" in capsys.readouterr().err or place > 2
    lost = READERS[place - 1]
    again = pnb.attach(run.name, other_kernel(session))
    assert (again.describe()["done"], again.describe()["failed"], len(again.jobs)) == (3, 1, 3)
    assert again.recommendations()["user_id"].tolist() == [one for one in READERS if one != lost]
    assert again.errors()["user_id"].tolist() == [lost] and again.errors()["error"].str.contains(REASON).all()
    ends.clear()
    retried = pnb.attach(run.name, session).retry_failed().wait(progress=False)
    assert retried.recommendations()["user_id"].tolist() == READERS and retried.errors().empty
    assert again.repeat().wait(progress=False).recommendations()["user_id"].tolist() == READERS


def test_a_run_of_which_every_job_is_refused_leaves_nothing_behind(refusing, readers_model, session):
    refusing[0].append("")
    before = {one.address for one in s3.stored(session, session.location("runs"))}
    with pytest.raises(ServiceError, match=REASON):
        small(readers_model, session)
    assert {one.address for one in s3.stored(session, session.location("runs"))} == before


def test_what_is_about_no_job_is_no_refusal_of_one(readers_model, session):
    run = small(readers_model, session)
    run.jobs[0].wait(progress=False)
    slow = wire_faults.refusal("ThrottlingException", "Rate exceeded")
    with wire_faults.faults(session, "CreateBatchInferenceJob", *[slow] * 99):
        run.advance()
    assert (run.describe()["failed"], run.describe()["waiting"]) == (0, 2)
    expired = wire_faults.refusal("ExpiredTokenException", "The security token included in the request is expired")
    with (
        wire_faults.faults(session, "CreateBatchInferenceJob", *[expired] * 99),
        pytest.raises(CredentialsError),
    ):
        while True:
            run.advance()
    assert run.wait(progress=False).describe()["done"] == 4


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_request_without_input_leaves_the_others_alone(place, stored, session):
    requests = asked(stored, session, f"absent-{place}")
    requests[place] = requests[place].replace(input_path=session.location("absent", "no.jsonl"))
    run, told = pnb.run(requests, at_once=1, session=session), []
    with pytest.raises(FailedError, match="1 of 3 jobs failed"):
        run.wait(progress=False)
    assert run.on_end(told.append).join(30) and told == [run]
    assert run.recommendations()["job"].unique().tolist() == [
        one.job_name for number, one in enumerate(requests) if number != place
    ]
    found = run.errors()  # there is no line, and all the same nothing is missing without a word
    assert found["job"].tolist() == [requests[place].job_name] and found["user_id"].isna().all()
    assert found["error"].str.contains("failed: ").all()
    assert run.arrow().errors().num_rows == len(run.polars().errors()) == 1
    assert run.results().only(ids=READERS[:1]).errors().empty


@pytest.mark.parametrize("seen_by", ["list", "create"])
def test_a_job_of_somebody_else_is_not_taken_for_the_runs_own(seen_by, stored, session):
    requests = asked(stored, session, f"taken-{seen_by}")
    run = pnb.run(requests, at_once=1, session=session)
    theirs = requests[2].replace(num_results=5, output_path=session.location("theirs", seen_by) + "/")
    pnb.start(theirs, session=session)
    if seen_by == "list":
        run = pnb.attach(run.name, other_kernel(session))
    with pytest.raises(FailedError, match="somebody else's job has the name"):
        run.wait(progress=False)
    assert sorted(run.recommendations()["job"].unique()) == [one.job_name for one in requests[:2]]
    found = run.errors()
    assert found["job"].unique().tolist() == [requests[2].job_name] and len(found) == len(READERS)
    again = pnb.attach(run.name, other_kernel(session)).retry().wait(progress=False)
    assert len(again.recommendations()) == len(READERS) * 6 and again.errors().empty
    assert pnb.attach(theirs.job_name, session).request.num_results == 5


def test_output_of_one_question_that_is_gone_is_among_the_errors(stored, session):
    run = pnb.run(asked(stored, session, "gone"), session=session).wait(progress=False)
    output = run._manifest.parts[1].output_path
    s3.delete(session, [one.address for one in s3.stored(session, output)])
    run = pnb.attach(run.name, session)
    run._each = lambda ended, _, each=run._each: each(ended, lambda seconds: None)
    assert run.recommendations()["job"].unique().tolist() == ["gone-1", "gone-3"]
    assert run.errors()["job"].tolist() == ["gone-2"] * len(READERS)
    assert run.errors()["error"].str.contains("is done, and its output is gone").all()


def spoil(session, run):
    """Let the first line of a run's output be one that failed."""
    file = next(one for one in s3.stored(session, run._manifest.parts[0].output_path) if one.name.endswith(".out"))
    first, *others = b"".join(s3.line_blocks(session, file.address)).splitlines()
    broken = json.dumps({**json.loads(first), "output": None, "error": "Internal failure"}).encode()
    bucket, key = s3.split(file.address)
    session.s3.put_object(Bucket=bucket, Key=key, Body=b"\n".join([broken, *others, b""]))


def test_two_kernels_send_failed_lines_again_once(readers_model, session):
    run = small(readers_model, session).wait(progress=False)
    spoil(session, run)
    first, second, third = (pnb.attach(run.name, other_kernel(session)) for _ in range(3))
    third.renew = lambda: third  # has read the manifest before the others changed it
    first.retry_failed()
    third.retry_failed()
    names = manifests.find(session, run.name).job_names
    assert len(names) == 5 and third.wait(progress=False)._manifest.job_names == names
    assert first.wait(progress=False).errors().empty
    assert second.retry_failed()._manifest.job_names == names
    assert second.recommendations()["user_id"].tolist() == READERS


def test_what_others_change_meanwhile_stays(readers_model, session):
    run = small(readers_model, session).wait(progress=False)
    manifest, calls = run._manifest, []

    def change(there):
        calls.append(there)
        if len(calls) == 1:  # between reading and writing
            there.with_refused({there.job_names[0]: "theirs"}).save(session)
        return there.with_refused({there.job_names[1]: "ours"})

    manifests.changed(manifest, session, change)
    assert [one.refused for one in manifests.find(session, run.name).parts] == ["theirs", "ours", "", ""]
    assert len(calls) == 2


def test_where_all_jobs_failed_errors_say_why_and_nothing_is_promised(stored, session):
    empty = session.location("empty-input.jsonl")
    session.s3.put_object(**dict(zip(("Bucket", "Key"), s3.split(empty), strict=True)), Body=b"")
    requests = [one.replace(input_path=empty) for one in asked(stored, session, "all-failed", 2)]
    run = pnb.run(requests, session=session)
    with pytest.raises(FailedError, match="2 of 2 jobs failed") as caught:
        run.wait(progress=False)
    assert "others' results" not in str(caught.value) and "Once that is put right, run.retry()" in str(caught.value)
    assert run.errors()["error"].str.contains("failed: ").tolist() == [True, True]
    assert ".errors() says why" in repr(run)
    with pytest.raises(FailedError):
        run.recommendations()


def test_without_room_for_any_of_several_it_is_said_and_waits_name_what_waits(stored, session, capsys):
    requests = asked(stored, session, "no-room", 2)
    with wire_faults.faults(session, "CreateBatchInferenceJob", *[FULL] * 99):
        run = pnb.run(requests, session=session)
        told = capsys.readouterr().err
        assert f"no room for the jobs of run '{run.name}' now: " in told and f"pnb.attach('{run.name}').wait()" in told
        with pytest.raises(WaitTimeoutError, match="'no-room-1', 'no-room-2' wait and start only while") as caught:
            run.wait(timeout=0, progress=False)
    assert "goes on" not in str(caught.value)
    assert run.wait(progress=False).describe()["done"] == 2


def test_lines_that_nobody_counted_have_no_number(stored, readers_model, session):
    run = pnb.run(asked(stored, session, "uncounted", 1), session=session)
    with pytest.raises(TypeError, match="nobody has counted"):
        len(run)
    small_run = small(readers_model, session)
    assert len(small_run) == 4
    listed = pnb.list_runs(session).set_index("name")["records"]
    assert str(listed.dtype) == "Int64" and listed[small_run.name] == 4 and listed.isna()[run.name]


def test_a_manifest_that_cannot_be_read_is_left_out_of_the_list(readers_model, session, capsys):
    where = manifests.address(session, "unreadable")
    bucket, key = s3.split(where)
    session.s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    listed = pnb.list_runs(session)["name"]
    s3.delete(session, [where])
    assert len(listed) and "unreadable" not in listed.tolist()
    assert "run 'unreadable' is left out: " in capsys.readouterr().err


def test_names_of_next_attempts_are_the_same_from_every_kernel():
    assert manifests.next_job_name("weekly", "a") == manifests.next_job_name("weekly", "a")
    assert manifests.next_job_name("weekly", "a") != manifests.next_job_name("weekly", "b")
