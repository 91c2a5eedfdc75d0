"""Which world the toolkit works in, and the road there: boto3.

`session` holds the `clients`, whose calls `call_log` writes down; `connection` knows the current one; `credentials` are
asked for again when they end. `client_errors` turns boto3's errors into ours by the table of `explanations`, `answers`
holds what comes to AWS's model, `creating` makes things once, `owners` marks what is made, `rates` are the user's table
of prices; what is `portable` of a session becomes one in another process, and `reconnecting` says how a notebook makes
one. `s3` streams objects, `s3_levels` are what somebody sees who looks through them, `compression` unpacks files,
`ahead` works while the next block comes, `waiting` waits for a resource with what `progress` says meanwhile,
`transfers` shows bytes that come and go.
"""

__all__ = [
    "ahead",
    "answers",
    "client_errors",
    "compression",
    "connection",
    "creating",
    "explanations",
    "folders",
    "owners",
    "portable",
    "progress",
    "rates",
    "reconnecting",
    "s3",
    "s3_levels",
    "session",
    "transfers",
    "waiting",
]
