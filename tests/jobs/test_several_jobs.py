"""More than one job allows, with the face of one: killed, found again by name, failed in part, and repeated."""

import hypothesis
import hypothesis.strategies as st
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import reading_world
import wire_faults

import personalize_nb as pnb
from personalize_nb.errors import AlreadyExistsError, FailedError, InputError, NotFoundError, RequestError
from personalize_nb.jobs import manifests
from personalize_nb.jobs.parts import InputLimits, batch_blocks, cut
from personalize_nb.session import s3
from personalize_nb.session.session import Session

READERS = [f"r{number}" for number in range(30)]
BOOKS = reading_world.items()
FULL = wire_faults.refusal(
    "LimitExceededException",
    "Cannot create a batch inference job. More than 5 resources with PENDING or IN_PROGRESS status.",
)


class KilledError(BaseException):
    """Ends a kernel in the middle of its work."""


def kill(request):
    raise KilledError


def other_kernel(session):
    return Session.local(session._service.path)


def replaced(session, address, body):
    """Put other content in place of an object's and return what it was."""
    kept = b"".join(s3.line_blocks(session, address))
    bucket, key = s3.split(address)
    session.s3.put_object(Bucket=bucket, Key=key, Body=body(kept) if callable(body) else body)
    return kept


@pytest.fixture(scope="module")
def stored(readers_model, session):
    """Give a job that is done, whose input other jobs read as well."""
    return pnb.recommend(READERS[:4], readers_model, num_results=2, session=session).wait(progress=False)


def requests(job, session, count, base):
    output = session.location("many", base)
    return [
        job.request.replace(job_name=f"{base}-{one}", num_results=one, output_path=f"{output}/{one}/")
        for one in range(1, count + 1)
    ]


def themes_of_1050(session, books_model, readers_model, stored, name):
    ids = [f"b{number}" for number in range(1050)]
    return lambda: pnb.themes(ids, books_model, num_results=1, job_name=name, session=session), 11


def plain_jobs(session, books_model, readers_model, stored, name):
    return lambda: pnb.run(requests(stored, session, 12, name), name=name, session=session), 12


def large_input(session, books_model, readers_model, stored, name):
    line = len(b'{"userId":"r10"}\n')
    ids = READERS[10:] + [f"r{number}" for number in range(30, 40)]  # 30 of one length

    def start():
        return pnb.recommend(
            ids, readers_model, num_results=1, max_bytes=10 * line, at_once=2, job_name=name, session=session
        )

    return start, 3


@pytest.mark.parametrize("kind", [themes_of_1050, plain_jobs, large_input], ids=lambda one: one.__name__)
def test_killed_found_again_failed_in_part_and_repeated(kind, session, books_model, readers_model, stored):
    name = f"several-{kind.__name__.replace('_', '-')}"
    start, parts = kind(session, books_model, readers_model, stored, name)
    with wire_faults.faults(session, "CreateBatchInferenceJob", wire_faults.sent, kill), pytest.raises(KilledError):
        start()
    run = pnb.attach(name, other_kernel(session))
    facts = run.describe()
    assert (facts["jobs"], facts["running"] + facts["done"], facts["waiting"]) == (parts, 1, parts - 1)
    # the last part fails, by an input that is none
    broken = run._manifest.parts[-1]
    if kind is plain_jobs:  # whose input is that of all
        other = broken.input_path.replace(".jsonl", "-broken.jsonl")
        session.s3.put_object(**dict(zip(("Bucket", "Key"), s3.split(other), strict=True)), Body=b"")
        run = with_input(run, other)
        kept = b"".join(s3.line_blocks(session, broken.input_path))
        broken = run._manifest.parts[-1]
    else:
        kept = replaced(session, broken.input_path, b"")
    with pytest.raises(FailedError, match=f"1 of {parts} jobs failed"):
        run.wait(progress=False)
    assert run.describe()["done"] == parts - 1
    replaced(session, broken.input_path, kept)
    run = pnb.attach(name, other_kernel(session))
    lacking = len(kept.splitlines())
    assert len(run.errors()) == lacking and run.errors()["error"].str.contains("failed").all()
    before = run.recommendations() if kind is not themes_of_1050 else run.themes(threshold=None, minimum_items=0)
    run.retry_failed().wait(progress=False)
    after = run.recommendations() if kind is not themes_of_1050 else run.themes(threshold=None, minimum_items=0)
    assert run.errors().empty or kind is themes_of_1050
    assert run.results().failed == 0 and len(run.results()) == (48 if kind is plain_jobs else len(run))
    pd.testing.assert_frame_equal(after.iloc[: len(before)], before)


