"""Partitions of AWS: which one a region lies in, as botocore knows it, also for regions that botocore does not know.

The service principal is `personalize.amazonaws.com` in every partition: the guides of the China regions name it so too.
"""

from __future__ import annotations

import re
from functools import cache

DEFAULT = "aws"


@cache
def partition_of(region: str) -> str:
    """Return the partition of a region by its name: `aws`, `aws-cn`, `aws-us-gov`, ...

    Examples
    --------
    >>> [partition_of(region) for region in ("eu-west-1", "cn-northwest-1", "us-gov-west-1", "mars-1")]
    ['aws', 'aws-cn', 'aws-us-gov', 'aws']
    """
    for name, pattern in _patterns():
        if pattern.fullmatch(region):
            return name
    return DEFAULT


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    import botocore.loaders

    found = botocore.loaders.Loader().load_data("partitions")["partitions"]
    return tuple((one["id"], re.compile(one["regionRegex"])) for one in found)
