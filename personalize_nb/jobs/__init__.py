"""Requests become jobs, and jobs are watched.

A `request` is a value that `rules` check, a `job` is one request sent, a `segment_job` one for users; what both are is
a `batch_job`, `unfit` recipes are told, and how what they wrote is read an `outcome`. A `run` is several that are
one to the user, `manifests` remember it in S3, `room` says how many may start, `runs` begins one and finds one again.
What was asked for is soon `written`, and `recommend` and `segments` take ids to a job or a run in one call: data become
`batches`, which `uploads` store, and `theme_columns` are looked up. The `arguments` are those of other calls, too.

`questions` are what jobs will be asked: input that is more than one job takes is cut into `parts`, several stand
`side_by_side`, and what was asked before is found for `reuse`; `beginning` makes a job or a run of them. A `queue`
takes requests as they are. `again` asks what failed once more, or the same with other parameters.

Before all that `costs` says what it comes to, with `stored_amounts` for input that lies in S3 and `job_counts` for how
many jobs it takes; `estimates` tell it, of `api_arguments` as well. After it `following` looks for the end. `listing`
shows all jobs of the account.
"""

__all__ = [
    "api_arguments",
    "arguments",
    "batch_job",
    "batches",
    "beginning",
    "costs",
    "estimates",
    "following",
    "job",
    "listing",
    "manifests",
    "parts",
    "questions",
    "queue",
    "recommend",
    "request",
    "reuse",
    "rules",
    "run",
    "run_results",
    "runs",
    "segment_job",
    "segments",
    "side_by_side",
    "stored_amounts",
    "theme_columns",
    "unfit",
]
