"""A request is a value: it goes to the API and back, and every broken rule is found at once."""

import ast

import botocore.session
import botocore.validate
import numpy as np
import pytest
from installed_boto3 import needs_boto3

import personalize_nb as pnb
from personalize_nb.jobs.rules import RequestContext, errors_of

ARN = "arn:aws:personalize:us-east-1:123456789012"
GOOD = pnb.JobRequest(
    job_name="weekly",
    solution_version_arn=f"{ARN}:solution/books/0a1b2c3d",
    input_path="s3://bucket/in/users.jsonl",
    output_path="s3://bucket/out/",
    role_arn="arn:aws:iam::123456789012:role/Reader",
)
FULL = GOOD.replace(
    filter_arn=f"{ARN}:filter/shelf",
    num_results=10,
    exploration_weight=0.3,
    exploration_item_age_cut_off=30.0,
    ranking_influence={"POPULARITY": 0.5},
    mode="THEME_GENERATION",
    item_name="TITLE",
    input_kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/1",
    output_kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/2",
    tags={"team": "books"},
)


def fields(request, context=None):
    return [problem.field for problem in pnb.problems(request, context)]


def test_a_good_request_has_no_problems():
    assert pnb.problems(GOOD) == []


@needs_boto3("1.41.6")
def test_a_request_of_everything_has_no_problems():
    assert pnb.problems(FULL) == []


@pytest.mark.parametrize("request_", [GOOD, pytest.param(FULL, marks=needs_boto3("1.41.6"))])
def test_the_api_takes_it(request_):
    model = botocore.session.Session().get_service_model("personalize").operation_model("CreateBatchInferenceJob")
    report = botocore.validate.ParamValidator().validate(request_.to_api(), model.input_shape)
    assert not report.has_errors(), report.generate_report()


@needs_boto3("1.41.6")
def test_every_parameter_of_the_api_is_sent():
    model = botocore.session.Session().get_service_model("personalize").operation_model("CreateBatchInferenceJob")
    assert set(FULL.to_api()) == set(model.input_shape.members)
    assert FULL.to_api()["batchInferenceJobConfig"] == {
        "itemExplorationConfig": {"explorationWeight": "0.3", "explorationItemAgeCutOff": "30"},
        "rankingInfluence": {"POPULARITY": 0.5},
    }


def test_what_is_not_set_is_not_sent():
    assert sorted(GOOD.to_api()) == ["jobInput", "jobName", "jobOutput", "roleArn", "solutionVersionArn"]


@pytest.mark.parametrize("request_", [GOOD, FULL])
def test_from_the_api_and_back(request_):
    assert pnb.JobRequest.from_api(request_.to_api()) == request_


def test_the_code_makes_the_same_request():
    call = ast.parse(FULL.to_code(), mode="eval").body
    assert ast.unparse(call.func) == "pnb.start"
    assert eval(ast.unparse(call.args[0]), {"pnb": pnb}) == FULL


