"""What a sample is: three frames and one sentence that says where they come from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from personalize_nb.text.public import public


@public
@dataclass(frozen=True, repr=False, eq=False)
class Sample:
    """Interactions, items and users that are ready for `pnb.train`.

    Parameters
    ----------
    interactions
        `user_id`, `item_id`, `timestamp` (epoch seconds), `event_type`, and `event_value` where there is one;
        in order of time.
    items
        `item_id`, `title` and what else is known of each item; every item of `interactions` is here.
    users
        `user_id` and what is known of each user.
    note
        Where the data come from, in plain words.

    Examples
    --------
    >>> import personalize_nb as pnb
    >>> sample = pnb.samples.books(readers=50)
    >>> list(sample.interactions), list(sample.items)[:2], list(sample.users)[:2]
    (['user_id', 'item_id', 'timestamp', 'event_type', 'event_value'], ['item_id', 'title'], ['user_id', 'age_group'])
    >>> "simulated" in sample.note
    True
    """

    interactions: pd.DataFrame
    items: pd.DataFrame
    users: pd.DataFrame
    note: str

    def __repr__(self) -> str:
        counts = f"{len(self.interactions):,} interactions, {len(self.items):,} items, {len(self.users):,} users"
        return f"<Sample: {counts}. {self.note} Next: pnb.train(sample.interactions, sample.items, name=...)>"
