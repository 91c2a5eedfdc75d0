"""JSON bodies of requests and answers, as AWS's JSON protocols carry them, and how those say no."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.messages import Response

CONTENT_TYPE = "application/x-amz-json-1.1"
# no request of any service here goes deeper than ten
_MAX_DEPTH = 64


def parsed(body: bytes) -> dict[str, Any]:
    """Return a request's JSON object, or refuse the body with `SerializationException`."""
    try:
        params = document(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", f"The request's body is not JSON: {error}.") from error
    if not isinstance(params, dict):
        raise ApiError("SerializationException", f"The request must be a JSON object, got {type(params).__name__}.")
    return params


def document(text: str | bytes) -> Any:
    """Return the value of a JSON document that anybody may have written.

    Raises
    ------
    ValueError
        It is no JSON, or holds what could not be kept or answered: NaN, numbers beyond all bounds, half a surrogate
        pair, nesting without end.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {_MAX_DEPTH} levels") from error
    _check_depth(value)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def compact(value: Mapping[str, Any]) -> bytes:
    """Return JSON without insignificant space, as AWS writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def refusal(error: ApiError) -> Response:
    """Return the answer of JSON 1.1 that says no."""
    # ASCII: a message may repeat what is no text
    body = json.dumps({"__type": error.code, "message": error.message}, separators=(",", ":")).encode()
    return Response(error.status, {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())}, body)


def _check_depth(value: Any) -> None:
    """Raise ValueError for what is nested so deep that walking through it would fail."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            part
            for each in level
            if isinstance(each, dict | list)
            for part in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {_MAX_DEPTH} levels")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
