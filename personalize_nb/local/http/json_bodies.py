"""JSON bodies of requests and answers, as AWS's JSON protocols carry them, and how those say no."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.messages import Response

CONTENT_TYPE = "application/x-amz-json-1.1"


def parsed(body: bytes) -> dict[str, Any]:
    """Return a request's JSON object, or refuse the body with `SerializationException`."""
    try:
        params = json.loads(body or b"{}", parse_constant=_no_constant)
        # half a surrogate pair is legal JSON and no text: it could be neither stored nor answered
        json.dumps(params, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # also UnicodeDecodeError and UnicodeEncodeError
        raise ApiError("SerializationException", f"The request's body is not JSON: {error}.") from error
    if not isinstance(params, dict):
        raise ApiError("SerializationException", f"The request must be a JSON object, got {type(params).__name__}.")
    return params


def compact(value: Mapping[str, Any]) -> bytes:
    """Return JSON without insignificant space, as AWS writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def refusal(error: ApiError) -> Response:
    """Return the answer of JSON 1.1 that says no."""
    # ASCII: a message may repeat what is no text
    body = json.dumps({"__type": error.code, "message": error.message}, separators=(",", ":")).encode()
    return Response(error.status, {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())}, body)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
