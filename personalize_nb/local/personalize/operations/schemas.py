"""Schemas: immutable, made at once, without a status; deleted after the datasets that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.avro import check_schema
from personalize_nb.local.personalize.operations.control import Control, operation
from personalize_nb.local.state.kinds import DATASET, SCHEMA

if TYPE_CHECKING:
    from types_boto3_personalize import type_defs as shapes


@operation("CreateSchema")
def create_schema(control: Control, params: shapes.CreateSchemaRequestTypeDef) -> dict[str, Any]:
    name, domain = params["name"], params.get("domain")
    arn = control.arn(f"schema/{name}")
    control.check_free(arn)
    check_schema(params["schema"], domain)
    control.check_quota(SCHEMA)
    body = {"name": name, "schemaArn": arn, "schema": params["schema"]}
    control.store.create(SCHEMA, arn, name, body | ({"domain": domain} if domain else {}))
    return {"schemaArn": arn}


@operation("DescribeSchema")
def describe_schema(control: Control, params: shapes.DescribeSchemaRequestTypeDef) -> dict[str, Any]:
    return {"schema": control.require(SCHEMA, params["schemaArn"]).described()}


@operation("ListSchemas")
def list_schemas(control: Control, params: shapes.ListSchemasRequestTypeDef) -> dict[str, Any]:
    return control.page(params, "schemas", SCHEMA)


@operation("DeleteSchema")
def delete_schema(control: Control, params: shapes.DeleteSchemaRequestTypeDef) -> None:
    schema = control.require(SCHEMA, params["schemaArn"])
    users = [item.arn for item in control.store.list(DATASET) if item.body["schemaArn"] == schema.arn]
    if users:
        raise ApiError(
            "ResourceInUseException", f"{schema.arn} is the schema of {', '.join(users)}; delete the datasets first."
        )
    control.remove(schema)
