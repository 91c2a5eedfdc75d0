"""What a service keeps on disk beside objects and data: resources and the work queue (`store`, in a `database`), their
statuses (`lifecycle`), where files lie (`layout`), what is allowed (`quotas`), what a full disk
means (`diskspace`), and what differs between systems (`platform`).
"""

__all__ = ["database", "diskspace", "layout", "lifecycle", "platform", "quotas", "store"]
