"""Whatever is given for any parameter of any public call, what comes out is a message and no error of the depths."""

import inspect
import math
import random

import boto3
import pandas as pd
import pytest

import personalize_nb as pnb
from personalize_nb.errors import ArgumentError, LocalServiceError, PersonalizeError, RequestError, Told, received

ROLE, BUCKET = "arn:aws:iam::123456789012:role/any", "s3://no-such-bucket"
STRANGE = [
    None,
    5,
    -1,
    True,
    1.5,
    math.nan,
    math.inf,
    10**30,
    "many",
    "",
    "\ud800",
    "a\0b",
    b"x",
    [],
    [None],
    [5],
    ["\ud800"],
    {},
    {"a": 5},
    {5: object()},
    object(),
    int,
    lambda: 0,
    pd.DataFrame(),
    pd.DataFrame({"a": [1]}),
]


# Each of their calls asks the service much; what they share with others is judged there.
SLOW = ("JobForm", "preflight", "preflight_training", "train", "estimate_training_cost", "Session.aws", "connect")
# What the package makes for users; nobody fills their fields.
BY_HAND = ("Problem", "Estimate", "Session")


class Refusing:
    """Stands for what would start a service of its own."""

    def __call__(self, *args, **given):
        raise LocalServiceError("no service is started here")


