"""Requests become jobs, and jobs are watched.

A `request` is a value that can be checked, a `job` is one request sent, a `run` is several that are one to the user,
`manifests` remember it in S3, `room` says how many may start, `runs` begins one and finds one again. What was asked for
is soon `written`, and `recommend` takes ids to a job or a run in one call; its `arguments` are those of other calls,
too. Before that `costs` says what it comes to, with `stored_amounts` for input that lies in S3; `estimates` tell it.
After it `following` looks for the end. `listing` shows all jobs of the account.
"""

__all__ = [
    "arguments",
    "costs",
    "estimates",
    "following",
    "job",
    "listing",
    "manifests",
    "recommend",
    "request",
    "run",
    "runs",
]
