"""What stands on the service and is found by name.

`solutions` that were trained, `filters`, and `dataset_groups` with all that belongs to them.
"""

__all__ = ["dataset_groups", "filters", "solutions"]
