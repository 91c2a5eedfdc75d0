"""Dataset groups, schemas, datasets and import jobs, through boto3."""

from __future__ import annotations

import contextlib
import json

import pytest
from control_plane import ROLE, avro
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.avro import check_schema

GROUP = "arn:aws:personalize:us-east-1:123456789012:dataset-group/books"


def test_a_group_walks_the_statuses_and_echoes_its_request(plane):
    made = plane.client.create_dataset_group(name="shop", domain="ECOMMERCE")
    assert made["domain"] == "ECOMMERCE"
    arn = made["datasetGroupArn"]
    assert arn == "arn:aws:personalize:us-east-1:123456789012:dataset-group/shop"
    assert plane.client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "CREATE PENDING"
    plane.work()
    group = plane.client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    assert group.keys() == {
        "name",
        "datasetGroupArn",
        "status",
        "domain",
        "creationDateTime",
        "lastUpdatedDateTime",
    }
    assert group["status"] == "ACTIVE"
    assert group["lastUpdatedDateTime"] > group["creationDateTime"]


def test_a_name_is_taken_and_free_again_after_deletion(plane):
    arn = plane.group()
    code, message = plane.refused("create_dataset_group", name="books")
    assert (code, arn in message) == ("ResourceAlreadyExistsException", True)
    plane.client.delete_dataset_group(datasetGroupArn=arn)
    assert plane.refused("describe_dataset_group", datasetGroupArn=arn)[0] == "ResourceNotFoundException"
    assert plane.refused("delete_dataset_group", datasetGroupArn=arn)[0] == "ResourceNotFoundException"
    assert plane.deleted == [arn]
    assert plane.group() == arn


def test_an_encrypted_group_needs_key_and_role(plane):
    key = "arn:aws:kms:us-east-1:123456789012:key/abc"
    assert plane.refused("create_dataset_group", name="a", kmsKeyArn=key)[0] == "InvalidInputException"
    arn = plane.group("a", kmsKeyArn=key, roleArn=ROLE)
    group = plane.client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
    assert (group["kmsKeyArn"], group["roleArn"]) == (key, ROLE)


def test_the_sixth_group_is_too_many(plane):
    for number in range(5):
        plane.group(f"g{number}")
    code, message = plane.refused("create_dataset_group", name="g5")
    assert code == "LimitExceededException"
    assert "More than 5 resources in ACTIVE state. Please delete some and try again." in message
    assert "PERSONALIZE_NB_QUOTAS=dataset_group=50" in message


def test_lists_are_paged_oldest_first(plane):
    names = [f"s{number:02}" for number in (7, 3, 9, 1, 5)]
    for name in names:
        plane.client.create_schema(name=name, schema=avro("Interactions"))
    pages = list(plane.client.get_paginator("list_schemas").paginate(PaginationConfig={"PageSize": 2}))
    assert [[schema["name"] for schema in page["schemas"]] for page in pages] == [names[:2], names[2:4], names[4:]]
    assert pages[0]["schemas"][0].keys() == {"name", "schemaArn", "creationDateTime", "lastUpdatedDateTime"}


def test_a_token_is_good_for_its_own_listing_only(plane):
    group = plane.group()
    for number in range(2):
        plane.client.create_schema(name=f"s{number}", schema=avro("Interactions"))
    token = plane.client.list_schemas(maxResults=1)["nextToken"]
    for operation, params in (
        ("list_dataset_groups", {"nextToken": token}),
        ("list_datasets", {"nextToken": token, "datasetGroupArn": group}),
        ("list_schemas", {"nextToken": "nonsense"}),
        ("list_recipes", {"nextToken": token}),
    ):
        assert plane.refused(operation, **params)[0] == "InvalidNextTokenException"


# schemas --------------------------------------------------------------------------------------------------------


