"""Schemas: immutable, made at once, without a status; deleted after the datasets that use them."""

from __future__ import annotations

from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.personalize.operations.avro import check_schema
from personalize_nb.local.personalize.operations.control import Control, operation

KIND = "schema"


@operation("CreateSchema")
def create_schema(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    name, domain = params["name"], params.get("domain")
    arn = control.arn(f"schema/{name}")
    control.check_free(arn)
    check_schema(params["schema"], domain)
    control.check_quota(KIND)
    body = {"name": name, "schemaArn": arn, "schema": params["schema"]}
    control.store.create(KIND, arn, name, body | ({"domain": domain} if domain else {}))
    return {"schemaArn": arn}


@operation("DescribeSchema")
def describe_schema(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    return {"schema": control.require(KIND, params["schemaArn"]).described()}


@operation("ListSchemas")
def list_schemas(control: Control, params: dict[str, Any]) -> dict[str, Any]:
    return control.page(params, "schemas", KIND)


@operation("DeleteSchema")
def delete_schema(control: Control, params: dict[str, Any]) -> None:
    schema = control.require(KIND, params["schemaArn"])
    users = [item.arn for item in control.store.list("dataset") if item.body["schemaArn"] == schema.arn]
    if users:
        raise ApiError(
            "ResourceInUseException", f"{schema.arn} is the schema of {', '.join(users)}; delete the datasets first."
        )
    control.remove(schema)
