"""JSON bodies of requests and answers, as AWS's JSON protocols carry them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from personalize_nb.local.errors import ApiError


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


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
