"""The JSON 1.1 protocol: requests that botocore lets through and AWS does not, unknown operations, raw answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.contract.limits import service_model
from personalize_nb.local.personalize.json_protocol import answer
from personalize_nb.local.personalize.operations import all_operations
from personalize_nb.local.personalize.operations.all_operations import OPERATIONS


def call(plane, operation, params, prefix="AmazonPersonalize."):
    body = params if isinstance(params, bytes) else json.dumps(params).encode()
    status, headers, content = answer(plane.control, prefix + operation, body)
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert headers["x-amzn-RequestId"]
    return status, json.loads(content) if content else None


def refusal(plane, operation, params, **more):
    status, content = call(plane, operation, params, **more)
    assert status == 400
    return content["__type"], content["message"]


def test_every_operation_is_one_of_the_model():
    assert set(OPERATIONS) <= set(service_model().operation_names)
    registered = {function.__module__ for function in OPERATIONS.values()}
    assert registered == {module.__name__ for module in all_operations.MODULES}


def test_an_operation_of_the_model_that_is_not_served_is_named(plane):
    for name in set(service_model().operation_names) - set(OPERATIONS):
        code, message = refusal(plane, name, {})
        assert (code, name in message) == ("UnsupportedOperationException", True)


RANKING = b'{"batchInferenceJobConfig": {"rankingInfluence": {"POPULARITY": %s}}}'

RAW = [
    ("UnknownOperationException", "CreateMagic", {}),
    ("SerializationException", "CreateDatasetGroup", b"{not json"),
    ("SerializationException", "CreateDatasetGroup", b"[]"),
    ("SerializationException", "CreateDatasetGroup", b'{"name": NaN}'),
    ("SerializationException", "CreateDatasetGroup", {"name": 5}),
    ("SerializationException", "CreateDatasetGroup", b"[" * 100_000),
    ("SerializationException", "CreateDatasetGroup", b'{"name": "\\ud800"}'),
    ("SerializationException", "CreateDatasetGroup", b'{"name": "\xff"}'),
    ("SerializationException", "CreateBatchInferenceJob", {"numResults": 2**31}),
    ("SerializationException", "CreateBatchInferenceJob", RANKING % b"1e400"),
    ("SerializationException", "ListSchemas", {"maxResults": True}),
    ("SerializationException", "ListSchemas", {"maxResults": 1.5}),
    ("InvalidInputException", "CreateDatasetGroup", {"name": None}),
    ("InvalidInputException", "CreateDatasetGroup", {"name": "a", "colour": "red"}),
]


@pytest.mark.parametrize(("code", "operation", "params"), RAW)
def test_raw_requests_are_refused_with_a_reason(plane, code, operation, params):
    found, message = refusal(plane, operation, params)
    assert (found, bool(message)) == (code, True)


def test_a_target_of_another_service_is_unknown(plane):
    code, message = refusal(plane, "ListSchemas", {}, prefix="AmazonForecast.")
    assert (code, "AmazonForecast.ListSchemas" in message) == ("UnknownOperationException", True)


SENT_BY_BOTOCORE = [
    ("create_dataset_group", {"name": "x" * 64}, "less than or equal to 63"),
    ("create_dataset_group", {"name": "a b"}, "regular expression pattern"),
    ("create_dataset_group", {"name": "a\n"}, "regular expression pattern"),
    ("create_dataset_group", {"name": "a", "domain": "TRAVEL"}, "enum value set: [ECOMMERCE, VIDEO_ON_DEMAND]"),
    ("list_schemas", {"maxResults": 101}, "value less than or equal to 100"),
    ("describe_schema", {"schemaArn": "schema/a"}, "regular expression pattern"),
    ("list_schemas", {"nextToken": "é"}, "regular expression pattern"),
    (
        "create_dataset_group",
        {"name": "a", "tags": [{"tagKey": f"k{number}", "tagValue": ""} for number in range(201)]},
        "less than or equal to 200",
    ),
]


@pytest.mark.parametrize(("operation", "params", "text"), SENT_BY_BOTOCORE)
def test_what_botocore_does_not_check_is_checked_here(plane, operation, params, text):
    code, message = plane.refused(operation, **params)
    assert code == "InvalidInputException"
    assert text in message


def test_all_problems_are_named_at_once(plane):
    job = plane.job("arn:wrong", name="a b", numResults=5, batchInferenceJobMode="MAGIC")
    job["jobInput"]["s3DataSource"]["path"] = "ftp://x"
    job["batchInferenceJobConfig"] = {"rankingInfluence": {"POPULARITY": 2.0, "PRICE": 0.1}}
    code, message = plane.refused("create_batch_inference_job", **job)
    assert code == "InvalidInputException"
    assert message.startswith("6 validation errors detected: ")
    for path in ("jobName", "solutionVersionArn", "jobInput.s3DataSource.path", "batchInferenceJobMode"):
        assert f"at '{path}'" in message
    assert "Value '2.0' at 'batchInferenceJobConfig.rankingInfluence.POPULARITY.member'" in message
    assert "'PRICE'" in message


def test_a_sensitive_value_is_not_repeated(plane):
    params = {
        "name": "f",
        "datasetGroupArn": "arn:aws:personalize:us-east-1:123456789012:dataset-group/a",
        "filterExpression": "secret" * 500,
    }
    code, message = plane.refused("create_filter", **params)
    assert (code, "secret" in message) == ("InvalidInputException", False)


def test_an_answer_is_compact_and_its_dates_have_milliseconds(plane):
    plane.group()
    _, content = call(plane, "ListDatasetGroups", {})
    assert content["datasetGroups"][0]["creationDateTime"] == round(content["datasetGroups"][0]["creationDateTime"], 3)
    status, headers, body = answer(plane.control, "AmazonPersonalize.CreateSchema", b"{}")
    assert b'": ' not in body.split(b'"message"')[0]


def test_an_unexpected_error_is_no_traceback_for_the_caller(plane, monkeypatch, caplog):
    monkeypatch.setitem(OPERATIONS, "ListSchemas", lambda control, params: 1 / 0)
    status, content = call(plane, "ListSchemas", {})
    assert (status, content["__type"]) == (500, "InternalFailure")
    assert "ZeroDivisionError" in caplog.text


def test_a_path_of_another_service_is_refused_by_name(plane, road):
    import boto3

    runtime = boto3.client(
        "personalize-runtime",
        endpoint_url=road["client"].meta.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="AKIDTEST",
        aws_secret_access_key="secret",
    )
    with pytest.raises(runtime.exceptions.ClientError, match="/recommendations is not served here"):
        runtime.get_recommendations(userId="1")
    runtime.close()


TEXTS = st.sampled_from(
    ["a", "", "s3://data/in.json", "0.5", "é", "{}", "Interactions", "FULL", "x" * 300]
) | st.builds(
    "arn:aws:personalize:us-east-1:123456789012:{}/{}".format,
    st.sampled_from(["dataset-group", "solution", "schema", "filter", "batch-inference-job"]),
    st.sampled_from(["books", "taste", "a/b"]),
)
SCALARS = st.none() | st.booleans() | st.integers(-2, 200) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS


def values_for(shape, depth=0):
    """Return values of a shape, mostly of the right type and often not legal."""
    if shape.type_name == "structure" and depth < 4:
        legal = st.fixed_dictionaries(
            {name: values_for(shape.members[name], depth + 1) for name in shape.required_members},
            optional={
                name: values_for(member, depth + 1)
                for name, member in shape.members.items()
                if name not in shape.required_members
            },
        )
    elif shape.type_name == "list" and depth < 4:
        legal = st.lists(values_for(shape.member, depth + 1), max_size=3)
    elif shape.type_name == "map" and depth < 4:
        legal = st.dictionaries(TEXTS, values_for(shape.value, depth + 1), max_size=3)
    elif shape.type_name == "string":
        legal = TEXTS | st.sampled_from(shape.enum or ["a"])
    else:
        legal = SCALARS
    return legal


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_no_request_can_upset_the_service(plane, operation):
    plane.trained(records=("Interactions", "Items"))
    shape = service_model().operation_model(operation).input_shape

    @settings(max_examples=25)
    @given(values_for(shape) | SCALARS)
    def send(params):
        status, content = call(plane, operation, params)
        assert status in (200, 400), content

    send()
