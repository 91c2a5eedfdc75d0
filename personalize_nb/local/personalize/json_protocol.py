"""AWS JSON 1.1 on one side, operations on the other; botocore's model checks both directions.

`answer` is the whole protocol as one function from headers and bytes to a status, headers and bytes;
`personalize_handler` hangs it behind the endpoint.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

from personalize_nb.contract import how_far
from personalize_nb.contract.limits import IN_PROGRESS, service_model
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.json_bodies import CONTENT_TYPE, compact, parsed, refusal
from personalize_nb.local.http.messages import Handler, Request, Response
from personalize_nb.local.http.shapes import checked, projected
from personalize_nb.local.personalize import rest_protocol
from personalize_nb.local.personalize.operations.all_operations import find_operation
from personalize_nb.local.state import faults

if TYPE_CHECKING:
    from personalize_nb.local.personalize.operations.control import Control
    from personalize_nb.local.personalize.serving.registry import Serving

TARGET_PREFIX = "AmazonPersonalize."
# far above the largest legal request, a schema of 20,000 characters with 200 tags
MAX_REQUEST_BYTES = 1_000_000

log = logging.getLogger(__name__)


def personalize_handler(control: Control, serving: Serving | None = None) -> Handler:
    """Return the endpoint's handler for everything signed as `personalize`: control plane, runtime and events.

    Parameters
    ----------
    control
        The control plane.
    serving
        What answers the runtime and events services; None leaves them out.
    """

    def route(request: Request) -> Response:
        if request.method == "POST" and request.path == "/":
            body = request.body.read_all(MAX_REQUEST_BYTES)
            status, headers, content = answer(control, request.headers.get("x-amz-target"), body)
        elif serving is not None and request.method == "POST" and request.path in rest_protocol.routes():
            body = request.body.read_all(MAX_REQUEST_BYTES)
            status, headers, content = rest_protocol.answer(serving, request.path, body)
        else:
            legal = ", ".join(["/ with an X-Amz-Target header", *rest_protocol.routes()])
            error = ApiError(
                "UnknownOperationException",
                f"{request.method} {request.path} is not served here; legal is POST to: {legal}.",
                404,
            )
            status, headers, content = _refusal(error)
        return Response(status, headers, content)

    return Handler(route, refusal)


def answer(control: Control, target: str | None, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Answer one request of the JSON 1.1 protocol.

    Parameters
    ----------
    control
        The operations.
    target
        The `X-Amz-Target` header.
    body
        The request's JSON text.

    Returns
    -------
    tuple
        HTTP status, headers and body; never raises for a bad request.
    """
    try:
        operation = _operation(target)
        params = checked(parsed(body), operation.input_shape)
        result = control.call(operation.name, params)
        headers = _headers() | _how_far(control, operation.name, params)
    except ApiError as error:
        return _refusal(error)
    except Exception as error:
        log.exception("%s failed", target)
        return _refusal(faults.refusal(error))
    shape = operation.output_shape
    return 200, headers, b"" if shape is None else compact(projected(result, shape))


def _operation(target: str | None) -> Any:
    name = (target or "").removeprefix(TARGET_PREFIX)
    model = service_model()
    if name not in model.operation_names or not (target or "").startswith(TARGET_PREFIX):
        raise ApiError(
            "UnknownOperationException",
            f"{target!r} is not an operation of the installed botocore's model of Amazon Personalize; "
            f"the X-Amz-Target header must be {TARGET_PREFIX}<Operation>.",
        )
    find_operation(name)  # refused by name before its parameters are
    return model.operation_model(name)


def _how_far(control: Control, name: str, params: dict[str, Any]) -> dict[str, str]:
    """Return a header that says how far the work on a described resource is, while it goes on."""
    if not name.startswith("Describe") or len(params) != 1:
        return {}
    resource = control.store.get(next(iter(params.values())))
    if resource is None or resource.progress is None or resource.status != IN_PROGRESS:
        return {}
    return {how_far.HEADER: how_far.written(*resource.progress)}


def _refusal(error: ApiError) -> tuple[int, dict[str, str], bytes]:
    return error.status, _headers(), compact({"__type": error.code, "message": error.message})


def _headers() -> dict[str, str]:
    return {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())}
