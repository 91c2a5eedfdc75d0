"""What a browser asks before it sends a page's request to another origin: unsigned, and here always refused.

No bucket has rules for other origins (CORS). S3 says so only to who has said both from where and what.
"""

from __future__ import annotations

from personalize_nb.local.errors import ApiError
from personalize_nb.local.http.signature import Head


def refusal(head: Head) -> ApiError:
    """Return the answer to a request of the method OPTIONS."""
    if "origin" not in head.headers:
        return ApiError("BadRequest", "Insufficient information. Origin request header needed.")
    if not head.headers.get("access-control-request-method"):
        return ApiError("BadRequest", "Invalid Access-Control-Request-Method: null.")
    return ApiError("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.", 403)