def test_a_schema_is_echoed_to_the_letter(plane):
    text = avro("Items").replace(", ", ",\n   ")
    arn = plane.client.create_schema(name="items", schema=text)["schemaArn"]
    schema = plane.client.describe_schema(schemaArn=arn)["schema"]
    assert (schema["schema"], schema["name"]) == (text, "items")
    assert "status" not in schema
    assert plane.refused("create_schema", name="items", schema=text)[0] == "ResourceAlreadyExistsException"
    plane.client.delete_schema(schemaArn=arn)
    assert plane.refused("describe_schema", schemaArn=arn)[0] == "ResourceNotFoundException"


def interactions(*more, drop=()):
    fields = [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long")]
    return avro("Interactions", [field for field in fields if field[0] not in drop] + list(more))


def items(*more):
    return avro("Items", [("ITEM_ID", "string"), *more])


BAD_SCHEMAS = [
    ("{", "not JSON"),
    ("[" * 20_000, "not JSON"),
    ("[]", '"type": "record"'),
    (avro("Interactions", type="array"), '"type": "record"'),
    (avro("Interactions", []), '"fields"'),
    (avro("Clicks", [("USER_ID", "string")]), "'Clicks' matches no dataset type; legal: Interactions, Items"),
    (interactions(drop=["TIMESTAMP"]), "required field TIMESTAMP of type long is missing"),
    (interactions(("TIMESTAMP", "int"), drop=["TIMESTAMP"]), "TIMESTAMP must have type long, got int"),
    (interactions(("USER_ID", ["null", "string"]), drop=["USER_ID"]), "USER_ID cannot be null"),
    (interactions(("EVENT_VALUE", "string")), "EVENT_VALUE must have type float or double, got string"),
    (
        interactions({"name": "EVENT_TYPE", "type": "string", "categorical": True}),
        "reserved field EVENT_TYPE cannot be categorical",
    ),
    (interactions(*[(f"M{number}", "int") for number in range(6)]), "6 metadata fields; at most 5"),
    (interactions({"name": "T", "type": "string", "textual": True}), "only Items schemas"),
    (interactions(("A B", "string")), "field name 'A B' is not legal"),
    (interactions(("A", "bytes")), "type 'bytes'; legal: boolean, double, float, int, long, string"),
    (interactions(("A", ["int", "string"])), "legal: boolean"),
    (interactions(("A", {"type": "array", "items": "string"})), "legal: boolean"),
    (interactions(("GENRES_1", "int"), ("GENRES1", "int")), "GENRES_1 and GENRES1 have the same name"),
    (interactions({"name": "A", "type": "int", "categorical": True}), "categorical, which needs type string"),
    (items(("TITLE", "string")), "at least one metadata field"),
    (
        items(*[{"name": name, "type": "string", "textual": True} for name in ("A", "B")]),
        "Only one field can be textual, got A, B",
    ),
]


@pytest.mark.parametrize(("text", "reason"), BAD_SCHEMAS)
def test_a_schema_that_no_dataset_could_use_is_refused(plane, text, reason):
    code, message = plane.refused("create_schema", name="s", schema=text)
    assert code == "InvalidInputException"
    assert reason in message
    assert plane.client.list_schemas()["schemas"] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["record", "Items", "ITEM_ID", "string", "null", "A"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "fields", "categorical", "textual"]), inner, max_size=5)
    ),
    max_leaves=8,
)


def test_no_schema_can_upset_the_service():
    @settings(max_examples=300)
    @given(JSON, st.lists(JSON, max_size=3))
    def check(document, fields):
        for text in (json.dumps(document), avro("Items", [("ITEM_ID", "string"), *fields])):
            with contextlib.suppress(ApiError):
                check_schema(text)

    check()


GOOD_SCHEMAS = [
    interactions(
        ("EVENT_VALUE", ["float", "null"]), ("IMPRESSION", ["null", "string"]), ("RECOMMENDATION_ID", "string")
    ),
    items(("CREATION_TIMESTAMP", "long")),
    items({"name": "GENRES", "type": ["null", "string"], "categorical": True}, ("TITLE", "string")),
    avro("users", [("USER_ID", "string"), ("PREMIUM", "boolean")]),
]


