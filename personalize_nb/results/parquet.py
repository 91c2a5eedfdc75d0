"""Results as a Parquet file, on disk or in S3, written block by block: no size of output needs more memory."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from personalize_nb.errors import InputError
from personalize_nb.session import s3
from personalize_nb.session.connection import current
from personalize_nb.text.values import shown

if TYPE_CHECKING:
    from personalize_nb.session.session import Session


def write(
    tables: Iterator[pa.Table], path: str | os.PathLike[str], session: Session | None, kms_key_arn: str | None
) -> str:
    """Write tables of one schema below each other; what cannot be written whole leaves what was there before.

    Parameters
    ----------
    tables
        At least one.
    path
        A file's path or `s3://` address.
    session
        Where to write what goes to S3; None for that of `pnb.connect()`.
    kms_key_arn
        The key that encrypts what goes to S3.

    Returns
    -------
    str
        The path or address.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"'path' must be a file's path or an 's3://' address, got {shown(path)}.")
    name = os.fspath(path)
    if s3.is_s3(name):
        return _to_s3(tables, name, session, kms_key_arn)
    if kms_key_arn is not None:
        raise InputError(f"'kms_key_arn' is for files in S3, got the path {name!r}.")
    return _to_disk(tables, name)


def _to_s3(tables: Iterator[pa.Table], address: str, session: Session | None, kms_key_arn: str | None) -> str:
    if address.endswith("/") or not s3.split(address)[1]:
        raise InputError(f"'path' must name a file, got the folder {address!r}: {address.rstrip('/')}/results.parquet")
    with tempfile.TemporaryFile() as file:
        _write(tables, file)
        file.seek(0)
        s3.upload(current(session), file, address, kms_key_arn)
    return address


def _to_disk(tables: Iterator[pa.Table], name: str) -> str:
    target = Path(name).expanduser()
    if name.endswith(("/", os.sep)) or target.is_dir():
        raise InputError(f"'path' must name a file, got the folder {name!r}: {str(target / 'results.parquet')!r}")
    half = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        file = open(half, "xb")  # noqa: SIM115  # with the permissions that files get here, as tempfile's have not
    except OSError as error:
        raise InputError(
            f"{str(target)!r} cannot be written: {error.strerror}. Name a file in a folder that is there."
        ) from error
    try:
        with file:
            _write(tables, file)
        if target.exists():
            shutil.copymode(target, half)
        os.replace(half, target)
    except BaseException:  # also where the kernel is interrupted: half a file is worth nothing
        half.unlink()
        raise
    return str(target)


def _write(tables: Iterator[pa.Table], file: IO[Any]) -> None:
    import pyarrow.parquet as pq  # a tenth of a second, for those who write

    first = next(tables)
    with pq.ParquetWriter(file, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
