"""Which objects a location names as data: one rule for imports, deletions of users, and batch jobs of both kinds.

A location that names an object takes that object, whatever it is called. Otherwise it takes what lies under it, but for
what tools leave beside their data (`input_names` tells it by the names), and folder markers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from personalize_nb.contract.input_names import SIDE_SUFFIX, is_side_file

if TYPE_CHECKING:
    from personalize_nb.local.s3.store import ObjectStore

# side files that a failure names
_SHOWN = 3


@dataclass(frozen=True)
class InputFiles:
    """The sizes of the objects that are data, by key, and the keys of those beside them that are not."""

    sizes: dict[str, int]
    side: list[str]

    @property
    def beside(self) -> str:
        """What a sentence about no data adds where there are side files."""
        if not self.side:
            return ""
        shown = ", ".join(map(repr, self.side[:_SHOWN])) + (", ..." if len(self.side) > _SHOWN else "")
        return f" but {shown}: names that begin with '_' or '.' or end with '{SIDE_SUFFIX}' are no data"


def at(objects: ObjectStore, bucket: str, key: str, folder: bool = False) -> InputFiles:
    """Find the data at a location.

    Parameters
    ----------
    objects
        Where they are.
    bucket, key
        The location.
    folder
        Whether a key is the name of a folder, rather than how keys begin.
    """
    prefix = f"{key}/" if folder and key and not key.endswith("/") else key
    sizes: dict[str, int] = {}
    side: list[str] = []
    for info in objects.list(bucket, prefix=key):
        if info.key == key and not key.endswith("/"):
            return InputFiles({key: info.size}, [])
        if info.key.endswith("/") or not info.key.startswith(prefix):
            continue
        if is_side_file(info.key, prefix):
            side.append(info.key)
        else:
            sizes[info.key] = info.size
    return InputFiles(sizes, side)
