"""Workflows as in Amazon's own notebooks, to the end, on metadata as uneven as theirs: years that are no years.

A film catalogue whose YEAR is an int without null and holds blanks and ranges; a shop whose prices and ages are uneven
as well; and one made of a table in which a gap has turned whole numbers into 2006.0.
"""

from __future__ import annotations

import json
import logging

import pytest
from inline_service import BUCKET, ROLE, InlineService

ITEMS, USERS = 36, 40


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = InlineService(tmp_path_factory.mktemp("uneven"))
    yield service
    service.close()


def events():
    return [(f"u{n % USERS}", f"i{(n * 7 + n // USERS * n) % ITEMS}", 1_600_000_000 + n, "watch") for n in range(1400)]


def films():
    years = ["1994", "", "2006–2007", "2011", "I", "1999"]
    return [(f"i{n}", ("Drama|War", "Comedy", "Drama")[n % 3], years[n % 6], f"Film {n}") for n in range(ITEMS)]


def goods():
    prices = ["9.99", "", "on request", "12", "NaN", "1,99"]
    return [(f"i{n}", ("shoes", "hats")[n % 2], f'"{prices[n % 6]}"', f"Good {n}") for n in range(ITEMS)]


def gaps():
    return [(f"i{n}", ("Drama", "Comedy")[n % 2], "" if n % 5 == 0 else f"{1990 + n % 7}.0", "x") for n in range(ITEMS)]


def shoppers():
    return [(f"u{n}", ("27", "", "twenties", "41")[n % 4], ("F", "M")[n % 2]) for n in range(USERS)]


def dataset(service, group, name, kind, fields, rows):
    avro = json.dumps({"type": "record", "name": kind, "fields": fields, "version": "1.0"})
    schema = service.made("create_schema", name=f"{name}-{kind}", schema=avro)
    arn = service.made("create_dataset", name=kind, schemaArn=schema, datasetGroupArn=group, datasetType=kind)
    head = ",".join(field["name"] for field in fields)
    text = "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n"
    service.put(f"{name}/{kind}.csv", text.encode())
    source = {"dataLocation": f"s3://{BUCKET}/{name}/{kind}.csv"}
    job = service.made(
        "create_dataset_import_job", jobName=f"{name}-{kind}", datasetArn=arn, dataSource=source, roleArn=ROLE
    )
    found = service.control.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    assert found["status"] == "ACTIVE" and "failureReason" not in found
    return arn


def text_field(name, **marks):
    return {"name": name, "type": "string", **marks}


@pytest.mark.parametrize(
    ("name", "rows", "number", "missing", "good"),
    [
        ("films", films, {"name": "NUMBER", "type": "int"}, 18, {"i0", "i6"}),
        ("goods", goods, {"name": "NUMBER", "type": "float"}, 24, {"i3", "i9"}),
        ("gaps", gaps, {"name": "NUMBER", "type": "long"}, 8, {"i4", "i11"}),
    ],
)
def test_uneven_metadata_are_imported_trained_filtered_and_answered(service, caplog, name, rows, number, missing, good):
    group = service.made("create_dataset_group", name=name)
    ids = [text_field("USER_ID"), text_field("ITEM_ID"), {"name": "TIMESTAMP", "type": "long"}]
    dataset(service, group, name, "Interactions", [*ids, text_field("EVENT_TYPE")], events())
    with caplog.at_level(logging.WARNING, "personalize_nb"):
        columns = [text_field("ITEM_ID"), text_field("GENRES", categorical=True), number, text_field("TITLE")]
        items = dataset(service, group, name, "Items", columns, rows())
        people = [text_field("USER_ID"), {"name": "AGE", "type": "int"}, text_field("GENDER", categorical=True)]
        dataset(service, group, name, "Users", people, shoppers())
    assert f"{missing} cells of NUMBER in input CSV {name}/Items.csv are no numbers and count as missing" in caplog.text
    assert f"20 cells of AGE in input CSV {name}/Users.csv" in caplog.text
    # exports leave the cells empty, and what was exported can be imported again
    out = {"s3DataDestination": {"path": f"s3://{BUCKET}/{name}/out/"}}
    service.made(
        "create_dataset_export_job",
        jobName=f"{name}-out",
        datasetArn=items,
        ingestionMode="BULK",
        roleArn=ROLE,
        jobOutput=out,
    )
    exported = service.read(f"{name}/out/{name}-out.csv").splitlines()[1:]
    assert [line.split(",")[2] for line in exported].count("") == missing
    for recipe in ("aws-user-personalization", "aws-similar-items", "aws-item-attribute-affinity"):
        version = service.version(group, recipe, f"{name}-{recipe}")
        if recipe == "aws-user-personalization":
            check_batch_job(service, name, group, version, good)
            config = {"enableMetadataWithRecommendations": True}
            campaign = service.made(
                "create_campaign", name=name, solutionVersionArn=version, minProvisionedTPS=1, campaignConfig=config
            )
            answer = service.runtime.get_recommendations(
                campaignArn=campaign, userId="u1", numResults=ITEMS, metadataColumns={"ITEMS": ["NUMBER"]}
            )
            told = [item["itemId"] for item in answer["itemList"] if "NUMBER" in item["metadata"]]
            assert good <= set(told) and len(told) == len(answer["itemList"]) - missing
    for kind in ("campaign", "solution"):
        for one in getattr(service.control, f"list_{kind}s")()[f"{kind}s"]:
            getattr(service.control, f"delete_{kind}")(**{f"{kind}Arn": one[f"{kind}Arn"]})


def check_batch_job(service, name, group, version, good):
    """A filter on the number lets exactly the items with such a number pass."""
    known = service.made(
        "create_filter",
        name=f"{name}-known",
        datasetGroupArn=group,
        filterExpression="INCLUDE ItemID WHERE Items.NUMBER > 0",
    )
    service.put(f"{name}/in.json", b"".join(b'{"userId": "u%d"}\n' % n for n in range(3)))
    service.made(
        "create_batch_inference_job",
        jobName=name,
        solutionVersionArn=version,
        filterArn=known,
        numResults=ITEMS,
        roleArn=ROLE,
        jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/{name}/in.json"}},
        jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/{name}/answers/"}},
    )
    answers = [json.loads(line) for line in service.read(f"{name}/answers/in.json.out").splitlines()]
    assert [answer["input"]["userId"] for answer in answers] == ["u0", "u1", "u2"]
    for answer in answers:
        assert answer["error"] is None
        assert good <= set(answer["output"]["recommendedItems"])
    service.control.delete_filter(filterArn=known)
