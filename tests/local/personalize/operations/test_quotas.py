"""Every documented quota: on resources, each at its own number, and on what a request or a schema may hold.

The quotas on files, lines and values of batch jobs are in test_batch, test_batch_formats and test_segments; those of
real-time requests in test_realtime; those of imports and trainings in test_datasets, test_considered and
test_recipes_users.
"""

from __future__ import annotations

import pytest
from control_plane import ROLE, avro
from every_kind import TO_S3, World

from personalize_nb.local.state.quotas import DATA_QUOTAS, QUOTAS, configured, configured_data


def test_limits_may_be_raised(make_plane):
    plane = make_plane(quotas=configured({"PERSONALIZE_NB_QUOTAS": "dataset_group=7, schema=1"}))
    for number in range(7):
        plane.group(f"g{number}")
    assert plane.refused("create_dataset_group", name="g8")[0] == "LimitExceededException"
    assert configured({}) == QUOTAS
    both = {"PERSONALIZE_NB_QUOTAS": "schema=1,items_considered=9"}
    assert configured(both)["schema"].limit == 1
    assert configured_data(both) == DATA_QUOTAS | {"items_considered": 9}
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
    noun = "an event tracker" if kind == "event_tracker" else f"a {kind.replace('_', ' ')}"
    assert text.startswith(f"Cannot create {noun}. More than {limit} resources") and status in text


# what one request may hold -----------------------------------------------------------------------------------------


def fields(record, key, number):
    """Return the schema of a dataset type with so many metadata fields."""
    return avro(record, [*key, *[(f"M{each}", "int") for each in range(number)]])


IDS = {
    "Interactions": [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long")],
    "Items": [("ITEM_ID", "string")],
    "Users": [("USER_ID", "string")],
}


@pytest.mark.parametrize(("record", "most"), [("Interactions", 5), ("Items", 100), ("Users", 25)])
def test_a_schema_has_so_many_metadata_fields(plane, record, most):
    plane.client.create_schema(name="fits", schema=fields(record, IDS[record], most))
    code, message = plane.refused("create_schema", name="wide", schema=fields(record, IDS[record], most + 1))
    assert code == "InvalidInputException"
    assert f"{most + 1} metadata fields; at most {most}" in message


def test_filters_use_ten_fields_each_and_twenty_together(plane):
    group = plane.group()
    plane.dataset(group, "Items", fields("Items", IDS["Items"], 30))

    def request(name, columns):
        conditions = " AND ".join(f"Items.M{column} > 1" for column in columns)
        return {"name": name, "datasetGroupArn": group, "filterExpression": f"EXCLUDE ItemID WHERE {conditions}"}

    code, message = plane.refused("create_filter", **request("wide", range(11)))
    assert code == "InvalidInputException" and "11 distinct fields; a filter can use at most 10" in message
    plane.client.create_filter(**request("first", range(10)))
    plane.client.create_filter(**request("second", range(10, 20)))
    plane.client.create_filter(**request("third", range(5, 15)))
    code, message = plane.refused("create_filter", **request("fourth", [20]))
    assert code == "LimitExceededException"
    assert "can use 20 distinct fields; with this one they would use 21" in message
    elsewhere = plane.group("elsewhere")
    plane.dataset(elsewhere, "Items", fields("Items", IDS["Items"], 30))
    plane.client.create_filter(**request("fifth", [20]) | {"datasetGroupArn": elsewhere})


def test_texts_have_their_longest(plane):
    group = World(plane).with_data()
    text = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("a")'
    request = {"name": "f", "datasetGroupArn": group}
    for longer, good in ((2500 - len(text), True), (2501 - len(text), False)):
        expression = text.replace("WHERE", "WHERE" + " " * longer)
        if good:
            plane.client.create_filter(**request, filterExpression=expression)
        else:
            code, message = plane.refused("create_filter", **request, filterExpression=expression)
            assert code == "InvalidInputException" and "less than or equal to 2500" in message
    schema = avro("Interactions")
    code, message = plane.refused("create_schema", name="s", schema=schema + " " * (20_001 - len(schema)))
    assert code == "InvalidInputException" and "less than or equal to 20000" in message
    plane.client.create_schema(name="s", schema=schema + " " * (20_000 - len(schema)))


def test_a_resource_has_fifty_tags(plane):
    many = [{"tagKey": f"k{number}", "tagValue": ""} for number in range(50)]
    arn = plane.group(tags=many)
    code, _ = plane.refused("tag_resource", resourceArn=arn, tags=[{"tagKey": "one more", "tagValue": ""}])
    assert code == "TooManyTagsException"
    plane.client.tag_resource(resourceArn=arn, tags=[{"tagKey": "k1", "tagValue": "changed"}])
    assert len(plane.client.list_tags_for_resource(resourceArn=arn)["tags"]) == 50
