"""S3 on disk: the `store` holds buckets and objects, the `handler` speaks the protocol."""

__all__ = ["handler", "joining", "store", "sweeping", "verifying"]
