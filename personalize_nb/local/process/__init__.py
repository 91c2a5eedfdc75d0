"""The processes of one service: the `service` itself, its `worker`s under a `supervisor`, and how others find it."""

__all__ = ["discovery", "service", "worker"]
