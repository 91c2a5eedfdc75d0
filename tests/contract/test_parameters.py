"""The table of job parameters: whole, true to botocore's model and to all signatures, and the one place to add to."""

import ast
import dataclasses
import inspect
from types import SimpleNamespace

import boto3
import pytest
from installed_boto3 import needs_boto3
from IPython.core.completer import IPCompleter, provisionalcompleter

import personalize_nb as pnb
from personalize_nb.contract import limits, parameters
from personalize_nb.contract.job_kinds import INFERENCE, JOB_KINDS, SEGMENTS
from personalize_nb.contract.kinds import Number
from personalize_nb.contract.parameters import PARAMETERS, Line, Need, Parameter
from personalize_nb.contract.releases import lacking
from personalize_nb.jobs import recommend as recommending
from personalize_nb.jobs.arguments import JobParameters, ThemeParameters
from personalize_nb.jobs.rules import RequestContext
from personalize_nb.notebook import code, receipt_facts
from personalize_nb.notebook.form import fields

ROWS = {row.name: row for row in PARAMETERS}
CALLS = {
    pnb.recommend: set(ROWS),
    pnb.themes: set(ROWS) - {"mode"},
    pnb.JobForm: set(ROWS) | {"items"},  # of a form alone: it suggests values
    pnb.segments: {row.name for row in PARAMETERS if SEGMENTS in row.jobs},
    pnb.preflight: (set(ROWS) - {"data"}) | {"request"},
}


def leaves(shape, path=""):
    """Yield the path of each member of a structure that is no structure, its shape, and whether it must be given."""
    for name, member in shape.members.items():
        whole = f"{path}{name}"
        if member.type_name == "structure":
            yield from ((inner, leaf) for inner, leaf in leaves(member, f"{whole}."))
        else:
            yield whole, member


@pytest.fixture(scope="module")
def model():
    return limits.service_model().shape_for("CreateBatchInferenceJobRequest")


# the table and botocore's model


def test_each_member_of_the_model_is_in_one_row_or_is_a_map_whose_keys_are(model):
    for path, shape in leaves(model):
        rows = [row.name for row in PARAMETERS if row.member == path]
        keys = [row.name for row in PARAMETERS if (row.member or "").startswith(f"{path}.")]
        assert (len(rows) == 1 and not keys) or (not rows and keys and shape.type_name == "map"), (path, rows, keys)


def test_each_row_has_a_member_of_its_own_in_the_model(model):
    paths = dict(leaves(model))
    members = [row.member for row in PARAMETERS if row.member and not lacking("CreateBatchInferenceJob", row.member)]
    assert len(set(members)) == len(members)
    for member in members:
        assert member in paths or paths[member.rpartition(".")[0]].type_name == "map", member


def test_what_is_required_is_what_the_model_requires(model):
    def required(path, shape=model):
        first, _, rest = path.partition(".")
        return first in shape.required_members and (not rest or required(rest, shape.members[first]))

    assert {row.member for row in PARAMETERS if row.required} == {path for path, _ in leaves(model) if required(path)}


def test_legal_values_are_those_of_the_models_shapes(model):
    paths = dict(leaves(model))
    for row in PARAMETERS:
        if shape := getattr(row.kind, "shape", None):
            assert paths[row.member].name == shape, row.name


@needs_boto3("1.41.6")
def test_influences_are_those_of_the_model(model):
    influence = dict(leaves(model))[ROWS["ranking_influence"].member]
    assert set(ROWS["ranking_influence"].kind.names) == set(ROWS["ranking_influence"].parts) == set(influence.key.enum)


