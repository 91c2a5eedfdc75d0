"""The query protocol of IAM and STS, driven by botocore's model: forms in, XML out.

An operation is a function from the parameters of AWS's API reference to the members of its answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http import shapes, xml_shapes
from personalize_nb.local.http.messages import Handler, Request, Response

Parameters = Mapping[str, Any]
Operation = Callable[[Parameters, Request], Mapping[str, Any] | None]
_MAX_FORM_BYTES = 1 << 20


def query_handler(service: str, operations: Mapping[str, Operation]) -> Handler:
    """Return what the endpoint calls for requests signed for `service` (`iam` or `sts`)."""

    def answer(request: Request) -> Response:
        body = request.body.read_all(_MAX_FORM_BYTES).decode("utf-8", "replace")
        form = dict(request.query) | dict(parse_qsl(body, keep_blank_values=True))
        name = form.get("Action", "")
        operation = operations.get(name)
        if operation is None:
            raise ApiError(
                "InvalidAction",
                f"The local service does not have the {service} operation {name!r}. It has "
                f"{', '.join(sorted(operations))}.",
            )
        model = _model(service).operation_model(name)
        members = operation(_parameters(model, form), request)
        return _response(model, members or {})

    return Handler(answer, refusal, wire="query", any_region=True)


def refusal(error: ApiError) -> Response:
    """Return the answer of the query protocol that says no."""
    request_id = str(uuid.uuid4())
    text = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{xml_shapes.escaped(error.message)}</Message></Error><RequestId>{request_id}</RequestId>"
        "</ErrorResponse>"
    )
    return Response(error.status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, text.encode())


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _parameters(model: OperationModel, form: Mapping[str, str]) -> dict[str, Any]:
    shape = model.input_shape
    if shape is None:
        return {}
    try:
        return shapes.checked(_read(form, shape, ""), shape)
    except ValueError as error:
        raise ApiError("ValidationError", f"A parameter cannot be read: {error}.") from error
    except ApiError as refused:
        raise ApiError("ValidationError", refused.message) from refused


def _read(form: Mapping[str, str], shape: Shape, name: str) -> Any:
    """Return the value whose fields in the form begin with `name`, or None."""
    if isinstance(shape, StructureShape):
        members = {
            member: _read(form, member_shape, f"{name}.{member}" if name else member)
            for member, member_shape in shape.members.items()
        }
        found = {member: value for member, value in members.items() if value is not None}
        return found if found or not name else None
    if isinstance(shape, ListShape):
        entries: list[Any] = []
        while (entry := _read(form, shape.member, f"{name}.member.{len(entries) + 1}")) is not None:
            entries.append(entry)
        return entries or ([] if name in form else None)
    return xml_shapes.scalar(shape.type_name, form[name]) if name in form else None


def _response(model: OperationModel, members: Mapping[str, Any]) -> Response:
    namespace = model.service_model.metadata["xmlNamespace"]
    root = ElementTree.Element(f"{model.name}Response", {"xmlns": namespace})
    if model.output_shape is not None:
        result = ElementTree.SubElement(root, model.output_shape.serialization["resultWrapper"])
        xml_shapes.add_members(result, model.output_shape, members)
    request_id = str(uuid.uuid4())
    metadata = ElementTree.SubElement(root, "ResponseMetadata")
    ElementTree.SubElement(metadata, "RequestId").text = request_id
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}
    return Response(200, headers, ElementTree.tostring(root))
