"""A control plane without workers and short ways to make what a test needs; the test says when work ends."""

from __future__ import annotations

import itertools
import json

import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from personalize_nb.contract.limits import ACTIVE, IN_PROGRESS, service_model
from personalize_nb.local.personalize import updates
from personalize_nb.local.personalize.operations.control import Control
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state.facts import Changes
from personalize_nb.local.state.lifecycle import DURING
from personalize_nb.local.state.store import Store

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/PersonalizeNbLocal"

FIELDS = {
    "Interactions": [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string")],
    "Items": [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TITLE", "type": "string", "itemName": True},
        {"name": "GENRES", "type": ["null", "string"], "categorical": True},
        {"name": "DESCRIPTION", "type": "string", "textual": True},
    ],
    "Users": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}],
}


def avro(record, fields=None, **more):
    """Return the text of a schema."""
    columns = FIELDS[record] if fields is None else fields
    columns = [{"name": c[0], "type": c[1]} if isinstance(c, tuple) else c for c in columns]
    space = "com.amazonaws.personalize.schema"
    return json.dumps(
        {"type": "record", "name": record, "namespace": space, "fields": columns, "version": "1.0"} | more
    )


def check_answer(operation, body):
    """Every answer fits the model, without members of its own, and is compact."""
    answer = json.loads(body)
    report = ParamValidator().validate(answer, service_model().operation_model(operation).output_shape)
    assert not report.has_errors(), report.generate_report()
    assert json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode() == body


class Plane:
    """A control plane, its client, and short ways to make what a test needs."""

    def __init__(self, folder, road, **settings):
        ticks = itertools.count(1_700_000_000)
        self.store = Store(folder / "state.sqlite", clock=lambda: next(ticks) + 0.12345)
        self.objects = ObjectStore(folder / "objects")
        self.deleted = []
        settings = {"region": REGION, "on_delete": lambda resource: self.deleted.append(resource.arn)} | settings
        self.control = road["control"] = Control(self.store, self.objects, ACCOUNT, **settings)
        self.client = road["client"]
        self.objects.create_bucket("data", REGION)
        self.objects.put("data", "in.json", b'{"userId": "1"}\n')
        self.objects.put("data", "rows.csv", b"USER_ID\n")

    def close(self):
        self.store.close()
        self.objects.close()

    def work(self, status=ACTIVE, reason=None, changes=None):
        """Let all waiting work end."""
        while (work := self.store.claim(1)) is not None:
            if work.kind in updates.KINDS and reason is None:
                updates.advance(self.store, work, lambda resource: changes)
            elif work.kind in updates.KINDS:
                updates.fail(self.store, work.arn, reason)
            else:
                during, after = DURING.get(work.kind, (IN_PROGRESS, status))
                self.store.set_status(work.arn, during)
                self.store.set_status(work.arn, after, reason, changes)
            self.store.finish(work.id)

    def refused(self, operation, **params):
        """Return code and message of a refused call."""
        with pytest.raises(ClientError) as caught:
            getattr(self.client, operation)(**params)
        error = caught.value.response["Error"]
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        return error["Code"], error["Message"]

    def group(self, name="books", work=True, **more):
        arn = self.client.create_dataset_group(name=name, **more)["datasetGroupArn"]
        if work:
            self.work()
        return arn

    def dataset(self, group, record="Interactions", schema=None, work=True, **more):
        text = avro(record) if schema is None else schema
        name = f"{group.rsplit('/', 1)[1]}-{record}".lower()
        schema_arn = self.client.create_schema(name=name, schema=text)["schemaArn"]
        made = self.client.create_dataset(
            name=name, schemaArn=schema_arn, datasetGroupArn=group, datasetType=record, **more
        )
        if work:
            self.work()
        return made["datasetArn"]

    def imported(self, dataset, name="import", work=True, **more):
        source = {"dataLocation": "s3://data/rows.csv"}
        arn = self.client.create_dataset_import_job(
            jobName=name, datasetArn=dataset, dataSource=source, roleArn=ROLE, **more
        )["datasetImportJobArn"]
        if work:
            self.work()
        return arn

    def solution(self, group, recipe="aws-user-personalization", name="taste", work=True, **more):
        arn = self.client.create_solution(
            name=name, datasetGroupArn=group, recipeArn=f"arn:aws:personalize:::recipe/{recipe}", **more
        )["solutionArn"]
        if work:
            self.work()
        return arn

    def version(self, solution, work=True, **more):
        arn = self.client.create_solution_version(solutionArn=solution, **more)["solutionVersionArn"]
        if work:
            self.work(changes=Changes({"trainingHours": 0.004}, {"metrics": {"coverage": 0.5}}))
        return arn

    def trained(self, recipe="aws-user-personalization", records=("Interactions",), **more):
        """Return a dataset group and an ACTIVE solution version in it."""
        group = self.group()
        for record in records:
            self.dataset(group, record)
        return group, self.version(self.solution(group, recipe, **more))

    def job(self, version, name="job", **more):
        """Return the request of a batch inference job."""
        return {
            "jobName": name,
            "solutionVersionArn": version,
            "jobInput": {"s3DataSource": {"path": "s3://data/in.json"}},
            "jobOutput": {"s3DataDestination": {"path": "s3://data/out/"}},
            "roleArn": ROLE,
        } | more
