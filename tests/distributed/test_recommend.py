"""A Dask DataFrame on a cluster with two processes: the answers of one frame, whatever becomes of a worker."""

from __future__ import annotations

import subprocess
import sys

import dask_cluster
import pandas as pd
import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.distributed import asking
from personalize_nb.session import s3

OPTIONS = {"num_results": 4, "exploration_weight": 0.0}
READERS = pd.DataFrame({"user_id": [f"r{number % 70}" for number in range(80)]})


@pytest.fixture(scope="module")
def frames(dask_client):
    import dask.dataframe

    return dask.dataframe


@pytest.fixture(scope="module")
def expected(readers_model):
    job = pnb.recommend(READERS.drop_duplicates(), readers_model, **OPTIONS)
    return job.wait(progress=False).recommendations(reading_world.items())


@pytest.fixture(scope="module")
def run(frames, readers_model):
    whole = frames.from_pandas(READERS, npartitions=5)
    return pnb.distributed.recommend(whole, readers_model, max_files=2, **OPTIONS).wait(progress=False)


def same(found, wanted):
    pd.testing.assert_frame_equal(found.reset_index(drop=True), wanted, check_dtype=False)


def test_answers_are_those_of_one_frame_and_come_by_files(run, expected):
    assert len(run) == 70 and len(run.run.jobs) == 3
    lists = run.recommendations(reading_world.items())
    assert lists.npartitions == 5
    same(lists.compute(), expected)
    assert run.errors().compute().empty
    assert pnb.attach(run.name, session=run.run.session).results().recommendations().shape[0] == len(expected)
    same(pnb.distributed.attach(run.name, run.run.session).recommendations(reading_world.items()).compute(), expected)


def test_figures_of_partitions_are_those_of_the_frame(run, expected):
    truth = reading_world.interactions().sample(300, random_state=1)
    history, items = reading_world.interactions(), reading_world.items()
    options = {"interactions": history, "items": items, "category": "shelf", "cut_offs": [2, 5]}
    lists = run.recommendations()
    found = pnb.distributed.evaluate(lists, truth, **options).compute()
    pd.testing.assert_series_equal(found, pnb.evaluate(expected, truth, **options))
    share = expected["item_id"].nunique() / len(items)
    assert pnb.distributed.coverage(lists, items).compute() == share
    import dask.dataframe

    twice = dask.dataframe.concat([lists, lists])
    with pytest.raises(errors.InputError, match="one list for a user; 'r.*' has rows in 2 partitions"):
        pnb.distributed.evaluate(twice, truth).compute()


def test_a_killed_worker_is_made_up_for(dask_client, frames, readers_model, expected, tmp_path, monkeypatch):
    strike = dask_cluster.killing_once(str(tmp_path / "struck"))

    def through(part):
        strike()
        return part

    whole = frames.from_pandas(READERS, npartitions=4).map_partitions(through, meta=READERS)
    mark_of = asking.reuse.mark_of

    def kill(told):  # all is checked, nothing is stored
        dask_cluster.kill_one(dask_client)
        return mark_of(told)

    monkeypatch.setattr(asking.reuse, "mark_of", kill)
    run = pnb.distributed.recommend(whole, readers_model, **OPTIONS)
    assert (tmp_path / "struck").exists()
    same(run.wait(progress=False).recommendations(reading_world.items()).compute(), expected)


def test_faults_stop_all_before_anything_is_stored(frames, readers_model):
    wrong = READERS.assign(user_id=READERS["user_id"].where(READERS.index != 61))
    with pytest.raises(errors.InputError, match="61: None") as caught:
        pnb.distributed.recommend(frames.from_pandas(wrong, npartitions=3), readers_model, job_name="stopped")
    assert 61 in caught.value.findings["row"].tolist()
    with pytest.raises(errors.RequestError, match="num_results"):
        pnb.distributed.recommend(frames.from_pandas(READERS, npartitions=3), readers_model, num_results=0)
    session = readers_model.session
    assert not s3.stored(session, session.location("runs", "stopped") + "/")
    with pytest.raises(errors.NotFoundError):
        pnb.attach("stopped", session)


