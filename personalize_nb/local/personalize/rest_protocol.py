"""REST-JSON on one side, the real-time operations on the other; botocore's models check both directions.

The two services share the signing name of the control plane, so paths tell them apart: every operation of both
models is a POST to a path of its own, with all members in the body.
"""

from __future__ import annotations

import logging
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any

from personalize_nb.contract.limits import service_model
from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.json_bodies import compact, parsed
from personalize_nb.local.http.shapes import checked, projected
from personalize_nb.local.personalize.serving.all_operations import find_served
from personalize_nb.local.state import faults

if TYPE_CHECKING:
    from personalize_nb.local.personalize.serving.registry import Serving

SERVICES = ("personalize-runtime", "personalize-events")
# what the models say of their exceptions
STATUSES = {"ResourceNotFoundException": 404, "ResourceInUseException": 409}

log = logging.getLogger(__name__)


@cache
def routes() -> dict[str, Any]:
    """Return the operation models of both services by path."""
    models = [service_model(service) for service in SERVICES]
    operations = [model.operation_model(name) for model in models for name in model.operation_names]
    return {operation.http["requestUri"]: operation for operation in operations}


def answer(serving: Serving, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Answer one request to a path of `routes`.

    Parameters
    ----------
    serving
        The operations.
    path
        A key of `routes`.
    body
        The request's JSON text.

    Returns
    -------
    tuple
        HTTP status, headers and body; never raises for a bad request.
    """
    operation = routes()[path]
    try:
        find_served(operation.name)
        result = serving.call(operation.name, checked(parsed(body), operation.input_shape))
    except ApiError as error:
        return _refusal(error)
    except Exception as error:
        log.exception("%s failed", operation.name)
        return _refusal(faults.refusal(error))
    shape = operation.output_shape
    content = b"" if shape is None else compact(projected(result, shape))
    return 200, _headers(), content


def _refusal(error: ApiError) -> tuple[int, dict[str, str], bytes]:
    status = STATUSES.get(error.code, error.status)
    return status, _headers() | {"x-amzn-ErrorType": error.code}, compact({"message": error.message})


def _headers() -> dict[str, str]:
    return {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid.uuid4())}