@pytest.mark.parametrize("kind", JOB_KINDS, ids=lambda kind: kind.resource)
def test_a_kind_of_jobs_has_the_rows_and_names_of_its_model(kind):
    model = limits.service_model()
    request = model.shape_for(f"Create{kind.operations}Request")
    members = {row.member.partition(".")[0] for row in parameters.sent(kind).values()}
    assert members == set(request.members)
    assert set(request.required_members) <= {
        row.member.partition(".")[0] for row in parameters.sent(kind).values() if row.required
    }
    client = boto3.client("personalize", region_name="us-east-1")
    for name in (kind.create, kind.describe, kind.listing[0]):
        assert callable(getattr(client, name))
    assert kind.answer in model.operation_model(f"Describe{kind.operations}").output_shape.members
    assert kind.listing[1] in model.operation_model(f"List{kind.operations}s").output_shape.members
    assert {kind.arn_member} == set(model.operation_model(f"Describe{kind.operations}").input_shape.members)


# the table and the signatures


def test_the_rows_stand_as_in_the_signature_of_recommend():
    assert list(inspect.signature(pnb.recommend).parameters) == list(ROWS)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_each_call_shows_the_rows_with_their_defaults(call):
    shown = inspect.signature(call).parameters
    assert set(shown) == CALLS[call]
    for name, one in shown.items():
        if one.kind is one.KEYWORD_ONLY and name in ROWS:
            assert one.default == ROWS[name].default, name
            assert one.annotation == inspect.signature(pnb.recommend).parameters[name].annotation, name


def test_typed_parameters_are_the_rows():
    assert set(JobParameters.__annotations__) == set(ROWS) - {"data", "solution_version", "session"}
    assert set(JobParameters.__annotations__) - set(ThemeParameters.__annotations__) == {"mode"}


@pytest.mark.parametrize("shape", [pnb.JobRequest, pnb.SegmentRequest])
def test_the_fields_of_a_request_are_the_rows_that_are_sent(shape):
    fields_of_request = {field.name: field for field in dataclasses.fields(shape)}
    assert set(fields_of_request) == set(parameters.sent(shape.job_kind))
    for name, row in parameters.sent(shape.job_kind).items():
        field = fields_of_request[name]
        if row.required:
            assert field.default is field.default_factory is dataclasses.MISSING, name
        else:
            given = field.default_factory() if field.default is dataclasses.MISSING else field.default
            assert given == row.kind.filled(row.default), name


def test_labels_and_names_of_fields_are_each_there_once():
    labels = [row.label for row in PARAMETERS if row.label] + [
        part for row in PARAMETERS for part in row.parts.values()
    ]
    assert len(set(labels)) == len(labels)
    assert {row.panel for row in PARAMETERS} == {*parameters.PANELS, None}


@pytest.mark.parametrize("use_jedi", [True, False], ids=["jedi", "plain"])
@pytest.mark.parametrize("call", ["JobForm", "themes", "preflight", "recommend", "segments"])
def test_a_notebook_completes_parameters(call, use_jedi):
    completer = IPCompleter(namespace={"pnb": pnb}, use_jedi=use_jedi)
    start = f"pnb.{call}("
    with provisionalcompleter():
        found = {one.text for one in completer.completions(start, len(start))}
    wanted = {f"{name}=" for name in CALLS[getattr(pnb, call)]}
    assert wanted <= found


# one row is enough for all that reads, checks, shows and sends: only what people complete is written out besides

NOVELTY = Parameter(
    "novelty",
    Number(0, 1),
    "batchInferenceJobConfig.novelty",
    need=Need("exploration"),
    label="Novelty",
    hint="0.1; from 0 to 1",
    panel=parameters.RANKING,
    jobs=(INFERENCE,),
    line=Line(text="{} of all"),
)
GOOD = {
    "job_name": "weekly",
    "solution_version_arn": "arn:aws:personalize:us-east-1:123456789012:solution/books/0a1b2c3d",
    "input_path": "s3://bucket/in/users.jsonl",
    "output_path": "s3://bucket/out/",
    "role_arn": "arn:aws:iam::123456789012:role/Reader",
}