def with_input(run, address):
    """Let the last job of a run read another input, as if its request had named it."""
    import dataclasses

    *parts, last = run._manifest.parts
    *groups, group = run._manifest.groups
    manifest = dataclasses.replace(
        run._manifest,
        parts=(*parts, dataclasses.replace(last, input_path=address)),
        groups=(*groups, dataclasses.replace(group, request=group.request.replace(input_path=address))),
    )
    manifest.save(run.session)
    return pnb.attach(run.name, run.session)


@hypothesis.given(
    st.lists(st.binary(max_size=12).map(lambda text: text.replace(b"\n", b" ")), max_size=40),
    st.integers(13, 60),
    st.integers(1, 9),
    st.integers(1, 5),
)
def test_parts_are_the_input_and_within_the_limits(lines, most_bytes, most_records, pieces):
    text = b"\n".join(lines) + b"\n"
    ends = [
        0,
        *sorted({text.rfind(b"\n", 0, len(text) * one // pieces + 1) + 1 for one in range(1, pieces)}),
        len(text),
    ]
    blocks = [text[one:other] for one, other in zip(ends, ends[1:], strict=False)]
    limit = InputLimits(max_bytes=most_bytes, max_records=most_records)
    found = [(part.file.read(), part.records) for part in cut(blocks, "BATCH_INFERENCE", limit)]
    assert b"".join(body for body, _ in found) == b"".join(line + b"\n" for line in lines if line.strip())
    assert all(len(body) <= most_bytes and body.count(b"\n") == records <= most_records for body, records in found)
    for (body, records), (after, _) in zip(found, found[1:], strict=False):  # no part is smaller than it must be
        assert records == most_records or len(body) + after.index(b"\n") + 1 > most_bytes


@hypothesis.given(st.integers(1, 12), st.integers(1, 5), st.booleans())
def test_parts_of_a_batch_are_its_lines(records, most, with_values):
    frame = pd.DataFrame({"user_id": [f"u{number}" for number in range(records)]}).assign(GENRE="sea")
    batch = pnb.users(frame, filter_values=["GENRE"] if with_values else None)
    parts = [part.file.read() for part in cut(batch_blocks(batch), "BATCH_INFERENCE", InputLimits(max_records=most))]
    assert [part.count(b"\n") for part in parts] == [min(most, records - first) for first in range(0, records, most)]
    assert b"".join(parts).decode().splitlines() == batch.lines(records)


def test_a_line_that_no_job_takes_is_refused(readers_model, session):
    with pytest.raises(InputError, match=r"A line of the input has 17 bytes, .*r0.*a job takes 10 in all"):
        list(cut([b'{"userId": "r0"}\n', b'{"userId": "r1"}\n'], "BATCH_INFERENCE", InputLimits(max_bytes=10)))
    with pytest.raises(InputError, match="'max_files' must be a whole number from 1, got 0"):
        pnb.recommend(READERS, readers_model, max_files=0)


@pytest.mark.parametrize("limit", [{"max_bytes": 250}, {"max_records": 15}, {"max_files": 1}], ids=str)
def test_input_in_s3_over_a_limit_is_split(limit, readers_model, session):
    folder = session.location("over", next(iter(limit))) + "/"
    for number in range(2):
        pnb.users(READERS[15 * number : 15 * number + 16 - number]).upload(session, f"{folder}{number}.jsonl")
    run = pnb.recommend(folder, readers_model, num_results=1, session=session, **limit)
    assert len(run) == 31 and isinstance(run, pnb.Run)
    found = run.wait(progress=False).recommendations()
    assert found["user_id"].tolist() == [*READERS[:16], *READERS[15:]]
    usual = pnb.recommend(folder, readers_model, num_results=1, session=session)
    assert isinstance(usual, pnb.BatchInferenceJob)


def test_models_and_filters_stand_side_by_side(readers_model, session):
    kept = [
        pnb.create_filter(f"beside-{shelf}", f'INCLUDE ItemID WHERE Items.SHELF IN ("{shelf}")', readers_model)
        for shelf in ("sea", "crime")
    ]
    run = pnb.recommend(READERS[:3], [readers_model], filter=[None, *kept], num_results=2, session=session)
    found = pnb.attach(run.name, other_kernel(session)).wait(progress=False).recommendations(items=BOOKS)
    assert found.columns.tolist()[:3] == ["solution_version", "filter", "user_id"]
    assert found["solution_version"].unique().tolist() == [readers_model.name]
    shelves = found.assign(shelf=found["item_id"].map(BOOKS.set_index("item_id")["shelf"]))
    assert [frame["shelf"].unique().tolist() for _, frame in shelves.dropna().groupby("filter")] == [["crime"], ["sea"]]
    assert len(found) == 18 and found["filter"].isna().sum() == 6
    arrow, polars = run.arrow().recommendations(BOOKS), run.polars().recommendations(BOOKS)
    assert isinstance(arrow, pa.Table) and isinstance(polars, pl.DataFrame)
    assert arrow.column_names == polars.columns == found.columns.tolist()
    assert len({part.input_path for part in run._manifest.parts}) == 1  # what is the same is stored once
    assert sum(map(len, run.results().blocks(rows=1))) == 18
    assert run.errors().columns.tolist()[:2] == ["solution_version", "filter"]
    fewer = run.repeat(num_results=1).wait(progress=False)
    assert len(fewer.recommendations()) == 9


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"filter": []}, "'filter' must be one or a list of at least one, got an empty list"),
        ({"filter": [None, None]}, "'filter' names None twice"),
        ({"solution_version": []}, "'solution_version' must be one or a list of at least one"),
    ],
)
def test_lists_that_say_nothing_are_refused(given, told, readers_model, session):
    with pytest.raises(InputError, match=told):
        pnb.recommend(READERS, **{"solution_version": readers_model, "session": session, **given})


