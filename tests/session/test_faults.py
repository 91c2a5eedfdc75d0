"""What breaks between the toolkit and AWS ends no wait, starts nothing twice, and is told in words."""

import json

import botocore.exceptions
import pytest
import wire_faults
from hypothesis import given
from hypothesis import strategies as st

import personalize_nb as pnb
from personalize_nb import errors
from personalize_nb.session import object_reading, s3, waiting
from personalize_nb.session.session import Session

CLOSED = botocore.exceptions.ConnectionClosedError(endpoint_url="http://x")
TIMED_OUT = botocore.exceptions.ReadTimeoutError(endpoint_url="http://x")
LOST = {
    "closed": [wire_faults.lost(CLOSED)],
    "closed for botocore, too": [wire_faults.lost(CLOSED)] * 3,
    "timed out": [wire_faults.lost(TIMED_OUT)],
    "500": [wire_faults.failed(500)] * 3,
    "502 once": [wire_faults.failed(502)],
    "cut": [wire_faults.changed(lambda body: body[:-3])],
    "empty": [wire_faults.changed(lambda body: b"")],
    "a page": [wire_faults.changed(lambda body: b"<html>Log in</html>")],
    "binary": [wire_faults.changed(lambda body: b"\xff\xfe\x00")],
    "a list": [wire_faults.changed(lambda body: b"[1]")],
    "null": [wire_faults.changed(lambda body: b"null")],
    "other members": [wire_faults.changed(lambda body: b'{"x":1}')],
    "texts for structures": [wire_faults.changed(lambda body: b'{"batchInferenceJob":"x","batchInferenceJobArn":""}')],
}
NOTHING = {"progress": False, "sleep": lambda seconds: None}


@pytest.fixture(scope="module")
def own(local_service):
    """Give a session whose clients are nobody else's."""
    return Session.local(local_service.path)


def jobs(session, name):
    return [one for one in session.pages("list_batch_inference_jobs", "batchInferenceJobs") if name in one["jobName"]]


@pytest.mark.parametrize("kind", LOST)
def test_a_job_whose_answer_was_lost_is_found_and_started_once(own, readers_model, kind):
    name = f"lost-{list(LOST).index(kind)}"
    with wire_faults.faults(own, "CreateBatchInferenceJob", *LOST[kind]):
        job = pnb.recommend(["r1"], readers_model.name, job_name=name, num_results=1, session=own)
    assert job.name == name and len(jobs(own, name)) == 1
    assert len(job.wait(**NOTHING).recommendations()) == 1


@pytest.mark.parametrize("kind", LOST)
def test_no_look_that_fails_ends_a_wait(own, readers_model, kind):
    job = pnb.recommend(["r1"], readers_model.name, num_results=1, session=own)
    with wire_faults.faults(own, "DescribeBatchInferenceJob", *LOST[kind]):
        assert job.wait(progress=False).status == "ACTIVE"


def test_a_request_that_was_started_before_is_taken_however_its_answer_was_lost(own, readers_model):
    job = pnb.recommend(["r1"], readers_model.name, job_name="taken-before", num_results=1, session=own)
    other = job.request.replace(output_path=own.location("elsewhere") + "/")
    for request in (job.request, other):
        with pytest.raises(errors.AlreadyExistsError, match="A job named 'taken-before' exists"):
            pnb.start(request, session=own)
    with (
        wire_faults.faults(own, "CreateBatchInferenceJob", wire_faults.lost(CLOSED)),
        pytest.raises(errors.AlreadyExistsError, match="A job named 'taken-before' exists"),
    ):
        pnb.start(other, session=own)


def test_what_aws_does_not_show_yet_is_waited_for(own, readers_model):
    absent = wire_faults.refusal("ResourceNotFoundException")
    with wire_faults.faults(own, "DescribeBatchInferenceJob", absent, absent, absent):
        # the first look asks whether the name is free, those behind it wait for the end
        job = pnb.recommend(["r1"], readers_model.name, num_results=1, session=own)
        assert job.wait(progress=False).status == "ACTIVE"


@pytest.mark.parametrize("kind", ["closed", "500", "cut"])
def test_a_run_whose_first_answer_was_lost_goes_on(own, books_model, kind):
    items = [f"b{number:04d}" for number in range(1, 121)]
    with wire_faults.faults(own, "CreateBatchInferenceJob", *LOST[kind]):
        run = pnb.themes(items, books_model.name, job_name=f"run-{kind}", session=own)
        assert run.wait(progress=False).status == "ACTIVE"
    assert len(jobs(own, f"run-{kind}")) == 2


CREATES = [
    *("CreateDatasetGroup", "CreateSchema", "CreateDataset", "CreateDatasetImportJob", "CreateSolution"),
    "CreateSolutionVersion",
]


