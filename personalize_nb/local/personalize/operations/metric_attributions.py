"""Metric attributions: recorded and checked with their metrics; the local service writes no reports."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from personalize_nb.local.data.schema import Schema
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations import locations
from personalize_nb.local.personalize.operations.control import (
    PAGE_SIZE,
    Control,
    invalid,
    make_token,
    operation,
    read_token,
)
from personalize_nb.local.personalize.operations.datasets import schemas_of_group
from personalize_nb.local.state.facts import AttributionFacts, Changes
from personalize_nb.local.state.kinds import DATASET_GROUP, METRIC_ATTRIBUTION
from personalize_nb.local.state.lifecycle import UNFINISHED

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

MAX_METRICS = 10
_SUM = re.compile(r"SUM\(\s*(Items|Interactions)\.([A-Za-z_][A-Za-z0-9_]*)\s*\)", re.IGNORECASE)
_COUNT = re.compile(r"SAMPLECOUNT\(\s*\)", re.IGNORECASE)


@operation("CreateMetricAttribution", recorded=True)
def create_metric_attribution(control: Control, params: shapes.CreateMetricAttributionRequestTypeDef) -> dict[str, Any]:
    name = params["name"]
    arn = control.arn(f"metric-attribution/{name}")
    control.check_free(arn)
    group = control.require_active(DATASET_GROUP, params["datasetGroupArn"])
    metrics = _joined([], params["metrics"])
    _check_metrics(control, group.arn, metrics)
    _check_output(control, params["metricsOutputConfig"])
    body = {
        "name": name,
        "metricAttributionArn": arn,
        "datasetGroupArn": group.arn,
        "metricsOutputConfig": params["metricsOutputConfig"],
    }
    facts = AttributionFacts(metrics=metrics)
    control.add(METRIC_ATTRIBUTION, arn, name, body, params, facts=facts, group_arn=group.arn, parent_arn=group.arn)
    return {"metricAttributionArn": arn}


def _joined(
    held: list[shapes.MetricAttributeTypeDef], added: Sequence[shapes.MetricAttributeTypeDef]
) -> list[shapes.MetricAttributeTypeDef]:
    names = [metric["metricName"] for metric in held]
    for metric in added:
        if metric["metricName"] in names:
            raise ApiError("ResourceAlreadyExistsException", f"There already is a metric {metric['metricName']!r}.")
        names.append(metric["metricName"])
    metrics = [*held, *added]
    if not 1 <= len(metrics) <= MAX_METRICS:
        raise invalid(f"A metric attribution has 1 to {MAX_METRICS} metrics; the request leads to {len(metrics)}.")
    return metrics


def _check_metrics(control: Control, group_arn: str, metrics: list[shapes.MetricAttributeTypeDef]) -> None:
    schemas = schemas_of_group(control, group_arn)
    for metric in metrics:
        text = metric["expression"].strip()
        match = _SUM.fullmatch(text)
        if match is None:
            if not _COUNT.fullmatch(text):
                legal = "SUM(Items.<column>), SUM(Interactions.<column>), SAMPLECOUNT()"
                raise invalid(f"The expression {text!r} is not legal; legal: {legal}.")
            continue
        kind, column = match[1].upper(), match[2]
        schema = Schema.from_avro(kind, json.loads(schemas[kind])) if kind in schemas else None
        field = schema.field(column) if schema else None
        if field is None or not field.numeric:
            raise invalid(f"{text} needs a column {column} of numbers in a dataset of type {kind}.")


def _check_output(control: Control, config: shapes.MetricAttributionOutputTypeDef) -> None:
    if "s3DataDestination" in config:
        locations.check_writable(control, config["s3DataDestination"]["path"], locations.INVALID_OUTPUT)


@operation("DescribeMetricAttribution", recorded=True)
def describe_metric_attribution(
    control: Control, params: shapes.DescribeMetricAttributionRequestTypeDef
) -> dict[str, Any]:
    return {"metricAttribution": control.require(METRIC_ATTRIBUTION, params["metricAttributionArn"]).described()}


@operation("ListMetricAttributions", recorded=True)
def list_metric_attributions(control: Control, params: shapes.ListMetricAttributionsRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "metricAttributions", METRIC_ATTRIBUTION, parent_arn=params.get("datasetGroupArn"))


@operation("ListMetricAttributionMetrics", recorded=True)
def list_metric_attribution_metrics(
    control: Control, params: shapes.ListMetricAttributionMetricsRequestTypeDef
) -> dict[str, Any]:
    arn = params.get("metricAttributionArn")
    scope, limit = f"metrics|{arn}", params.get("maxResults", PAGE_SIZE)
    start = read_token(params.get("nextToken"), scope)
    attributions = [item for item in control.store.list(METRIC_ATTRIBUTION) if arn in (None, item.arn)]
    metrics = [metric for item in attributions for metric in item.facts.metrics]
    page = metrics[start : start + min(limit, MAX_METRICS)]
    answer: dict[str, Any] = {"metrics": page}
    if start + len(page) < len(metrics):
        answer["nextToken"] = make_token(start + len(page), scope)
    return answer


@operation("UpdateMetricAttribution", recorded=True)
def update_metric_attribution(control: Control, params: shapes.UpdateMetricAttributionRequestTypeDef) -> dict[str, Any]:
    if "metricAttributionArn" not in params:
        raise invalid("metricAttributionArn is needed to say which metric attribution is updated.")
    attribution = control.require_active(METRIC_ATTRIBUTION, params["metricAttributionArn"])
    removed = params.get("removeMetrics", [])
    held = attribution.facts.metrics
    unknown = set(removed) - {metric["metricName"] for metric in held}
    if unknown:
        raise invalid(f"removeMetrics names metrics that are not there: {', '.join(sorted(unknown))}.")
    kept = [metric for metric in held if metric["metricName"] not in removed]
    metrics = _joined(kept, params.get("addMetrics", []))
    _check_metrics(control, attribution.body["datasetGroupArn"], metrics)
    config = params.get("metricsOutputConfig", attribution.body["metricsOutputConfig"])
    _check_output(control, config)
    control.store.update(attribution.arn, Changes({"metricsOutputConfig": config}, {"metrics": metrics}))
    return {"metricAttributionArn": attribution.arn}


@operation("DeleteMetricAttribution", recorded=True)
def delete_metric_attribution(control: Control, params: shapes.DeleteMetricAttributionRequestTypeDef) -> None:
    attribution = control.require(METRIC_ATTRIBUTION, params["metricAttributionArn"])
    if attribution.status in UNFINISHED:
        raise ApiError("ResourceInUseException", f"{attribution.arn} has status {attribution.status}; wait.")
    control.remove(attribution)
