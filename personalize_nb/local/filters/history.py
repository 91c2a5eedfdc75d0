"""What each user did with each item, as far as a filter sees it: for most, the most recent events of every type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from personalize_nb.local.filters.columns import Postings
from personalize_nb.local.filters.rules import EVENT_TYPE


class FilterHistory:
    """Events by user, indexed once per job.

    Event types are compared without regard to case, as Amazon does for them alone.

    Parameters
    ----------
    interactions
        The imported interactions, or None.
    item_ids
        The catalogue.
    newest
        How many events of a type and user are seen; None for all.
    """

    def __init__(self, interactions: pa.Table | None, item_ids: pa.StringArray, newest: int | None):
        self.n_items = len(item_ids)
        if interactions is None:
            interactions = pa.table({name: pa.array([], pa.string()) for name in ("USER_ID", "ITEM_ID", EVENT_TYPE)})
            interactions = interactions.append_column("TIMESTAMP", pa.array([], pa.int64()))
        users = _encode(interactions["USER_ID"])
        column = next(name for name in interactions.column_names if name.upper() == EVENT_TYPE)
        types = _encode(pc.fill_null(pc.utf8_lower(interactions[column].cast(pa.string())), ""))
        items = pc.index_in(interactions["ITEM_ID"].cast(pa.string()), value_set=item_ids).combine_chunks()
        item_codes = pc.fill_null(items, -1).to_numpy().astype(np.int64)
        user_codes, type_codes = _codes(users), _codes(types)
        kept = np.arange(len(user_codes))
        if newest is not None:
            kept = _most_recent(user_codes, type_codes, interactions["TIMESTAMP"].to_numpy(), newest)
        kept = kept[item_codes[kept] >= 0]
        self.types = types.dictionary.to_pylist()
        self.row_of_user = {user: row for row, user in enumerate(users.dictionary.to_pylist())}
        # one row more, without events, for users nobody knows (code -1)
        self.events = Postings.grouped(user_codes[kept], kept, len(self.row_of_user) + 1)
        self.item_codes, self.type_codes = item_codes, type_codes

    def users(self, ids: Sequence[str | None]) -> np.ndarray:
        """Return the row of each user, -1 for one without events."""
        return np.array([self.row_of_user.get(user, -1) for user in ids], dtype=np.int64)

    def matching_types(self, literals: Sequence[str] | None) -> np.ndarray:
        """Return for each known event type whether it is one of `literals`; None stands for `*`."""
        if literals is None:
            return np.ones(len(self.types), dtype=bool)
        wanted = {text.lower() for text in literals}
        return np.array([name in wanted for name in self.types], dtype=bool)

    def touched(self, users: np.ndarray, types: np.ndarray, types_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (place in `users`, item) for every event of a wanted type.

        Parameters
        ----------
        users
            Rows of users.
        types
            [choices, at least the number of event types]: the wanted ones.
        types_of
            The choice of each of `users`.
        """
        owner, events = self.events.take(users)
        wanted = types[types_of[owner], self.type_codes[events]]
        return owner[wanted], self.item_codes[events[wanted]]

    def has_event(self, users: np.ndarray, types: np.ndarray) -> np.ndarray:
        """Return for rows of users whether each has an event of a wanted type, with whatever item."""
        owner, events = self.events.take(users)
        found = np.zeros(len(users), dtype=bool)
        found[owner[types[self.type_codes[events]]]] = True
        return found


def _most_recent(users: np.ndarray, types: np.ndarray, times: np.ndarray, newest: int) -> np.ndarray:
    order = np.lexsort((times, types, users))
    users, types = users[order], types[order]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (users[1:] != users[:-1]) | (types[1:] != types[:-1])
    ends = np.flatnonzero(last)
    age = np.repeat(ends, np.diff(ends, prepend=-1)) - np.arange(len(order))
    return np.sort(order[age < newest])


def _encode(values: pa.ChunkedArray) -> pa.DictionaryArray:
    return values.cast(pa.string()).combine_chunks().dictionary_encode()


def _codes(encoded: pa.DictionaryArray) -> np.ndarray:
    codes: np.ndarray = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes
