"""The dataset that an event tracker makes is described and deleted; other calls are told so."""

from __future__ import annotations

from control_plane import ROLE


def test_what_a_tracker_made_says_what_it_is_for(plane):
    group = plane.group()
    interactions = plane.dataset(group)
    plane.client.create_event_tracker(name="clicks", datasetGroupArn=group)
    plane.work()
    arn = interactions.replace("/INTERACTIONS", "/EVENT_INTERACTIONS")
    schema = plane.client.describe_dataset(datasetArn=interactions)["dataset"]["schemaArn"]
    calls = {
        "update_dataset": {"schemaArn": schema},
        "create_dataset_import_job": {
            "jobName": "in",
            "dataSource": {"dataLocation": "s3://data/rows.csv"},
            "roleArn": ROLE,
        },
        "create_dataset_export_job": {
            "jobName": "out",
            "jobOutput": {"s3DataDestination": {"path": "s3://data/out/"}},
            "roleArn": ROLE,
        },
    }
    for name, params in calls.items():
        code, message = plane.refused(name, datasetArn=arn, **params)[:2]
        assert code == "InvalidInputException"
        for part in (arn, "DescribeDataset and DeleteDataset", "PutEvents", interactions):
            assert part in message
    assert plane.client.describe_dataset(datasetArn=arn)["dataset"]["status"] == "ACTIVE"
