"""What a service keeps on disk beside objects and data.

Resources and the work queue (`store`, in a `database`), their types (`resources`) and `kinds`, what only the service
knows of them (`facts`) and their statuses (`lifecycle`), where files lie (`layout`), which of them hold models
(`model_folders`) and which a dataset's rows (`versions`), whether all parts belong together (`wholeness`), what is
allowed (`quotas`), what a full disk means (`diskspace`) and other `faults` of the machine, what outlives a power cut
(`durability`), and what differs between systems (`platform`).
"""

__all__ = [
    "database",
    "diskspace",
    "durability",
    "facts",
    "faults",
    "kinds",
    "layout",
    "lifecycle",
    "model_folders",
    "platform",
    "quotas",
    "resources",
    "store",
    "versions",
    "wholeness",
]