@pytest.mark.parametrize("text", GOOD_SCHEMAS)
def test_schemas_of_the_guide_are_accepted(plane, text):
    plane.client.create_schema(name="s", schema=text)


def test_a_domain_asks_for_its_own_fields(plane):
    code, message = plane.refused("create_schema", name="s", schema=interactions(), domain="ECOMMERCE")
    assert (code, "EVENT_TYPE" in message) == ("InvalidInputException", True)
    arn = plane.client.create_schema(name="s", schema=avro("Interactions"), domain="ECOMMERCE")["schemaArn"]
    assert plane.client.describe_schema(schemaArn=arn)["schema"]["domain"] == "ECOMMERCE"
    group = plane.group()
    code, message = plane.refused(
        "create_dataset", name="d", schemaArn=arn, datasetGroupArn=group, datasetType="Interactions"
    )
    assert (code, "domain 'ECOMMERCE'" in message) == ("InvalidInputException", True)


# datasets -------------------------------------------------------------------------------------------------------


def test_a_dataset_is_named_by_its_type_in_upper_case(plane):
    group = plane.group()
    arn = plane.dataset(group, "Interactions")
    assert arn == "arn:aws:personalize:us-east-1:123456789012:dataset/books/INTERACTIONS"
    dataset = plane.client.describe_dataset(datasetArn=arn)["dataset"]
    assert (dataset["datasetType"], dataset["status"], dataset["datasetGroupArn"]) == ("INTERACTIONS", "ACTIVE", group)
    listed = plane.client.list_datasets(datasetGroupArn=group)["datasets"]
    assert listed == [{key: dataset[key] for key in listed[0]}]
    assert plane.client.list_datasets(datasetGroupArn=GROUP.replace("books", "other"))["datasets"] == []


def test_a_group_has_one_dataset_of_each_type(plane):
    group = plane.group()
    plane.dataset(group)
    schema = plane.client.list_schemas()["schemas"][0]["schemaArn"]
    again = {"name": "other", "schemaArn": schema, "datasetGroupArn": group, "datasetType": "INTERACTIONS"}
    assert plane.refused("create_dataset", **again)[0] == "ResourceAlreadyExistsException"
    assert plane.refused("create_dataset", **again | {"datasetType": "Items"})[0] == "InvalidInputException"
    code, message = plane.refused("create_dataset", **again | {"datasetType": "Clicks"})
    assert (code, "Interactions, Items, Users" in message) == ("InvalidInputException", True)
    missing = {"schemaArn": schema + "x"}
    assert plane.refused("create_dataset", **again | missing)[0] == "ResourceNotFoundException"


def test_a_dataset_needs_an_active_group(plane):
    group = plane.group(work=False)
    schema = plane.client.create_schema(name="s", schema=avro("Users"))["schemaArn"]
    params = {"name": "d", "schemaArn": schema, "datasetGroupArn": group, "datasetType": "users"}
    code, message = plane.refused("create_dataset", **params)
    assert (code, "CREATE PENDING" in message) == ("ResourceInUseException", True)
    plane.work()
    assert plane.client.create_dataset(**params)["datasetArn"].endswith("dataset/books/USERS")


def test_things_are_deleted_from_the_leaves(plane):
    group = plane.group()
    dataset = plane.dataset(group)
    job = plane.imported(dataset, work=False)
    schema = plane.client.describe_dataset(datasetArn=dataset)["dataset"]["schemaArn"]
    for operation, params, holder in (
        ("delete_schema", {"schemaArn": schema}, dataset),
        ("delete_dataset_group", {"datasetGroupArn": group}, dataset),
        ("delete_dataset", {"datasetArn": dataset}, job),
    ):
        code, message = plane.refused(operation, **params)
        assert (code, holder in message) == ("ResourceInUseException", True)
    plane.work()
    plane.client.delete_dataset(datasetArn=dataset)
    assert plane.refused("describe_dataset_import_job", datasetImportJobArn=job)[0] == "ResourceNotFoundException"
    plane.client.delete_schema(schemaArn=schema)
    plane.client.delete_dataset_group(datasetGroupArn=group)
    assert plane.deleted == [job, dataset, schema, group]