@pytest.fixture
def novel(monkeypatch):
    """Return requests of an API with one parameter more: the table has its row, the request its field."""
    shape = dataclasses.make_dataclass(
        "JobRequest", [("novelty", float | None, None)], bases=(pnb.JobRequest,), frozen=True
    )
    monkeypatch.setattr(parameters, "PARAMETERS", (*PARAMETERS, NOVELTY))
    monkeypatch.setattr(recommending, "JobRequest", shape)
    monkeypatch.setattr(receipt_facts, "JobRequest", shape)
    return shape


def test_a_new_parameter_is_sent_read_and_printed(novel):
    request = novel(**GOOD, novelty=0.5)
    assert request.to_api()["batchInferenceJobConfig"] == {"novelty": 0.5}
    assert novel.from_api(request.to_api()) == request
    assert "batchInferenceJobConfig" not in novel(**GOOD).to_api()
    keywords = {one.arg: one.value for one in ast.walk(ast.parse(request.to_code())) if isinstance(one, ast.keyword)}
    assert ast.literal_eval(keywords["novelty"]) == 0.5


def test_a_new_parameter_is_judged(novel):
    (problem,) = pnb.problems(novel(**GOOD, novelty=2))
    assert (problem.field, problem.level, problem.text) == ("novelty", "error", "'novelty' must be from 0 to 1, got 2.")
    (problem,) = pnb.problems(novel(**GOOD, novelty=0.5), RequestContext(recipe="aws-sims"))
    told = "'novelty' is documented for aws-user-personalization, not for aws-sims."
    assert (problem.field, problem.level, problem.text) == ("novelty", "warning", told)
    assert pnb.problems(novel(**GOOD, novelty=0.5), RequestContext(recipe="aws-user-personalization")) == []


def test_a_new_parameter_is_looked_at_before_a_start(novel, session, readers_model):
    report = pnb.preflight(["r1"], readers_model, session=session, novelty=2)
    assert "'novelty' must be from 0 to 1, got 2." in " ".join(report["found"].astype(str))


def test_a_new_parameter_is_in_the_form(novel, session, readers_model, books_model):
    form = pnb.JobForm(["r1"], readers_model, session=session, novelty=0.25)
    widget = form.widgets["novelty"]
    assert (widget.placeholder, widget.value) == ("0.1; from 0 to 1", "0.25")
    assert ">Novelty (0 to 1)<" in widget.description and "novelty of pnb.recommend" in widget.description
    panel = form.box.children[list(form.box.children).index(form.console.values) + 1].children[1]
    assert panel.children[-1] is widget
    assert "novelty=0.25" in form.code and form.plan().request.novelty == 0.25

    widget.value = "much"
    assert [problem.text for problem in form.problems()] == ["Novelty must be a number, got 'much'."]
    widget.value = "3"
    assert [problem.text for problem in form.problems()] == ["Novelty must be from 0 to 1, got 3.0."]

    form.widgets["solution_version"].value = books_model.arn
    assert widget.disabled and widget.placeholder == "not for this recipe (for aws-user-personalization)"
    assert "Novelty 3 is not sent" in form.console.messages.value and form.plan().request.novelty is None
    assert "novelty" in fields.legal_names()


def test_a_new_parameter_is_told_by_the_receipt_and_repeated_by_its_call(novel):
    request = novel(**GOOD, novelty=0.5)
    described = {"name": "weekly", "status": "ACTIVE", "records": 1, "created": "2026-11-23T10:15:02Z", "jobs": 1}
    described |= {"done": 1, "failed": 0, "running": 0, "waiting": 0}
    facts = receipt_facts.run_summary(described, [request], receipt_facts.datetime.now(receipt_facts.UTC))
    assert facts["Novelty"] == "0.5 of all"
    session = SimpleNamespace(_service=None, _source=None, region="us-east-1", prefix="personalize_nb")
    assert code.again(request, {}, session).endswith("(solution_version='books/0a1b2c3d', novelty=0.5)")
