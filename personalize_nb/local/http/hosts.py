"""By which names the port may be called, and the bucket that may stand before one of them.

A web page must not reach us through a name of its own (DNS rebinding). Every name below `localhost` is this machine's
(RFC 6761): no name server can give it to another.
"""

from __future__ import annotations

import re

from personalize_nb.local.errors import ApiError

_LOCALHOST = "localhost"
# the service itself, as AWS names its endpoints; what stands before it is a bucket
_SERVICE = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:\.dualstack)?(?:[.-][a-z]{2,4}(?:-[a-z]+)+-\d{1,2})?")
_NAMES = frozenset({"127.0.0.1", _LOCALHOST, "::1"})


def check_host(host: str, url: str) -> None:
    """Refuse a Host header that is no loopback name.

    Parameters
    ----------
    host
        The header.
    url
        The address to name instead.

    Raises
    ------
    ApiError
        `AccessDenied`, with the endpoint to use and how buckets are addressed on it.
    """
    name = (host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]).lower()
    if name not in _NAMES and not name.endswith(f".{_LOCALHOST}"):
        raise ApiError(
            "AccessDenied",
            f"Host must be 127.0.0.1, localhost or <bucket>.localhost, got {host!r}. Use the endpoint {url} with "
            'path-style addressing of buckets: boto3 Config(s3={"addressing_style": "path"}), AWS CLI '
            "`aws configure set default.s3.addressing_style path`, in other SDKs forcePathStyle.",
            403,
        )


def bucket_of_host(host: str) -> str:
    """Return the bucket in front of `localhost` in a Host header, as S3's virtual hosts have it; empty without one."""
    name, dot, last = host.partition(":")[0].lower().rpartition(".")
    if not dot or last != _LOCALHOST:
        return ""
    service = _SERVICE.fullmatch(name)
    return name if service is None else service["bucket"] or ""
