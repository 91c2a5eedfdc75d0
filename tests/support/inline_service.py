"""The three Personalize services behind one real endpoint, whose background work is done when a test says so.

Everything is as in the service process but for the workers: tests reach it through boto3 alone and need no polling.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace

import boto3
import small_world as world
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from skipping_clock import SkippingClock

from personalize_nb.local.data.events import EventStore
from personalize_nb.local.http.endpoint import Endpoint
from personalize_nb.local.personalize import rest_protocol
from personalize_nb.local.personalize.json_protocol import personalize_handler
from personalize_nb.local.personalize.operations.control import Control
from personalize_nb.local.personalize.serving.models import Models
from personalize_nb.local.personalize.serving.registry import Serving
from personalize_nb.local.s3.store import ObjectStore
from personalize_nb.local.state import layout
from personalize_nb.local.state.store import Store
from personalize_nb.local.state.versions import DatasetVersions
from personalize_nb.local.tasks import tasks
from personalize_nb.local.tasks.run import WorkContext, perform

REGION, ACCOUNT, BUCKET = "us-east-1", "123456789012", "data"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/PersonalizeNbLocal"
RECIPE = "arn:aws:personalize:::recipe/"


class InlineService:
    """Clients `control`, `runtime`, `events`; objects; and short ways to what tests need."""

    def __init__(self, folder, new=True):
        self.folder = folder
        layout.prepare(folder)
        clock = SkippingClock()
        self.store = Store(folder / "state.sqlite", clock.time)
        self.objects = ObjectStore(folder / "objects", clock.time)
        self.event_store = EventStore(folder)
        if new:
            self.objects.create_bucket(BUCKET, REGION)
        self._context = WorkContext(
            folder, self.store, self.objects, REGION, ACCOUNT, clock=clock.time, sleep=clock.sleep
        )
        control = Control(self.store, self.objects, ACCOUNT, REGION)
        self._versions = DatasetVersions(folder)
        handler = personalize_handler(control, Serving(control, self.models(), self.event_store))
        self._endpoint = Endpoint({"personalize": self._checked(handler)}, {"AKIDTEST": "secret"}, REGION).start()
        self.control, self.runtime, self.events = map(
            self._client, ("personalize", "personalize-runtime", "personalize-events")
        )

    def models(self):
        """Return what answers in real time, with nothing read yet."""
        return Models(self.folder, self.event_store, self._versions)

    def close(self):
        for client in (self.control, self.runtime, self.events):
            client.close()
        self._endpoint.stop()
        self._versions.close()
        self.event_store.close()
        self.objects.close()
        self.store.close()

    def _client(self, name):
        return boto3.client(
            name,
            endpoint_url=self._endpoint.url,
            region_name=REGION,
            aws_access_key_id="AKIDTEST",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    @staticmethod
    def _checked(handler):
        """Check every answer of the real-time services against botocore's output shapes."""

        def answer(request):
            response = handler.answer(request)
            operation = rest_protocol.routes().get(request.path)
            if operation is not None and response.status == 200 and operation.output_shape is not None:
                report = ParamValidator().validate(json.loads(response.body), operation.output_shape)
                assert not report.has_errors(), report.generate_report()
            return response

        return replace(handler, answer=answer)

    def work(self):
        """Do all background work, in this process."""
        while (work := self.store.claim(os.getpid())) is not None:
            perform(self._context, work, tasks.LIGHT | tasks.HEAVY)

    def made(self, operation, **params):
        """Call a Create operation, do its work, and return the ARN of what is ACTIVE then."""
        answer = getattr(self.control, operation)(**params)
        self.work()
        arn = next(value for key, value in answer.items() if key.endswith("Arn"))
        found = self.store[arn]
        assert found.status in ("ACTIVE", None), found.failure_reason
        return arn

    def group(self, name="g", domain=None, kinds=tuple(world.SCHEMAS), rows=None):
        """Return a dataset group with the small world imported, and its datasets by type."""
        more = {"domain": domain} if domain else {}
        group = self.made("create_dataset_group", name=name, **more)
        datasets = {}
        for kind in kinds:
            schema = self.made("create_schema", name=f"{name}-{kind}", schema=world.avro(kind), **more)
            datasets[kind] = self.made(
                "create_dataset", name=kind, schemaArn=schema, datasetGroupArn=group, datasetType=kind
            )
            self.put(f"{name}/{kind}.csv", world.csv(kind) if rows is None else rows[kind])
            self.made(
                "create_dataset_import_job",
                jobName=f"{name}-{kind}",
                datasetArn=datasets[kind],
                dataSource={"dataLocation": f"s3://{BUCKET}/{name}/{kind}.csv"},
                roleArn=ROLE,
            )
        return group, datasets

    def version(self, group, recipe, name=None):
        name = name or recipe
        solution = self.made("create_solution", name=name, datasetGroupArn=group, recipeArn=RECIPE + recipe)
        return self.made("create_solution_version", solutionArn=solution)

    def put(self, key, text):
        self.objects.put(BUCKET, key, text)

    def read(self, key):
        with self.objects.open(BUCKET, key) as source:
            return source.read().decode()

    def refused(self, client, operation, **params):
        """Return HTTP status, code and message of a refused call."""
        try:
            getattr(client, operation)(**params)
        except ClientError as error:
            found = error.response
            return found["ResponseMetadata"]["HTTPStatusCode"], found["Error"]["Code"], found["Error"]["Message"]
        raise AssertionError(f"{operation} was not refused")
