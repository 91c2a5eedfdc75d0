"""What holds for every operation of the model alike: unknown ARNs, bad tokens, patterns, tags, pages, names taken."""

from __future__ import annotations

import pytest
from botocore import xform_name
from control_plane import ROLE
from every_kind import World

from personalize_nb.limits import service_model
from personalize_nb.local.operations import OPERATIONS
from personalize_nb.local.operations.quotas import QUOTAS, configured

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


def test_limits_may_be_raised(make_plane):
    plane = make_plane(quotas=configured({"PERSONALIZE_NB_QUOTAS": "dataset_group=7, schema=1"}))
    for number in range(7):
        plane.group(f"g{number}")
    assert plane.refused("create_dataset_group", name="g8")[0] == "LimitExceededException"
    assert configured({}) == QUOTAS
    for wrong in ("dataset_group", "dataset_group=many", "nothing=3"):
        with pytest.raises(ValueError, match="PERSONALIZE_NB_QUOTAS"):
            configured({"PERSONALIZE_NB_QUOTAS": wrong})


# every quota of the table ----------------------------------------------------------------------------------------


def one_more(plane, kind):
    """Return a function that makes the nth resource of a kind, with all it needs made before."""
    group = plane.group()
    client = plane.client
    source = {"dataLocation": "s3://data/rows.csv"}
    if kind == "dataset_group":
        return lambda n: client.create_dataset_group(name=f"n{n}")
    if kind == "event_tracker":
        return lambda n: client.create_event_tracker(name=f"n{n}", datasetGroupArn=group)
    if kind == "recommender":
        request = World(plane).request(kind)
        return lambda n: client.create_recommender(**request | {"name": f"r{n}"})
    dataset = plane.dataset(group)
    if kind == "schema":
        text = client.describe_schema(schemaArn=client.list_schemas()["schemas"][0]["schemaArn"])["schema"]["schema"]
        return lambda n: client.create_schema(name=f"n{n}", schema=text)
    if kind == "metric_attribution":
        metric = {"eventType": "a", "metricName": "b", "expression": "SAMPLECOUNT()"}
        request = {"datasetGroupArn": group, "metrics": [metric], "metricsOutputConfig": {"roleArn": ROLE}}
        return lambda n: client.create_metric_attribution(name=f"n{n}", **request)
    if kind == "dataset_export_job":
        request = {"datasetArn": dataset, "roleArn": ROLE, "jobOutput": TO_S3}
        return lambda n: client.create_dataset_export_job(jobName=f"n{n}", **request)
    if kind == "data_deletion_job":
        request = {"datasetGroupArn": group, "roleArn": ROLE, "dataSource": source}
        return lambda n: client.create_data_deletion_job(jobName=f"n{n}", **request)
    if kind == "dataset_import_job":
        # one import at a time for each dataset
        sets = [dataset] + [plane.dataset(group, record) for record in ("Items", "Users")]
        other = plane.group("other")
        sets += [plane.dataset(other, record) for record in ("Interactions", "Items", "Users")]
        return lambda n: client.create_dataset_import_job(
            jobName=f"n{n}", datasetArn=sets[n], dataSource=source, roleArn=ROLE
        )
    if kind == "filter":
        text = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("a")'
        return lambda n: client.create_filter(name=f"n{n}", datasetGroupArn=group, filterExpression=text)
    if kind == "solution":
        recipe = "arn:aws:personalize:::recipe/aws-sims"
        return lambda n: client.create_solution(name=f"n{n}", datasetGroupArn=group, recipeArn=recipe)
    recipe = "aws-item-affinity" if kind == "batch_segment_job" else "aws-user-personalization"
    solution = plane.solution(group, recipe)
    if kind == "solution_version":
        return lambda n: client.create_solution_version(solutionArn=solution)
    version = plane.version(solution)
    if kind == "campaign":
        return lambda n: client.create_campaign(name=f"n{n}", solutionVersionArn=version)
    create = getattr(client, f"create_{kind}")
    return lambda n: create(**plane.job(version, f"n{n}"))


def held(plane, kind):
    return plane.store.count(kind, statuses=QUOTAS[kind].statuses)


@pytest.mark.parametrize("kind", QUOTAS)
def test_every_quota_holds(make_plane, kind):
    limit = QUOTAS[kind].limit if kind != "schema" else 3
    plane = make_plane(quotas=configured({"PERSONALIZE_NB_QUOTAS": f"{kind}={limit}"}))
    make = one_more(plane, kind)
    for number in range(held(plane, kind), limit):
        make(number)
    with pytest.raises(plane.client.exceptions.LimitExceededException) as refusal:
        make(limit)
    text = refusal.value.response["Error"]["Message"]
    status = "PENDING or IN_PROGRESS status" if QUOTAS[kind].unfinished else "ACTIVE state"
    assert f"More than {limit} resources" in text and status in text
