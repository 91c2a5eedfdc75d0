"""Whether a job or a training can do what it asks, found before: `preflight` looks, `permissions` mends."""

__all__ = ["permissions", "preflight", "training"]
