"""Whether a job may do what it asks, found before it is started: `preflight` looks, `permissions` mends."""

__all__ = ["permissions", "preflight"]
