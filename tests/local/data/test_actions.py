"""Data of Next-Best-Action: imported, put one by one, exported and deleted, though nothing is trained on them."""

from __future__ import annotations

import json

import inline_service
import pytest

ROLE, BUCKET = inline_service.ROLE, inline_service.BUCKET
SCHEMAS = {
    "Actions": {"ACTION_ID": "string", "GOAL": "string"},
    "Action_Interactions": {"USER_ID": "string", "ACTION_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"},
}


@pytest.fixture
def service(tmp_path):
    service = inline_service.InlineService(tmp_path)
    yield service
    service.close()


@pytest.fixture
def group(service):
    return service.made("create_dataset_group", name="g")


@pytest.fixture
def datasets(service, group):
    arns = {}
    for name, columns in SCHEMAS.items():
        fields = [{"name": column, "type": kind} for column, kind in columns.items()]
        fields[-1] |= {"categorical": True} if name == "Actions" else {}
        record = json.dumps({"type": "record", "name": name, "fields": fields})
        schema = service.made("create_schema", name=name, schema=record)
        arns[name] = service.made(
            "create_dataset", name=name, schemaArn=schema, datasetGroupArn=group, datasetType=name
        )
        assert arns[name].endswith(f"dataset/g/{name.upper()}")
    return arns


def exported(service, dataset, job, mode):
    output = {"s3DataDestination": {"path": f"s3://{BUCKET}/out/"}}
    service.made(
        "create_dataset_export_job",
        jobName=job,
        datasetArn=dataset,
        ingestionMode=mode,
        roleArn=ROLE,
        jobOutput=output,
    )
    header, *rows = service.read(f"out/{job}.csv").splitlines()
    return header, sorted(rows)


def test_actions_are_imported_put_and_exported(service, datasets):
    service.put("actions.csv", b"ACTION_ID,GOAL\na1,sell\na2,keep\n")
    source = {"dataLocation": f"s3://{BUCKET}/actions.csv"}
    service.made(
        "create_dataset_import_job", jobName="i", datasetArn=datasets["Actions"], dataSource=source, roleArn=ROLE
    )
    actions = [{"actionId": name, "properties": '{"goal": "ask"}'} for name in ("a2", "a3")]
    service.events.put_actions(datasetArn=datasets["Actions"], actions=actions)
    header = "ACTION_ID,GOAL"
    assert exported(service, datasets["Actions"], "bulk", "BULK") == (header, ["a1,sell", "a2,keep"])
    assert exported(service, datasets["Actions"], "put", "PUT") == (header, ["a2,ask", "a3,ask"])
    assert exported(service, datasets["Actions"], "all", "ALL") == (header, ["a1,sell", "a2,ask", "a3,ask"])


def test_what_users_did_with_actions_is_kept_until_they_are_forgotten(service, group, datasets):
    tracker = service.control.create_event_tracker(name="t", datasetGroupArn=group)["trackingId"]
    service.work()
    event = {"actionId": "a1", "eventType": "taken", "timestamp": 1_700_000_000}
    service.events.put_action_interactions(
        trackingId=tracker,
        actionInteractions=[
            event | {"sessionId": "s1", "userId": "u1"},
            event | {"sessionId": "s1", "actionId": "a2"},
            event | {"sessionId": "s2", "userId": "u2"},
            event | {"sessionId": "nobody's"},
        ],
    )
    arn, header = datasets["Action_Interactions"], ",".join(SCHEMAS["Action_Interactions"])
    of_u2 = "u2,a1,1700000000,taken"
    before = ["u1,a1,1700000000,taken", "u1,a2,1700000000,taken", of_u2]
    assert exported(service, arn, "before", "ALL") == (header, before)
    service.put("gone.csv", b"USER_ID\nu1\n")
    source = {"dataLocation": f"s3://{BUCKET}/gone.csv"}
    job = service.made("create_data_deletion_job", jobName="d", datasetGroupArn=group, dataSource=source, roleArn=ROLE)
    assert service.control.describe_data_deletion_job(dataDeletionJobArn=job)["dataDeletionJob"]["numDeleted"] == 2
    assert exported(service, arn, "after", "ALL") == (header, [of_u2])