def test_without_room_a_job_is_kept_and_nothing_is_waited_for(readers_model, session, capsys):
    with wire_faults.faults(session, "CreateBatchInferenceJob", *[FULL] * 9) as seen:
        kept = pnb.recommend(READERS[:2], readers_model, num_results=1, job_name="kept-for-later")
    assert seen["CreateBatchInferenceJob"] <= 4  # those of botocore for one call
    told = capsys.readouterr().err
    assert "no room for job 'kept-for-later' now" in told and "pnb.attach('kept-for-later').wait()" in told
    assert kept.describe()["waiting"] == 1
    found = pnb.attach("kept-for-later", other_kernel(session)).wait(progress=False)
    assert found.recommendations()["user_id"].tolist() == READERS[:2]
    assert [job.name for job in found.jobs] == ["kept-for-later"]


def test_requests_that_cannot_be_a_run_are_refused_before_anything_is_sent(stored, session):
    one, two = requests(stored, session, 2, "refused")
    with pytest.raises(InputError, match="'refused-1' is there more than once"):
        pnb.run([one, two.replace(job_name="refused-1")], session=session)
    with pytest.raises(InputError, match="'refused-1' and 'refused-2' would write over each other's output"):
        pnb.run([one, two.replace(output_path=one.output_path)], session=session)
    with pytest.raises(AlreadyExistsError, match=stored.name):
        pnb.run([one, two.replace(job_name=stored.name)], session=session)
    with pytest.raises(RequestError, match="'num_results'"):
        pnb.run([one.replace(num_results=0), two], session=session)
    with pytest.raises(InputError, match="at least one"):
        pnb.run([], session=session)
    with pytest.raises(TypeError, match="list of pnb.JobRequest.*, got 'refused-1'"):
        pnb.run(["refused-1"], session=session)
    with pytest.raises(NotFoundError):
        pnb.attach("refused-1", session)


def test_several_are_waited_for_together(stored, readers_model, session):
    job = pnb.recommend(READERS[:2], readers_model, num_results=1, session=session)
    run = pnb.recommend(READERS[:2], readers_model, num_results=1, max_records=1, at_once=1, session=session)
    found = pnb.wait([job, run, stored.name], progress=False, session=session)
    assert [one.name for one in found] == [job.name, run.name, stored.name]
    assert [one.status for one in found] == ["ACTIVE"] * 3
    empty = session.location("empty.jsonl")
    session.s3.put_object(**dict(zip(("Bucket", "Key"), s3.split(empty), strict=True)), Body=b"")
    broken = pnb.recommend(empty, readers_model, session=session)
    with pytest.raises(FailedError, match=f"1 of 2 failed: '{broken.name}'"):
        pnb.wait([broken, stored], progress=False)
    assert pnb.wait([], progress=False) == []
    with pytest.raises(TypeError, match="one alone has"):
        pnb.wait("job")
    with pytest.raises(TypeError, match="got 7 among them"):
        pnb.wait([7])


def test_a_run_of_an_earlier_release_is_read(stored, session):
    import json

    request = stored.request.replace(
        job_name="first-version", input_path="s3://b/in/", output_path="s3://b/out/", num_results=3
    )
    values = {"version": 1, "request": request.to_api(), "job_names": ["a-001", "a-002"], "records": [2, 1]}
    values |= {"at_once": 4, "created": "2026-11-01T00:00:00Z"}
    bucket, key = s3.split(manifests.address(session, "first-version"))
    session.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(values).encode())
    run = manifests.find(session, "first-version")
    assert [run.part(number).input_path for number in (0, 1)] == ["s3://b/in/001.jsonl", "s3://b/in/002.jsonl"]
    assert run.part(1).output_path == "s3://b/out/002/" and run.part(1).num_results == 3
    assert (run.name, run.records, run.at_once, run.job_names) == ("first-version", 3, 4, ("a-001", "a-002"))
    session.s3.delete_object(Bucket=bucket, Key=key)
