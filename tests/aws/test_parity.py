"""One journey of each kind, the same on AWS and on the embedded service, and what AWS's documentation leaves open.

What is promised is asserted. What is not promised is noted and printed at the end: it is what a user with an account
learns, and what the embedded service can be held to afterwards.
"""

from __future__ import annotations

import json

import pandas as pd
import pytest
import reading_world

import personalize_nb as pnb
from personalize_nb.contract import limits
from personalize_nb.errors import NotFoundError, PersonalizeError
from personalize_nb.results import parts
from personalize_nb.session import s3, waiting
from personalize_nb.session.progress import choose

USERS = ["r3", "r1", "r2", "r0"]
ODD = (
    b'\xef\xbb\xbf{"userId": "r0"}\r\n'
    b"\n"
    b'{"userId": "r1"}\n'
    b'{"userId": "r1"}\n'
    b'{"userId": 5}\n'
    b'{"itemId": "b1"}\n'
    b'{"userId": "r2", "itemId": "b1"}\n'
    b'{"userId": "r2", "context": {"DEVICE": "phone"}}\n'
    b'{"userId": "nobody"}\n'
    b"{broken\n"
)


def raw(session, address):
    """Return every object below an address, by name."""
    return {one.name: b"".join(s3.line_blocks(session, one.address)) for one in s3.stored(session, address)}


def rows(content):
    return [json.loads(line) for line in content.splitlines() if line.strip()]


def content_of(objects):
    """Return what the output among objects holds, be it in parts."""
    return b"".join(content for name, content in objects.items() if parts.is_output(name))


def refused(call):
    """Return how a call is refused, or that it is not."""
    try:
        call()
    except PersonalizeError as error:
        return f"refused at once: {error}"
    return "taken"


@pytest.fixture(scope="module")
def model(models):
    return models["aws-user-personalization"]


@pytest.fixture(scope="module")
def shelf(model, session, group):
    expression = "INCLUDE ItemID WHERE Items.SHELF IN ($SHELF)"
    return pnb.create_filter(f"{group}-shelf", expression, model, progress=False, session=session)


@pytest.fixture(scope="module")
def jobs(models, model, shelf, session):
    """Start every job before the first is waited for: most of a job's time on AWS is the same for any size."""
    asked = pd.DataFrame({"user_id": USERS, "SHELF": [reading_world.shelf_of(int(user[1:])) for user in USERS]})
    odd = session.location("odd", "lines.json")
    bucket, key = s3.split(odd)
    session.s3.put_object(Bucket=bucket, Key=key, Body=ODD)
    similar = models["aws-similar-items"]
    started = {
        "filter": pnb.recommend(asked, model, num_results=5, filter=shelf, session=session),
        "odd": pnb.recommend(odd, model, output=odd.rpartition("/")[0] + "/", session=session),
        "items": pnb.recommend(["b0", "b1", "no such item"], similar, num_results=5, session=session),
    }
    if session.region in limits.THEME_REGIONS:
        started["themes"] = pnb.themes(["b0", "b1", "b2"], similar, num_results=10, session=session)
    return started


@pytest.fixture(scope="module")
def done(jobs, findings):
    seen = {}
    for name, job in jobs.items():
        states = []

        class Display:
            def update(self, what, state, done=None, total=None, states=states):
                states.append(state)

            def say(self, text):
                pass

        job.wait(progress=Display())
        seen[name] = list(dict.fromkeys(states))
    findings.note("12. status words of a job", seen)
    return jobs


def test_a_model_is_trained_and_measured(model, findings):
    assert model.status == limits.ACTIVE
    metrics = model.metrics()
    assert {"coverage", "precision_at_5"} <= set(metrics.index)
    findings.note("14. names and decimals of metrics", dict(metrics))


def test_it_does_not_train_again_by_itself(model, session):
    solution = session.call("describe_solution", solutionArn=model.arn.rpartition("/")[0])["solution"]
    assert solution["performAutoTraining"] is False


def test_a_job_with_a_filter_comes_back_in_input_order(done, session, findings):
    frame = done["filter"].recommendations(items=reading_world.items())
    assert frame["user_id"].drop_duplicates().tolist() == USERS
    assert frame.groupby("user_id")["rank"].apply(list).map(lambda one: one == list(range(1, len(one) + 1))).all()
    shelves = [reading_world.shelf_of(int(item[1:])) for item in frame["item_id"]]
    assert shelves == [reading_world.shelf_of(int(user[1:])) for user in frame["user_id"]]
    assert frame["score"].between(0, 1).all()
    objects = raw(session, done["filter"].request.output_path)
    lines = rows(content_of(objects))
    findings.note("4. objects of an output", {name: len(content) for name, content in objects.items()})
    findings.note("4. content of _CHECK", objects.get("_CHECK"))
    findings.note("order of rows (the input's is r3, r1, r2, r0)", [one["input"]["userId"] for one in lines])
    findings.note("whether filter values are echoed", lines[0]["input"])
    findings.note("6. members of a row", {name: type(value).__name__ for name, value in lines[0]["output"].items()})


def test_the_output_is_there_when_the_job_has_ended(done, session, findings):
    job = done["filter"]
    ended = job.describe()["lastUpdatedDateTime"]
    for one in s3.stored(session, job.request.output_path):
        findings.note(
            f"seconds from the last write of {one.name} to the job's end", (ended - one.modified).total_seconds()
        )


