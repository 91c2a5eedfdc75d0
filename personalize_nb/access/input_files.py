"""What lies at the address of a job's input: the objects that are data, and what is beside them.

Listing is bounded: more than a job may have need not be counted to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from personalize_nb import errors
from personalize_nb.contract import limits
from personalize_nb.contract.input_names import is_output, is_side_file
from personalize_nb.session import s3

if TYPE_CHECKING:
    from personalize_nb.session.session import Session

# five pages of a listing
_MOST_KEYS = 5 * limits.MAX_INPUT_FILES
# of which no byte can be read before it is restored
_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
# a key that ends so is the beginning of names on purpose: part-00000, date=2026-01-01
_ON_PURPOSE = ("-", "_", "=", ".")


@dataclass(frozen=True)
class InputObject:
    """One object of the input."""

    key: str
    size: int
    storage: str = "STANDARD"

    @property
    def is_archived(self) -> bool:
        """Whether it must be restored before anybody can read it."""
        return self.storage in _ARCHIVES


@dataclass(frozen=True)
class InputFound:
    """What a location holds.

    Parameters
    ----------
    prefix
        The location's key.
    data
        The objects that are data, by key.
    side
        Keys that are no data by their names.
    exact
        Whether an object has the location's very key; its siblings are then among `siblings`.
    siblings
        Names that begin as the location does, though they are beside it.
    complete
        Whether everything was listed; where nothing could be, the location's own object is all that is known.
    """

    prefix: str
    data: tuple[InputObject, ...]
    side: tuple[str, ...] = ()
    exact: bool = False
    siblings: tuple[str, ...] = ()
    complete: bool = True

    @property
    def size(self) -> int:
        """The bytes of the data."""
        return sum(one.size for one in self.data)

    @property
    def outputs(self) -> list[str]:
        """Keys among the data that an earlier job wrote."""
        return [one.key for one in self.data if is_output(one.key)]

    @property
    def twice(self) -> list[str]:
        """File names that several folders of the input have."""
        names = [one.key.rpartition("/")[2] for one in self.data]
        return sorted({name for name in names if names.count(name) > 1}) if len(names) != len(set(names)) else []

    def sample(self, most: int) -> list[InputObject]:
        """Return the objects to look into: the first ones, and the largest, which are likelier to be too large."""
        full = [one for one in self.data if one.size and not one.is_archived]
        first = full[: (most + 1) // 2]
        largest = sorted(full, key=lambda one: one.size, reverse=True)
        chosen = dict.fromkeys([*first, *largest])
        return list(chosen)[:most]


def find(session: Session, bucket: str, key: str) -> InputFound:
    """Find what lies at a location, as Personalize takes it.

    Raises
    ------
    PersonalizeError
        Neither may it be listed, nor is there an object of that key to be looked at; or the credentials have ended.
    """
    try:
        entries, complete = s3.listed(session, bucket, key, _MOST_KEYS)
    except errors.CredentialsError:
        raise
    except errors.AccessError:
        found = s3.looked_at(session, f"s3://{bucket}/{key}")
        if found is None:
            raise
        return InputFound(key, (_of(found),), exact=True, complete=False)
    objects = [one for one in map(_of, entries) if not one.key.endswith("/")]
    exact = next((one for one in objects if one.key == key), None)
    data = tuple(one for one in objects if one is exact or not is_side_file(one.key, key))
    side = tuple(one.key for one in objects if one is not exact and is_side_file(one.key, key))
    siblings = tuple(_siblings(key, [one.key for one in data], exact is not None))
    if exact is not None:
        return InputFound(key, (exact,), exact=True, siblings=siblings, complete=complete)
    return InputFound(key, data, side, siblings=siblings, complete=complete)


def _of(stored: s3.Stored) -> InputObject:
    return InputObject(s3.split(stored.address)[1], stored.size, stored.storage)


def _siblings(key: str, found: list[str], exact: bool) -> list[str]:
    """Return names beside the one that a location without a slash at its end may mean."""
    if not key or key.endswith("/") or (not exact and key.endswith(_ON_PURPOSE)):
        return []
    folder = len(key.rpartition("/")[0]) + 1 if "/" in key else 0
    names = list(dict.fromkeys(one[folder:].partition("/")[0] for one in found))
    meant = key[folder:]
    if exact or meant in names:
        return [name for name in names if name != meant]
    return names if len(names) > 1 else []
