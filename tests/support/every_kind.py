"""One resource of every kind, made through boto3 when a test asks for it, and a valid request for every operation."""

from __future__ import annotations

import itertools

from botocore import xform_name
from control_plane import ROLE, Plane, avro

RECIPE = "arn:aws:personalize:::recipe/"
SOURCE = {"dataLocation": "s3://data/rows.csv"}
TO_S3 = {"s3DataDestination": {"path": "s3://data/out/"}}
METRIC = {"eventType": "view", "metricName": "views", "expression": "SAMPLECOUNT()"}
AMAZONS = {
    "recipe": RECIPE + "aws-sims",
    "algorithm": "arn:aws:personalize:::algorithm/aws-sims",
    "feature_transformation": "arn:aws:personalize:::feature-transformation/sims",
}

# the Create operation of each kind, and its request in a world `w` under a name `n`
REQUESTS = {
    "dataset_group": lambda w, n: {"name": n},
    "schema": lambda w, n: {"name": n, "schema": avro("Interactions")},
    "dataset": lambda w, n: {"name": n, "datasetGroupArn": w["dataset_group"], **w.rows()},
    "dataset_import_job": lambda w, n: {
        "jobName": n,
        "datasetArn": w["dataset"],
        "dataSource": SOURCE,
        "roleArn": ROLE,
    },
    "dataset_export_job": lambda w, n: {"jobName": n, "datasetArn": w["dataset"], "jobOutput": TO_S3, "roleArn": ROLE},
    "data_deletion_job": lambda w, n: {
        "jobName": n,
        "datasetGroupArn": w.with_data(),
        "dataSource": SOURCE,
        "roleArn": ROLE,
    },
    "solution": lambda w, n: {"name": n, "datasetGroupArn": w.with_data(), "recipeArn": RECIPE + w.recipe},
    "solution_version": lambda w, n: {"name": n, "solutionArn": w["solution"]},
    "campaign": lambda w, n: {"name": n, "solutionVersionArn": w["solution_version"]},
    "filter": lambda w, n: {
        "name": n,
        "datasetGroupArn": w.with_data(),
        "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("a")',
    },
    "event_tracker": lambda w, n: {"name": n, "datasetGroupArn": w["dataset_group"]},
    "metric_attribution": lambda w, n: {
        "name": n,
        "datasetGroupArn": w["dataset_group"],
        "metrics": [METRIC],
        "metricsOutputConfig": {"roleArn": ROLE},
    },
    "recommender": lambda w, n: {
        "name": n,
        "datasetGroupArn": w.films(),
        "recipeArn": RECIPE + "aws-vod-top-picks",
    },
    "batch_inference_job": lambda w, n: w.plane.job(w["solution_version"], n),
    "batch_segment_job": lambda w, n: w.segmenting().plane.job(w["solution_version"], n),
}


def create_operation(kind: str) -> str:
    return "Create" + "".join(word.capitalize() for word in kind.split("_"))


KINDS = {create_operation(kind): kind for kind in REQUESTS}


class World:
    """`world["campaign"]` is the ARN of an ACTIVE campaign, made with all that it stands on."""

    def __init__(self, plane: Plane):
        self.plane = plane
        self.recipe = "aws-user-personalization"
        self._arns = dict(AMAZONS)
        self._names = (f"n{number}" for number in itertools.count())
        self._types = iter(("Interactions", "Users", "Items"))

    def __getitem__(self, kind: str) -> str:
        if kind not in self._arns:
            self._arns[kind] = self.fresh(kind)
            self.plane.work()
        return self._arns[kind]

    def segmenting(self) -> World:
        """Let the solution of this world make segments."""
        self.recipe = "aws-item-affinity"
        return self

    def with_data(self) -> str:
        """Return the dataset group, with its dataset."""
        assert self["dataset"]
        return self["dataset_group"]

    def rows(self) -> dict:
        """Return the type of a dataset that the group does not have yet, with its schema."""
        kind = next(self._types)
        if kind == "Interactions":
            return {"datasetType": kind, "schemaArn": self["schema"]}
        return {
            "datasetType": kind,
            "schemaArn": self.call("CreateSchema", {"name": kind, "schema": avro(kind)})["schemaArn"],
        }

    def films(self) -> str:
        """Return a dataset group of a domain, with data."""
        if "films" not in self._arns:
            domain = {"domain": "VIDEO_ON_DEMAND"}
            self._arns["films"] = self.plane.group("films", **domain)
            schema = self.plane.client.create_schema(name="films", schema=avro("Interactions"), **domain)["schemaArn"]
            names = {"name": "films", "datasetType": "Interactions"}
            self.plane.client.create_dataset(**names, schemaArn=schema, datasetGroupArn=self._arns["films"])
            self.plane.work()
        return self._arns["films"]

    def request(self, kind: str) -> dict:
        """Return a valid request of the Create operation of a kind, with a new name."""
        return REQUESTS[kind](self, next(self._names))

    def fresh(self, kind: str) -> str:
        """Return the ARN of a new resource whose creation has not begun."""
        answer = self.call(create_operation(kind), self.request(kind))
        return answer[xform_arn(kind)]

    def call(self, operation: str, params: dict) -> dict:
        return getattr(self.plane.client, xform_name(operation))(**params)

    def valid(self, operation: str) -> dict:
        """Return a request of any operation that is answered without an error."""
        if operation in KINDS:
            return self.request(KINDS[operation])
        special = getattr(self, f"_{xform_name(operation)}", None)
        if special is not None:
            return special()
        if operation == "GetSolutionMetrics" or operation.startswith(("Describe", "Delete", "StopRecommender")):
            [member] = self.plane.client.meta.service_model.operation_model(operation).input_shape.required_members
            return {member: self[xform_name(member.removesuffix("Arn"))]}
        assert operation.startswith("List"), operation
        return {}

    def _delete_schema(self) -> dict:
        return {"schemaArn": self["schema"]}

    def _list_solution_versions(self) -> dict:
        return {"solutionArn": self["solution"]}

    def _list_tags_for_resource(self) -> dict:
        return {"resourceArn": self["dataset_group"]}

    def _tag_resource(self) -> dict:
        return {"resourceArn": self["dataset_group"], "tags": [{"tagKey": "team", "tagValue": "books"}]}

    def _untag_resource(self) -> dict:
        return {"resourceArn": self["dataset_group"], "tagKeys": ["team"]}

    def _start_recommender(self) -> dict:
        self.plane.client.stop_recommender(recommenderArn=self["recommender"])
        self.plane.work()
        return {"recommenderArn": self["recommender"]}

    def _stop_solution_version_creation(self) -> dict:
        return {"solutionVersionArn": self.fresh("solution_version")}

    def _update_campaign(self) -> dict:
        return {"campaignArn": self["campaign"], "minProvisionedTPS": 2}

    def _update_dataset(self) -> dict:
        return {"datasetArn": self["dataset"], "schemaArn": self.fresh("schema")}

    def _update_metric_attribution(self) -> dict:
        return {
            "metricAttributionArn": self["metric_attribution"],
            "addMetrics": [METRIC | {"metricName": "more"}],
        }

    def _update_recommender(self) -> dict:
        return {"recommenderArn": self["recommender"], "recommenderConfig": {"minRecommendationRequestsPerSecond": 2}}

    def _update_solution(self) -> dict:
        return {"solutionArn": self["solution"], "performAutoTraining": False}


def xform_arn(kind: str) -> str:
    """Return the member that holds the ARN of a kind: `datasetGroupArn`."""
    first, *others = kind.split("_")
    return first + "".join(word.capitalize() for word in others) + "Arn"