def test_what_describe_echoes(done, findings):
    described = done["odd"].describe()
    told = {name: described.get(name, "absent") for name in ("numResults", "batchInferenceJobMode", "filterArn")}
    findings.note("16. what Describe says of what was left out", told)


def test_odd_lines_cost_themselves_and_no_others(done, session, findings):
    job = done["odd"]  # its output lies in the folder of its input
    found = job.recommendations()
    assert {"r1"} <= set(found["user_id"])
    for one in content_of(raw(session, job.request.output_path)).splitlines():
        findings.note("3, 9, 17, 20. a row of odd lines", one.decode(errors="replace")[:200])


def test_similar_items_come_back(done, session, findings):
    frame = done["items"].recommendations()
    assert {"b0", "b1"} <= set(frame["item_id"])
    assert not (frame["item_id"] == frame["recommended_item_id"]).any()
    content = content_of(raw(session, done["items"].request.output_path))
    findings.note("5. members of rows of similar items", [sorted(one) for one in rows(content)])


def test_themes_come_back(done, session, findings):
    if "themes" not in done:
        pytest.skip(f"themes are made in {', '.join(limits.THEME_REGIONS)} only, this is {session.region}")
    job = done["themes"]
    frame = job.themes(items=reading_world.items(), threshold=None, minimum_items=0)
    assert frame["item_id"].drop_duplicates().tolist() == ["b0", "b1", "b2"]
    assert frame["theme"].str.len().gt(0).all()
    findings.note("8. range of relevance", [float(frame["relevance"].min()), float(frame["relevance"].max())])
    findings.note("8. themes", frame["theme"].drop_duplicates().tolist())
    content = content_of(raw(session, job.request.output_path))
    findings.note("5. members of rows with themes", [sorted(one) for one in rows(content)])


def test_segments_come_back(models, session, findings, group):
    source, output = session.location("segments", "items.jsonl"), session.location("segments", "out") + "/"
    pnb.items(["b0", "b1"]).upload(session, source)
    arn = session.call(
        "create_batch_segment_job",
        jobName=f"{group}-segments",
        solutionVersionArn=models["aws-item-affinity"].arn,
        numResults=10,
        jobInput={"s3DataSource": {"path": source}},
        jobOutput={"s3DataDestination": {"path": output}},
        roleArn=session.role(),
    )["batchSegmentJobArn"]
    waiting.until_active(
        lambda: session.call("describe_batch_segment_job", batchSegmentJobArn=arn)["batchSegmentJob"],
        "the segment job",
        arn,
        again="",
        timeout=waiting.HOURS * 3,
        progress=choose(False),
    )
    frame = pnb.read_results(output, source, session).segments()
    assert frame["item_id"].drop_duplicates().tolist() == ["b0", "b1"]
    assert frame.groupby("item_id").size().le(10).all() and frame["user_id"].str.match(r"r\d+").all()
    findings.note("5. a row of segments", rows(content_of(raw(session, output)))[0])


def test_what_is_refused_and_how(model, models, done, session, findings):
    request = done["filter"].request
    never = request.replace(job_name=f"{request.job_name[:50]}-no")

    def start(**changes):
        return lambda: session.call("create_batch_inference_job", **never.replace(**changes).to_api())

    parent = model.arn.rpartition("/")[0]
    asked = {
        "a name that is taken": start(job_name=request.job_name),
        "an unknown filter": start(filter_arn=f"{request.filter_arn}-no"),
        "an unknown solution version": start(solution_version_arn=f"{parent}/00000000"),
        "themes of another recipe": start(mode="THEME_GENERATION", item_name="TITLE"),
        "themes without a column": start(
            solution_version_arn=models["aws-similar-items"].arn,
            mode="THEME_GENERATION",
            item_name="NO_SUCH",
            filter_arn=None,
        ),
        "an exploration weight of 2": start(exploration_weight=2.0),
        "output that is the input": start(output_path=request.input_path),
        "input that is not there": start(input_path=session.location("absent.jsonl")),
    }
    seen = {what: refused(call) for what, call in asked.items()}
    for what, how in seen.items():
        findings.note(f"2, 3. {what}", how)
    for what in ("a name that is taken", "an unknown filter", "an unknown solution version"):
        assert seen[what].startswith("refused at once"), what


def test_what_recipes_are_told_to_be(session, findings):
    found = session.call(
        "describe_recipe", recipeArn=f"arn:{session.partition}:personalize:::recipe/aws-popularity-count"
    )
    findings.note("11. type of aws-popularity-count", found["recipe"]["recipeType"])


def test_the_order_of_jobs(done, session, findings):
    entries = list(session.pages("list_batch_inference_jobs", "batchInferenceJobs"))
    times = [entry["creationDateTime"] for entry in entries]
    order = "oldest first" if times == sorted(times) else "newest first" if times == sorted(times)[::-1] else "neither"
    findings.note(f"19. order of {len(times)} jobs", order)
    assert {job.name for job in done.values()} <= {entry["jobName"] for entry in entries}


def test_a_name_of_a_job_is_never_free_again(done, session):
    assert pnb.attach(done["filter"].name, session).status == limits.ACTIVE
    with pytest.raises(NotFoundError):
        pnb.attach("pnb-parity-never-started", session)
