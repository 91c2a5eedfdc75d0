"""Requests become jobs, and jobs are watched.

A `request` is a value that can be checked, a `job` is one request sent, a `run` is several that are one to the user,
`manifests` remember a run in S3, and `recommend` takes ids to either in one call; its `arguments` are those of other
calls, too.
"""

__all__ = ["arguments", "job", "manifests", "recommend", "request", "run"]