def test_the_code_is_plain_python_whatever_numbers_came_in():
    numbers = FULL.replace(
        job_name=np.str_("weekly"),
        num_results=np.int64(10),
        exploration_weight=np.float64(0.3),
        ranking_influence={np.str_("POPULARITY"): np.float32(0.5)},
    )
    assert numbers.to_code() == FULL.to_code()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"job_name": ""}, "job_name"),
        ({"job_name": "a b"}, "job_name"),
        ({"job_name": "-a"}, "job_name"),
        ({"job_name": "a" * 64}, "job_name"),
        ({"solution_version_arn": "books"}, "solution_version_arn"),
        ({"role_arn": ""}, "role_arn"),
        ({"role_arn": "arn:aws:iam::12:role/x"}, "role_arn"),
        ({"filter_arn": "shelf"}, "filter_arn"),
        ({"input_kms_key_arn": "key"}, "input_kms_key_arn"),
        ({"input_path": "bucket/in.jsonl"}, "input_path"),
        ({"input_path": "s3://"}, "input_path"),
        ({"output_path": "ftp://bucket/"}, "output_path"),
        ({"output_path": "s3://bucket/" + "x" * 250 + "/"}, "output_path"),
        ({"output_path": "s3://bucket/in/users.jsonl"}, "output_path"),
        ({"num_results": 0}, "num_results"),
        ({"num_results": 2.5}, "num_results"),
        ({"num_results": True}, "num_results"),
        ({"exploration_weight": 1.1}, "exploration_weight"),
        ({"exploration_weight": "0.5"}, "exploration_weight"),
        ({"exploration_item_age_cut_off": 0}, "exploration_item_age_cut_off"),
        ({"ranking_influence": {"AGE": 0.1}}, "ranking_influence"),
        ({"ranking_influence": {"FRESHNESS": 2.0}}, "ranking_influence"),
        ({"mode": "THEMES"}, "mode"),
        ({"mode": "THEME_GENERATION"}, "item_name"),
        ({"item_name": "TITLE"}, "item_name"),
        # the model says what names of columns are since then
        pytest.param({"mode": "THEME_GENERATION", "item_name": "1 TITLE"}, "item_name", marks=needs_boto3("1.41.6")),
        ({"tags": {"aws:x": "1"}}, "tags"),
        ({"tags": {"x": "v" * 257}}, "tags"),
        ({"tags": {"": "1"}}, "tags"),
        ({"tags": {"n": 1}}, "tags"),
        ({"tags": {f"t{number}": "" for number in range(51)}}, "tags"),
    ],
)
def test_each_broken_rule_is_an_error(changes, field):
    found = errors_of(pnb.problems(GOOD.replace(**changes)))
    assert [problem.field for problem in found] == [field]
    assert str(found[0]).endswith(".")


def test_all_broken_rules_are_told_at_once():
    assert fields(GOOD.replace(job_name="a b", num_results=0, tags={"aws:x": "1"})) == [
        "job_name",
        "num_results",
        "tags",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"num_results": 501},
        {"output_path": "s3://bucket/out"},
        {"input_path": "s3://bucket/in/", "output_path": "s3://bucket/in/out/"},
        {"input_path": "s3://bucket/folder"},
    ],
)
def test_what_is_legal_but_unwise_is_a_warning(changes):
    found = pnb.problems(GOOD.replace(**changes))
    assert [problem.level for problem in found] == ["warning"]


@pytest.mark.parametrize(
    ("changes", "context", "told"),
    [
        ({}, RequestContext(recipe="aws-trending-now"), "do not work with the recipe aws-trending-now"),
        ({}, RequestContext(recipe="aws-similar-items", kind="users"), "aws-similar-items takes items"),
        (
            {"mode": "THEME_GENERATION", "item_name": "T"},
            RequestContext(recipe="aws-sims"),
            "need a solution version of aws-similar",
        ),
        (
            {"mode": "THEME_GENERATION", "item_name": "T"},
            RequestContext(region="eu-west-1"),
            "this session is in eu-west-1",
        ),
        (
            {"mode": "THEME_GENERATION", "item_name": "T"},
            RequestContext(records=101),
            "at most 100 items per file, got 101",
        ),
        ({}, RequestContext(records=50_000_001), "at most 50,000,000 records"),
        ({}, RequestContext(required_values=("G",), missing_values={}), r"filter needs values for \$G"),
        (
            {},
            RequestContext(required_values=("G",), missing_values={"G": 2}, records=9),
            r"2 of 9 records have no value",
        ),
    ],
)
def test_what_is_known_of_the_world_is_checked(changes, context, told):
    (problem,) = errors_of(pnb.problems(GOOD.replace(**changes), context))
    with pytest.raises(AssertionError, match=told):
        raise AssertionError(str(problem))


@needs_boto3("1.41.6")
def test_settings_of_another_recipe_are_told():
    request = GOOD.replace(exploration_weight=0.5, ranking_influence={"FRESHNESS": 0.5})
    assert fields(request, RequestContext(recipe="aws-sims")) == ["exploration_weight", "ranking_influence"]
    assert fields(request, RequestContext(recipe="aws-user-personalization")) == ["ranking_influence"]
    assert [one.field for one in errors_of(pnb.problems(request, RequestContext(recipe="aws-sims")))] == [
        "exploration_weight"
    ]


def test_a_ranking_has_no_number_of_results():
    known = RequestContext(recipe="aws-personalized-ranking")
    assert "num_results" in fields(GOOD.replace(num_results=2), known)
    assert "num_results" not in fields(GOOD.replace(num_results=None), known)
