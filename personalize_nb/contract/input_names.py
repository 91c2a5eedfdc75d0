"""Which objects beside the data of a job are no data, told by their names: what tools leave behind, and output.

Names that begin with `_` or a dot, below the location at any depth (Spark's `_SUCCESS`, Hadoop's `.part-0.crc` and
`_temporary/`), and Athena's `.metadata`.
"""

from __future__ import annotations

_HIDDEN = ("_", ".")
SIDE_SUFFIX = ".metadata"
OUTPUT_SUFFIX = ".out"


def is_side_file(key: str, prefix: str) -> bool:
    """Tell whether a key's name, or a folder on its way there, says that it is no data.

    Of a name whose beginning the location gives, that beginning was asked for.

    Examples
    --------
    >>> is_side_file("in/_SUCCESS", "in/"), is_side_file("in/_tmp/a.json", "in"), is_side_file("in/_a.json", "in/_a")
    (True, True, False)
    """
    first, *others = key[len(prefix) :].split("/")
    names = others if prefix and not prefix.endswith("/") else [first, *others]
    return key.endswith(SIDE_SUFFIX) or any(name.startswith(_HIDDEN) for name in names)


def is_output(key: str) -> bool:
    """Tell whether a key is that of a job's output, or of a part of one.

    Examples
    --------
    >>> is_output("in/users.jsonl.out"), is_output("in/users.jsonl.out.part-1"), is_output("in/users.jsonl")
    (True, True, False)
    """
    name = key.rpartition("/")[2]
    return name.endswith(OUTPUT_SUFFIX) or f"{OUTPUT_SUFFIX}.part" in name
