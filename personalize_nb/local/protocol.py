"""AWS JSON 1.1 on one side, operations on the other; botocore's model checks both directions.

`answer` is the whole protocol as one function from headers and bytes to a status, headers and bytes;
`personalize_handler` hangs it behind the endpoint. Local service, over floor 0.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from personalize_nb.limits import service_model
from personalize_nb.local import diskspace
from personalize_nb.local.endpoint import Handler, Request, Response
from personalize_nb.local.faults import ApiFault
from personalize_nb.local.operations.control import find_operation
from personalize_nb.local.shapes import checked, projected

if TYPE_CHECKING:
    from personalize_nb.local.operations import Control

CONTENT_TYPE = "application/x-amz-json-1.1"
TARGET_PREFIX = "AmazonPersonalize."
# far above the largest legal request, a schema of 20,000 characters with 200 tags
MAX_REQUEST_BYTES = 1_000_000

log = logging.getLogger(__name__)


def personalize_handler(control: Control) -> Handler:
    """Return the endpoint's handler for everything signed as `personalize`."""

    def handle(request: Request) -> Response:
        if request.method == "POST" and request.path == "/":
            body = request.body.read_all(MAX_REQUEST_BYTES)
            status, headers, content = answer(control, request.headers.get("x-amz-target"), body)
        else:
            fault = ApiFault(
                "UnknownOperationException",
                f"{request.method} {request.path} is not served here: the local service answers the control plane of "
                "Amazon Personalize (POST / with an X-Amz-Target header), not its runtime or events services.",
                404,
            )
            status, headers, content = _refusal(fault)
        return Response(status, headers, content)

    return handle


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
        params = checked(_parsed(body), operation.input_shape)
        result = control.call(operation.name, params)
    except ApiFault as fault:
        return _refusal(fault)
    except Exception as error:
        log.exception("%s failed", target)
        if diskspace.is_full(error):
            return _refusal(diskspace.fault())
        text = "The local service met an unexpected fault; the traceback is in service.log."
        return _refusal(ApiFault("InternalFailure", text, 500))
    shape = operation.output_shape
    return 200, _headers(), b"" if shape is None else _compact(projected(result, shape))


def _operation(target: str | None) -> Any:
    name = (target or "").removeprefix(TARGET_PREFIX)
    model = service_model()
    if name not in model.operation_names or not (target or "").startswith(TARGET_PREFIX):
        raise ApiFault(
            "UnknownOperationException",
            f"{target!r} is not an operation of the installed botocore's model of Amazon Personalize; "
            f"the X-Amz-Target header must be {TARGET_PREFIX}<Operation>.",
        )
    find_operation(name)  # refused by name before its parameters are
    return model.operation_model(name)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        params = json.loads(body or b"{}", parse_constant=_no_constant)
        # half a surrogate pair is legal JSON and no text: it could be neither stored nor answered
        json.dumps(params, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # also UnicodeDecodeError and UnicodeEncodeError
        raise ApiFault("SerializationException", f"The request's body is not JSON: {error}.") from error
    if not isinstance(params, dict):
        raise ApiFault("SerializationException", f"The request must be a JSON object, got {type(params).__name__}.")
    return params


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refusal(fault: ApiFault) -> tuple[int, dict[str, str], bytes]:
    return fault.status, _headers(), _compact({"__type": fault.code, "message": fault.message})


def _headers() -> dict[str, str]:
    return {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())}


def _compact(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
