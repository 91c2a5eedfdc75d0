"""Which files a job read and wrote: objects in S3, files on disk, folders of them, patterns, lists of all these.

A file that is named counts whatever it is called; in a folder those count whose name ends in `.out`, as the service
names them, also compressed or in parts.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from personalize_nb.errors import AccessError, InputError, NotFoundError
from personalize_nb.results.parts import COMPRESSED, SUFFIX, input_name, is_output
from personalize_nb.session import s3

if TYPE_CHECKING:
    from personalize_nb.session.s3 import Stored
    from personalize_nb.session.session import Session

Place: TypeAlias = "str | os.PathLike[str]"
Places: TypeAlias = "Place | Iterable[Place]"

NO_ROW = "the output has no row for this input line"
NO_ITEMS = "answered without an item: the filter, or the recipe, leaves none for this line"
NO_USERS = "answered without a user: the filter, or the recipe, leaves none for this line"

_PATTERN = re.compile(r"[*?\[]")
_LEGAL = (
    "a file of a job's output, a folder of files that end in '.out', a pattern like 'out/*.out', an open file, or a "
    "list of these"
)
# a path makes one slash of two
_ELSEWHERE = re.compile(r"(?!file:)([a-z][a-z0-9+.-]+):/+", re.IGNORECASE)


def addresses(given: Places, name: str) -> list[str]:
    """Return what a user named as `s3://` addresses and local paths.

    Raises
    ------
    InputError
        It is no address, path or list of them.
    """
    if isinstance(given, (str, os.PathLike)):
        return [_address(given, name)]
    named = isinstance(given, (bytes, bytearray, memoryview, Mapping, type)) or hasattr(given, "columns")
    if named or not isinstance(given, Iterable):
        content = (
            "; the content of a file is given as io.BytesIO(data)" if isinstance(given, (bytes, bytearray)) else ""
        )
        raise InputError(f"'{name}' must be {_LEGAL}; got {type(given).__name__}{content}")
    found = [_address(one, name) for one in given]
    if not found:
        raise InputError(f"'{name}' must be {_LEGAL}; got an empty {type(given).__name__}")
    return found


def _address(given: object, name: str) -> str:
    text = os.fspath(given) if isinstance(given, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"'{name}' must be {_LEGAL}; got {given!r}")
    if text.lower().startswith("s3://"):
        return f"s3://{text[5:]}"
    if text.lower().startswith("file:"):
        parts = urlsplit(text)
        if parts.netloc not in ("", "localhost"):
            raise InputError(f"'{name}' must be a file of this machine, like 'file:///home/me/out', got {text!r}")
        text = url2pathname(parts.path) if not parts.query and not parts.fragment else unquote(text.split(":", 1)[1])
    elif (found := _ELSEWHERE.match(text)) and not Path(text).exists():
        what = (
            "Path() makes no s3:// address: pass the text" if found[1].lower() == "s3" else "Nothing is fetched there"
        )
        raise InputError(
            f"'{name}' must be an s3:// address, like 's3://bucket/folder/', or a downloaded file; got {text!r}. "
            f"{what}."
        )
    path = str(Path(os.path.expanduser(text)))
    return f"{path}/" if text.endswith("/") else path  # a folder, also when it is gone


def input_files(session: Session | None, source: Places) -> list[Stored]:
    """List what a job with this input reads: the object of that name, else all whose keys begin with it."""
    files: dict[str, Stored] = {}
    for address in addresses(source, "source"):
        for one in _named(session, address):
            if one.address == address or not (is_output(one.name) or one.name.endswith("_CHECK")):
                files.setdefault(one.address, one)
    return list(files.values())


def output_files(
    session: Session | None, output: Places, source: Places | None = None, read: Sequence[Stored] | None = None
) -> list[Stored]:
    """List a job's output: files that are named, and in folders those that are named after the job's input.

    Other jobs may have written to the same folder. Without an input all `.out` objects count. What the jobs `read`, the
    `input_files` of the source, need not be listed again by those who have it.

    Raises
    ------
    NotFoundError
        There are none, or only those of other jobs.
    """
    files: dict[str, Stored] = {}
    asked = () if source is None else addresses(source, "source")
    for address in addresses(output, "output"):
        try:
            found = _named(session, address)
        except AccessError:
            found = _unlisted(session, address, asked)
            if not found:
                raise
            files |= {one.address: one for one in found}
            continue
        if not _is_folder(address, found):
            files |= {one.address: one for one in found}
            continue
        outputs = [one for one in found if is_output(one.name)]
        if not outputs:
            raise NotFoundError(_nothing(session, address, found))
        if read is None:  # once for all folders of a run
            read = input_files(session, list(asked)) if asked else []
        files |= {one.address: one for one in _own(address, outputs, asked, read)}
    return list(files.values())


def _unlisted(session: Session | None, address: str, source: Sequence[str]) -> list[Stored]:
    """Find the output of input files in a folder that may not be listed, by the names that the service gives it."""
    names = [one.rpartition("/")[2] for one in source if not _PATTERN.search(one)]
    found: list[Stored] = []
    for name in filter(None, names):
        with suppress(AccessError):
            found += s3.stored(session, f"{address.rstrip('/')}/{name}{SUFFIX}")
    return found


def unwritten(session: Session | None, output: Places, source: Places) -> list[str]:
    """Return the names of input files that have no output; of input that is gone, its own name stands for all."""
    read = input_files(session, source)
    try:
        written = {input_name(one.name) for one in output_files(session, output, source, read)}
    except (NotFoundError, AccessError):  # where nothing may be listed, S3 says this of what is absent
        written = set()
    asked = [one.name for one in read]
    if not asked:
        return [] if written else [one.rpartition("/")[2] for one in addresses(source, "source")]
    return [name for name in asked if not written & {name, COMPRESSED.sub("", name)}]


def _is_folder(address: str, found: Sequence[Stored]) -> bool:
    """Tell whether an address stands for the files in it, and not for those that it names one by one."""
    if _PATTERN.search(address) and found:
        return False
    return [one.address for one in found] != [address]


def _named(session: Session | None, address: str) -> list[Stored]:
    """List what an address names: the file of that name, what a pattern matches, else all that lies below it."""
    if s3.is_s3(address):
        found = s3.stored(session, address)
        exact = [one for one in found if one.address == address and not address.endswith("/")]
        if exact or found or not _PATTERN.search(address):
            return exact or found
        begin = _PATTERN.split(address)[0]
        below = s3.stored(session, begin) if begin.count("/") > 2 else []
        return _of_pattern([one for one in below if fnmatch.fnmatchcase(one.address, address)])
    found = s3.stored(session, address)
    if found or Path(address).exists() or not _PATTERN.search(address):
        return found or [one for file in _below(address) for one in s3.stored(session, file)]
    return _of_pattern([one for name in sorted(glob.glob(address, recursive=True)) for one in s3.stored(session, name)])


def _of_pattern(found: list[Stored]) -> list[Stored]:
    """Leave out what lies beside the output where a pattern takes all of a folder."""
    return [one for one in found if is_output(one.name)] or [one for one in found if one.name != "_CHECK"]


def _below(address: str) -> list[str]:
    """List the output of folders in a folder that has no file itself: each job of a run has a folder of its own."""
    return [str(file) for file in sorted(Path(address).rglob("*")) if file.is_file() and is_output(file.name)]


def _nothing(session: Session | None, address: str, found: Sequence[Stored]) -> str:
    """Say that there is no output, what there is, and what is legal."""
    there = f"; there is {few([one.name for one in found])}" if found else ""
    if s3.is_s3(address):
        legal = " A file of another name is read by its own address." if found else ""
        return (
            f"There is no output ending in {SUFFIX} at {address!r}{there}. A job writes it before it is ACTIVE.{legal}"
        )
    path = Path(address)
    if found:
        return (
            f"There is no output ending in {SUFFIX} in the folder {address!r}{there}. Legal is {_LEGAL}: "
            f"pnb.read_results({found[0].address!r}) reads a file of another name."
        )
    what = "is empty" if path.is_dir() else "is not there"
    parent = next((one for one in path.absolute().parents if one.is_dir()), Path("."))
    near = few(sorted(one.name for one in parent.iterdir())) if not path.is_dir() else ""
    beside = f" The folder {str(parent)!r} has {near}." if near else ""
    return f"There is no output ending in {SUFFIX} at {address!r}, which {what}.{beside} Legal is {_LEGAL}."


def _own(address: str, outputs: list[Stored], source: Sequence[str], asked: Sequence[Stored]) -> list[Stored]:
    """Return the outputs that are named after the input."""
    if not source:
        return outputs
    # named after the input file, or after its path below the input's folder where two folders hold one name
    folders = [len(one.rpartition("/")[0]) + 1 for one in source]
    names = {one.name for one in asked}
    names |= {one.address[folder:] for one in asked for folder in folders}
    names = names or {one[folder:] for one, folder in zip(source, folders, strict=True)}  # the input is gone
    named = {f"{COMPRESSED.sub('', name) if plain else name}" for name in names for plain in (True, False)}
    top = address.rstrip("/") if s3.is_s3(address) else outputs[0].address.rpartition("/")[0]
    # several files; the jobs of a run have a folder of output each
    many = len(source) > 1 or source[0].endswith("/") or Path(source[0]).is_dir() or bool(_PATTERN.search(source[0]))
    own = [
        one
        for one in outputs
        if input_name(one.address.removeprefix(top).lstrip("/")) in named or (many and input_name(one.name) in named)
    ]
    if own or (many and not asked):
        return own or outputs
    raise NotFoundError(
        f"The output at {address!r} is not of this job: there is {few([one.name for one in outputs])}, and the input "
        f"{few(list(source))} leads to {few(sorted(f'{name}{SUFFIX}' for name in names))}; "
        f"pnb.read_results({address!r}) reads all that is there."
    )


def few(names: list[str], most: int = 3) -> str:
    """Return names in quotes, the first ones where there are many."""
    return ", ".join(map(repr, names[:most])) + (f" and {len(names) - most:,} more" if len(names) > most else "")
