"""Which world the toolkit works in, and the road there: boto3.

`session` holds the `clients`, whose calls `call_log` writes down; `connection` knows the current one; `client_errors`
turns boto3's errors into ours, `s3` streams objects, `compression` unpacks files, `waiting` waits for a resource with
what `progress` says meanwhile.
"""

__all__ = ["client_errors", "compression", "connection", "progress", "s3", "session", "waiting"]
