"""What holds for every operation of the model alike: unknown ARNs, bad tokens, patterns, tags, pages, names taken."""

from __future__ import annotations

import pytest
from botocore import xform_name
from control_plane import ROLE

from personalize_nb.contract.limits import service_model
from personalize_nb.local.personalize.operations.all_operations import OPERATIONS

MODEL = service_model()
NAMES = sorted(OPERATIONS)
UNKNOWN = "arn:aws:personalize:us-east-1:123456789012:nothing/here"
S3 = {"s3DataSource": {"path": "s3://data/in.json"}}
TO_S3 = {"s3DataDestination": {"path": "s3://data/out/"}}

# members that a call needs beside ARNs
FILLED = {
    "name": "fine",
    "jobName": "fine",
    "roleArn": ROLE,
    "jobInput": S3,
    "jobOutput": TO_S3,
    "dataSource": {"dataLocation": "s3://data/rows.csv"},
    "schema": "{}",
    "datasetType": "Items",
    "filterExpression": "EXCLUDE ItemID WHERE Items.PRICE > 1",
    "metrics": [],
    "metricsOutputConfig": {"roleArn": ROLE},
    "recommenderConfig": {},
    "tags": [],
    "tagKeys": ["a"],
}


def shape(name):
    return MODEL.operation_model(name).input_shape


def request(name):
    """Return a request of the smallest legal form whose ARNs lead nowhere."""
    needed = shape(name).required_members
    if name == "UpdateMetricAttribution":
        needed = ["metricAttributionArn"]
    return {member: FILLED.get(member, UNKNOWN) for member in needed}


def errors(name):
    return {error.name for error in MODEL.operation_model(name).error_shapes}


@pytest.mark.parametrize("name", [name for name in NAMES if "ResourceNotFoundException" in errors(name)])
def test_an_unknown_arn_is_not_found(plane, name):
    params = {"solutionArn": UNKNOWN} if name in ("ListSolutionVersions",) else request(name)
    code, message = plane.refused(xform_name(name), **params)
    assert code == "ResourceNotFoundException"
    assert UNKNOWN in message


LISTS = [name for name in NAMES if name.startswith("List") and "nextToken" in shape(name).members]


@pytest.mark.parametrize("name", LISTS)
def test_a_token_of_nowhere_is_refused(plane, name):
    assert plane.refused(xform_name(name), nextToken="bm90aGluZw==")[0] == "InvalidNextTokenException"
    assert plane.refused(xform_name(name), nextToken="é")[0] == "InvalidInputException"
    for size in (0, 101):
        if size:
            assert plane.refused(xform_name(name), maxResults=size)[0] == "InvalidInputException"


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_is_an_answer(plane, name):
    found = getattr(plane.client, xform_name(name))()
    [values] = [value for key, value in found.items() if key != "ResponseMetadata"]
    assert isinstance(values, list) and bool(values) == (name == "ListRecipes")


@pytest.mark.parametrize("name", [name for name in NAMES if {"name", "jobName"} & set(shape(name).required_members)])
def test_names_follow_the_pattern_in_full(plane, name):
    member = "name" if "name" in shape(name).members else "jobName"
    for bad in ("a b", "-a", "a" * 64, "a/b", "ä"):
        code, message = plane.refused(xform_name(name), **request(name) | {member: bad})
        assert code == "InvalidInputException" and f"'{member}'" in message


@pytest.mark.parametrize("name", [name for name in NAMES if "tags" in shape(name).members])
def test_tags_are_checked_before_anything_is_made(plane, name):
    too_many = [{"tagKey": f"k{number}", "tagValue": ""} for number in range(201)]
    assert plane.refused(xform_name(name), **request(name) | {"tags": too_many})[0] == "InvalidInputException"
    wrong = [{"tagKey": "what?", "tagValue": ""}]
    assert plane.refused(xform_name(name), **request(name) | {"tags": wrong})[0] == "InvalidInputException"


@pytest.mark.parametrize("name", [name for name in NAMES if any("Arn" in member for member in shape(name).members)])
def test_arns_follow_the_pattern(plane, name):
    arns = [member for member in shape(name).required_members if member.endswith("Arn") and member != "roleArn"]
    for member in arns:
        for bad in ("nothing", "arn:aws:s3:::bucket", "arn:aws:personalize:::" + "x" * 250):
            code, message = plane.refused(xform_name(name), **request(name) | {member: bad})
            assert code == "InvalidInputException" and f"'{member}'" in message
