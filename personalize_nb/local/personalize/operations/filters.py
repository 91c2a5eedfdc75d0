"""Filters: expressions that are parsed and checked against the group's schemas when they are made."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.limits import ACTIVE, MAX_FILTER_FIELDS_PER_GROUP
from personalize_nb.local.data.schema import Schema
from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.control import Control, invalid, operation
from personalize_nb.local.personalize.operations.datasets import schemas_of_group
from personalize_nb.local.state.kinds import BATCH_INFERENCE_JOB, BATCH_SEGMENT_JOB, DATASET_GROUP, FILTER
from personalize_nb.local.state.lifecycle import UNFINISHED

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes

    from personalize_nb.local.filters.expression import Expression


@operation("CreateFilter")
def create_filter(control: Control, params: shapes.CreateFilterRequestTypeDef) -> dict[str, Any]:
    name, text = params["name"], params["filterExpression"]
    arn = control.arn(f"filter/{name}")
    control.check_free(arn)
    group = control.require(DATASET_GROUP, params["datasetGroupArn"])
    if group.status != ACTIVE:
        # ResourceInUseException is not among the errors of this operation
        raise invalid(f"{group.arn} has status {group.status}; a filter needs an ACTIVE dataset group.")
    check_expression(text, schemas_of_group(control, group.arn))
    _check_fields(control, group.arn, text)
    body = {"name": name, "filterArn": arn, "datasetGroupArn": group.arn, "filterExpression": text}
    control.add(FILTER, arn, name, body, params, group_arn=group.arn, parent_arn=group.arn)
    return {"filterArn": arn}


def _check_fields(control: Control, group_arn: str, text: str) -> None:
    """Refuse a filter with which the filters of its group would use too many distinct fields."""
    texts = [text, *(held.body["filterExpression"] for held in control.store.list(FILTER, group_arn=group_arn))]
    used = set().union(*map(_fields, texts))
    if len(used) > MAX_FILTER_FIELDS_PER_GROUP:
        raise ApiError(
            "LimitExceededException",
            f"Cannot create a filter. The filters of a dataset group can use {MAX_FILTER_FIELDS_PER_GROUP} distinct "
            f"fields; with this one they would use {len(used)}.",
        )


@lru_cache(maxsize=4096)
def _fields(text: str) -> frozenset[str]:
    """Return the fields that an expression uses; kept, because each new filter is counted with all others."""
    return _parsed(text).fields


def check_expression(text: str, schemas: dict[str, str], recipe_type: str | None = None) -> None:
    """Refuse an expression that is not in the language or that these datasets cannot serve.

    Parameters
    ----------
    text
        The filter expression.
    schemas
        The group's schema texts by dataset type.
    recipe_type
        The type of the recipe it is used with, where that is known.
    """
    known = {kind: Schema.from_avro(kind, json.loads(schema)) for kind, schema in schemas.items()}
    _parsed(text).check(known, recipe_type)


def _parsed(text: str) -> Expression:
    # the grammar's parser comes with the first filter: it would be an eighth of a service's start
    from personalize_nb.local.filters.expression import parse

    return parse(text)


@operation("DescribeFilter")
def describe_filter(control: Control, params: shapes.DescribeFilterRequestTypeDef) -> dict[str, Any]:
    return {"filter": control.require(FILTER, params["filterArn"]).described()}


@operation("ListFilters")
def list_filters(control: Control, params: shapes.ListFiltersRequestTypeDef) -> dict[str, Any]:
    # the one capital letter among the members of AWS's answers
    return control.page(params, "Filters", FILTER, parent_arn=params.get("datasetGroupArn"))


@operation("DeleteFilter")
def delete_filter(control: Control, params: shapes.DeleteFilterRequestTypeDef) -> None:
    found = control.require(FILTER, params["filterArn"])
    kinds = (BATCH_INFERENCE_JOB, BATCH_SEGMENT_JOB)
    running = [job for kind in kinds for job in control.store.list(kind, statuses=UNFINISHED)]
    users = [job.arn for job in running if job.body.get("filterArn") == found.arn]
    if found.status in UNFINISHED or users:
        reason = ", ".join(users) or "its own creation"
        raise ApiError("ResourceInUseException", f"{found.arn} is in use by {reason}; wait until that has ended.")
    control.remove(found)