def test_a_refused_job_leaves_no_part_files(frames, readers_model):
    session = readers_model.session
    whole = frames.from_pandas(READERS, npartitions=2)
    with pytest.raises(errors.PersonalizeError):
        pnb.distributed.recommend(
            whole, readers_model, job_name="refused", role_arn="arn:aws:iam::123456789012:role/NoSuchRole"
        )
    assert not s3.stored(session, session.location("runs", "refused") + "/")


def test_the_same_asked_again_is_found(run, frames, readers_model):
    whole = frames.from_pandas(READERS, npartitions=5)
    again = pnb.distributed.recommend(whole, readers_model, max_files=2, reuse=True, **OPTIONS)
    assert again.name == run.name
    other = frames.from_pandas(READERS.head(79), npartitions=5)
    assert pnb.distributed.recommend(other, readers_model, reuse=True, **OPTIONS).name != run.name


def test_models_and_filters_stand_side_by_side(frames, readers_model):
    session = readers_model.session
    chosen = pnb.create_filter(
        "shelf-of-choice",
        "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)",
        readers_model.dataset_group_arn,
        session=session,
    )
    asked = pd.DataFrame({"user_id": ["r1", "r2", "r3"], "SHELF": ["sea", "crime", "garden"]})
    options = {"filter": [chosen, None], **OPTIONS}
    run = pnb.distributed.recommend(frames.from_pandas(asked, npartitions=2), readers_model, **options)
    found = run.wait(progress=False).recommendations(reading_world.items()).compute()
    assert found["filter"].fillna("none").value_counts().to_dict() == {"shelf-of-choice": 12, "none": 12}
    filtered = found[found["filter"] == "shelf-of-choice"]
    wanted = filtered["SHELF"].map(lambda shelf: f'The "{shelf}" book')
    assert filtered["user_id"].map({"r1": "sea", "r2": "crime", "r3": "garden"}).tolist() == filtered["SHELF"].tolist()
    assert all(title.startswith(begin) for title, begin in zip(filtered["title"], wanted, strict=True))


def test_a_job_that_failed_is_told_by_its_lines_and_asked_again(frames, readers_model):
    session = readers_model.session
    whole = frames.from_pandas(READERS.head(6), npartitions=3)
    run = pnb.distributed.recommend(whole, readers_model, max_files=1, at_once=1, **OPTIONS)
    last = s3.stored(session, run.run.request.input_path)[-1].address
    bucket, key = s3.split(last)
    kept = b"".join(s3.line_blocks(session, last))
    session.s3.put_object(Bucket=bucket, Key=key, Body=b"\x1f\x8b")  # its job waits for room
    with pytest.raises(errors.FailedError, match="compressed"):
        run.wait(progress=False)
    session.s3.put_object(Bucket=bucket, Key=key, Body=kept)
    assert run.recommendations().compute()["user_id"].unique().tolist() == ["r0", "r1", "r2", "r3"]
    failed = run.errors().compute()
    assert failed["user_id"].tolist() == ["r4", "r5"] and failed["error"].str.contains("compressed").all()
    assert run.run.errors()["user_id"].tolist() == ["r4", "r5"]
    run.retry().wait(progress=False)
    assert run.errors().compute().empty and run.recommendations().compute()["user_id"].nunique() == 6


@pytest.mark.parametrize(
    ("data", "options", "text"),
    [
        (lambda frames: READERS, {}, "takes a Dask DataFrame"),
        (lambda frames: ["r1"], {}, "takes a Dask DataFrame"),
        (lambda frames: frames.from_pandas(READERS, npartitions=2), {"credentials": "mine"}, "'workers'.*'caller'"),
        (
            lambda frames: frames.from_pandas(READERS, npartitions=2),
            {"filter_values": {"SHELF": READERS["user_id"]}},
            "frame.assign",
        ),
        (lambda frames: frames.from_pandas(READERS, npartitions=2), {"max_files": 0}, "max_files"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(frames, readers_model, data, options, text):
    with pytest.raises(errors.InputError, match=text):
        pnb.distributed.recommend(data(frames), readers_model, **options)


def test_dask_is_loaded_by_nobody_who_does_not_use_it():
    code = "import sys, personalize_nb as p; p.distributed.recommend; print({'dask', 'distributed'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