@pytest.fixture(scope="module")
def world(session, readers_model, books_model, affinity_model, tmp_path_factory):
    """Give one thing of each public class, and for each call arguments that are refused late, or change nothing."""
    folder = tmp_path_factory.mktemp("strange")
    (folder / "in.jsonl.out").write_text(
        '{"input":{"userId":"a"},"output":{"recommendedItems":["b"],"scores":[1]},"error":null}\n'
    )
    arn = readers_model.arn
    request = pnb.JobRequest("strange", arn, f"{BUCKET}/in.jsonl", f"{BUCKET}/out/", ROLE)
    segments = pnb.SegmentRequest("strange", affinity_model.arn, f"{BUCKET}/in.jsonl", f"{BUCKET}/out/", ROLE)
    results = pnb.read_results(str(folder / "in.jsonl.out"))
    answers = results.recommendations()
    items = pd.DataFrame({"item_id": ["b"], "title": ["B"], "genre": ["x"]})
    themes = pd.DataFrame({"item_id": ["a"], "theme": ["t"], "rank": [1], "similar_item_id": ["b"], "relevance": [0.5]})
    seen = pd.DataFrame({"user_id": ["a"], "item_id": ["b"], "timestamp": [1]})
    rates = pnb.Rates(
        [{"quantity": "records", "price": 1, "per": 1, "currency": "USD", "source": "x", "date": "2026-01-01"}]
    )
    keys = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
    things = {
        "Batch": pnb.users(["a"]),
        "BatchInferenceJob": pnb.BatchInferenceJob(session.arn("batch-inference-job", "no-such"), session),
        "BatchSegmentJob": pnb.BatchSegmentJob(session.arn("batch-segment-job", "no-such"), session),
        "Estimate": pnb.Estimate({"records": 1}),
        "JobForm": None,
        "JobRequest": request,
        "SegmentRequest": segments,
        "Rates": rates,
        "Results": results,
        "Session": session,
        "SolutionVersion": readers_model,
    }
    good = {
        "recommend": {"data": ["a"], "solution_version": arn, "num_results": 0, "session": session},
        "themes": {"data": ["a"], "solution_version": books_model, "num_results": 0, "session": session},
        "segments": {"data": ["a"], "solution_version": affinity_model, "num_results": 0, "session": session},
        "preflight": {"request": ["a"], "solution_version": arn, "session": session},
        "estimate_cost": {"request": ["a"], "solution_version": arn, "session": session, "rates": rates},
        "JobForm": {"data": ["a"], "solution_version": arn, "session": session},
        "start": {"request": request.replace(num_results=0), "session": session},
        "problems": {"request": request},
        "run": {"requests": [request.replace(num_results=0)], "session": session},
        "wait": {"jobs": ["no-such"], "session": session},
        "attach": {"name": "no-such", "session": session},
        "watch": {"job": "no-such", "session": session},
        "show_job": {"job": "no-such", "session": session},
        "list_jobs": {"session": session},
        "find_filter": {"name": "no-such", "session": session},
        "find_solution_version": {"name": "no-such", "session": session},
        "create_filter": {"name": "a b", "expression": "no", "solution_version": arn, "session": session},
        "create_role": {"name": "a b/", "buckets": [], "session": session},
        "allow_personalize": {"bucket": "no-such-bucket", "session": session},
        "bucket_policy": {"bucket": "b", "session": session},
        "delete_dataset_group": {"name": "no-such", "session": session},
        "train": {"interactions": seen, "items": items, "recipe": "no-such", "session": session},
        "preflight_training": {"interactions": seen, "session": session},
        "estimate_training_cost": {"interactions": seen, "session": session},
        "redact_notebook": {"path": folder / "no-such"},
        "refresh_receipts": {"path": folder / "no-such", "session": session},
        "read_results": {"output": str(folder / "in.jsonl.out"), "session": session},
        "evaluate": {"recommendations": answers, "truth": seen, "items": items},
        "plot_coverage": {"recommendations": answers, "items": items},
        "plot_popularity": {"recommendations": answers, "interactions": seen},
        "plot_scores": {"recommendations": answers},
        "show_user": {"user_id": "a", "recommendations": answers, "interactions": seen, "items": items},
        "show_themes": {"themes": themes, "items": items},
        "theme_quality": {"frame": themes, "items": items},
        "items": {"data": ["a"]},
        "users": {"data": ["a"]},
        "rankings": {"data": [{"user_id": "a", "item_id": "b"}]},
        "connect": {"boto3_session": keys},
        "Rates": {"table": rates},
        "Results": {"output": str(folder / "in.jsonl.out")},
        "Session": {"boto3_session": keys, "region": "eu-west-1"},
        "BatchInferenceJob.wait": {"sleep": lambda _: None},
        "BatchSegmentJob.wait": {"sleep": lambda _: None},
        "JobRequest": {name: getattr(request, name) for name in inspect.signature(pnb.JobRequest).parameters},
        "SegmentRequest": {name: getattr(segments, name) for name in inspect.signature(pnb.SegmentRequest).parameters},
        "Session.aws": {"boto3_session": keys},
        "Session.answer": {"action": "a", "call": lambda: 0},
        "Session.arn": {"kind": "a", "name": "b"},
        "Session.call": {"operation": "list_filters"},
        "Session.pages": {"operation": "list_filters", "member": "Filters"},
        "Session.names": {"operation": "list_filters", "member": "Filters"},
        "Batch.fit": {"filter_values": None, "numbers": []},
        "Batch.upload": {"session": session, "address": f"{BUCKET}/x"},
        "Batch.to_jsonl": {"path": str(folder / "x.jsonl")},
        "BatchInferenceJob": {"arn": "x", "session": session},
        "BatchSegmentJob": {"arn": "x", "session": session},
        "Estimate": {"quantities": {"records": 1}},
        "samples.books": {"readers": 50},
        "samples.movielens": {"folder": folder},
    }
    return things, good


def lasting(value):
    """Look at what came back as a cell does, and at what it is if it comes bit by bit."""
    if inspect.isgenerator(value):
        list(zip(value, range(2), strict=False))
    repr(value)
    if isinstance(value, pnb.JobRequest | pnb.SegmentRequest):
        try:
            lasting(pnb.problems(value))
            value.to_code()
            value.to_api()
        finally:
            pnb.start(value.replace(num_results=0))


def targets():
    """Yield the name of every public call that takes arguments."""
    for room, module in (("", pnb), ("samples.", pnb.samples)):
        for name in module.__all__:
            thing = getattr(module, name)
            if name not in BY_HAND and (inspect.isfunction(thing) or inspect.isclass(thing)):
                yield f"{room}{name}"
            bases = thing.__mro__ if inspect.isclass(thing) else ()
            for base in (one for one in bases if one.__module__.startswith("personalize_nb")):
                for member, function in vars(base).items():
                    called = inspect.isfunction(function) or isinstance(function, classmethod | staticmethod)
                    if called and not member.startswith("_"):
                        yield f"{room}{name}.{member}"


