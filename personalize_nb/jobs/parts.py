"""Input that one job may not take, cut into parts that jobs take: by bytes, by records, by files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from personalize_nb import errors
from personalize_nb.contract import limits, parameters
from personalize_nb.contract.parameters import THEME_GENERATION
from personalize_nb.session import s3
from personalize_nb.session.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

    from personalize_nb.inputs.batch import Batch
    from personalize_nb.session.s3 import Stored

LIMITS = ("max_bytes", "max_records", "max_files")
_IN_MEMORY = 32 << 20
SHORTEST_LINE = 14  # {"userId":""} and its end
_LONGEST_ESCAPE = 6  # bytes in JSON that a byte of a text can take
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class InputLimits:
    """What a job takes of input; AWS's quotas where nothing is said.

    Parameters
    ----------
    max_bytes
        Bytes of all files together.
    max_records
        Lines of a file; None for the quota, which is another one with themes.
    max_files
        Files.
    """

    max_bytes: int = limits.MAX_INPUT_BYTES
    max_records: int | None = None
    max_files: int = limits.MAX_INPUT_FILES

    def records(self, mode: str) -> int:
        """Return how many lines a file of a job of this mode takes."""
        themes = mode == THEME_GENERATION
        return self.max_records or (limits.MAX_THEME_RECORDS_PER_FILE if themes else limits.MAX_RECORDS_PER_FILE)


QUOTAS = InputLimits()


def input_limits(max_bytes: int | None, max_records: int | None, max_files: int | None) -> InputLimits:
    """Return the limits that a user names, quotas for those that are None.

    Raises
    ------
    InputError
        One is no whole number from 1.
    """
    given = {"max_bytes": max_bytes, "max_records": max_records, "max_files": max_files}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        for problem in parameters.named(name).kind.problems(name, value):
            raise errors.InputError(problem)
    return InputLimits(**{name: int(value) for name, value in given.items()})  # type: ignore[arg-type]


def limits_in(given: Mapping[str, Any]) -> InputLimits:
    """Return the limits among parameters of `recommend`."""
    return input_limits(*(given.get(name) for name in LIMITS))


@dataclass(frozen=True)
class CutPart:
    """Lines that one job takes: a file that stands at its beginning, and how many there are."""

    file: IO[bytes]
    records: int


def batch_blocks(batch: Batch) -> Iterator[bytes | memoryview]:
    """Yield the lines of a batch in blocks of whole lines, which the pieces that they are made in are not."""
    from personalize_nb.inputs.json_lines import encoded

    rest: bytes = b""
    for piece in encoded(batch.table):
        block = b"".join([rest, piece])
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if end:
            yield memoryview(block)[:end]


def longest(batch: Batch) -> int:
    """Return a number of bytes that a batch will not take more of, without writing it."""
    names = sum(len(name) + 16 for name in batch.table.column_names)
    size = sum(map(_size, batch.table.columns))
    return size * _LONGEST_ESCAPE + len(batch) * (names + 32)


def _size(column: pa.ChunkedArray) -> int:
    """Return a number of bytes that the values of a column are not more of, where each row has its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    if not pa.types.is_string(column.type.value_type):
        return len(column) * max((chunk.dictionary.nbytes for chunk in column.chunks), default=0)
    # of values that are kept once the longest stands for all
    return len(column) * max(
        (pc.max(pc.binary_length(one.dictionary)).as_py() or 0 for one in column.chunks), default=0
    )


def batch_is_over(batch: Batch, mode: str, limit: InputLimits) -> bool:
    """Tell whether a batch is more than one job takes."""
    if len(batch) > limit.records(mode):
        return True
    if longest(batch) <= limit.max_bytes:
        return False
    size = 0
    for block in batch_blocks(batch):
        size += len(block)
        if size > limit.max_bytes:
            return True
    return False


def files_over(session: Session, address: str, mode: str, limit: InputLimits) -> list[Stored]:
    """Return the files of input in S3 that is more than one job takes; none where one job takes it.

    What may not be listed or is not there is left to the service to judge.
    """
    from personalize_nb.results.output_files import input_files

    if not s3.is_s3(address):
        return []
    try:
        files = input_files(session, address)
        if len(files) > limit.max_files or sum(one.size for one in files) > limit.max_bytes:
            return files
        most = limit.records(mode)
        long = (one for one in files if one.size >= most * SHORTEST_LINE)
        return files if any(_has_more(session, one, most) for one in long) else []
    except (errors.AccessError, errors.NotFoundError):
        return []


def _has_more(session: Session, file: Stored, most: int) -> bool:
    count = 0
    for block in s3.line_blocks(session, file.address, whole=file.size):
        count += sum(1 for line in block.split(b"\n") if line.strip())
        if count > most:
            return True
    return False


def stored_blocks(session: Session, files: Iterable[Stored]) -> Iterator[bytes]:
    """Yield the lines of several files as if they were one."""
    for file in files:
        first = True
        for block in s3.line_blocks(session, file.address, whole=file.size):
            block = block.removeprefix(_MARK) if first else block
            first = False
            yield block if block.endswith(b"\n") else block + b"\n"


def cut(blocks: Iterable[bytes | memoryview], mode: str, limit: InputLimits) -> Iterator[CutPart]:
    """Yield parts of blocks of text, each as long as the limits allow; empty lines are left out.

    A part is to be used before the next one is asked for, which closes its file.

    Raises
    ------
    InputError
        A line alone is more than a job takes.
    """
    most, lines = limit.records(mode), _lines(blocks)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 closed where the next one begins
    size = records = 0
    try:
        for line in lines:
            if len(line) > limit.max_bytes:
                raise errors.InputError(
                    f"A line of the input has {len(line):,} bytes, {bytes(line[:60])!r}...; a job takes "
                    f"{limit.max_bytes:,} in all. Shorten it, or leave it out."
                )
            if records == most or size + len(line) > limit.max_bytes:
                file.seek(0)
                yield CutPart(file, records)
                file.close()
                file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
                size = records = 0
            file.write(line)
            size += len(line)
            records += 1
        if records:
            file.seek(0)
            yield CutPart(file, records)
    finally:
        file.close()


def _lines(blocks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the lines of blocks, which may end anywhere."""
    begun = b""
    for block in blocks:
        *lines, begun = (begun + bytes(block)).split(b"\n")
        yield from (line + b"\n" for line in lines if line.strip())
    if begun.strip():
        yield begun + b"\n"