# import jobs ----------------------------------------------------------------------------------------------------


def test_an_import_job_is_echoed_and_keeps_the_facts_for_its_worker(plane):
    dataset = plane.dataset(plane.group())
    arn = plane.imported(dataset, "first", tags=[{"tagKey": "k", "tagValue": "v"}])
    job = plane.client.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"]
    assert job["dataSource"] == {"dataLocation": "s3://data/rows.csv"}
    assert (job["importMode"], job["roleArn"], job["status"]) == ("FULL", ROLE, "ACTIVE")
    facts = plane.store[arn].facts
    assert (facts.group, facts.type, facts.schema) == ("books", "INTERACTIONS", avro("Interactions"))
    [listed] = plane.client.list_dataset_import_jobs(datasetArn=dataset)["datasetImportJobs"]
    assert listed["jobName"] == "first"
    assert "dataSource" not in listed


def test_an_import_is_refused_when_there_is_nothing_to_read(plane):
    dataset = plane.dataset(plane.group())
    for location, detail in (
        ("s3://nowhere/rows.csv", "no bucket 'nowhere'"),
        ("s3://data/missing.csv", "no object whose key begins with 'missing.csv'"),
        ("https://data/rows.csv", "not of the form s3://"),
    ):
        code, message = plane.refused(
            "create_dataset_import_job",
            jobName="j",
            datasetArn=dataset,
            dataSource={"dataLocation": location},
            roleArn=ROLE,
        )
        assert code == "InvalidInputException"
        assert message.startswith("Invalid Data location. ")
        assert detail in message
    code, message = plane.refused(
        "create_dataset_import_job", jobName="j", datasetArn=dataset, dataSource={}, roleArn=ROLE
    )
    assert (code, "dataLocation" in message) == ("InvalidInputException", True)
    assert plane.client.list_dataset_import_jobs()["datasetImportJobs"] == []


def test_incremental_imports_need_a_full_one_and_run_one_at_a_time(plane):
    dataset = plane.dataset(plane.group())
    request = {
        "datasetArn": dataset,
        "dataSource": {"dataLocation": "s3://data/rows.csv"},
        "roleArn": ROLE,
        "importMode": "INCREMENTAL",
    }
    assert plane.refused("create_dataset_import_job", jobName="a", **request)[0] == "InvalidInputException"
    plane.imported(dataset, "full", work=False)
    assert plane.refused("create_dataset_import_job", jobName="a", **request)[0] == "ResourceInUseException"
    plane.work()
    assert plane.refused("create_dataset_import_job", jobName="full", **request)[0] == "ResourceAlreadyExistsException"
    plane.imported(dataset, "a", importMode="INCREMENTAL")


def test_only_five_imports_at_a_time(plane):
    datasets = [plane.dataset(plane.group(f"g{number}")) for number in range(3)]
    datasets += [plane.dataset(f"{plane.control.arn('dataset-group/g')}{number}", "Users") for number in range(3)]
    for number, dataset in enumerate(datasets[:5]):
        plane.imported(dataset, f"j{number}", work=False)
    code, message = plane.refused(
        "create_dataset_import_job",
        jobName="j5",
        datasetArn=datasets[5],
        dataSource={"dataLocation": "s3://data/rows.csv"},
        roleArn=ROLE,
    )
    assert code == "LimitExceededException"
    assert message.endswith("More than 5 resources with PENDING or IN_PROGRESS status.")
    plane.work()
    plane.imported(datasets[5], "j5")


def test_a_failed_import_says_why(plane):
    dataset = plane.dataset(plane.group())
    arn = plane.imported(dataset, work=False)
    plane.work("CREATE FAILED", "Input CSV is missing the following columns:[ITEM_ID].")
    job = plane.client.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"]
    assert (job["status"], job["failureReason"][:9]) == ("CREATE FAILED", "Input CSV")
    [listed] = plane.client.list_dataset_import_jobs()["datasetImportJobs"]
    assert listed["failureReason"] == job["failureReason"]
