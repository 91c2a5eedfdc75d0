"""What each call of the Personalize API means: one file a resource family, all joined in `families`.

`control` is what they share. Where the API's behaviour is not documented, `documented_choices` tells what is done.
"""

__all__ = ["campaigns", "control", "datasets", "event_trackers", "families", "filters"]
