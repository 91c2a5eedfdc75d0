"""Requests become jobs, and jobs are watched.

A `request` is a value that can be checked, a `job` is one request sent, a `run` is several that are one to the user,
`manifests` remember it in S3, `runs` begins one and finds one again. What was asked for is soon `written`, and
`recommend` takes ids to a job or a run in one call; its `arguments` are those of other calls, too.
"""

__all__ = ["arguments", "beginning", "item_texts", "job", "manifests", "queue", "recommend", "request", "run", "runs"]