def parameters(name):
    thing = pnb
    for part in name.split("."):
        thing = getattr(thing, part)
    rows = inspect.signature(thing).parameters.values()
    # what users hand over for their own use, they know
    return [row for row in rows if row.name not in ("self", "sleep", "clock", "callback")]


@pytest.mark.parametrize("name", [name for name in sorted(set(targets())) if parameters(name)])
def test_no_argument_gives_a_raw_error(name, world, session, monkeypatch, tmp_path):
    things, good = world
    monkeypatch.chdir(tmp_path)  # any text is a path of what is written
    monkeypatch.setattr("personalize_nb.local.start", Refusing())
    monkeypatch.setattr("personalize_nb.session.connection._current", session, raising=False)
    owner, _, member = name.rpartition(".")
    thing = things.get(owner) or getattr(pnb, owner, pnb)
    raw = []
    for row in parameters(name):
        for value in random.Random(f"{name} {row.name}").sample(STRANGE, 1 if name in SLOW else 4):
            given, args = dict(good.get(name, {})), ()
            if row.kind is row.VAR_POSITIONAL:
                args = (value,)
            else:
                given["name" if row.kind is row.VAR_KEYWORD else row.name] = value
            try:
                lasting(getattr(thing, member)(*args, **given))
            except (Told, OSError):  # of a file, Python says enough
                pass
            except Exception as error:
                raw.append(f"{name}({row.name}={received(value)}): {error!r}")
    assert not raw, "\n".join(raw)


@pytest.mark.parametrize("value", STRANGE[1:], ids=range(1, len(STRANGE)))
def test_every_parameter_of_a_job_is_judged_before_it_is_used(value, world, session):
    _, good = world
    rows = inspect.signature(pnb.recommend).parameters
    for name in rows:
        if name in ("data", "solution_version", "session"):
            continue
        for call in ("recommend", "segments"):
            if name in inspect.signature(getattr(pnb, call)).parameters:
                with pytest.raises(PersonalizeError):  # num_results=0 at the latest
                    getattr(pnb, call)(**{**good[call], "output": "nowhere", name: value})


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: pnb.watch(None), r"^watch\(\) takes .* as 'job', got None\.$"),
        (lambda: pnb.run(5), r"^run\(\) takes a list .* as 'requests', got 5\.$"),
        (lambda: pnb.create_role(5), r"as 'name', got 5"),
        (lambda: pnb.attach("\ud800"), r"takes text that can be written as UTF-8 as 'name', got '\\ud800'"),
        (lambda: pnb.redact_notebook(None), r"as 'path', got None"),
        (lambda: pnb.BatchInferenceJob(None, None), r"takes a job's ARN as 'arn', got None; pnb\.attach\(name\)"),
    ],
)
def test_a_message_says_what_it_takes_and_what_it_got(call, told, session, monkeypatch):
    monkeypatch.setattr("personalize_nb.session.connection._current", session, raising=False)
    with pytest.raises(ArgumentError, match=told):
        call()


@pytest.mark.parametrize("on_aws", [False, True])
def test_a_service_that_is_misspelt_is_told_near_ones(session, on_aws):
    if on_aws:
        keys = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
        session = pnb.Session(keys, region="eu-west-1")
    with pytest.raises(ArgumentError, match=r"no service 'personalise' \(did you mean 'personalize'\?\)"):
        session.client("personalise")


def test_all_fields_of_a_wrong_type_are_told_at_once():
    request = pnb.JobRequest(5, None, b"x", object(), "role", num_results="many", tags=[1])
    told = {problem.field: str(problem) for problem in pnb.problems(request)}
    wrong = {"job_name", "solution_version_arn", "input_path", "output_path", "num_results", "tags"}
    assert wrong < told.keys()
    assert told["num_results"] == "'num_results' must be a whole number from 1, got 'many'."
    with pytest.raises(RequestError) as refused:
        request.to_api()
    assert {problem.field for problem in refused.value.problems} == wrong
