"""What a resource of Personalize reads and writes outside of it: locations in S3 and KMS keys, from its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Use:
    """A location that is read or written, or, without a bucket, a key that is used for the resource itself.

    Parameters
    ----------
    bucket, key
        The location.
    writes
        Whether it is written; it is listed in any case.
    key_arn
        The KMS key that the request names for it.
    folder
        Whether a location that is no object means the folder of that name, as for imports, rather than a prefix.
    """

    bucket: str | None = None
    key: str = ""
    writes: bool = False
    key_arn: str | None = None
    folder: bool = False


def role_of(body: Mapping[str, Any]) -> str | None:
    """Return the role that a resource names, if any."""
    role: str | None = body.get("roleArn") or body.get("metricsOutputConfig", {}).get("roleArn")
    return role


def uses_of(body: Mapping[str, Any]) -> list[Use]:
    """Return what a resource uses with its role, by the members that the API gives to imports, exports and jobs."""
    uses = []
    if location := body.get("dataSource", {}).get("dataLocation"):
        uses.append(_use(location, folder=True))
    if source := body.get("jobInput", {}).get("s3DataSource"):
        uses.append(_use(source["path"], key_arn=source.get("kmsKeyArn")))
    for member in ("jobOutput", "metricsOutputConfig"):
        if target := body.get(member, {}).get("s3DataDestination"):
            uses.append(_use(target["path"], key_arn=target.get("kmsKeyArn"), writes=True))
    if key_arn := body.get("kmsKeyArn"):
        uses.append(Use(key_arn=key_arn))
    return uses


def _use(location: str, **more: Any) -> Use:
    bucket, _, key = location.partition("://")[2].partition("/")
    return Use(bucket, key, **more)