@pytest.mark.parametrize("operation", CREATES)
@pytest.mark.parametrize("kind", ["closed", "502 once", "cut"])
def test_a_training_makes_everything_once(own, operation, kind):
    import reading_world

    name = f"once-{operation[6:].lower()}-{kind.split()[0]}"
    settings = {"name": name, "recipe": "aws-popularity-count", "progress": False, "session": own, "wait": False}
    with wire_faults.faults(own, operation, *LOST[kind]):
        model = pnb.train(reading_world.interactions(), **settings)
    solution = model.arn.rpartition("/")[0]
    assert len(list(own.pages("list_solution_versions", "solutionVersions", solutionArn=solution))) == 1
    (dataset,) = own.pages("list_datasets", "datasets", datasetGroupArn=model.dataset_group_arn)
    imports = list(own.pages("list_dataset_import_jobs", "datasetImportJobs", datasetArn=dataset["datasetArn"]))
    assert [one["status"] for one in imports] == ["ACTIVE"]


@pytest.mark.parametrize("kind", ["closed", "500", "cut"])
def test_a_filter_is_made_once(own, readers_model, kind):
    with wire_faults.faults(own, "CreateFilter", *LOST[kind]):
        made = pnb.create_filter(
            f"once-{kind}", "EXCLUDE ItemID WHERE Items.YEAR < 0", readers_model.name, progress=False, session=own
        )
    assert made.status == "ACTIVE"


@given(body=st.binary(max_size=40) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_no_answer_is_read_as_what_it_is_not(own, body):
    raw = body if isinstance(body, bytes) else body.encode()
    for operation, parameters in (
        ("describe_recipe", {"recipeArn": "arn:aws:personalize:::recipe/x"}),
        ("list_recipes", {}),
    ):
        name = "DescribeRecipe" if parameters else "ListRecipes"
        with (
            wire_faults.faults(own, name, wire_faults.changed(lambda _: raw), wire_faults.changed(lambda _: raw)),
            pytest.raises(errors.PersonalizeError),
        ):
            own.call(operation, **parameters)


@pytest.mark.parametrize(
    "error",
    [
        botocore.exceptions.FlexibleChecksumError(error_msg="expected x, got y"),
        botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=9),
        botocore.exceptions.ResponseStreamingError(error="reset"),
    ],
)
def test_a_download_that_broke_at_its_end_is_read_again(own, monkeypatch, error):
    import io

    address = own.location("faults", "broken.txt")
    s3.upload(own, io.BytesIO(b"one\ntwo\n"), address)
    left = [error] * 2
    real = object_reading._Body.read

    def read(body, size):
        block = real(body, size)
        with object_reading.translated("GetObject"):
            if not block and left:
                raise left.pop()
        return block

    monkeypatch.setattr(object_reading._Body, "read", read)
    assert b"".join(s3.line_blocks(own, address)) == b"one\ntwo\n"


class Clock:
    """A clock that sleeping moves, and the time of each request of a session's clients."""

    def __init__(self):
        self.now, self.times = 0.0, []

    def sleep(self, seconds):
        self.now += seconds

    def count(self, *clients):
        for client in clients:
            client.meta.events.register("before-send", lambda **_: self.times.append(self.now))


@pytest.fixture
def aws(local_service, monkeypatch):
    """Give a session of AWS, at the address of the local service."""
    for name, value in local_service.environment().items():
        monkeypatch.setenv(name, value)
    return Session.aws(bucket=local_service.bucket, role_arn=local_service.role_arn)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_first_minute_has_about_ten_calls_however_many_jobs_there_are(own, aws, books_model, monkeypatch, count):
    items = [f"b{number:04d}" for number in range(1, 100 * count)]
    run = pnb.themes(items, books_model.name, session=aws)
    pnb.attach(run.name, own).wait(progress=False)  # on the machine's clock; what is counted is on another
    clock = Clock()
    clock.count(aws.personalize, aws.s3)
    real = aws.call

    def call(operation, **parameters):
        answer = real(operation, **parameters)
        for one in [*answer.values(), *answer.get("batchInferenceJobs", ())]:
            if isinstance(one, dict) and "status" in one and clock.now < 600:
                one["status"] = "CREATE IN_PROGRESS"
        return answer

    monkeypatch.setattr(aws, "call", call)
    run.wait(progress=False, sleep=clock.sleep, clock=lambda: clock.now)
    assert 4 <= sum(time <= 60 for time in clock.times) <= 10


def test_a_local_job_is_noticed_at_once(own, aws):
    assert (own.pace, aws.pace) == (waiting.QUICK, waiting.POLITE)
    assert [waiting.pause(seconds) for seconds in (0, 1, 2)] == [0.05, 0.1, 0.2]
