"""Files of ids: a path, a pattern of paths, or what is open already; each is read once and as a whole."""

from __future__ import annotations

import glob
import io
import os
import re
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from personalize_nb.errors import InputError
from personalize_nb.inputs import delimited, json_records, unpacked
from personalize_nb.inputs.given import Given, joined
from personalize_nb.inputs.lines import unmarked
from personalize_nb.text.elements import elements

_JSON = (".jsonl", ".json", ".ndjson")
_PARQUET = (".parquet", ".pq")
_TEXTS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_BEGINS_AS_JSON = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]\d-])")


def read_paths(path: str | os.PathLike[Any]) -> Given:
    """Read the file of a path, or the files of a pattern such as `ids-*.csv`, in the order of their names, as one.

    Raises
    ------
    InputError
        There is no such file, or one cannot be read as what its name or content says.
    """
    text = os.fsdecode(os.fspath(path))
    files = _files(Path(text))
    if not files:
        raise _no_file(text)
    return joined([_of_file(file) for file in files], [file.name for file in files])


def are_names(ids: pd.Series | pd.Index) -> bool:
    """Tell ids that are all names of files of data that exist, as `glob.glob` gives them."""
    known = (*_JSON, *_PARQUET, *_TEXTS, ".txt")

    def named(some: list[Any]) -> bool:
        return bool(some) and all(isinstance(one, str) and _suffix(one) in known for one in some)

    # the first alone in nearly all cases: ids are many
    return named(elements(ids.array[:1])) and named(names := elements(ids)) and all(map(_exists, names))


def _exists(name: str) -> bool:
    return bool(_files(Path(name))) and not glob.has_magic(name)


def _files(path: Path) -> list[Path]:
    try:
        file = path.expanduser()
        if file.is_file():
            return [file]
        if not file.exists() and glob.has_magic(str(file)):
            return sorted(Path(one) for one in glob.glob(str(file), recursive=True) if Path(one).is_file())
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, a home that nobody has
        return []
    return []


def _no_file(text: str) -> InputError:
    try:
        folder, suffix = Path(text).expanduser().is_dir(), Path(text).suffix
    except (OSError, ValueError, RuntimeError):
        folder, suffix = False, ""
    shown = repr(text if len(text) <= 200 else f"{text[:200]}...")
    if folder:
        return InputError(
            f"There is a folder {shown}; name a file with ids, or several by a pattern: {text.rstrip('/')}/*.csv"
        )
    if "://" in text:
        return InputError(
            f"There is no file {shown}; addresses are not fetched here. Download it, or pass what was opened; "
            "pnb.recommend takes the s3:// address of input for a job."
        )
    if glob.has_magic(text):
        return InputError(f"There is no file {shown}: no file's name matches this pattern.")
    single = "" if suffix else f" A single id is given as a list: [{shown}]."
    return InputError(f"There is no file {shown}; name a file with ids.{single}")


def _of_file(file: Path) -> Given:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file.name} cannot be read: {error}.") from error
    return of_content(content, file.name)


def read_open(file: Any) -> Given | Any:
    """Read an open file or buffer from where it stands to its end.

    Parameters
    ----------
    file
        Anything with `read()`: text or bytes, its form told by its name or content. Where `read()` gives a table, as
        the readers of other libraries do, that table is returned.

    Raises
    ------
    InputError
        It is closed, not open for reading, or holds nothing that can be read.
    """
    name = getattr(file, "name", None)
    named = PurePath(os.fsdecode(name)).name if isinstance(name, (str, bytes)) and name else ""
    try:
        content = file.read()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{named or 'The open file'} cannot be read: {error}. Save it as UTF-8, or open it with its own encoding: "
            "open(path, encoding='latin-1')."
        ) from error
    except (OSError, ValueError, TypeError) as error:  # closed, not for reading
        raise InputError(
            f"{named or 'The open file'} cannot be read: {error}. Open it for reading, or pass its path."
        ) from error
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")  # half a character is found, and its line told, as bytes
    if isinstance(content, (bytes, bytearray, memoryview)):
        if not len(content):
            raise InputError(
                f"{named or 'The open file'} is empty, or was read to its end already: file.seek(0) goes back."
            )
        return of_content(bytes(content), named)
    return content


def of_content(content: bytes, name: str) -> Given:
    """Read the content of a file as what its name says, past a suffix of compression, or else its first bytes."""
    shown = name or "The file"
    plain = unpacked.unpacked(content, shown)
    suffix = _suffix(name)
    if suffix in _PARQUET or plain[:4] == plain[-4:] == b"PAR1":
        return _parquet(plain, shown)
    plain = unmarked(plain, shown)
    if suffix in _JSON or (suffix not in _TEXTS and _BEGINS_AS_JSON.match(plain)):
        if not plain.strip():
            raise InputError(f"{shown} is empty.")
        found = json_records.read(plain, shown)
        if not len(found.values):
            raise InputError(f"{shown} is empty.")
        return found
    tab = b"\t" in plain.lstrip().partition(b"\n")[0]
    return delimited.read(plain, shown, _TEXTS.get(suffix, "\t" if tab else ","))


def _suffix(name: str) -> str:
    suffixes = [one.lower() for one in PurePath(name).suffixes]
    while suffixes and suffixes[-1] in unpacked.SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _parquet(content: bytes, name: str) -> Given:
    try:
        return Given(pd.read_parquet(io.BytesIO(content), dtype_backend="pyarrow"))
    except Exception as error:  # damaged bytes end in any of the errors of two libraries
        raise InputError(
            f"{name} cannot be read as Parquet: {error}. Read it yourself, for example with pandas.read_parquet, and "
            "pass the frame."
        ) from error
