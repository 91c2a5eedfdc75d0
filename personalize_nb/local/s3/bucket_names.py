"""What S3 takes as a bucket's name and as its region, and its refusals of all else.

The rules are those of general purpose buckets in S3's user guide: some names are kept for aliases of access points, for
other kinds of buckets and for examples.
"""

from __future__ import annotations

import re
from functools import cache

import botocore.session

from personalize_nb.local.errors import ApiError

PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an")
FIRST_REGION = "us-east-1"
# how the first bucket of Europe was asked for, and still may be
_EUROPE = {"EU": "eu-west-1"}
# four numbers in whatever range: S3 looks at the form
_ADDRESS = re.compile(r"\d+(\.\d+){3}")
_LABELS = re.compile(r"(?=.{3,63}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def check_name(name: str) -> None:
    """Refuse what S3 takes for no bucket's name.

    Raises
    ------
    ApiError
        `InvalidBucketName`.
    """
    if broken := _broken_rule(name):
        raise ApiError("InvalidBucketName", f"The specified bucket is not valid: {name!r}. {broken}.")


def _broken_rule(name: str) -> str:
    if not _LABELS.fullmatch(name):
        return (
            "Legal are 3 to 63 of a-z, 0-9, '-' and '.', beginning and ending with a letter or digit, also on both "
            "sides of each '.'"
        )
    if _ADDRESS.fullmatch(name):
        return "A name must not look like an IP address"
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return f"A name must not begin with {prefix!r}; S3 keeps {', '.join(PREFIXES)} for itself"
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            return f"A name must not end in {suffix!r}; S3 keeps {', '.join(SUFFIXES)} for itself"
    return ""


def region_of(constraint: str | None, here: str) -> str:
    """Return the region in which a bucket is made.

    Parameters
    ----------
    constraint
        What CreateBucket says.
    here
        The region of this service: its endpoint is the one of that region, in us-east-1 the one of all.

    Raises
    ------
    ApiError
        `InvalidLocationConstraint` for what is no region to name, `IllegalLocationConstraintException` for one whose
        own endpoint has to be asked.
    """
    if not constraint:
        if here != FIRST_REGION:
            raise _elsewhere("unspecified", here)
        return here
    region = _EUROPE.get(constraint, constraint)
    # S3 names us-east-1 by silence
    if region == FIRST_REGION or region not in _regions(here):
        legal = sorted(_regions(here) - {FIRST_REGION})
        raise ApiError(
            "InvalidLocationConstraint",
            f"The specified location-constraint is not valid: {constraint!r}. Leave out CreateBucketConfiguration for "
            f"{FIRST_REGION}; legal are {', '.join(legal)}.",
        )
    if here not in (FIRST_REGION, region):
        raise _elsewhere(constraint, here)
    return region


def _elsewhere(constraint: str, here: str) -> ApiError:
    return ApiError(
        "IllegalLocationConstraintException",
        f"The {constraint} location constraint is incompatible for the region specific endpoint this request was sent "
        f"to: it is {here}'s. Name CreateBucketConfiguration={{'LocationConstraint': {here!r}}}.",
    )


@cache
def _regions(here: str) -> frozenset[str]:
    """Return the regions of the partition of one, with that one itself."""
    session = botocore.session.get_session()
    partitions = [frozenset(session.get_available_regions("s3", name)) for name in session.get_available_partitions()]
    return next((regions for regions in partitions if here in regions), partitions[0]) | {here}
