"""What each call of the Personalize API means: one file a kind of resource, all joined in `all_operations`.

`control` is what they share. Where the API's behaviour is not documented, `documented_choices` tells what is done.
"""

__all__ = ["all_operations", "campaigns", "control", "datasets", "event_trackers", "filters"]
