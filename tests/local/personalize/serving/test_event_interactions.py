"""Deleting what an event tracker made deletes the events that were put, and nothing else of the group."""

from __future__ import annotations

import time

import pytest
from control_plane import avro


@pytest.fixture
def active(personalize, until):
    def wait(kind, arn):
        def look():
            member = kind.title().replace("_", "")
            found = getattr(personalize, f"describe_{kind}")(**{f"{member[0].lower()}{member[1:]}Arn": arn})
            [described] = [value for key, value in found.items() if key != "ResponseMetadata"]
            return described["status"] == "ACTIVE"

        until(look, f"{arn} ACTIVE")
        return arn

    return wait


def test_the_events_go_with_the_dataset(personalize, s3, client, local_service, active, until):
    group = active("dataset_group", personalize.create_dataset_group(name="clicked")["datasetGroupArn"])
    schema = personalize.create_schema(name="clicked", schema=avro("Interactions"))["schemaArn"]
    dataset = personalize.create_dataset(
        name="clicked", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions"
    )["datasetArn"]
    active("dataset", dataset)
    tracker = personalize.create_event_tracker(name="clicked", datasetGroupArn=group)
    active("event_tracker", tracker["eventTrackerArn"])
    made = active("dataset", dataset.replace("/INTERACTIONS", "/EVENT_INTERACTIONS"))
    [bucket] = [one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"].startswith("personalize-nb-")]

    def put(item):
        event = {"eventType": "view", "itemId": item, "sentAt": time.time()}
        client("personalize-events").put_events(
            trackingId=tracker["trackingId"], userId="u", sessionId="s", eventList=[event]
        )

    def exported(name):
        job = personalize.create_dataset_export_job(
            jobName=name,
            datasetArn=dataset,
            ingestionMode="PUT",
            roleArn=f"arn:aws:iam::{local_service.account}:role/PersonalizeNbLocal",
            jobOutput={"s3DataDestination": {"path": f"s3://{bucket}/clicked/"}},
        )["datasetExportJobArn"]
        active("dataset_export_job", job)
        lines = s3.get_object(Bucket=bucket, Key=f"clicked/{name}.csv")["Body"].read().decode().splitlines()
        return [line.split(",")[1] for line in lines[1:]]

    put("i1")
    assert exported("before") == ["i1"]
    personalize.delete_dataset(datasetArn=made)
    put("i2")
    assert exported("after") == ["i2"]
    personalize.delete_event_tracker(eventTrackerArn=tracker["eventTrackerArn"])
    personalize.delete_dataset(datasetArn=dataset)
    personalize.delete_dataset_group(datasetGroupArn=group)
