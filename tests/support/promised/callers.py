"""Who asks: signatures, pre-signed addresses, browsers of other origins."""

from __future__ import annotations

import wire
from promises import code_of, row

_CLAIMS = {
    "": (403, "AccessDenied"),
    "AWS HAHAHA": (400, "InvalidArgument"),
    "AWS4 HAHAHA": (400, "InvalidArgument"),
    "AWS key:signature": (400, "InvalidRequest"),
    "AWS4-HMAC-SHA256 Credential=HAHAHA": (400, "AuthorizationHeaderMalformed"),
}


@row("GetObject", "an authorization header that is none: {}", *_CLAIMS)
def _(world, claim):
    status, _, body = wire.send(world.endpoint, "GET", f"/{world.bucket}/k", b"", {"Authorization": claim})
    assert (status, code_of(body)) == _CLAIMS[claim]


@row("GetObject", "a pre-signed URL that is valid for {} seconds", "1", "604800", "0", "-7", "604801", "x", "no")
def _(world, seconds):
    world.put()
    wish = int(seconds) if seconds not in ("x", "no") else 77
    url = wire.make_client("s3", world.endpoint, signature_version="s3v4").generate_presigned_url(
        "get_object", Params=world.at, ExpiresIn=wish
    )
    path = url.removeprefix(world.endpoint.url)
    if wish == 77:
        path = path.replace("&X-Amz-Expires=77", "&X-Amz-Expires=x" if seconds == "x" else "")
    status, _, body = wire.send(world.endpoint, "GET", path)
    if seconds in ("1", "604800"):
        assert (status, body) == (200, b"body")
    else:
        wanted = (403, "AccessDenied") if seconds == "0" else (400, "AuthorizationQueryParametersError")
        assert (status, code_of(body)) == wanted


@row("GetBucketCors", "a browser asks before its request, with {}", "nothing", "an origin", "origin and method")
def _(world, wish):
    headers = {} if wish == "nothing" else {"Origin": "http://example.com"}
    headers |= {"Access-Control-Request-Method": "GET"} if "method" in wish else {}
    status, told, body = wire.send(world.endpoint, "OPTIONS", f"/{world.bucket}/k", b"", headers)
    wanted = (403, "AccessForbidden") if "method" in wish else (400, "BadRequest")
    assert (status, code_of(body)) == wanted and "Access-Control-Allow-Origin" not in told
